"""Where could the process die between two steps, and is every such death survived?

One run of a scenario stops at every boundary and keeps what a death there would leave: the files of the
database as they lie on the disk, and the world. Each of these remains is then taken up by a new process's
state: nothing that was in memory comes along. Boundaries between which neither the database committed nor
the world changed leave the same remains; each kind is taken up once, and one of every open transaction is
taken up as it lay in the middle, to see that it is indeed the same.
"""

import functools
import random
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from jobs.timetable import TIMETABLE
from reminder.actions.check import violations
from reminder.bot.polling import fetch
from reminder.domain.reminders import State
from reminder.runtime import Runtime, Web
from reminder.store import entries, inbox, reminders
from reminder.store.database import Database, _sqlite_hooks
from reminder.store.onehop import Connection, connect
from reminder.web.app import web
from tests.office import desk
from tests.proofs.outside import ACCOUNT, AUTH, URL, Outside

ROUNDS = 400
Act = Callable[[Outside], None]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What happens outside, and when (minutes from the beginning); then the office has until `ends`."""

    name: str
    acts: tuple[tuple[float, Act], ...] = ()
    ends: float = 45


@dataclass(kw_only=True)
class Remains:
    """What a death leaves."""

    folder: Path
    world: Outside
    step: int
    """How many of the acts have happened."""
    where: str


@dataclass(kw_only=True)
class Walk:
    """One run that keeps remains at its boundaries."""

    keep: Path | None
    dice: random.Random
    rt: Runtime | None = None
    world: Outside | None = None
    step: int = 0
    begin: int = 0
    passed: int = 0
    commits: int = 0
    effects: int = 0
    inside: bool = False
    found: list[Remains] = field(default_factory=list)
    _last: tuple[int, ...] = ()
    _middle: int = -1

    def boundary(self, what: str) -> None:
        self.passed += 1
        self.commits += what == "commit"
        self.effects += what in {"effect", "reply"}
        if self.keep is None or self.step < self.begin:
            return
        assert self.world is not None
        kind = (self.commits, self.effects, self.step, len(self.world.posts), len(self.world.chat.waiting))
        middle = what == "write" and self._middle != self.commits and self.dice.random() < 0.2
        if kind == self._last and not middle:
            return
        self._last = kind
        if middle:
            self._middle = self.commits
        folder = self.keep / str(len(self.found))
        folder.mkdir(parents=True)
        for file in self.keep.parent.glob("reminder.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy2(file, folder / file.name)
        where = f"{what} {self.passed}"
        self.found.append(Remains(folder=folder, world=self.world.twin(), step=self.step, where=where))


class _Watched(Connection):
    """SQLite in this thread; tells of every statement before it, and of every commit after it."""

    boundary: Callable[[str], None]

    def here(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        sql = next((a for a in args if isinstance(a, str)), "")
        writes = sql.startswith(("INSERT", "UPDATE", "DELETE"))
        self.boundary("write" if writes else "committing" if sql == "COMMIT" else "statement")
        answer = super().here(fn, *args, **kwargs)
        if sql == "COMMIT":
            self.boundary("commit")
        return answer


def _connect(boundary: Callable[[str], None], database: str, **options: Any) -> Connection:
    made = connect(database, inline=True, **options)
    made.__class__ = _Watched
    made.boundary = boundary  # type: ignore[attr-defined]
    return made


class _Database(Database):
    def __init__(self, file: Path, boundary: Callable[[str], None]) -> None:
        self._boundary = boundary
        super().__init__(f"sqlite+aiosqlite:///{file}", inline=True)

    def _engine(self, *, read_only: bool) -> AsyncEngine:
        make = functools.partial(_connect, self._boundary)
        engine = create_async_engine(self.url, poolclass=NullPool, connect_args={"async_creator_fn": make})
        _sqlite_hooks(engine, durable=False, read_only=read_only)
        return engine


async def walk(
    scenario: Scenario, folder: Path, world: Outside, *, began: datetime, step: int = 0,
    keep: bool = False, seed: int = 0, begin: int = 0,
) -> Walk:  # fmt: skip
    """Play from `step` to the end on the database in `folder`; what was in memory is new."""
    found = Walk(
        keep=folder / "remains" if keep else None,
        dice=random.Random(seed),
        world=world,
        step=step,
        begin=begin,
    )
    world.sms.boundary = world.chat.boundary = found.boundary
    office = replace(desk(world.clock), new_id=_ids(world))
    found.rt = Runtime(
        db=_Database(folder / "reminder.db", found.boundary),
        desk=office,
        chat=world.chat,
        sms=world.sms,
        web=Web(public_url=URL, twilio_tokens=(AUTH,), twilio_account=ACCOUNT),
        bot_names={None: "reminder_bot"},
        concurrency=1,
    )
    for minutes, act in scenario.acts[step:]:
        await _until(found, began + timedelta(minutes=minutes))
        act(world)
        found.step += 1
    await _until(found, began + timedelta(minutes=scenario.ends))
    return found


def _ids(world: Outside) -> Callable[[], str]:
    """Tokens that a new process does not give out again."""
    return lambda: f"token-{next(world.ids)}-{'x' * 16}"


async def _until(found: Walk, moment: datetime) -> None:
    assert found.rt is not None
    assert found.world is not None
    rt, clock = found.rt, found.world.clock
    for _ in range(ROUNDS):
        await _rest(found)
        async with rt.db.read() as tx:
            due = [await entries.next_due_at(tx), await reminders.next_send_at(tx)]
            due.append(await reminders.next_lease_at(tx))
        following = min((m for m in due if m is not None), default=None)
        if following is None or following > moment:
            break
        clock.set(max(following, clock.now() + timedelta(seconds=1)))
    else:
        raise AssertionError("the office never comes to rest")
    clock.set(max(clock.now(), moment))
    await _rest(found)


async def _rest(found: Walk) -> None:
    """Webhooks, updates and jobs, until there is nothing to do at this instant."""
    rt, world = found.rt, found.world
    assert rt is not None
    assert world is not None
    for _ in range(ROUNDS):
        done = await world.post(web(rt)) if world.posts else 0
        while await fetch(rt, timedelta(0)):
            pass
        done += sum([await job.run(rt) for job in TIMETABLE if job.name != "sweep"])
        if not done:
            return
    raise AssertionError("the jobs never come to rest")


# --- what must be so at the end ----------------------------------------------------------------------------


def received(world: Outside) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(phone, text) of texts and of chat messages, as they were sent."""
    texts = [(row.message.to, row.message.text) for row in world.sms.ledger]
    return texts, [(row.message.to, row.message.text) for row in world.chat.ledger]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What came of the scenario without a death."""

    world: Outside
    lost: Collection[str]
    """Texts of which nobody knows whether they arrived: of two messages that say the same, the other one may
    be lost after a death."""
    answers: Collection[str]
    """What the bot answered to what somebody typed: sent once at most, and not at all after some deaths."""


async def reference_of(found: Walk) -> Reference:
    assert found.rt is not None
    assert found.world is not None
    async with found.rt.db.read() as tx:
        rows = await reminders.some(tx)
        ours = {tried["token"] for row in rows for tried in await reminders.attempts(tx, row.id)}
    answers = {row.message.text for row in found.world.chat.ledger if row.message.token not in ours}
    return Reference(world=found.world.twin(), lost=await _unsaid(found.rt), answers=answers)


async def judged(found: Walk, reference: Reference, marks: tuple[str, ...]) -> list[str]:
    """What is lost, doubled, unlabelled, stuck or broken.

    What is edited later is the same message if its words are the same in the end.
    """
    assert found.rt is not None
    assert found.world is not None
    texts, chats = received(found.world)
    wanted_texts, wanted_chats = received(reference.world)
    unknown = await _unsaid(found.rt)
    faults = [f"twice: {row}" for row in set(texts) if texts.count(row) > max(1, wanted_texts.count(row))]
    faults += [f"unasked: {row}" for row in set(texts) - set(wanted_texts)]
    faults += [f"lost: {row}" for row in set(wanted_texts) - set(texts) if row[1] not in unknown]
    plain = [row for row in chats if not row[1].startswith(marks)]
    repeats = [(to, text.split("\n", 1)[1]) for to, text in chats if text.startswith(marks)]
    allowed = {row: max(1, wanted_chats.count(row) + (row[1] in reference.lost)) for row in plain}
    faults += [f"unlabelled: {row}" for row in allowed if plain.count(row) > allowed[row]]
    faults += [f"repeated twice: {row}" for row in set(repeats) if repeats.count(row) > 1]
    came = {
        *plain,
        *repeats,
        *(row for row in wanted_chats if _reads(reference.world)[row] in _ends(found.world)),
    }
    faults += [
        f"lost: {row}" for row in set(wanted_chats) - came if row[1] not in {*unknown, *reference.answers}
    ]
    return faults + await _unfinished(found.rt)


def _reads(world: Outside) -> dict[tuple[str, str], tuple[str, str]]:
    """What a chat message says in the end, by what it said when it was sent."""
    return {(row.message.to, row.message.text): (row.message.to, row.text) for row in world.chat.ledger}


def _ends(world: Outside) -> Collection[tuple[str, str]]:
    return _reads(world).values()


async def _unsaid(rt: Runtime) -> set[str]:
    """Texts of reminders that ended without anybody knowing whether they went, and say so."""
    said: set[str] = set()
    async with rt.db.read() as tx:
        for row in await reminders.some(tx):
            if row.state is State.UNKNOWN and row.reason:
                said |= {_opened(rt, tried) for tried in await reminders.attempts(tx, row.id)}
    return said


def _opened(rt: Runtime, tried: dict[str, Any]) -> str:
    return rt.desk.sealer.open(tried["sealed"], bound_to=f"attempts|sealed|{tried['token']}")


async def _unfinished(rt: Runtime) -> list[str]:
    now = rt.clock.now()
    async with rt.db.read() as tx:
        rows = await reminders.some(tx)
        letters = await inbox.waiting(tx, rt.desk.sealer, 10)
        dead = (await tx.execute(sa.text("SELECT count(*) FROM inbox WHERE state = 'dead'"))).scalar_one()
        broken = await violations(tx, rt.desk)
    stuck = [r for r in rows if r.state in {State.SENDING, State.UNCERTAIN}]
    stuck += [r for r in rows if r.state is State.PLANNED and r.send_after <= now]
    faults = [f"stuck: {r.kind} {r.state}" for r in stuck] + [f"stuck: letter {x.id}" for x in letters]
    return faults + [f"broken: {v}" for v in broken] + (["a dead letter"] if dead else [])
