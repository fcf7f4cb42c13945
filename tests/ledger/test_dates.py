from datetime import date, datetime

import pytest

from reminder.ledger.dates import Days, read_date
from reminder.ledger.files import Cell
from reminder.ledger.verdicts import Ask, Unreadable
from tests.ledger.books import TODAY

KNOWN = Days(today=TODAY)
DAY = date(2026, 3, 5)


@pytest.mark.parametrize(
    "cell",
    [
        "2026.3.5",
        "2026/03/05",
        "2026-3-5",
        "26-3-5",
        "26.3.5",
        "26年3月5日",
        "2026年3月5日",
        "2026年3月5号",
        "二〇二六年三月五日",
        "二○二六年三月五日",
        "二零二六年三月五日",
        "２０２６．３．５",
        "20260305",
        20260305,
        46086,
        46086.0,
        46086.4,
        "46086",
        DAY,
        datetime.fromisoformat("2026-03-05T09:30"),
        "2026-03-05 09:30:00",
        "2026-03-05T09:30:00",
        "2026.3.5上午来访",
        "已于2026年3月5日转办",
        "2026 3 5",
        "2026-3-5日",
        "260305",
        "5 March 2026",
        "March 5, 2026",
        "5-Mar-26",
        "5th of March 2026",
        "Mar 5 2026",
        "05.03.2026",
        "2026/3/5 10:00-11:00",
    ],
)
def test_a_day_is_read_however_it_is_written(cell: Cell) -> None:
    assert read_date(cell, KNOWN) == DAY


@pytest.mark.parametrize("cell", [None, ""])
def test_an_empty_cell_is_no_day(cell: Cell) -> None:
    assert read_date(cell, KNOWN) is None


@pytest.mark.parametrize(
    "cell",
    [
        "2026.2.30",
        "2026年3月",
        "2026",
        "正月初五",
        "1.3E+10",
        5,
        3.5,
        True,
        "#ERROR",
        "春节前",
        "99999",
        1e9,
        "1026.3.5",
        "2026.13.1",
        "-5",
        1e300,
    ],
)
def test_what_is_no_day_is_unreadable(cell: Cell) -> None:
    assert isinstance(read_date(cell, KNOWN), Unreadable)


@pytest.mark.parametrize(
    ("cell", "choices"),
    [
        ("03/04/2026", ("2026-04-03", "2026-03-04")),
        ("3-4-2026", ("2026-04-03", "2026-03-04")),
        ("03/04/26", ("2026-04-03", "2026-03-04")),
        ("2026.3.5、2026.4.2", ("2026-03-05", "2026-04-02")),
        ("2026.3.5-3.8", ("2026-03-05", "2026-03-08")),
        ("2026.3.5-8", ("2026-03-05", "2026-03-08")),
        ("原2026.3.5，改2026.5.30", ("2026-03-05", "2026-05-30")),
    ],
)
def test_an_ambiguous_day_is_a_question(cell: str, choices: tuple[str, ...]) -> None:
    verdict = read_date(cell, KNOWN)
    assert isinstance(verdict, Ask)
    assert verdict.choices == choices


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("13/04/2026", date(2026, 4, 13)),
        ("04/04/2026", date(2026, 4, 4)),
        ("30/04/26", date(2026, 4, 30)),
        ("19-4-11", date(2019, 4, 11)),
    ],
)
def test_a_day_that_can_only_be_read_one_way_is_no_question(cell: str, day: date) -> None:
    assert read_date(cell, KNOWN) == day


def test_the_order_of_an_english_register_is_asked_where_chinese_order_is_plain() -> None:
    english = Days(today=TODAY, english=True)
    assert isinstance(read_date("11-04-19", english), Ask)
    assert isinstance(read_date("3/4", english), Unreadable)


@pytest.mark.parametrize("cell", ["3月5日", "三月五日", "3.5", "March 5th", "5 March"])
def test_a_day_without_a_year_is_a_question(cell: str) -> None:
    verdict = read_date(cell, Days(today=TODAY, not_after=TODAY))
    assert isinstance(verdict, Ask)
    assert verdict.choices == ("2026-03-05", "2025-03-05", "2024-03-05")


def test_the_year_of_the_title_is_the_first_choice_and_still_a_question() -> None:
    verdict = read_date("3月5日", Days(today=TODAY, years=(2025,), not_after=TODAY))
    assert isinstance(verdict, Ask)
    assert verdict.choices == ("2025-03-05", "2026-03-05", "2024-03-05")
    due = read_date("3月5日", Days(today=TODAY, years=(2027,), not_before=date(2026, 1, 2)))
    assert isinstance(due, Ask)
    assert due.choices == ("2027-03-05", "2026-03-05")


def test_a_title_of_two_years_is_a_question() -> None:
    verdict = read_date("3月5日", Days(today=TODAY, years=(2025, 2026), not_after=TODAY))
    assert isinstance(verdict, Ask)
    assert set(verdict.choices[:2]) == {"2025-03-05", "2026-03-05"}


def test_a_title_that_contradicts_the_receipt_is_a_question() -> None:
    verdict = read_date("1月5日", Days(today=TODAY, years=(2025,), not_before=date(2025, 12, 20)))
    assert isinstance(verdict, Ask)
    assert verdict.choices == ("2026-01-05", "2027-01-05")


def test_last_year_in_words_is_a_question_whatever_the_title_says() -> None:
    assert isinstance(read_date("去年3月5日", Days(today=TODAY, years=(2026,), not_after=TODAY)), Ask)


def test_a_past_day_is_known_where_only_one_year_lies_between_receipt_and_today() -> None:
    after_receipt = Days(today=TODAY, not_before=date(2026, 9, 10), not_after=TODAY)
    assert read_date("9月18日电话回访", after_receipt) == date(2026, 9, 18)
    longer = Days(today=TODAY, not_before=date(2025, 9, 10), not_after=TODAY)
    assert isinstance(read_date("9月18日电话回访", longer), Ask)


def test_serials_of_the_1904_calendar_are_counted_from_there() -> None:
    assert read_date(46086 - 1462, Days(today=TODAY, epoch1904=True)) == DAY
