"""How does a database come to the schema this program needs, without losing anything on the way?"""

import functools
import os
import sqlite3
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from reminder.bundled import folder
from reminder.domain.errors import Fault, Faulty
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.store import runlock
from reminder.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 7_301_946_285
"""PostgreSQL's advisory lock for migrating; two programs starting at once must not both do it."""

OLDEST = "oldest program"
"""Under this the database keeps, in `meta`, what its last revision says of `oldest`."""


class Unreachable(Faulty):
    """The server does not answer. `passing`: it may be back by itself; else the address is wrong."""

    def __init__(self, db: Database, error: Exception) -> None:
        said = " ".join(str(error).split())
        self.passing = not any(word in said for word in _WRONG)
        remedy = "Correct database.url." if not self.passing else "Start the server, or correct database.url."
        what = f"The database cannot be reached ({said}). Nothing is sent, and nothing is lost."
        super().__init__([Fault(place=db.url.render_as_string(hide_password=True), what=what, remedy=remedy)])


_WRONG = ("authentication failed", "does not exist", "resolve host", "translate host", "no pg_hba.conf entry")
"""What a server, or the system, says to an address that no waiting makes right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a database has come to: its revision, None if it is empty, and the `oldest` program it allows."""

    revision: str | None
    oldest: str = ""

    def allows(self, known: list[str]) -> bool:
        """Whether a program with these revisions works with it, though a newer one made it."""
        return self.revision not in known and self.oldest in known


async def fits(db: Database) -> str:
    """The schema, if a newer program made it and this one works with it; empty if it is this program's own.

    Raises Faulty if another version of the program has made it one this program does not work with. A change
    that is just being made is waited for: whoever holds the run lock is seen by it, or sees what it did.
    """
    # A reader on a server would see how it was before the wait.
    async with db.read() if db.sqlite else db.write() as tx:
        if not db.sqlite:
            await tx.execute(sa.text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _LOCK})
        current = await _current(tx, db)
    known = revisions()
    if current.revision == known[-1]:
        return ""
    if current.revision is not None and current.allows(known):
        _tell(current.revision, known[-1])
        return current.revision
    what = (
        f"Another version of this program has changed it (schema {current.revision}; "
        f"this one has {known[-1]})."
    )
    raise _faulty(db, what, "Install that version here too; what waits is sent by the others meanwhile.")


@functools.cache
def _tell(schema: str, known: str) -> None:
    """Once in the life of a process."""
    log.info("schema.newer", schema=schema, known=known)


async def migrate(db: Database) -> list[str]:
    """Bring the database to this program's schema; the revisions applied, [] if none was needed.

    All or nothing. A SQLite file with anything in it is first copied beside itself as
    `<name>.before-<revision>`. Raises Faulty, with nothing changed, for a database of another program or of a
    newer one this one does not work with, when the copy cannot be made, or while a program keeps the
    calendar of this database that would not work with it any more.
    """
    for left in reversed(range(_TRIES)):
        try:
            return await _migrate(db)
        except OperationalError as error:
            crossed = getattr(error.orig, "sqlstate", "") == _CROSSED
            if crossed and left:
                continue
            if db.sqlite or error.statement is not None:
                raise
            raise Unreachable(db, error.orig or error) from None
    raise AssertionError("the last try returns or raises")


_TRIES, _CROSSED = 9, "40P01"
"""Whoever writes beside a change of the schema may want its tables in another order: the server ends one."""


async def _migrate(db: Database) -> list[str]:
    known = revisions()
    async with db.writer.connect() as connection:
        current = await _current(connection, db)
        await connection.rollback()
        pending = _after(current, known, db)
        if not pending:
            return []
        if db.sqlite and current.revision is not None:
            await _none_older(connection, db, pending[-1])
            await _copy(connection, db, before=pending[0])
            failpoint("migrate.after_copy")
        return await _upgrade(connection, db, known)


def revisions() -> list[str]:
    """This program's revisions, oldest first; they are one line, numbered by their files' names."""
    return sorted(
        file.name.partition("_")[0] for file in (folder("alembic") / "versions").glob("[0-9]*_*.py")
    )


def config(connection: sa.Connection) -> "Config":
    """Alembic's configuration over an open connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(folder("alembic")).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


async def _current(connection: AsyncConnection, db: Database) -> Schema:
    """The schema of the database. Faulty if others made what is in it."""
    tables = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    if "alembic_version" in tables:
        query = sa.text("SELECT version_num FROM alembic_version")
        revision: str | None = (await connection.execute(query)).scalar()
        if revision is not None:
            said = sa.text("SELECT value FROM meta WHERE key = :key")
            oldest = (await connection.execute(said, {"key": OLDEST})).scalar() if "meta" in tables else None
            return Schema(revision=revision, oldest=oldest or "")
    if set(tables) - {"alembic_version", "spatial_ref_sys"}:
        raise _faulty(
            db, "It holds tables this program did not make.", "Name an empty database in database.url."
        )
    return Schema(revision=None)


def _after(current: Schema, known: list[str], db: Database) -> list[str]:
    revision = current.revision
    if revision is None:
        return known
    if revision in known:
        return known[known.index(revision) + 1 :]
    if current.allows(known):
        _tell(revision, known[-1])
        return []
    what = f"A newer version of this program made it (schema {revision}; this one knows {known[-1]})."
    raise _faulty(db, what, "Install that version again, or restore the copy it made before its change.")


async def _none_older(connection: AsyncConnection, db: Database, last: str) -> None:
    """Raises Faulty while somebody keeps the calendar who would not work with the revision to come."""
    oldest = await connection.run_sync(_oldest, last)
    older = [keeper for keeper in await runlock.keepers(connection, db) if keeper.schema < oldest]
    if older:
        what = (
            f"Programs older than schema {oldest} do not work with what this version makes of it ({last}), "
            f"and some still do their work on it: {'; '.join(map(str, older))}."
        )
        raise _faulty(db, what, "Stop them, then start this again. Nothing was changed, and nothing is lost.")


def _oldest(connection: sa.Connection, revision: str) -> str:
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory.from_config(config(connection)).get_revision(revision).module.oldest)


async def _copy(connection: AsyncConnection, db: Database, *, before: str) -> None:
    """A whole, consistent copy, readable by its owner only; an earlier copy is never written over."""
    original = Path(db.url.database or "")
    names = (f"{original.name}.before-{before}{f'.{n}' if n > 1 else ''}" for n in count(1))
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    target: Path | None = None
    try:
        target = next(path for path in map(original.with_name, names) if not path.exists())
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        await raw.execute("VACUUM INTO ?", (str(target),))
    except (OSError, sqlite3.Error) as error:
        if target is not None:
            target.unlink(missing_ok=True)
        what = f"No copy could be made before changing it ({error})."
        raise _faulty(db, what, "Make room on the disk, or let this program write in that folder.") from error


async def _upgrade(connection: AsyncConnection, db: Database, known: list[str]) -> list[str]:
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    if db.sqlite:
        # Rebuilding a table drops the old one, which would count as deleting what others refer to.
        await raw.execute("PRAGMA foreign_keys=OFF")
    try:
        async with connection.begin():
            if not db.sqlite:
                await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            # Asked again under the lock: another process may have done it meanwhile.
            pending = _after(await _current(connection, db), known, db)
            if pending:
                if not db.sqlite:
                    await _none_older(connection, db, pending[-1])
                await connection.run_sync(_run)
            if db.sqlite and (await connection.execute(sa.text("PRAGMA foreign_key_check"))).first():
                raise AssertionError("a migration left references to rows that are gone")
            failpoint("migrate.before_commit")
        failpoint("migrate.after_commit")
    finally:
        if db.sqlite:
            await raw.execute("PRAGMA foreign_keys=ON")
    return pending


def _run(connection: sa.Connection) -> None:
    from alembic import command

    command.upgrade(config(connection), "head")


def _faulty(db: Database, what: str, remedy: str) -> Faulty:
    return Faulty([Fault(place=db.url.render_as_string(hide_password=True), what=what, remedy=remedy)])
