"""Dates as we say and offer them: short, in both languages, and such that they read back."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminder.domain.dates import (
    VISIT_SLOT,
    When,
    chips,
    read_when,
    say_date,
    say_day,
    say_slot,
    say_time,
    say_weekday_date,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=SHANGHAI)
"""A Wednesday."""
TODAY = NOW.date()


class MondayToFriday:
    """The plainest office there is."""

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5

    def add_working(self, day: date, n: int) -> date:
        while n > 0:
            day += timedelta(days=1)
            n -= self.is_working(day)
        return day


WEEKDAYS = MondayToFriday()


def written(when: When | None) -> str | None:
    """A short form for the tables: day, time, and a mark for each flag (? not sure, ~ rest day, < past)."""
    if when is None:
        return None
    day = f"{when.day:%m-%d}" if when.day.year == 2026 else f"{when.day}"
    start = f" {when.start:%H:%M}" if when.start else ""
    end = f"-{when.end:%H:%M}" if when.end else ""
    flags = "?" * (not when.sure) + "~" * when.rest_day + "<" * when.past
    return f"{day}{start}{end}{flags}"


def offered(now: datetime) -> dict[str, str | None]:
    return {key.removeprefix("chip."): written(when) for key, when in chips(now, WEEKDAYS)}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (
            "2026-11-25 10:00",
            {
                "later_today": "11-25 14:00",
                "tomorrow_morning": "11-26 09:00-12:00",
                "next_wednesday": "12-02",
            },
        ),
        (
            "2026-11-27 14:30",
            {"later_today": "11-27 17:00", "next_working_day": "11-30", "next_wednesday": "12-02"},
        ),
        ("2026-11-27 15:30", {"next_working_day": "11-30", "next_wednesday": "12-02"}),
        ("2026-11-28 09:00", {"next_working_day": "11-30", "next_wednesday": "12-02"}),
        ("2026-11-29 09:00", {"tomorrow_morning": "11-30 09:00-12:00", "next_wednesday": "12-02"}),
        ("2026-11-25 23:59", {"tomorrow_morning": "11-26 09:00-12:00", "next_wednesday": "12-02"}),
        ("2026-11-25 00:10", {"tomorrow_morning": "11-26 09:00-12:00", "next_wednesday": "12-02"}),
        (
            "2026-11-25 07:00",
            {
                "later_today": "11-25 09:00",
                "tomorrow_morning": "11-26 09:00-12:00",
                "next_wednesday": "12-02",
            },
        ),
    ],
)
def test_chips_offer_working_days_ahead_and_each_day_once(now: str, expected: dict[str, str]) -> None:
    assert offered(datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)) == expected


def test_chips_offer_one_day_under_one_name_when_a_holiday_runs_up_to_wednesday() -> None:
    class ClosedUntilWednesday(MondayToFriday):
        def is_working(self, day: date) -> bool:
            return super().is_working(day) and not TODAY < day < date(2026, 12, 2)

    offers = chips(NOW.replace(hour=16), ClosedUntilWednesday())
    assert [(key, when.day) for key, when in offers] == [("chip.next_working_day", date(2026, 12, 2))]


def test_a_day_is_said_in_three_ways_at_once() -> None:
    wednesday = date(2026, 12, 2)
    assert say_day(wednesday, "zh", TODAY) == "周三 12月2日（7天后）"
    assert say_day(wednesday, "en", TODAY) == "Wed 2 Dec (in 7 days)"


@pytest.mark.parametrize(
    ("days", "zh", "en"),
    [
        (-2, "2天前", "2 days ago"),
        (-1, "昨天", "yesterday"),
        (0, "今天", "today"),
        (1, "明天", "tomorrow"),
        (2, "2天后", "in 2 days"),
    ],
)
def test_near_days_are_said_by_name(days: int, zh: str, en: str) -> None:
    day = TODAY + timedelta(days=days)
    assert say_day(day, "zh", TODAY).endswith(f"（{zh}）")
    assert say_day(day, "en", TODAY).endswith(f" ({en})")


def test_the_year_is_said_only_when_it_is_another_one() -> None:
    day = date(2027, 6, 30)
    assert say_date(day, "zh") == say_date(day, "zh", day) == "6月30日"
    assert say_date(day, "en") == say_date(day, "en", day) == "30 June"
    assert say_date(day, "zh", TODAY) == "2027年6月30日"
    assert say_date(day, "en", TODAY) == "30 June 2027"
    assert say_weekday_date(day, "zh", TODAY) == "2027年6月30日周三"
    assert say_weekday_date(day, "en", TODAY) == "Wed 30 Jun 2027"
    assert say_day(day, "zh", TODAY) == "周三 2027年6月30日（217天后）"
    assert say_day(day, "en", TODAY) == "Wed 30 Jun 2027 (in 217 days)"


@pytest.mark.parametrize(
    ("start", "end", "zh", "en"),
    [
        (time(9), None, "上午9点", "9 am"),
        (time(9, 30), None, "上午9点半", "9:30 am"),
        (time(14, 15), None, "下午2:15", "2:15 pm"),
        (time(12), None, "中午12点", "12 pm"),
        (time(19), None, "晚上7点", "7 pm"),
        (time(9), time(11), "上午9-11点", "9-11 am"),
        (time(9, 30), time(11), "上午9:30-11:00", "9:30-11 am"),
        (time(9), time(10, 30), "上午9:00-10:30", "9-10:30 am"),
        (time(11), time(15), "上午11点到下午3点", "11 am-3 pm"),
        (time(9), time(12), "上午", "morning"),
        (time(14), time(17), "下午", "afternoon"),
        (time(18), time(20), "晚上", "evening"),
        (time(0, 15), None, "凌晨12:15", "12:15 am"),
    ],
)
def test_a_time_is_said_as_people_say_it(start: time, end: time | None, zh: str, en: str) -> None:
    assert say_time(start, end, "zh") == zh
    assert say_time(start, end, "en") == en


def test_a_slot_is_day_and_time_or_the_day_alone() -> None:
    wednesday = date(2026, 12, 2)
    assert say_slot(wednesday, *VISIT_SLOT, "zh") == "12月2日周三上午9-11点"
    assert say_slot(wednesday, *VISIT_SLOT, "en") == "Wed 2 Dec, 9-11 am"
    assert say_slot(wednesday, None, None, "zh") == "12月2日周三"
    assert say_slot(wednesday, None, None, "en", date(2025, 1, 1)) == "Wed 2 Dec 2026"


nows = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001
languages = st.sampled_from(["zh", "en"])
clock = st.builds(time, st.integers(5, 22), st.integers(0, 59))


@given(nows, st.integers(-400, 3000), languages, clock | st.none(), clock | st.none())
@example(datetime(2020, 1, 1, tzinfo=SHANGHAI), 0, "en", time(12), time(21))
def test_what_we_say_reads_back(
    now: datetime, days: int, lang: str, start: time | None, end: time | None
) -> None:
    day = now.date() + timedelta(days=days)
    if start is None or (end is not None and end <= start):
        end = None
    if day < now.date() and day.year == now.year:
        return  # a past day of this year is said without its year and then means the next one
    when = read_when(say_slot(day, start, end, lang, now.date()), now=now, calendar=WEEKDAYS)
    assert when is not None
    assert (when.day, when.start, when.end) == (day, start, end)


@given(nows, st.integers(0, 360), languages)
def test_a_date_without_weekday_reads_back(now: datetime, days: int, lang: str) -> None:
    day = now.date() + timedelta(days=days)
    when = read_when(say_date(day, lang, now.date()), now=now, calendar=WEEKDAYS)
    assert when is not None
    assert when.day == day


@given(st.dates(), languages, clock, clock)
def test_english_keeps_to_plain_signs_and_nothing_said_is_empty(
    day: date, lang: str, start: time, end: time
) -> None:
    said = f"{say_day(day, lang, TODAY)}{say_slot(day, start, end, lang, TODAY)}"
    assert said
    assert lang == "zh" or said.isascii()
