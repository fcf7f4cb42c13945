"""Do the calendar's tables say what asking day by day would, and admit what they cannot know?"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import import_module

import chinese_calendar
import holidays
import pytest
from holidays.registry import COUNTRIES
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.deadlines import deadline
from reminder.domain.errors import Refused
from reminder.domain.limits import CountFrom, Limit, Unit
from reminder.domain.national import CONFIRMED_THROUGH, Place
from reminder.domain.workdays import DayMark, MarkKind, RestKind, WorkCalendar

CN = WorkCalendar()
DAY = timedelta(days=1)
D = date.fromisoformat


def cal(amount: int) -> Limit:
    return Limit(amount, Unit.CAL)


@pytest.mark.parametrize("year", range(2004, 2027))
def test_every_day_of_china_agrees_with_a_second_source(year):
    days = days_from(date(year, 1, 1), date(year, 12, 31))
    differing = [day for day in days if CN.is_working(day) != chinese_calendar.is_workday(day)]
    # 2005-12-31 was worked for the New Year of 2006; the second source leaves it out.
    assert differing == ([date(2005, 12, 31)] if year == 2005 else [])


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_chinese_year_has_its_published_number_of_working_days(year, count):
    assert CN.working_between(date(year - 1, 12, 31), date(year, 12, 31)) == count


def test_the_make_up_workdays_of_2026_are_the_published_ones():
    made_up = [day for day in days_from(D("2026-01-01"), D("2026-12-31")) if CN.is_made_up(day)]
    assert made_up == [D(f"2026-{day}") for day in ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")]


@cache
def slow_days(code: str) -> dict[date, bool]:
    place = Place.parse(code)
    known = holidays.country_holidays(
        place.country, subdiv=place.subdivision, years=range(2015, 2036), expand=False, categories=("public",)
    )
    return {day: known.is_working_day(day) for day in days_from(date(2015, 1, 1), date(2035, 12, 31))}


def stepped(working: dict[date, bool], day: date, direction: int, n: int) -> date:
    """The n-th worked day beyond `day`, one day at a time."""
    while n:
        day += DAY * direction
        n -= working[day]
    return day


@settings(max_examples=300, deadline=None)
@given(
    code=st.sampled_from(["CN", "GB-ENG", "US"]),
    day=st.dates(D("2018-01-01"), D("2032-12-31")),
    n=st.integers(-400, 400),
    n_cal=st.integers(-400, 400),
)
def test_the_tables_agree_with_counting_day_by_day(code, day, n, n_cal):
    calendar, working = WorkCalendar(code=code), slow_days(code)
    direction = 1 if n >= 0 else -1
    assert calendar.is_working(day) == working[day]
    assert calendar.forward(day) == stepped(working, day - DAY, 1, 1)
    assert calendar.back(day) == stepped(working, day + DAY, -1, 1)
    if n:
        assert calendar.add_working(day, n) == stepped(working, day, direction, abs(n))
        inclusive = stepped(working, day - DAY * direction, direction, abs(n))
        assert calendar.add_working(day, n, CountFrom.SAME_DAY) == inclusive
    other = day + n_cal * DAY
    span = days_from(min(day, other) + DAY, max(day, other))
    assert abs(calendar.working_between(day, other)) == sum(working[each] for each in span)
    assert calendar.working_between(day, other) == -calendar.working_between(other, day)


def test_zero_working_days_is_the_first_working_day_from_there():
    assert CN.add_working(D("2026-10-01"), 0) == D("2026-10-08")
    assert CN.add_working(D("2026-10-08"), 0, CountFrom.SAME_DAY) == D("2026-10-08")


def test_an_office_mark_beats_the_nation_and_leaves_other_offices_alone():
    marks = {
        D("2026-03-30"): DayMark(kind=MarkKind.REST, name="三月三"),
        D("2026-04-11"): DayMark(kind=MarkKind.WORK, name="补班"),
        D("2026-10-01"): DayMark(kind=MarkKind.WORK),
        D("2026-10-10"): DayMark(kind=MarkKind.REST, name="swap undone"),
    }
    office = WorkCalendar(overrides=marks)
    marks.clear()
    assert [office.is_working(D(f"2026-{day}")) for day in ("03-30", "04-11", "10-01", "10-10")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert [CN.is_working(D(f"2026-{day}")) for day in ("03-30", "04-11", "10-01", "10-10")] == [
        True, False, False, True,
    ]  # fmt: skip
    assert office.is_made_up(D("2026-04-11"))
    assert not office.is_made_up(D("2026-10-01"))
    assert office.rest_reason(D("2026-03-30")).name == "三月三"
    assert office.rest_reason(D("2026-03-30")).kind is RestKind.OFFICE


def test_a_rest_day_says_why_in_the_language_asked_for():
    assert CN.rest_reason(D("2026-10-01")).name == "National Day"
    assert CN.rest_reason(D("2026-10-01"), "zh_CN").name == "国庆节"
    assert CN.rest_reason(D("2026-10-04")).kind is RestKind.WEEKEND
    assert CN.rest_reason(D("2026-10-10")) is None
    assert WorkCalendar(code="GB").rest_reason(D("2026-12-25"), "zh_CN").name == "Christmas Day"


def test_childrens_day_is_worked_because_half_days_are_not_rest_days():
    assert CN.is_working(D("2026-06-01"))


# --- how sure the calendar is


@pytest.mark.parametrize(
    ("country", "module"),
    [
        ("BY", "belarus.Belarus"),
        ("CN", "china.China"),
        ("HU", "hungary.Hungary"),
        ("LV", "latvia.Latvia"),
        ("RU", "russia.Russia"),
        ("UZ", "uzbekistan.Uzbekistan"),
        ("VN", "vietnam.Vietnam"),
    ],
)
def test_confirmed_through_is_the_last_decree_in_the_installed_package(country, module):
    file, name = module.split(".")
    static = getattr(import_module(f"holidays.countries.{file}"), f"{name}StaticHolidays")
    assert CONFIRMED_THROUGH[country] == max(static.special_public_holidays)


def test_every_country_with_make_up_workdays_is_known_to_need_a_decree():
    for names in COUNTRIES.values():
        calendar = WorkCalendar(code=names[1])
        if names[1] in CONFIRMED_THROUGH:
            continue
        known = holidays.country_holidays(names[1], years=[2026], expand=False)
        made_up = any(day.year == 2026 for day in known.weekend_workdays)
        assert not (made_up and calendar.is_confirmed(D("2026-06-01"))), names[1]


@pytest.mark.failure(22)
def test_a_year_without_a_decree_is_provisional_until_the_office_vouches_for_it():
    assert CN.is_confirmed(D("2026-12-31"))
    assert not CN.is_confirmed(D("2027-01-01"))
    assert CN.provisional_years(D("2026-12-01"), D("2028-01-01")) == (2027, 2028)
    assert not CN.provisional(D("2026-01-01"), D("2026-12-31"))
    assert CN.confirmed_through(2026) == 2026
    vouched = WorkCalendar(confirmed_years=frozenset({2027}))
    assert not vouched.provisional(D("2026-12-01"), D("2027-12-31"))
    assert vouched.confirmed_through(2026) == 2027


def test_holidays_by_law_are_confirmed_and_moon_sightings_and_missing_years_are_not():
    assert WorkCalendar(code="GB-ENG").is_confirmed(D("2040-01-01"))
    assert not WorkCalendar(code="PK").is_confirmed(D("2040-01-01"))
    assert not WorkCalendar(code="IN").is_confirmed(D("2036-01-01"))  # and its warning stays inside
    first = holidays.country_holidays("SO").start_year
    assert first > 1950
    assert not WorkCalendar(code="SO").is_confirmed(date(first - 1, 1, 1))


def test_asking_about_another_year_does_not_touch_the_answer_for_this_one():
    fresh = WorkCalendar()
    alone = [fresh.is_working(day) for day in days_from(D("2026-12-01"), D("2026-12-31"))]
    fresh.is_working(D("2027-01-01"))
    assert alone == [fresh.is_working(day) for day in days_from(D("2026-12-01"), D("2026-12-31"))]


@pytest.mark.parametrize(
    ("code", "spelled"),
    [
        ("CN", "CN"),
        ("gb-eng", "GB-ENG"),
        ("GB-England", "GB-ENG"),
        ("UK", "GB"),
        ("us-ny", "US-NY"),
        ("CHN", "CN"),
    ],
)
def test_a_calendar_code_is_read_as_people_write_it(code, spelled):
    assert WorkCalendar(code=code).code == spelled


def test_calendars_of_one_code_are_equal_and_hash_alike():
    assert WorkCalendar(code="gb-eng") == WorkCalendar(code="GB-ENG")
    assert len({WorkCalendar(code="gb-eng"), WorkCalendar(code="GB-ENG")}) == 1
    marked = WorkCalendar(overrides={D("2026-03-30"): DayMark(kind=MarkKind.REST)})
    assert marked != CN


@pytest.mark.parametrize(
    ("code", "suggestion"),
    [
        ("China", "CN"),
        ("united kingdom", "GB"),
        ("GB-EN", "GB-ENG"),
        ("US-", "US"),
        ("US-ZZ", "US"),
        ("", "CN"),
    ],
)
def test_an_unknown_calendar_is_refused_with_a_suggestion(code, suggestion):
    with pytest.raises(Refused) as refusal:
        WorkCalendar(code=code)
    assert (refusal.value.key, refusal.value.values["suggestion"]) == ("calendar_unknown", suggestion)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: CN.is_working(date(1949, 12, 31)),
        lambda: CN.forward(date(2101, 1, 1)),
        lambda: CN.forward(date(2100, 12, 31) + DAY),
        lambda: CN.add_working(date(2100, 12, 1), 30),
        lambda: CN.add_working(date(1950, 1, 5), -30),
        lambda: deadline(date(9999, 12, 31), cal(1), CN),
        lambda: deadline(date(2026, 1, 1), cal(900_000), CN),
        lambda: deadline(date(2026, 1, 1), Limit(900_000, Unit.MONTH), CN),
        lambda: deadline(date(2026, 1, 1), Limit(900_000, Unit.WD), CN),
    ],
)
def test_a_year_out_of_reach_is_refused_and_not_guessed(ask):
    with pytest.raises(Refused) as refusal:
        ask()
    assert refusal.value.key == "calendar_year_out_of_range"


def test_a_date_time_is_never_taken_for_a_day():
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    with pytest.raises(TypeError):
        CN.add_working(moment, 1)
    with pytest.raises(KeyError):
        CN.is_working(moment)


def days_from(first_on: date, last_on: date) -> list[date]:
    return [first_on + n * DAY for n in range((last_on - first_on).days + 1)]
