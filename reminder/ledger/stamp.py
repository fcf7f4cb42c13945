"""Results, red cells and comments written straight into the parts of an xlsx; the rest of it stays as it is.

A row is all that is held at a time. Whatever is put together in a way we do not know is refused (`Unlike`):
openpyxl, which holds every cell as an object, is there for those.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from xml.sax.saxutils import escape

from reminder.ledger.apart import column_of, sheet_paths

RED = "FFFFC7CE"
_MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = "xl/styles.xml"
_TYPES = "[Content_Types].xml"
_WORKBOOK = f"{_SHEET}.sheet.main+xml".encode()
CHUNK = 1 << 18
"""Bytes of a sheet read at once."""

_ROW = re.compile(rb"<row\b([^>]*?)(?:/>|>(.*?)</row>)", re.S)
_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.S)
_NUMBER = re.compile(rb'\br="(\d+)"')
_AT = re.compile(rb'\br="([A-Z]{1,3})\d+"')
_LAST = re.compile(rb'.*<c\b[^>]*?\br="([A-Z]{1,3})\d+"', re.S)
_STYLE = re.compile(rb'\bs="(\d+)"')
_TYPE = re.compile(rb'\s(?:t|cm|vm)="[^"]*"')
_HINTS = re.compile(rb'\sspans="[^"]*"')
_DIMENSION = re.compile(rb"<dimension\b[^>]*/>")
_AFTER_COMMENTS = re.compile(
    rb"<(?:legacyDrawingHF|drawingHF|picture|oleObjects|controls|webPublishItems|tableParts|extLst)\b|</worksheet>"
)


class Unlike(Exception):
    """A workbook put together in a way we do not know."""


@dataclass(slots=True, kw_only=True)
class Marks:
    """What is put on a sheet; rows and columns are counted from 1."""

    column: int
    """Where the results go."""
    texts: dict[int, str] = field(default_factory=dict)
    """Row -> what its result says."""
    red: dict[tuple[int, int], str] = field(default_factory=dict)
    """(row, column) -> the comment on it, or none."""

    @property
    def comments(self) -> dict[tuple[int, int], str]:
        return {at: text for at, text in self.red.items() if text}


def stamped(content: bytes, marks: Mapping[str, Marks]) -> bytes:
    """The workbook with the marks, by name of the sheet. Raises Unlike."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as package,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        paths = {name: path for name, path in sheet_paths(package) if name in marks}
        whole = set(package.namelist())
        numbered = {path: (number, marks[name]) for number, (name, path) in enumerate(paths.items(), 1)}
        known = whole >= {_STYLES, _TYPES} and len(numbered) == len(marks)
        if not known or any("vbaProject" in name or "_xmlsignatures" in name for name in whole):
            raise Unlike
        if _WORKBOOK not in package.read(_TYPES):
            raise Unlike
        styles = _Styles(package.read(_STYLES))
        added = _beside(package, numbered)
        for entry in package.infolist():
            if entry.filename in numbered:
                marked = numbered[entry.filename][1]
                with package.open(entry) as read, made.open(entry.filename, "w") as write:
                    _sheet(read, write, marked, styles)
            elif entry.filename not in added and entry.filename != _STYLES:
                made.writestr(entry, package.read(entry), zipfile.ZIP_DEFLATED)
        for name, part in {**added, _STYLES: styles.whole()}.items():
            made.writestr(name, part)
    return out.getvalue()


class _Styles:
    """The looks of cells; each that is needed in red is added once."""

    def __init__(self, part: bytes) -> None:
        looks = re.search(rb"<cellXfs\b[^>]*>(.*?)</cellXfs>", part, re.S)
        fills = re.search(rb"<fills\b[^>]*>(.*?)</fills>", part, re.S)
        if _MAIN not in part or looks is None or fills is None:
            raise Unlike
        self.part, self.looks, self.fills = part, looks, fills
        self.known = re.findall(rb"<xf\b[^>]*?/>|<xf\b[^>]*?[^/]>.*?</xf>", looks[1], re.S)
        self.fill = len(re.findall(rb"<fill\b", fills[1]))
        self.reds: dict[int, int] = {}

    def red(self, look: int) -> int:
        if look >= len(self.known):
            raise Unlike
        return self.reds.setdefault(look, len(self.known) + len(self.reds))

    def whole(self) -> bytes:
        """The part with what was added; where `fills` stands before the looks, as the format has it."""
        if not self.reds:
            return self.part
        bare = (re.sub(rb'\s(?:fillId|applyFill)="[^"]*"', b"", self.known[look]) for look in self.reds)
        new = [one.replace(b"<xf", b'<xf fillId="%d" applyFill="1"' % self.fill, 1) for one in bare]
        fill = f'<fill><patternFill patternType="solid"><fgColor rgb="{RED}"/><bgColor rgb="{RED}"/>'
        fills = self.fills[1] + f"{fill}</patternFill></fill>".encode()
        looks = b"".join((self.looks[1], *new))
        count = len(self.known) + len(new)
        return b"".join(
            (
                self.part[: self.fills.start()],
                b'<fills count="%d">%s</fills>' % (self.fill + 1, fills),
                self.part[self.fills.end() : self.looks.start()],
                b'<cellXfs count="%d">%s</cellXfs>' % (count, looks),
                self.part[self.looks.end() :],
            )
        )


def _sheet(read: IO[bytes], write: IO[bytes], marks: Marks, styles: _Styles) -> None:
    """The sheet row by row."""
    reds: dict[int, dict[int, str]] = {}
    for (row, column), text in marks.red.items():
        reds.setdefault(row, {})[column] = text
    open_rows = set(marks.texts) | set(reds)

    def marked(found: re.Match[bytes]) -> bytes:
        number = _NUMBER.search(found[1])
        if number is None:
            raise Unlike
        if int(number[1]) not in open_rows:
            return found[0]
        open_rows.discard(int(number[1]))
        return _row(found, int(number[1]), marks, reds.get(int(number[1]), {}), styles)

    first = True
    for piece in _pieces(read):
        if b"<!" in piece or (first and not _is_known(piece)):
            raise Unlike
        made = _ROW.sub(marked, piece)
        if first:
            made, first = _DIMENSION.sub(b"", made, count=1), False
        if b"</sheetData>" in made and marks.comments:
            made = _with_comments(made)
        write.write(made)
    if open_rows:
        raise Unlike


def _is_known(head: bytes) -> bool:
    written = re.match(rb"\s*(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding=[\"']([^\"']*)", head)
    return (written is None or written[1].lower() == b"utf-8") and _MAIN in head and b"<sheetData" in head


def _pieces(read: IO[bytes]) -> Iterator[bytes]:
    """Whole rows at a time; the first begins with the head, the last ends with what follows all rows."""
    held = b""
    while chunk := read.read(CHUNK):
        held += chunk
        end = held.rfind(b"</row>") + len(b"</row>")
        if end >= len(b"</row>") and b"</sheetData>" not in held:
            yield held[:end]
            held = held[end:]
    yield held


def _row(found: re.Match[bytes], number: int, marks: Marks, red: Mapping[int, str], styles: _Styles) -> bytes:
    inside = found[2] or b""
    last = _LAST.match(inside)
    if not red and (last is None or column_of(last[1]) + 1 < marks.column):
        cells = inside + _text(number, marks.column, b"", marks.texts[number])
    else:
        cells = b"".join(cell for _, cell in sorted(_cells(inside, number, marks, red, styles).items()))
    return b"<row%s>%s</row>" % (_HINTS.sub(b"", found[1]), cells)


def _cells(
    inside: bytes, number: int, marks: Marks, red: Mapping[int, str], styles: _Styles
) -> dict[int, bytes]:
    """The cells of a row by column, marked."""
    cells: dict[int, bytes] = {}
    looks: dict[int, bytes] = {}
    for cell in _CELL.finditer(inside):
        at = _AT.search(cell[1])
        if at is None:
            raise Unlike
        column = column_of(at[1]) + 1
        cells[column] = cell[0]
        looks[column] = cell[1]
    for column in red:
        look = looks.get(column, b"")
        style = _STYLE.search(look)
        bare = _STYLE.sub(b"", look) if look else b' r="%s"' % _named(column, number)
        in_red = b'<c s="%d"%s' % (styles.red(int(style[1]) if style else 0), bare)
        cells[column] = in_red + (cells[column][2 + len(look) :] if look else b"/>")
        looks[column] = b""
    if number in marks.texts:
        style = _STYLE.search(looks.get(marks.column, b""))
        kept = b" " + style[0] if style else b""
        cells[marks.column] = _text(number, marks.column, kept, marks.texts[number])
    return cells


def _text(row: int, column: int, style: bytes, text: str) -> bytes:
    said = escape(text).encode("utf-8", "replace")
    at = _named(column, row)
    return b'<c r="%s"%s t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>' % (at, style, said)


def _named(column: int, row: int) -> bytes:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}".encode()


_ILLEGAL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def plain(text: str) -> str:
    """Without what no cell can hold."""
    return _ILLEGAL.sub("", text)[:32_000]


# --- comments ------------------------------------------------------------------------------------


def _with_comments(tail: bytes) -> bytes:
    """The end of a sheet with the line that says it has comments, where the format wants it."""
    begin = tail.index(b"</sheetData>")
    rest = tail[begin:]
    if b"<legacyDrawing " in rest or b"AlternateContent" in rest or rest.count(b"<extLst") > 1:
        raise Unlike
    place = _AFTER_COMMENTS.search(rest)
    if place is None:
        raise Unlike
    line = f'<legacyDrawing xmlns:r="{_OFFICE}" r:id="reminder1"/>'.encode()
    return tail[: begin + place.start()] + line + rest[place.start() :]


def _beside(package: zipfile.ZipFile, numbered: Mapping[str, tuple[int, Marks]]) -> dict[str, bytes]:
    """The parts that hold the comments, and those that name them, by path."""
    parts: dict[str, bytes] = {}
    types = package.read(_TYPES)
    named = b"" if b'Extension="vml"' in types else _default("vml")
    for path, (number, marks) in numbered.items():
        if not marks.comments:
            continue
        folder, _, file = path.rpartition("/")
        links = f"{folder}/_rels/{file}.rels"
        before = package.read(links) if links in package.namelist() else _NO_LINKS
        if b"comments" in before or b"vmlDrawing" in before:
            raise Unlike
        told, drawn = f"xl/reminder{number}.comments.xml", f"xl/reminder{number}.vml"
        parts[told], parts[drawn] = _comments(marks.comments)
        link = f'<Relationship Id="reminder1" Type="{_OFFICE}/vmlDrawing" Target="/{drawn}"/>'
        link += f'<Relationship Id="reminder2" Type="{_OFFICE}/comments" Target="/{told}"/>'
        parts[links] = _ended(before, b"</Relationships>", link.encode())
        named += f'<Override PartName="/{told}" ContentType="{_SHEET}.comments+xml"/>'.encode()
    return {_TYPES: _ended(types, b"</Types>", named), **parts} if parts else {}


_NO_LINKS = f'<Relationships xmlns="{_PACKAGE}"></Relationships>'.encode()


def _default(extension: str) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.vmlDrawing"
    return f'<Default Extension="{extension}" ContentType="{kind}"/>'.encode()


def _ended(part: bytes, end: bytes, more: bytes) -> bytes:
    if part.count(end) != 1:
        raise Unlike
    return part.replace(end, more + end)


def _comments(said: Mapping[tuple[int, int], str]) -> tuple[bytes, bytes]:
    """Their texts and, for programs of old, their shapes: as openpyxl writes them."""
    from openpyxl.comments.comment_sheet import CommentRecord, CommentSheet
    from openpyxl.xml.functions import tostring

    records = []
    for (row, column), text in sorted(said.items()):
        record = CommentRecord(ref=_named(column, row).decode(), author="reminder")
        record.text.t = text
        records.append(record)
    told: Any = CommentSheet
    told = told.from_comments(records)
    return tostring(told.to_tree()), told.write_shapes()
