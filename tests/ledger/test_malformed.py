"""Whatever a file holds, it is read or refused in a sentence; nothing else ever comes out."""

import json
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.domain.errors import Refused
from reminder.ledger import files
from reminder.ledger.annotate import handed_back
from reminder.ledger.lexicon import FIELDS
from reminder.ledger.records import read
from reminder.ledger.report import json_object, summary
from tests.ledger.books import KNOWN, LEXICON, WORDS, comma_separated, ledger, table

MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADERS = [next(name for name, (of, _) in LEXICON.fields.items() if of == field) for field in FIELDS]
NASTY = st.sampled_from(
    "#ERROR|1.3E+10|2026.2.30|99999999999日|0日|十十十日|3月5日|13/13/2026|2026.3.5-99|张某等0人|等|匿名|同上|〃|=1+1|\x00"
    "|\ud800|-|合计|制表人：|2026年|转|+|(((|１２３|٣٤٥|²月³日|〇〇〇〇年〇月〇日|一年一月一日|9999年12月31日"
    f"|0000-00-00|1e999|nan|5 Mar|Feb 30|\u202e|日|个工作日|等百十人|{'💧' * 50}|{'Ａ' * 3000}|{'9' * 400}"
    f"|{'86' * 20}|2026{' ' * 30_000}|{'(' * 30_000}".split("|")
)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(max_size=40),
    NASTY,
    st.from_regex(r"[0-9]{1,4}[-./年月 ][0-9]{1,4}([-./月日 ][0-9]{0,4})?日?", fullmatch=True),
    st.from_regex(r"\+?[0-9() \-转、;/]{0,30}", fullmatch=True),
)


def consumed(rows: list[list[Any]], **more: Any) -> None:
    sheets = table(*rows, **more)
    try:
        found = read(sheets, ledger(known=KNOWN))
    except Refused as refused:
        refused_in_a_sentence(refused)
        return
    for words in WORDS.values():
        printed = json_object(found, {}, words)
        json.dumps(printed)
        summary(found, {}, words)
    for record in found.records:
        assert record.held or record.received_on is not None
        assert record.party or record.anonymous
        assert len(record.request) <= 2000


def refused_in_a_sentence(refused: Refused) -> None:
    for words in WORDS.values():
        assert words[refused.key].format_map(refused.values)


@MANY
@given(st.lists(st.lists(CELLS, min_size=len(HEADERS), max_size=len(HEADERS)), max_size=6))
def test_no_cell_breaks_the_reading(rows: list[list[Any]]) -> None:
    consumed([HEADERS, *rows])


@settings(MANY, max_examples=150)
@given(
    st.lists(st.lists(st.one_of(CELLS, st.sampled_from(HEADERS)), max_size=12), max_size=12),
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 99), st.integers(0, 99)), max_size=4
    ),
)
@pytest.mark.failure(21)
def test_no_layout_breaks_the_reading(rows: list[list[Any]], merged: list[tuple[int, int, int, int]]) -> None:
    consumed(rows, merged=tuple(merged))


@MANY
@given(st.binary(max_size=400))
def test_no_bytes_called_csv_break_the_reading(content: bytes) -> None:
    _whole_way("r.csv", content)


@settings(MANY, max_examples=150)
@given(
    st.lists(st.lists(st.text(max_size=12), max_size=8), max_size=8),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
)
def test_no_text_called_csv_breaks_the_reading(rows: list[list[str]], encoding: str) -> None:
    written = [HEADERS, *rows]
    _whole_way("r.csv", comma_separated(written, encoding))


def _whole_way(name: str, content: bytes) -> None:
    try:
        sheets = files.sheets(name, content)
        found = read(sheets, ledger())
        handed_back(name, content, sheets, reading=found, outcomes={}, words=WORDS["zh"])
    except Refused as refused:
        refused_in_a_sentence(refused)


@settings(MANY, max_examples=25)
@given(st.binary(max_size=600), st.sampled_from([b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]))
def test_no_bytes_called_a_workbook_break_the_reading(content: bytes, start: bytes) -> None:
    _whole_way("r.xlsx", start + content)


def test_cells_of_every_kind_a_workbook_can_hold_are_survived() -> None:
    kinds = [
        date(1, 1, 1),
        datetime.fromisoformat("9999-12-31T23:59:59"),
        time(1, 2).isoformat(),
        float("nan"),
        float("-inf"),
        10**30,
        -1,
        True,
        b"x".decode(),
    ]
    for kind in kinds:
        consumed([HEADERS, [kind] * len(HEADERS), ["1", "2026.3.5", "王五", *[kind] * (len(HEADERS) - 3)]])
