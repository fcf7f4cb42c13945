"""While calls are under way: others go, the same line waits, and no answer is lost by another's fault."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from jobs.dispatch import dispatch_telegram
from reminder.actions.direct import tell
from reminder.channels.memory import MemoryChat, Mishap
from reminder.domain.messages import Answer, Declined, Outgoing, Refusal
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import people
from tests.actions.acting import chat, execute, rows
from tests.actions.test_limits import got, post, waiting
from tests.office import STAFF


@dataclass(slots=True, kw_only=True)
class SlowChat(MemoryChat):
    """Answers some people's messages only when it is let."""

    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)

    async def send(self, message: Outgoing) -> Answer:
        self.begun.append(message.to)
        if message.to in self.gates:
            await self.gates[message.to].wait()
        return await MemoryChat.send(self, message)


@asynccontextmanager
async def hanging(
    rt: Runtime, *who: str, concurrency: int = 256
) -> AsyncIterator[tuple[Runtime, SlowChat, asyncio.Event]]:
    """An office in which calls to some colleagues hang until the event is set."""
    gate = asyncio.Event()
    slow = SlowChat(now=rt.clock.now, gates={str(STAFF[name].chat): gate for name in who})
    try:
        yield replace(rt, chat=slow, concurrency=concurrency), slow, gate
    finally:
        gate.set()


async def until(seen: Callable[[], bool]) -> None:
    for _ in range(1000):
        if seen():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not happen")


@asynccontextmanager
async def in_the_air(
    rt: Runtime, n: int = 1
) -> AsyncIterator[tuple[Runtime, asyncio.Task[int], asyncio.Event]]:
    """`n` messages to one colleague, the first of them under way until the event is set."""
    async with hanging(rt, "chen") as (slow, phones, gate):
        await post(slow, "chen", n)
        sending = asyncio.create_task(dispatch_telegram(slow))
        await until(lambda: phones.begun != [])
        yield slow, sending, gate


async def test_while_a_call_hangs_others_go_and_its_own_line_waits(rt: Runtime) -> None:
    async with hanging(rt, "chen") as (slow, phones, gate):
        await post(slow, "chen", 2)
        await post(slow, "wang")
        sending = asyncio.create_task(dispatch_telegram(slow))
        await until(lambda: got(slow, "wang") != [])
        await post(slow, "lin")
        slow.ring()
        await until(lambda: got(slow, "lin") != [])
        assert phones.begun.count(str(STAFF["chen"].chat)) == 1
        assert not sending.done()
        gate.set()
        assert await asyncio.wait_for(sending, 10) == 4
        assert [text[-1] for text in got(slow, "chen")] == ["0", "1"]
    assert {row.state for row in await rows(rt)} == {State.SENT}


async def test_what_is_due_at_once_is_taken_five_hundred_at_a_time(rt: Runtime) -> None:
    """Each is called at once, so that none waits out its lease; the rest once half of the places are free."""
    async with rt.db.write() as tx:
        unit = (await people.staff(tx)).people[1].unit_id
        for n in range(600):
            about = {"name": f"P{n}", "unit_id": unit, "roles": (), "chat_id": 900_000 + n}
            await people.add_person(tx, **about)  # type: ignore[arg-type]
        for n, one in enumerate((await people.staff(tx)).people.values()):
            if (one.chat_id or 0) >= 900_000:
                said = {"n": 1, "lines": "x"}
                await tell(tx, rt.desk, one, "gaps", key=f"many:{n}", at=rt.clock.now(), detail=said)
    gate = asyncio.Event()
    slow = SlowChat(now=rt.clock.now, gates={str(900_000 + n): gate for n in range(600)})
    sending = asyncio.create_task(dispatch_telegram(replace(rt, chat=slow)))
    await until(lambda: slow.begun != [])
    await asyncio.sleep(0.05)
    assert len(slow.begun) == 500
    assert await waiting(rt) == 100
    gate.set()
    assert await asyncio.wait_for(sending, 30) == 600


async def test_the_last_place_is_not_kept_free_while_all_others_hang(rt: Runtime) -> None:
    async with hanging(rt, "chen", "wang", "lin", concurrency=4) as (slow, phones, gate):
        for who in ("chen", "wang", "lin"):
            await post(slow, who)
        sending = asyncio.create_task(dispatch_telegram(slow))
        await until(lambda: len(phones.begun) == 3)
        await post(slow, "he")
        slow.ring()
        await until(lambda: got(slow, "he") != [])
        gate.set()
        assert await asyncio.wait_for(sending, 10) == 4


async def test_an_answer_that_cannot_be_taken_in_costs_no_other_its_result(rt: Runtime) -> None:
    nowhere = Declined(reason=Refusal.MOVED, code="moved", address="nowhere")
    await post(rt, "chen")
    await post(rt, "wang")
    await post(rt, "lin")
    chat(rt).script.append(Mishap(news=nowhere))
    with capture_logs() as said:
        await dispatch_telegram(rt)
    assert [line["event"] for line in said] == ["result.lost"]
    states = sorted(row.state for row in await rows(rt))
    assert states == [State.SENDING, State.SENT, State.SENT]  # what we do not know is looked into later


async def test_a_process_about_to_end_begins_nothing_new(rt: Runtime) -> None:
    await post(rt, "chen")
    rt.stopping.set()
    assert await dispatch_telegram(rt) == 0
    assert await waiting(rt) == 1
    rt.stopping.clear()
    assert await dispatch_telegram(rt) == 1


async def test_what_is_under_way_when_the_process_ends_gets_its_result(rt: Runtime) -> None:
    async with in_the_air(rt, 2) as (slow, sending, gate):
        slow.stopping.set()
        gate.set()
        assert await asyncio.wait_for(sending, 10) == 1
    assert sorted(row.state for row in await rows(rt)) == [State.PLANNED, State.SENT]


@pytest.mark.sqlite  # another database calls a missing table another kind of fault
async def test_what_is_under_way_gets_its_result_although_nothing_more_can_be_claimed(rt: Runtime) -> None:
    async with in_the_air(rt) as (slow, sending, gate):
        await post(slow, "wang")
        await execute(rt, "ALTER TABLE meta RENAME TO elsewhere")
        slow.ring()
        await asyncio.sleep(0.2)
        assert not sending.done()
        gate.set()
        with pytest.raises(OperationalError):
            await asyncio.wait_for(sending, 10)
        await execute(rt, "ALTER TABLE elsewhere RENAME TO meta")
    assert sorted(row.state for row in await rows(rt)) == [State.PLANNED, State.SENT]


@pytest.mark.sqlite  # another database calls a missing table another kind of fault
async def test_an_answer_waits_for_the_database(rt: Runtime) -> None:
    async with in_the_air(rt) as (_, sending, gate):
        await execute(rt, "ALTER TABLE attempts RENAME TO elsewhere")
        gate.set()
        with capture_logs() as said:
            await until(lambda: said != [])
        assert said[0]["event"] == "result.waits"
        await execute(rt, "ALTER TABLE elsewhere RENAME TO attempts")
        assert await asyncio.wait_for(sending, 10) == 1
    assert [row.state for row in await rows(rt)] == [State.SENT]


@dataclass(slots=True, kw_only=True)
class FaultyChat(MemoryChat):
    """Breaks its promise to raise nothing."""

    async def send(self, message: Outgoing) -> Answer:
        if message.to == str(STAFF["chen"].chat):
            raise RuntimeError("half way")
        return await MemoryChat.send(self, message)


async def test_a_call_that_raises_may_have_gone_and_cuts_no_other_off(rt: Runtime) -> None:
    for who in ("chen", "wang", "lin"):
        await post(rt, who)
    with capture_logs() as said:
        await dispatch_telegram(replace(rt, chat=FaultyChat(now=rt.clock.now)))
    assert [line["event"] for line in said] == ["call.raised"]
    assert sorted(row.state for row in await rows(rt)) == [State.SENT, State.SENT, State.UNCERTAIN]
