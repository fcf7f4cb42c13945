"""Where texts, kinds and words are read from: a templates folder, then the office's own copies over it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reminder.domain.errors import Fault
from reminder.domain.toml_lines import Path as LinePath
from reminder.domain.toml_tables import read_toml
from reminder.placeholders import BadPlaceholder, Text, invisible_in, parse

MOST_BYTES = 4096
"""A message longer than this is a file somebody put in the wrong place."""
_MOST_TOML_BYTES = 512 * 1024

_TEXT_NAME = re.compile(r"(?P<kind>[a-z0-9_]+)\.(?P<channel>[a-z0-9_]+)\.txt")
_NO_TEXT = Text(("",))
_PLAIN = "Write a variable as {name}, in small letters, and no other braces."


@dataclass(frozen=True, slots=True)
class Placed:
    """A checked text and the file and line it came from."""

    text: Text
    spot: "str | Spot"

    @property
    def place(self) -> str:
        return str(self.spot)

    @property
    def is_faulty(self) -> bool:
        """A faulty text keeps its place empty, so that it is not reported as missing as well."""
        return self.text == _NO_TEXT


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a word stands; its line is looked for when somebody wants to know."""

    file: str
    keys: LinePath
    lines: Mapping[LinePath, int]

    def __str__(self) -> str:
        return f"{self.file}:{self.lines.get(self.keys, 1)}"


@dataclass(slots=True)
class Files:
    """Everything read so far; later folders win file by file, and key by key inside a TOML file."""

    texts: dict[tuple[str, str, str], Placed] = field(default_factory=dict)
    """By kind, channel and language."""
    kinds: dict[str, Any] = field(default_factory=dict)
    kind_places: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, Placed]] = field(default_factory=dict)
    """By language, then dotted key."""
    unread: set[str] = field(default_factory=set)
    """Languages of which a file of words could not be read at all."""
    faults: list[Fault] = field(default_factory=list)

    def add(self, folder: Path) -> None:
        """Read one folder over what is there."""
        if not folder.is_dir():
            self.fault(str(folder), "There is no such folder.", "Name a folder of templates.")
            return
        for path in sorted((folder / "messages").glob("*/*.txt")):
            self._add_text(folder, path)
        kinds = folder / "messages" / "kinds.toml"
        if kinds.exists():
            self._add_kinds(folder, kinds)
        layer: dict[str, dict[str, Placed]] = {}
        for path in sorted((folder / "words").glob("*.toml")):
            self._add_words(folder, path, layer)
        for lang, words in layer.items():
            self.words.setdefault(lang, {}).update(words)

    def fault(self, place: str, what: str, remedy: str) -> None:
        self.faults.append(Fault(place=place, what=what, remedy=remedy))

    def _add_text(self, folder: Path, path: Path) -> None:
        place = _place(folder, path)
        if path.name.startswith("."):
            return
        if (named := _TEXT_NAME.fullmatch(path.name)) is None:
            self.fault(place, "The name tells no kind and channel.", "Name it <kind>.<channel>.txt.")
            return
        key = (named["kind"], named["channel"], path.parent.name)
        self.texts[key] = Placed(_NO_TEXT, f"{place}:1")
        source = self._read(path, place, MOST_BYTES)
        if source is None:
            return
        if (text := self._parse(source.rstrip(), place)) is not None:
            self.texts[key] = Placed(text, f"{place}:1")

    def _add_kinds(self, folder: Path, path: Path) -> None:
        place = _place(folder, path)
        tables, lines = self._read_toml(path, place)
        for name, row in tables.items():
            old = self.kinds.get(name)
            merged = {**old, **row} if isinstance(old, dict) and isinstance(row, dict) else row
            self.kinds[name] = merged
            self.kind_places[name] = f"{place}:{lines.get((name,), 1)}"

    def _add_words(self, folder: Path, path: Path, layer: dict[str, dict[str, Placed]]) -> None:
        place = _place(folder, path)
        tables, lines = self._read_toml(path, place)
        words = layer.setdefault(path.stem.rpartition(".")[2], {})
        for keys, value in _flat(tables):
            key, at = ".".join(keys), Spot(place, keys, lines)
            if key in words:
                self.fault(str(at), f"{key} stands in {words[key].place} as well.", "Keep one of them.")
            elif not isinstance(value, str):
                self.fault(str(at), f"{key} is not a text.", 'Write it in quotes: key = "text".')
            else:
                words[key] = Placed(self._parse(value.strip(), at) or _NO_TEXT, at)

    def _parse(self, source: str, place: str | Spot) -> Text | None:
        """The text, or None after noting its faults; `place` may already carry a line."""
        if not source:
            self.fault(
                _with_line(place, 1), "There is no text.", "Write one, or delete it where it is a copy."
            )
            return None
        if found := invisible_in(source):
            self.fault(_with_line(place, 1), f"It holds the invisible character {found}.", "Type it afresh.")
            return None
        try:
            return parse(source)
        except BadPlaceholder as bad:
            self.fault(_with_line(place, bad.line), f"{bad.fragment} is not a plain variable.", _PLAIN)
            return None

    def _read(self, path: Path, place: str, most: int) -> str | None:
        try:
            with path.open("rb") as file:
                raw = file.read(most + 1)
        except OSError as error:
            self.fault(place, f"It cannot be read ({error.strerror}).", "Check the file and its permissions.")
            return None
        if len(raw) > most:
            self.fault(place, f"It is larger than {most} bytes.", "Shorten it.")
            return None
        try:
            return raw.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.fault(f"{place}:{line}", "It is not UTF-8.", "Save it as UTF-8.")
            return None

    def _read_toml(self, path: Path, place: str) -> tuple[dict[str, Any], Mapping[LinePath, int]]:
        """The tables and the line of each key; none and a fault if it is not TOML."""
        source = self._read(path, place, _MOST_TOML_BYTES)
        if source is None or (table := read_toml(place, source, self.faults)) is None:
            self.unread.add(path.stem.rpartition(".")[2])
            return {}, {}
        return dict(table.values), table.lines


def _place(folder: Path, path: Path) -> str:
    return f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}"


def _with_line(at: str | Spot, line: int) -> str:
    place = str(at)
    return place if re.search(r":\d+$", place) else f"{place}:{line}"


def _flat(tables: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tables.items():
        if isinstance(value, dict):
            yield from _flat(value, (*above, key))
        else:
            yield (*above, key), value
