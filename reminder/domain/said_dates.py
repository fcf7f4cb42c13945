"""How a day and a time are said in a message: weekday, date and distance, zh or en.

English keeps to signs of the GSM-7 alphabet, because one dash of another kind doubles the price of a text.
The year is said only when it is not the current one.
"""

from datetime import date, time

from reminder.domain.clock_phrases import AFTERNOON, EVENING, MORNING

_WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NEAR = {
    "zh": {-1: "昨天", 0: "今天", 1: "明天"},
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
}
_HALF_DAYS = {
    MORNING: {"zh": "上午", "en": "morning"},
    AFTERNOON: {"zh": "下午", "en": "afternoon"},
    EVENING: {"zh": "晚上", "en": "evening"},
}


def say_day(day: date, lang: str, today: date) -> str:
    """All three ways at once: "周三 12月2日（7天后）", "Wed 2 Dec (in 7 days)"."""
    distance = _distance((day - today).days, lang)
    if lang == "zh":
        return f"{_WEEKDAYS['zh'][day.weekday()]} {say_date(day, lang, today)}（{distance}）"
    return f"{say_weekday_date(day, lang, today)} ({distance})"


def say_date(day: date, lang: str, today: date | None = None) -> str:
    """The date alone: "6月30日", "30 June"; with its year if `today` lies in another one."""
    year = today is not None and today.year != day.year
    if lang == "zh":
        return f"{f'{day.year}年' if year else ''}{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if year else ''}"


def say_weekday_date(day: date, lang: str, today: date | None = None) -> str:
    """Date and weekday, for visits: "12月2日周三", "Wed 2 Dec"; with the year as in `say_date`."""
    weekday = _WEEKDAYS["zh" if lang == "zh" else "en"][day.weekday()]
    if lang == "zh":
        return say_date(day, lang, today) + weekday
    year = f" {day.year}" if today is not None and today.year != day.year else ""
    return f"{weekday} {day.day} {_MONTHS[day.month - 1][:3]}{year}"


def say_short_date(day: date, lang: str, beside: date, today: date | None = None) -> str:
    """The date where every sign counts, next to another one: "23日" or "5月23日", "23 Jun"."""
    if lang == "zh":
        same = (day.year, day.month) == (beside.year, beside.month) and day != beside
        return f"{day.day}日" if same else say_date(day, lang, today)
    return say_weekday_date(day, lang, today).partition(" ")[2]


def say_time(start: time, end: time | None, lang: str) -> str:
    """A point, a stretch or a half day: "上午9点", "上午9-11点", "上午"; "9 am", "9-11 am", "morning"."""
    if end is not None and (half_day := _HALF_DAYS.get((start, end))):
        return half_day["zh" if lang == "zh" else "en"]
    if lang == "zh":
        return _zh_time(start, end)
    return _en_time(start, end)


def say_slot(day: date, start: time | None, end: time | None, lang: str, today: date | None = None) -> str:
    """Day and time together: "12月2日周三上午9-11点", "Wed 2 Dec, 9-11 am"; the day alone without a start."""
    said = say_weekday_date(day, lang, today)
    if start is None:
        return said
    return f"{said}{'' if lang == 'zh' else ', '}{say_time(start, end, lang)}"


def _distance(days: int, lang: str) -> str:
    zh = lang == "zh"
    if near := _NEAR["zh" if zh else "en"].get(days):
        return near
    if days > 0:
        return f"{days}天后" if zh else f"in {days} days"
    return f"{-days}天前" if zh else f"{-days} days ago"


def _zh_time(start: time, end: time | None) -> str:
    if end is None:
        return _zh_half(start) + _zh_clock(start)
    if _zh_half(start) != _zh_half(end):
        return f"{_zh_half(start)}{_zh_clock(start)}到{_zh_half(end)}{_zh_clock(end)}"
    if start.minute or end.minute:
        return f"{_zh_half(start)}{_hour(start)}:{start.minute:02d}-{_hour(end)}:{end.minute:02d}"
    return f"{_zh_half(start)}{_hour(start)}-{_hour(end)}点"


def _zh_half(moment: time) -> str:
    """The word before a twelve-hour clock; nights, which no visit has, go by "凌晨" and "晚上"."""
    for first, word in ((18, "晚上"), (13, "下午"), (12, "中午"), (5, "上午")):
        if moment.hour >= first:
            return word
    return "凌晨"


def _zh_clock(moment: time) -> str:
    if moment.minute == 30:
        return f"{_hour(moment)}点半"
    return f"{_hour(moment)}:{moment.minute:02d}" if moment.minute else f"{_hour(moment)}点"


def _en_time(start: time, end: time | None) -> str:
    if end is None:
        return f"{_en_clock(start)} {_en_half(start)}"
    if _en_half(start) == _en_half(end) and end.hour - start.hour <= _LONG:
        return f"{_en_clock(start)}-{_en_clock(end)} {_en_half(end)}"
    return f"{_en_clock(start)} {_en_half(start)}-{_en_clock(end)} {_en_half(end)}"


_LONG = 8
"""Hours beyond which "12-9 pm" would leave the reader in doubt about the noon."""


def _en_half(moment: time) -> str:
    return "am" if moment.hour < 12 else "pm"


def _en_clock(moment: time) -> str:
    return f"{_hour(moment)}:{moment.minute:02d}" if moment.minute else str(_hour(moment))


def _hour(moment: time) -> int:
    """The hour on a twelve-hour dial, 1 to 12."""
    return (moment.hour + 11) % 12 + 1
