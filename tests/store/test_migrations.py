"""Do migrations give exactly the tables of the models, lose nothing, and refuse what they do not know?"""

import argparse
import asyncio
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from reminder.app import AlreadyRunningError, only_one
from reminder.bundled import folder
from reminder.clock import SystemClock
from reminder.domain.errors import Faulty, ReminderError
from reminder.store import backups, meta
from reminder.store import tables as t
from reminder.store.database import Database
from reminder.store.migrations import _LOCK, OLDEST, config, fits, migrate, revisions
from reminder.store.runlock import RunLock, run_lock
from reminder.store.tables import metadata
from tests import postgres

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROW = (
    "INSERT INTO audit (at, action, object, detail, previous, hash) "
    "VALUES ('2026-08-03 10:00:00', 'opened', 'case 1', '{}', '', '00')"
)


@pytest.fixture(params=["sqlite", "postgres"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/reminder.db"
    else:
        url = request.getfixturevalue("postgres_url")
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/reminder.db")
    yield database
    await database.close()


async def tables_of(db: Database) -> set[str]:
    async with db.read() as tx:
        names = await tx.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    return set(names) - {"alembic_version"}


async def run(db: Database, sql: str) -> None:
    async with db.write() as tx:
        await tx.execute(sa.text(sql))


async def down_to(db: Database, revision: str) -> None:
    async with db.write() as tx:
        await tx.run_sync(lambda sync: command.downgrade(config(sync), revision))


async def revision_of(db: Database) -> str:
    async with db.read() as tx:
        return str((await tx.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar_one())


async def test_an_empty_database_is_brought_up_once(db: Database) -> None:
    assert await migrate(db) == revisions()
    assert await tables_of(db) == set(metadata.tables)
    assert await migrate(db) == []


async def test_what_migrations_make_is_what_the_models_say(db: Database) -> None:
    await migrate(db)
    async with db.write() as tx:
        await tx.run_sync(lambda sync: command.check(config(sync)))


async def test_down_and_up_again(db: Database) -> None:
    await migrate(db)
    await down_to(db, "base")
    assert await tables_of(db) == set()
    assert await migrate(db) == revisions()


async def test_who_goes_back_to_before_the_archive_keeps_what_is_in_it(db: Database) -> None:
    await migrate(db)
    row = {"due_at": NOON, "send_after": NOON, "told": {}, "detail": {}, "state": "sent"}
    async with db.write() as tx:
        await tx.execute(sa.insert(t.archived_reminders).values(id=7, key="digest:1", **row))
        await tx.execute(sa.insert(t.archived_attempts).values(token="t", reminder_id=7, started_at=NOON))
    await down_to(db, "0006")
    async with db.read() as tx:
        asked = "SELECT a.token, r.key FROM attempts a JOIN reminders r ON r.id = a.reminder_id"
        assert (await tx.execute(sa.text(asked))).all() == [("t", "digest:1")]


async def test_who_writes_beside_a_change_of_the_schema_may_want_its_tables_the_other_way_round(
    postgres_url: str,
) -> None:
    db, other = Database(postgres_url), Database(postgres_url)
    await migrate(db)
    await down_to(db, "0006")
    async with other.write() as tx:
        await tx.execute(sa.text("LOCK TABLE reminders IN ROW EXCLUSIVE MODE"))
        changing = asyncio.create_task(migrate(db))
        await asyncio.sleep(0.5)
        await tx.execute(sa.text("LOCK TABLE cases IN ROW EXCLUSIVE MODE"))
        assert not changing.done()
    assert await changing == ["0007", "0008"]
    await db.close()
    await other.close()


@pytest.mark.parametrize("change", ["UPDATE audit SET action = 'nothing'", "DELETE FROM audit"])
async def test_the_database_itself_keeps_the_audit_as_written(db: Database, change: str) -> None:
    await migrate(db)
    await run(db, ROW)
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        await run(db, change)
    async with db.read() as tx:
        assert (await tx.execute(sa.text("SELECT action FROM audit"))).scalars().all() == ["opened"]


@pytest.mark.failure(35)
async def test_a_database_of_a_newer_program_is_refused_and_left_alone(db: Database) -> None:
    await migrate(db)
    await newer(db, oldest="9999")
    with pytest.raises(Faulty, match="newer version") as told:
        await migrate(db)
    assert told.value.faults[0].remedy
    assert await revision_of(db) == "9999"


async def newer(db: Database, *, oldest: str) -> None:
    """As if a later program had been here, whose schema lets this one work, or not."""
    await run(db, "UPDATE alembic_version SET version_num = '9999'")
    async with db.write() as tx:
        await meta.put(tx, OLDEST, oldest)


@pytest.mark.failure(35)
async def test_a_newer_schema_that_lets_this_program_work_is_worked_on_and_left_alone(db: Database) -> None:
    await migrate(db)
    assert await fits(db) == ""
    await newer(db, oldest=revisions()[-1])
    assert await migrate(db) == []
    assert await fits(db) == "9999"
    await newer(db, oldest="9998")
    with pytest.raises(Faulty, match="Another version"):
        await fits(db)
    assert await revision_of(db) == "9999"


async def test_a_copy_of_a_newer_schema_is_good_if_that_lets_this_program_work(
    lite: Database, tmp_path: Path
) -> None:
    await migrate(lite)
    await newer(lite, oldest=revisions()[-1])
    now = SystemClock().now()
    made = backups.create(tmp_path / "reminder.db", tmp_path / "one.db", now)
    assert backups.verify(tmp_path / "one.db") == made
    await newer(lite, oldest="9999")
    backups.create(tmp_path / "reminder.db", tmp_path / "two.db", now)
    with pytest.raises(ReminderError, match="newer version"):
        backups.verify(tmp_path / "two.db")


@pytest.mark.failure(35)
async def test_a_revision_that_older_programs_do_not_survive_waits_for_their_end(postgres_url: str) -> None:
    db, other = Database(postgres_url), Database(postgres_url)
    await migrate(db)
    await down_to(db, "0004")
    for schema, named in (("0004", f"process {os.getpid()} on .*, schema 0004"), ("?", "schema unknown")):
        async with run_lock(other, shared=True, schema=schema) as lock:
            assert await lock.kept()
            if schema == "?":
                await run_elsewhere(lock, "SELECT set_config('application_name', '', false)")
            with pytest.raises(Faulty, match=f"older than schema 0005 .*{named}.* Stop them"):
                await migrate(db)
            assert await revision_of(db) == "0004"
    async with run_lock(other, shared=True, schema="0005") as lock:
        assert await lock.kept()
        assert await migrate(db) == revisions()[4:]
    await db.close()
    await other.close()


@pytest.mark.parametrize(("schema", "named"), [("0004", "schema 0004"), ("", "schema unknown")])
async def test_a_file_is_not_changed_under_an_office_that_would_not_survive_it(
    lite: Database, tmp_path: Path, schema: str, named: str
) -> None:
    file = tmp_path / "reminder.db"
    await migrate(lite)
    await down_to(lite, "0004")
    with only_one(file):
        with pytest.raises(AlreadyRunningError), only_one(file):
            pass
        lock = tmp_path / "reminder.db.lock"
        lock.write_text(
            lock.read_text("utf-8").replace(f"reminder {revisions()[-1]}", f"reminder {schema}"), "utf-8"
        )
        with pytest.raises(Faulty, match=f"older than schema 0005 .*{named}.* Stop them"):
            await migrate(lite)
        assert await revision_of(lite) == "0004"
        assert copies_in(tmp_path) == []
    with only_one(file):
        assert await migrate(lite) == revisions()[4:], "the office itself, as it starts"


async def run_elsewhere(lock: RunLock, sql: str) -> None:
    assert lock._connection is not None
    await lock._connection.execute(sa.text(sql))


async def test_whoever_starts_during_a_change_sees_what_it_did(postgres_url: str) -> None:
    db = Database(postgres_url)
    await migrate(db)
    async with db.write() as tx:
        await tx.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        starting = asyncio.create_task(fits(db))
        assert not (await asyncio.wait([starting], timeout=0.3))[0]
        await tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        await meta.put(tx, OLDEST, "9999")
    with pytest.raises(Faulty, match="Another version"):
        await starting
    await db.close()


async def test_a_database_of_another_program_is_refused_and_left_alone(db: Database) -> None:
    await run(db, "CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(Faulty, match="did not make"):
        await migrate(db)
    assert await tables_of(db) == {"theirs"}


@pytest.mark.failure(35)
async def test_two_programs_starting_at_once_migrate_once(db: Database) -> None:
    other = Database(db.url.render_as_string(hide_password=False))
    applied = await asyncio.gather(migrate(db), migrate(other))
    await other.close()
    assert sorted(applied) == [[], revisions()]


async def test_migrations_and_models_write_the_same_sqlite_schema(lite: Database, tmp_path: Path) -> None:
    await migrate(lite)
    engine = sa.create_engine(f"sqlite:///{tmp_path}/models.db")
    metadata.create_all(engine)
    engine.dispose()
    assert schema_of(tmp_path / "reminder.db") == schema_of(tmp_path / "models.db")


def schema_of(file: Path) -> list[tuple[str, list[str]]]:
    """Tables and indexes in SQLite's own words, sorted: alembic's comparison overlooks defaults and more.

    A table that a migration rebuilt or added to is worded a little differently, and means the same.
    """
    connection = sqlite3.connect(file)
    query = "SELECT name, sql FROM sqlite_master WHERE type <> 'trigger' AND sql IS NOT NULL"
    rows = connection.execute(query).fetchall()
    connection.close()
    plain = {name: re.sub(r"DEFAULT \((.*?)\) NOT", r"DEFAULT \1 NOT", sql) for name, sql in rows}
    return sorted(
        (name, sorted(re.split(r"[\s,]*\n\s*|, (?=[a-z_]+ [A-Z]+)", sql.replace('"', "").strip())))
        for name, sql in plain.items()
        if name != "alembic_version"
    )


def test_migrations_and_models_write_the_same_postgresql_schema(postgres_server: postgres.Server) -> None:
    migrated, modelled = postgres_server.create(), postgres_server.create()
    postgres_server.sql(as_sql("upgrade"), migrated)
    ddl: list[str] = []
    engine = sa.create_mock_engine(
        "postgresql+psycopg://",
        lambda clause, *_, **__: ddl.append(str(clause.compile(dialect=postgresql.dialect()))),
    )
    metadata.create_all(engine, checkfirst=False)
    postgres_server.sql(";\n".join(ddl), modelled)
    postgres_server.sql("DROP TABLE alembic_version; DROP FUNCTION audit_append_only CASCADE", migrated)
    assert said_by(postgres_server, migrated) == said_by(postgres_server, modelled)


def said_by(server: postgres.Server, name: str) -> list[str]:
    """Without pg_dump's random key, comments and blank lines."""
    lines = server.schema(name).splitlines()
    return [line for line in lines if line and not line.startswith(("--", "\\"))]


def test_postgresql_keeps_the_audit_and_goes_down_again(postgres_server: postgres.Server) -> None:
    name = postgres_server.create()
    postgres_server.sql(as_sql("upgrade"), name)
    postgres_server.sql(ROW, name)
    for change in ("UPDATE audit SET action = ''", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(RuntimeError, match="never changed or deleted"):
            postgres_server.sql(change, name)
    postgres_server.sql(as_sql("downgrade"), name)
    left = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    assert postgres_server.sql(left, name).split() == ["alembic_version"]


def as_sql(direction: str) -> str:
    """All migrations as a PostgreSQL script, as `alembic … --sql` prints it."""
    out = io.StringIO()
    made = Config(output_buffer=out, cmd_opts=argparse.Namespace(x=["url=postgresql+psycopg://"]))
    made.set_main_option("script_location", str(folder("alembic")))
    if direction == "upgrade":
        command.upgrade(made, "head", sql=True)
    else:
        command.downgrade(made, "head:base", sql=True)
    return out.getvalue()


async def test_a_copy_is_made_before_a_database_in_use_changes(lite: Database, tmp_path: Path) -> None:
    await migrate(lite)
    assert copies_in(tmp_path) == [], "there was nothing to lose"
    await run(lite, ROW)
    for name in ("reminder.db.before-0002", "reminder.db.before-0002.2"):
        await down_to(lite, "0001")
        assert await migrate(lite) == revisions()[1:]
        copy = sqlite3.connect(tmp_path / name)
        assert copy.execute("SELECT version_num, action FROM alembic_version, audit").fetchall() == [
            ("0001", "opened")
        ]
        copy.close()
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def copies_in(folder: Path) -> list[Path]:
    return list(folder.glob("*before*"))


@pytest.mark.failure(3)
async def test_without_room_for_the_copy_nothing_changes(tmp_path: Path) -> None:
    # The longest name a file can have: the copy's would be longer.
    db = Database(f"sqlite+aiosqlite:///{tmp_path}/{'r' * 243}.db")
    await migrate(db)
    await down_to(db, "0001")
    with pytest.raises(Faulty, match="No copy could be made"):
        await migrate(db)
    assert await revision_of(db) == "0001"
    await db.close()


@pytest.mark.failure(35)
async def test_a_migration_that_fails_half_way_leaves_no_trace(lite: Database) -> None:
    await migrate(lite)
    await down_to(lite, "0001")
    await run(lite, "CREATE TRIGGER audit_no_delete AFTER DELETE ON audit BEGIN SELECT 1; END")
    with pytest.raises(DBAPIError, match="already exists"):
        await migrate(lite)
    assert await revision_of(lite) == "0001"
    async with lite.write() as tx:
        triggers = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert (await tx.execute(triggers)).scalars().all() == ["audit_no_delete"]
        assert (await tx.execute(sa.text("PRAGMA foreign_keys"))).scalar() == 1


def test_an_installed_package_finds_its_migrations(tmp_path: Path) -> None:
    for name in ("reminder", "reminder/_bundled/alembic"):
        source = ROOT / name.removeprefix("reminder/_bundled/")
        shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "sandbox"))
    program = (
        "import asyncio, reminder.store.migrations as m; from reminder.store.database import Database\n"
        "async def main():\n"
        "    db = Database('sqlite+aiosqlite:///reminder.db')\n"
        "    print(m.__file__, await m.migrate(db)); await db.close()\n"
        "asyncio.run(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split(" ", 1)[0].startswith(str(tmp_path))
    assert str(revisions()) in done.stdout
