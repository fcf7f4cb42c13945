"""What happens to the dates of open cases when the office marks a day as rest or work?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from reminder.actions import record
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.replan import replan
from reminder.domain.workdays import DayMark, WorkCalendar
from reminder.store import calendars, overview
from reminder.store.database import Tx


def marked(desk: Desk, marks: Mapping[date, DayMark]) -> Desk:
    """The desk with these marks over every calendar it knows."""

    def over(calendar: WorkCalendar) -> WorkCalendar:
        return WorkCalendar(
            code=calendar.code,
            overrides={**calendar.overrides, **marks},
            confirmed_years=calendar.confirmed_years,
        )

    known = desk.calendar_of  # the desk may be given these very calendars
    office = replace(desk.office, calendar=over(desk.office.calendar))
    return replace(desk, office=office, calendar_of=lambda code: over(known(code)), _offices={})


async def adopt(tx: Tx, desk: Desk) -> None:
    """Count with the days marked by hand, as they stand in the database."""
    marks = await calendars.marks(tx)
    if marks:
        desk.use_calendars_of(marked(desk, marks))


async def would_move(tx: Tx, desk: Desk, by: Actor, day: date, mark: DayMark) -> int:
    """How many open entries would get another date. Everything it tries is rolled back."""
    await permit(tx, by, "calendar")
    tried = marked(desk, {day: mark})
    moved = 0
    attempt = await tx.begin_nested()
    try:
        for case_id in await overview.cases_under_way(tx):
            plan = await replan(tx, tried, case_id)
            moved += sum(1 for entry in plan.change.moved if entry.is_open)
    finally:
        await attempt.rollback()
    return moved


async def mark_day(tx: Tx, desk: Desk, by: Actor, day: date, mark: DayMark) -> None:
    """Keep the mark. Whoever holds the desk reads the calendars afresh and replans open cases."""
    await permit(tx, by, "calendar")
    await calendars.put(tx, day, mark)
    await record.begin(tx, desk, by, None, f"calendar:{day.isoformat()}:{mark.kind}")
