"""How does a database come to the schema this program needs, without losing anything on the way?"""

import os
import sqlite3
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from reminder.bundled import folder
from reminder.domain.errors import Fault, Faulty
from reminder.failpoints import failpoint
from reminder.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 7_301_946_285
"""PostgreSQL's advisory lock for migrating; two programs starting at once must not both do it."""


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


async def fits(db: Database) -> None:
    """Raises Faulty if another version of the program has changed the schema since we started."""
    async with db.read() as tx:
        current = await _current(tx, db)
    if current != (newest := revisions()[-1]):
        what = f"Another version of this program has changed it (schema {current}; this one has {newest})."
        raise _faulty(db, what, "Install that version here too; what waits is sent by the others meanwhile.")


async def migrate(db: Database) -> list[str]:
    """Bring the database to this program's schema; the revisions applied, [] if none was needed.

    All or nothing. A SQLite file with anything in it is first copied beside itself as
    `<name>.before-<revision>`. Raises Faulty, with nothing changed, for a database of a newer program or of
    another one, or when the copy cannot be made.
    """
    try:
        return await _migrate(db)
    except OperationalError as error:
        if db.sqlite or error.statement is not None:
            raise
        raise Unreachable(db, error.orig or error) from None


async def _migrate(db: Database) -> list[str]:
    known = revisions()
    async with db.writer.connect() as connection:
        current = await _current(connection, db)
        await connection.rollback()
        pending = _after(current, known, db)
        if not pending:
            return []
        if db.sqlite and current is not None:
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


async def _current(connection: AsyncConnection, db: Database) -> str | None:
    """The revision of the database, None if it is empty. Faulty if others made what is in it."""
    tables = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    if "alembic_version" in tables:
        query = sa.text("SELECT version_num FROM alembic_version")
        revision: str | None = (await connection.execute(query)).scalar()
        if revision is not None:
            return revision
    if set(tables) - {"alembic_version", "spatial_ref_sys"}:
        raise _faulty(
            db, "It holds tables this program did not make.", "Name an empty database in database.url."
        )
    return None


def _after(current: str | None, known: list[str], db: Database) -> list[str]:
    if current is None:
        return known
    if current not in known:
        what = f"A newer version of this program made it (schema {current}; this one knows {known[-1]})."
        raise _faulty(db, what, "Install that version again, or restore the copy it made before its change.")
    return known[known.index(current) + 1 :]


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
