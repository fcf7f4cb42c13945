"""Which day a phrase means, zh or en, seen from today: one table of shapes, matched whole.

Texts come in already plain (see `dates.plain`). Weeks run Monday to Sunday; slashes put the month first.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from reminder.domain.clock_phrases import NUMBER, number

# A date without a year lies ahead; one further ahead than this may well be a slip for a day just gone.
_FAR_DAYS = 183


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day as understood; `sure` if no careful person could have meant another."""

    on: date
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where the reader stands: today, and whether the time named with the day still lies ahead today."""

    today: date
    later_today: bool
    add_working: Callable[[date, int], date]


def read_day(text: str, seen: Seen) -> Day | None:
    """Read the whole text as a day. Raises ValueError or OverflowError for one that cannot be (2月30日)."""
    for shape, read in _SHAPES:
        if found := shape.fullmatch(text):
            return read({name: part for name, part in found.groupdict().items() if part}, seen)
    return None


def weekday_of(today: date, weekday: int, *, weeks: int) -> date:
    """That weekday (Monday 0) of the week so many weeks from today's, weeks running Monday to Sunday."""
    return today + timedelta(days=weekday - today.weekday() + 7 * weeks)


_NEAR = {
    **dict.fromkeys(("前天",), -2),
    **dict.fromkeys(("昨天", "yesterday"), -1),
    **dict.fromkeys(("今天", "今日", "today"), 0),
    **dict.fromkeys(("明天", "明日", "tomorrow"), 1),
    **dict.fromkeys(("后天", "the day after tomorrow", "day after tomorrow"), 2),
    **dict.fromkeys(("大后天",), 3),
}

# Only holidays that stand on one date of the solar calendar.
_HOLIDAYS = {
    **dict.fromkeys(("元旦", "元旦节", "new year", "new year's day"), (1, 1)),
    **dict.fromkeys(("妇女节", "三八妇女节", "women's day"), (3, 8)),
    **dict.fromkeys(("劳动节", "五一", "五一劳动节", "may day", "labour day"), (5, 1)),
    **dict.fromkeys(("青年节", "五四青年节"), (5, 4)),
    **dict.fromkeys(("儿童节", "六一", "六一儿童节"), (6, 1)),
    **dict.fromkeys(("建党节", "七一"), (7, 1)),
    **dict.fromkeys(("建军节", "八一"), (8, 1)),
    **dict.fromkeys(("教师节",), (9, 10)),
    **dict.fromkeys(("国庆", "国庆节", "十一", "national day"), (10, 1)),
    **dict.fromkeys(("圣诞节", "christmas", "christmas day"), (12, 25)),
}

_MONTH_ENDS = {
    **dict.fromkeys(("月底", "月末", "本月底", "这个月底", "month end"), 0),
    **dict.fromkeys(("end of month", "end of the month", "end of this month"), 0),
    **dict.fromkeys(("下月底", "下个月底", "end of next month"), 1),
}
_YEAR_ENDS = ("年底", "年末", "year end", "end of year", "end of the year")

_EN_ONE_TO_TWELVE = (
    *("one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_EN_NUMBERS = {"a": 1, "an": 1} | {word: value for value, word in enumerate(_EN_ONE_TO_TWELVE, 1)}
_EN_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EN_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZH_WEEKDAYS = {**{sign: day for day, sign in enumerate("一二三四五六日")}, "天": 6}
_WEEKS = {"上": -1, "这": 0, "本": 0, "下": 1, "下下": 2, "this": 0, "next": 1}
_MONTHS_AWAY = {"本月": 0, "这个月": 0, "下月": 1, "下个月": 1, "this": 0, "next": 1}
_YEARS_AWAY = {"今年": 0, "明年": 1}

_WEEKDAY = (
    r"(?:周|星期|礼拜)[一二三四五六日天]"
    r"|mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
)
_MONTH = (
    r"(?P<month_name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year>20[0-9]{2})"
_TWO = r"[0-9]{1,2}"
_ORDINAL = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)"
_AFTER = r"(?:以后|之后|后|以内|之内|内)"
_EN_COUNT = rf"(?P<count>{_TWO}[0-9]?|{'|'.join(_EN_NUMBERS)})"
_EN_UNIT = r"(?P<unit>day|week|month|working day|business day)s?"

_Parts = dict[str, str]


def _with_weekday(shape: str) -> str:
    """A date may carry its weekday before or behind it; `_dated` refuses a wrong one."""
    return rf"(?:(?P<weekday>{_WEEKDAY})[ ,]*)?{shape}(?:[ ,]*\(?(?P<weekday_behind>{_WEEKDAY})\)?)?"


def _one_of(names: Iterable[str]) -> str:
    return rf"(?P<name>{'|'.join(map(re.escape, names))})"


def _near(parts: _Parts, seen: Seen) -> Day:
    return Day(on=seen.today + timedelta(days=_NEAR[parts["name"]]))


def _coming_weekday(parts: _Parts, seen: Seen) -> Day:
    """The next one strictly ahead; on that very weekday today if a later hour was named, never surely."""
    ahead = (_weekday(parts["weekday"]) - seen.today.weekday()) % 7
    if ahead == 0:
        return Day(on=seen.today + timedelta(days=0 if seen.later_today else 7), sure=False)
    return Day(on=seen.today + timedelta(days=ahead))


def _weekday_of_week(parts: _Parts, seen: Seen) -> Day:
    """下周三, 这周五, "next Wed"; "next Friday" said on a Wednesday might mean in two days: not sure."""
    weekday, week = _weekday(parts["weekday"]), parts["week"]
    day = weekday_of(seen.today, weekday, weeks=_WEEKS[week])
    if week == "next" and "week_word" not in parts:
        return Day(on=day, sure=weekday <= seen.today.weekday())
    return Day(on=day, sure=day >= seen.today or week == "上")


def _dated(parts: _Parts, seen: Seen) -> Day:
    """Month and day, with or without a year; a weekday that does not fit makes it no date at all."""
    name = parts.get("month_name")
    month = _EN_MONTHS.index(name[:3]) + 1 if name else number(parts["month"])
    day = _in_year(parts, month, number(parts["day"]), seen)
    weekdays = [parts[key] for key in ("weekday", "weekday_behind") if key in parts]
    if any(_weekday(weekday) != day.on.weekday() for weekday in weekdays):
        raise ValueError(f"{day.on} is another day of the week")
    swappable = "slash" in parts and not weekdays and day.on.day <= 12 and day.on.day != day.on.month
    return Day(on=day.on, sure=day.sure and not swappable)


def _holiday(parts: _Parts, seen: Seen) -> Day:
    return _in_year(parts, *_HOLIDAYS[parts["name"]], seen)


def _in_year(parts: _Parts, month: int, day: int, seen: Seen) -> Day:
    if "year" in parts:
        return Day(on=date(int(parts["year"]), month, day))
    if "year_away" in parts:
        return Day(on=date(seen.today.year + _YEARS_AWAY[parts["year_away"]], month, day))
    for year in (seen.today.year, seen.today.year + 1):
        if day <= monthrange(year, month)[1] and (on := date(year, month, day)) >= seen.today:
            return Day(on=on, sure=(on - seen.today).days <= _FAR_DAYS)
    raise ValueError("no such day this year or next")


def _day_of_month(parts: _Parts, seen: Seen) -> Day:
    """12号: in this month if still ahead, else in the next that has one; passing one over is not sure."""
    day = number(parts["day"])
    if "month_away" in parts:
        year, month = _month_away(seen.today, _MONTHS_AWAY[parts["month_away"]])
        return Day(on=date(year, month, day))
    sure = day != seen.today.day
    for months in range(3):
        year, month = _month_away(seen.today, months)
        if day > monthrange(year, month)[1]:
            sure = False
        elif (on := date(year, month, day)) > seen.today or (on == seen.today and seen.later_today):
            return Day(on=on, sure=sure)
    raise ValueError("no such day in the coming months")


def _from_now(parts: _Parts, seen: Seen) -> Day:
    """三天后, "in two weeks", 3个工作日内: the last day of the count, today not counted."""
    word = parts["count"]
    count, unit = _EN_NUMBERS[word] if word in _EN_NUMBERS else number(word), parts["unit"]
    if count == 0:
        raise ValueError("nothing to count")
    if unit in {"工作日", "working day", "business day"}:
        return Day(on=seen.add_working(seen.today, count))
    if unit in {"月", "month"}:
        year, month = _month_away(seen.today, count)
        last = monthrange(year, month)[1]
        return Day(on=date(year, month, min(seen.today.day, last)), sure=seen.today.day <= last)
    return Day(on=seen.today + timedelta(days=count if unit in {"天", "日", "day"} else 7 * count))


def _month_end(parts: _Parts, seen: Seen) -> Day:
    """The last day; never sure, for many say it of the last week."""
    year, month = _month_away(seen.today, _MONTH_ENDS[parts["name"]] if "name" in parts else 0)
    if "month" in parts:
        month = number(parts["month"])
        year += month < seen.today.month
    return Day(on=date(year, month, monthrange(year, month)[1]), sure=False)


def _year_end(_: _Parts, seen: Seen) -> Day:
    return Day(on=date(seen.today.year, 12, 31), sure=False)


def _month_away(today: date, months: int) -> tuple[int, int]:
    years, month = divmod(today.month - 1 + months, 12)
    return today.year + years, month + 1


def _weekday(word: str) -> int:
    return _ZH_WEEKDAYS[word[-1]] if word[-1] in _ZH_WEEKDAYS else _EN_WEEKDAYS.index(word[:3])


_SHAPES: tuple[tuple[re.Pattern[str], Callable[[_Parts, Seen], Day]], ...] = tuple(
    (re.compile(shape), read)
    for shape, read in (
        (_one_of(_NEAR), _near),
        (rf"(?:(?:the |this )?coming )?(?P<weekday>{_WEEKDAY})", _coming_weekday),
        (rf"(?P<week>下下|[上这本下])个?(?P<weekday>{_WEEKDAY})", _weekday_of_week),
        (rf"(?P<week>this|next) (?P<weekday>{_WEEKDAY})", _weekday_of_week),
        (rf"(?P<weekday>{_WEEKDAY}) (?P<week>this|next) (?P<week_word>week)", _weekday_of_week),
        (rf"(?P<week>this|next) (?P<week_word>week),? (?:on )?(?P<weekday>{_WEEKDAY})", _weekday_of_week),
        (
            _with_weekday(
                rf"(?:{_YEAR}年|(?P<year_away>今年|明年))?(?P<month>{NUMBER})月(?P<day>{NUMBER})[日号]"
            ),
            _dated,
        ),
        (_with_weekday(rf"{_YEAR}(?P<sep>[-/.])(?P<month>{_TWO})(?P=sep)(?P<day>{_TWO})"), _dated),
        (_with_weekday(rf"(?P<month>{_TWO})(?P<slash>/)(?P<day>{_TWO})"), _dated),
        (
            _with_weekday(rf"(?:the )?(?P<day>{_TWO})(?:st|nd|rd|th)? ?(?:of )?{_MONTH}(?:,? {_YEAR})?"),
            _dated,
        ),
        (_with_weekday(rf"{_MONTH} ?(?:the )?(?P<day>{_TWO})(?:st|nd|rd|th)?(?:,? {_YEAR})?"), _dated),
        (rf"(?P<year_away>今年|明年)?{_one_of(_HOLIDAYS)}", _holiday),
        (rf"(?P<month_away>本月|这个月|下个?月)?(?P<day>{NUMBER})[号日]", _day_of_month),
        (rf"(?:the )?{_ORDINAL}(?: of (?P<month_away>this|next) month)?", _day_of_month),
        (rf"(?:再?过)?(?P<count>{NUMBER})个?(?P<unit>天|周|星期|礼拜|工作日){_AFTER}", _from_now),
        (rf"(?:再?过)?(?P<count>{NUMBER})个(?P<unit>月){_AFTER}", _from_now),
        (rf"(?:in|within) {_EN_COUNT} {_EN_UNIT}", _from_now),
        (rf"{_EN_COUNT} {_EN_UNIT} (?:from (?:now|today)|later)", _from_now),
        (rf"(?:the )?{_one_of(_MONTH_ENDS)}", _month_end),
        (rf"(?P<month>{NUMBER})月底", _month_end),
        (rf"(?:the )?(?:{'|'.join(_YEAR_ENDS)})", _year_end),
    )
)
