"""Who keeps a calendar on PostgreSQL: one `reminder run` alone, or any number of workers together?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from reminder.store.database import Database

_KEY = 7_301_946_286


class RunLock:
    """An advisory lock of the server's, held by a connection of its own; it goes when the connection does."""

    def __init__(self, db: Database, *, shared: bool) -> None:
        self._db = db
        self._take = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        self._connection: AsyncConnection | None = None

    async def kept(self) -> bool:
        """Whether we hold it, taking it again if a restart of the server took it from us.

        Raises SQLAlchemyError while the server is away.
        """
        if self._connection is not None:
            try:
                await self._connection.execute(sa.text("SELECT 1"))
                return True
            except SQLAlchemyError:
                await self.let_go()
        fresh = await self._db.writer.connect()
        fresh = await fresh.execution_options(isolation_level="AUTOCOMMIT")
        taken = bool((await fresh.execute(sa.text(f"SELECT {self._take}({_KEY})"))).scalar())
        if taken:
            self._connection = fresh
        else:
            await fresh.close()
        return taken

    async def let_go(self) -> None:
        if self._connection is not None:
            held, self._connection = self._connection, None
            await held.invalidate()  # the lock ends with the server's session, which a pool would keep
            await held.close()


@asynccontextmanager
async def run_lock(db: Database, *, shared: bool) -> AsyncIterator[RunLock]:
    lock = RunLock(db, shared=shared)
    try:
        yield lock
    finally:
        await lock.let_go()
