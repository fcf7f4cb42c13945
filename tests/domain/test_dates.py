"""Dates as people type them: read rightly, or not at all."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.dates import VISIT_SLOT, When, read_when
from reminder.domain.errors import Refused
from reminder.domain.workdays import WorkCalendar

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


def read(text: str, now: datetime = NOW) -> str | None:
    return written(read_when(text, now=now, calendar=WEEKDAYS))


ZH = {
    "今天": "11-25",
    "今天上午": "11-25 09:00-12:00",
    "今天下午": "11-25 14:00-17:00",
    "今天9点": "11-25 09:00<",
    "今晚七点一刻": "11-25 19:15",
    "今早9点": "11-25 09:00<",
    "明天": "11-26",
    "明天。": "11-26",
    "明早九点": "11-26 09:00",
    "明晚": "11-26 18:00-20:00",
    "明天的下午": "11-26 14:00-17:00",
    "明天中午": "11-26 12:00",
    "明天中午12点半": "11-26 12:30",
    "明天3点": "11-26 15:00?",
    "明天14点": "11-26 14:00",
    "明天 9点到11点": "11-26 09:00-11:00",
    "明天上午9-11点": "11-26 09:00-11:00",
    "明天9点到5点": "11-26 09:00-17:00",
    "明天9:00-21:00": "11-26 09:00-21:00",
    "明天下午2点至4点": "11-26 14:00-16:00",
    "后天下午3点": "11-27 15:00",
    "大后天": "11-28~",
    "昨天": "11-24<",
    "前天下午": "11-23 14:00-17:00<",
    "周五": "11-27",
    "周三": "12-02?",
    "周三9:30": "12-02 09:30?",
    "周三下午3点": "11-25 15:00?",
    "周二": "12-01",
    "星期天": "11-29~",
    "礼拜六": "11-28~",
    "周日": "11-29~",
    "这周五": "11-27",
    "本周五下午2点半": "11-27 14:30",
    "这周一": "11-23?<",
    "上周五": "11-20<",
    "下周三": "12-02",
    "下周三上午": "12-02 09:00-12:00",
    "下个星期三": "12-02",
    "下周一": "11-30",
    "下周日": "12-06~",
    "下下周一": "12-07",
    "12月2日": "12-02",
    "12月2号上午九点半": "12-02 09:30",
    "十二月二日": "12-02",
    "十二月二十二日三点": "12-22 15:00?",
    "12 月 2 日 上午 9 点": "12-02 09:00",
    "周三 12月2日": "12-02",
    "12月2日（周三）": "12-02",
    "12月2日星期三下午": "12-02 14:00-17:00",
    "11月25日": "11-25",
    "11月24日": "2027-11-24?",
    "1月5日": "2027-01-05",
    "12/2": "12-02?",
    "１２／２": "12-02?",
    "周三 12/2": "12-02",
    "12/15 14:00": "12-15 14:00",
    "12/12": "12-12~",
    "2026-12-02": "12-02",
    "2026年12月2日": "12-02",
    "2026/12/2 下午3点": "12-02 15:00",
    "2026.12.2": "12-02",
    "2025-12-02": "2025-12-02<",
    "明年3月5日": "2027-03-05",
    "今年3月5日": "03-05<",
    "12号": "12-12~",
    "12号下午三点": "12-12 15:00~",
    "25号": "12-25?",
    "25号下午": "11-25 14:00-17:00?",
    "30日": "11-30",
    "31号": "12-31?",
    "下个月5号": "12-05~",
    "下月三十一号": "12-31",
    "本月27日": "11-27",
    "三天后": "11-28~",
    "2天后": "11-27",
    "过两天之后": "11-27",
    "两周后": "12-09",
    "一个星期后": "12-02",
    "两个月后": "2027-01-25",
    "3个工作日内": "11-30",
    "三个工作日后": "11-30",
    "十个工作日内": "12-09",
    "两小时后": "11-25 12:00",
    "半个小时后": "11-25 10:30",
    "30分钟后": "11-25 10:30",
    "上午九点半": "11-26 09:30?",
    "下午3点": "11-25 15:00?",
    "晚上七点一刻": "11-25 19:15?",
    "9点": "11-26 09:00?",
    "3点": "11-25 15:00?",
    "元旦": "2027-01-01",
    "国庆节": "2027-10-01?",
    "明年国庆": "2027-10-01",
    "五一": "2027-05-01~",
    "月底": "11-30?",
    "下个月底": "12-31?",
    "1月底": "2027-01-31?~",
    "年底": "12-31?",
}

EN = {
    "today": "11-25",
    "today 2pm": "11-25 14:00",
    "tonight": "11-25 18:00-20:00",
    "this afternoon": "11-25 14:00-17:00",
    "tomorrow": "11-26",
    "Tomorrow morning": "11-26 09:00-12:00",
    "tomorrow in the afternoon": "11-26 14:00-17:00",
    "tomorrow at 9": "11-26 09:00",
    "tomorrow at 3": "11-26 15:00?",
    "tomorrow 9:30am": "11-26 09:30",
    "tomorrow afternoon 3pm": "11-26 15:00",
    "wednesday, the 2nd of december 2026, at 9:30am": "12-02 09:30",
    "tomorrow noon": "11-26 12:00",
    "9am tomorrow": "11-26 09:00",
    "the day after tomorrow": "11-27",
    "yesterday": "11-24<",
    "Wed": "12-02?",
    "wednesday 9:30": "12-02 09:30?",
    "Wed 3pm": "11-25 15:00?",
    "Fri": "11-27",
    "Tuesday": "12-01",
    "coming Friday": "11-27",
    "this Friday": "11-27",
    "this Monday": "11-23?<",
    "next Wed": "12-02",
    "next Wed 9am": "12-02 09:00",
    "next Monday": "11-30",
    "next Friday": "12-04?",
    "Friday next week": "12-04",
    "next week on Friday": "12-04",
    "2 Dec": "12-02",
    "2nd of December": "12-02",
    "December 2nd": "12-02",
    "Dec 2 2pm": "12-02 14:00",
    "Dec. 2, 2026": "12-02",
    "on 2 December at 9:30 a.m.": "12-02 09:30",
    "Wed 2 Dec": "12-02",
    "Wednesday, December 2nd": "12-02",
    "Wed 2 Dec, 9-11 am": "12-02 09:00-11:00",
    "9-11 am on Wed 2 Dec": "12-02 09:00-11:00",
    "12 Dec 12 noon": "12-12 12:00~",
    "3 Nov": "2027-11-03?",
    "2 Dec 2025": "2025-12-02<",
    "the 12th": "12-12~",
    "the 4th at 2pm": "12-04 14:00",
    "25th": "12-25?",
    "5th of next month": "12-05~",
    "in 3 days": "11-28~",
    "within 2 days": "11-27",
    "in two weeks": "12-09",
    "in a week": "12-02",
    "a month from now": "12-25",
    "in 3 working days": "11-30",
    "within five business days": "12-02",
    "in 2 hours": "11-25 12:00",
    "in half an hour": "11-25 10:30",
    "end of month": "11-30?",
    "the end of the month": "11-30?",
    "end of next month": "12-31?",
    "9:30": "11-26 09:30?",
    "2 p.m.": "11-25 14:00?",
    "2026-12-02 14:00": "12-02 14:00",
    "2026-12-02 03:30": "12-02 03:30?",
    "noon": "11-25 12:00?",
    "Friday at noon": "11-27 12:00",
    "morning": "11-26 09:00-12:00?",
    "Fri 2-4pm": "11-27 14:00-16:00",
    "Fri 11am-1pm": "11-27 11:00-13:00",
    "Fri 9:30-11:00": "11-27 09:30-11:00",
    "Friday 9 o'clock": "11-27 09:00",
    "Christmas": "12-25",
    "New Year's Day": "2027-01-01",
}

NOTES = (
    "3楼402室; may be away; see case 2026-0113; 3-4 people; may; in may; march; second; 402",
    "26000124; 2026-0113; 12-2; 5; 三天; 3个人; 12号楼; 周三去过了; 下周; next week; 下个月; 12月",
    "3月后; 家里没人; 100元; 10:75; 1st floor; 24/7; 号; 点; 上下午; 天天; 二三天后",
    "tomorrow or Friday; 明天后天; not tomorrow; call 9; 9; sat down; on; at; 。; ?; 0天后",
    "in 0 days; 3 days; last Wed; 12月2日3月4日; 9点9点; monday tuesday; 零号; 0号; 32号",
)

IMPOSSIBLE = (
    "2月30日; 2月29日; 13月1日; 0月1日; 12/32; 13/40; 2026-02-30; 2026-13-01; Feb 30; 31 Nov",
    "周四 12月2日; Thu 2 Dec; 12月2日(周四); Wed 2026-12-03; 明天25点; 明天上午15点; 明天晚上12点",
    "明天9点75分; tomorrow at 25:00; tomorrow 13am; tomorrow 14pm; 明天11点到9点半pm",
    "明天14:00-02:00; 2099-12-32; 2月底31号; 明天9点到9点; 明天9点半到9点; tomorrow 0am",
    "tomorrow 9-8pm; 明天上午9pm; 2026-12-021:30; 2 decnoon; wedmorning",
)


def each(rows: tuple[str, ...]) -> list[str]:
    return [text for row in rows for text in row.split("; ")]


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert len(ZH) >= 60
    assert len(EN) >= 45
    assert len(each(NOTES)) >= 16


@pytest.mark.parametrize(("text", "expected"), ZH.items())
def test_a_chinese_phrase_is_read_as_meant(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(("text", "expected"), EN.items())
def test_an_english_phrase_is_read_as_meant(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize("text", EN)
def test_case_width_and_end_marks_make_no_difference(text: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)
    assert read(f"  {text.upper()} ! ") == read(wide) == EN[text]


@pytest.mark.parametrize("text", [*each(NOTES), "", " ", "\n"])
def test_a_note_is_not_taken_for_a_date(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", each(IMPOSSIBLE))
def test_a_date_or_hour_that_cannot_be_is_not_bent_into_one_that_can(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", ["十点十一日", "十点三十号", "三点十一"])
def test_a_phrase_with_two_readings_is_not_decided_for_the_person(text: str) -> None:
    """十点，十一日 or 十点十，一日."""
    assert read(text) is None


def test_a_text_longer_than_any_phrase_is_a_note() -> None:
    assert read(f"周三{',' * 20}12月2日") == "12-02"
    assert read(f"周三{',' * 60}12月2日") is None


@pytest.mark.parametrize("text", list(ZH)[:60])
@pytest.mark.parametrize("note", ["{}去过了", "不是{}", "{}或者改天", "门牌{}"])
def test_a_phrase_inside_a_note_does_not_parse(note: str, text: str) -> None:
    assert read(note.format(text)) is None


@pytest.mark.parametrize(
    ("now", "text", "expected"),
    [
        ("2026-11-29 10:00", "下周三", "12-02"),  # a Sunday still belongs to the week that ends with it
        ("2026-11-29 10:00", "周日", "12-06?~"),
        ("2026-11-29 10:00", "this Sunday", "11-29~"),
        ("2026-11-30 10:00", "next Wed", "12-09?"),
        ("2026-12-30 10:00", "后天", "2027-01-01"),
        ("2026-12-30 10:00", "下个月5号", "2027-01-05"),
        ("2026-12-30 10:00", "1月2日", "2027-01-02~"),
        ("2026-12-31 10:00", "月底", "12-31?"),
        ("2027-01-29 10:00", "下个月30号", None),
        ("2027-01-30 10:00", "30号", "2027-03-30?"),
        ("2027-01-31 10:00", "一个月后", "2027-02-28?~"),
        ("2028-02-01 10:00", "2月29日", "2028-02-29"),
        ("2027-12-01 10:00", "2月29日", "2028-02-29"),
        ("2026-11-25 23:30", "一小时后", "11-26 00:30"),
        ("2026-11-25 09:00", "9点", "11-26 09:00?"),
        ("2026-11-25 08:59", "9点", "11-25 09:00?"),
        ("2026-11-25 12:00", "今天上午", "11-25 09:00-12:00<"),
        ("2026-11-25 11:59", "今天上午", "11-25 09:00-12:00"),
    ],
)
@pytest.mark.failure(7)
def test_the_turn_of_a_day_week_month_or_year_is_kept(now: str, text: str, expected: str | None) -> None:
    assert read(text, datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)) == expected


def test_hours_from_now_are_counted_as_they_run_over_a_change_of_the_clock() -> None:
    """On 28 March 2027 London's clocks go from 01:00 to 02:00."""
    night = datetime(2027, 3, 28, 0, 30, tzinfo=ZoneInfo("Europe/London"))
    when = read_when("in 2 hours", now=night, calendar=WEEKDAYS)
    assert when is not None
    assert when.start == time(3, 30)


def test_working_days_and_rest_days_come_from_the_office_calendar() -> None:
    calendar = WorkCalendar(code="CN")
    monday = datetime(2026, 9, 28, 10, tzinfo=SHANGHAI)
    assert read_when("5个工作日内", now=monday, calendar=calendar) == When(day=date(2026, 10, 10))
    assert read_when("10月7日", now=monday, calendar=calendar) == When(day=date(2026, 10, 7), rest_day=True)


def test_a_year_the_calendar_cannot_know_is_no_date() -> None:
    class Ignorant(MondayToFriday):
        def is_working(self, day: date) -> bool:
            raise Refused("calendar_year_out_of_range", year=day.year)

    assert read_when("2099-12-02", now=NOW, calendar=Ignorant()) is None


def test_a_visit_without_a_time_takes_the_usual_slot_and_one_with_a_time_keeps_it() -> None:
    assert When(day=TODAY).visit_slot == VISIT_SLOT == (time(9), time(11))
    assert When(day=TODAY, start=time(14)).visit_slot == (time(14), None)
    assert When(day=TODAY, start=time(14), end=time(17)).visit_slot == (time(14), time(17))


nows = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001
pieces = st.lists(
    st.sampled_from(
        [
            *"0123456789 :/-.,点号月日周天上下午半个后底年",
            "am",
            "pm",
            "next ",
            "dec",
            "wed",
            "in ",
            "th",
            "到",
        ]
    )
).map("".join)


@given(st.text() | pieces, nows)
def test_no_text_whatever_raises(text: str, now: datetime) -> None:
    when = read_when(text, now=now, calendar=WEEKDAYS)
    assert when is None or when.end is None or (when.start is not None and when.start < when.end)


@given(pieces, nows)
def test_only_a_phrase_that_says_so_lies_in_the_past(text: str, now: datetime) -> None:
    when = read_when(text, now=now.astimezone(UTC), calendar=WEEKDAYS)
    if when is not None and not when.past:
        assert when.day >= now.astimezone(UTC).date()
