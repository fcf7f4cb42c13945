"""What time of day a phrase means, zh or en: a point, a stretch, a half day, or nothing.

Texts come in already plain (see `dates.plain`). Twelve-hour clocks are settled by the word beside them
("下午3点", "3pm"); a bare hour is read as office hours, and 1–7 is then not sure.
"""

import re
from dataclasses import dataclass
from datetime import time

MORNING = (time(9), time(12))
AFTERNOON = (time(14), time(17))
EVENING = (time(18), time(20))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfDay:
    """A point (`end` None) or a stretch of one day, office wall clock."""

    start: time
    end: time | None = None
    sure: bool = True


_HALF_DAYS = {
    **dict.fromkeys(("上午", "早上", "早晨", "morning", "am"), MORNING),
    **dict.fromkeys(("下午", "afternoon", "pm"), AFTERNOON),
    **dict.fromkeys(("晚上", "evening"), EVENING),
}
_NOON = frozenset(("中午", "正午", "noon", "midday", "12 noon"))

# The hours of the day each word can mean, first and last. One reading of a twelve-hour dial is left.
_HOURS = {
    **dict.fromkeys(("上午", "早上", "早晨", "morning"), (5, 12)),
    "中午": (11, 14),
    **dict.fromkeys(("下午", "afternoon"), (12, 19)),
    **dict.fromkeys(("晚上", "evening"), (17, 23)),
    "am": (0, 11),
    "pm": (12, 23),
}
_OFFICE_HOURS = (8, 19)
# "9点到5点" is a working day; beyond that the half of the day would be a guess ("9点到9点").
_LONGEST_LENT = 8

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
NUMBER = r"(?:[0-9]{1,3}|[零〇一二两三四五六七八九十]{1,3})"

_WORD = r"(?:(?P<word>上午|早上|早晨|中午|下午|晚上|morning|afternoon|evening) ?)?(?:at )?"
_POINTS = tuple(
    re.compile(_WORD + shape)
    for shape in (
        rf"(?P<hour>{NUMBER})[点时](?:(?P<minute>半|一刻|三刻|{NUMBER}分?)|钟|整)?",
        r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}) ?(?P<half>am|pm)?",
        r"(?P<hour>[0-9]{1,2})(?:\.(?P<minute>[0-9]{2}))? ?(?P<half>am|pm)",
        r"(?P<hour>[0-9]{1,2}) ?o'clock",
    )
)
_AT_HOUR = re.compile(_WORD.replace("(?:at )?", "at ") + r"(?P<hour>[0-9]{1,2})")
_BARE_HOUR = re.compile(_WORD + r"(?P<hour>[0-9]{1,2})")
_MINUTES = {"半": 30, "一刻": 15, "三刻": 45}


def number(text: str) -> int:
    """0–999 in digits, 0–99 in Chinese numerals. Raises ValueError."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _digit(text)
    return (_digit(tens) if tens else 1) * 10 + (_digit(ones) if ones else 0)


def read_time(text: str) -> TimeOfDay | None:
    """Read the whole text as a time of day. Raises ValueError for one that cannot be (25:00, 上午3点)."""
    text = re.sub(r"^in the (?=morning|afternoon|evening)", "", text)
    if text in _NOON or text.removeprefix("at ") in _NOON:
        return TimeOfDay(start=time(12))
    if window := _HALF_DAYS.get(text):
        return TimeOfDay(start=window[0], end=window[1])
    if found := _AT_HOUR.fullmatch(text):
        return _point(_Spoken.of(found))
    if spoken := _spoken(text):
        return _point(spoken)
    return _stretch(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """A clock time before it is settled which half of the day it means."""

    hour: int
    minute: int
    words: tuple[str, ...]
    """What was said of the half of the day; "afternoon 3pm" says it twice."""
    padded: bool

    @classmethod
    def of(cls, found: re.Match[str]) -> "_Spoken":
        parts = found.groupdict()
        minute = parts.get("minute") or "0"
        return cls(
            hour=number(parts["hour"]),
            minute=_MINUTES[minute] if minute in _MINUTES else number(minute.removesuffix("分")),
            words=tuple(word for word in (parts.get("word"), parts.get("half")) if word),
            padded=parts["hour"].startswith("0"),
        )

    @property
    def literal(self) -> bool:
        """Written as on a 24-hour clock: 14:00, 09:30."""
        return not self.words and (self.padded or self.hour > 12)

    def readings(self) -> list[int]:
        """The hours of the 24-hour clock this can mean, by its words alone."""
        if {"am", "pm"} & set(self.words) and not 1 <= self.hour <= 12:
            return []
        hours = (self.hour,) if self.literal or self.hour > 12 else (self.hour % 12, self.hour % 12 + 12)
        spans = [_HOURS[word] for word in self.words] or [(0, 23)]
        return [hour for hour in hours if all(first <= hour <= last for first, last in spans)]

    def moments(self) -> list[time]:
        return [time(hour, self.minute) for hour in self.readings()]


def _spoken(text: str) -> _Spoken | None:
    for shape in _POINTS:
        if found := shape.fullmatch(text):
            return _Spoken.of(found)
    return None


def _point(spoken: _Spoken) -> TimeOfDay:
    hours = spoken.readings()
    if len(hours) > 1:
        hours = [hour for hour in hours if _OFFICE_HOURS[0] <= hour <= _OFFICE_HOURS[1]]
    if not hours:
        raise ValueError("no such hour")
    doubtful = not spoken.words and (hours[0] < 7 or (not spoken.literal and 1 <= spoken.hour <= 7))
    return TimeOfDay(start=time(hours[0], spoken.minute), sure=not doubtful)


def _stretch(text: str) -> TimeOfDay | None:
    """ "上午9点到11点", "2-4pm", "9:30-11:00": either end may lend the other its half of the day."""
    parts = re.split(r" ?(?:[-–~至到]| to ) ?", text)
    if len(parts) != 2:
        return None
    first, second = _spoken(parts[0]), _spoken(parts[1])
    if first is None and second is not None and (bare := _BARE_HOUR.fullmatch(parts[0])):
        first = _Spoken.of(bare)
    if first is None or second is None:
        return None
    if second.words and not first.words:
        end = _point(second)
        start = TimeOfDay(start=max(moment for moment in first.moments() if moment < end.start))
        lent = first
    else:
        start = _point(first)
        end = TimeOfDay(start=min(moment for moment in second.moments() if moment > start.start))
        lent = second
    if not (lent.words or lent.literal) and end.start.hour - start.start.hour > _LONGEST_LENT:
        raise ValueError("too long to have been meant")
    return TimeOfDay(start=start.start, end=end.start, sure=start.sure)


def _digit(sign: str) -> int:
    if sign not in _DIGITS:
        raise ValueError(f"{sign!r} is not a digit")
    return _DIGITS[sign]
