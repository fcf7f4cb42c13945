"""How is the database copied whole while it is in use, a copy proved good, and put back?"""

import hashlib
import itertools
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from reminder.domain.errors import ReminderError
from reminder.failpoints import failpoint
from reminder.store.migrations import OLDEST, revisions

FOLDER = "backups"
PREFIX = "reminder-"
COUNTED = ("cases", "facts", "entries", "reminders", "attempts", "residents", "phones", "opt_outs", "audit")
"""Tables whose rows a copy names, and must still have when it is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One copy, as written beside it in `<file>.json`. The key file is not in it: keep that apart."""

    made_at: str
    """ISO, UTC."""
    revision: str
    rows: Mapping[str, int]
    sha256: str


def create(database: Path, target: Path, now: datetime) -> Backup:
    """Copy the database, which may be in use. Raises ReminderError, with nothing left behind."""
    _must_exist(database)
    if target.exists():
        raise ReminderError(f"{target} is there already. Nothing was written; name another file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with _opened(database) as source, closing(sqlite3.connect(fresh)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        failpoint("backup.after_copy")
        made = _described(fresh, now)
        _note(target).write_text(json.dumps(asdict(made), indent=2) + "\n", encoding="utf-8")
        failpoint("backup.before_rename")
        fresh.replace(target)
    except (OSError, sqlite3.Error) as error:
        fresh.unlink(missing_ok=True)
        raise ReminderError(
            f"No copy could be made ({error}). Nothing was changed; make room and try again."
        ) from error
    return made


def verify(copy: Path) -> Backup:
    """Open the copy and prove that it is whole. Raises ReminderError with what is wrong."""
    _must_exist(copy)
    try:
        said = Backup(**json.loads(_note(copy).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ReminderError(
            f"{_note(copy).name}, which says what the copy holds, cannot be read. Nothing was changed."
        ) from error
    try:
        found = _described(copy, datetime.fromisoformat(said.made_at))
    except sqlite3.Error as error:
        raise ReminderError(f"{copy} is no whole database ({error}). Nothing was changed.") from error
    if found.sha256 != said.sha256:
        raise ReminderError(f"{copy} is not the file that was written then. Nothing was changed.")
    if found != said:
        raise ReminderError(f"{copy} does not hold the rows it should. Nothing was changed.")
    known = revisions()
    if found.revision not in known and _oldest(copy) not in known:
        raise ReminderError(
            f"{copy} is of a newer version of this program (schema {found.revision}). Nothing was changed."
        )
    return found


def restore(
    copy: Path, database: Path, now: datetime, prepare: Callable[[Path], None] = lambda _: None
) -> Path | None:
    """Put a copy in the place of the database nobody uses; where the old one went, None if there was none.

    `prepare` is given the copy before anybody can take it for the database. Wherever the machine stops,
    there is one whole database in the place: the old one, or the copy, prepared.
    """
    verify(copy)
    aside = _free(database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%S}"))
    fresh = database.with_name(database.name + ".restored")
    database.parent.mkdir(parents=True, exist_ok=True)
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with _opened(copy) as source, closing(sqlite3.connect(fresh)) as target:
        source.backup(target)
    prepare(fresh)
    with _opened(fresh) as made:
        made.execute("PRAGMA journal_mode=DELETE")  # all of it is in the one file that is renamed
    failpoint("restore.after_copy")
    was_there = database.exists()
    if was_there:
        with _opened(database) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _keep(database, aside)
        failpoint("restore.after_aside")
    for leftover in ("-wal", "-shm"):
        database.with_name(database.name + leftover).unlink(missing_ok=True)
    failpoint("restore.before_rename")
    fresh.replace(database)
    failpoint("restore.after_rename")
    return aside if was_there else None


def _free(path: Path) -> Path:
    """The name, or with a number behind it the first that nothing has."""
    names = itertools.chain([path], (path.with_name(f"{path.name}.{n}") for n in itertools.count(2)))
    return next(name for name in names if not name.exists())


def _keep(database: Path, aside: Path) -> None:
    """A second name for the old one, so that the place is never empty; a copy where files have but one."""
    try:
        aside.hardlink_to(database)
    except OSError:
        shutil.copy2(database, aside)


def newest(folder: Path) -> Path | None:
    """The latest copy made by this program in a folder."""
    found = sorted(folder.glob(f"{PREFIX}*.db"))
    return found[-1] if found else None


def named(folder: Path, now: datetime) -> Path:
    return folder / f"{PREFIX}{now:%Y%m%dT%H%M%SZ}.db"


def _note(copy: Path) -> Path:
    return copy.with_name(copy.name + ".json")


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise ReminderError(f"There is no file {path}. Nothing was changed.")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        yield connection


def _oldest(path: Path) -> str:
    with _opened(path) as connection:
        said = connection.execute("SELECT value FROM meta WHERE key = ?", (OLDEST,)).fetchone()
    return str(said[0]) if said else ""


def _described(path: Path, now: datetime) -> Backup:
    """What a file holds, read from it; sqlite3.Error if it is no whole database."""
    with _opened(path) as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(str(said))
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        count = "SELECT count(*) FROM {}"  # the names are ours, from the list above
        rows = {name: int(connection.execute(count.format(name)).fetchone()[0]) for name in COUNTED}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Backup(made_at=now.isoformat(), revision=str(revision), rows=rows, sha256=digest)
