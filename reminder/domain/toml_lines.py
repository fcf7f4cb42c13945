"""On which line of a TOML text does each key and each item of a list stand?"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

Path = tuple[str | int, ...]

_NAME = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_REST = re.compile(r"[^\n]*\n?")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\''  # strings over several lines
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*'  # strings, comments
    r"|\n|[\[\]{},]|[^\s\[\]{},\"'#]+|[^\S\n]+|.",
    re.DOTALL,
)


class Lines(Mapping[Path, int]):
    """Line numbers from 1 by path, e.g. ("milestone", 2, "remind", 0), of a text the TOML parser accepted.

    The parser of the standard library keeps no positions. Keys inside inline tables are left out: they
    stand on their parent's line. Nobody looks for them before somebody asks: a file without faults is not
    read twice.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _found(self) -> Mapping[Path, int]:
        scan = _Scan(self._text)
        while scan.at < len(self._text):
            scan.statement()
        return scan.lines

    def __getitem__(self, path: Path) -> int:
        return self._found[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(slots=True)
class _Scan:
    text: str
    at: int = 0
    table: Path = ()
    lines: dict[Path, int] = field(default_factory=dict)
    repeats: Counter[Path] = field(default_factory=Counter)

    def statement(self) -> None:
        if found := _HEADER.match(self.text, self.at):
            self._enter(found)
        elif found := _KEY.match(self.text, self.at):
            path = (*self.table, *_names(found[1]))
            self.lines.setdefault(path, self._line(found.start(1)))
            self.at = found.end()
            self._value(path)
            return
        # Always forward: a blank line or a comment, or what follows a header.
        end = _REST.match(self.text, self.at)
        self.at = max(end.end() if end else 0, self.at + 1)

    def _enter(self, found: re.Match[str]) -> None:
        path: Path = _names(found[2])
        if found[1] == "[[":
            self.repeats[path] += 1
            path = (*path, self.repeats[path] - 1)
        self.table = path
        self.lines.setdefault(path, self._line(found.start(1)))
        self.at = found.end()

    def _value(self, path: Path) -> None:
        """Pass over one value, noting where each item of a list begins."""
        opened: list[str] = []
        items, awaited = 0, False
        while token := _TOKEN.match(self.text, self.at):
            self.at, said = token.end(), token[0]
            if said == "\n" and not opened:
                return
            if said.isspace() or said.startswith("#"):
                continue
            if said in "]}":
                opened.pop()
                continue
            if awaited and said != ",":
                self.lines.setdefault((*path, items), self._line(token.start()))
                items += 1
            awaited = (said == "[" and not opened) or (said == "," and opened == ["["])
            if said in "[{":
                opened.append(said)

    def _line(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip().strip("\"'") for name in re.findall(_NAME, dotted))
