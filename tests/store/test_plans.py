"""Does what is asked all day find its rows by an index, however long the history has grown?"""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import reminder.store
from reminder.store import tables as t
from reminder.store.database import Database, Tx
from reminder.store.migrations import migrate
from reminder.store.prepared import Prepared

HISTORY = {
    table.name
    for table in (
        *(t.deeds, t.facts, t.entries, t.reminders, t.attempts, t.receipts, t.inbox, t.questions),
        *(t.timeline, t.audit),
    )
}
"""What only ever grows. Cases grow too, but slowly, and are small."""


def _is_partial(index: sa.Index) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None


NEWEST = {"audit._LAST"}
"""Goes through its table from the end, and stops at the first row."""

OF_SOME_ROWS = {
    index.name for table in t.metadata.tables.values() for index in table.indexes if _is_partial(index)
}


def prepared() -> Iterator[tuple[str, Prepared]]:
    for module in pkgutil.iter_modules(reminder.store.__path__):
        for name, held in vars(importlib.import_module(f"reminder.store.{module.name}")).items():
            found = held if isinstance(held, dict) else {"": held}
            for key, statement in found.items():
                if isinstance(statement, Prepared):
                    yield f"{module.name}.{name}{key and '.' + str(key)}", statement


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    await migrate(opened)
    yield opened
    await opened.close()


def some_values(statement: Any) -> dict[str, Any]:
    """Something for every parameter; one column for an UPDATE to set."""
    binds = statement.compile().binds
    values: dict[str, Any] = {
        name: [1] if bind.expanding else None
        for name, bind in binds.items()
        if bind.value is None and bind.callable is None
    }
    return values | ({statement.table.columns.keys()[1]: None} if isinstance(statement, sa.Update) else {})


async def plan_of(tx: Tx, statement: Prepared) -> list[str]:
    values = some_values(statement._statement)
    plan = statement._plan(tx.dialect, values)
    found = await tx.exec_driver_sql("EXPLAIN QUERY PLAN " + plan.sql, tuple(plan.bound(values)))
    return [row[3] for row in found]


def goes_through(step: str) -> str:
    """The history a step of a plan goes through from end to end; none if by an index of some rows."""
    words = step.split()
    if words[0] != "SCAN" or words[1] not in HISTORY or OF_SOME_ROWS & set(words):
        return ""
    return words[1]


async def test_no_prepared_statement_goes_through_a_whole_history(db: Database) -> None:
    asked, slow = 0, {}
    async with db.write() as tx:
        for name, statement in prepared():
            if not isinstance(statement._statement, sa.Insert):
                asked += 1
                through = {goes_through(step) for step in await plan_of(tx, statement)} - {""}
                if through and name not in NEWEST:
                    slow[name] = through
    assert asked > 50
    assert slow == {}


async def test_a_history_gone_through_is_noticed(db: Database) -> None:
    everything = Prepared(sa.select(t.facts).where(t.facts.c.event == sa.bindparam("event")))
    async with db.read() as tx:
        assert [goes_through(step) for step in await plan_of(tx, everything)] == ["facts"]
