"""Which days an office works (its marks over national days over an estimate), and when its hours happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, compress
from types import MappingProxyType
from zoneinfo import ZoneInfo

from reminder.domain.errors import Refused
from reminder.domain.limits import CountFrom
from reminder.domain.national import (
    FIRST_YEAR,
    LAST_YEAR,
    Place,
    days_of,
    holiday_names,
    national_year,
)


class MarkKind(StrEnum):
    """What an office says of a day."""

    REST = "rest"
    WORK = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMark:
    """One office's word on one day; it beats every other source."""

    kind: MarkKind
    name: str = ""


class RestKind(StrEnum):
    """Why a day is not worked."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    OFFICE = "office"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Why a day is not worked; a weekend has no name."""

    kind: RestKind
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Consecutive years, every working day numbered; a longer stretch is a new table with its own numbers."""

    years: range
    day: Mapping[int, date]
    """The working day of each number."""
    since: Mapping[date, int]
    """Number of the first working day on or after each day; it may lie just beyond the table."""
    until: Mapping[date, int]
    """Number of the last working day on or before each day; the same."""
    weekend: frozenset[date]
    doubtful: frozenset[int]
    """Years that rest on an estimate."""


NO_YEARS = _Table(years=range(0), day={}, since={}, until={}, weekend=frozenset(), doubtful=frozenset())
NEXT_DAY, SAME_DAY = CountFrom.NEXT_DAY, CountFrom.SAME_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """A working-day calendar. Nothing it answers ever changes; its table grows to the years asked for.

    `code` is "CN", "GB-ENG", "US-NY" (Refused("calendar_unknown") otherwise). `overrides` are the office's
    own marks. `confirmed_years` are years the office vouches for although no decree is packaged yet.
    Days outside 1950-2100 are Refused("calendar_year_out_of_range", year, first, last).
    """

    code: str = "CN"
    overrides: Mapping[date, DayMark] = field(default_factory=dict, hash=False)
    confirmed_years: frozenset[int] = frozenset()
    place: Place = field(init=False, repr=False, compare=False)
    _table: _Table = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        place = Place.parse(self.code)
        object.__setattr__(self, "place", place)
        object.__setattr__(self, "code", str(place))
        object.__setattr__(self, "overrides", MappingProxyType(dict(self.overrides)))
        object.__setattr__(self, "confirmed_years", frozenset(self.confirmed_years))
        object.__setattr__(self, "_table", NO_YEARS)

    def is_working(self, day: date) -> bool:
        """Whether the office works on `day`."""
        table = self._covering(day.year)
        return table.since[day] == table.until[day]

    def is_made_up(self, day: date) -> bool:
        """Whether `day` is a weekend day that is worked (a make-up workday, 调休)."""
        return self.is_working(day) and day in self._covering(day.year).weekend

    def forward(self, day: date) -> date:
        """First working day on or after `day`."""
        return self.add_working(day, 1, SAME_DAY)

    def back(self, day: date) -> date:
        """Last working day on or before `day`."""
        return self.add_working(day, -1, SAME_DAY)

    def add_working(self, day: date, n: int, count_from: CountFrom = NEXT_DAY) -> date:
        """The n-th working day after `day`, or before it if n < 0.

        With `same_day`, `day` itself is the first if it is worked. Zero is `forward(day)`.
        """
        table = self._table
        try:
            if count_from is NEXT_DAY:
                if n > 0:
                    return table.day[table.until[day] + n]
                return table.day[table.since[day] + n]
            if n > 0:
                return table.day[table.since[day] + n - 1]
            return table.day[table.until[day] + n + 1 if n else table.since[day]]
        except KeyError:
            self._grow(day, onward=n >= 0)
            return self.add_working(day, n, count_from)

    def working_between(self, after: date, through: date) -> int:
        """Working days after `after` up to and including `through`; negative if `through` is earlier."""
        self._covering(after.year)
        until = self._covering(through.year).until
        return until[through] - until[after]

    def rest_reason(self, day: date, language: str = "en_US") -> Rest | None:
        """Why `day` is not worked, or None if it is.

        A holiday's name is in `language` ("en_US", "zh_CN") where the country has it; an office's as written.
        """
        if self.is_working(day):
            return None
        mark = self.overrides.get(day)
        if mark is not None:
            return Rest(kind=RestKind.OFFICE, name=mark.name)
        name = holiday_names(self.place, day.year, language).get(day)
        if name is not None:
            return Rest(kind=RestKind.HOLIDAY, name=name)
        return Rest(kind=RestKind.WEEKEND)

    def is_confirmed(self, day: date) -> bool:
        """Whether the rest days of that year are published (or vouched for), not estimated."""
        return day.year not in self._covering(day.year).doubtful

    def provisional_years(self, first_on: date, last_on: date) -> tuple[int, ...]:
        """The years touched by first_on..last_on that rest on an estimate."""
        first, last = first_on.year, last_on.year
        self._covering(first)
        doubtful = self._covering(last).doubtful
        return tuple(year for year in range(first, last + 1) if year in doubtful) if doubtful else ()

    def provisional(self, first_on: date, last_on: date) -> bool:
        """Whether anything said about first_on..last_on may still change when a year is published."""
        return bool(self.provisional_years(first_on, last_on))

    def confirmed_through(self, year: int) -> int:
        """The last year up to which every year from `year` on is confirmed; `year - 1` if none is."""
        while year <= LAST_YEAR and self.is_confirmed(date(year, 1, 1)):
            year += 1
        return year - 1

    def _grow(self, day: date, *, onward: bool) -> None:
        """Cover the year of `day`, or twice as many years if it is covered already."""
        if day.year not in self._table.years:
            self._covering(day.year)
        elif type(day) is not date:
            raise TypeError(f"a calendar knows days, not {day!r}")
        elif onward:
            last = self._table.years[-1]
            self._covering(max(last + 1, min(last + len(self._table.years), LAST_YEAR)))
        else:
            first = self._table.years[0]
            self._covering(min(first - 1, max(first - len(self._table.years), FIRST_YEAR)))

    def _covering(self, year: int) -> _Table:
        """The table, grown first if `year` lies outside it. Replaced whole, so a reader never sees half."""
        table = self._table
        if year in table.years:
            return table
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise Refused("calendar_year_out_of_range", year=year, first=FIRST_YEAR, last=LAST_YEAR)
        ends = (year, *table.years[:1], *table.years[-1:])
        grown = self._built(range(min(ends), max(ends) + 1))
        object.__setattr__(self, "_table", grown)
        return grown

    def _built(self, years: range) -> _Table:
        nations = [national_year(self.place, year) for year in years]
        days = [day for year in years for day in days_of(year)]
        working = [works for nation in nations for works in nation.working]
        for day, mark in self.overrides.items():
            if day.year in years:
                working[(day - days[0]).days] = mark.kind is MarkKind.WORK
        through = list(accumulate(working))
        return _Table(
            years=years,
            day=dict(enumerate(compress(days, working))),
            since={day: done - works for day, done, works in zip(days, through, working, strict=True)},
            until={day: done - 1 for day, done in zip(days, through, strict=True)},
            weekend=frozenset[date]().union(*(nation.weekend for nation in nations)),
            doubtful=frozenset(
                year
                for year, nation in zip(years, nations, strict=True)
                if not nation.confirmed and year not in self.confirmed_years
            ),
        )


@lru_cache(maxsize=10_000)
def at(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local day and time; of all cases together it is asked for a few hundred.

    A time the clocks skip moves forward by the gap (02:30 becomes 03:30; a skipped day becomes the next one);
    a time they show twice is the first. `wall` must be naive.
    """
    if wall.tzinfo is not None:
        raise ValueError("a wall time carries no zone of its own")
    return datetime.combine(day, wall.replace(fold=0), tzinfo=zone).astimezone(UTC)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day people in `zone` call today at `instant` (aware; ValueError if naive)."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant.astimezone(zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A daily span of local time, open from `start` until just before `end`; it may cross midnight.

    It opens and closes when the wall clock first shows those times, as `at` reads them. The two must differ.
    """

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError("hours that start when they end are neither open nor closed")

    def is_open(self, instant: datetime, zone: ZoneInfo) -> bool:
        """Whether `instant` (aware) lies in the span of its local day, or of the day before it."""
        return any(start <= instant < end for start, end in self._spans(instant, zone))

    def next_open(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """`instant` if it is open, else the next opening; aware UTC."""
        spans = self._spans(instant, zone)
        if any(start <= instant < end for start, end in spans):
            return instant.astimezone(UTC)
        return min(start for start, end in spans if start > instant and start < end)

    def _spans(self, instant: datetime, zone: ZoneInfo) -> Sequence[tuple[datetime, datetime]]:
        """The spans of the days around `instant`; a day the clocks skip falls together with the next."""
        return _spans_around(self.start, self.end, local_day(instant, zone), zone)


@lru_cache(maxsize=256)
def _spans_around(start: time, end: time, today: date, zone: ZoneInfo) -> Sequence[tuple[datetime, datetime]]:
    overnight = timedelta(days=end < start)
    days = [today + timedelta(days=n) for n in range(-2, 4)]
    return [(at(day, start, zone), at(day + overnight, end, zone)) for day in days]
