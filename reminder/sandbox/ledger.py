"""What did the phones receive, and what did their owners do, in which order?"""

import json
import os
from bisect import bisect_right
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

Row = dict[str, Any]


class Ledger:
    """Rows in memory and, given a path, in an append-only file: each line is on the disk before an answer.

    A row's `by` says whose act it was: `office` (a client called us), `provider` (an automatic answer to
    STOP) or `phone` (the owner wrote, pressed or replied). Only the first two are messages phones received.
    A file that is already there is read back, so numbering goes on where it stopped.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.earlier: list[Row] = _read(path) if path else []
        self.rows: list[Row] = []
        self._seq = self.earlier[-1]["seq"] if self.earlier else 0
        self._file: TextIO | None = None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def add(self, row: Mapping[str, Any]) -> Row:
        self._seq += 1
        kept = {"seq": self._seq, **row}
        self.rows.append(kept)
        if self._file:
            self._file.write(line_of(kept))
            self._file.flush()
            os.fsync(self._file.fileno())
        return kept

    def after(self, seq: int = 0, *, everything: bool = False) -> list[Row]:
        start = bisect_right(self.rows, seq, key=itemgetter("seq"))
        return [row for row in self.rows[start:] if everything or row["by"] != "phone"]

    def forget(self) -> None:
        """Drop the rows in memory; the file keeps them, and numbering goes on."""
        self.rows.clear()
        self.earlier.clear()

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


def line_of(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _read(path: Path) -> list[Row]:
    """Rows of an earlier run; a last line cut short by a power failure is cut off."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return [json.loads(line) for line in whole.splitlines()]
