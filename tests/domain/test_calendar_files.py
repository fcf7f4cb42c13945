"""Three forms of a year's rest days read alike; what is wrong in one is told at once, with its line."""

from datetime import date
from pathlib import Path

import pytest

from reminder.domain.calendar_files import is_calendar, read_calendar
from reminder.domain.calendars import whole_year
from reminder.domain.errors import Faulty
from reminder.domain.workdays import DayMark, MarkKind, WorkCalendar

FILES = Path(__file__).parents[1] / "calendar_files"
FORMS = ("2027.csv", "2027.ics", "2027.json")


def content(name: str) -> bytes:
    return (FILES / name).read_bytes()


def faults(name: str, text: str, lang: str = "en") -> list[str]:
    with pytest.raises(Faulty) as refusal:
        read_calendar(name, text.encode(), lang)
    return [str(fault) for fault in refusal.value.faults]


@pytest.mark.parametrize("name", FORMS)
def test_each_form_says_the_same_of_every_day(name: str) -> None:
    assert is_calendar(name, content(name))
    read, ours = read_calendar(name, content(name)), read_calendar("2027.csv", content("2027.csv"))
    assert {d: m.kind for d, m in read.marks.items()} == {d: m.kind for d, m in ours.marks.items()}
    assert read.confirmed_years == {2027}
    assert read.marks[date(2027, 5, 8)].kind is MarkKind.WORK
    assert date(2027, 2, 12) not in read.marks, "DTEND is the day after the last one"


@pytest.mark.parametrize("name", FORMS)
def test_each_form_read_as_the_same_file_under_any_name(name: str) -> None:
    assert read_calendar("x", content(name)).marks == read_calendar(name, content(name)).marks


def test_folded_lines_and_a_byte_order_mark_are_read() -> None:
    text = b"\xef\xbb\xbf" + content("2027.ics").replace("元旦假期".encode(), "元旦\r\n 假期".encode())
    assert read_calendar("a.ics", text).marks[date(2027, 1, 1)].name == "元旦假期"


def test_a_complete_year_is_its_list_and_plain_weeks_whatever_was_guessed() -> None:
    marks = dict(read_calendar("2027.csv", content("2027.csv")).marks)
    gone = date(2027, 10, 5)
    assert not WorkCalendar(code="CN").is_working(gone), "guessed to be a day off"
    del marks[gone]
    year = WorkCalendar(code="CN", overrides=whole_year("CN", 2027, marks), confirmed_years=frozenset({2027}))
    for number in range(365):
        day = date.fromordinal(date(2027, 1, 1).toordinal() + number)
        listed = marks.get(day)
        works = listed.kind is MarkKind.WORK if listed else day.weekday() < 5
        assert year.is_working(day) is works, day


def test_a_holiday_over_new_year_is_told_with_its_year() -> None:
    text = content("2027.json").decode().replace('"2027-01-01"', '"2026-12-31"')
    assert "2027" in faults("2027.json", text)[0], "1 January is worked: no complete year"
    first = '{"name": "元旦", "date": "2026-12-31", "isOffDay": true},'
    text = content("2027.json").decode().replace('"days": [', f'"days": [{first}')
    assert read_calendar("2027.json", text.encode()).marks[date(2026, 12, 31)].kind is MarkKind.REST


def test_json_faults_all_at_once_with_their_lines() -> None:
    days = (
        '{"name": "元旦", "date": "2027-01-32", "isOffDay": true},\n'
        '{"name": "元旦", "date": "2025-01-01", "isOffDay": true},\n'
        '{"name": 7, "date": "2027-01-03", "isOffDay": "yes"}'
    )
    found = faults("a.json", '{"year": 2027, "days": [\n' + days + "]}")
    assert [fault.split(":")[0] for fault in found] == [
        "a.json, line 2, column days[0]",
        "a.json, line 3, column days[1]",
        "a.json, line 4, column days[2]",
        "a.json, line 4, column days[2]",
    ]
    assert "does not belong to 2027" in found[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSON"),
        ("[1]", "not a list of holidays"),
        ('{"year": "2027", "days": []}', "not a list of holidays"),
        ('{"year": 2027, "days": []}', "not published yet"),
        ('{"year": 2027, "days": [{"name": "x", "date": "2027-01-01", "isOffDay": true}]}', "complete list"),
        ('{"year": 2027, "days": [null]}', "not a day"),
        ("{" * 100_000, "JSON"),
    ],
)
def test_json_that_is_no_year_is_refused_in_a_sentence(text: str, said: str) -> None:
    assert said in faults("a.json", text)[0]


EVENT = "BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    ("lines", "place", "said"),
    [
        ("SUMMARY:x", "line 2", "no DTSTART"),
        ("DTSTART:20270330T090000Z", "line 3", "no whole day"),
        ("DTSTART;VALUE=DATE:20270230", "line 3", "not a day"),
        ("DTSTART;VALUE=DATE:20270330\nDTEND;VALUE=DATE:20270330", "line 4", "ends before"),
        ("DTSTART;VALUE=DATE:20270330\nDTEND;VALUE=DATE:20280330", "line 4", "lasts 366 days"),
        ("DTSTART;VALUE=DATE:20270330\nRRULE:FREQ=YEARLY", "line 4", "repeats"),
        ("no property", "line 3", "no whole day"),
    ],
)
def test_ics_faults_name_line_and_remedy(lines: str, place: str, said: str) -> None:
    found = faults("a.ics", EVENT.format(lines))
    assert any(place in fault and said in fault for fault in found)


def test_an_ics_cut_off_in_the_middle_is_not_half_a_year() -> None:
    half = content("2027.ics").decode()[:600]
    assert any("ends before END:" in fault for fault in faults("a.ics", half))


def test_a_day_that_is_both_is_told() -> None:
    two = "DTSTART;VALUE=DATE:20270330\nSUMMARY:{}\nEND:VEVENT\nBEGIN:VEVENT\n"
    text = EVENT.format(two.format("上班(补)") + "DTSTART;VALUE=DATE:20270330\nSUMMARY:x")
    assert "rest day and a workday at once (line 3)" in faults("a.ics", text)[0]


def test_single_days_confirm_no_year() -> None:
    text = EVENT.format("DTSTART;VALUE=DATE:20270330\nSUMMARY:三月三")
    read = read_calendar("a.ics", text.encode())
    assert read.marks == {date(2027, 3, 30): DayMark(kind=MarkKind.REST, name="三月三")}
    assert read.confirmed_years == frozenset()


def test_a_local_holiday_does_not_confirm_a_year_by_mistake() -> None:
    found = faults("a.csv", "date,kind,name\n2027-03-30,rest,三月三\n2027,confirmed,\n")
    assert "no complete list: 1 days off" in found[0]


def test_faults_are_told_in_chinese_too() -> None:
    assert "还没有公布" in faults("a.json", '{"year": 2027, "days": []}', "zh")[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [("台账.csv", "序号,登记时间,信访人\n"), ("a.xlsx", "PK\x03\x04"), ("a.csv", "name,date\n")],
)
def test_a_ledger_is_no_calendar(name: str, text: str) -> None:
    assert not is_calendar(name, text.encode())
