"""Staff, their units and roles, and the one-time codes they enrol with."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from reminder.domain.people import Absence, OrgUnit, Person, Posting, Role, Staff
from reminder.store import meta
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared

_VERSION = "people"
"""Under this name the database says which state of the staff it holds; it changes with every change."""

_known: dict[str, Staff] = {}
"""Staff by that version. Versions are random, so they mean the same in every database and process."""


async def staff(tx: Tx) -> Staff:
    """Everybody, active or not, with units and roles."""
    version = await meta.get(tx, _VERSION)
    if version is None:
        return await _staff(tx)
    if version not in _known:
        fresh = await _staff(tx)
        while len(_known) >= _VERSIONS:
            _known.pop(next(iter(_known)))
        _known[version] = fresh
    return _known[version]


_VERSIONS = 4


async def _changed(tx: Tx) -> None:
    await meta.put(tx, _VERSION, uuid.uuid4().hex)


async def _staff(tx: Tx) -> Staff:
    roles: dict[int, set[Role]] = {}
    for person_id, role in await tx.execute(sa.select(t.roles)):
        roles.setdefault(person_id, set()).add(Role(role))
    people = {
        row["id"]: _person(row, roles.get(row["id"], set()))
        for row in (await tx.execute(sa.select(t.people))).mappings()
    }
    units = {row["id"]: OrgUnit(**row) for row in (await tx.execute(sa.select(t.units))).mappings()}
    absences = [dict(row) for row in (await tx.execute(_ABSENCES.order_by(t.absences.c.id))).mappings()]
    postings = [dict(row) for row in (await tx.execute(_POSTINGS.order_by(t.postings.c.id))).mappings()]
    return Staff(
        people=people,
        units=units,
        absences=tuple(Absence(**row) for row in absences),
        postings=tuple(Posting(**row) for row in postings),
    )


_ABSENCES = sa.select(*(t.absences.c[name] for name in Absence.__dataclass_fields__)).order_by(
    t.absences.c.id
)
_POSTINGS = sa.select(*(t.postings.c[name] for name in Posting.__dataclass_fields__)).order_by(
    t.postings.c.id
)


def _person(row: Mapping[Any, Any], roles: Iterable[Role]) -> Person:
    names = ("id", "name", "unit_id", "lang", "active", "chat_id", "bot", "phone")
    return Person(
        **{name: row[name] for name in names},
        roles=frozenset(roles),
        digest_at=time.fromisoformat(row["digest_at"]),
    )


async def add_unit(tx: Tx, *, name: str, kind: str, parent_id: int | None) -> int:
    await _changed(tx)
    query = sa.insert(t.units).values(name=name, kind=kind, parent_id=parent_id)
    return int((await tx.execute(query.returning(t.units.c.id))).scalar_one())


async def set_head(tx: Tx, unit_id: int, person_id: int | None) -> None:
    await _changed(tx)
    await tx.execute(sa.update(t.units).where(t.units.c.id == unit_id).values(head_id=person_id))


async def add_person(tx: Tx, *, name: str, unit_id: int, roles: Iterable[Role], **values: Any) -> int:
    await _changed(tx)
    query = sa.insert(t.people).values(name=name, unit_id=unit_id, **values)
    person_id = int((await tx.execute(query.returning(t.people.c.id))).scalar_one())
    await set_roles(tx, person_id, roles)
    return person_id


async def set_roles(tx: Tx, person_id: int, roles: Iterable[Role]) -> None:
    await _changed(tx)
    await tx.execute(sa.delete(t.roles).where(t.roles.c.person_id == person_id))
    rows = [{"person_id": person_id, "role": role.value} for role in sorted(roles)]
    if rows:
        await tx.execute(sa.insert(t.roles), rows)


async def update(tx: Tx, person_id: int, **values: Any) -> None:
    await _changed(tx)
    await tx.execute(sa.update(t.people).where(t.people.c.id == person_id).values(**values))


async def by_chat(tx: Tx, chat_id: int) -> int | None:
    found: int | None = await _BY_CHAT.scalar(tx, chat=chat_id)
    return found


_BY_CHAT = Prepared(
    sa.select(t.people.c.id).where(t.people.c.chat_id == sa.bindparam("chat"), t.people.c.active)
)


async def add_invite(
    tx: Tx,
    *,
    code_hash: str,
    person_id: int,
    issued_by: int | None,
    issued_at: datetime,
    expires_at: datetime,
) -> None:
    """A new code; earlier unused ones of the same person end with it."""
    old = sa.update(t.invites).where(t.invites.c.person_id == person_id, t.invites.c.used_at.is_(None))
    await tx.execute(old.values(expires_at=issued_at))
    await tx.execute(
        sa.insert(t.invites).values(
            code_hash=code_hash,
            person_id=person_id,
            issued_by=issued_by,
            issued_at=issued_at,
            expires_at=expires_at,
        )
    )


async def use_invite(tx: Tx, code_hash: str, now: datetime) -> int | None:
    """The person the code was made for, once; None if unknown, used or expired."""
    query = (
        sa.update(t.invites)
        .where(t.invites.c.code_hash == code_hash, t.invites.c.used_at.is_(None))
        .where(t.invites.c.expires_at > now)
        .values(used_at=now)
        .returning(t.invites.c.person_id)
    )
    found: int | None = (await tx.execute(query)).scalar()
    return found


async def add_absence(tx: Tx, absence: Absence) -> None:
    await _changed(tx)
    values = {name: getattr(absence, name) for name in Absence.__dataclass_fields__}
    await tx.execute(sa.insert(t.absences).values(**values))


async def end_absence(tx: Tx, person_id: int, last: date) -> int:
    """Whoever is back earlier is no longer stood in for after `last`; returns how many absences ended."""
    await _changed(tx)
    away = (t.absences.c.person_id == person_id) & (t.absences.c.to_on > last)
    found = await tx.execute(sa.update(t.absences).where(away).values(to_on=last).returning(t.absences.c.id))
    return len(found.all())


async def add_posting(tx: Tx, posting: Posting, *, instead_of: Sequence[int] = ()) -> None:
    """From its first day on it takes the place of those the village had with these people."""
    await _changed(tx)
    theirs = t.postings.c.person_id.in_(instead_of)
    before = (t.postings.c.place == posting.place) & t.postings.c.to_on.is_(None) & theirs
    ends = posting.from_on - timedelta(days=1)
    await tx.execute(sa.update(t.postings).where(before).values(to_on=ends))
    values = {name: getattr(posting, name) for name in Posting.__dataclass_fields__}
    await tx.execute(sa.insert(t.postings).values(**values))
