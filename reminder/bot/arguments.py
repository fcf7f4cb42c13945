"""How are the words after a command read: a case number, a date phrase, the rest?"""

import re
from datetime import date, datetime, time

from reminder.actions.cases import find
from reminder.actions.entries import Slot
from reminder.actions.scene import CaseScene, read_case
from reminder.bot.turn import Turn
from reminder.domain.dates import When, read_when, say_day, say_time
from reminder.domain.errors import Refused
from reminder.domain.numbers import is_case_number
from reminder.ledger.phones import read_phones
from reminder.longtext import clip

_WORDS_OF_A_DATE = 6
_SIGNS_OF_A_DATE = 24
"""No date phrase is longer; what follows is a note or a place."""


def is_number(said: str) -> bool:
    """Digits, not more of them than anything we count or number has."""
    return len(said) <= 9 and said.isdecimal()


def numbered(args: str) -> tuple[str, str]:
    """The case number in front ("2600 0124" counts too) and what follows; "" where there is none."""
    first, _, rest = args.strip().partition(" ")
    if is_case_number(first):
        return first, rest.strip()
    second, _, after = rest.strip().partition(" ")
    if is_case_number(first + second):
        return first + second, after.strip()
    return (first, rest.strip()) if first.isdecimal() else ("", args.strip())


async def case_of(turn: Turn, args: str) -> tuple[CaseScene, str]:
    """The case named in front and the rest. Refused without a number, NotFound outside the person's scope."""
    number, rest = numbered(args)
    if not number:
        raise Refused("command.needs_number")
    return await read_case(turn.tx, turn.desk, await find(turn.tx, turn.by, number)), rest


def leading_when(turn: Turn, text: str) -> tuple[When | None, str]:
    """The longest date phrase in front of the text, and what follows it."""
    calendar, now = turn.desk.office.calendar, turn.now
    words = text.split()
    for count in range(min(len(words), _WORDS_OF_A_DATE), 0, -1):
        when = read_when(" ".join(words[:count]), now=now, calendar=calendar)
        if when is not None:
            return when, " ".join(words[count:])
    first = words[0] if words else ""
    for length in range(min(len(first) - 1, _SIGNS_OF_A_DATE), 1, -1):
        # Chinese needs no blank between a day and a place; digits must not be cut apart.
        if first[length - 1 : length + 1].isascii():
            continue
        when = read_when(first[:length], now=now, calendar=calendar)
        if when is not None:
            return when, text.strip()[length:].strip()
    return None, text.strip()


_DATELIKE = re.compile(
    r"\d{4}\s*[-./年]\s*\d|\d{1,2}\s*[-./月]\s*\d{1,2}(?!\d)|\d{1,2}\s*(?:月|日|号|点|:|：|am\b|pm\b)|\d{8}(?!\d)"
    r"|(?:下+|本|这|上)?个?(?:周|星期|礼拜)[一二三四五六日天\d]|[今明后昨前大][天早晚]"
    r"|(?:next|this|last|on|in|tomorrow|today|yesterday|mon|tue|wed|thu|fri|sat|sun)(?:[a-z]*day|[a-z]?)\b"
    r"|(?:\d{1,2}(?:st|nd|rd|th)?\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"(?:(\d{4})\s*[-./年]\s*)?(\d{1,2})\s*[-./月]\s*(\d{1,2})(?!\d)")
_SAID = 40
"""Characters of what was not understood that are said back."""


def looks_like_a_date(text: str) -> bool:
    """Whether somebody meant a day by the beginning of this text, though it was not understood."""
    return _DATELIKE.match(text.strip()) is not None


def no_date(text: str) -> Refused:
    """Says back what was not understood: a day that does not exist, or words that are no date."""
    said = clip(text.strip(), _SAID)
    found = _NUMBERS.match(text.strip())
    if found is not None and not _exists(found[1], int(found[2]), int(found[3])):
        return Refused("date.no_such", said=said)
    return Refused("date.not_read", said=said) if said else Refused("date.unreadable")


def _exists(year: str | None, month: int, day: int) -> bool:
    try:
        date(int(year) if year else _LEAP, month, day)
    except ValueError:
        return False
    return True


_LEAP = 2024
"""A day without a year may be one that only some years have."""


def slot_of(when: When) -> Slot:
    """A visit's slot, its end said as well. Refused for a day that is over."""
    if when.past:
        raise Refused("date.past")
    start, end = when.visit_slot
    slot = Slot(day=when.day, start=start, end=end)
    return Slot(day=when.day, start=start, end=time.fromisoformat(slot.value()["end"]))


def write_slot(slot: Slot) -> str:
    """For a button: "20261202T0900-1100"; the day alone where the office's usual slot is meant."""
    if slot.start is None:
        return f"{slot.day:%Y%m%d}"
    return f"{slot.day:%Y%m%d}T{slot.start:%H%M}" + (f"-{slot.end:%H%M}" if slot.end else "")


def read_slot(text: str) -> Slot | None:
    """The other way round; None for what no button of ours says."""
    day, _, hours = text.partition("T")
    start, _, end = hours.partition("-")
    try:
        return Slot(day=_day(day), start=_clock(start), end=_clock(end))
    except ValueError:
        return None


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone


def _clock(text: str) -> time | None:
    return datetime.strptime(text, "%H%M").time() if text else None  # noqa: DTZ007 - nor has a wall clock


def say_slot(turn: Turn, slot: Slot) -> str:
    """ "周三 12月2日（7天后） 上午9-11点": weekday, date, distance and hours."""
    start, end = slot.start or turn.desk.office.slot[0], slot.end
    if slot.start is None:
        end = turn.desk.office.slot[1]
    return f"{say_day(slot.day, turn.lang, turn.today)} {say_time(start, end, turn.lang)}"


def phones_in(turn: Turn, text: str) -> tuple[list[str], list[str]]:
    """Numbers that take texts, and landlines, in E.164. Refused where none can be read."""
    found = read_phones(text, turn.desk.office.regions)
    if found.unread or not found.numbers:
        raise Refused("phone.unreadable")
    return [number for number in found.numbers if number not in found.landlines], list(found.landlines)
