"""Who keeps a calendar: one `reminder run` alone, or on PostgreSQL any number of workers together?"""

import fcntl
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from reminder.store.database import Database, Tx

_KEY = 7_301_946_286
_HOLDERS = sa.text(f"""
    SELECT holder.pid, application_name AS said, coalesce(host(client_addr), 'this machine') AS address
    FROM pg_locks AS held JOIN pg_stat_activity AS holder ON holder.pid = held.pid
    WHERE locktype = 'advisory' AND held.granted AND objsubid = 1
        AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) = {_KEY}
        AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY held.pid
""")  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Who keeps a calendar: where it is, and the last revision its program knows, if it says so."""

    schema: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}, schema {self.schema or 'unknown'}"


async def keepers(tx: Tx, db: Database) -> list[Keeper]:
    """Who holds the lock, as the server or the system sees it: whoever is dead or gone holds none."""
    if db.sqlite:
        return _of_file(lock_file(Path(db.url.database or "")))
    rows = (await tx.execute(_HOLDERS)).all()
    return [_keeper(said, f"session {session} from {address}") for session, said, address in rows]


def lock_file(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


def _of_file(lock: Path) -> list[Keeper]:
    try:
        with lock.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return []
    except BlockingIOError:
        return [_keeper(lock.read_text("utf-8"), f"whoever holds {lock}")]
    return []


def name(schema: str) -> str:
    """What this process writes on its lock; the host last, as a server cuts off what is long."""
    return f"reminder {schema} {os.getpid()} {socket.gethostname()}"


def _keeper(said: str, place: str) -> Keeper:
    named = re.fullmatch(r"reminder (\S+) (\d+) (.+)", said)
    if named is None:
        return Keeper(schema="", place=place)
    schema, process, host = named.groups()
    return Keeper(schema=schema, place=f"process {process} on {host}")


class RunLock:
    """An advisory lock of the server's, held by a connection of its own; it goes when the connection does.

    The connection is named after who holds it, with the last revision its program knows.
    """

    def __init__(self, db: Database, *, shared: bool, schema: str) -> None:
        self._db = db
        self._name = name(schema)
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
        named = sa.text("SELECT set_config('application_name', :name, false)")
        await fresh.execute(named, {"name": self._name})
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
async def run_lock(db: Database, *, shared: bool, schema: str) -> AsyncIterator[RunLock]:
    lock = RunLock(db, shared=shared, schema=schema)
    try:
        yield lock
    finally:
        await lock.let_go()
