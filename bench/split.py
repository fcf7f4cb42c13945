"""The other layout: a body that never changes, a narrow queue, intents and outcomes appended.

For `bench/layout.py`, in tables of its own beside ours. It is as fast as can be: no index of texts that were
never heard of, no count of earlier attempts, nothing that is claimed and then has to wait, and whoever claims
remembers what until the answers come.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import make_dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bench.stage import provider_id
from reminder.domain.reminders import State
from reminder.store import tables as t
from reminder.store.database import Database, Tx
from reminder.store.departures import Departure
from reminder.store.holds import BEGINNING
from reminder.store.prepared import Prepared, each, written_once
from reminder.store.types import UtcDateTime

UNCHANGED = (
    "id", "key", "entry_id", "case_id", "revision", "step", "person_id", "resident_id", "phone_id", "channel",
    "kind", "due_at", "useless_at", "digest_id", "detail", "repeated",
)  # fmt: skip
"""Columns of `reminders` that stay as they were written."""

metadata = sa.MetaData()


def _same(name: str) -> sa.Column[Any]:
    """A column as `reminders` has it, with its index of one column and what it refers to."""
    like = t.reminders.c[name]
    targets = [key.column for key in like.foreign_keys]
    keys = [sa.ForeignKey("split_body.id" if one.table is t.reminders else one) for one in targets]
    default = {"server_default": like.server_default.arg} if like.server_default is not None else {}
    options = {"primary_key": like.primary_key, "unique": like.unique, "index": like.index}
    return sa.Column(name, like.type, *keys, nullable=like.nullable, **options, **default)


body = sa.Table(
    "split_body",
    metadata,
    *map(_same, UNCHANGED),
    sa.Index("ix_split_body_person_day", "person_id", "due_at"),
    sa.Index("ix_split_body_phone_day", "phone_id", "due_at"),
    sa.Index("ix_split_body_digest", "digest_id"),
)
queue = sa.Table(
    "split_queue",
    metadata,
    sa.Column("send_after", UtcDateTime, primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("token", sa.String),
    sqlite_with_rowid=False,
)


def _reminder() -> sa.Column[int]:
    return sa.Column("reminder_id", sa.Integer, sa.ForeignKey("split_body.id"), nullable=False, index=True)


intents = sa.Table(
    "split_intents",
    metadata,
    sa.Column("token", sa.String, primary_key=True),
    _reminder(),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("told", sa.JSON, nullable=False),
    sa.Column("sealed", sa.LargeBinary),
)
outcomes = sa.Table(
    "split_outcomes",
    metadata,
    sa.Column("token", sa.String, primary_key=True),
    _reminder(),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("provider_id", sa.String, nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

Body = make_dataclass("Body", UNCHANGED, frozen=True, slots=True, kw_only=True)


async def create(db: Database) -> None:
    async with db.writer.begin() as connection:
        await connection.run_sync(metadata.create_all)
        if not db.sqlite:
            await connection.execute(sa.text("ALTER TABLE split_queue SET (fillfactor = 50)"))


async def add_all(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """New messages, each a body and a row of the queue; none may be there already."""
    count = len(rows)
    numbered = list(zip(await _numbers(tx, count), rows, strict=True))
    bodies = [{"id": n, "detail": {}, **_UNSAID, **_of_body(row)} for n, row in numbered]
    # PostgreSQL's driver does not say how many.
    assert await _ADD_BODIES(tx.dialect.name).run_many(tx, bodies) in {count, -1}
    waiting = [{"id": n, "send_after": row["send_after"], "channel": row["channel"]} for n, row in numbered]
    await _ADD_TO_QUEUE.run_many(tx, waiting)


_UNSAID = dict.fromkeys(("person_id", "resident_id", "phone_id", "useless_at", "digest_id"))
_ADD_BODIES = written_once(body, ["key"])
_ADD_TO_QUEUE = Prepared(sa.insert(queue))


def _of_body(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in _NAMES}


_NAMES = frozenset(UNCHANGED)


async def _numbers(tx: Tx, count: int) -> Sequence[int]:
    """The program says which, so that it need not ask what the database chose."""
    if tx.dialect.name == "sqlite":
        last = await _LAST.scalar(tx)
        return range(last + 1, last + 1 + count)
    return await _NEXT.scalars(tx, count=count)


_LAST = Prepared(sa.select(sa.func.coalesce(sa.func.max(body.c.id), 0)))
_NEXT = Prepared(
    sa.select(sa.func.nextval("split_body_id_seq").label("n")).select_from(
        sa.func.generate_series(1, sa.bindparam("count", type_=sa.Integer)).alias("numbers")
    )
)


class Claims:
    """Whoever claims, and remembers until the answers come what it has claimed last."""

    def __init__(self) -> None:
        self._mark = ""
        self._first = self._last = BEGINNING

    async def ready(
        self, tx: Tx, limit: int, channel: str, *, now: datetime, since: datetime, lease_until: datetime
    ) -> tuple[datetime, list[Any]]:
        """When the first of them might go, and what they say, earliest first; from now on they are ours."""
        self._mark = secrets.token_urlsafe(24)
        which = {"now": now, "since": since, "on_channel": channel, "limit": limit}
        rows = await _CLAIM.rows(tx, lease_until=lease_until, token=self._mark, **which)
        found = sorted((row["send_after"], row["id"]) for row in rows)
        self._first, self._last = found[0][0], found[-1][0]
        said = {one.id: one for one in await _BODIES.made(tx, Body, ids=[n for _, n in found])}
        return self._first, [said[n] for _, n in found]

    async def leave(self, tx: Tx, leaving: Sequence[Departure], *, now: datetime) -> None:
        rows = [
            {"token": one.token, "reminder_id": one.reminder_id, "n": one.n, "told": one.told}
            | {"sealed": one.sealed}
            for one in leaving
        ]
        await _INTEND.run_many(tx, rows, started_at=now)

    async def taken_on(self, tx: Tx, gone: Sequence[Departure], *, now: datetime) -> None:
        """What was claimed last has gone, all of it."""
        ids = [one.reminder_id for one in gone]
        ours = {"mark": self._mark, "first": self._first, "last": self._last}
        assert len(await _END.scalars(tx, ids=ids, **ours)) == len(gone)
        rows = [
            {"token": one.token, "reminder_id": one.reminder_id, "provider_id": provider_id(one.token)}
            for one in gone
        ]
        await _APPEND.run_many(tx, rows, state=State.SENT.value, at=now)


_DUE = (
    sa.select(queue.c.send_after, queue.c.id)
    .where(queue.c.lease_until.is_(None), queue.c.channel == sa.bindparam("on_channel"))
    .where(queue.c.send_after <= sa.bindparam("now"), queue.c.send_after >= sa.bindparam("since"))
    .order_by(queue.c.send_after, queue.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
    .subquery("due")
)
_CLAIM = Prepared(
    sa.update(queue)
    .where(queue.c.send_after == _DUE.c.send_after, queue.c.id == _DUE.c.id)
    .returning(queue.c.send_after, queue.c.id)
)
_BODIES = Prepared(sa.select(body).where(body.c.id.in_(each("ids"))))
_INTEND = Prepared(sa.insert(intents))
_END = Prepared(
    sa.delete(queue)
    .where(queue.c.send_after.between(sa.bindparam("first"), sa.bindparam("last")))
    .where(queue.c.token == sa.bindparam("mark"), queue.c.id.in_(each("ids")))
    .returning(queue.c.id)
)
_APPEND = Prepared(sa.insert(outcomes))
