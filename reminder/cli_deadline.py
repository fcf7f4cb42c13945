"""`reminder deadline`: when one limit, or each limit of a CSV, ends and how that was reached."""

import datetime as dt
import json as jsonlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from reminder.domain import deadlines
from reminder.domain.calendars import NO_OVERRIDES, Overrides, read_overrides
from reminder.domain.csvtext import Row, day_of, decoded, rows_of
from reminder.domain.deadline_words import Lang, explained, explained_extension
from reminder.domain.deadlines import LONGEST, Due
from reminder.domain.errors import Faulty, Refused
from reminder.domain.faults import ARGUMENT, STDIN, Faults
from reminder.domain.limits import CountFrom, Limit, Roll, Unit
from reminder.domain.national import FIRST_YEAR, LAST_YEAR
from reminder.domain.workdays import WorkCalendar
from reminder.domain.zones import zone_of
from reminder.terminal import spoken

COLUMNS = ("anchor_date", "unit", "amount", "count_from", "roll", "calendar")
REQUIRED = COLUMNS[:3]
Kind = TypeVar("Kind", bound=StrEnum)
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What every row of one run shares: the cells it may leave out, the office's marks, the faults so far."""

    usual: dict[str, str]
    overrides: Overrides
    faults: Faults
    calendars: dict[str, WorkCalendar] = field(default_factory=dict)


def deadline(
    date: Annotated[str | None, typer.Argument(help="2026-08-03; for h and min with a time")] = None,
    amount: Annotated[str | None, typer.Argument(help="How many, such as 60")] = None,
    unit: Annotated[str | None, typer.Argument(help="cal, wd, h, min or month")] = None,
    *,
    calendar: Annotated[str, typer.Option(help="CN, GB-ENG, US-NY …")] = "CN",
    count_from: Annotated[CountFrom, typer.Option(help="Which day is day 1")] = CountFrom.NEXT_DAY,
    roll: Annotated[Roll, typer.Option(help="Where a rest day moves the end")] = Roll.FORWARD,
    extend: Annotated[int | None, typer.Option(help="Calendar days more", min=0, max=LONGEST)] = None,
    csv: Annotated[str | None, typer.Option(help=f"File with {','.join(COLUMNS)}; - is stdin")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
    overrides: Annotated[str | None, typer.Option(help="Office calendar: date,kind,name")] = None,
    lang: Annotated[Lang | None, typer.Option(help="Language; default: this terminal's")] = None,
) -> None:
    """When a limit ends, and how the date was reached: days skipped, made up, rolled, provisional."""
    lang = lang or Lang(spoken())
    usual = {"count_from": count_from, "roll": roll, "calendar": calendar}
    given = {"date": date, "amount": amount, "unit": unit}
    try:
        marks = _overrides(overrides, lang)
        if csv is None:
            lines = _one(given, usual, marks, extend, json=json, lang=lang)
        elif extend is not None or any(given.values()):
            _misused("csv_alone", lang)
        else:
            reading = _Reading(
                usual=usual, overrides=marks, faults=Faults(place=_place(csv, lang), lang=lang)
            )
            lines = _table(_text(csv, lang), reading, json=json)
    except Faulty as error:
        for fault in error.faults:
            typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    for line in lines:
        typer.echo(line)


def as_json(due: Due) -> dict[str, str | bool]:
    """The four facts of a deadline; ISO dates, or date-times for hours and minutes."""
    return {
        "nominal": due.nominal.isoformat(),
        "effective": due.effective.isoformat(),
        "promise": due.promise.isoformat(),
        "provisional": due.provisional,
    }


def _one(
    given: dict[str, str | None],
    usual: dict[str, str],
    marks: Overrides,
    extend: int | None,
    *,
    json: bool,
    lang: Lang,
) -> list[str]:
    if not all(given.values()):
        _misused("three_needed", lang)
    faults = Faults(place=ARGUMENT[lang], lang=lang)
    cells = {"anchor_date": given["date"] or "", "amount": given["amount"] or "", "unit": given["unit"] or ""}
    reading = _Reading(usual=usual, overrides=marks, faults=faults)
    due = _due(Row(line=None, cells=cells), reading)
    longer = None if due is None or extend is None else _extended(due, extend, reading)
    faults.stop()
    assert due is not None
    if json:
        return [_single_json(due, longer)]
    return explained(due, lang) + ([] if longer is None else ["", *explained_extension(longer, lang)])


def _single_json(due: Due, longer: Due | None) -> str:
    steps = [
        {
            "kind": step.kind,
            "first_on": step.first_on.isoformat(),
            "last_on": step.last_on.isoformat(),
            "why": step.why,
            "name": step.name,
        }
        for step in due.steps
    ]
    extended = {} if longer is None else {"extended": as_json(longer)}
    return jsonlib.dumps({**as_json(due), **extended, "steps": steps}, ensure_ascii=False)


def _table(text: str, reading: _Reading, *, json: bool) -> list[str]:
    rows = rows_of(text, COLUMNS, REQUIRED, reading.faults)
    ends = [_due(row, reading) for row in rows]
    reading.faults.stop()
    found = [due for due in ends if due is not None]
    if json:
        return [jsonlib.dumps(as_json(due)) for due in found]
    return "\n\n".join("\n".join(explained(due, Lang(reading.faults.lang))) for due in found).split("\n")


def _due(row: Row, reading: _Reading) -> Due | None:
    """The deadline of one row, or None with every fault of the row noted."""
    row = replace(row, cells={**reading.usual, **{name: cell for name, cell in row.cells.items() if cell}})
    limit = _limit(row, reading.faults)
    anchor = _anchor(row, reading.faults)
    count_from = _choice(row, "count_from", CountFrom, reading.faults)
    roll = _choice(row, "roll", Roll, reading.faults)
    calendar = _calendar(row, reading)
    if limit is None or anchor is None or count_from is None or roll is None or calendar is None:
        return None
    return _reckoned(
        lambda: _counted(anchor, limit, calendar, count_from, roll),
        row,
        reading.faults,
    )


def _counted(anchor: dt.date, limit: Limit, calendar: WorkCalendar, count_from: CountFrom, roll: Roll) -> Due:
    """A time without a zone hangs on the wall where the calendar holds, and so does its end: a time the
    clocks skip is the one they move on to, a time they show twice is the first."""
    zone = zone_of(calendar.code)
    if zone is None or not isinstance(anchor, dt.datetime) or anchor.tzinfo is not None:
        return deadlines.deadline(anchor, limit, calendar, count_from=count_from, roll=roll)
    real = anchor.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone)
    due = deadlines.deadline(real, limit, calendar, count_from=count_from, roll=roll)
    return replace(
        due,
        anchor=_wall(due.anchor),
        nominal=_wall(due.nominal),
        effective=_wall(due.effective),
        promise=_wall(due.promise),
    )


def _wall(moment: dt.date) -> dt.date:
    return moment.replace(tzinfo=None) if isinstance(moment, dt.datetime) else moment


def _extended(due: Due, days: int, reading: _Reading) -> Due | None:
    row = Row(line=None, cells={"amount": str(days)})
    return _reckoned(lambda: deadlines.extend(due, days, due.calendar, due.roll), row, reading.faults)


def _reckoned(reckon: Callable[[], Due], row: Row, faults: Faults) -> Due | None:
    try:
        return reckon()
    except Refused as refusal:
        faults.add(refusal.key, line=row.line, column="amount", **refusal.values)
        return None


def _limit(row: Row, faults: Faults) -> Limit | None:
    unit = _choice(row, "unit", Unit, faults)
    if not re.fullmatch(r"[0-9]{1,6}", row["amount"]):
        faults.add("not_an_amount", line=row.line, column="amount", text=row["amount"])
        return None
    return None if unit is None else Limit(int(row["amount"]), unit)


def _anchor(row: Row, faults: Faults) -> dt.date | None:
    """A day for day units, a date-time for elapsed ones; judged as a day while the unit is not known."""
    elapsed = row["unit"] in {Unit.HOUR, Unit.MINUTE}
    anchor = _moment_of(row["anchor_date"]) if elapsed else day_of(row["anchor_date"])
    if anchor is None and (elapsed or row["unit"] in set(Unit) or not _moment_of(row["anchor_date"])):
        key = "not_a_moment" if elapsed else "not_a_day"
        faults.add(key, line=row.line, column="anchor_date", text=row["anchor_date"])
    return anchor


def _moment_of(text: str) -> dt.datetime | None:
    if not MOMENT.fullmatch(text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _choice(row: Row, column: str, kinds: type[Kind], faults: Faults) -> Kind | None:
    try:
        return kinds(row[column])
    except ValueError:
        faults.add("not_one_of", line=row.line, column=column, text=row[column], choices=", ".join(kinds))
        return None


def _calendar(row: Row, reading: _Reading) -> WorkCalendar | None:
    """Each calendar is built once per run, however many rows name it."""
    code = row["calendar"]
    if code not in reading.calendars:
        try:
            reading.calendars[code] = reading.overrides.over(code)
        except Refused as refusal:
            reading.faults.add(refusal.key, line=row.line, column="calendar", **refusal.values)
            return None
    return reading.calendars[code]


def _overrides(place: str | None, lang: Lang) -> Overrides:
    return NO_OVERRIDES if place is None else read_overrides(_text(place, lang), _place(place, lang), lang)


def _text(place: str, lang: Lang) -> str:
    """The text of a file, or of standard input for `-`."""
    faults = Faults(place=_place(place, lang), lang=lang)
    try:
        raw = sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
    except OSError as error:
        faults.give_up("not_readable", reason=error.strerror)
    return decoded(raw, faults)


def _place(place: str, lang: Lang) -> str:
    return STDIN[lang] if place == "-" else place


def _misused(key: str, lang: Lang) -> NoReturn:
    Faults(place="deadline", lang=lang).give_up(key)
