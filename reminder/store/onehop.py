"""SQLite without the way to its thread where that takes longer than the statement, else with one trip there.

The driver makes four trips for a statement.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import aiosqlite
from sqlalchemy.exc import DBAPIError


class Cursor:
    """What SQLAlchemy needs of a cursor: executes and fetches in one go, then only remembers."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "Cursor":
        await self._connection.run(self._execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> "Cursor":
        await self._connection.run(self._executemany, sql, parameters)
        return self

    def _execute(self, raw: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> None:
        self._keep(raw.execute(sql, parameters))

    def _executemany(self, raw: sqlite3.Connection, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        self._keep(raw.executemany(sql, parameters))

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        self._rows = cursor.fetchall() if cursor.description else []
        self.description = cursor.description
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []


class Connection(aiosqlite.Connection):
    """The driver's connection with our cursor.

    What is prepared is asked in the event loop's own thread: it finds its rows by an index, sooner than
    another thread would have been told of it. What may wait for the disk or for another program goes to the
    connection's thread: `wait_for`, and all that SQLAlchemy sends.

    `inline` does that here as well: faster still where nobody else writes the file and nobody waits for the
    disk, as in the demo.
    """

    inline = False
    _since = 0.0
    """When others in the loop last had their turn, at the latest."""

    def cursor(self) -> Any:
        """Not awaitable, as the driver's is: SQLAlchemy's adapter enters it, which costs nothing here."""
        return Cursor(self)

    async def run(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do a piece of work where the connection lives."""
        await self._execute(work, self._conn, *arguments)

    async def ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows of a short statement, at once. Errors are SQLAlchemy's, without the values."""
        await self._breathe()
        try:
            found: list[Any] = self.here(_ask, self._conn, sql, parameters)
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error
        return found

    async def ask_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """One short statement for many rows of values; how many rows of the table it touched."""
        await self._breathe()
        try:
            touched: int = self.here(_ask_many, self._conn, sql, rows)
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error
        return touched

    def begun(self) -> bool:
        """Begin to write, if no other program does just now."""
        try:
            self.here(_begin, self._conn)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # whatever it is busy with
                raise DBAPIError.instance(BEGIN, None, error, sqlite3.Error) from error
            return False
        return True

    async def wait_for(self, sql: str) -> None:
        """A statement that may wait for the disk or for another program; the loop goes on meanwhile."""
        try:
            await self._execute(_ask, self._conn, sql, ())
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error

    async def _breathe(self) -> None:
        """Whoever asks and asks lets others have their turn in between."""
        clock = asyncio.get_running_loop().time
        if clock() - self._since > BREATH and not self.inline:
            await asyncio.sleep(0)
            self._since = clock()

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if self.inline:
            return self.here(fn, *args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def here(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """In this thread, now."""
        return fn(*args, **kwargs)


BREATH = 0.005
"""Seconds the loop may be kept from others; each of them adds to how long an answer takes."""


BEGIN = "BEGIN IMMEDIATE"


def _begin(raw: sqlite3.Connection) -> None:
    (patience,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute("PRAGMA busy_timeout=0").close()
    try:
        raw.execute(BEGIN)
    finally:
        raw.execute(f"PRAGMA busy_timeout={patience}").close()


BUSY = "PRAGMA busy_timeout=10000"
"""How long to wait for another program, in milliseconds."""


def _ask(raw: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[Any]:
    return raw.execute(sql, parameters).fetchall()


def _ask_many(raw: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    return raw.executemany(sql, rows).rowcount


def connect(database: str, *, inline: bool = False, **options: Any) -> Connection:
    """For SQLAlchemy's `async_creator_fn`. Its thread ends with the program."""
    options["check_same_thread"] = False
    connection = Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection.inline = inline
    connection._thread.daemon = True  # as SQLAlchemy does for the connections it makes itself
    return connection
