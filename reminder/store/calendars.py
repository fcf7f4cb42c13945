"""Days an office marked as rest or work by hand, over its national calendar."""

from datetime import date

import sqlalchemy as sa

from reminder.domain.workdays import DayMark, MarkKind
from reminder.store import tables as t
from reminder.store.database import Tx


async def marks(tx: Tx) -> dict[date, DayMark]:
    """Every marked day, earliest first."""
    found = await tx.execute(sa.select(t.calendar_days).order_by(t.calendar_days.c.day))
    return {row.day: DayMark(kind=MarkKind(row.kind), name=row.name) for row in found}


async def put(tx: Tx, day: date, mark: DayMark) -> None:
    """Mark a day; an earlier mark of the same day gives way."""
    await tx.execute(sa.delete(t.calendar_days).where(t.calendar_days.c.day == day))
    await tx.execute(sa.insert(t.calendar_days).values(day=day, kind=mark.kind.value, name=mark.name))
