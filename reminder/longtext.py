"""What becomes of a text longer than one Telegram message, and of a list too long for it?"""

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence

TELEGRAM_UNITS = 4096
"""UTF-16 units in one message (Bot API, sendMessage)."""
LINE_UNITS = 160
"""One item of a list, so that a single wordy case cannot crowd out the others."""
_ELLIPSIS = "…"


def telegram_units(text: str) -> int:
    """UTF-16 units, which is what Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int = TELEGRAM_UNITS) -> list[str]:
    """The text in parts of at most `limit` units: cut between paragraphs, else lines, else words, else
    anywhere but inside a character. Nothing is lost but the white space at the cuts; no part is empty."""
    if limit < 2:
        raise ValueError("a part holds at least one character of two units")
    parts: list[str] = []
    rest = text.strip()
    while telegram_units(rest) > limit:
        cut = _cut(rest, _fitting(rest, limit))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def clip(text: str, limit: int = LINE_UNITS) -> str:
    """The text, or its beginning and "…" within `limit` units."""
    if telegram_units(text) <= limit:
        return text
    return text[: _whole(text, _fitting(text, limit - 1))].rstrip() + _ELLIPSIS


def fit_lists(
    lists: Sequence[tuple[str, Sequence[str]]],
    more: Callable[[int], str],
    limit: int = TELEGRAM_UNITS,
) -> str:
    """Headed lists one after the other within `limit` units.

    Where they do not fit, the longest lists give first and each one cut ends with `more(left out)`; headings
    and their counts stay. Items are clipped to LINE_UNITS.
    """
    clipped = [(heading, [clip(line) for line in lines]) for heading, lines in lists]
    most = min(limit, max((len(lines) for _, lines in clipped), default=0))

    def overflows(shown: int) -> bool:
        return telegram_units(_laid_out(clipped, more, shown)) > limit

    if overflows(most):
        most = bisect_left(range(most), True, key=overflows) - 1
    return clip(_laid_out(clipped, more, max(most, 0)), limit)


def _laid_out(lists: Sequence[tuple[str, list[str]]], more: Callable[[int], str], shown: int) -> str:
    rows: list[str] = []
    for heading, lines in lists:
        rows += [heading, *lines[:shown]]
        if len(lines) > shown:
            rows.append(more(len(lines) - shown))
    return "\n".join(rows)


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start fit into `limit` units."""
    units = 0
    for i, char in enumerate(text):
        units += 2 if ord(char) > 0xFFFF else 1
        if units > limit:
            return i
    return len(text)


def _cut(text: str, most: int) -> int:
    for mark in ("\n\n", "\n", " "):
        if (at := text.rfind(mark, 1, most + 1)) > 0 and text[:at].strip():
            return at
    return _whole(text, most)


def _whole(text: str, at: int) -> int:
    """A cut at or before `at` that leaves no mark, joiner or variation sign without its letter."""
    cut = at
    while cut > 1 and (_clings(text[cut]) or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut if cut > 1 or not _clings(text[cut]) else at


def _clings(char: str) -> bool:
    return char == "\u200d" or unicodedata.category(char) in {"Mn", "Me", "Mc"}
