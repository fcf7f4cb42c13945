"""What may stand between braces: a plain {name}, filled with a cleaned value that is never evaluated."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from reminder.domain.errors import ReminderError

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
_BRACED = re.compile(r"\{[^{}\n]*\}?|\}")
_NEWLINES = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_ROUND_NEWLINE = re.compile(r"\s*\n\s*")
_INVISIBLE = frozenset("\u061c\u200b\u200e\u200f\u2060\ufeff") | {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class MissingValue(ReminderError):
    """A text asked for a value that was not given or was empty; names both, and nothing about a person."""

    def __init__(self, kind: str, variable: str) -> None:
        super().__init__(f"{kind}: no value for {{{variable}}}")
        self.kind = kind
        self.variable = variable


class BadPlaceholder(ValueError):
    """A brace that opens no plain {name}: what was found, and on which line (from 1)."""

    def __init__(self, fragment: str, line: int) -> None:
        super().__init__(fragment)
        self.fragment = fragment
        self.line = line


@dataclass(frozen=True, slots=True)
class Text:
    """A checked text: literals and placeholder names in turn, literals first."""

    pieces: tuple[str, ...]

    @property
    def literal(self) -> str:
        """What is written whatever the values are."""
        return "".join(self.pieces[::2])

    @property
    def source(self) -> str:
        """As it stands in the file."""
        return "".join(f"{{{piece}}}" if n % 2 else piece for n, piece in enumerate(self.pieces))

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(self.pieces[1::2])

    def fill(
        self,
        owner: str,
        values: Mapping[str, object],
        *,
        flat: bool,
        may_be_empty: frozenset[str] = frozenset(),
    ) -> str:
        """Put the values in. `owner` names the text in MissingValue; `flat` puts each value on one line."""
        filled = list(self.pieces)
        for i in range(1, len(filled), 2):
            name = filled[i]
            value = values.get(name)
            if value is None:
                raise MissingValue(owner, name)
            if not isinstance(value, (str, int)) or isinstance(value, bool):
                raise TypeError(
                    f"{owner}: {{{name}}} takes text or whole numbers, not {type(value).__name__}"
                )
            filled[i] = shown = clean(str(value), flat=flat)
            if not shown.strip() and name not in may_be_empty:
                raise MissingValue(owner, name)
        return "".join(filled)


def parse(source: str) -> Text:
    """Read a text. Raises BadPlaceholder at the first brace that does not belong to a plain {name}."""
    pieces = _PLACEHOLDER.split(source)
    line = 1
    for literal in pieces[::2]:
        if (found := _BRACED.search(literal)) is not None:
            raise BadPlaceholder(found.group(), line + literal.count("\n", 0, found.start()))
        line += literal.count("\n")
    return Text(tuple(pieces))


def clean(value: str, *, flat: bool) -> str:
    """NFC, without control, bidirectional, invisible and half characters; `flat` makes it one line."""
    if value.isprintable() and unicodedata.is_normalized("NFC", value):
        return value.strip() if flat else value
    value = _NEWLINES.sub("\n", value).replace("\t", " ")
    value = "".join(char for char in value if char == "\n" or not _unwanted(char))
    value = unicodedata.normalize("NFC", value)
    return _ROUND_NEWLINE.sub(" ", value.strip()) if flat else value


def _unwanted(char: str) -> bool:
    return char in _INVISIBLE or unicodedata.category(char) in {"Cc", "Cs"}


def invisible_in(source: str) -> str:
    """The first character that nobody can see and nobody wants, as U+XXXX; empty if there is none."""
    if source.replace("\n", "").replace("\t", "").isprintable():
        return ""  # as nearly every text is
    found = next((char for char in source if char not in "\n\t" and _unwanted(char)), "")
    return f"U+{ord(found):04X}" if found else ""
