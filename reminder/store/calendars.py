"""What an office said of days: those marked by hand, and whole years as they were published."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from reminder.domain.workdays import DayMark, MarkKind
from reminder.store import meta
from reminder.store import tables as t
from reminder.store.database import Tx

_YEAR = "calendar.year."
_FOLLOWED = "calendar.followed"

Marks = Mapping[date, DayMark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Marks by hand beat those of the published years; what a year does not name is a plain week."""

    marks: Marks = field(default_factory=dict)
    years: Mapping[int, Marks] = field(default_factory=dict)

    @property
    def sign(self) -> str:
        """Same days, same sign; empty for none."""
        if not self.marks and not self.years:
            return ""
        whole = [_listed(self.marks), [[year, _listed(marks)] for year, marks in sorted(self.years.items())]]
        return hashlib.sha256(json.dumps(whole, ensure_ascii=False).encode()).hexdigest()[:16]


def _listed(marks: Marks) -> list[list[str]]:
    return [[day.isoformat(), mark.kind.value, mark.name] for day, mark in sorted(marks.items())]


async def kept(tx: Tx) -> Kept:
    return Kept(marks=await marks(tx), years=await years(tx))


async def marks(tx: Tx) -> dict[date, DayMark]:
    """Every day marked by hand, earliest first."""
    found = await tx.execute(sa.select(t.calendar_days).order_by(t.calendar_days.c.day))
    return {row.day: DayMark(kind=MarkKind(row.kind), name=row.name) for row in found}


async def put(tx: Tx, day: date, mark: DayMark) -> None:
    """Mark a day; an earlier mark of the same day gives way."""
    await tx.execute(sa.delete(t.calendar_days).where(t.calendar_days.c.day == day))
    await tx.execute(sa.insert(t.calendar_days).values(day=day, kind=mark.kind.value, name=mark.name))


async def years(tx: Tx) -> dict[int, dict[date, DayMark]]:
    """The published years that were imported, each with every mark of its list."""
    rows = await tx.execute(sa.select(t.meta.c.key, t.meta.c.value).where(t.meta.c.key.like(f"{_YEAR}%")))
    return {int(key.removeprefix(_YEAR)): _read(value) for key, value in sorted((r[0], r[1]) for r in rows)}


def _read(value: str) -> dict[date, DayMark]:
    return {
        date.fromisoformat(day): DayMark(kind=MarkKind(kind), name=name)
        for day, kind, name in json.loads(value)
    }


async def put_year(tx: Tx, year: int, found: Marks) -> None:
    """Keep a year's whole list; an earlier one of the same year gives way."""
    await meta.put(tx, f"{_YEAR}{year}", json.dumps(_listed(found), ensure_ascii=False))


async def followed(tx: Tx) -> str:
    """The sign of the days that every open case is known to follow."""
    return await meta.get(tx, _FOLLOWED) or ""


async def set_followed(tx: Tx, sign: str) -> None:
    await meta.put(tx, _FOLLOWED, sign)
