from datetime import date

import pytest

from reminder.ledger.records import read
from tests.ledger.books import KNOWN, LONG, keys, ledger, questions, reading, row, table


def test_a_name_that_is_only_like_one_is_asked_once_and_the_answer_holds_for_all() -> None:
    rows = [
        LONG,
        row("1", 责任单位="水利局"),
        row("2", party="王五", 责任单位="水利局"),
        row("3", party="赵六", 承办人="陈立雯"),
    ]
    found = reading(*rows, known=KNOWN)
    assert questions(found) == [
        (2, "责任单位", ("县水利局", "as_written")),
        (4, "承办人", ("陈立文", "as_written")),
    ]
    assert [record.unit for record in found.records] == ["水利局", "水利局", ""]
    assert not any(record.held for record in found.records)
    settled = reading(
        *rows,
        known=KNOWN,
        answers={("Sheet1", 2, "责任单位"): "县水利局", ("Sheet1", 4, "承办人"): "as_written"},
    )
    assert [record.unit for record in settled.records] == ["县水利局", "县水利局", ""]
    assert settled.records[2].handler == "陈立雯"
    assert settled.questions == ()


def test_a_name_like_no_other_is_left_as_written_and_reported() -> None:
    found = reading(LONG, row(责任单位="气象台"), known=KNOWN)
    assert found.records[0].unit == "气象台"
    assert keys(found.notes) == [(2, "责任单位", "unit")]


def test_an_answer_settles_its_question() -> None:
    rows = [LONG, row("1", "03/04/2026"), row("2", party="王五", 是否办结="平稳", 办理期限="60")]
    assert [record.held for record in reading(*rows).records] == [True, False]
    answers = {
        ("Sheet1", 2, "登记时间"): "2026-04-03",
        ("Sheet1", 3, "是否办结"): "no",
        ("Sheet1", 3, "办理期限"): "60 cal",
    }
    found = reading(*rows, answers=answers)
    assert found.questions == ()
    assert [record.received_on for record in found.records] == [date(2026, 4, 3), date(2026, 3, 5)]
    assert (found.records[1].closed, found.records[1].due_on) == (False, date(2026, 5, 4))


def test_an_answer_that_was_no_choice_settles_nothing() -> None:
    found = reading(LONG, row(received="03/04/2026"), answers={("Sheet1", 2, "登记时间"): "2020-01-01"})
    assert len(found.questions) == 1


REPEATED = {"联系电话": "202-555-0101", "住址": "柳溪镇新塘村", "主要诉求": "自来水断水两天请求恢复"}


@pytest.mark.parametrize(
    ("second", "asked"),
    [
        (REPEATED, True),
        (REPEATED | {"主要诉求": "自来水断水两天了请求恢复"}, True),
        (REPEATED | {"联系电话": None}, True),
        (REPEATED | {"住址": None}, True),
        (REPEATED | {"联系电话": None, "住址": "石门乡半岭村"}, False),
        (REPEATED | {"主要诉求": "要求公开账目"}, False),
    ],
)
def test_a_likely_repeat_is_a_question_never_a_guess(second: dict[str, object], asked: bool) -> None:
    found = reading(LONG, row("1", **REPEATED), row("2", "2026.5.1", **second))
    assert [key for _, _, key in keys(found.questions)] == (["repeat"] if asked else [])
    assert found.records[1].held is asked


def test_the_same_request_a_year_later_is_no_repeat() -> None:
    assert reading(LONG, row("1", "2025.3.5", **REPEATED), row("2", **REPEATED)).questions == ()


def test_a_number_used_twice_in_a_sheet_is_a_question_but_not_across_sheets() -> None:
    assert len(reading(LONG, row("1"), row("1", party="王五")).questions) == 1
    two = [*table(LONG, row("1"), name="1月"), *table(LONG, row("1", party="王五"), name="2月")]
    assert read(two, ledger()).questions == ()


def test_the_answer_to_a_repeat_imports_it_or_points_at_the_earlier_row() -> None:
    rows = [LONG, row("1", **REPEATED), row("2", "2026.5.1", **REPEATED)]
    same = reading(*rows, answers={("Sheet1", 3, "信访人"): "same"})
    assert (same.records[1].same_as, same.records[1].held, same.questions) == (("Sheet1", 2), False, ())
    separate = reading(*rows, answers={("Sheet1", 3, "信访人"): "separate"})
    assert (separate.records[1].same_as, separate.records[1].held) == (None, False)
