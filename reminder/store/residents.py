"""Residents and their phones: numbers sealed, found by blind index, opt-outs kept by number and sender."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each
from reminder.store.seal import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    id: int
    name: str
    lang: str
    place: str
    contacted: bool
    can_read: bool
    wants_texts: bool
    reach_by: str = ""
    """Where texts do not reach them: call, agent or paper."""
    needs: str = ""
    """What helps at the door: dialect, hearing, a step; never what somebody is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A number with its holders in mind; `texts` is false for landlines."""

    id: int
    number: str
    last4: str
    texts: bool
    opted_out: bool


async def add(tx: Tx, *, name: str, **values: Any) -> int:
    return int(await _ADD.scalar(tx, name=name, **values))


_ADD = Prepared(sa.insert(t.residents).returning(t.residents.c.id))


async def add_many(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Ids in the order of the rows."""
    last = (await tx.execute(sa.select(sa.func.max(t.residents.c.id)))).scalar() or 0
    await tx.execute(sa.insert(t.residents), [dict(row) for row in rows])
    fresh = sa.select(t.residents.c.id).where(t.residents.c.id > last).order_by(t.residents.c.id)
    return list((await tx.execute(fresh)).scalars())


async def give_phones(tx: Tx, sealer: Sealer, held: Sequence[tuple[int, str]]) -> None:
    """Many (resident, number) at once, numbers that may be new or repeated among themselves."""
    numbers = list(dict.fromkeys(number for _, number in held))
    known = await _phone_ids(tx, [sealer.blind(number) for number in numbers])
    new = [number for number in numbers if sealer.blind(number) not in known]
    if new:
        await tx.execute(sa.insert(t.phones), [_sealed(sealer, number, texts=True) for number in new])
        known = await _phone_ids(tx, [sealer.blind(number) for number in numbers])
    made = {number: known[sealer.blind(number)] for number in numbers}
    rows = [{"resident_id": resident_id, "phone_id": made[number]} for resident_id, number in held]
    await tx.execute(sa.insert(t.holders), rows)


async def update(tx: Tx, resident_id: int, **values: Any) -> None:
    await tx.execute(sa.update(t.residents).where(t.residents.c.id == resident_id).values(**values))


async def many(tx: Tx, resident_ids: Sequence[int]) -> dict[int, Resident]:
    return {one.id: one for one in await _MANY.made(tx, Resident, ids=list(resident_ids))}


_MANY = Prepared(sa.select(t.residents).where(t.residents.c.id.in_(each("ids"))))


async def give_phone(tx: Tx, sealer: Sealer, resident_id: int, number: str, *, texts: bool = True) -> int:
    """Make the resident a holder of the number (E.164); a number is kept once however many hold it."""
    phone_id = await keep_phone(tx, sealer, number, texts=texts)
    if await _HELD.row(tx, resident=resident_id, phone=phone_id) is None:
        await _HOLD.run(tx, resident_id=resident_id, phone_id=phone_id)
    return phone_id


_HELD = Prepared(
    sa.select(t.holders.c.phone_id).where(
        t.holders.c.resident_id == sa.bindparam("resident"), t.holders.c.phone_id == sa.bindparam("phone")
    )
)
_HOLD = Prepared(sa.insert(t.holders))


async def take_phone(tx: Tx, phone_id: int, resident_ids: Sequence[int]) -> None:
    """The number is theirs no more; others may hold it still."""
    held = t.holders.c.phone_id == phone_id, t.holders.c.resident_id.in_(resident_ids)
    await tx.execute(sa.delete(t.holders).where(*held))


async def keep_phone(tx: Tx, sealer: Sealer, number: str, *, texts: bool = True) -> int:
    """The row of a number, made if need be."""
    known = await phone_id_of(tx, sealer, number)
    if known is not None:
        return known
    return int(await _KEEP.scalar(tx, **_sealed(sealer, number, texts=texts)))


_KEEP = Prepared(sa.insert(t.phones).returning(t.phones.c.id))


def _sealed(sealer: Sealer, number: str, *, texts: bool) -> dict[str, Any]:
    uid = uuid.uuid4().hex
    return {
        "uid": uid,
        "sealed": sealer.seal(number, bound_to=f"phones|sealed|{uid}"),
        "blind": sealer.blind(number),
        "last4": number[-4:],
        "texts": texts,
    }


async def _phone_ids(tx: Tx, blinds: Sequence[str]) -> dict[str, int]:
    query = sa.select(t.phones.c.blind, t.phones.c.id).where(t.phones.c.blind.in_(blinds))
    return {row.blind: row.id for row in await tx.execute(query)}


async def phone_id_of(tx: Tx, sealer: Sealer, number: str) -> int | None:
    found: int | None = await _PHONE_OF.scalar(tx, blind=sealer.blind(number))
    return found


_PHONE_OF = Prepared(sa.select(t.phones.c.id).where(t.phones.c.blind == sa.bindparam("blind")))


async def holders_of(tx: Tx, phone_id: int) -> list[int]:
    query = sa.select(t.holders.c.resident_id).where(t.holders.c.phone_id == phone_id)
    return sorted((await tx.execute(query)).scalars())


async def phones(tx: Tx, sealer: Sealer, resident_ids: Sequence[int]) -> dict[int, list[Phone]]:
    """Numbers of each resident, in the order they were given."""
    found: dict[int, list[Phone]] = {resident_id: [] for resident_id in resident_ids}
    for row in await _PHONES.rows(tx, ids=list(resident_ids)):
        found[row["resident_id"]].append(_phone(row, sealer))
    return found


async def phone(tx: Tx, sealer: Sealer, phone_id: int, holder: int | None) -> Phone | None:
    """A number; none if it is the holder's no more."""
    return (await of_texts(tx, sealer, [(phone_id, holder)])).get((phone_id, holder))


async def of_texts(
    tx: Tx, sealer: Sealer, wanted: Sequence[tuple[int | None, int | None]]
) -> dict[tuple[int | None, int | None], Phone]:
    """Numbers by (phone, holder); left out where the number is the holder's no more. No holder: anybody's."""
    ids = sorted({phone_id for phone_id, _ in wanted if phone_id is not None})
    if not ids:
        return {}
    found = {row["id"]: _phone(row, sealer) for row in await _BY_ID.rows(tx, ids=ids)}
    held = {(row["phone_id"], row["resident_id"]) for row in await _HOLDERS.rows(tx, ids=ids)}
    return {
        (phone_id, holder): found[phone_id]
        for phone_id, holder in wanted
        if phone_id in found and (holder is None or (phone_id, holder) in held)
    }


def _opted_out() -> sa.Label[bool]:
    standing = t.opt_outs.c.restored_at.is_(None)
    return sa.exists().where(t.opt_outs.c.blind == t.phones.c.blind, standing).label("opted_out")


_PHONES = Prepared(
    sa.select(t.holders.c.resident_id, t.phones, _opted_out())
    .join(t.phones, t.phones.c.id == t.holders.c.phone_id)
    .where(t.holders.c.resident_id.in_(each("ids")))
    .order_by(t.holders.c.resident_id, t.phones.c.id)
)
_BY_ID = Prepared(sa.select(t.phones, _opted_out()).where(t.phones.c.id.in_(each("ids"))))
_HOLDERS = Prepared(
    sa.select(t.holders.c.phone_id, t.holders.c.resident_id).where(t.holders.c.phone_id.in_(each("ids")))
)


def _phone(row: Mapping[Any, Any], sealer: Sealer) -> Phone:
    """A number that does not open any more takes no texts; whoever it belongs to is told by a person."""
    try:
        number = sealer.open(row["sealed"], bound_to=f"phones|sealed|{row['uid']}")
    except ValueError:
        number = ""
    texts = bool(number) and row["texts"]
    out = bool(row["opted_out"])
    return Phone(id=row["id"], number=number, last4=row["last4"], texts=texts, opted_out=out)


async def opt_out(tx: Tx, sealer: Sealer, number: str, *, sender: str, source: str, at: datetime) -> bool:
    """Record that this number wants no texts from this sender; False if it was known already."""
    if await is_out(tx, sealer, number):
        return False
    query = sa.insert(t.opt_outs).values(blind=sealer.blind(number), sender=sender, source=source, at=at)
    await tx.execute(query)
    return True


async def opt_in(tx: Tx, sealer: Sealer, number: str, at: datetime) -> bool:
    """Texts are welcome again; False if they were not refused."""
    query = sa.update(t.opt_outs).where(
        t.opt_outs.c.blind == sealer.blind(number), t.opt_outs.c.restored_at.is_(None)
    )
    result = await tx.execute(query.values(restored_at=at).returning(t.opt_outs.c.id))
    return result.first() is not None


async def is_out(tx: Tx, sealer: Sealer, number: str) -> bool:
    query = sa.select(t.opt_outs.c.id).where(
        t.opt_outs.c.blind == sealer.blind(number), t.opt_outs.c.restored_at.is_(None)
    )
    return (await tx.execute(query)).first() is not None
