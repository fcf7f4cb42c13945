"""Does a prepared statement say what SQLAlchemy's own way would, on both databases, for any list?"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from reminder.store import tables as t
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.store.prepared import Prepared, each, written_once

AT = datetime(2026, 11, 23, 1, 2, 3, 4, tzinfo=UTC)
ADD = Prepared(sa.insert(t.cases).returning(t.cases.c.id))
OPEN = Prepared(sa.insert(t.cases))
FOUND = Prepared(sa.select(t.cases).where(t.cases.c.id.in_(each("ids"))).order_by(t.cases.c.id))
EITHER = Prepared(
    sa.select(t.cases.c.id)
    .where(
        t.cases.c.id.in_(each("ids"))
        | t.cases.c.version.in_(each("ids")) & t.cases.c.id.in_(each("ids"))
        | (t.cases.c.number == sa.bindparam("number"))
        | (t.cases.c.place == sa.bindparam("number"))
    )
    .order_by(t.cases.c.id)
)
CHANGE = Prepared(sa.update(t.cases).where(t.cases.c.number == sa.bindparam("which")).returning(t.cases.c.id))
BUMP = Prepared(
    sa.update(t.cases).where(t.cases.c.number == sa.bindparam("which")).values(version=t.cases.c.version + 1)
)
TELL = Prepared(sa.insert(t.timeline))
TOLD = Prepared(sa.select(t.timeline.c.detail, t.timeline.c.at).where(t.timeline.c.what != "hidden"))


@pytest.fixture(params=["sqlite", "inline", "postgresql"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    inline = request.param == "inline"
    if request.param == "postgresql":
        opened = Database(request.getfixturevalue("postgres_url"))
    else:
        opened = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", inline=inline)
    await migrate(opened)
    yield opened
    await opened.close()


async def _three(db: Database) -> list[int]:
    async with db.write() as tx:
        return [int(await ADD.scalar(tx, number=str(n), opened_at=AT, confidential=n == 1)) for n in range(3)]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
async def test_rows_are_those_of_the_long_way(db: Database, count: int) -> None:
    ids = (await _three(db))[:count]
    async with db.read() as tx:
        plain = sa.select(t.cases).where(t.cases.c.id.in_(ids)).order_by(t.cases.c.id)
        expected = [dict(row) for row in (await tx.execute(plain)).mappings()]
        assert await FOUND.rows(tx, ids=ids) == expected
    assert len(expected) == count
    assert [row["confidential"] for row in expected] == [n == 1 for n in range(count)]
    assert all(row["opened_at"] == AT for row in expected)


async def test_only_what_is_named_is_set(db: Database) -> None:
    await _three(db)
    async with db.write() as tx:
        assert len(await CHANGE.scalars(tx, which="1", place="Shangping")) == 1
        assert len(await CHANGE.scalars(tx, which="1", request="a road")) == 1
        assert await CHANGE.row(tx, which="9", place="nowhere") is None
    async with db.read() as tx:
        row = (await tx.execute(sa.select(t.cases).where(t.cases.c.number == "1"))).mappings().one()
    assert (row["place"], row["request"], row["opened_at"]) == ("Shangping", "a road", AT)


async def test_values_of_every_type_come_back(db: Database) -> None:
    async with db.write() as tx:
        await TELL.run(tx, at=AT, what="seen", detail={"k": ["道路", 1, None]})
        await TELL.run(tx, at=AT, what="hidden", detail={})
    async with db.read() as tx:
        assert await TOLD.rows(tx) == [{"detail": {"k": ["道路", 1, None]}, "at": AT}]


async def test_a_naive_moment_is_refused(db: Database) -> None:
    async with db.write() as tx:
        with pytest.raises(Exception, match="an instant needs a time zone"):
            await ADD.scalar(tx, number="1", opened_at=AT.replace(tzinfo=None))


async def _half(db: Database) -> None:
    async with db.write() as tx:
        await CHANGE.scalars(tx, which="1", place="half")
        await ADD.scalar(tx, number="1", opened_at=AT)


async def test_errors_are_those_of_the_long_way_and_leave_no_trace(db: Database) -> None:
    await _three(db)
    with pytest.raises(IntegrityError):
        await _half(db)
    async with db.read() as tx:
        rows = (await tx.execute(sa.select(t.cases.c.place))).scalars()
        assert set(rows) == {""}


async def test_a_reader_cannot_write_by_it_either(db: Database) -> None:
    if not db.sqlite:
        pytest.skip("only SQLite's readers have a door of their own")
    async with db.read() as tx:
        with pytest.raises(OperationalError, match="readonly"):
            await ADD.scalar(tx, number="1", opened_at=AT)


async def test_many_rows_at_once(db: Database) -> None:
    await _three(db)
    async with db.write() as tx:
        await BUMP.run_many(tx, [{"which": "0", "place": "Shangping"}, {"which": "2", "place": "Hewan"}])
        await BUMP.run_many(tx, [])
    async with db.read() as tx:
        rows = await tx.execute(sa.select(t.cases.c.place, t.cases.c.version).order_by(t.cases.c.id))
    assert [tuple(row) for row in rows] == [("Shangping", 2), ("", 1), ("Hewan", 2)]


async def test_what_is_the_same_for_many_rows_is_said_once(db: Database) -> None:
    await _three(db)
    async with db.write() as tx:
        touched = await BUMP.run_many(tx, [{"which": "0"}, {"which": "2"}], place="Hewan", opened_at=AT)
        await TELL.run_many(tx, [{"detail": {"n": n}} for n in range(2)], at=AT, what="seen")
    async with db.read() as tx:
        rows = await tx.execute(sa.select(t.cases.c.place, t.cases.c.opened_at).order_by(t.cases.c.id))
        assert await TOLD.rows(tx) == [{"detail": {"n": n}, "at": AT} for n in range(2)]
    assert [tuple(row) for row in rows] == [("Hewan", AT), ("", AT), ("Hewan", AT)]
    assert touched == 2


NEW = {"due_at": AT, "send_after": AT, "detail": {}}
ROWS: list[dict[str, Any]] = [
    {**NEW, "key": "1", "told": {"slot": ["道路", None, 1]}, "useless_at": None, "repeated": True},
    {**NEW, "key": "2", "told": {}, "useless_at": AT, "repeated": False},
    {**NEW, "key": "3", "told": {"a": '"{,}\\'}, "useless_at": None, "repeated": False},
]


async def test_many_rows_of_every_type_are_written_once_each(db: Database) -> None:
    add, end = written_once(t.reminders, ["key"]), Prepared(sa.insert(t.attempts))
    async with db.write() as tx:
        await add(tx.dialect.name).run_many(tx, ROWS[:2])
        await add(tx.dialect.name).run_many(tx, [*ROWS, ROWS[2]])
        sealed = [{"token": f"t{n}", "reminder_id": 1, "sealed": b"\0" * n} for n in (1, 2, 3)]
        await end.run_many(tx, [*sealed, {"token": "t4", "reminder_id": 1, "sealed": None}], started_at=AT)
    async with db.read() as tx:
        kept = (await tx.execute(sa.select(t.reminders).order_by(t.reminders.c.id))).mappings().all()
        words = (await tx.execute(sa.select(t.attempts.c.sealed).order_by(t.attempts.c.token))).scalars()
        assert list(words) == [b"\0", b"\0\0", b"\0\0\0", None]
    assert [{name: row[name] for name in ROWS[0]} for row in kept] == ROWS
    assert [row["key"] for row in kept] == ["1", "2", "3"]


async def test_a_server_is_told_of_many_rows_in_one_statement(postgres_url: str) -> None:
    db = Database(postgres_url)
    await migrate(db)
    await _three(db)
    told: list[bool] = []

    def hear(*said: object) -> None:
        told.append(bool(said[-1]))  # executemany

    sa.event.listen(db.writer.sync_engine, "before_cursor_execute", hear)
    async with db.write() as tx:
        assert await BUMP.run_many(tx, [{"which": str(n), "place": "x"} for n in range(3)]) == 3
        await TELL.run_many(tx, [{"detail": {}} for _ in range(3)], at=AT, what="seen")
    await db.close()
    assert told == [False, False]


async def test_a_list_may_be_asked_for_twice_in_a_row(db: Database) -> None:
    ids = await _three(db)
    async with db.read() as tx:
        assert [row["id"] for row in await EITHER.rows(tx, ids=ids[:2], number="2")] == ids
        assert [row["id"] for row in await EITHER.rows(tx, ids=[], number="2")] == ids[2:]


async def test_one_bad_row_of_many_leaves_none(db: Database) -> None:
    with pytest.raises(IntegrityError):
        await _twice(db)
    async with db.read() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(t.cases))).scalar() == 0


async def _twice(db: Database) -> None:
    async with db.write() as tx:
        await OPEN.run_many(tx, [{"number": "1", "opened_at": AT}, {"number": "1", "opened_at": AT}])
