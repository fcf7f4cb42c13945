"""Is an office's calendar file read whole, or refused with everything that is wrong in it?"""

from datetime import date
from pathlib import Path

import pytest

from reminder.domain.calendars import read_overrides
from reminder.domain.errors import Faulty
from reminder.domain.workdays import DayMark, MarkKind

HEADER = "date,kind,name\n"


def faults(text: str, lang: str = "en") -> list[str]:
    with pytest.raises(Faulty) as refusal:
        read_overrides(text, "calendar.csv", lang)
    return [str(fault) for fault in refusal.value.faults]


def test_a_calendar_file_gives_marks_and_confirmed_years():
    read = read_overrides(
        "\ufeffdate,kind,name\r\n2027-03-30,rest,三月三\r\n\r\n 2027-02-13 , work ,\r\n2027,confirmed,\r\n",
        "x",
    )
    assert read.marks == {
        date(2027, 3, 30): DayMark(kind=MarkKind.REST, name="三月三"),
        date(2027, 2, 13): DayMark(kind=MarkKind.WORK),
    }
    assert read.confirmed_years == {2027}
    calendar = read.over("CN")
    assert not calendar.is_working(date(2027, 3, 30))
    assert calendar.is_working(date(2027, 2, 13))
    assert calendar.is_confirmed(date(2027, 6, 1))
    assert not calendar.is_confirmed(date(2028, 6, 1))


def test_columns_may_stand_in_any_order():
    read = read_overrides("kind,name,date\nrest,县庆日,2027-03-30\n", "x")
    assert read.marks[date(2027, 3, 30)].name == "县庆日"


def test_the_example_an_office_starts_from_is_sound_and_vouches_for_nothing():
    example = Path(__file__).parents[2] / "templates" / "calendars" / "example.csv"
    read = read_overrides(example.read_text(encoding="utf-8"), "example.csv")
    assert len(read.marks) >= 2
    assert read.confirmed_years == frozenset()


def test_every_fault_is_told_with_its_line_and_remedy():
    text = HEADER + (
        "2027-02-30,rest,x\n2027-01-01,off,\n2027-03-30,rest,a\n2027-03-30,work,b\n"
        "20270,confirmed,\n1949-10-01,rest,\n2027-05-01,rest\n20270601,work,\n"
    )
    found = faults(text)
    assert [fault.split(":")[0] for fault in found] == [
        "calendar.csv, line 2, column date",
        "calendar.csv, line 3, column kind",
        "calendar.csv, line 5, column date",
        "calendar.csv, line 6, column date",
        "calendar.csv, line 7, column date",
        "calendar.csv, line 8",
        "calendar.csv, line 9, column date",
    ]
    assert "'off' is not known here. Use one of: rest, work, confirmed." in found[1]
    assert "already said on line 4" in found[2]
    assert "year-month-day" in found[0]


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("", "calendar.csv", "Start with the header: date,kind,name"),
        ("\ufeff\n\n", "calendar.csv", "Start with the header: date,kind,name"),
        (HEADER, "calendar.csv, line 1", "Add one line"),
        ("2027-01-01,rest,x\n", "calendar.csv, line 1, column 2027-01-01", "date,kind,name"),
        ("date,kind\n2027-01-01,rest\n", "calendar.csv, line 1, column name", "Use the header"),
        ("date,kind,name,nmae\n", "calendar.csv, line 1, column nmae", "Did you mean 'name'?"),
        ("date,kind,name,name\n", "calendar.csv, line 1, column name", "Keep one"),
        (HEADER + '2027-01-01,rest,"a"b\n', "calendar.csv, line 2", "quotes"),
    ],
)
def test_a_file_without_a_usable_table_says_what_is_missing(text, place, remedy):
    first = faults(text)[0]
    assert first.startswith(place + ":")
    assert remedy in first


def test_faults_are_told_in_chinese_too():
    assert faults(HEADER + "2027-02-30,rest,x\n", "zh") == [
        "calendar.csv，第 2 行，“date”列: “2027-02-30”不是 1950 至 2100 年之间的日期。"
        " 请写成“年-月-日”，例如 2027-03-30。"
    ]
