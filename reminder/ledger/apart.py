"""What stands in a workbook: read in a process of its own, so that a hostile file can only hurt that process.

Run as `python -P apart.py < workbook > cells.json`. Uses nothing of this program, so it starts fast.
"""

import html
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

MEMORY = 1_500 * 1024 * 1024
CPU_SECONDS = 30
MAX_ROWS = 100_000
MAX_COLUMNS = 300
MAX_CELLS = 4_000_000
FAULTY_CELL = "#ERROR"
"""Stands where a formula failed, or was never calculated."""

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^/>])>(.{0,4000}?)</(?:\w+:)?c>", re.S)
_REF = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>[^<]+</(?:\w+:)?v>|<(?:\w+:)?is>")
_COL = re.compile(rb"<(?:\w+:)?col\b([^>]*)/?>")


def main() -> None:
    """Read standard input, write one JSON object; never a traceback for a bad file."""
    limit_ourselves()
    try:
        answer: dict[str, Any] = cells_of(sys.stdin.buffer.read())
    except MemoryError:
        answer = {"refused": "too_big"}
    sys.stdout.write(json.dumps(answer, ensure_ascii=True, allow_nan=True))


def limit_ourselves() -> None:
    """Bound memory and processor time where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the sizes were checked before
        return
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def cells_of(content: bytes) -> dict[str, Any]:
    """Sheets with their cells, or {"refused": reason}."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_object(io.BytesIO(content))
        names = list(book.sheets_metadata)
        raw = dict(_sheet_parts(content)) if content[:2] == b"PK" else {}
        sheets = []
        for sheet in names:
            if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            found = _sheet(book.get_sheet_by_name(sheet.name), raw.get(sheet.name, b""))
            if found is None:
                return {"refused": "too_big"}
            found["visible"] = sheet.visible == calamine.SheetVisibleEnum.Visible
            sheets.append(found)
    except calamine.PasswordError:
        return {"refused": "protected"}
    except (calamine.CalamineError, zipfile.BadZipFile, KeyError, ValueError, OSError):
        return {"refused": "damaged"}
    return {"sheets": sheets, "epoch1904": b'date1904="1"' in raw.get("", b"")}


def _sheet(sheet: Any, raw: bytes) -> dict[str, Any] | None:
    if sheet.start is None:
        return {"name": sheet.name, "top": 0, "rows": [], "merged": [], "hidden": []}
    top, left = sheet.start
    if sheet.height > MAX_ROWS or left + sheet.width > MAX_COLUMNS or sheet.height * sheet.width > MAX_CELLS:
        return None
    rows = [[None] * left + [_plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=True)]
    for row, column in _failed_formulas(raw):
        if 0 <= row - top < len(rows) and column < len(rows[row - top]):
            rows[row - top][column] = FAULTY_CELL
    merged = [[a[0], a[1], b[0], b[1]] for a, b in (sheet.merged_cell_ranges or [])]
    for first, column, last, _ in merged:
        if first >= top and first - top < len(rows) and column < len(rows[first - top]):
            for row in range(first + 1 - top, min(last + 1 - top, len(rows))):
                rows[row][column] = rows[first - top][column]
    return {"name": sheet.name, "top": top, "rows": rows, "merged": merged, "hidden": _hidden(raw)}


def _plain(cell: Any) -> Any:
    """A cell as JSON can say it; dates and times are tagged, whole numbers lose their point."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    if isinstance(cell, datetime):
        return {"datetime": cell.replace(tzinfo=None).isoformat()}
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    if isinstance(cell, time):
        return {"time": cell.isoformat()}
    return cell if isinstance(cell, bool | int | float) else {"time": str(cell)}


def _failed_formulas(raw: bytes) -> Iterator[tuple[int, int]]:
    """Row and column, from 0, of error cells and of formulas without a stored result."""
    if b't="e"' not in raw and b"<f" not in raw and b":f" not in raw:
        return
    for attributes, inside in _CELL.findall(raw):
        failed = b't="e"' in attributes
        if not failed and (b"<f" in inside or b":f" in inside):
            failed = not _VALUE.search(inside) and b't="str"' not in attributes
        if failed and (ref := _REF.search(attributes)):
            yield int(ref[2]) - 1, column_of(ref[1])


def column_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _hidden(raw: bytes) -> list[int]:
    found: list[int] = []
    for attributes in _COL.findall(raw[:65536]):
        fields = dict(re.findall(rb'(\w+)="([^"]*)"', attributes))
        if fields.get(b"hidden") in {b"1", b"true"} and fields.get(b"min", b"x").isdigit():
            last = fields.get(b"max", b"")
            found += range(
                int(fields[b"min"]) - 1,
                min(int(last) if last.isdigit() else int(fields[b"min"]), MAX_COLUMNS),
            )
    return found


def _sheet_parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Sheet name and its XML; "" is the workbook's own."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name, path in sheet_paths(package):
            yield name, package.read(path)


def sheet_paths(package: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Sheet name and where its XML is; "" is the workbook's own."""
    names = set(package.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return
    yield "", "xl/workbook.xml"
    targets: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", _text(package, "xl/_rels/workbook.xml.rels")):
        fields = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
        targets[fields.get("Id", "")] = fields.get("Target", "")
    for tag in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", _text(package, "xl/workbook.xml")):
        fields = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
        target = targets.get(next((v for k, v in fields.items() if k.endswith(":id")), ""), "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if path in names:
            yield html.unescape(fields.get("name", "")), path


def _text(package: zipfile.ZipFile, name: str) -> str:
    return package.read(name).decode("utf-8", "replace")


if __name__ == "__main__":
    main()
