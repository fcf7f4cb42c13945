import csv
import io
import json
import string
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest

from reminder.ledger import files
from reminder.ledger.annotate import RESULT, handed_back
from reminder.ledger.reading import Reading
from reminder.ledger.records import read
from reminder.ledger.report import choice, json_object, summary
from tests.ledger.books import (
    HEADER,
    KNOWN,
    ROOT,
    WORDS,
    comma_separated,
    ledger,
    reading,
    saved,
    table,
    workbook,
)

ROWS: list[Sequence[Any]] = [
    [*HEADER, "是否办结", "身份证号"],
    ["1", "2026.9.10", "李桂兰", "202-555-0101", "新塘村", "自来水断水", "是", "x"],
    ["2", "春天", "王五", "202-555-0102", "新塘村", "路", "否", "x"],
    ["3", "03/04/2026", "赵六", "1.3E+10", "新塘村", "电", "平稳", "x"],
]
COUNTS = {"new": 2, "changed": 0, "same": 0}


def told(rows: Sequence[Sequence[Any]] = ROWS) -> Reading:
    return reading(*rows, known=KNOWN)


def test_the_json_has_exactly_the_promised_shape() -> None:
    printed = json.loads(json.dumps(json_object(told(), COUNTS, WORDS["zh"])))
    shape = ["new", "changed", "same", "rejected", "unread", "questions", "left_out", "records"]
    assert list(printed) == shape
    assert (printed["new"], printed["changed"], printed["same"]) == (2, 0, 0)
    assert [set(one) for one in printed["rejected"]] == [{"sheet", "row", "column", "reason"}]
    assert (printed["rejected"][0]["row"], printed["rejected"][0]["column"]) == (3, "登记时间")
    assert printed["unread"] == [{"sheet": "Sheet1", "row": 4, "column": "联系电话"}]
    assert [set(one) for one in printed["questions"]] == [
        {"sheet", "row", "column", "question", "choices"}
    ] * 2
    assert printed["questions"][0]["choices"] == ["2026-04-03", "2026-03-04"]
    assert printed["left_out"] == ["身份证号"]
    first = printed["records"][0]
    assert (first["row"], first["received_on"], first["phones"]) == (2, "2026-09-10", ["+12025550101"])
    assert first["closed"] is True


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_summary_names_every_place_and_says_that_nobody_is_texted(lang: str) -> None:
    text = summary(told(), COUNTS, WORDS[lang])
    for part in ("登记时间", "联系电话", "是否办结", "身份证号"):
        assert part in text
    assert text.splitlines()[-1] == WORDS[lang]["import.summary.quiet"]


def test_a_summary_stays_short_however_bad_the_ledger() -> None:
    rows: list[list[Any]] = [HEADER, *[[n, "春天", "王五", None, None, "水"] for n in range(500)]]
    assert len(summary(told(rows), {}, WORDS["zh"]).splitlines()) < 30


def test_choices_are_spelled_out_for_people() -> None:
    assert [choice(WORDS["en"], one) for one in ("same", "60 cal", "2026-03-05")] == [
        "the same matter",
        "60 days",
        "2026-03-05",
    ]


def test_both_languages_have_the_same_sentences_with_the_same_names() -> None:
    zh, en = WORDS["zh"], WORDS["en"]
    assert set(zh) == set(en)
    for key in zh:
        assert names(zh[key]) == names(en[key]), key


def names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_the_reader_may_say_is_in_the_catalogue() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "reminder/ledger").glob("*.py"))
    keys = {part.split('"')[0] for part in written.split('"import.')[1:]}
    keys = {f"import.{key}" for key in keys if "{" not in key and key}
    assert keys - set(WORDS["zh"]) - {"import.place"} == set()
    assert len(keys) > 40


def back(name: str, content: bytes, **outcomes: str) -> tuple[str, bytes]:
    sheets = files.sheets(name, content)
    found = read(sheets, ledger(known=KNOWN))
    results = {(sheet.name, 2): outcomes.get("second", "new") for sheet in sheets}
    return handed_back(name, content, sheets, reading=found, outcomes=results, words=WORDS["zh"])


def test_a_workbook_comes_back_with_a_result_and_red_cells() -> None:
    name, content = back("台账.xlsx", workbook(ROWS))
    page: Any = openpyxl.load_workbook(io.BytesIO(content)).active
    assert name == "台账-result.xlsx"
    assert [cell.value for cell in page[1]] == [*ROWS[0], RESULT]
    assert page["I2"].value == "新增"
    assert page["I3"].value.startswith("没有导入 | 登记时间")
    assert page["I4"].value.startswith("等待回答后导入")
    for place in ("B3", "B4", "D4", "G4"):
        assert page[place].fill.start_color.rgb == "FFFFC7CE", place
        assert page[place].comment is not None, place
    assert page["B2"].comment is None
    assert [cell.value for cell in page[2]][:8] == list(ROWS[1])


def test_formulas_and_merged_cells_of_the_workbook_survive() -> None:
    book: Any = openpyxl.Workbook()
    page = book.active
    for row in [
        ["台账"],
        HEADER,
        ["1", "春天", "王五", "=1+1", None, "水"],
        ["2", None, "赵六", None, None, "电"],
    ]:
        page.append(row)
    page.merge_cells("B3:B4")
    _, content = back("r.xlsx", saved(book))
    again: Any = openpyxl.load_workbook(io.BytesIO(content)).active
    assert again["D3"].value == "=1+1"
    assert again["B3"].comment is not None
    assert [str(box) for box in again.merged_cells.ranges] == ["B3:B4"]


def test_the_workbook_handed_back_reads_the_same_and_is_marked_in_the_same_column() -> None:
    name, content = back("台账.xlsx", workbook(ROWS))
    assert files.ledger_name(name) == "台账"
    first = read(files.sheets("台账.xlsx", workbook(ROWS)), ledger(name="台账"))
    second = read(files.sheets(name, content), ledger(name=files.ledger_name(name)))
    assert [(one.key, one.row_hash) for one in first.records] == [
        (one.key, one.row_hash) for one in second.records
    ]
    assert second.unknown == ()
    _, twice = back(name, content, second="same")
    page: Any = openpyxl.load_workbook(io.BytesIO(twice)).active
    assert (page.max_column, page["I2"].value) == (9, "无变化")


def test_a_csv_comes_back_as_a_csv_excel_opens() -> None:
    name, content = back("台账.csv", comma_separated(ROWS, "gbk"))
    assert name == "台账-result.csv"
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == [*ROWS[0], RESULT]
    assert rows[1] == [*ROWS[1], "新增"]
    assert rows[2][-1].startswith("没有导入")
    _, twice = back(name, content)
    assert list(csv.reader(io.StringIO(twice.decode("utf-8-sig")))) == rows


@pytest.mark.failure(28)
def test_nothing_we_write_is_taken_for_a_formula() -> None:
    evil = '=HYPERLINK("http://example.invalid","x")'
    rows = [HEADER, ["1", "春天" + evil, "@SUM(1)", "+12025550101", "-2+3", evil]]
    _, content = back("r.csv", comma_separated(rows))
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
        for cell in row:
            assert cell[:1] not in set("=@") or not cell
    assert "+12025550101" in content.decode("utf-8-sig").split(",")
    header = [*HEADER[:4], "=1+1", "主要诉求"]
    _, book = back("r.xlsx", workbook([header, ["1", evil, "王五", None, "x", "水"]]))
    page: Any = openpyxl.load_workbook(io.BytesIO(book)).active
    assert page["G2"].data_type == "s"


def test_a_csv_escaped_by_us_reads_as_before() -> None:
    rows = [HEADER, ["1", "2026.3.5", "王五", "+12025550101", "=x", "-水"]]
    _, content = back("r.csv", comma_separated(rows))
    first = read(files.sheets("r.csv", comma_separated(rows)), ledger())
    second = read(files.sheets("r.csv", content), ledger())
    assert [one.row_hash for one in first.records] == [one.row_hash for one in second.records]


def test_a_workbook_openpyxl_cannot_open_comes_back_with_its_values() -> None:
    sheets = table(*ROWS, ["4", "2026.3.5", "孙七", None, "=1+1", "水"])
    found = read(sheets, ledger())
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100
    name, made = handed_back("r.xls", old, sheets, reading=found, outcomes={}, words=WORDS["en"])
    page: Any = openpyxl.load_workbook(io.BytesIO(made)).active
    assert name == "r-result.xlsx"
    assert page["C2"].value == "李桂兰"
    assert page["I2"].value == "can be imported"
    assert (page["E5"].value, page["E5"].data_type) == ("=1+1", "s")
