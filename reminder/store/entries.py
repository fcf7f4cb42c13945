"""Entries of the calendar and the agenda that says when each next reminds somebody."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.domain.entries import OPEN_STATES, Entry, EntryStatus, Wanted
from reminder.domain.protocols import Bound, EntryKind
from reminder.store import tables as t
from reminder.store.database import Tx

_FIELDS = tuple(Wanted.__dataclass_fields__)


def _values(entry: Wanted) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in _FIELDS}
    values["detail"] = dict(entry.detail)
    return {k: v.value if isinstance(v, EntryKind | EntryStatus | Bound) else v for k, v in values.items()}


def _entry(row: Mapping[str, Any]) -> Entry:
    values = {name: row[name] for name in _FIELDS}
    values.update(kind=EntryKind(row["kind"]), status=EntryStatus(row["status"]), bound=Bound(row["bound"]))
    return Entry(
        **values,
        id=row["id"],
        case_id=row["case_id"],
        revision=row["revision"],
        next_reminder_at=row.get("next_reminder_at"),
    )


def _select() -> sa.Select[Any]:
    return sa.select(t.entries, t.agenda.c.due_at.label("next_reminder_at")).join(
        t.agenda, t.agenda.c.entry_id == t.entries.c.id, isouter=True
    )


async def of(tx: Tx, case_ids: Sequence[int]) -> dict[int, dict[str, Entry]]:
    """Every entry of the cases, open or not, by case and key."""
    found: dict[int, dict[str, Entry]] = {case_id: {} for case_id in case_ids}
    for row in (await tx.execute(_OF, {"ids": list(case_ids)})).mappings():
        found[row["case_id"]][row["key"]] = _entry(row)
    return found


_OF = _select().where(t.entries.c.case_id.in_(sa.bindparam("ids", expanding=True))).order_by(t.entries.c.id)


async def one(tx: Tx, entry_id: int) -> Entry | None:
    row = (await tx.execute(_select().where(t.entries.c.id == entry_id))).mappings().first()
    return _entry(row) if row is not None else None


async def open_ones(tx: Tx, *where: Any) -> list[Entry]:
    """Open entries that are no notices, most pressing first."""
    query = (
        _select()
        .where(t.entries.c.status.in_([s.value for s in OPEN_STATES]), t.entries.c.kind != "notice", *where)
        .order_by(t.entries.c.due_at, t.entries.c.id)
    )
    return [_entry(row) for row in (await tx.execute(query)).mappings()]


async def by_ids(tx: Tx, ids: Sequence[int]) -> list[Entry]:
    query = _select().where(t.entries.c.id.in_(ids)).order_by(t.entries.c.due_at, t.entries.c.id)
    return [_entry(row) for row in (await tx.execute(query)).mappings()]


async def open_for(tx: Tx, people: Sequence[int], units: Sequence[int] | None) -> list[Entry]:
    """Open entries that name one of the people, or of cases of theirs or of the units (None: any)."""
    if units is None:
        return await open_ones(tx)
    held = (t.cases.c.responsible_id, t.cases.c.first_contact_id, t.cases.c.sponsor_id)
    placed = (t.cases.c.unit_id, t.cases.c.referred_id)
    mine = sa.select(t.cases.c.id).where(
        sa.or_(*(column.in_(people) for column in held), *(column.in_(units) for column in placed))
    )
    return await open_ones(tx, t.entries.c.case_id.in_(mine) | t.entries.c.person_id.in_(people))


async def done_by(tx: Tx, person_id: int, *, since: datetime) -> list[Entry]:
    """What the cases a person answers for got done since a moment; notices do not count."""
    states = [EntryStatus.MET.value, EntryStatus.MET_LATE.value, EntryStatus.DONE.value]
    mine = sa.select(t.cases.c.id).where(t.cases.c.responsible_id == person_id)
    query = _select().where(
        t.entries.c.case_id.in_(mine),
        t.entries.c.status.in_(states),
        t.entries.c.ended_at >= since,
        t.entries.c.kind != EntryKind.NOTICE.value,
    )
    return [_entry(row) for row in (await tx.execute(query.order_by(t.entries.c.id))).mappings()]


async def named(tx: Tx, case_id: int, person_id: int) -> bool:
    """Whether an entry of the case names the person: they promised something in it, or lead a meeting."""
    query = sa.select(t.entries.c.id).where(
        t.entries.c.case_id == case_id, t.entries.c.person_id == person_id
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def open_of(tx: Tx, case_ids: Sequence[int]) -> list[Entry]:
    """Open entries of some cases."""
    return await open_ones(tx, t.entries.c.case_id.in_(case_ids))


async def insert(tx: Tx, case_id: int, wanted: Sequence[Wanted]) -> None:
    """New entries of a case, at once."""
    if wanted:
        rows = [{"case_id": case_id, "revision": 1, **_values(entry)} for entry in wanted]
        await tx.execute(sa.insert(t.entries), rows)


async def save(tx: Tx, entry: Entry) -> None:
    values = _values(entry) | {"revision": entry.revision}
    await tx.execute(sa.update(t.entries).where(t.entries.c.id == entry.id).values(**values))


async def set_agenda(tx: Tx, due: Mapping[int, datetime | None]) -> None:
    """When each entry next reminds somebody; None: never again."""
    if not due:
        return
    await tx.execute(sa.delete(t.agenda).where(t.agenda.c.entry_id.in_(list(due))))
    rows = [{"entry_id": entry_id, "due_at": at} for entry_id, at in due.items() if at is not None]
    if rows:
        await tx.execute(sa.insert(t.agenda), rows)


async def due(tx: Tx, now: datetime, limit: int) -> list[tuple[int, datetime]]:
    """Entries whose moment has come, earliest first."""
    query = (
        sa.select(t.agenda.c.entry_id, t.agenda.c.due_at)
        .where(t.agenda.c.due_at <= now)
        .order_by(t.agenda.c.due_at, t.agenda.c.entry_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(entry_id, at) for entry_id, at in await tx.execute(query)]


async def cases_of(tx: Tx, entry_ids: Iterable[int]) -> dict[int, int]:
    query = sa.select(t.entries.c.id, t.entries.c.case_id).where(t.entries.c.id.in_(list(entry_ids)))
    return {row[0]: row[1] for row in await tx.execute(query)}


async def next_due_at(tx: Tx) -> datetime | None:
    return (await tx.execute(sa.select(sa.func.min(t.agenda.c.due_at)))).scalar()


async def with_status(tx: Tx, status: EntryStatus, *, before: datetime) -> list[Entry]:
    """Entries in a status that ended their slot before a moment."""
    query = _select().where(t.entries.c.status == status.value, t.entries.c.ends_at < before)
    return [_entry(row) for row in (await tx.execute(query.order_by(t.entries.c.id))).mappings()]
