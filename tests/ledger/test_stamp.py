"""A workbook handed back is the office's own: only what we put on it is new."""

import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill

from reminder.ledger import files, stamp
from reminder.ledger.annotate import RESULT, handed_back
from reminder.ledger.records import read
from tests.ledger.books import HEADER, WORDS, ledger, saved, zipped

GOOD = ["1", "2026.3.5", "王五", "+12025550101", "x", "水"]
FAULTY = ["2", "春天", "赵六", "1.3E+10", "x", "电 <&> '同上'"]


def book(*rows: list[Any]) -> Any:
    made = openpyxl.Workbook()
    for row in [HEADER, *(rows or (GOOD, FAULTY))]:
        made.active.append(row)
    return made


def back(content: bytes) -> bytes:
    sheets = files.sheets("r.xlsx", content)
    found = read(sheets, ledger())
    return handed_back("r.xlsx", content, sheets, reading=found, outcomes={}, words=WORDS["zh"])[1]


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content)).active


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_what_openpyxl_does_not_know_survives() -> None:
    held = parts(saved(book()))
    held["xl/customXml/item1.xml"] = b"<office/>"
    sheet = next(name for name in held if name.startswith("xl/worksheets/sheet"))
    held[sheet] = held[sheet].replace(b"</worksheet>", b'<extLst><ext uri="{1}"/></extLst></worksheet>')
    made = parts(back(zipped(held)))
    assert made["xl/customXml/item1.xml"] == b"<office/>"
    assert re.search(rb'<legacyDrawing [^>]*/><extLst><ext uri="\{1\}"/></extLst></worksheet>$', made[sheet])
    assert {name for name in held if made[name] != held[name]} == {
        sheet, "xl/styles.xml", "[Content_Types].xml",
    }  # fmt: skip


def test_a_red_cell_keeps_its_font_its_number_and_its_neighbours_their_looks() -> None:
    made = book()
    page = made.active
    page["B3"].font = Font(bold=True)
    page["B3"].number_format = page["C3"].number_format = "0.00"
    page["C3"].fill = PatternFill("solid", start_color="FF00FF00")
    again = opened(back(saved(made)))
    assert (again["B3"].fill.start_color.rgb, again["B3"].font.bold) == ("FFFFC7CE", True)
    assert again["B3"].number_format == "0.00"
    assert again["C3"].fill.start_color.rgb == "FF00FF00"
    assert again["B3"].value == "春天"
    assert "春天" in again["B3"].comment.text


def test_a_fault_in_an_empty_cell_is_marked_all_the_same() -> None:
    page = opened(back(saved(book(GOOD, ["2", None, "赵六", None, None, "电"]))))
    assert page["B3"].fill.start_color.rgb == "FFFFC7CE"
    assert page["B3"].comment is not None
    assert [cell.value for cell in page[3]][:6] == ["2", None, "赵六", None, None, "电"]


def test_cells_beyond_the_table_and_the_rules_of_the_sheet_stay() -> None:
    made = book()
    page = made.active
    page["Z2"].fill = PatternFill("solid", start_color="FF00FF00")
    page.conditional_formatting.add("A1:A9", CellIsRule(operator="equal", formula=["1"]))
    page.column_dimensions["B"].width = 33
    content = back(saved(made))
    again = opened(content)
    assert re.findall(rb'r="([A-Z]+)2"', parts(content)["xl/worksheets/sheet1.xml"])[-2:] == [b"G", b"Z"]
    assert again["Z2"].fill.start_color.rgb == "FF00FF00"
    assert len(again.conditional_formatting) == 1
    assert again.column_dimensions["B"].width == 33
    result = next(cell.column_letter for cell in again[1] if cell.value == RESULT)
    assert again[f"{result}2"].value is not None


def test_a_workbook_with_comments_of_its_own_keeps_them() -> None:
    made = book()
    made.active["C2"].comment = Comment("问过本人", "何")
    again = opened(back(saved(made)))
    assert again["C2"].comment.text == "问过本人"
    assert again["B3"].comment is not None


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b"<row ", b"<!-- x --><row "),
        ("xl/worksheets/sheet1.xml", b'<c r="B3"', b"<c"),
        ("xl/worksheets/sheet1.xml", b'<row r="3"', b"<row"),
        ("xl/styles.xml", b"cellXfs", b"looks"),
        ("[Content_Types].xml", b"sheet.main", b"macroEnabled.main"),
        ("[Content_Types].xml", b"</Types>", b"<!-- </Types> --></Types>"),
    ],
)
def test_what_is_put_together_in_another_way_is_not_guessed_at(part: str, old: bytes, new: bytes) -> None:
    held = parts(saved(book()))
    assert old in held[part]
    marks = {"Sheet": stamp.Marks(column=9, texts={1: RESULT, 3: "x"}, red={(3, 2): "why"})}
    stamp.stamped(zipped(held), marks)
    held[part] = held[part].replace(old, new)
    with pytest.raises(stamp.Unlike):
        stamp.stamped(zipped(held), marks)


def test_a_sheet_that_is_not_read_in_one_go() -> None:
    rows = [[str(n), "2026.3.5", f"居民{n}", None, "镇", f"第{n}件"] for n in range(3000)]
    content = saved(book(*rows))
    assert len(parts(content)["xl/worksheets/sheet1.xml"]) > 2 * stamp.CHUNK
    marks = stamp.Marks(column=7, texts={number: f"={number}" for number in range(1, 3002)})
    again = list(opened(stamp.stamped(content, {"Sheet": marks})).iter_rows(min_row=2, values_only=True))
    assert [list(row) for row in again] == [[*row, f"={n}"] for n, row in enumerate(rows, 2)]
