"""Which day and time a phrase means, zh or en: a closed grammar that matches the whole text or answers None.

Weeks run Monday to Sunday. 下周三 and "next Wed" are the Wednesday of the next such week, 这周五 and
"this Friday" the Friday of this one; a bare 周三 or "Wed" is the next to come, as is a date without a year.
Where a careful person could have meant another day or hour, `sure` is False and the person is asked back.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from reminder.domain.clock_phrases import AFTERNOON, MORNING, NUMBER, TimeOfDay, number, read_time
from reminder.domain.day_phrases import Day, Seen, read_day, weekday_of
from reminder.domain.errors import Refused
from reminder.domain.said_dates import say_date, say_day, say_slot, say_time, say_weekday_date

__all__ = [
    "VISIT_SLOT",
    "When",
    "WorkingDays",
    "chips",
    "read_when",
    "say_date",
    "say_day",
    "say_slot",
    "say_time",
    "say_weekday_date",
]

VISIT_SLOT = (time(9), time(11))
"""When a visit takes place if nobody named a time."""

# A longer text is a note, and every place in it would be tried as a cut.
_LONGEST = 60


class WorkingDays(Protocol):
    """What reading a date needs to know of the office calendar."""

    def is_working(self, day: date, /) -> bool: ...

    def add_working(self, day: date, n: int, /) -> date: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A day with a point (`end` None), a stretch or no time at all; office wall clock."""

    day: date
    start: time | None = None
    end: time | None = None
    sure: bool = True
    """No careful person could have meant another day or hour."""
    rest_day: bool = False
    past: bool = False
    """Over already, and the phrase says so itself: 昨天, a date with its year, an hour of today."""

    @property
    def visit_slot(self) -> tuple[time, time | None]:
        """Start and end for a visit: as said, else 09:00–11:00."""
        return VISIT_SLOT if self.start is None else (self.start, self.end)


def read_when(text: str, *, now: datetime, calendar: WorkingDays) -> When | None:
    """Read the whole text as a day, a time, or both; None for anything else, impossible dates included.

    `now` is aware and in the office's zone. A time alone means its next coming and is never sure.
    """
    said = plain(text)
    if not 0 < len(said) <= _LONGEST:
        return None
    readings = {_read(*cut, now, calendar) for cut in _cuts(said)} - {None}
    return readings.pop() if len(readings) == 1 else None


def chips(now: datetime, calendar: WorkingDays, *, after: datetime | None = None) -> list[tuple[str, When]]:
    """One-tap answers to "when instead?": keys of the words catalogue with their days, working days only.
    `after` is when the visit would have been (aware): later today is later than that, too.

    Later today (a full hour at least two hours off, not over noon, at most 17:00), tomorrow morning, the next
    working day, Wednesday of next week; a day is offered once.
    """
    today = now.date()
    hour = min(now.hour + (3 if now.minute else 2), 23)
    later = AFTERNOON[0] if 12 <= hour < AFTERNOON[0].hour else time(hour)
    tomorrow = today + timedelta(days=1)
    offers: list[tuple[str, date, TimeOfDay | None]] = [
        ("chip.tomorrow_morning", tomorrow, TimeOfDay(start=MORNING[0], end=MORNING[1])),
        ("chip.next_working_day", calendar.add_working(today, 1), None),
        ("chip.next_wednesday", weekday_of(today, 2, weeks=1), None),
    ]
    planned = after.astimezone(now.tzinfo).replace(tzinfo=None) if after is not None else None
    is_later = planned is None or planned < datetime.combine(today, later)
    if time(9) <= later <= time(17) and is_later:
        offers.insert(0, ("chip.later_today", today, TimeOfDay(start=later)))
    chosen: dict[date, tuple[str, When]] = {}
    for key, day, moment in offers:
        if calendar.is_working(day) and day not in chosen:
            chosen[day] = (key, _when(Day(on=day), moment, now, calendar))
    return list(chosen.values())


def plain(text: str) -> str:
    """Half-width, lower case, single spaces, none beside Chinese signs, no end mark, nothing shortened."""
    said = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" 。.!?,、")
    said = re.sub(r" ?([\u4e00-\u9fff、]) ?", r"\1", said)
    for short, full in _SPELLED_OUT:
        said = re.sub(short, full, said)
    return said


_SPELLED_OUT = (
    (r"([ap])\.m\.?", r"\1m"),
    (r"^今早", "今天早上"),
    (r"^今晚", "今天晚上"),
    (r"^明早", "明天早上"),
    (r"^明晚", "明天晚上"),
    (r"^tonight\b", "today evening"),
    (r"^this (?=morning|afternoon|evening)", "today "),
)


def _cuts(said: str) -> list[tuple[str, str]]:
    """Every way to cut the text into words for the day and words for the time, in either order."""
    cuts = [(said, ""), ("", said)]
    for at in range(1, len(said)):
        left, right = said[:at], said[at:]
        if re.match(r"[0-9]{2}|[a-z]{2}", left[-1] + right[0]):
            continue
        left, right = left.rstrip(" ,、的"), right.lstrip(" ,、的")
        cuts += [(left, right), (right, left)]
    return [(day.removeprefix("on "), moment) for day, moment in cuts]


def _read(day_words: str, time_words: str, now: datetime, calendar: WorkingDays) -> When | None:
    """One cut; None also where no such hour or day exists, or the year lies beyond the calendar."""
    try:
        if not time_words and (elapsed := _elapsed(day_words, now)) is not None:
            return _when(Day(on=elapsed.date()), TimeOfDay(start=elapsed.time()), now, calendar)
        moment = read_time(time_words) if time_words else None
        if time_words and moment is None:
            return None
        seen = Seen(
            today=now.date(),
            later_today=moment is not None and moment.start > now.time(),
            add_working=calendar.add_working,
        )
        day = read_day(day_words, seen) if day_words else _next_coming(seen)
        return _when(day, moment, now, calendar) if day is not None else None
    except (ValueError, OverflowError, Refused):
        return None


def _when(day: Day, moment: TimeOfDay | None, now: datetime, calendar: WorkingDays) -> When:
    start, end = (moment.start, moment.end) if moment else (None, None)
    over_at = end or start
    return When(
        day=day.on,
        start=start,
        end=end,
        sure=day.sure and (moment is None or moment.sure),
        rest_day=not calendar.is_working(day.on),
        past=day.on < now.date() or (day.on == now.date() and over_at is not None and over_at <= now.time()),
    )


def _next_coming(seen: Seen) -> Day:
    return Day(on=seen.today + timedelta(days=0 if seen.later_today else 1), sure=False)


_ELAPSED = (
    re.compile(rf"(?P<count>半|{NUMBER})个?(?P<unit>小时|钟头|分钟)(?:以后|之后|后)"),
    re.compile(r"in (?P<count>half an|an?|[0-9]{1,3}|one|two|three|four) (?P<unit>hour|minute)s?"),
)
_COUNTS = {"半": 0.5, "half an": 0.5, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4}


def _elapsed(said: str, now: datetime) -> datetime | None:
    """两小时后, "in two hours": counted as the seconds run, whatever the clock is set to meanwhile."""
    for shape in _ELAPSED:
        if found := shape.fullmatch(said):
            count = _COUNTS[found["count"]] if found["count"] in _COUNTS else number(found["count"])
            gone = timedelta(minutes=count * (1 if found["unit"] in {"分钟", "minute"} else 60))
            return (now.astimezone(UTC) + gone).astimezone(now.tzinfo).replace(second=0, microsecond=0)
    return None
