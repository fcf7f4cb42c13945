"""One database, two doors: a single writer that begins IMMEDIATE, and readers that cannot write."""

import asyncio
import functools
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from reminder.store.onehop import BEGIN, BUSY, Connection, connect

T = TypeVar("T")
DatabaseAway = (OperationalError, InterfaceError, TimeoutError)
"""It does not answer, has no room, or somebody is in the way: the same thing may succeed a little later."""

Tx = AsyncConnection
"""An open transaction. Whoever opened it closes it."""


class Database:
    """Opens transactions. Construct inside the running loop; `close` when done.

    `shared`: many machines work on it; PostgreSQL then ends a transaction whose owner stands still.

    `inline` runs SQLite in the loop's own thread (see `onehop.Connection`) and leaves flushing the disk to
    the machine: for a file that nobody misses after a power cut, as the demo's.
    """

    def __init__(self, url: str, *, inline: bool = False, shared: bool = False) -> None:
        self.url = sa.make_url(url)
        self._inline = inline
        self._shared = shared
        self.sqlite = self.url.get_backend_name() == "sqlite"
        # One writer: SQLite takes one at a time anyway, and waiting here is cheaper than SQLITE_BUSY.
        self._writer = _Door(self._engine(read_only=False), 1, writes=True)
        self._reader = _Door(self._engine(read_only=True), 4, writes=False) if self.sqlite else self._writer

    def _engine(self, *, read_only: bool) -> AsyncEngine:
        # Values are people's names and words: no error message quotes them.
        make_engine = functools.partial(create_async_engine, self.url, hide_parameters=True)
        if not self.sqlite:
            options = f"{DURABLE} {ALIVE} {BY_INDEX}" + (f" {STANDSTILL}" if self._shared else "")
            made = {"options": options} if self.url.drivername.endswith("psycopg") else {}
            return make_engine(pool_pre_ping=True, connect_args=made, json_deserializer=_from_json)
        make = functools.partial(connect, inline=self._inline)
        engine = make_engine(poolclass=NullPool, connect_args={"async_creator_fn": make})
        _sqlite_hooks(engine, durable=not self._inline, read_only=read_only)
        return engine

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """A transaction that commits at the end of the block, or leaves no trace."""
        async with self._whole(self._writer) as tx:
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A consistent view, as of its first statement; on SQLite a write through it is refused."""
        async with self._whole(self._reader, isolation_level="REPEATABLE READ") as tx:
            yield tx

    def _whole(self, door: "_Door", **on_a_server: str) -> AbstractAsyncContextManager[Tx]:
        if not self.sqlite:
            return _pooled(door.engine, **on_a_server)
        # Inline no step is ever under way while somebody else runs, so a cancellation can tear none.
        return door.passed(_run if self._inline else _unhurried)

    async def close(self) -> None:
        await self._writer.close()
        if self._reader is not self._writer:
            await self._reader.close()

    @property
    def writer(self) -> AsyncEngine:
        """For migrations only."""
        return self._writer.engine


@asynccontextmanager
async def _pooled(engine: AsyncEngine, **options: str) -> AsyncIterator[Tx]:
    """A transaction on a connection of SQLAlchemy's pool."""
    connection = engine.connect()
    try:
        await _unhurried(connection.start)
        if options:
            await connection.execution_options(**options)
        await _unhurried(connection.begin)
        yield connection
        for work in connection.info.pop(_AT_THE_END, ()):
            await work(connection)
        await _unhurried(connection.commit)
    finally:
        if connection.sync_connection is not None:
            if not connection.invalidated:
                connection.info.pop(_AT_THE_END, None)
            await _unhurried(connection.close)


_AT_THE_END = "at the end"


async def at_the_end(tx: Tx, work: Callable[[Tx], Awaitable[None]]) -> None:
    """Have it done as the last thing before the commit; on SQLite, where one writes at a time, now.

    What all queue for is queued for once nothing more will be locked: of two who had done so before, and
    then wanted each other's case, neither would ever get on.
    """
    if driver_of(tx) is not None:
        await work(tx)
    else:
        tx.info.setdefault(_AT_THE_END, []).append(work)


class _Door:
    """SQLite's connections of one kind: kept open, for one transaction each at a time.

    SQLAlchemy's own way to take, begin, commit and give back costs more than a small transaction does.
    """

    def __init__(self, engine: AsyncEngine, size: int, *, writes: bool) -> None:
        self.engine = engine
        self._writes = writes
        self._turns = asyncio.Semaphore(size)
        self._idle: list[AsyncConnection] = []
        self._shut = False

    @asynccontextmanager
    async def passed(self, step: "_Step") -> AsyncIterator[Tx]:
        async with asyncio.timeout(PATIENCE):
            await self._turns.acquire()
        connection = self._idle.pop() if self._idle else self.engine.connect()
        try:
            if connection.sync_connection is None:
                await step(connection.start)
            driver = driver_of(connection)
            assert driver is not None
            if not self._writes:
                await driver.ask("BEGIN DEFERRED")
            elif not driver.begun():
                await step(functools.partial(driver.wait_for, BEGIN))
            yield connection
            if not driver.in_transaction:
                pass  # a migration has ended it itself
            elif self._writes:
                await step(functools.partial(driver.wait_for, "COMMIT"))
            else:
                await driver.ask("COMMIT")
        finally:
            # Also after a cancellation: aiosqlite keeps the write lock if a statement is torn away.
            try:
                if connection.sync_connection is not None and not self._fit(connection):
                    await step(functools.partial(self._back, connection))
            finally:
                self._turns.release()

    def _fit(self, connection: AsyncConnection) -> bool:
        """Put it by for the next, if there is nothing to take back."""
        if self._shut or connection.invalidated or connection.in_transaction():
            return False
        driver = driver_of(connection)
        if driver is None or driver.in_transaction:
            return False
        self._idle.append(connection)
        return True

    async def _back(self, connection: AsyncConnection) -> None:
        """Take back what was not committed; a connection that cannot do even that is given up."""
        if connection.invalidated:  # torn away in the middle of a statement: SQLAlchemy has closed it
            await connection.close()
            return
        driver = driver_of(connection)
        try:
            if connection.in_transaction():
                await connection.rollback()
            elif driver is not None and driver.in_transaction:
                await driver.wait_for("ROLLBACK")
        except BaseException:
            await connection.close()
            raise
        if self._shut:
            await connection.close()
        else:
            self._idle.append(connection)

    async def close(self) -> None:
        self._shut = True
        while self._idle:
            await self._idle.pop().close()
        await self.engine.dispose()


def _from_json(held: str | bytes) -> Any:
    """Most say nothing."""
    return {} if held in _NOTHING else json.loads(held)


_NOTHING = ("{}", b"{}")

DURABLE = "-c synchronous_commit=on"
"""Whatever the server is set to: an intent that its crash takes back would be carried out twice."""

ALIVE = "-c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
"""The server lets go of a machine that lost its power or its network after half a minute, with its locks."""

BY_INDEX = "-c random_page_cost=1.1 -c jit=off"
"""All that is asked often has its index; a server that has not looked at new tables yet would not use it."""

STANDSTILL = "-c idle_in_transaction_session_timeout=15s"
"""A machine that was stopped, or cut off, holds up the others' rows for no longer."""

PATIENCE = 60
"""Seconds to wait for one's turn."""


def driver_of(tx: Tx) -> Connection | None:
    """SQLite's connection under a transaction; None on another database."""
    assert tx.sync_connection is not None
    found = tx.sync_connection.connection.driver_connection
    return found if isinstance(found, Connection) else None


@asynccontextmanager
async def taken_back(tx: Tx) -> AsyncIterator[None]:
    """Try something and look at it: what is done within leaves no trace, also where it raises."""
    attempt, before = await tx.begin_nested(), list(tx.info.get(_AT_THE_END, ()))
    try:
        yield
    finally:
        tx.info[_AT_THE_END] = before
        await attempt.rollback()


_Step = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


async def _unhurried(call: Callable[[], Awaitable[T]]) -> T:
    """Finish the database's step even if we are cancelled meanwhile, then let the cancellation through."""
    task: asyncio.Future[T] = asyncio.ensure_future(_run(call))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.exception()  # whoever is cancelled is not told of it; unasked for it would be printed
        raise


async def _run(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


async def in_tx(db: Database, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Run a whole transaction that a cancellation cannot tear: it commits or rolls back first."""

    async def whole() -> T:
        async with db.write() as tx:
            return await work(tx)

    return await _unhurried(whole)


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Two programs that open a new file at once both want to change its journal, and neither waits for it."""
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError:
        cursor.execute(BEGIN)  # this waits until the other is done
        cursor.execute("COMMIT")
        cursor.execute("PRAGMA journal_mode=WAL")


WRITER = ["cache_size=-16000", "wal_autocheckpoint=4000"]
"""16 MB of pages at hand, and as many in the log before they go into the file, all over which they lie."""


def _sqlite_hooks(engine: AsyncEngine, *, durable: bool, read_only: bool) -> None:
    flushed = "FULL" if durable else "OFF"
    pragmas = [f"synchronous={flushed}", "foreign_keys=ON"]
    pragmas += ["query_only=ON"] if read_only else WRITER

    @event.listens_for(engine.sync_engine, "connect")
    def _(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # sqlite3's own implicit BEGIN is deferred and double-claims rows
        cursor: sqlite3.Cursor = raw.cursor()
        cursor.execute(BUSY)
        _write_ahead(cursor)
        for pragma in pragmas:
            cursor.execute("PRAGMA " + pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _(connection: sa.Connection) -> None:
        """SQLAlchemy's first statement in a transaction of ours finds it begun; a migration does not."""
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            connection.exec_driver_sql(BEGIN)
