"""SQLite in its own thread for what may take long, and in the loop's for what is asked often."""

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

    `ask` answers where it is called: a statement that is asked often needs less time than a trip to another
    thread does. What may wait, for other programs or for the disk, or go through many rows, makes that trip,
    one for each statement. `inline` never does: where nobody else writes the file, as in the demo.
    """

    inline = False

    def cursor(self) -> Any:
        """Not awaitable, as the driver's is: SQLAlchemy's adapter enters it, which costs nothing here."""
        return Cursor(self)

    async def run(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do a piece of work where the connection lives."""
        await self._execute(work, self._conn, *arguments)

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows of a statement, here and now. Errors are SQLAlchemy's, without the values."""
        try:
            found: list[Any] = self._conn.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error
        return found

    def ask_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """One statement for many rows of values; how many rows of the table it touched."""
        try:
            return self._conn.executemany(sql, rows).rowcount
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error

    async def turn(self, sql: str) -> None:
        """Begin, commit or take back: this waits for other programs or for the disk."""
        try:
            await self._execute(_turn, self._conn, sql)
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error) from error

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if self.inline:
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]


def _turn(raw: sqlite3.Connection, sql: str) -> None:
    raw.execute(sql)


def connect(database: str, *, inline: bool = False, **options: Any) -> Connection:
    """For SQLAlchemy's `async_creator_fn`. Its thread ends with the program."""
    options["check_same_thread"] = False
    connection = Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection.inline = inline
    connection._thread.daemon = True  # as SQLAlchemy does for the connections it makes itself
    return connection
