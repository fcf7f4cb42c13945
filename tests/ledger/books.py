"""Ledgers as offices have them, made by code."""

import csv
import io
import tomllib
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl

from reminder.domain.limits import Limit, Unit
from reminder.ledger.files import Sheet, sheets
from reminder.ledger.lexicon import Lexicon
from reminder.ledger.reading import Known, Reading
from reminder.ledger.records import Ledger, read

ROOT = Path(__file__).resolve().parents[2]
LEXICON = Lexicon.load(ROOT / "templates/ledger_headers.toml")
WORDS = {
    lang: tomllib.loads((ROOT / f"templates/words/import.{lang}.toml").read_text(encoding="utf-8"))
    for lang in ("zh", "en")
}
TODAY = date(2026, 11, 23)
HEADER = ["序号", "登记时间", "信访人", "联系电话", "住址", "主要诉求"]
KNOWN = Known(
    units={
        "县水利局": "县水利局",
        "水务局": "县水利局",
        "柳溪镇政府": "柳溪镇政府",
        "石门乡政府": "石门乡政府",
    },
    staff=("陈立文", "黄志强", "杨秀清"),
    villages=(("柳溪镇", "新塘"), ("柳溪镇", "河湾"), ("石门乡", "石门"), ("石门乡", "半岭")),
    categories={"民生饮水": "water", "土地道路": "land"},
)


def workbook(
    *pages: Sequence[Sequence[Any]], merged: Sequence[str] = (), titles: Sequence[str] = ()
) -> bytes:
    """An xlsx of these sheets; `merged` ranges are of the first."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(pages):
        page = book.create_sheet(titles[number] if titles else f"Sheet{number + 1}")
        for row in rows:
            page.append(list(row))
    for box in merged:
        book.worksheets[0].merge_cells(box)
    return saved(book)


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def comma_separated(rows: Sequence[Sequence[Any]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def table(*rows: Sequence[Any], name: str = "Sheet1", **more: Any) -> list[Sheet]:
    """One sheet, without the trip through a file."""
    return [Sheet(name=name, rows=tuple(tuple(row) for row in rows), **more)]


def ledger(**more: Any) -> Ledger:
    return Ledger(**{"name": "ledger", "today": TODAY, "lexicon": LEXICON, "count": count, **more})


def count(anchor: date, limit: Limit) -> date:
    """A calendar plain enough to reckon by eye: every day works, hours end the next day."""
    return anchor + timedelta(days=1 if limit.unit is Unit.HOUR else limit.amount)


def reading_of(content: bytes, name: str = "ledger.xlsx", **more: Any) -> Reading:
    return read(sheets(name, content), ledger(**more))


def reading(*rows: Sequence[Any], answers: Any = None, **more: Any) -> Reading:
    return read(table(*rows), ledger(**more), answers=answers)


LONG = [
    *HEADER,
    "责任单位",
    "承办人",
    "转办时间",
    "办理期限",
    "办理情况",
    "答复时间",
    "是否办结",
    "回访情况",
    "信访形式",
    "问题类别",
]


def row(
    number: object = "1", received: object = "2026.3.5", party: object = "李桂兰", **more: object
) -> list[Any]:
    """A row under LONG; other cells by their header."""
    cells = {"序号": number, "登记时间": received, "信访人": party, **more}
    return [cells.get(name) for name in LONG]


def questions(found: Reading) -> list[tuple[int, str, tuple[str, ...]]]:
    return [(one.spot.row, one.spot.column, one.choices) for one in found.questions]


def keys(found: Any) -> list[tuple[int, str, str]]:
    return [(one.spot.row, one.spot.column, one.key.rpartition(".")[2]) for one in found]


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return out.getvalue()
