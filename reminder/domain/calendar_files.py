"""What does a file of rest days say: our CSV, an all-day ICS, or the JSON of holiday-cn?"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from reminder.domain.calendars import Overrides, read_overrides
from reminder.domain.csvtext import day_of, decoded
from reminder.domain.faults import Faults
from reminder.domain.national import FIRST_YEAR, LAST_YEAR
from reminder.domain.workdays import DayMark, MarkKind

ONE_DAY = timedelta(days=1)
LONGEST = 60
"""Days an event may last; a longer one has its end mistyped."""

ENOUGH = 5
"""So many days off from Monday to Friday at least make a list that can be a country's whole year."""

NEW_YEAR = 7
"""A year's list may tell so many days of its neighbours: a holiday over New Year belongs to both."""


def is_calendar(name: str, content: bytes) -> bool:
    """Whether a file means to be a calendar, however faulty; everything else may be a ledger."""
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    header = start.partition(b"\n")[0].replace(b" ", b"").strip()
    ours = {b"date", b"kind"} <= set(header.split(b","))
    return ours or start.startswith((b"begin:vcalendar", b"{")) or name.casefold().endswith((".ics", ".json"))


def read_calendar(name: str, content: bytes, lang: str = "en") -> Overrides:
    """The marks of a file and the years it tells wholly. Faulty with every fault, with line and remedy."""
    faults = Faults(place=name, lang=lang)
    text = decoded(content, faults)
    start = text.lstrip()[:20].upper()
    if start.startswith("BEGIN:VCALENDAR") or name.casefold().endswith(".ics"):
        return _from_ics(text, faults)
    if start.startswith("{") or name.casefold().endswith(".json"):
        return _from_json(text, faults)
    found = read_overrides(text, name, lang)
    _whole(found.marks, sorted(found.confirmed_years), faults)
    faults.stop()
    return found


def days_off(marks: Mapping[date, DayMark], year: int) -> int:
    """Rest days of a year that fall on Monday to Friday."""
    return sum(
        day.year == year and day.weekday() < 5 and mark.kind is MarkKind.REST for day, mark in marks.items()
    )


def _is_whole(marks: Mapping[date, DayMark], year: int) -> bool:
    """Hardly a holiday, or work on New Year's Day: that is somebody's own days, not a country's year."""
    first = date(year, 1, 1)
    rests = first.weekday() >= 5 if first not in marks else marks[first].kind is MarkKind.REST
    return rests and days_off(marks, year) >= ENOUGH


def _whole(marks: Mapping[date, DayMark], years: list[int], faults: Faults) -> None:
    """A year called complete that is not would make workdays of all the holidays it leaves out."""
    for year in years:
        if not _is_whole(marks, year):
            faults.add("year_thin", year=year, n=days_off(marks, year))


# --- holiday-cn: {"year": 2027, "days": [{"name", "date", "isOffDay"}]} --------------------------


def _from_json(text: str, faults: Faults) -> Overrides:
    try:
        table: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        faults.give_up("not_json", line=getattr(error, "lineno", None), reason=_reason(error))
    year = table.get("year") if isinstance(table, dict) else None
    days = table.get("days") if isinstance(table, dict) else None
    if type(year) is not int or not FIRST_YEAR <= year <= LAST_YEAR or not isinstance(days, list):
        faults.give_up("not_holidays")
    if not days:
        faults.give_up("no_days_yet", year=year)
    seen = _Seen(faults=faults)
    for number, line in enumerate(_lines_of_days(text, len(days))):
        day, mark = _json_day(days[number], year, line, number, faults)
        if day is not None and mark is not None:
            seen.add(day, mark, line)
    if not faults.found:
        _whole(seen.marks, [year], faults)
    faults.stop()
    return Overrides(marks=seen.marks, confirmed_years=frozenset({year}))


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__


def _lines_of_days(text: str, count: int) -> list[int | None]:
    """The line of each day, by its "date"; none where one of them has no such key."""
    found: list[int | None] = [text.count("\n", 0, at.start()) + 1 for at in re.finditer(r'"date"\s*:', text)]
    return found if len(found) == count else [None] * count


def _json_day(
    told: Any, year: int, line: int | None, number: int, faults: Faults
) -> tuple[date | None, DayMark | None]:
    place = f"days[{number}]"
    row: Mapping[str, Any] = told if isinstance(told, dict) else {}
    day, name, off = row.get("date"), row.get("name"), row.get("isOffDay")
    known = day_of(day) if isinstance(day, str) else None
    if known is None:
        faults.add("not_a_day", line=line, column=place, text=str(day)[:40])
    elif not _near(known, year):
        faults.add("far_away", line=line, column=place, text=known.isoformat(), year=year)
    for field_name, fits in (("name", isinstance(name, str)), ("isOffDay", isinstance(off, bool))):
        if not fits:
            faults.add("day_field", line=line, column=place, field=field_name)
    kind = MarkKind.REST if off else MarkKind.WORK
    return known, DayMark(kind=kind, name=str(name)[:80])


def _near(day: date, year: int) -> bool:
    last, first = date(year - 1, 12, 31), date(year + 1, 1, 1)
    return day.year == year or -NEW_YEAR < (day - last).days <= 0 or 0 <= (day - first).days < NEW_YEAR


def year_of(day: date, years: frozenset[int]) -> int | None:
    """The complete year a mark belongs to: its own, or the one its holiday over New Year was told with."""
    if day.year in years:
        return day.year
    return next((year for year in sorted(years) if _near(day, year)), None)


# --- ICS: all-day events; make-up workdays begin with 上班 or 补班 --------------------------------

_MADE_UP = re.compile(r"\s*(?:上班|补班|调休上班)\s*[(（]?\s*(?:补)?\s*(?P<name>[^()（）]*)[)）]?\s*")
_PROPERTY = re.compile(
    r"(?P<name>[A-Za-z0-9-]+)(?P<params>(?:;[^:\"]*(?:\"[^\"]*\"[^:\";]*)*)*):(?P<value>.*)"
)


@dataclass(slots=True, kw_only=True)
class _Seen:
    """Marks so far, and the line of each day."""

    faults: Faults
    marks: dict[date, DayMark] = field(default_factory=dict)
    lines: dict[date, int | None] = field(default_factory=dict)

    def add(self, day: date, mark: DayMark, line: int | None) -> None:
        known = self.marks.get(day)
        if known is not None and known.kind is not mark.kind:
            self.faults.add("both", line=line, text=day.isoformat(), earlier=self.lines[day])
            return
        self.marks.setdefault(day, mark)
        self.lines.setdefault(day, line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int
    name: str
    params: str
    value: str


def _from_ics(text: str, faults: Faults) -> Overrides:
    seen = _Seen(faults=faults)
    event: dict[str, _Line] | None = None
    depth: list[str] = []
    for line in _unfolded(text, faults):
        if line.name == "BEGIN":
            depth.append(line.value.strip().upper())
            event = {"BEGIN": line} if depth[-1] == "VEVENT" else event
        elif line.name == "END":
            if depth[-1:] == ["VEVENT"] and event is not None:
                _event(event, seen)
            del depth[-1:]
        elif depth[-1:] == ["VEVENT"] and event is not None:
            event.setdefault(line.name, line)
    if depth:
        faults.add("cut_off", wanted=f"END:{depth[-1]}")
    elif not seen.marks and not faults.found:
        faults.give_up("empty", header="BEGIN:VCALENDAR … BEGIN:VEVENT")
    faults.stop()
    years = frozenset(year for year in {day.year for day in seen.marks} if _is_whole(seen.marks, year))
    return Overrides(marks=seen.marks, confirmed_years=years)


def _unfolded(text: str, faults: Faults) -> Iterator[_Line]:
    """Long lines are folded: what begins with a blank goes on with the line before (RFC 5545, 3.1)."""
    whole: list[tuple[int, str]] = []
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if raw[:1] in {" ", "\t"} and whole:
            whole[-1] = (whole[-1][0], whole[-1][1] + raw[1:])
        elif raw.strip():
            whole.append((number, raw))
    for number, raw in whole:
        found = _PROPERTY.fullmatch(raw)
        if found is None:
            faults.add("not_all_day", line=number, text=raw[:40])
            continue
        name, params = found["name"].upper(), found["params"].upper()
        yield _Line(number=number, name=name, params=params, value=found["value"])


def _event(told: Mapping[str, _Line], seen: _Seen) -> None:
    faults, begin = seen.faults, told["BEGIN"].number
    if "STATUS" in told and told["STATUS"].value.strip().upper() == "CANCELLED":
        return
    if "RRULE" in told:
        faults.add("repeats", line=told["RRULE"].number)
        return
    if "DTSTART" not in told:
        faults.add("day_needed", line=begin)
        return
    first = _ics_day(told["DTSTART"], faults)
    ends = _ics_day(told["DTEND"], faults) if "DTEND" in told else first and first + ONE_DAY
    if first is None or ends is None:
        return
    if ends <= first:
        faults.add("ends_early", line=told["DTEND"].number)
    elif (n := (ends - first).days) > LONGEST:
        faults.add("too_long", line=told["DTEND"].number, n=n)
    else:
        mark = _ics_mark(told["SUMMARY"].value if "SUMMARY" in told else "")
        for number in range(n):
            seen.add(first + number * ONE_DAY, mark, told["DTSTART"].number)


def _ics_day(line: _Line, faults: Faults) -> date | None:
    said = line.value.strip()
    if re.fullmatch(r"[0-9]{8}", said) and "VALUE=DATE-TIME" not in line.params:
        day = day_of(f"{said[:4]}-{said[4:6]}-{said[6:]}")
        if day is None:
            faults.add("not_a_day", line=line.number, text=said)
        return day
    faults.add("not_all_day", line=line.number, text=said[:40])
    return None


def _ics_mark(summary: str) -> DayMark:
    said = re.sub(r"\\([,;\\nN])", lambda m: " " if m[1] in "nN" else m[1], summary).strip()
    found = _MADE_UP.fullmatch(said)
    if found is None:
        return DayMark(kind=MarkKind.REST, name=said[:80])
    return DayMark(kind=MarkKind.WORK, name=found["name"].strip()[:80])
