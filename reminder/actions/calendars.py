"""By which days does the office count: its settings, the published years, what was marked by hand?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from reminder.actions import record
from reminder.actions.calendar_change import moves_of
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.domain.calendars import whole_year
from reminder.domain.workdays import DayMark, WorkCalendar
from reminder.store import calendars, overview
from reminder.store.calendars import Kept
from reminder.store.database import Tx


def marked(
    desk: Desk, marks: Mapping[date, DayMark], years: Mapping[int, Mapping[date, DayMark]] | None = None
) -> Desk:
    """The desk with these marks over every calendar it knows, and these years under its own country's."""
    country = desk.office.calendar.code
    published = _layer(country, years or {})

    def over(calendar: WorkCalendar) -> WorkCalendar:
        ours = calendar.code == country
        return WorkCalendar(
            code=calendar.code,
            overrides={**(published if ours else {}), **calendar.overrides, **marks},
            confirmed_years=calendar.confirmed_years | frozenset((years or {}) if ours else ()),
        )

    known = desk.calendar_of  # the desk may be given these very calendars
    made: dict[str, WorkCalendar] = {}

    def calendar_of(code: str) -> WorkCalendar:
        if code not in made:
            made[code] = over(known(code))
        return made[code]

    office = replace(desk.office, calendar=over(desk.office.calendar))
    return replace(desk, office=office, calendar_of=calendar_of, _offices={})


def _layer(country: str, years: Mapping[int, Mapping[date, DayMark]]) -> dict[date, DayMark]:
    """The marks of all published years; over New Year the list of the day's own year has the last word."""
    found: dict[date, DayMark] = {}
    for year, marks in sorted(years.items()):
        found |= whole_year(country, year, marks)
    for year, marks in years.items():
        found |= {day: mark for day, mark in marks.items() if day.year == year}
    return found


def with_days(desk: Desk, kept: Kept) -> Desk:
    """The desk of the settings, counting with what the database says of days."""
    found = marked(desk.plain(), kept.marks, kept.years)
    found.calendar_sign = kept.sign
    return found


async def adopt(tx: Tx, desk: Desk) -> None:
    """Count with the days as they stand in the database."""
    kept = await calendars.kept(tx)
    if kept.sign != desk.calendar_sign:
        desk.use_calendars_of(with_days(desk, kept))


async def behind(tx: Tx, desk: Desk) -> bool:
    """Whether the desk, or some open case, does not yet count by the days of the database."""
    sign = (await calendars.kept(tx)).sign
    return sign != desk.calendar_sign or sign != await calendars.followed(tx)


async def would_move(tx: Tx, desk: Desk, by: Actor, day: date, mark: DayMark) -> int:
    """How many open entries would get another date."""
    await permit(tx, by, "calendar")
    tried = marked(desk, {day: mark})
    return len([m for m in await moves_of(tx, tried, await overview.cases_under_way(tx)) if m.is_moved])


async def mark_day(tx: Tx, desk: Desk, by: Actor, day: date, mark: DayMark) -> None:
    """Keep the mark. Whoever holds the desk sees it, counts with it and lets the open cases follow."""
    await permit(tx, by, "calendar")
    await calendars.put(tx, day, mark)
    await record.begin(tx, desk, by, None, f"calendar:{day.isoformat()}:{mark.kind}")
