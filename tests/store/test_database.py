"""Does everybody who opens a transaction give it back, whole or not at all, however they end?"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from reminder.store import meta
from reminder.store import tables as t
from reminder.store.database import Database, driver_of
from reminder.store.migrations import migrate


@pytest.fixture(params=["sqlite", "inline", "postgresql"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "postgresql":
        opened = Database(request.getfixturevalue("postgres_url"))
    else:
        opened = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", inline=request.param == "inline")
    await migrate(opened)
    yield opened
    await opened.close()


async def _put(db: Database, key: str) -> None:
    async with db.write() as tx:
        await meta.put(tx, key, "1")


async def _kept(db: Database, key: str) -> bool:
    async with db.read() as tx:
        return await meta.get(tx, key) is not None


async def _fails(db: Database, *, plainly: bool) -> None:
    async with db.write() as tx:
        await meta.put(tx, "half", "1")
        if plainly:
            await tx.execute(sa.insert(t.meta).values(key="other half", value="1"))
        raise KeyError("half")


@pytest.mark.parametrize("plainly", [True, False])
@pytest.mark.failure(2)
async def test_what_fails_leaves_no_trace_and_no_lock(db: Database, *, plainly: bool) -> None:
    for _ in range(6):
        with pytest.raises(KeyError, match="half"):
            await _fails(db, plainly=plainly)
    assert not await _kept(db, "half")
    assert not await _kept(db, "other half")
    await asyncio.wait_for(_put(db, "next"), 5)
    assert await _kept(db, "next")


async def test_a_reader_sees_what_was_written_before_it_began(db: Database) -> None:
    for number in range(6):
        await _put(db, str(number))
        assert await _kept(db, str(number))


async def _writes_until(db: Database, begun: asyncio.Event, go_on: asyncio.Event) -> None:
    async with db.write() as tx:
        await meta.put(tx, "cancelled", "1")
        begun.set()
        await go_on.wait()


async def test_a_cancelled_writer_and_those_waiting_behind_it_give_way(db: Database) -> None:
    begun, never = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(_writes_until(db, begun, never))
    await begun.wait()
    waiting = [asyncio.create_task(_put(db, f"waiting {n}")) for n in range(3)]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    first.cancel()
    await asyncio.wait_for(asyncio.wait([first, *waiting]), 10)
    assert first.cancelled()
    assert not await _kept(db, "cancelled")
    assert await _kept(db, "waiting 2")


async def test_many_readers_and_writers_all_come_through(db: Database) -> None:
    async def one(number: int) -> None:
        await _put(db, f"key {number}")
        assert await _kept(db, f"key {number}")

    await asyncio.wait_for(asyncio.gather(*(one(n) for n in range(40))), 30)


async def test_cancelled_at_any_moment_the_next_still_gets_through(db: Database) -> None:
    for wait in range(12):
        task = asyncio.create_task(_put(db, f"moment {wait}"))
        for _ in range(wait):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(_put(db, "next"), 10)


_LONG = """WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000000)
SELECT count(*) FROM c"""


@pytest.mark.parametrize("ours", [True, False])
async def test_cancelled_in_the_middle_of_a_statement_it_is_cancelled_and_leaves_no_trace(
    tmp_path: Path, *, ours: bool
) -> None:
    """Not another error in its place: whoever cancels, a deadline above all, waits for just that."""
    db, begun = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}"), asyncio.Event()
    await migrate(db)

    async def work() -> None:
        async with db.write() as tx:
            await meta.put(tx, "half", "1")
            begun.set()
            driver = driver_of(tx)
            assert driver is not None
            await (driver.wait_for(_LONG) if ours else tx.execute(sa.text(_LONG)))

    task = asyncio.create_task(work())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait_for(asyncio.wait([task]), 30)
    assert task.cancelled()
    await asyncio.wait_for(_put(db, "next"), 10)
    assert not await _kept(db, "half")
    await db.close()


async def test_whoever_asks_and_asks_lets_others_have_their_turn(tmp_path: Path) -> None:
    db, turns = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}"), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with db.read() as tx:
        driver = driver_of(tx)
        assert driver is not None
        task, before = asyncio.create_task(others()), turns
        for _ in range(5):
            await driver.ask(_LONG.replace("2000000", "100000"))
        assert turns >= before + 4
        task.cancel()
    await db.close()


async def test_who_writes_waits_for_another_program_and_the_loop_goes_on(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    await migrate(db)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(_put(db, "ours"))
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not task.done()
    other.execute("COMMIT")
    other.close()
    await asyncio.wait_for(task, 10)
    assert await _kept(db, "ours")
    await db.close()
