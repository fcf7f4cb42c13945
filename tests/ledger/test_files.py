import contextlib
import struct
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from reminder.domain.errors import Refused
from reminder.ledger import files
from reminder.ledger.apart import FAULTY_CELL
from tests.ledger.books import HEADER, WORDS, comma_separated, saved, workbook, zipped

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ROWS = [HEADER, ["1", "2026.9.10", "李桂兰", "202-555-0101", "柳溪镇新塘村", "自来水断水"]]


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        files.sheets(name, content)
    for words in WORDS.values():
        assert name in words[refused.value.key].format_map(refused.value.values)
    return refused.value.key.removeprefix("import.")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_a_csv_is_read_in_every_encoding_offices_save(encoding: str) -> None:
    [sheet] = files.sheets("台账.csv", comma_separated(ROWS, encoding))
    assert sheet.rows[1][2] == "李桂兰"


def test_accented_western_text_is_not_taken_for_chinese() -> None:
    [sheet] = files.sheets("r.csv", "Name,Phone\nJosé Núñez,1\nZoë Müller,2\nRenée,3\n".encode("cp1252"))
    assert sheet.rows[1][0] == "José Núñez"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_with_every_usual_delimiter(delimiter: str) -> None:
    [sheet] = files.sheets("r.csv", comma_separated(ROWS, delimiter=delimiter))
    assert sheet.rows[0] == tuple(HEADER)


def test_a_workbook_gives_days_numbers_and_texts() -> None:
    moment = datetime.fromisoformat("2026-03-05T09:30")
    [sheet] = files.sheets("r.xlsx", workbook([[date(2026, 3, 5), moment, 13, 1.5, "文", True]]))
    assert sheet.rows[0] == (date(2026, 3, 5), moment, 13, 1.5, "文", True)


def test_merged_cells_are_filled_down_and_rows_keep_their_numbers() -> None:
    book: Any = openpyxl.Workbook()
    page = book.active
    page["B4"], page["C4"], page["C5"] = "甲", 1, 2
    page.merge_cells("B4:B5")
    [sheet] = files.sheets("r.xlsx", saved(book))
    assert sheet.top == 4
    assert [row[1] for row in sheet.rows] == ["甲", "甲"]


def test_hidden_columns_and_hidden_sheets_are_known_as_such() -> None:
    book: Any = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.column_dimensions["B"].hidden = True
    hidden = book.create_sheet("旧")
    hidden.append(["x"])
    hidden.sheet_state = "hidden"
    first, second = files.sheets("r.xlsx", saved(book))
    assert first.hidden == {1}
    assert (first.visible, second.visible) == (True, False)


def test_failed_and_never_calculated_formulas_are_marked() -> None:
    book: Any = openpyxl.Workbook()
    book.active.append(["x", "=TODAY()", "#N/A", "y"])
    [sheet] = files.sheets("r.xlsx", saved(book))
    assert sheet.rows[0] == ("x", FAULTY_CELL, FAULTY_CELL, "y")


def test_the_1904_calendar_of_a_workbook_is_noticed() -> None:
    book: Any = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append([1])
    assert files.sheets("r.xlsx", saved(book))[0].epoch1904


def test_a_protected_workbook_is_refused() -> None:
    stream = "EncryptedPackage".encode("utf-16-le")
    assert refusal("r.xlsx", OLE + b"\0" * 504 + stream + b"\0" * 512) == "protected"
    assert refusal("r.xls", OLE + b"\0" * 504 + stream + b"\0" * 512) == "protected"
    assert refusal("r.xlsx", OLE + b"\0" * 2000) == "protected"
    locked = bytearray(workbook(ROWS))
    locked[bytes(locked).index(b"PK\x01\x02") + 8] |= 1
    assert refusal("r.xlsx", bytes(locked)) == "protected"


def test_sheet_protection_alone_is_no_obstacle() -> None:
    book: Any = openpyxl.Workbook()
    book.active.append(["x"])
    book.active.protection.enable()
    book.active.protection.password = "fictional"
    assert files.sheets("r.xlsx", saved(book))[0].rows == (("x",),)


def test_a_broken_old_workbook_is_refused() -> None:
    assert refusal("r.xls", OLE + b"\0" * 504 + "Workbook".encode("utf-16-le") + b"\0" * 4096) == "damaged"


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_refused(keep: float) -> None:
    whole = workbook(ROWS)
    assert refusal("r.xlsx", whole[: int(len(whole) * keep)]) == "damaged"


def test_a_workbook_with_a_flipped_byte_is_read_or_refused_but_never_crashes() -> None:
    whole = workbook(ROWS)
    for place in range(30, len(whole), 97):
        with contextlib.suppress(Refused):
            files.sheets("r.xlsx", whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    assert (
        refusal("r.xlsx", zipped({"xl/workbook.xml": b"<a/>", "xl/b": b"\0" * (60 * 1024 * 1024)})) == "bomb"
    )


def test_a_zip_bomb_by_ratio_is_refused() -> None:
    assert (
        refusal("r.xlsx", zipped({"xl/workbook.xml": b"<a/>", "xl/b": b"\0" * (5 * 1024 * 1024)})) == "bomb"
    )


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    bomb = bytearray(zipped({"xl/workbook.xml": b"<a/>", "xl/b": b"\0" * (70 * 1024 * 1024)}))
    place = bytes(bomb).rindex(b"PK\x01\x02")
    bomb[place + 24 : place + 28] = struct.pack("<I", 100)
    assert refusal("r.xlsx", bytes(bomb)) == "bomb"


def test_a_zip_bomb_of_many_small_parts_is_refused() -> None:
    parts = {f"xl/{n}": b"\0" * 1_000_000 for n in range(40)}
    assert refusal("r.xlsx", zipped({"xl/workbook.xml": b"<a/>", **parts})) == "bomb"


def test_a_workbook_whose_directory_does_not_fit_its_parts_is_refused() -> None:
    whole = bytearray(workbook(ROWS))
    place = bytes(whole).index(b"PK\x01\x02")
    whole[place + 24 : place + 28] = struct.pack("<I", 7)
    assert refusal("r.xlsx", bytes(whole)) == "damaged"


def test_a_sheet_wider_than_any_ledger_is_refused() -> None:
    assert refusal("r.xlsx", workbook([[*HEADER, *["x"] * 300]])) == "bomb"


def test_a_package_of_a_thousand_parts_is_refused() -> None:
    assert (
        refusal("r.xlsx", zipped({"xl/workbook.xml": b"", **{f"x{n}": b"" for n in range(1001)}})) == "bomb"
    )


def test_two_cells_a_world_apart_cannot_exhaust_the_memory() -> None:
    book: Any = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "a", "b"
    assert refusal("r.xlsx", saved(book)) == "bomb"


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    assert refusal("r.csv", b"a," * (11 * 1024 * 1024)) == "oversized"


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert refusal("r.csv", content) == "empty"


def test_an_empty_workbook_is_refused() -> None:
    assert refusal("r.xlsx", saved(openpyxl.Workbook())) == "empty"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("letter.docx", zipped({"word/document.xml": b"<w/>", "[Content_Types].xml": b"<t/>"})),
        ("paper.pdf", b"%PDF-1.7\n..."),
        ("photo.png", b"\x89PNG\r\n\x1a\n\0\0\0"),
        ("photo.jpg", b"\xff\xd8\xff\xe0"),
        ("old.doc", OLE + b"\0" * 504 + "WordDocument".encode("utf-16-le") + b"\0" * 512),
        ("noise.csv", b"abc\0def" * 3 + b"x" * 400),
    ],
)
def test_other_kinds_of_file_are_refused(name: str, content: bytes) -> None:
    assert refusal(name, content) == "other_type"


def test_a_web_page_saved_as_xls_is_refused_with_the_remedy() -> None:
    assert refusal("r.xls", b"<html><table><tr><td>1</td></tr></table></html>") == "web_page"


@pytest.mark.parametrize(
    "name",
    [
        "台账.xlsx",
        "台账-result.xlsx",
        "台账 (1).xlsx",
        "台账-result (2).csv",
        "C:\\x\\台账-结果.xls",
        "/a/台账.csv",
    ],
)
def test_a_ledger_keeps_its_name_through_downloads_and_returns(name: str) -> None:
    assert files.ledger_name(name) == "台账"
