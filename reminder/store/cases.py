"""Cases, their parties, their facts and the deeds that recorded them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.domain.cases import ENDED, Case, Event, Fact
from reminder.domain.errors import NotFound
from reminder.store import archive
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each
from reminder.store.types import members


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case with what `replan` keeps beside it for queries."""

    case: Case
    status: str
    unit_id: int | None
    handler_id: int | None
    responsible_id: int | None
    request: str
    protocol_version: str
    opened_at: datetime
    version: int
    group_size: int
    sponsor_id: int | None = None
    referred_id: int | None = None
    reported_id: int | None = None
    merged_into_id: int | None = None
    moved_protocol: str = ""
    moved_version: str = ""
    paused: bool = False

    @property
    def protocol(self) -> str:
        """Key of the protocol that holds now, whichever it was registered under."""
        return self.moved_protocol or self.case.protocol

    @property
    def protocol_held(self) -> tuple[str, str]:
        """Key and version of the protocol that holds now."""
        version = self.moved_version if self.moved_protocol else self.protocol_version
        return self.protocol, version


def _row(row: Mapping[str, Any]) -> CaseRow:
    names = ("id", "number", "protocol", "category", "track", "place", "first_contact_id")
    flags = ("confidential", "imported", "direct_answer")
    case = Case(**{name: row[name] for name in (*names, *flags)})
    return CaseRow(case=case, **{name: row[name] for name in _KEPT})


_KEPT = tuple(name for name in CaseRow.__dataclass_fields__ if name != "case")


async def lock(tx: Tx, case_id: int) -> CaseRow:
    """The case, locked against other changes until the transaction ends. Raises NotFound."""
    found = await lock_many(tx, [case_id])
    if not found:
        raise NotFound("not_found")
    return found[case_id]


async def lock_many(tx: Tx, case_ids: Sequence[int]) -> dict[int, CaseRow]:
    """The cases, locked in the order of their ids: two who lock the same ones never wait for each other.

    What is archived of them comes back: whoever locks a case goes on with it.
    """
    rows = await _LOCK.rows(tx, ids=list(case_ids))
    archived = [row["id"] for row in rows if row["has_archive"]]
    if archived:
        await archive.bring_back(tx, archived)
    return {row["id"]: _row(row) for row in rows}


_LOCK = Prepared(
    sa.select(t.cases)
    .where(t.cases.c.id.in_(each("ids")))
    .order_by(t.cases.c.id)
    .with_for_update(key_share=True)
)


async def many(tx: Tx, case_ids: Sequence[int]) -> dict[int, CaseRow]:
    return {row["id"]: _row(row) for row in await _MANY.rows(tx, ids=list(case_ids))}


_MANY = Prepared(sa.select(t.cases).where(t.cases.c.id.in_(each("ids"))))


async def by_number(tx: Tx, number: str) -> CaseRow | None:
    row = await _BY_NUMBER.row(tx, number=number)
    return _row(row) if row is not None else None


_BY_NUMBER = Prepared(sa.select(t.cases).where(t.cases.c.number == sa.bindparam("number")))


async def ids(tx: Tx, *where: Any) -> list[int]:
    """Ids of all cases, or of those that fit the conditions, oldest first."""
    query = sa.select(t.cases.c.id).where(*where).order_by(t.cases.c.id)
    return list((await tx.execute(query)).scalars())


async def insert(tx: Tx, **values: Any) -> int:
    return (await new(tx, **values)).case.id


async def new(tx: Tx, **values: Any) -> CaseRow:
    """A case that nobody else knows of before the transaction ends, and that needs no lock until then."""
    (row,) = await _INSERT.rows(tx, **values)
    return _row(row)


_INSERT = Prepared(sa.insert(t.cases).returning(t.cases))


async def update(tx: Tx, case_id: int, **values: Any) -> None:
    await _UPDATE.run(tx, which=case_id, **values)


async def update_many(tx: Tx, values: Mapping[int, Mapping[str, Any]]) -> None:
    """The same fields of many cases, by case."""
    await _UPDATE.run_many(tx, [{"which": case_id, **said} for case_id, said in values.items()])


_UPDATE = Prepared(
    sa.update(t.cases).where(t.cases.c.id == sa.bindparam("which")).values(version=t.cases.c.version + 1)
)


async def last_serial(tx: Tx, prefix: str) -> int:
    """The highest serial given out in a year ("26" -> 00001 …); 0 when none."""
    number = await _LAST_NUMBER.scalar(tx, first=prefix, last=prefix + "999999")
    return int(number[2:7]) if number else 0


# A range, for LIKE would go through the numbers of every case there ever was.
_LAST_NUMBER = Prepared(
    sa.select(sa.func.max(t.cases.c.number)).where(
        t.cases.c.number.between(sa.bindparam("first"), sa.bindparam("last"))
    )
)


# --- facts and deeds -------------------------------------------------------------------------


async def add_deed(
    tx: Tx, *, case_id: int | None, by: int | None, action: str, at: datetime, source: str | None
) -> int | None:
    """A new deed; None if this very source (an update, a text) has already been acted upon."""
    if source is not None and await _DEED_OF.row(tx, source=source) is not None:
        return None
    return int(await _ADD_DEED.scalar(tx, case_id=case_id, by=by, action=action, at=at, source=source))


_DEED_OF = Prepared(sa.select(t.deeds.c.id).where(t.deeds.c.source == sa.bindparam("source")))
_ADD_DEED = Prepared(sa.insert(t.deeds).returning(t.deeds.c.id))


async def deed(tx: Tx, deed_id: int) -> Mapping[str, Any] | None:
    row = (await tx.execute(sa.select(t.deeds).where(t.deeds.c.id == deed_id))).mappings().first()
    return dict(row) if row is not None else None


async def last_deed(tx: Tx, by: int) -> Mapping[str, Any] | None:
    return await _LAST_DEED.row(tx, who=by)


_LAST_DEED = Prepared(
    sa.select(t.deeds)
    .where(t.deeds.c.by == sa.bindparam("who"), t.deeds.c.undone_at.is_(None))
    .order_by(t.deeds.c.id.desc())
    .limit(1)
)


async def last_deed_of_case(tx: Tx, case_id: int) -> int | None:
    found: int | None = await _LAST_OF_CASE.scalar(tx, case=case_id)
    return found


_LAST_OF_CASE = Prepared(
    sa.select(sa.func.max(t.deeds.c.id)).where(t.deeds.c.case_id == sa.bindparam("case"))
)


async def last_fact(tx: Tx) -> int:
    """The newest fact's id; 0 when there is none."""
    return int(await _LAST_FACT.scalar(tx) or 0)


_LAST_FACT = Prepared(sa.select(sa.func.max(t.facts.c.id)))


async def changed_since(tx: Tx, fact: int, at: datetime) -> list[int]:
    """Cases with facts newer than `fact`, or with facts taken back since a moment."""
    return sorted(await _CHANGED.scalars(tx, fact=fact, since=at))


_CHANGED = Prepared(
    sa.union(
        sa.select(t.facts.c.case_id).where(t.facts.c.id > sa.bindparam("fact")),
        sa.select(t.facts.c.case_id).where(t.facts.c.voided_at >= sa.bindparam("since")),
    )
)


async def deeds_since(tx: Tx, since: datetime) -> list[tuple[int, int | None]]:
    """(deed, who) of those that can still be undone."""
    return [(row["id"], row["by"]) for row in await _UNDOABLE.rows(tx, since=since)]


_UNDOABLE = Prepared(
    sa.select(t.deeds.c.id, t.deeds.c.by).where(
        t.deeds.c.at > sa.bindparam("since"), t.deeds.c.undone_at.is_(None)
    )
)


async def subjects(tx: Tx, case_id: int, stem: str) -> set[str]:
    """Subjects ever used that start with the stem, undone ones too, so that none is used twice."""
    query = sa.select(t.facts.c.subject).where(t.facts.c.case_id == case_id)
    return {s for s in (await tx.execute(query)).scalars() if s.split(".")[0] == stem}


async def undo_deed(tx: Tx, deed_id: int, at: datetime) -> bool:
    """Void the deed and its facts; False if somebody already did."""
    query = sa.update(t.deeds).where(t.deeds.c.id == deed_id, t.deeds.c.undone_at.is_(None))
    if (await tx.execute(query.values(undone_at=at).returning(t.deeds.c.id))).first() is None:
        return False
    facts = sa.update(t.facts).where(t.facts.c.deed_id == deed_id).values(voided_at=at)
    await tx.execute(facts)
    return True


async def add_facts(tx: Tx, case_id: int, facts: Sequence[Fact], deed_id: int | None = None) -> None:
    """Facts of a deed; of none: a history taken over from elsewhere."""
    rows = [
        {
            "case_id": case_id,
            "deed_id": deed_id,
            "event": fact.event.value,
            "subject": fact.subject,
            "at": fact.at,
            "recorded_at": fact.recorded_at,
            "value": dict(fact.value),
            "by": fact.by,
        }
        for fact in facts
    ]
    await _ADD_FACT.run_many(tx, rows)


_ADD_FACT = Prepared(sa.insert(t.facts))


_OF_FACT = {name for name, field in Fact.__dataclass_fields__.items() if field.init}


async def facts(tx: Tx, case_ids: Sequence[int]) -> dict[int, list[Fact]]:
    """Facts that stand (not undone), by case."""
    found: dict[int, list[Fact]] = {case_id: [] for case_id in case_ids}
    for row in await _FACTS.rows(tx, ids=list(case_ids)):
        found[row.pop("case_id")].append(Fact(**row))
    return found


_FACTS = Prepared(
    sa.select(t.facts.c.case_id, *(c for c in members(t.facts, event=Event) if c.name in _OF_FACT))
    .where(t.facts.c.case_id.in_(each("ids")), t.facts.c.voided_at.is_(None))
    .order_by(t.facts.c.id)
)


# --- parties ---------------------------------------------------------------------------------


async def add_party(tx: Tx, case_id: int, resident_id: int, role: str = "applicant") -> None:
    await _ADD_PARTY.run(tx, case_id=case_id, resident_id=resident_id, role=role)


_ADD_PARTY = Prepared(sa.insert(t.parties))


async def parties(tx: Tx, case_ids: Sequence[int]) -> dict[int, list[int]]:
    """Residents to be told, by case: applicants and representatives who want to be."""
    found: dict[int, list[int]] = {case_id: [] for case_id in case_ids}
    for row in await _PARTIES.rows(tx, ids=list(case_ids)):
        found[row["case_id"]].append(row["resident_id"])
    return found


_PARTIES = Prepared(
    sa.select(t.parties.c.case_id, t.parties.c.resident_id)
    .where(t.parties.c.case_id.in_(each("ids")), t.parties.c.notify)
    .where(t.parties.c.role.in_(["applicant", "representative", "counterpart"]))
    .order_by(t.parties.c.case_id, t.parties.c.resident_id)
)


async def sides(tx: Tx, case_ids: Sequence[int]) -> dict[int, dict[int, str]]:
    """Role of every party of the cases, told or not, by case and resident."""
    found: dict[int, dict[int, str]] = {case_id: {} for case_id in case_ids}
    for row in await _SIDES.rows(tx, ids=list(case_ids)) if case_ids else []:
        found[row["case_id"]][row["resident_id"]] = row["role"]
    return found


_SIDES = Prepared(
    sa.select(t.parties.c.case_id, t.parties.c.resident_id, t.parties.c.role)
    .where(t.parties.c.case_id.in_(each("ids")))
    .order_by(t.parties.c.resident_id)
)


async def of_resident(tx: Tx, resident_ids: Sequence[int]) -> list[int]:
    """Ids of the cases these residents are on, newest first."""
    query = sa.select(t.parties.c.case_id).where(t.parties.c.resident_id.in_(resident_ids)).distinct()
    return sorted((await tx.execute(query)).scalars(), reverse=True)


# --- the timeline ----------------------------------------------------------------------------


async def tell(
    tx: Tx, case_id: int | None, at: datetime, what: str, by: int | None = None, **detail: Any
) -> None:
    """Add a line to the case's one timeline. No names, phones or texts in `detail`."""
    await tell_all(tx, case_id, at, [(what, detail)], by)


async def tell_all(
    tx: Tx, case_id: int | None, at: datetime, lines: Sequence[tuple[str, Mapping[str, Any]]], by: int | None
) -> None:
    """Several lines of one moment: each what there was, and its detail."""
    rows = [{"what": what, "detail": dict(detail)} for what, detail in lines]
    await _TELL.run_many(tx, rows, case_id=case_id, at=at, by=by)


async def tell_each(
    tx: Tx, said: Sequence[tuple[int | None, Mapping[str, Any]]], at: datetime, what: str
) -> None:
    """The same line for many cases, each with its detail."""
    rows = [{"case_id": case_id, "detail": detail} for case_id, detail in said]
    await _TELL.run_many(tx, rows, at=at, what=what, by=None)


_TELL = Prepared(sa.insert(t.timeline))


async def timeline(tx: Tx, case_id: int) -> list[Mapping[str, Any]]:
    query = sa.select(t.timeline).where(t.timeline.c.case_id == case_id)
    return [dict(row) for row in (await tx.execute(query.order_by(t.timeline.c.id))).mappings()]


async def handled_at(tx: Tx, person_id: int, place: str) -> list[int]:
    """Ids of the cases under way that a person handles, of one place or of all ("")."""
    ended = [status.value for status in ENDED]
    query = sa.select(t.cases.c.id).where(t.cases.c.handler_id == person_id, t.cases.c.status.not_in(ended))
    if place:
        query = query.where(t.cases.c.place.contains(place, autoescape=True))
    return list((await tx.execute(query.order_by(t.cases.c.id))).scalars())
