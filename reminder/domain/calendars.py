"""What an office's calendar file says: its own rest days, its make-up workdays, the years it vouches for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from reminder.domain.csvtext import Row, day_of, rows_of
from reminder.domain.faults import Faults
from reminder.domain.national import FIRST_YEAR, LAST_YEAR, Place, days_of, national_year
from reminder.domain.workdays import DayMark, MarkKind, WorkCalendar

COLUMNS = ("date", "kind", "name")
CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """An office's marks by day, and the years it declares complete."""

    marks: Mapping[date, DayMark]
    confirmed_years: frozenset[int]

    def over(self, code: str) -> WorkCalendar:
        """The calendar `code` with these marks on top. Refused("calendar_unknown") for an unknown code."""
        return WorkCalendar(code=code, overrides=self.marks, confirmed_years=self.confirmed_years)


NO_OVERRIDES = Overrides(marks={}, confirmed_years=frozenset())


def whole_year(code: str, year: int, marks: Mapping[date, DayMark]) -> dict[date, DayMark]:
    """Marks that make a year exactly its list: plain weeks but for what it names, whatever was guessed."""
    nation = national_year(Place.parse(code), year)
    found = dict(marks)
    for day, works in zip(days_of(year), nation.working, strict=True):
        plain = day not in nation.weekend
        if works is not plain:
            found.setdefault(day, DayMark(kind=MarkKind.WORK if plain else MarkKind.REST))
    return found


def read_overrides(text: str, place: str, lang: str = "en") -> Overrides:
    """Read a calendar CSV with the header `date,kind,name`; `place` names it in faults.

    `2027-03-30,rest,三月三` rests, `2027-02-13,work,补班` works; `2027,confirmed,` says that every rest day
    and make-up workday of 2027 is known, so its dates are no longer provisional. Faulty with every fault.
    """
    faults = Faults(place=place, lang=lang)
    rows = rows_of(text, COLUMNS, COLUMNS, faults)
    marks: dict[date, DayMark] = {}
    years: set[int] = set()
    seen: dict[str, int | None] = {}
    for row in rows:
        earlier = seen.setdefault(row["date"], row.line)
        if row["kind"] == CONFIRMED:
            year = _year_of(row, faults)
            if year is not None:
                years.add(year)
        else:
            marked = _mark_of(row, faults)
            if marked is not None:
                marks[marked[0]] = marked[1]
        if earlier != row.line:
            faults.add("twice", line=row.line, column="date", text=row["date"], earlier=earlier)
    faults.stop()
    return Overrides(marks=marks, confirmed_years=frozenset(years))


def _year_of(row: Row, faults: Faults) -> int | None:
    text = row["date"]
    if re.fullmatch(r"[0-9]{4}", text) and FIRST_YEAR <= int(text) <= LAST_YEAR:
        return int(text)
    faults.add("not_a_year", line=row.line, column="date", text=text)
    return None


def _mark_of(row: Row, faults: Faults) -> tuple[date, DayMark] | None:
    day = day_of(row["date"])
    if day is None:
        faults.add("not_a_day", line=row.line, column="date", text=row["date"])
    if row["kind"] not in set(MarkKind):
        choices = ", ".join([*MarkKind, CONFIRMED])
        faults.add("not_one_of", line=row.line, column="kind", text=row["kind"], choices=choices)
        return None
    return None if day is None else (day, DayMark(kind=MarkKind(row["kind"]), name=row["name"]))
