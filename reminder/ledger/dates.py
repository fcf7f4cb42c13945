"""Which day does a cell of a ledger mean? One day, a question, or unreadable: never a guess."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from reminder.ledger.apart import FAULTY_CELL
from reminder.ledger.files import Cell
from reminder.ledger.verdicts import Ask, Unreadable

EARLIEST = 1985
LOOKED_AT = 300
"""Characters of a cell in which a day, a limit, a name or a number is looked for."""
YEARS_AHEAD = 10
NO_DATE = Unreadable(key="import.why.no_date")
NO_SUCH_DAY = Unreadable(key="import.why.no_such_day")

_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_ORDINAL = r"(\d{1,2})(?:st|nd|rd|th)?"

_CLOCK = re.compile(r"(?:(?<=\d)T|\b)\d{1,2}\s*:\s*\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[ap]\.?m\b\.?|Z\b)?", re.I)
_CHINESE_YEAR = re.compile(r"[〇○零一二三四五六七八九]{2,4}(?=\s*年)")
_CHINESE_NUMBER = re.compile(r"[一二三四五六七八九十]{1,3}(?=\s*[月日号])")
_RANGE = re.compile(
    r"\s*(?:-|~|〜|—|–|至|到|to)\s*(?:(\d{1,2})\s*[./月-]\s*)?(\d{1,2})\s*[日号]?(?![\d:.])", re.I
)
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ymd", re.compile(r"(?<!\d)(\d{4})\s*[-./年 ]\s*(\d{1,2})\s*[-./月 ]\s*(\d{1,2})(?!\d)\s*[日号]?")),
    ("ymd", re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?!\d)")),
    ("last", re.compile(r"(?<!\d)(\d{1,2})\s*([-./ ])\s*(\d{1,2})\s*[-./ ]\s*(\d{4})(?!\d)")),
    ("short", re.compile(r"(?<!\d)(\d{2})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})(?!\d)\s*[日号]?")),
    ("two", re.compile(r"(?<![\d.])(\d{1,2})\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{1,2})(?![\d.]\d)")),
    ("dMy", re.compile(rf"(?<!\d){_ORDINAL}[\s-]*(?:of\s+)?{_MONTH}[\s,-]*(\d{{4}}|\d{{2}})(?!\d)", re.I)),
    ("Mdy", re.compile(rf"\b{_MONTH}\s*{_ORDINAL}[\s,]+(\d{{4}})(?!\d)", re.I)),
    ("md", re.compile(r"(?<!\d)(\d{1,2})\s*月\s*(\d{1,2})(?!\d)\s*[日号]?")),
    ("dM", re.compile(rf"(?<!\d){_ORDINAL}[\s-]*{_MONTH}", re.I)),
    ("Md", re.compile(rf"\b{_MONTH}\s*{_ORDINAL}(?!\d)", re.I)),
)
_WHOLE_MONTH_DAY = re.compile(r"(\d{1,2})\s*[./-]\s*(\d{1,2})")
_RELATIVE_YEAR = re.compile("今年|去年|前年|明年|last year|this year|next year", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What is known around a cell: the years its sheet's title names, and between which days it must lie."""

    today: date
    years: tuple[int, ...] = ()
    english: bool = False
    epoch1904: bool = False
    not_before: date | None = None
    not_after: date | None = None

    def between(self, not_before: date | None, not_after: date | None) -> "Days":
        """The same for a cell with other bounds."""
        return Days(
            today=self.today, years=self.years, english=self.english, epoch1904=self.epoch1904,
            not_before=not_before, not_after=not_after,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One day written in a text: the days it may be, or a month and day without a year."""

    start: int
    end: int
    days: tuple[date, ...] = ()
    yearless: tuple[int, int] | None = field(default=None)


def read_date(cell: Cell, known: Days) -> date | Ask | Unreadable | None:
    """The day of a cell; None if it is empty. Text around the day does not matter."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime):
        return _plausible_or_unreadable(cell.date(), known)
    if isinstance(cell, date):
        return _plausible_or_unreadable(cell, known)
    if isinstance(cell, bool) or cell == FAULTY_CELL:
        return NO_DATE
    if isinstance(cell, int | float):
        return _number(cell, known)
    return read_text(cell, known)


@lru_cache(maxsize=5_000)
def read_text(text: str, known: Days) -> date | Ask | Unreadable:
    """The day written in a text."""
    return _chosen(text, list(dates_in(text, known)), known)


def dates_in(text: str, known: Days) -> Iterator[Found]:
    """Every day written in a text, in the order of the text."""
    rest = simplified(text)
    whole = _whole(rest.strip(), known)
    if whole is not None:
        yield Found(0, len(rest), *whole)
        return
    found: list[Found] = []
    for form, pattern in _FORMS:
        for match in list(pattern.finditer(rest)):
            days, yearless = _meant(form, match, known)
            found.append(Found(match.start(), match.end(), days, yearless))
            rest = rest[: match.start()] + "\0" * (match.end() - match.start()) + rest[match.end() :]
    yield from sorted(found, key=lambda one: one.start)
    for one in found:
        yield from _range_end(rest, one, known)


def simplified(text: str) -> str:
    """Full width made half, Chinese numerals in dates made digits, times of day blanked."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text[:LOOKED_AT]))
    text = _CLOCK.sub(lambda clock: " " * len(clock[0]), text)
    text = _CHINESE_YEAR.sub(lambda year: year[0].translate(_DIGITS), text)
    return _CHINESE_NUMBER.sub(lambda number: str(numeral(number[0])), text)


def numeral(text: str) -> int:
    """A Chinese number below 1,000 ("十五", "六十", "一百二十")."""
    total, digit = 0, 0
    for sign in text:
        if sign in {"十", "百"}:
            total += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
        else:
            digit = 2 if sign == "两" else int(sign.translate(_DIGITS))
    return total + digit


def _whole(text: str, known: Days) -> tuple[tuple[date, ...], tuple[int, int] | None] | None:
    """Forms that are a day only when nothing else stands in the cell: serials, 260305, 3.5."""
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        day = _number(float(text), known)
        return ((day,), None) if isinstance(day, date) else ((), None)
    if six := re.fullmatch(r"(\d{2})(\d{2})(\d{2})", text):
        return _two_digit_years(tuple(int(part) for part in six.groups()), known), None
    if pair := _WHOLE_MONTH_DAY.fullmatch(text):
        month, day_number = int(pair[1]), int(pair[2])
        if known.english and max(month, day_number) <= 12 and month != day_number:
            return (), None  # "3/4" without a year in an English register could be anything
        if known.english and month > 12:
            month, day_number = day_number, month
        return (), (month, day_number)
    return None


def _number(number: float, known: Days) -> date | Unreadable:
    """An Excel serial (days since 1899-12-30, or 1904-01-01), or 20260305 kept as a number."""
    if 20_000 <= number < 90_000:
        first = date(1904, 1, 1) if known.epoch1904 else date(1899, 12, 30)
        return _plausible_or_unreadable(first + timedelta(days=int(number)), known)
    if float(number).is_integer() and 19_000_000 < number < 22_000_000:
        days = _days([(int(number) // 10_000, int(number) // 100 % 100, int(number) % 100)], known)
        return days[0] if days else NO_SUCH_DAY
    return NO_DATE


def _meant(form: str, match: re.Match[str], known: Days) -> tuple[tuple[date, ...], tuple[int, int] | None]:
    if form == "md":
        return (), (int(match[1]), int(match[2]))
    if form == "dM":
        return (), (_MONTHS[match[2].casefold()], int(match[1]))
    if form == "Md":
        return (), (_MONTHS[match[1].casefold()], int(match[2]))
    return _days(list(_readings(form, match, known)), known), None


def _readings(form: str, match: re.Match[str], known: Days) -> Iterator[tuple[int, int, int]]:
    """(year, month, day) as the digits may be meant."""
    if form == "ymd":
        yield int(match[1]), int(match[2]), int(match[3])
    elif form == "short":
        yield 2000 + int(match[1]), int(match[2]), int(match[3])
    elif form == "last":
        yield int(match[4]), int(match[3]), int(match[1])
        if match[2] != ".":  # with points it is day.month.year everywhere
            yield int(match[4]), int(match[1]), int(match[3])
    elif form == "dMy":
        yield _century(int(match[3])), _MONTHS[match[2].casefold()], int(match[1])
    elif form == "Mdy":
        yield int(match[3]), _MONTHS[match[1].casefold()], int(match[2])
    else:
        for day in _two_digit_years(tuple(int(part) for part in match.groups()), known):
            yield day.year, day.month, day.day


def _century(year: int) -> int:
    return year if year >= 100 else 2000 + year


def _two_digit_years(parts: Sequence[int], known: Days) -> tuple[date, ...]:
    """In a Chinese ledger 26-3-5 is year-month-day if that is near; otherwise every order that is near."""
    a, b, c = parts
    native = _near([(2000 + a, b, c)], known)
    if native and not known.english:
        return native
    return tuple(dict.fromkeys(native + _near([(2000 + c, b, a), (2000 + c, a, b)], known)))


def _near(readings: list[tuple[int, int, int]], known: Days) -> tuple[date, ...]:
    """Two digits of a year only name the last fifteen years or the next two."""
    this = known.today.year
    return tuple(day for day in _days(readings, known) if this - 15 <= day.year <= this + 2)


def _days(readings: list[tuple[int, int, int]], known: Days) -> tuple[date, ...]:
    found = []
    for year, month, day in readings:
        try:
            one = date(year, month, day)
        except ValueError:
            continue
        if _plausible(one, known):
            found.append(one)
    return tuple(dict.fromkeys(found))


def _plausible(day: date, known: Days) -> bool:
    return EARLIEST <= day.year <= known.today.year + YEARS_AHEAD


def _plausible_or_unreadable(day: date, known: Days) -> date | Unreadable:
    return day if _plausible(day, known) else NO_SUCH_DAY


def _range_end(rest: str, found: Found, known: Days) -> Iterator[Found]:
    """The second day of "2026.3.5-3.8"."""
    end = _RANGE.match(rest, found.end)
    if end is None:
        return
    start = found.days[0] if found.days else None
    month = int(end[1]) if end[1] else start.month if start else (found.yearless or (0, 0))[0]
    if start is not None:
        yield Found(end.start(), end.end(), _days([(start.year, month, int(end[2]))], known))
    else:
        yield Found(end.start(), end.end(), (), (month, int(end[2])))


def _chosen(text: str, found: list[Found], known: Days) -> date | Ask | Unreadable:
    if not found:
        return NO_DATE
    if len(found) > 1:
        return _several(text, found, known)
    one = found[0]
    if one.yearless:
        return _with_year(text, one.yearless, known)
    if not one.days:
        return NO_SUCH_DAY
    return one.days[0] if len(one.days) == 1 else _ask("import.ask.which_day", text, one.days)


def _several(text: str, found: list[Found], known: Days) -> date | Ask | Unreadable:
    days: list[date] = []
    for one in found:
        days += one.days if one.yearless is None else _possible(one.yearless, known)
    different = sorted(set(days))
    if not different:
        return NO_SUCH_DAY
    return different[0] if len(different) == 1 else _ask("import.ask.several_days", text, different)


def _with_year(text: str, month_day: tuple[int, int], known: Days) -> date | Ask | Unreadable:
    """Only one year fits, or it is asked: a title names the year it was drawn up for, not that of every day
    in it. The title's year is the first choice."""
    possible = _possible(month_day, known)
    bounded = known.not_before is not None and known.not_after is not None
    if len(possible) == 1 and bounded and not _RELATIVE_YEAR.search(text):
        return possible[0]
    return _ask("import.ask.which_year", text, possible) if possible else NO_SUCH_DAY


def _possible(month_day: tuple[int, int], known: Days) -> list[date]:
    """The month and day in each year that fits what is known: the title's first, then latest first, three at
    most."""
    month, day = month_day
    first = known.not_before.year if known.not_before else min((known.today.year - 2, *known.years))
    last = known.not_after.year if known.not_after else max((known.today.year + 1, first + 2, *known.years))
    days = _days([(year, month, day) for year in range(first, min(last, first + 60) + 1)], known)
    fit = [
        one
        for one in days
        if (known.not_before is None or one >= known.not_before)
        and (known.not_after is None or one <= known.not_after)
    ]
    if known.not_after is None and known.not_before is not None:
        return sorted(fit[:2], key=lambda one: one.year not in known.years)
    named = [one for one in fit if one.year in known.years]
    return [*named, *(one for one in fit[::-1] if one not in named)][: max(3, len(named))]


def _ask(key: str, text: str, days: Sequence[date]) -> Ask:
    choices = tuple(day.isoformat() for day in days[:6])
    return Ask(key=key, choices=choices, values={"text": text.strip()[:60]})
