"""Two who write to the account at the same moment follow one another, on a server too."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from reminder.store import audit, meta
from reminder.store import tables as t
from reminder.store.database import Database, Tx, in_tx, taken_back
from reminder.store.migrations import migrate

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
async def db(postgres_url: str) -> AsyncIterator[Database]:
    made = Database(postgres_url)
    await migrate(made)
    yield made
    await made.close()


async def add(tx: Tx, action: str) -> None:
    await audit.add(tx, at=NOW, actor=None, action=action, subject="", detail={})


async def test_the_chain_holds_when_two_transactions_write_at_once(db: Database) -> None:
    both = asyncio.Barrier(2)

    async def deed(action: str) -> None:
        async with db.write() as tx:
            await both.wait()
            await add(tx, action)
            await asyncio.sleep(0.1)

    await asyncio.gather(deed("one"), deed("two"))
    async with db.read() as tx:
        assert await audit.broken_at(tx) is None


async def test_two_who_wrote_and_then_want_each_others_rows_both_get_on(db: Database) -> None:
    """Nobody holds the account while something else is still to be locked."""
    both = asyncio.Barrier(2)
    async with db.write() as tx:
        for key in ("one", "two"):
            await meta.put(tx, key, "")

    async def deed(first: str, then: str | None) -> None:
        async with db.write() as tx:
            if then is None:
                await meta.put(tx, first, "held")
                await both.wait()
                await add(tx, first)
            else:
                await add(tx, first)
                await both.wait()
                await meta.put(tx, then, first)

    await asyncio.wait_for(asyncio.gather(deed("one", None), deed("two", "one")), 20)
    async with db.read() as tx:
        assert await audit.broken_at(tx) is None


async def test_what_was_not_committed_leaves_nothing_for_the_next(db: Database) -> None:

    async def undone(tx: Tx) -> None:
        await add(tx, "one")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_tx(db, undone)
    async with db.write() as tx:
        await add(tx, "two")
    async with db.read() as tx:
        assert list((await tx.execute(sa.select(t.audit.c.action))).scalars()) == ["two"]


async def test_what_was_only_tried_is_not_accounted_for(db: Database) -> None:
    async with db.write() as tx:
        await add(tx, "one")
        async with taken_back(tx):
            await add(tx, "two")
    async with db.read() as tx:
        assert list((await tx.execute(sa.select(t.audit.c.action))).scalars()) == ["one"]


async def test_a_reader_sees_one_moment_whoever_commits_meanwhile(db: Database) -> None:
    """Else the nightly look, which asks several times, would find gaps that never were."""
    async with db.read() as reading:
        assert await meta.get(reading, "one") is None
        async with db.write() as tx:
            await meta.put(tx, "one", "said")
        assert await meta.get(reading, "one") is None
    async with db.read() as reading:
        assert await meta.get(reading, "one") == "said"
