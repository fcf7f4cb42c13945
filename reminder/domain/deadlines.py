"""When a limit ends, what to promise, and how that was reached."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import assert_never

from reminder.domain.errors import Refused
from reminder.domain.limits import CountFrom, Limit, Roll, Unit
from reminder.domain.national import FIRST_YEAR, LAST_YEAR
from reminder.domain.workdays import RestKind, WorkCalendar

LONGEST = 999_999
"""Largest amount of any unit: nearly two years of minutes."""

ONE_DAY = timedelta(days=1)


class StepKind(StrEnum):
    """One reason why a date is what it is."""

    SKIPPED = "skipped"
    """Rest days that did not count, or that the end was rolled over."""
    MADE_UP = "made_up"
    """A weekend day that counted because it is worked."""
    CLAMPED = "clamped"
    """The month has no such day, so its last day stands in (Civil Code art. 202)."""
    ROLLED = "rolled"
    """The end moved from first_on to last_on."""
    PULLED_BACK = "pulled_back"
    """The promise lies on first_on because the days up to last_on, the nominal end, are rest days."""
    PROVISIONAL = "provisional"
    """The year first_on..last_on is not published: the date may still change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the reckoning, as data; `why` and `name` belong to skipped days."""

    kind: StepKind
    first_on: date
    last_on: date
    why: RestKind | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The end of a limit: dates for day units, date-times for elapsed ones.

    `effective` is the statutory end; `promise` the day (or instant) a resident may be told, never after
    `nominal`. A promise can lie before `anchor` when all days in between are rest days.
    """

    nominal: date
    effective: date
    promise: date
    provisional_years: tuple[int, ...]
    """Years the reckoning touched that are not published yet."""
    anchor: date
    limit: Limit
    count_from: CountFrom
    roll: Roll
    calendar: WorkCalendar = field(repr=False)

    @property
    def provisional(self) -> bool:
        """Whether publishing a year's rest days may still move the dates."""
        return bool(self.provisional_years)

    @property
    def steps(self) -> tuple[Step, ...]:
        """How the dates were reached; holiday names in English."""
        return self.steps_in("en_US")

    def steps_in(self, language: str) -> tuple[Step, ...]:
        """How the dates were reached; holiday names in `language` where the country has it."""
        return tuple(_reached(self, language))


def deadline(
    anchor: date,
    limit: Limit,
    calendar: WorkCalendar,
    *,
    count_from: CountFrom = CountFrom.NEXT_DAY,
    roll: Roll = Roll.FORWARD,
    promise: Limit | None = None,
) -> Due:
    """The end of `limit` counted from `anchor` (Civil Code art. 201-203).

    Day units take and give dates; hours and minutes take and give date-times, run through every night and
    holiday and never roll. Working days end on a working day, so their nominal and effective end are one.
    `promise` is a shorter limit of the same sort (days or elapsed) the office sets itself.
    Refused: "limit_needs_day", "limit_needs_time", "limit_out_of_range", "promise_other_sort",
    "calendar_year_out_of_range".
    """
    if promise is not None and promise.unit.elapsed != limit.unit.elapsed:
        raise Refused("promise_other_sort", limit=limit, promise=promise)
    reckon = _in_time if limit.unit.elapsed else _in_days
    return reckon(
        anchor=anchor, limit=limit, calendar=calendar, count_from=count_from, roll=roll, promise=promise
    )


def extend(due: Due, days: int, calendar: WorkCalendar, roll: Roll = Roll.FORWARD) -> Due:
    """`due` made longer by calendar days, counted from its nominal end and not from the rolled one.

    Refused("extension_needs_day") for hours and minutes, which have no days to add.
    """
    if due.limit.unit.elapsed:
        raise Refused("extension_needs_day", limit=due.limit)
    return deadline(due.nominal, Limit(days, Unit.CAL), calendar, roll=roll)


def before(due_on: date, days: int, calendar: WorkCalendar) -> date:
    """The reminder day `days` calendar days before `due_on`, pulled back to a working day.

    Several of them can fall on one day: before a long holiday 7, 3 and 1 days often do.
    """
    return calendar.back(due_on - timedelta(days=days))


def after_working(due_on: date, days: int, calendar: WorkCalendar) -> date:
    """The reminder day `days` working days after `due_on`."""
    return calendar.add_working(due_on, days)


def _in_time(
    *,
    anchor: date,
    limit: Limit,
    calendar: WorkCalendar,
    count_from: CountFrom,
    roll: Roll,
    promise: Limit | None,
) -> Due:
    nominal = _elapsed(anchor, limit)
    return Due(
        nominal=nominal,
        effective=nominal,
        promise=nominal if promise is None else min(nominal, _elapsed(anchor, promise)),
        provisional_years=(),
        anchor=anchor,
        limit=limit,
        count_from=count_from,
        roll=roll,
        calendar=calendar,
    )


def _in_days(
    *,
    anchor: date,
    limit: Limit,
    calendar: WorkCalendar,
    count_from: CountFrom,
    roll: Roll,
    promise: Limit | None,
) -> Due:
    nominal = _nominal(anchor, limit, calendar, count_from)
    effective = _rolled(nominal, calendar, roll)
    promised = calendar.back(nominal)
    if promise is not None:
        promised = min(promised, calendar.back(_nominal(anchor, promise, calendar, count_from)))
    first_on = min(promised, anchor if _counts_working(limit, promise) else effective)
    return Due(
        nominal=nominal,
        effective=effective,
        promise=promised,
        provisional_years=calendar.provisional_years(first_on, max(nominal, effective)),
        anchor=anchor,
        limit=limit,
        count_from=count_from,
        roll=roll,
        calendar=calendar,
    )


def _counts_working(limit: Limit, promise: Limit | None) -> bool:
    return limit.unit is Unit.WD or (promise is not None and promise.unit is Unit.WD)


def _nominal(anchor: date, limit: Limit, calendar: WorkCalendar, count_from: CountFrom) -> date:
    if isinstance(anchor, datetime):
        raise Refused("limit_needs_day", limit=limit)
    _check_amount(limit)
    _check_year(anchor.year)
    same_day = count_from is CountFrom.SAME_DAY
    match limit.unit:
        case Unit.CAL:
            end = anchor + timedelta(days=limit.amount - (same_day and limit.amount > 0))
        case Unit.WD:
            end = calendar.add_working(anchor, limit.amount, count_from)
        case Unit.MONTH:
            end = _months_on(anchor, limit.amount, same_day)
        case Unit.HOUR | Unit.MINUTE:
            raise Refused("limit_needs_time", limit=limit)
        case _:
            assert_never(limit.unit)
    _check_year(end.year)
    return end


def _months_on(anchor: date, months: int, same_day: bool) -> date:
    """The corresponding day, or the month's last; one day sooner if the anchor was the first day."""
    if months == 0:
        return anchor
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    _check_year(year)
    last = monthrange(year, month + 1)[1]
    if anchor.day > last:
        return date(year, month + 1, last)
    return date(year, month + 1, anchor.day) - ONE_DAY * same_day


def _elapsed(anchor: date, limit: Limit) -> datetime:
    """Counted in real time: an aware anchor keeps its zone, a naive one is a clock that never changes."""
    if not isinstance(anchor, datetime):
        raise Refused("limit_needs_time", limit=limit)
    _check_amount(limit)
    _check_year(anchor.year)
    span = timedelta(hours=limit.amount) if limit.unit is Unit.HOUR else timedelta(minutes=limit.amount)
    if anchor.tzinfo is None:
        return anchor + span
    return (anchor.astimezone(UTC) + span).astimezone(anchor.tzinfo)


def _rolled(nominal: date, calendar: WorkCalendar, roll: Roll) -> date:
    match roll:
        case Roll.FORWARD:
            return calendar.forward(nominal)
        case Roll.BACK:
            return calendar.back(nominal)
        case Roll.NONE:
            return nominal
        case _:
            assert_never(roll)


def _check_amount(limit: Limit) -> None:
    if not 0 <= limit.amount <= LONGEST:
        raise Refused("limit_out_of_range", limit=limit, longest=LONGEST)


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused("calendar_year_out_of_range", year=year, first=FIRST_YEAR, last=LAST_YEAR)


def _reached(due: Due, language: str) -> Iterator[Step]:
    if due.limit.unit.elapsed:
        return
    if due.limit.unit is Unit.MONTH and due.nominal.day < due.anchor.day and _ends_month(due.nominal):
        yield Step(kind=StepKind.CLAMPED, first_on=due.nominal, last_on=due.nominal)
    yield from _days_met(due, language)
    if due.effective != due.nominal:
        yield Step(kind=StepKind.ROLLED, first_on=due.nominal, last_on=due.effective)
    if due.promise != due.nominal and due.promise == due.calendar.back(due.nominal):
        yield Step(kind=StepKind.PULLED_BACK, first_on=due.promise, last_on=due.nominal)
    for year in due.provisional_years:
        yield Step(kind=StepKind.PROVISIONAL, first_on=date(year, 1, 1), last_on=date(year, 12, 31))


def _ends_month(day: date) -> bool:
    return (day + ONE_DAY).month != day.month


def _days_met(due: Due, language: str) -> Iterator[Step]:
    """Rest days passed over and make-up days that counted, in runs of one reason."""
    calendar = due.calendar
    if due.limit.unit is Unit.WD:
        first_on = due.anchor if due.count_from is CountFrom.SAME_DAY else due.anchor + ONE_DAY
        days = _span(min(first_on, due.nominal), due.nominal)
    else:
        days = _span(min(due.promise, due.effective), max(due.nominal, due.effective))
    for (rest, made_up), run in groupby(
        days, key=lambda day: (calendar.rest_reason(day, language), calendar.is_made_up(day))
    ):
        first_on, *others = run
        last_on = others[-1] if others else first_on
        if rest is not None:
            yield Step(
                kind=StepKind.SKIPPED, first_on=first_on, last_on=last_on, why=rest.kind, name=rest.name
            )
        elif made_up:
            yield Step(kind=StepKind.MADE_UP, first_on=first_on, last_on=last_on)


def _span(first_on: date, last_on: date) -> Iterator[date]:
    return (first_on + timedelta(days=n) for n in range((last_on - first_on).days + 1))
