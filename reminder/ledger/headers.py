"""Where does a sheet's header stand, and which column is which field?"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reminder.ledger.files import Cell, Sheet
from reminder.ledger.lexicon import FIELDS, Lexicon, plain, variants

LOOK_IN = 25
"""A header stands within the first rows of a sheet."""
ENOUGH = 4
"""Known headers that make a row a header."""
_OTHER_PEOPLE = {"sponsor", "handler", "unit"}
_A_NAME = {"姓名", "名称", "name", "fullname"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that is read: its place from 0, its header as written (unique in the sheet), its field."""

    index: int
    label: str
    field: str
    is_place_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a sheet is laid out. Row indices count from 0 within `Sheet.rows`."""

    first_header: int
    first_row: int
    columns: tuple[Column, ...]
    by_field: Mapping[str, tuple[Column, ...]]
    width: int
    left_out: tuple[str, ...]
    """Columns we never take in."""
    unknown: tuple[str, ...]
    """Columns nobody told us about."""
    doubled: tuple[tuple[str, str], ...]
    """(column not read, column read instead) where two claim one field."""
    hidden: tuple[str, ...]
    """Columns that are read though the file hides them."""
    title: str
    """What stands above the header."""
    english: bool
    header_words: frozenset[str]

    def of(self, field: str) -> tuple[Column, ...]:
        return self.by_field.get(field, ())

    def label(self, field: str) -> str:
        """The header of a field's first column, "" if the sheet has none."""
        return next((column.label for column in self.of(field)), "")


@dataclass(frozen=True, slots=True)
class _Head:
    text: str
    parent: str
    field: str | None
    rank: int


def layout(sheet: Sheet, lexicon: Lexicon) -> Layout | None:
    """The first row, or pair of rows, with at least four known headers; None if there is none."""
    window = [_spread(sheet, row) for row in range(min(LOOK_IN + 1, len(sheet.rows)))]
    singles = [[_head(lexicon, "", text) for text in row] for row in window]
    for row in range(min(LOOK_IN, len(window))):
        alone, below = _score(singles[row]), _score(singles[row + 1]) if row + 1 < len(window) else 0
        pair = _paired(lexicon, window[row], window[row + 1]) if row + 1 < len(window) else []
        if _is_pair(_score(pair), alone, below):
            return _laid_out(sheet, lexicon, window, (row, row + 2), pair)
        if alone >= ENOUGH:
            return _laid_out(sheet, lexicon, window, (row, row + 1), singles[row])
    return None


def _is_pair(together: int, alone: int, below: int) -> bool:
    """Two rows make one header if they say more together; a title above a header adds nothing."""
    more_than_below = together > below or (alone >= 2 and together == below)
    return together >= ENOUGH and together > alone and more_than_below


def _spread(sheet: Sheet, row: int) -> list[str]:
    """A row's texts with merged cells filled across."""
    texts = [_text(cell) for cell in sheet.rows[row]]
    number = row + sheet.top - 1
    for first, left, last, right in sheet.merged:
        if first <= number <= last and left < len(texts):
            for column in range(left, min(right, len(texts) - 1) + 1):
                texts[column] = texts[left]
    return texts


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()[:200]


def _head(lexicon: Lexicon, parent: str, text: str) -> _Head:
    """What a header names, alone or with the one above it."""
    whole = text if parent in {"", text} else f"{parent}{text}"
    if not whole:
        return _Head(text, parent, None, 0)
    own, above = _look_up(lexicon, text), _look_up(lexicon, parent)
    both = _look_up(lexicon, whole) or _look_up(lexicon, f"{text}{parent}")
    if parent in {"", text}:
        chosen = own
    elif not text:
        chosen = above
    elif both is None and above is not None and above[0] in _OTHER_PEOPLE:
        # "承办人 | 电话" is not the resident's telephone.
        chosen = above if plain(text) in _A_NAME else None
    else:
        chosen = both or own
    return _Head(text, parent, *(chosen or (None, 0)))


def _look_up(lexicon: Lexicon, header: str) -> tuple[str, int] | None:
    return next((lexicon.fields[name] for name in variants(header) if name in lexicon.fields), None)


def _paired(lexicon: Lexicon, upper: Sequence[str], lower: Sequence[str]) -> list[_Head]:
    width = max(len(upper), len(lower))
    up = list(upper) + [""] * (width - len(upper))
    low = list(lower) + [""] * (width - len(lower))
    return [_head(lexicon, a, b) for a, b in zip(up, low, strict=True)]


def _score(heads: Sequence[_Head]) -> int:
    return len({head.field for head in heads if head.field})


def _laid_out(
    sheet: Sheet,
    lexicon: Lexicon,
    window: Sequence[Sequence[str]],
    span: tuple[int, int],
    heads: Sequence[_Head],
) -> Layout:
    labels = list(_labels(heads))
    whole = [
        label if not head.parent else f"{head.parent}{head.text}"
        for label, head in zip(labels, heads, strict=True)
    ]
    never = {n for n, text in enumerate(whole) if any(lexicon.never(name) for name in variants(text))}
    columns, doubled = _claimed(lexicon, heads, labels, never)
    read = {column.index for column in columns} | {
        n for n, label in enumerate(labels) if label in dict(doubled)
    }
    return Layout(
        first_header=span[0],
        first_row=span[1],
        columns=columns,
        by_field={field: tuple(one for one in columns if one.field == field) for field in FIELDS},
        width=len(heads),
        left_out=tuple(labels[n] for n in sorted(never)),
        unknown=tuple(
            label
            for n, label in enumerate(labels)
            if label and n not in read and n not in never and plain(label) not in lexicon.own
        ),
        doubled=doubled,
        hidden=tuple(column.label for column in columns if column.index in sheet.hidden),
        title="\n".join(dict.fromkeys(text for above in window[: span[0]] for text in above if text)),
        english=not re.search(r"[㐀-鿿]", "".join(column.label for column in columns)),
        header_words=frozenset(plain(text) for head in heads for text in (head.text, head.parent) if text),
    )


def _labels(heads: Sequence[_Head]) -> Iterator[str]:
    """Headers as a person would point at them; a header used twice gets its letter."""
    texts = [
        re.sub(r"\s+", " ", unicodedata.normalize("NFKC", head.text or head.parent)).strip() for head in heads
    ]
    count = Counter(texts)
    for index, text in enumerate(texts):
        yield f"{text} ({letters(index)})" if text and count[text] > 1 else text


def letters(index: int) -> str:
    """A column's letters: 0 is A, 26 is AA."""
    found = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        found = chr(65 + rest) + found
    return found


def _claimed(
    lexicon: Lexicon, heads: Sequence[_Head], labels: Sequence[str], never: set[int]
) -> tuple[tuple[Column, ...], tuple[tuple[str, str], ...]]:
    """One column per field, the main header's; the joined fields and the parts of a place keep all."""
    columns: dict[int, Column] = {}
    doubled: list[tuple[str, str]] = []
    best: dict[str, int] = {}
    for index in sorted(range(len(heads)), key=lambda n: (heads[n].rank, n)):
        field = heads[index].field
        if field is None or index in never:
            continue
        part = field == "place" and plain(heads[index].text or heads[index].parent) in lexicon.place_parts
        if field in best and field not in lexicon.joined and not part:
            doubled.append((labels[index], labels[best[field]]))
            continue
        columns[index] = Column(index=index, label=labels[index], field=field, is_place_part=part)
        if not part:
            best.setdefault(field, index)
    return tuple(columns[index] for index in sorted(columns)), tuple(doubled)
