"""Several bots send beside each other: what holds up one, or fails, is nothing to the people of another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from sqlalchemy.exc import OperationalError

from jobs.dispatch import dispatch_telegram
from reminder.channels.bots import Bots
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from tests.actions.acting import execute, rows
from tests.actions.test_limits import post
from tests.actions.test_under_way import SlowChat, until
from tests.bot.test_bots import SECOND, move
from tests.office import STAFF, person


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """Calls to one colleague hang until the gate opens."""

    phones: SlowChat
    gate: asyncio.Event


@asynccontextmanager
async def two_bots(rt: Runtime) -> AsyncIterator[tuple[Runtime, Bot, Bot]]:
    """The first hangs at wang's, the second, whose people are chen and stone, at chen's."""
    for who in ("chen", "stone"):
        await move(rt, who, SECOND)
    made = []
    for who in ("wang", "chen"):
        gate = asyncio.Event()
        phones = SlowChat(now=rt.clock.now, gates={str(STAFF[who].chat): gate})
        made.append(Bot(phones=phones, gate=gate))
    first, second = made
    try:
        yield replace(rt, chat=Bots({None: first.phones, SECOND: second.phones})), first, second
    finally:
        first.gate.set()
        second.gate.set()


@pytest.mark.sqlite  # another database calls a missing table another kind of fault
async def test_what_one_bot_has_under_way_gets_its_result_although_another_one_fails(rt: Runtime) -> None:
    async with two_bots(rt) as (office, first, second):
        await post(office, "wang")
        await post(office, "chen")
        sending = asyncio.create_task(dispatch_telegram(office))
        await until(lambda: bool(first.phones.begun and second.phones.begun))
        await post(office, "lin")
        await execute(rt, "ALTER TABLE meta RENAME TO elsewhere")
        office.ring()
        await asyncio.sleep(0.2)
        first.gate.set()
        await asyncio.sleep(0.2)  # the first one has failed
        assert not sending.done()
        second.gate.set()
        with pytest.raises(OperationalError):
            await asyncio.wait_for(sending, 10)
        await execute(rt, "ALTER TABLE elsewhere RENAME TO meta")
    states = {row.person_id: row.state for row in await rows(rt)}
    ids = {who: (await person(rt, who)).id for who in ("wang", "chen", "lin")}
    assert states == {
        ids["wang"]: State.SENT,
        ids["chen"]: State.SENT,
        ids["lin"]: State.PLANNED,
    }


async def test_a_bot_with_much_to_do_does_not_keep_another_ones_people_waiting(rt: Runtime) -> None:
    async with two_bots(rt) as (office, first, second):
        await post(office, "wang")
        sending = asyncio.create_task(dispatch_telegram(office))
        await until(lambda: first.phones.begun != [])
        await asyncio.sleep(0.2)  # the second one has found nothing
        await post(office, "stone")
        office.ring()
        await until(lambda: second.phones.begun != [])
        assert not sending.done()
        first.gate.set()
        assert await asyncio.wait_for(sending, 10) == 2
