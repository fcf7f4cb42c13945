"""What an entry of the calendar is and the states it can be in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from reminder.domain.protocols import Bound, EntryKind


class EntryStatus(StrEnum):
    """`proposed`, `confirmed` and `missed_by_office` are open states of a visit, `open` of all else."""

    OPEN = "open"
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    MISSED = "missed_by_office"
    MET = "met"
    MET_LATE = "met_late"
    DONE = "done"
    DECLINED = "declined"
    CANCELLED = "cancelled"


OPEN_STATES = frozenset({EntryStatus.OPEN, EntryStatus.PROPOSED, EntryStatus.CONFIRMED, EntryStatus.MISSED})


class Concern(Protocol):
    """Whatever says of an entry enough to know whose it is."""

    @property
    def milestone(self) -> str: ...
    @property
    def kind(self) -> EntryKind: ...
    @property
    def person_id(self) -> int | None: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An entry as it should be, by the case's facts. Days are local office days, instants UTC."""

    key: str
    """Milestone key, with `.2`, `.3` … for later occurrences; unique within the case."""
    milestone: str
    kind: EntryKind
    status: EntryStatus
    bound: Bound
    since: datetime
    """When the office learnt what makes it so; steps before it are not owed."""
    anchor_at: datetime
    nominal_on: date | None = None
    due_on: date | None = None
    promise_on: date | None = None
    due_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str = ""
    mode: str = ""
    tries: int = 0
    provisional: bool = False
    ended_at: datetime | None = None
    asked_by: str = "office"
    """Who wanted the present slot of a visit: the wording of a correction depends on it."""
    note: str = ""
    person_id: int | None = None
    """The member of staff it names: who promised it, leads it or carries it out."""
    reasoned_on: date | None = None
    """When somebody last said why it is late; the ladder is climbed again from there."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What the anchoring fact said; fills the message of a notice."""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATES

    @property
    def keeps_case_alive(self) -> bool:
        """Open, office-bound and neither task nor notice (the invariant's "next date")."""
        office = self.bound is Bound.OFFICE
        return self.is_open and office and self.kind not in {EntryKind.TASK, EntryKind.NOTICE}

    @property
    def when(self) -> tuple[Any, ...]:
        """What raises the revision when it changes: date, time or place."""
        return (self.due_on, self.promise_on, self.due_at, self.starts_at, self.ends_at, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Wanted):
    """An entry as kept: the wanted one with its identity and revision."""

    id: int
    case_id: int
    revision: int = 1
