"""Two who write to the account at the same moment follow one another, on a server too."""

import asyncio
from datetime import UTC, datetime

from reminder.store import audit
from reminder.store.database import Database, Tx
from reminder.store.migrations import migrate

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


async def add(tx: Tx, action: str) -> None:
    await audit.add(tx, at=NOW, actor=None, action=action, subject="", detail={})


async def test_the_chain_holds_when_two_transactions_write_at_once(postgres_url: str) -> None:
    db, both = Database(postgres_url), asyncio.Barrier(2)
    await migrate(db)

    async def deed(action: str) -> None:
        async with db.write() as tx:
            await both.wait()
            await add(tx, action)
            await asyncio.sleep(0.1)

    await asyncio.gather(deed("one"), deed("two"))
    async with db.read() as tx:
        assert await audit.broken_at(tx) is None
    await db.close()
