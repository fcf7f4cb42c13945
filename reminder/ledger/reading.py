"""What comes of reading a ledger: records, and everything a person has to be told or asked."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from reminder.domain.limits import Limit
from reminder.ledger.cells import Revisit

_NOT_CONTENT = {"sheet", "row", "key", "held", "same_as"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The office's own words, to match against. An empty table means that nothing is matched or asked."""

    units: Mapping[str, str] = field(default_factory=dict)
    """Any spelling of a unit -> its name."""
    staff: tuple[str, ...] = ()
    villages: tuple[tuple[str, str], ...] = ()
    """(township, village)"""
    categories: Mapping[str, str] = field(default_factory=dict)
    """Any word for a category -> its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row. `unit`, `handler` are the office's own names where they could be matched, else as written."""

    sheet: str
    row: int
    key: str
    """Finds the row again in the next import: ledger, sheet and number, or a hash of what it says."""
    held: bool = False
    """A question about it is open without which it cannot be imported."""
    same_as: tuple[str, int] | None = None
    """Sheet and row of the earlier row a person said it repeats: nothing to import."""
    external_no: str = ""
    received_on: date | None = None
    """None only while held."""
    party: str = ""
    group_size: int | None = None
    anonymous: bool = False
    phones: tuple[str, ...] = ()
    """E.164, all of them."""
    landlines: tuple[str, ...] = ()
    """Those of `phones` that take no text."""
    place: str = ""
    village: str = ""
    channel: str = ""
    """visit, letter, call, online, hotline, superior, leader or other."""
    category: str = ""
    category_text: str = ""
    request: str = ""
    unit: str = ""
    sponsor: str = ""
    handler: str = ""
    referred_on: date | None = None
    due_on: date | None = None
    """The stated day, else the day counted from the limit."""
    due_limit: Limit | None = None
    due_counted: date | None = None
    """The day counted from the limit; it differs from `due_on` where the ledger states both and they part."""
    progress: str = ""
    answered_on: date | None = None
    closed: bool | None = None
    score: int | None = None
    revisit: Revisit | None = None
    repeat: bool = False
    group: bool = False

    def plain(self) -> dict[str, Any]:
        """The fields of the ledger as JSON says them."""
        return {
            one.name: _plain(getattr(self, one.name)) for one in fields(self) if one.name not in _NOT_CONTENT
        }

    @property
    def row_hash(self) -> str:
        """Changes when, and only when, something that is imported changes."""
        written = json.dumps(self.plain(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Limit):
        return str(value)
    if isinstance(value, Revisit):
        return {"on": _plain(value.on), "text": value.text}
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A cell as a person finds it: sheet, row as numbered in the file, header of the column."""

    sheet: str
    row: int
    column: str
    index: int = -1
    """Column from 0, -1 where it has none."""

    @property
    def at(self) -> tuple[str, int, str]:
        return self.sheet, self.row, self.column


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to be said about a cell: a key of the words catalogue and the values of its sentence."""

    spot: Spot
    key: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Finding):
    """A row that cannot be imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread(Finding):
    """A cell that could not be read; its row is imported without it and intake gets a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Finding):
    """Something only a person can decide; `spot.at` is its address in `answers`."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Finding):
    """Something worth saying that stops nothing. Row 0 is the whole sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headed:
    """A sheet that was read and the row, as numbered in the file, of its (last) header."""

    sheet: str
    header_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything one reading found; nothing has been written anywhere."""

    ledger: str
    records: tuple[Record, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    unread: tuple[Unread, ...] = ()
    questions: tuple[Question, ...] = ()
    left_out: tuple[str, ...] = ()
    """Headers of the columns that are never imported."""
    unknown: tuple[str, ...] = ()
    """Headers nobody told us about; their cells are not imported."""
    notes: tuple[Note, ...] = ()
    sheets: tuple[Headed, ...] = ()
