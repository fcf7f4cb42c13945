"""The next sender knows what the last one sent, and only the holder of a turn sends."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from jobs import turns
from reminder.channels.bots import Bots
from reminder.channels.memory import MemoryChat
from reminder.domain.messages import Trouble
from reminder.domain.people import Channel, Sender
from reminder.domain.rates import Rate, Rates
from reminder.runtime import Runtime
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.valves import Turns, new_valves
from reminder.workers import listen_in_turn
from tests.office import START, ManualClock, desk

TEXTS = Sender(channel=Channel.SMS)
FEW = Rates(channel=Rate(most=2, per=3600.0))


def worker(db: Database, name: str) -> Runtime:
    made = Runtime(db=db, desk=desk(ManualClock(START)), turns=Turns(me=name))
    return replace(made, valves=new_valves({Channel.SMS: FEW}))


async def take(rt: Runtime) -> bool:
    async with rt.db.write() as tx:
        return await turns.take(tx, rt, TEXTS)


def room(rt: Runtime) -> int:
    return rt.valves[Channel.SMS].room(rt.clock.now(), rt.clock.monotonic(), 10)


async def test_one_at_a_time_sends_and_the_next_counts_what_the_last_one_sent(
    postgres_url: str, tmp_path: Path
) -> None:
    db = Database(postgres_url)
    await migrate(db)
    one, two = worker(db, "one"), worker(db, "two")
    async with db.write() as tx:
        assert await turns.take(tx, one, TEXTS)
        valve = one.valves[Channel.SMS]
        valve._buckets[""] = valve._whole().take(one.clock.monotonic(), 2)
        await turns.keep(tx, one, TEXTS)
    assert not await take(two)
    assert turns.lasts(one, TEXTS)
    assert not turns.lasts(two, TEXTS)
    await turns.give_back(one, TEXTS)
    assert not turns.lasts(one, TEXTS)
    assert await take(two)
    assert room(two) == 0
    async with db.write() as tx:  # two dies, and its turn is over
        await tx.execute(sa.text("UPDATE queue.turns SET until = now()"))
    assert await take(one)
    assert room(one) == 0
    await db.close()


@dataclass(slots=True, kw_only=True)
class AskedChat(MemoryChat):
    """Counts how often it is asked for updates."""

    asked: int = 0

    async def updates(self, offset: int | None, wait: timedelta) -> list[dict[str, Any]] | Trouble:
        self.asked += 1
        await asyncio.sleep(0.05)
        return await MemoryChat.updates(self, offset, wait)


async def _asked(chat: AskedChat) -> None:
    before = chat.asked
    for _ in range(600):
        if chat.asked >= before + 2:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody asks")


async def test_one_at_a_time_asks_for_a_bots_updates_and_the_next_takes_over(
    postgres_url: str,
) -> None:
    """A second that asked would get 409, and take updates from the first."""
    db = Database(postgres_url)
    await migrate(db)
    chats = [[AskedChat(now=lambda: START) for _ in range(2)] for _ in range(2)]
    offices = [
        replace(worker(db, name), chat=Bots({None: first, 7: other}))
        for name, (first, other) in zip(("one", "two"), chats, strict=True)
    ]
    dies = asyncio.create_task(listen_in_turn(offices[0]))
    for chat in chats[0]:
        await _asked(chat)
    stays = asyncio.create_task(listen_in_turn(offices[1]))
    for chat in chats[0]:
        await _asked(chat)
    assert [chat.asked for chat in chats[1]] == [0, 0]
    dies.cancel()
    await asyncio.wait([dies])
    async with db.write() as tx:  # its turns run out
        await tx.execute(sa.text("UPDATE queue.turns SET until = now()"))
    for chat in chats[1]:
        await _asked(chat)
    stays.cancel()
    await asyncio.wait([stays])
    await db.close()
