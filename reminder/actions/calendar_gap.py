"""When are admins reminded that next year's rest days are not known yet, and when does that stop?"""

from datetime import date, datetime, timedelta

from reminder.actions.calendar_change import next_morning
from reminder.actions.desk import Desk
from reminder.actions.direct import tell
from reminder.domain.people import Person, Role
from reminder.domain.reminders import Reason, State
from reminder.domain.workdays import WorkCalendar, local_day
from reminder.store import overview, people, reminders
from reminder.store.database import Tx

KIND = "calendar_gap"
FROM = (10, 25)
"""Notices have come out between 25 October and 8 December."""

LIFE = timedelta(days=7)


def missing_year(calendar: WorkCalendar, today: date) -> int | None:
    """The year whose rest days are wanted now: this one, or the next from 25 October on."""
    for year in (today.year, today.year + 1):
        wanted_now = year == today.year or (today.month, today.day) >= FROM
        if wanted_now and not calendar.is_confirmed(date(year, 1, 1)):
            return year
    return None


async def remind_admins(tx: Tx, desk: Desk) -> int:
    """One message for each admin and week, on a working morning, until the year is known; how many are new.

    Once it is known, what still waits to go is taken back.
    """
    now, office = desk.clock.now(), desk.office
    today = local_day(now, office.zone)
    year = missing_year(office.calendar, today)
    admins = (await people.staff(tx)).holding(Role.ADMIN)
    if year is None:
        keys = [_key(desk, person, y) for person in admins for y in (today.year, today.year + 1)]
        return sum([await _take_back(tx, key, now) for key in keys])
    n, written = await overview.provisional(tx), 0
    for person in admins:
        key, starts = _key(desk, person, year), next_morning(desk, person)
        written += await tell(tx, desk, person, KIND, key=key, at=starts, detail={"year": year, "n": n})
    return written


def _key(desk: Desk, person: Person, year: int) -> str:
    """One for each admin, year and week of their next working morning."""
    week = local_day(next_morning(desk, person), desk.office.zone).isocalendar()
    return f"{KIND}:{year}:{week.year}-W{week.week:02}:{person.id}"


async def _take_back(tx: Tx, key: str, now: datetime) -> int:
    waiting = await reminders.by_key(tx, key)
    if waiting is None or waiting.state is not State.PLANNED:
        return 0
    ended = {"reason": Reason.SUBJECT_CLOSED.value, "ended_at": now}
    await reminders.move(tx, waiting.id, State.PLANNED, State.CANCELLED, **ended)
    return 1
