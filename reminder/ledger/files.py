"""Which rows of cells does this file hold, or in one sentence why do we not read it?"""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from reminder.domain.errors import Refused

MAX_FILE = 20 * 1024 * 1024
MAX_UNPACKED = 50 * 1024 * 1024
MAX_RATIO = 100
MAX_ENTRIES = 1_000
MAX_ROWS = 100_000
MAX_COLUMNS = 300
PARSER_SECONDS = 60

Cell = str | int | float | bool | date | datetime | None
"""What a cell holds once read; times of day come as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet's cells, merged cells filled down.

    `rows[0]` is the row numbered `top` in the file (counted from 1); columns start at A. `merged` are
    (first row, first column, last row, last column), from 0, of the whole sheet; `hidden` are columns from 0.
    """

    name: str
    rows: tuple[tuple[Cell, ...], ...]
    top: int = 1
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: frozenset[int] = field(default_factory=frozenset)
    visible: bool = True
    epoch1904: bool = False


def ledger_name(file_name: str) -> str:
    """The name a ledger keeps over the years: the file's stem without "-result", "(1)" and the like."""
    stem = Path(file_name.replace("\\", "/")).stem.strip()
    previous = None
    while stem != previous:
        previous = stem
        stem = re.sub(
            r"(?i)(?:[-_ ]result|[-_ ]结果|\s*[（(]\d{1,3}[)）]|\s*-\s*(?:copy|副本))$", "", stem
        ).strip()
    return stem or "ledger"


def sheets(file_name: str, content: bytes) -> list[Sheet]:
    """Every sheet of an xlsx, xlsm, xlsb or xls workbook or the one of a CSV file.

    Blocks for up to a few seconds (a workbook is read in a process of its own). Raises Refused with `import.`
    and `empty`, `oversized`, `bomb`, `protected`, `damaged`, `other_type`, `web_page` or `encoding`.
    """
    name = Path(file_name.replace("\\", "/")).name
    if len(content) > MAX_FILE:
        raise Refused("import.oversized", file=name, megabytes=MAX_FILE // 1024 // 1024)
    if not content.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise Refused("import.empty", file=name)
    if content[:2] == b"PK":
        _check_package(name, content)
        found = _read_apart(name, content)
    elif content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        _check_compound(name, content)
        found = _read_apart(name, content)
    else:
        _check_plain(name, content)
        found = [_read_csv(name, content)]
    if not any(cell not in {None, ""} for sheet in found for row in sheet.rows for cell in row):
        raise Refused("import.empty", file=name)
    return found


def _check_package(name: str, content: bytes) -> None:
    """Refuse what is no workbook, is broken, or would unpack to more than we hold (reckoned by unpacking)."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
            if len(entries) > MAX_ENTRIES:
                raise Refused("import.bomb", file=name)
            declared = sum(entry.file_size for entry in entries)
            if declared > MAX_UNPACKED or declared > MAX_RATIO * max(len(content), 1):
                raise Refused("import.bomb", file=name)
            names = {entry.filename for entry in entries}
            if "EncryptedPackage" in names or any(entry.flag_bits & 1 for entry in entries):
                raise Refused("import.protected", file=name)
            if not names & {"xl/workbook.xml", "xl/workbook.bin"}:
                raise Refused("import.other_type", file=name)
            _unpack_counting(name, content, entries)
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        NotImplementedError,
        OverflowError,
        EOFError,
    ) as error:
        raise Refused("import.damaged", file=name) from error


def _unpack_counting(name: str, content: bytes, entries: list[zipfile.ZipInfo]) -> None:
    """Unpack each part and count: the directory of a bomb may lie about its sizes."""
    total = 0
    for entry in entries:
        header = content[entry.header_offset : entry.header_offset + 30]
        if len(header) < 30 or header[:4] != b"PK\3\4":
            raise zipfile.BadZipFile(entry.filename)
        start = entry.header_offset + 30
        start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        packed = content[start : start + entry.compress_size]
        size = (
            len(packed)
            if entry.compress_type == zipfile.ZIP_STORED
            else _inflated(packed, MAX_UNPACKED - total)
        )
        total += size
        if total > MAX_UNPACKED or (size > 1024 * 1024 and size > MAX_RATIO * max(len(packed), 1)):
            raise Refused("import.bomb", file=name)
        if size != entry.file_size or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise zipfile.BadZipFile(entry.filename)


def _inflated(packed: bytes, most: int) -> int:
    """Unpacked size; stops counting soon after `most`."""
    machine = zlib.decompressobj(-15)
    size = 0
    while packed and size <= most:
        size += len(machine.decompress(packed, 1024 * 1024))
        packed = machine.unconsumed_tail
    return size


def _check_compound(name: str, content: bytes) -> None:
    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in content

    if has("EncryptedPackage") or has("EncryptionInfo"):
        raise Refused("import.protected", file=name)
    if has("WordDocument") or has("PowerPoint Document"):
        raise Refused("import.other_type", file=name)
    if not has("Workbook") and not has("Book"):
        # A new workbook is only ever wrapped in an old container in order to encrypt it.
        wrapped = name.lower().endswith((".xlsx", ".xlsm", ".xlsb"))
        raise Refused("import.protected" if wrapped else "import.damaged", file=name)


def _check_plain(name: str, content: bytes) -> None:
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"mime-version")):
        raise Refused("import.web_page", file=name)
    pictures_and_papers = (
        b"%pdf",
        b"\x89png",
        b"\xff\xd8\xff",
        b"gif8",
        b"rar!",
        b"7z\xbc\xaf",
        b"{\\rtf",
        b"\x1f\x8b",
        b"mz",
        b"\x7felf",
        b"sqlite format",
    )
    if start.startswith(pictures_and_papers):
        raise Refused("import.other_type", file=name)


def _read_apart(name: str, content: bytes) -> list[Sheet]:
    script = Path(__file__).with_name("apart.py")
    try:
        done = subprocess.run(  # noqa: S603 - our own file, no shell, the workbook goes in by the pipe
            [sys.executable, "-P", str(script)],
            input=content,
            capture_output=True,
            timeout=PARSER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused("import.bomb", file=name) from error
    if done.returncode != 0:
        # Killed by its own limits (memory, time), or by the parser's abort.
        raise Refused("import.bomb" if done.returncode < 0 else "import.damaged", file=name)
    answer = json.loads(done.stdout)
    if refused := answer.get("refused"):
        raise Refused("import.bomb" if refused == "too_big" else f"import.{refused}", file=name)
    return [_sheet(found, bool(answer["epoch1904"])) for found in answer["sheets"]]


def _sheet(found: dict[str, Any], epoch1904: bool) -> Sheet:
    return Sheet(
        name=found["name"],
        rows=tuple(tuple(_cell(cell) for cell in row) for row in found["rows"]),
        top=found["top"] + 1,
        merged=tuple((a, b, c, d) for a, b, c, d in found["merged"]),
        hidden=frozenset(found["hidden"]),
        visible=found["visible"],
        epoch1904=epoch1904,
    )


def _cell(cell: Any) -> Cell:
    if not isinstance(cell, dict):
        plain: Cell = cell
        return plain
    if "date" in cell:
        return date.fromisoformat(cell["date"])
    if "datetime" in cell:
        return datetime.fromisoformat(cell["datetime"])
    return str(cell["time"])


def _read_csv(name: str, content: bytes) -> Sheet:
    written = text(name, content)
    if written.count("\0"):
        raise Refused("import.other_type", file=name)
    head = "\n".join(written.splitlines()[:12])
    delimiter = max(",\t;|", key=head.count) if any(mark in head for mark in ",\t;|") else ","
    rows: list[tuple[Cell, ...]] = []
    reader = csv.reader(io.StringIO(written, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            rows.append(tuple(cell or None for cell in row[:MAX_COLUMNS]))
            if len(rows) > MAX_ROWS:
                raise Refused("import.bomb", file=name)
    except csv.Error as error:
        raise Refused("import.damaged", file=name) from error
    return Sheet(name="CSV", rows=tuple(rows))


def text(name: str, content: bytes) -> str:
    """A CSV file's text: byte order mark, UTF-16, UTF-8, GB18030, then what the statistics say.

    Raises Refused `import.encoding`.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if (unmarked := _unmarked_utf16(content)) is not None:
        return content.decode(unmarked, "replace")
    for encoding in ("utf-8", "cp1252" if _looks_western(content) else "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return _by_statistics(name, content)


def _unmarked_utf16(content: bytes) -> str | None:
    sample = content[:4096]
    if sample.count(0) * 5 < len(sample):
        return None
    return "utf-16-le" if sample[1::2].count(0) > sample[0::2].count(0) else "utf-16-be"


def _looks_western(content: bytes) -> bool:
    """Accented letters stand alone between plain ones; Chinese bytes come in runs."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", content[:200_000])]
    return bool(runs) and sum(1 for run in runs if run == 1) * 2 > len(runs)


def _by_statistics(name: str, content: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(content[:65536]).best()
    if best is None:
        raise Refused("import.encoding", file=name)
    return content.decode(best.encoding, "replace")
