"""Entries of the calendar and the agenda that says when each next reminds somebody."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from reminder.domain.entries import OPEN_STATES, Entry, EntryStatus, Wanted
from reminder.domain.protocols import Bound, EntryKind
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each
from reminder.store.types import members

_FIELDS = tuple(Wanted.__dataclass_fields__)
_ALL = attrgetter(*_FIELDS)


def _values(entry: Wanted) -> dict[str, Any]:
    values = dict(zip(_FIELDS, _ALL(entry), strict=True))
    named = {"kind": entry.kind.value, "status": entry.status.value, "bound": entry.bound.value}
    return values | named | {"detail": dict(entry.detail)}


_COLUMNS = members(t.entries, kind=EntryKind, status=EntryStatus, bound=Bound)


async def of(tx: Tx, case_ids: Sequence[int]) -> dict[int, dict[str, Entry]]:
    """Every entry of the cases, open or not, by case and key."""
    found: dict[int, dict[str, Entry]] = {case_id: {} for case_id in case_ids}
    for entry in await _OF.made(tx, Entry, ids=list(case_ids)):
        found[entry.case_id][entry.key] = entry
    return found


_OF = Prepared(sa.select(*_COLUMNS).where(t.entries.c.case_id.in_(each("ids"))).order_by(t.entries.c.id))


async def one(tx: Tx, entry_id: int) -> Entry | None:
    return next(iter(await _ONE.made(tx, Entry, id=entry_id)), None)


_ONE = Prepared(sa.select(*_COLUMNS).where(t.entries.c.id == sa.bindparam("id")))


IS_OPEN = t.entries.c.status.in_(sorted(state.value for state in OPEN_STATES))
"""In the words of the index of open entries."""


def _open(*where: Any) -> sa.Select[Any]:
    """Open entries that are no notices, most pressing first."""
    return (
        sa.select(*_COLUMNS)
        .where(IS_OPEN, t.entries.c.kind != EntryKind.NOTICE.value, *where)
        .order_by(t.entries.c.due_at, t.entries.c.id)
    )


async def by_ids(tx: Tx, ids: Sequence[int]) -> list[Entry]:
    return await _BY_IDS.made(tx, Entry, ids=list(ids)) if ids else []


_BY_IDS = Prepared(
    sa.select(*_COLUMNS).where(t.entries.c.id.in_(each("ids"))).order_by(t.entries.c.due_at, t.entries.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """Of an open entry only what decides whose it is: there may be many, and most are somebody else's."""

    id: int
    case_id: int
    milestone: str
    kind: EntryKind
    person_id: int | None
    detail: Mapping[str, Any]


async def open_for(tx: Tx, people: Sequence[int], units: Sequence[int] | None) -> list[Glimpse]:
    """Open entries that name one of the people, or of cases of theirs or of the units (None: any)."""
    if units is None:
        return await _OPEN.made(tx, Glimpse)
    return await _OPEN_FOR.made(tx, Glimpse, people=list(people), units=list(units))


_GLIMPSED = sa.select(*(column for column in _COLUMNS if column.name in Glimpse.__dataclass_fields__)).where(
    IS_OPEN, t.entries.c.kind != EntryKind.NOTICE.value
)
_OPEN = Prepared(_GLIMPSED)


async def open_at(tx: Tx, places: Sequence[str]) -> list[Glimpse]:
    """Open entries of cases from these villages, confidential ones left out."""
    if not places:
        return []
    near = sa.or_(*(t.cases.c.place.contains(place, autoescape=True) for place in places))
    ids = sa.select(t.cases.c.id).where(near, t.cases.c.confidential.is_(False))
    rows = (await tx.execute(_GLIMPSED.where(t.entries.c.case_id.in_(ids)))).mappings()
    return [Glimpse(**row) for row in rows]


_HELD = (t.cases.c.responsible_id, t.cases.c.first_contact_id, t.cases.c.sponsor_id)
_PLACED = (t.cases.c.unit_id, t.cases.c.referred_id)
_CASES_FOR = sa.select(t.cases.c.id).where(
    sa.or_(
        *(column.in_(each("people")) for column in _HELD), *(column.in_(each("units")) for column in _PLACED)
    )
)
# Each half finds its own index; an OR of the two would go through every entry there ever was.
_OPEN_FOR = Prepared(
    _GLIMPSED.where(
        t.entries.c.id.in_(
            sa.union(
                sa.select(t.entries.c.id).where(t.entries.c.person_id.in_(each("people"))),
                sa.select(t.entries.c.id).where(IS_OPEN, t.entries.c.case_id.in_(_CASES_FOR)),
            )
        )
    )
)


async def done_by(tx: Tx, person_id: int, *, since: datetime) -> list[Entry]:
    """What the cases a person answers for got done since a moment; notices do not count."""
    return await _DONE_BY.made(tx, Entry, person=person_id, since=since)


_DONE = [EntryStatus.MET.value, EntryStatus.MET_LATE.value, EntryStatus.DONE.value]
_DONE_BY = Prepared(
    sa.select(*_COLUMNS)
    .where(
        # What ended since then is little; all entries of all the cases a person ever had is much.
        t.entries.c.id.in_(sa.select(t.entries.c.id).where(t.entries.c.ended_at >= sa.bindparam("since"))),
        t.entries.c.case_id.in_(
            sa.select(t.cases.c.id).where(t.cases.c.responsible_id == sa.bindparam("person"))
        ),
        t.entries.c.status.in_(_DONE),
        t.entries.c.kind != EntryKind.NOTICE.value,
    )
    .order_by(t.entries.c.id)
)


async def named(tx: Tx, case_id: int, person_id: int) -> bool:
    """Whether an entry of the case names the person: they promised something in it, or lead a meeting."""
    query = sa.select(t.entries.c.id).where(
        t.entries.c.case_id == case_id, t.entries.c.person_id == person_id
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def open_of(tx: Tx, case_ids: Sequence[int]) -> list[Entry]:
    """Open entries of some cases."""
    return await _OPEN_OF.made(tx, Entry, ids=list(case_ids))


_OPEN_OF = Prepared(_open(t.entries.c.case_id.in_(each("ids"))))


async def insert(tx: Tx, wanted: Mapping[int, Sequence[Wanted]]) -> None:
    """New entries, by case, all at once."""
    rows = [
        {"case_id": case_id, "revision": 1, **_values(entry)}
        for case_id, of_case in wanted.items()
        for entry in of_case
    ]
    await _INSERT.run_many(tx, rows)


_INSERT = Prepared(sa.insert(t.entries))


async def save(tx: Tx, changed: Sequence[Entry]) -> None:
    """Everything but what identifies them."""
    rows = [{"which": entry.id, "revision": entry.revision, **_values(entry)} for entry in changed]
    await _SAVE.run_many(tx, rows)


_SAVE = Prepared(sa.update(t.entries).where(t.entries.c.id == sa.bindparam("which")))


async def set_agenda(
    tx: Tx, due: Mapping[int, datetime | None], fresh: Collection[int] = frozenset()
) -> None:
    """When each entry next reminds somebody; None: never again. `fresh` ones have never been on it."""
    if known := [entry_id for entry_id in due if entry_id not in fresh]:
        await _OFF_AGENDA.run(tx, ids=known)
    rows = [{"entry_id": entry_id, "due_at": at} for entry_id, at in due.items() if at is not None]
    await _ON_AGENDA.run_many(tx, rows)


_ON_AGENDA = Prepared(sa.insert(t.agenda))
_OFF_AGENDA = Prepared(sa.delete(t.agenda).where(t.agenda.c.entry_id.in_(each("ids"))))


async def due(tx: Tx, now: datetime, limit: int) -> list[tuple[int, datetime]]:
    """Entries whose moment has come, earliest first."""
    return [(row["entry_id"], row["due_at"]) for row in await _DUE.rows(tx, now=now, limit=limit)]


_DUE = Prepared(
    sa.select(t.agenda.c.entry_id, t.agenda.c.due_at)
    .where(t.agenda.c.due_at <= sa.bindparam("now"))
    .order_by(t.agenda.c.due_at, t.agenda.c.entry_id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)


async def agenda(tx: Tx, entry_ids: Iterable[int]) -> dict[int, datetime]:
    """When each of these next reminds somebody; those that never will are left out."""
    return {row["entry_id"]: row["due_at"] for row in await _AGENDA.rows(tx, ids=list(entry_ids))}


_AGENDA = Prepared(sa.select(t.agenda).where(t.agenda.c.entry_id.in_(each("ids"))))


async def cases_of(tx: Tx, entry_ids: Iterable[int]) -> dict[int, int]:
    return {row["id"]: row["case_id"] for row in await _CASES_OF.rows(tx, ids=list(entry_ids))}


_CASES_OF = Prepared(sa.select(t.entries.c.id, t.entries.c.case_id).where(t.entries.c.id.in_(each("ids"))))


async def next_due_at(tx: Tx) -> datetime | None:
    found: datetime | None = await _NEXT_DUE.scalar(tx)
    return found


_NEXT_DUE = Prepared(sa.select(sa.func.min(t.agenda.c.due_at)))


async def confirmed(tx: Tx, *, before: datetime) -> list[Entry]:
    """Confirmed visits whose time was over before a moment, oldest entry first."""
    found = await _CONFIRMED.made(tx, Entry, before=before)
    return sorted(found, key=lambda entry: entry.id)


# In no order: asked for one, SQLite would go through every entry in it.
_CONFIRMED = Prepared(
    sa.select(*_COLUMNS).where(
        t.entries.c.status == EntryStatus.CONFIRMED.value, t.entries.c.ends_at < sa.bindparam("before")
    )
)
