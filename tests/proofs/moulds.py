"""Where the office of a proof lives: each in a copy of a folder and, on PostgreSQL, of a database."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa

from reminder.store.database import Database
from tests.office import InFiles, Place, file_url, furnish
from tests.postgres import Server

Prepare = Callable[[Path, Place], Awaitable[None]]
"""Build in an empty folder, and at the address of the place, what every copy begins with."""


class Kept:
    """A new database on the server, which stays."""

    def __init__(self, server: Server) -> None:
        self._server, self.name = server, ""

    @asynccontextmanager
    async def place(self, _folder: Path, enrolled: bool) -> AsyncIterator[str]:
        self.name = await asyncio.to_thread(self._server.create)
        await furnish(self._server.url(self.name), enrolled)
        yield self._server.url(self.name)


class Mould:
    """Built by the first who asks for a copy; on a server, its database is the template of the others."""

    def __init__(self, prepare: Prepare, server: Server | None = None) -> None:
        self._prepare, self._server = prepare, server
        self._made: Path | None = None
        self._template = ""
        self._building = asyncio.Lock()

    async def copy_to(self, folder: Path) -> str:
        """The address of the copy's database."""
        async with self._building:
            if self._made is None:
                await self._build()
        assert self._made is not None
        for file in self._made.iterdir():
            shutil.copy2(file, folder / file.name)
        return await self.twin(self._template, folder)

    async def twin(self, database: str, folder: Path) -> str:
        """The address of a copy of the database: of the file that lies in the folder, or a new one."""
        if self._server is None:
            return file_url(folder)
        name = database.rpartition("/")[2]
        return self._server.url(await asyncio.to_thread(self._server.copy, name))

    async def empty(self, folder: Path) -> str:
        """The address of a database in which nothing is yet."""
        if self._server is None:
            return file_url(folder)
        return self._server.url(await asyncio.to_thread(self._server.create))

    async def drop(self, url: str) -> None:
        """A copy that is no longer needed; its folder is the caller's."""
        if self._server is not None:
            await asyncio.to_thread(self._server.drop, url.rpartition("/")[2])

    async def _build(self) -> None:
        made = Path(tempfile.mkdtemp(prefix="mould-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        kept = Kept(self._server) if self._server is not None else None
        await self._prepare(made, kept.place if kept is not None else InFiles().place)
        if kept is not None and self._server is not None:
            await _logged_anew(self._server.url(kept.name))
        self._made, self._template = made, kept.name if kept is not None else ""


async def _logged_anew(url: str) -> None:
    """A sequence writes its log 32 numbers ahead, and a copy of the database believes that it has.

    A crash of the server would take back what the copy had given out, and the same numbers would come again.
    """
    db = Database(url)
    async with db.write() as tx:
        await tx.execute(sa.text(_AHEAD))
    await db.close()


_AHEAD = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, last_value)
    FROM pg_sequences WHERE last_value IS NOT NULL
"""
