"""One database, two doors: a single writer that begins IMMEDIATE, and readers that cannot write."""

import asyncio
import functools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from reminder.store.onehop import Connection, connect

T = TypeVar("T")
Tx = AsyncConnection
"""An open transaction. Whoever opened it closes it."""


class Database:
    """Opens transactions. Construct inside the running loop; `close` when done.

    `inline` runs SQLite in the loop's own thread (see `onehop.Connection`) and leaves flushing the disk to
    the machine: for a file that nobody misses after a power cut, as the demo's.
    """

    def __init__(self, url: str, *, inline: bool = False) -> None:
        self.url = sa.make_url(url)
        self._inline = inline
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._writer = self._engine(read_only=False)
        self._reader = self._engine(read_only=True) if self.sqlite else self._writer

    def _engine(self, *, read_only: bool) -> AsyncEngine:
        if not self.sqlite:
            return create_async_engine(self.url, pool_pre_ping=True)
        # One writer: SQLite takes one at a time anyway, and waiting here is cheaper than SQLITE_BUSY.
        size = 4 if read_only else 1
        engine = create_async_engine(
            self.url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=60,
            connect_args={"async_creator_fn": functools.partial(connect, inline=self._inline)},
        )
        _sqlite_hooks(engine, durable=not self._inline, read_only=read_only)
        return engine

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """A transaction that commits at the end of the block, or leaves no trace."""
        async with self._whole(self._writer, "BEGIN IMMEDIATE") as tx:
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A consistent view; on SQLite a write through it is refused."""
        async with self._whole(self._reader, "BEGIN DEFERRED") as tx:
            yield tx

    @asynccontextmanager
    async def _whole(self, engine: AsyncEngine, begin: str) -> AsyncIterator[Tx]:
        connection = engine.connect()
        # Inline no step is ever under way while somebody else runs, so a cancellation can tear none.
        step = _run if self._inline else _unhurried
        try:
            await step(connection.start)
            driver = driver_of(connection)
            # SQLAlchemy's own way to begin and commit costs more than a small transaction's statements.
            await step(functools.partial(driver.ask, begin) if driver else connection.begin)
            yield connection
            if driver is None:
                await step(connection.commit)
            elif driver.in_transaction:  # a migration has ended it itself
                await step(functools.partial(driver.ask, "COMMIT"))
        finally:
            # Also after a cancellation: aiosqlite keeps the write lock if a statement is torn away.
            if connection.sync_connection is not None:
                await step(connection.close)

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    @property
    def writer(self) -> AsyncEngine:
        """For migrations only."""
        return self._writer


def driver_of(tx: Tx) -> Connection | None:
    """SQLite's connection under a transaction; None on another database."""
    assert tx.sync_connection is not None
    found = tx.sync_connection.connection.driver_connection
    return found if isinstance(found, Connection) else None


async def _unhurried(call: Callable[[], Awaitable[T]]) -> T:
    """Finish the database's step even if we are cancelled meanwhile, then let the cancellation through."""
    task: asyncio.Future[T] = asyncio.ensure_future(_run(call))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _run(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


async def in_tx(db: Database, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Run a whole transaction that a cancellation cannot tear: it commits or rolls back first."""

    async def whole() -> T:
        async with db.write() as tx:
            return await work(tx)

    return await _unhurried(whole)


def _sqlite_hooks(engine: AsyncEngine, *, durable: bool, read_only: bool) -> None:
    flushed = "FULL" if durable else "OFF"
    pragmas = ["journal_mode=WAL", f"synchronous={flushed}", "busy_timeout=10000", "foreign_keys=ON"]
    if read_only:
        pragmas.append("query_only=ON")

    @event.listens_for(engine.sync_engine, "connect")
    def _(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # sqlite3's own implicit BEGIN is deferred and double-claims rows
        cursor: sqlite3.Cursor = raw.cursor()
        for pragma in pragmas:
            cursor.execute("PRAGMA " + pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _(connection: sa.Connection) -> None:
        """SQLAlchemy's first statement in a transaction of ours finds it begun; a migration does not."""
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
