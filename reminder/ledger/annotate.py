"""The same workbook handed back: a result beside every row, faults in red with a comment."""

import contextlib
import csv
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

from reminder.ledger import files, stamp
from reminder.ledger.files import Sheet
from reminder.ledger.reading import Finding, Reading
from reminder.ledger.report import Outcomes, Words, results, sentence

RESULT = "结果/Result"
"""Header of the added column; it is known again, and passed over, when the file comes back."""
_MOST_COMMENTS = 2_000


def handed_back(
    file_name: str,
    content: bytes,
    sheets: Sequence[Sheet],
    *,
    reading: Reading,
    outcomes: Outcomes,
    words: Words,
) -> tuple[str, bytes]:
    """Name and bytes of the annotated file: an xlsx for a workbook, a CSV for a CSV.

    An xlsx keeps everything; put together in an unusual way, or with comments in it already, what openpyxl
    keeps. An xls, an xlsb or a workbook openpyxl cannot open comes back as a plain xlsx of its values. Texts
    we write are never formulas.
    """
    stem = files.ledger_name(file_name)
    told = results(reading, outcomes, words)
    if content[:2] != b"PK" and content[:8] != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return f"{stem}-result.csv", _csv(sheets[0], reading, told)
    with warnings.catch_warnings():
        # openpyxl warns of every extension it drops from a workbook; the office has its original.
        warnings.simplefilter("ignore")
        return f"{stem}-result.xlsx", _xlsx(content, sheets, reading, told, words)


def _csv(sheet: Sheet, reading: Reading, told: dict[tuple[str, int], str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    header = reading.sheets[0].header_row
    width = _width(sheet)
    for offset, row in enumerate(sheet.rows):
        number = sheet.top + offset
        result = RESULT if number == header else told.get((sheet.name, number), "")
        padded = [*row[:width], *[None] * (width - len(row))]
        writer.writerow([*(_safe(cell) for cell in padded), _safe(result)])
    return out.getvalue().encode("utf-8-sig")


def _width(sheet: Sheet) -> int:
    """Columns without an earlier result column at the end."""
    width = max((len(row) for row in sheet.rows), default=0)
    marked = any(len(row) == width and row[-1] == RESULT for row in sheet.rows[: 2 * 25] if row)
    return width - 1 if marked else width


def _safe(cell: object) -> str:
    """A text no spreadsheet takes for a formula; plain numbers and telephone numbers stay as they are."""
    text = "" if cell is None else str(cell)
    harmless = re.fullmatch(r"[+-][\d\s().-]*", text)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not harmless else text


def _xlsx(
    content: bytes, sheets: Sequence[Sheet], reading: Reading, told: dict[tuple[str, int], str], words: Words
) -> bytes:
    with contextlib.suppress(Exception):  # whatever it trips over, openpyxl may know
        return stamp.stamped(content, _marks(sheets, reading, told, words))
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content))
        return _marked(book, {page.title: page for page in book.worksheets}, reading, told, words)
    except Exception:  # openpyxl raises whatever a strange workbook makes it trip over
        return _marked(*_of_values(sheets), reading, told, words)


def _marks(
    sheets: Sequence[Sheet], reading: Reading, told: dict[tuple[str, int], str], words: Words
) -> dict[str, stamp.Marks]:
    pages = {sheet.name: sheet for sheet in sheets}
    marks: dict[str, stamp.Marks] = {}
    for headed in reading.sheets:
        page = pages[headed.sheet]
        header = page.rows[headed.header_row - page.top]
        column = header.index(RESULT) if RESULT in header else max(len(row) for row in page.rows)
        marks[headed.sheet] = stamp.Marks(column=column + 1, texts={headed.header_row: RESULT})
    for (name, number), text in told.items():
        marks[name].texts[number] = stamp.plain(text)
    for place, fault in enumerate(_faults(reading)):
        if fault.spot.index >= 0:
            said = stamp.plain(sentence(words, fault)) if place < _MOST_COMMENTS else ""
            marks[fault.spot.sheet].red.setdefault(_first_of(pages[fault.spot.sheet], fault), said)
    return marks


def _faults(reading: Reading) -> tuple[Finding, ...]:
    return (*reading.rejected, *reading.questions, *reading.unread)


def _first_of(page: Sheet, fault: Finding) -> tuple[int, int]:
    """Row and column of a cell; of merged cells, of the first: the others show nothing."""
    row, column = fault.spot.row - 1, fault.spot.index
    boxes = ((a, b) for a, b, c, d in page.merged if a <= row <= c and b <= column <= d)
    row, column = next(boxes, (row, column))
    return row + 1, column + 1


def _of_values(sheets: Sequence[Sheet]) -> tuple[Any, dict[str, Any]]:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    pages: dict[str, Any] = {}
    for sheet in sheets:
        page = pages[sheet.name] = book.create_sheet(re.sub(r"[\\/*?:\[\]]", "_", sheet.name)[:31] or None)
        for offset, row in enumerate(sheet.rows):
            for index, value in enumerate(row):
                if isinstance(value, str):
                    _write(page, sheet.top + offset, index + 1, value)
                elif value is not None:
                    page.cell(row=sheet.top + offset, column=index + 1, value=value)
    return book, pages


def _marked(
    book: Any, pages: dict[str, Any], reading: Reading, told: dict[tuple[str, int], str], words: Words
) -> bytes:
    columns: dict[str, int] = {}
    for headed in reading.sheets:
        columns[headed.sheet] = _result_column(pages[headed.sheet], headed.header_row)
        _write(pages[headed.sheet], headed.header_row, columns[headed.sheet], RESULT)
    for (name, number), text in told.items():
        _write(pages[name], number, columns[name], text)
    for place, fault in enumerate(_faults(reading)):
        _redden(pages[fault.spot.sheet], fault, words if place < _MOST_COMMENTS else None)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _result_column(page: Any, header_row: int) -> int:
    """The column of an earlier result, else the first free one."""
    for cell in page[header_row]:
        if cell.value == RESULT:
            return int(cell.column)
    return int(page.max_column) + 1


def _write(page: Any, row: int, column: int, text: str) -> None:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = page.cell(row=row, column=column)
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)[:32_000]
    cell.data_type = "s"


def _redden(page: Any, fault: Finding, words: Words | None) -> None:
    from openpyxl.cell.cell import MergedCell
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    if fault.spot.index < 0:
        return
    cell = page.cell(row=fault.spot.row, column=fault.spot.index + 1)
    if isinstance(cell, MergedCell):
        cell = next(
            page.cell(box.min_row, box.min_col) for box in page.merged_cells.ranges if cell.coordinate in box
        )
    cell.fill = PatternFill("solid", start_color=stamp.RED, end_color=stamp.RED)
    if words is not None and cell.comment is None:
        cell.comment = Comment(sentence(words, fault), "reminder")
