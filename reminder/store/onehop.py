"""SQLite in its own thread with one trip there per statement, where the driver makes four."""

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

    `inline` does the work in the event loop's own thread: faster by far where nobody else writes the file
    and nothing else shares the loop's time, as in the demo.
    """

    inline = False

    def cursor(self) -> Any:
        """Not awaitable, as the driver's is: SQLAlchemy's adapter enters it, which costs nothing here."""
        return Cursor(self)

    async def run(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do a piece of work where the connection lives."""
        await self._execute(work, self._conn, *arguments)

    async def ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows of a statement, in one trip. Errors are SQLAlchemy's, without the values."""
        try:
            found: list[Any] = await self._execute(_ask, self._conn, sql, parameters)
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error
        return found

    async def ask_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """One statement for many rows of values, in one trip; how many rows of the table it touched."""
        try:
            touched: int = await self._execute(_ask_many, self._conn, sql, rows)
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error
        return touched

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if self.inline:
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]


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
