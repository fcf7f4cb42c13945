"""What do the headers and words of a ledger mean? A data file an office may add to."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from reminder.domain.errors import Fault, Faulty

FIELDS = (
    "external_no", "received_on", "party", "phones", "place", "channel", "category", "request", "unit",
    "sponsor", "handler", "referred_on", "due_on", "progress", "answered_on", "closed", "score", "revisit",
    "repeat", "group", "group_size",
)  # fmt: skip
REQUIRED = frozenset({"received_on", "party"})

_BRACKETS = re.compile(r"[(\[【〔<《（［].*?[)\]】〕>》）］]")
_DROPPED = re.compile(r"[\s\u200b\u200c\u200d\ufeff*:：.。·_\-'’\"“”?？!、,，;；]+")


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """A word as compared: full width made half, case, blanks and light punctuation gone."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text)).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Everything looked up while reading; keys are already `plain`."""

    fields: Mapping[str, tuple[str, int]]
    """Header -> (field, rank); 0 is the main header."""
    never_exact: frozenset[str]
    never_contains: tuple[str, ...]
    joined: frozenset[str]
    place_parts: frozenset[str]
    own: frozenset[str]
    total: re.Pattern[str]
    """Matches the first cell of a row of totals or remarks, blanks removed, lower case."""
    signature: re.Pattern[str]
    """Matches a cell of a row of signatures, lower case."""
    ditto: frozenset[str]
    nothing: frozenset[str]
    not_yet: frozenset[str]
    values: Mapping[str, Mapping[str, str]]
    """Vocabulary ("channel", "closed", "flag", "score", "party", "group_channel") -> word -> value."""

    @classmethod
    def load(cls, path: Path) -> "Lexicon":
        """Raises Faulty with what is wrong in the file."""
        try:
            written = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls._of(written)
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
            fault = Fault(
                place=str(path),
                what=f"cannot be read: {error}.",
                remedy="Put back the file that came with the program.",
            )
            raise Faulty([fault]) from error

    @classmethod
    def _of(cls, written: Mapping[str, Any]) -> "Lexicon":
        unknown = set(written["fields"]) - set(FIELDS)
        if unknown:
            raise KeyError(f"no such field: {', '.join(sorted(unknown))}")
        fields: dict[str, tuple[str, int]] = {}
        for field, names in written["fields"].items():
            for rank, name in enumerate(names):
                fields.setdefault(plain(name), (field, rank))
        parts = [plain(name) for name in written["columns"]["place_parts"]]
        for rank, name in enumerate(parts):
            fields.setdefault(name, ("place", 1000 + rank))
        return cls(
            fields=fields,
            never_exact=_set(written["never"]["exact"]),
            never_contains=tuple(plain(word) for word in written["never"]["contains"]),
            joined=frozenset(written["columns"]["joined"]),
            place_parts=frozenset(parts),
            own=_set(written["columns"]["own"]),
            total=_starts(written["rows"]["footer_first"], r"\s*(?:[:：\d]|$)"),
            signature=_starts(written["rows"]["footer_any"], r"\s*(?:[:：(（]|\s|$)"),
            ditto=frozenset(word.casefold() for word in written["rows"]["ditto"]),
            nothing=frozenset(word.casefold() for word in written["rows"]["nothing"]),
            not_yet=frozenset(word.casefold() for word in written["rows"]["not_yet"]),
            values={name: _words(table) for name, table in written["values"].items()},
        )

    def never(self, header: str) -> bool:
        """Whether a header (already plain) names something we do not take in."""
        return header in self.never_exact or any(word in header for word in self.never_contains)

    def value(self, vocabulary: str, word: str) -> str | None:
        """What a word of a cell means, or None."""
        return self.values[vocabulary].get(plain(word))


def variants(header: str) -> list[str]:
    """A header as it may be listed: whole, without its brackets, its Chinese or Latin part, split at "/"."""
    whole, bare = plain(header), plain(_BRACKETS.sub("", unicodedata.normalize("NFKC", header)))
    found = [whole, bare, plain(re.sub(r"[()\[\]]", "", unicodedata.normalize("NFKC", header)))]
    chinese = "".join(re.findall(r"[㐀-鿿0-9]+", whole))
    latin = re.sub(r"[㐀-鿿]+", "", bare)
    if chinese and re.search(r"[a-z]{2}", latin):
        found += [chinese, latin]
    found += [plain(part) for part in bare.split("/")]
    return [name for name in dict.fromkeys(found) if name]


def _starts(words: list[str], then: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(re.escape(word.casefold()) for word in words)}){then}")


def _set(words: list[str]) -> frozenset[str]:
    return frozenset(plain(word) for word in words)


def _words(table: Mapping[str, list[str]]) -> dict[str, str]:
    return {plain(word) or word: meaning for meaning, words in table.items() for word in words}
