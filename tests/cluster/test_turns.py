"""The next sender knows what the last one sent, and only the holder of a turn sends."""

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from jobs import turns
from reminder.domain.people import Channel, Sender
from reminder.domain.rates import Rate, Rates
from reminder.runtime import Runtime
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.valves import Turns, new_valves
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
