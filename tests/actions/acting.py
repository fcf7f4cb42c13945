"""A day at the office in few words: somebody acts, time passes, the jobs run, phones have received."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest
import sqlalchemy as sa

from jobs.remind import remind
from jobs.timetable import TIMETABLE
from reminder.actions import cases
from reminder.actions import entries as visits
from reminder.actions.check import Violation, violations
from reminder.actions.deliveries import hear
from reminder.actions.desk import Actor, Desk
from reminder.actions.dispatching import claim
from reminder.actions.entries import Slot
from reminder.actions.scene import CaseScene, read_case
from reminder.channels.memory import MemoryChat, MemorySms, Received
from reminder.domain.errors import Refused
from reminder.domain.messages import News
from reminder.domain.people import Channel, Sender
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import entries, inbox, reminders
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.reminders import Reminder
from tests.office import ZONE, a_case, actor, clock_of, pass_time, read, write

P = ParamSpec("P")
T = TypeVar("T")
ROUNDS = 60
THURSDAY, FRIDAY, MONDAY = (Slot(day=date(2026, 11, day)) for day in (26, 27, 30))


def sms(rt: Runtime) -> MemorySms:
    assert isinstance(rt.sms, MemorySms)
    return rt.sms


def chat(rt: Runtime) -> MemoryChat:
    assert isinstance(rt.chat, MemoryChat)
    return rt.chat


async def act(
    rt: Runtime,
    who: str,
    action: Callable[Concatenate[Tx, Desk, Actor, P], Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """`who` (a short name of the office's staff) does it, in one transaction."""
    by = await actor(rt, who)
    async with rt.db.write() as tx:
        return await action(tx, rt.desk, by, *args, **kwargs)


async def settle(rt: Runtime) -> None:
    """Every job, until none finds anything to do at this instant."""
    for _ in range(ROUNDS):
        if not sum([await job.run(rt) for job in TIMETABLE if job.name != "sweep"]):
            return
    raise AssertionError("the jobs never come to rest")


async def next_at(rt: Runtime) -> datetime | None:
    async with rt.db.read() as tx:
        moments = [
            await entries.next_due_at(tx),
            await reminders.next_send_at(tx),
            await reminders.next_lease_at(tx),
        ]
    return min((m for m in moments if m is not None), default=None)


async def until(rt: Runtime, moment: datetime) -> None:
    """Let time pass to `moment`, stopping wherever something falls due."""
    clock = clock_of(rt)
    for _ in range(2000):
        await settle(rt)
        following = await next_at(rt)
        if following is None or following > moment:
            clock.set(max(clock.now(), moment))
            await settle(rt)
            return
        clock.set(max(following, clock.now()))
    raise AssertionError("time does not pass")


async def after(rt: Runtime, **delta: float) -> None:
    await until(rt, clock_of(rt).now() + timedelta(**delta))


def moment(day: str, wall: str = "00:00") -> datetime:
    """A local day and time of the office."""
    return datetime.fromisoformat(f"{day}T{wall}").replace(tzinfo=ZONE)


def texts(rt: Runtime, number: str = "") -> list[Received]:
    """Texts that phones received, in order."""
    return [row for row in sms(rt).ledger if number in {"", row.message.to}]


async def rows(rt: Runtime, *kinds: str) -> list[Reminder]:
    """Reminder rows, of these kinds if any are named, in order."""
    found = await read(rt, reminders.some)
    return [r for r in found if not kinds or r.kind in kinds]


async def states(rt: Runtime, *kinds: str) -> list[tuple[str, str]]:
    return [(r.state.value, r.reason) for r in await rows(rt, *kinds)]


async def entry(rt: Runtime, case_id: int, key: str) -> Any:
    return (await read(rt, lambda tx: entries.of(tx, [case_id])))[case_id][key]


async def tasks(rt: Runtime, case_id: int) -> list[dict[str, Any]]:
    """What open tasks of a case are about."""
    found = (await read(rt, lambda tx: entries.of(tx, [case_id])))[case_id]
    return [dict(e.detail) for e in found.values() if e.milestone == "task" and e.is_open]


async def broken(rt: Runtime) -> list[Violation]:
    return await read(rt, lambda tx: violations(tx, rt.desk))


async def send_in(rt: Runtime, number: str, body: str, sid: str = "") -> None:
    """A resident's text arrives and is dealt with."""
    at = clock_of(rt).now()
    content = {"from": number, "to": rt.desk.sender, "body": body}
    external = sid or f"SMin{at.timestamp()}{body}"

    async def keep(tx: Tx) -> None:
        await inbox.keep(tx, rt.desk.sealer, source="sms", external_id=external, content=content, at=at)

    await write(rt, keep)
    await settle(rt)


async def receipt(rt: Runtime, provider_id: str, status: str, *, token: str = "", code: str = "") -> None:
    """The provider says how far a text has come."""
    at = clock_of(rt).now()
    content = {"provider_id": provider_id, "status": status, "code": code, "token": token}

    async def keep(tx: Tx) -> None:
        external = f"{provider_id}:{status}"
        await inbox.keep(
            tx, rt.desk.sealer, source="sms_status", external_id=external, content=content, at=at
        )

    await write(rt, keep)
    await settle(rt)


async def dump(rt: Runtime, *without: str) -> dict[str, list[str]]:
    """Every row of every table, to see that nothing changed."""
    async with rt.db.read() as tx:
        return {
            name: sorted(map(repr, (await tx.execute(sa.select(table))).all()))
            for name, table in t.metadata.tables.items()
            if name not in without
        }


def on(day: str) -> date:
    return date.fromisoformat(day)


async def visited_case(rt: Runtime, **more: Any) -> int:
    """An ordinary case whose first texts have gone, on a new day, so that the daily cap is free again."""
    plan = await a_case(rt, **more)
    case_id: int = plan.row.case.id
    await act(rt, "chen", cases.contact, case_id)
    await until(rt, moment("2026-11-24", "09:00"))
    return case_id


async def offered(rt: Runtime) -> tuple[int, int]:
    """A case with a visit on Thursday that the resident has been offered; (case, entry)."""
    case_id = await visited_case(rt)
    plan = await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=1)
    assert "11月26日" in texts(rt)[-1].text
    return case_id, plan.entries["visit"].id


async def closed(rt: Runtime) -> int:
    """A case closed on Tuesday 24 November at nine."""
    case_id = await visited_case(rt)
    await act(rt, "chen", cases.answer, case_id, "upheld", "路已修好")
    await act(rt, "chen", cases.served, case_id, "当面")
    await act(rt, "chen", cases.close, case_id)
    return case_id


async def completed(rt: Runtime, **more: Any) -> int:
    """A case of last month with texts, a question and tasks in lists; all is done."""
    case_id: int = (await a_case(rt, **more)).row.case.id
    await until(rt, moment("2026-12-02", "09:00"))
    await in_turn(rt, "chen", cases.contact, case_id)
    await in_turn(rt, "chen", cases.answer, case_id, "upheld", "路已修好")
    await in_turn(rt, "chen", cases.served, case_id, "当面")
    await in_turn(rt, "chen", cases.close, case_id)
    for key in ("rv1", "rv2", "rv3"):
        await in_turn(rt, "chen", visits.visited, (await entry(rt, case_id, key)).id, "holds")
    await until(rt, moment("2027-02-01", "12:00"))
    return case_id


async def flying(rt: Runtime, *, arrives: bool = False) -> tuple[int, str]:
    """A visit offer whose call is under way, nobody having answered yet: its row and its attempt.

    `arrives`: the provider takes it on, and we never hear of it.
    """
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    clock_of(rt).advance(timedelta(seconds=31))
    await remind(rt)
    async with rt.db.write() as tx:
        (outgoing,) = (await claim(tx, rt.desk, Sender(channel=Channel.SMS), 1)).outgoing
    if arrives:
        await sms(rt).send(outgoing)
    (row,) = await rows(rt, "visit_offer")
    assert row.state is State.SENDING
    return row.id, outgoing.token


async def tell(rt: Runtime, token: str, *news: News) -> None:
    for one in news:
        async with rt.db.write() as tx:
            await hear(tx, rt.desk, token, one)


async def row_of(rt: Runtime, reminder_id: int) -> Reminder:
    found = await read(rt, lambda tx: reminders.one(tx, reminder_id))
    assert found is not None
    return found


async def execute(rt: Runtime, statement: str) -> None:
    async with rt.db.write() as tx:
        await tx.execute(sa.text(statement))


async def scene(rt: Runtime, case_id: int) -> CaseScene:
    return await read(rt, lambda tx: read_case(tx, rt.desk, case_id))


async def sound(rt: Runtime) -> None:
    """Every open case has its next date, and the calendar is what the facts say."""
    assert await broken(rt) == []


async def refused(work: Awaitable[Any]) -> str:
    """Which refusal it was."""
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.key


async def in_turn(
    rt: Runtime,
    who: str,
    action: Callable[Concatenate[Tx, Desk, Actor, P], Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """`act`, a second after what was done before: facts of one instant would sort by kind."""
    pass_time(rt, seconds=1)
    return await act(rt, who, action, *args, **kwargs)
