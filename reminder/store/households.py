"""Households of a village by their label: only what a round needs."""

from dataclasses import dataclass

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    id: int
    place: str
    label: str
    members: int
    agreed: bool


async def add(tx: Tx, *, place: str, label: str, members: int, agreed: bool) -> int:
    query = sa.insert(t.households).values(place=place, label=label, members=members, agreed=agreed)
    return int((await tx.execute(query.returning(t.households.c.id))).scalar_one())


async def at(tx: Tx, place: str, *, agreed: bool = False) -> list[Household]:
    """Of a village, in the order they were written down; only those that welcome care visits if asked."""
    query = sa.select(t.households).where(t.households.c.place == place).order_by(t.households.c.id)
    if agreed:
        query = query.where(t.households.c.agreed)
    return [Household(**dict(row)) for row in (await tx.execute(query)).mappings()]
