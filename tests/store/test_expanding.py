"""Does a revision that calls itself expanding leave everything that programs older than it rely on?"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from reminder.bundled import folder
from reminder.store import archive
from reminder.store.database import Database
from reminder.store.migrations import config, migrate, revisions

ROOT = Path(__file__).parents[2]
_SAID = re.compile(r'\b(UPDATE|DELETE FROM|INSERT INTO|TRUNCATE(?: TABLE)?)\s+"?(\w+)', re.IGNORECASE)
BOOKS = frozenset({"alembic_version", "meta"})
"""Where each migration writes down that it was."""

DELETED = frozenset(
    name
    for file in (ROOT / "reminder/store").glob("*.py")
    for name in re.findall(r"sa\.delete\(t\.(\w+)\)", file.read_text("utf-8"))
) | {table.name for table in archive._LIVE}
"""Tables of which the program deletes rows: a reference an older one does not know would refuse it."""

SELDOM = {
    "ix_attempts_provider_id": "asked by a receipt that does not name our attempt, and by the day's books",
    "ix_reminders_provider_id": "of what has an id; asked by /why and for an answer that was lost",
    "ix_reminders_person_day": "of what is for a colleague, which is all that is asked of it",
    "ix_reminders_phone_day": "of what is for a phone, the same",
    "ix_reminders_digest": "of what a list told, the same",
}
"""Indexes gone, or of fewer rows, without which an older program waits a moment now and then; and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing a schema says of a table, or `columns` of it; `harmless` to whoever never heard of it."""

    table: str
    kind: str
    text: str
    columns: frozenset[str] = frozenset()
    harmless: bool = False


def facts(connection: sa.Connection) -> set[Fact]:
    inspector = sa.inspect(connection)
    found = set(_triggers(connection))
    for schema in set(inspector.get_schema_names()) - {"information_schema"}:
        found |= set(_of_tables(inspector, schema))
        for name in inspector.get_view_names(schema):
            found.add(Fact(table=name, kind="view", text=str(inspector.get_view_definition(name, schema))))
    return found


def _of_tables(inspector: sa.Inspector, schema: str) -> Iterator[Fact]:
    for (_, name), columns in inspector.get_multi_columns(schema).items():
        yield Fact(table=name, kind="table", text=schema)
        for column in columns:
            optional = column["nullable"] or column["default"] is not None or bool(column.get("identity"))
            text = f"{column['name']} {column['type']} {column['nullable']} {column['default']}"
            yield Fact(table=name, kind="column", text=text, harmless=optional)
    for (_, name), indexes in inspector.get_multi_indexes(schema).items():
        for index in indexes:
            where = [str(said) for said in index.get("dialect_options", {}).values()]
            text = f"{index['name']} {index['column_names']} {index['unique']} {where}"
            yield Fact(table=name, kind="index", text=text, harmless=not index["unique"])
    for (_, name), keys in inspector.get_multi_foreign_keys(schema).items():
        for key in keys:
            deleted = key["referred_table"] in DELETED and not key["options"].get("ondelete")
            of = frozenset(key["constrained_columns"])
            yield Fact(table=name, kind="reference", text=str(key), columns=of, harmless=not deleted)
    for multi in (inspector.get_multi_unique_constraints, inspector.get_multi_check_constraints):
        for (_, name), rules in multi(schema).items():
            yield from (Fact(table=name, kind="rule", text=str(rule)) for rule in rules)
    for (_, name), key in inspector.get_multi_pk_constraint(schema).items():
        yield Fact(table=name, kind="key", text=str(key))


def _triggers(connection: sa.Connection) -> Iterator[Fact]:
    query = "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    if connection.dialect.name == "postgresql":
        query = (
            "SELECT relname, pg_get_triggerdef(t.oid) FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal"
        )
    for table, text in connection.execute(sa.text(query)):
        yield Fact(table=table, kind="trigger", text=text)


def tightened(before: set[Fact], after: set[Fact], said: list[str]) -> list[str]:
    """What a program of the schema before would miss, be refused or find changed."""
    tables = {fact.table for fact in before}
    old_columns = {(f.table, f.text.split()[0]) for f in before if f.kind == "column"}
    found = [
        f"{fact.table}: {fact.kind} gone: {fact.text}" for fact in before - after - slower(before, after)
    ]
    for fact in after - before:
        narrows = any((fact.table, column) in old_columns for column in fact.columns)
        unheard = fact.table not in tables and fact.kind != "reference"
        if not unheard and (not fact.harmless or (narrows and fact.table in tables)):
            found.append(f"{fact.table}: {fact.kind} new: {fact.text}")
    written = {table for sql in said for _, table in _SAID.findall(sql)} & tables - BOOKS
    return found + [f"{table}: rows written" for table in written]


def slower(before: set[Fact], after: set[Fact]) -> set[Fact]:
    """Indexes that are gone and refuse nobody."""
    return {
        fact
        for fact in before - after
        if fact.kind == "index" and fact.harmless and fact.text.split()[0] in SELDOM
    }


@contextmanager
def heard(db: Database) -> Iterator[list[str]]:
    """Every statement meanwhile."""
    said: list[str] = []

    def hear(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        said.append(sql)

    engine = db.writer.sync_engine
    sa.event.listen(engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(engine, "before_cursor_execute", hear)


@pytest.fixture(params=["sqlite", "postgres"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    lite = request.param == "sqlite"
    url = f"sqlite+aiosqlite:///{tmp_path}/x.db" if lite else request.getfixturevalue("postgres_url")
    database = Database(url)
    yield database
    await database.close()


def oldest() -> dict[str, str]:
    """What each revision of this program says."""
    made = Config()
    made.set_main_option("script_location", str(folder("alembic")))
    scripts = ScriptDirectory.from_config(made)
    return {revision: scripts.get_revision(revision).module.oldest for revision in revisions()}


def test_every_revision_names_the_oldest_program_and_the_next_one_never_an_older() -> None:
    said = oldest()
    assert list(said.values()) == sorted(said.values())
    assert all(named in said and named <= revision for revision, named in said.items())


async def test_a_revision_that_calls_itself_expanding_only_expands(db: Database) -> None:
    said = oldest()
    for before, after in pairwise([None, *revisions()]):
        async with db.write() as tx:
            was = await tx.run_sync(facts)
            with heard(db) as statements:
                await tx.run_sync(lambda sync, to=after: command.upgrade(config(sync), to))
            found = tightened(was, await tx.run_sync(facts), statements)
        if before is not None and said[before] == said[after]:
            assert found == [], f"{after} still lets {said[after]} work, but would not"
        elif after == "0002":
            assert {line.split(":")[0] for line in found} == {"audit"}, "its triggers are seen"


def _add(op: Operations, table: str, *columns: sa.Column[object]) -> None:
    with op.batch_alter_table(table) as batch:
        for column in columns:
            batch.add_column(column)


def _alter(op: Operations, table: str, column: str, **change: object) -> None:
    with op.batch_alter_table(table) as batch:
        batch.alter_column(column, **change)


def _in_batch(table: str, what: str, *given: object) -> Callable[[Operations], None]:
    def change(op: Operations) -> None:
        with op.batch_alter_table(table) as batch:
            getattr(batch, what)(*given)

    return change


def _audit(op: Operations) -> None:
    how = "BEGIN SELECT 1; END"
    if op.get_context().dialect.name == "postgresql":
        how = "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    op.execute(f"CREATE TRIGGER no_more BEFORE DELETE ON cases {how}")


_NOTE = sa.Column[object]
TIGHTER: dict[str, Callable[[Operations], object]] = {
    "a table dropped": lambda op: op.drop_table("receipts"),
    "a table renamed": lambda op: op.rename_table("receipts", "slips"),
    "a column dropped": _in_batch("residents", "drop_column", "needs"),
    "a column renamed": lambda op: _alter(op, "residents", "needs", new_column_name="wants"),
    "another type": lambda op: _alter(op, "residents", "needs", type_=sa.Text(), existing_type=sa.String()),
    "no default any more": lambda op: _alter(op, "residents", "needs", server_default=None),
    "never empty any more": lambda op: _alter(op, "entries", "reasoned_on", nullable=False),
    "a column to be filled": lambda op: _add(op, "deeds", _NOTE("note", sa.String, nullable=False)),
    "an index dropped": lambda op: op.drop_index("ix_deeds_by", table_name="deeds"),
    "an index of other rows": lambda op: (
        op.drop_index("ix_deeds_by", table_name="deeds"),
        op.create_index("ix_deeds_by", "deeds", ["action"]),
    ),
    "an index of unique values": lambda op: op.create_index("ux", "deeds", ["by"], unique=True),
    "unique together": _in_batch("residents", "create_unique_constraint", "uq", ["needs", "reach_by"]),
    "a condition": _in_batch("residents", "create_check_constraint", "ck", sa.text("needs <> 'x'")),
    "a reference": _in_batch("deeds", "create_foreign_key", "fk", "cases", ["by"], ["id"]),
    "a trigger": _audit,
    "rows written": lambda op: op.execute("UPDATE residents SET needs = ''"),
    "a reference to what is deleted": lambda op: op.create_table(
        "notes", sa.Column("on", sa.Date, sa.ForeignKey("calendar_days.day"))
    ),
}
WIDER: dict[str, Callable[[Operations], object]] = {
    "a column that may be empty": lambda op: _add(op, "cases", _NOTE("note", sa.String)),
    "a column with a default": lambda op: _add(
        op, "cases", _NOTE("note", sa.String, server_default="", nullable=False)
    ),
    "an index": lambda op: op.create_index("ix_new", "deeds", ["by", "at"]),
    "a table": lambda op: op.create_table(
        "notes",
        sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("text", sa.String, sa.CheckConstraint("text <> ''"), unique=True, nullable=False),
    ),
}


async def seen(db: Database, was: set[Fact], change: Callable[[Operations], object]) -> list[str]:
    """What is found against such a change, which is then taken back."""
    async with db.writer.connect() as connection, connection.begin() as tx:
        with heard(db) as statements:
            await connection.run_sync(lambda sync: change(Operations(MigrationContext.configure(sync))))
        found = tightened(was, await connection.run_sync(facts), statements)
        await tx.rollback()
    return found


async def test_every_way_to_tighten_is_seen_and_none_to_expand(db: Database) -> None:
    await migrate(db)
    async with db.read() as tx:
        was = await tx.run_sync(facts)
    assert [name for name, change in TIGHTER.items() if not await seen(db, was, change)] == []
    assert [found for change in WIDER.values() for found in await seen(db, was, change)] == []
