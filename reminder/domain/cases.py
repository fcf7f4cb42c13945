"""What a case is: the facts people recorded, the moves they may make, the state that follows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Event(StrEnum):
    """What can be recorded about a case. A fact is one of these at a moment, by a person."""

    RECEIVE = "receive"
    REGISTER = "register"
    ASSIGN = "assign"
    ACCEPT = "accept"
    GUIDE = "guide"
    REFER = "refer"
    ACKNOWLEDGE = "acknowledge"
    OBJECT = "object"
    CONTACT = "contact"
    NOTE = "note"
    ANSWER = "answer"
    SERVED = "served"
    CLOSE = "close"
    COMPLETE = "complete"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    SCORE = "score"
    DONE = "done"
    FACT = "fact"
    TASK = "task"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    DECLINE = "decline"
    ASK_OTHER_DAY = "ask_other_day"
    MOVE = "move"
    VISITED = "visited"
    NOT_MET = "not_met"
    MISSED = "missed"


class Status(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"
    REGISTERED = "registered"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    REPLIED = "replied"
    CLOSED = "closed"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    VOID = "void"
    """Taken in and taken back within the undo window."""


OPEN = frozenset({Status.RECEIVED, Status.REGISTERED, Status.ACCEPTED, Status.IN_PROGRESS, Status.REPLIED})
"""States in which the office owes the resident a next step; `closed` still owes return visits."""

ENDED = frozenset({Status.COMPLETED, Status.WITHDRAWN, Status.VOID})

_WORKED = frozenset({Status.ACCEPTED, Status.IN_PROGRESS})

MOVES: Mapping[Event, tuple[frozenset[Status], Status]] = {
    Event.RECEIVE: (frozenset({Status.VOID}), Status.RECEIVED),
    Event.REGISTER: (frozenset({Status.RECEIVED}), Status.REGISTERED),
    Event.ACCEPT: (frozenset({Status.REGISTERED}), Status.ACCEPTED),
    Event.NOTE: (_WORKED, Status.IN_PROGRESS),
    Event.ANSWER: (_WORKED, Status.REPLIED),
    Event.SERVED: (frozenset({Status.REPLIED}), Status.REPLIED),
    Event.CLOSE: (frozenset({Status.REPLIED}), Status.CLOSED),
    Event.COMPLETE: (frozenset({Status.CLOSED}), Status.COMPLETED),
    Event.REOPEN: (frozenset({Status.REPLIED, Status.CLOSED, Status.COMPLETED}), Status.IN_PROGRESS),
    Event.WITHDRAW: (OPEN, Status.WITHDRAWN),
}
"""Event -> states it may happen in, state after it. What is not listed leaves the state alone."""

OUTCOMES = ("upheld", "partly", "explained", "not_upheld")
VISIT_OUTCOMES = ("holds", "partly", "not_solved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened. `at` is when it was so, `recorded_at` when the office learnt of it."""

    event: Event
    at: datetime
    recorded_at: datetime
    subject: str = ""
    """Key of the entry it is about, else empty."""
    value: Mapping[str, Any] = field(default_factory=dict)
    by: int | None = None
    id: int = 0

    @property
    def order(self) -> tuple[datetime, int, str, str]:
        """Independent of the order of recording, so that any order of the same edits gives one history."""
        return (self.at, _RANK[self.event], self.subject, json.dumps(dict(self.value), sort_keys=True))


_RANK = {event: rank for rank, event in enumerate(Event)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The identity of a case; everything that changes follows from its facts."""

    id: int
    number: str
    protocol: str
    category: str = "other"
    track: str = "appeal"
    place: str = ""
    first_contact_id: int | None = None
    confidential: bool = False
    imported: bool = False
    direct_answer: bool = False
    """Whether its protocol lets a registered case be answered at once (simple procedure)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A case read from its facts: only those the table of moves allowed, in order."""

    facts: tuple[Fact, ...]
    status: Status
    unit_id: int | None
    handler_id: int | None

    def all(self, *events: Event) -> list[Fact]:
        return [fact for fact in self.facts if fact.event in events]

    def last(self, *events: Event) -> Fact | None:
        found = self.all(*events)
        return found[-1] if found else None

    def about(self, subject: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.subject == subject]

    def since_opening(self, *events: Event) -> list[Fact]:
        """Those of the present round: after the last reopening, if there was one."""
        reopened = self.last(Event.REOPEN)
        return [f for f in self.all(*events) if reopened is None or f.order > reopened.order]


def allowed_from(event: Event, *, direct_answer: bool = False) -> frozenset[Status] | None:
    """States in which the event may happen; None when any will do."""
    if event not in MOVES:
        return None
    states = MOVES[event][0]
    if direct_answer and event is Event.ANSWER:
        states |= {Status.REGISTERED}
    return states


def history(facts: Iterable[Fact], *, direct_answer: bool = False) -> History:
    """Fold the facts, whatever order they come in; a move the table forbids has no effect."""
    status = Status.VOID
    unit_id: int | None = None
    handler_id: int | None = None
    kept: list[Fact] = []
    for fact in sorted(facts, key=lambda f: f.order):
        states = allowed_from(fact.event, direct_answer=direct_answer)
        if states is not None and status not in states:
            if fact.event is not Event.NOTE:
                continue
        elif states is not None:
            status = MOVES[fact.event][1]
        if fact.event is Event.ASSIGN:
            unit_id = fact.value.get("unit", unit_id)
            handler_id = fact.value.get("handler", handler_id)
        kept.append(fact)
    return History(facts=tuple(kept), status=status, unit_id=unit_id, handler_id=handler_id)
