"""How a small CSV is read so that everything wrong in it is told at once, with line, column and remedy."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from reminder.domain.faults import Faults
from reminder.domain.national import FIRST_YEAR, LAST_YEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: stripped cells by column; a missing column is an empty cell."""

    line: int | None
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def decoded(raw: bytes, faults: Faults) -> str:
    """UTF-8 with or without a byte order mark; anything else is Faulty."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.give_up("not_text", line=raw.count(b"\n", 0, error.start) + 1)


def rows_of(text: str, columns: Sequence[str], required: Sequence[str], faults: Faults) -> list[Row]:
    """The rows below the header; blank lines are skipped, column order is free.

    Faults of the header are Faulty at once, since nothing below it can be judged; rows with the wrong number
    of cells are noted in `faults` and left out.
    """
    lines = list(_lines(text.removeprefix("\ufeff"), faults))
    header = ",".join(columns)
    if not lines:
        faults.give_up("empty", header=header)
    (first, names), *rest = lines
    _check_header(first, names, columns, required, faults)
    faults.stop()
    if not rest:
        faults.add("no_rows", line=first)
    rows = []
    for line, cells in rest:
        if len(cells) != len(names):
            faults.add("cells", line=line, found=len(cells), wanted=len(names))
        else:
            rows.append(Row(line=line, cells=dict(zip(names, cells, strict=True))))
    return rows


def day_of(text: str) -> date | None:
    """The day of "2027-03-30" within the calendars' years, else None."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _lines(text: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            faults.give_up("not_csv", line=line, reason=error)
        if cells is None:
            return
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield line, stripped


def _check_header(
    line: int, names: Sequence[str], columns: Sequence[str], required: Sequence[str], faults: Faults
) -> None:
    header = ",".join(columns)
    for place, name in enumerate(names):
        if name in names[:place]:
            faults.add("column_twice", line=line, column=name, name=name)
        elif name not in columns:
            near = get_close_matches(name, columns, n=1, cutoff=0.0)[0]
            faults.add("column_unknown", line=line, column=name, name=name, near=near, header=header)
    for name in required:
        if name not in names:
            faults.add("column_missing", line=line, column=name, name=name, header=header)
