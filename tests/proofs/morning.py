"""A Monday morning in a small office whose process is killed at a named place, seen from the phones."""

import asyncio
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from reminder.actions import cases
from reminder.actions import entries as visits
from reminder.actions.check import violations
from reminder.actions.entries import Slot
from reminder.clock import ManualClock
from reminder.domain.reminders import TERMINAL, State
from reminder.instance import Instance
from reminder.runtime import Runtime
from reminder.sandbox import Limits, World, app_of
from reminder.store import cases as stored
from reminder.store import entries, inbox, reminders, switches
from reminder.store.cases import facts
from reminder.store.database import Database
from reminder.store.reminders import Reminder
from tests.actions.acting import act, settle
from tests.office import LI, STAFF, ZONE, Place, a_case, clock_of, day, desk, office, read
from tests.ports import free_port
from tests.proofs import office_process
from tests.proofs.moulds import Mould
from tests.proofs.office_process import ACCOUNT, AUTH, OURS, SPARED, TOKEN, Order
from tests.sandbox.serve import serving

FORKS = multiprocessing.get_context("forkserver")
LAZY = (
    "apscheduler.executors.asyncio",
    "apscheduler.schedulers.asyncio",
    "apscheduler.triggers.interval",
    "holidays.countries",
    "pgqueuer",
    "psycopg_binary",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "twilio.rest.api.v2010",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
"""What the program imports only once it needs it: half of what a fresh process would do."""

FORKS.set_forkserver_preload([office_process.__name__, "tests.proofs.errands", *LAZY])
THURSDAY = datetime(2026, 11, 19, 10, 0, tzinfo=ZONE)
MONDAY = datetime(2026, 11, 23, 8, 5, tzinfo=ZONE)
DIGESTS = datetime(2026, 11, 23, 8, 12, tzinfo=ZONE)
RATE = 150.0
"""Ten office minutes, the longest wait of an unclear text, take four seconds."""

TICKS = 60.0
"""With workers: their engine ticks once a real second, a minute of the office."""

PATIENCE = 120.0
"""Real seconds until a morning must be over."""

SOON = timedelta(minutes=5)
"""What has fallen due and waits no longer than this, for another try, is not over."""

NOTE = "去看过了"
ZHAO, SUN = "+12025550143", "+12025550144"


@dataclass
class Morning:
    """One run: the phones, the process, and what it was told to break."""

    rt: Runtime
    world: World
    order: Order
    workers: int = 0
    answered: bool = False
    refused: bool = False
    noted: bool = False
    later: bool = False
    """Once the day's list is there, something on it is still to be changed."""
    helped: bool = False
    case_ids: list[int] = field(default_factory=list)
    number: str = ""


async def prepared(folder: Path, place: Place) -> None:
    """Three cases of Thursday, two visits to offer and one new case on Monday; nothing has been sent yet."""
    async with office(folder, start=THURSDAY, place=place) as rt:
        plans = [await a_case(rt, phones=(number,)) for number in (LI, ZHAO, SUN)]
        ids = [plan.row.case.id for plan in plans]
        await settle(rt)
        clock_of(rt).advance(timedelta(minutes=5))
        await settle(rt)
        clock_of(rt).set(MONDAY)
        await act(rt, "chen", visits.propose, ids[0], Slot(day=day("2026-11-26")))
        await act(rt, "chen", visits.propose, ids[1], Slot(day=day("2026-11-27")))
        await a_case(rt, phones=("+12025550145",), handler="wang", accepted=False)
        await act(rt, "lin", cases.note, ids[2], "x", progress="看过现场", next_step="下周再来")
        async with rt.db.write() as tx:
            machine = Instance(folder).name
            await switches.put(tx, replace(await switches.get(tx), instance=machine))


FILES = Mould(prepared)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """On what database the office of a morning is, and by how many workers it is kept; 0: by one program."""

    mould: Mould = FILES
    workers: int = 0

    @property
    def rate(self) -> float:
        return TICKS if self.workers else RATE


IN_A_FILE = Setting()


@asynccontextmanager
async def morning(folder: Path, setting: Setting = IN_A_FILE) -> AsyncIterator[Morning]:
    """A fresh copy of that office, and the world it meets."""
    folder.mkdir(exist_ok=True, parents=True)  # noqa: ASYNC240 - a test's own folder
    database = await setting.mould.copy_to(folder)
    rt = Runtime(db=Database(database), desk=desk(ManualClock(MONDAY)))
    try:
        ids = await read(rt, stored.ids)
        number = (await read(rt, lambda tx: stored.many(tx, ids[:1])))[ids[0]].case.number
        order = Order(
            folder=str(folder),
            database=database,
            url="",
            port=free_port(),
            start=MONDAY.isoformat(),
            began=time.time(),
            rate=setting.rate,
            cluster=setting.workers > 0,
        )
        world = world_of(order)
        async with serving(app_of(world), before_stop=world.close) as url:
            order = replace(order, url=url)
            yield Morning(
                rt=rt, world=world, order=order, workers=setting.workers, case_ids=ids, number=number
            )
    finally:
        await rt.db.close()
        await setting.mould.drop(database)


def world_of(order: Order) -> World:
    world = World(
        now=order.clock.now,
        bot_token=TOKEN,
        account_sid=ACCOUNT,
        auth_token=AUTH,
        numbers=(OURS,),
        inbound_url=f"http://127.0.0.1:{order.port}/twilio/inbound",
        limits=Limits.off(),
    )
    for who in STAFF.values():
        world.add_telegram(who.chat, who.name, lang=who.lang, started=True)
    for number in (LI, ZHAO, SUN, "+12025550145"):
        world.add_sms(number, number)
    return world


class Process:
    """An office forked from a server that has everything imported; killed by the fail-point it is given."""

    def __init__(self, order: Order, failpoint: str = "") -> None:
        self.said = Path(order.folder) / f"said-{time.time()}.txt"
        given = (order, failpoint, str(self.said))
        self._process = FORKS.Process(target=office_process.forked, args=given, daemon=True)
        self._process.start()

    @property
    def died(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self._process.exitcode

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()

    def spare(self) -> None:
        """From now on no place kills it."""
        if self.died is None and self.pid is not None:
            os.kill(self.pid, SPARED)

    async def end(self) -> str:
        """End it kindly, if it still runs; everything it printed."""
        if self.died is None:
            self._process.terminate()
        until = time.time() + 10
        while self.died is None and time.time() < until:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
        if self.died is None:
            self.kill()
        self._process.join()
        return self.said.read_text() if self.said.exists() else ""


def start(run: Morning, failpoint: str = "", **changes: Any) -> Process:
    return Process(replace(run.order, **changes), failpoint)


def started(run: Morning, failpoint: str = "", **changes: Any) -> list[Process]:
    """Whoever keeps it: one program, or its workers, of whom the first has the door."""
    ports = [run.order.port, *(free_port() for _ in range(run.workers - 1))]
    return [start(run, failpoint, port=port, door=run.order.port, **changes) for port in ports]


async def live(run: Morning, *processes: Process, over: Callable[[], bool] = lambda: False) -> bool:
    """Until one of them dies, `over` says so, or the morning is over (then True); phones do their part."""
    until = time.time() + PATIENCE
    while all(process.died is None for process in processes) and not over():
        if time.time() > until:
            said = [(await process.end())[-3000:] for process in processes]
            raise AssertionError(f"not quiet after {PATIENCE} s: {await unfinished(run)}", *said)
        await run.world.deliver()
        _owners(run)
        if await quiet(run):
            return True
        await asyncio.sleep(0.2)
    return False


def _owners(run: Morning) -> None:
    """Ms Li agrees to the visit once she is asked, Mr Zhao wants no texts.

    The handler writes a note, his colleague asks for help.
    """
    if not run.answered and any(row["to"] == LI for row in texts(run)):
        run.answered = True
        run.world.reply(LI, "1")
    if not run.refused and any(row["to"] == ZHAO for row in texts(run)):
        run.refused = True
        run.world.reply(ZHAO, "STOP")
    if not run.noted and chats(run):
        run.noted = True
        run.world.write(STAFF["chen"].chat, f"/note {run.number} {NOTE}")
    elif run.later and any("早上好" in row["text"] for row in chats(run)):
        run.later = False
        run.world.write(STAFF["chen"].chat, f"/contact {run.number} {NOTE}")
    elif run.noted and not run.helped and not run.world.state()["updates"]:
        run.helped = True
        run.world.write(STAFF["wang"].chat, "/help")


async def quiet(run: Morning) -> bool:
    """Nothing is due, under way or unread, and everybody has been heard."""
    return (
        run.order.clock.now() > DIGESTS
        and run.answered
        and run.refused
        and run.helped
        and not run.later
        and not await unfinished(run)
    )


async def unfinished(run: Morning) -> list[str]:
    async with run.rt.db.read() as tx:
        rows = await reminders.some(tx)
        letters = await inbox.waiting(tx, run.rt.desk.sealer, 10)
        due = await entries.next_due_at(tx)
        heard = (await tx.execute(sa.text("SELECT count(*) FROM inbox WHERE source = 'sms'"))).scalar_one()
    now = run.order.clock.now()  # later than what was read: a row of this instant is not one of the future
    moving = {State.SENDING, State.UNCERTAIN}
    left = [f"{r.kind} {r.state}" for r in rows if r.state in moving]
    soon = now + SOON
    left += [
        f"{r.kind} planned"
        for r in rows
        if r.state is State.PLANNED and (r.send_after <= now or r.due_at <= now < r.send_after <= soon)
    ]
    left += [f"letter {letter.id}" for letter in letters]
    left += ["a reply unheard"] if heard < run.answered + run.refused else []
    left += ["entries due"] if due is not None and due <= now else []
    left += ["updates"] if not run.world.state()["idle"] else []
    return left


# --- what the phones received ----------------------------------------------------------------


def texts(run: Morning) -> list[dict[str, Any]]:
    return [r for r in run.world.ledger() if r["channel"] == "sms" and r["by"] == "office"]


def chats(run: Morning) -> list[dict[str, Any]]:
    sent = [r for r in run.world.ledger() if r["channel"] == "telegram" and r["type"] == "message"]
    return [r for r in sent if r["by"] == "office"]


async def doubled(run: Morning) -> list[str]:
    """Texts received twice; a chat message may be if, and only if, its second copy says so.

    The bot's answer to what somebody typed is no reminder and may be given again.
    """
    reminding = set().union(*[await _said(run, row) for row in await kept(run)])
    seen = Counter((r["to"], r["text"]) for r in [*texts(run), *chats(run)] if r["text"] in reminding)
    return [text for (_, text), n in seen.items() if n > 1]


async def _said(run: Morning, row: Reminder) -> set[str]:
    """What was, or was to be, sent: every attempt's text."""
    held = run.rt.desk.sealer
    async with run.rt.db.read() as tx:
        tried = await reminders.attempts(tx, row.id)
    return {held.open(t["sealed"], bound_to=f"attempts|sealed|{t['token']}") for t in tried}


async def lost(run: Morning) -> list[str]:
    """Reminders that fell due, reached no phone, and do not say why."""
    arrived = {row["text"] for row in run.world.ledger()}
    found = []
    for row in await kept(run):
        explained = row.state is State.MERGED or (row.state in TERMINAL and row.reason)
        if not explained and not await _said(run, row) & arrived:
            found.append(f"{row.kind} {row.state}")
    return found


async def kept(run: Morning) -> list[Reminder]:
    """Monday's reminders.

    Not the weekly words to admins and supervision: they hang on the minute's housekeeping, which comes before
    or after the morning is looked at, and are due only after it.
    """
    async with run.rt.db.read() as tx:
        found = [r for r in await reminders.some(tx) if r.due_at >= MONDAY]
    return [r for r in found if r.kind not in {"calendar_gap", "weekly"}]


async def account(run: Morning) -> dict[str, Any]:
    """What must be the same in every morning, however often the process died."""
    rows = await kept(run)
    async with run.rt.db.read() as tx:
        found = await violations(tx, run.rt.desk)
        calendar = (await entries.of(tx, run.case_ids))[run.case_ids[0]]
        told = (await facts(tx, run.case_ids))[run.case_ids[0]]
    return {
        "kinds": Counter((r.kind, r.recipient) for r in rows if r.state is not State.MERGED),
        "visit": calendar["visit"].status.value,
        "confirmed": len([f for f in told if f.event.value == "confirm"]),
        "notes": len([f for f in told if f.event.value == "note"]),
        "violations": [str(v) for v in found],
        "stuck": [r.kind for r in rows if r.state not in TERMINAL | {State.SENT, State.PLANNED}],
    }
