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
    TOLD = "told"
    EXTEND = "extend"
    SUSPEND = "suspend"
    DEFER = "defer"
    RESUME = "resume"
    ANSWER = "answer"
    SERVED = "served"
    REVIEW_REQUEST = "review_request"
    REVIEW_RESULT = "review_result"
    SECOND_REVIEW = "second_review"
    SEND_BACK = "send_back"
    CONCLUDE = "conclude"
    CLOSE = "close"
    COMPLETE = "complete"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    ARCHIVE = "archive"
    ERASE = "erase"
    FLAG = "flag"
    PROTOCOL = "protocol"
    SPONSOR = "sponsor"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    ADD = "add"
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
    PROMISED = "promised"
    """New holidays would have moved a day that a resident had been told of; `value["day"]` is that day."""


class Status(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"
    REGISTERED = "registered"
    REFERRED = "referred"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    DEFERRED = "deferred"
    REPLIED = "replied"
    UNDER_REVIEW = "under_review"
    UNDER_SECOND_REVIEW = "under_second_review"
    CLOSED = "closed"
    COMPLETED = "completed"
    NOT_ACCEPTED = "not_accepted"
    CONCLUDED = "concluded"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    ARCHIVED = "archived"
    ERASED = "erased"
    VOID = "void"
    """Taken in and taken back within the undo window."""


OPEN = frozenset(
    {
        *(Status.RECEIVED, Status.REGISTERED, Status.REFERRED, Status.ACCEPTED, Status.IN_PROGRESS),
        *(Status.DEFERRED, Status.REPLIED, Status.UNDER_REVIEW, Status.UNDER_SECOND_REVIEW),
    }
)
"""States in which the office owes the resident a next step; `closed` still owes return visits."""

_SETTLED = frozenset(
    {Status.COMPLETED, Status.NOT_ACCEPTED, Status.CONCLUDED, Status.WITHDRAWN, Status.MERGED}
)
ENDED = _SETTLED | {Status.ARCHIVED, Status.ERASED, Status.VOID}

_WORKED = frozenset({Status.ACCEPTED, Status.IN_PROGRESS})
_ANSWERED = frozenset({Status.REPLIED, Status.CLOSED})
_REVIEWED = frozenset({Status.UNDER_REVIEW, Status.UNDER_SECOND_REVIEW})

MOVES: Mapping[Event, tuple[frozenset[Status], Status]] = {
    Event.RECEIVE: (frozenset({Status.VOID}), Status.RECEIVED),
    Event.REGISTER: (frozenset({Status.RECEIVED}), Status.REGISTERED),
    Event.REFER: (frozenset({Status.REGISTERED}), Status.REFERRED),
    Event.ACKNOWLEDGE: (frozenset({Status.REFERRED}), Status.REGISTERED),
    Event.OBJECT: (frozenset({Status.REFERRED}), Status.REGISTERED),
    Event.ACCEPT: (frozenset({Status.REGISTERED}), Status.ACCEPTED),
    Event.GUIDE: (frozenset({Status.REGISTERED}), Status.NOT_ACCEPTED),
    Event.NOTE: (_WORKED, Status.IN_PROGRESS),
    Event.EXTEND: (_WORKED, Status.IN_PROGRESS),
    Event.DEFER: (_WORKED | {Status.DEFERRED}, Status.DEFERRED),
    Event.RESUME: (frozenset({Status.DEFERRED}), Status.IN_PROGRESS),
    Event.ANSWER: (_WORKED | {Status.DEFERRED}, Status.REPLIED),
    Event.SERVED: (frozenset({Status.REPLIED}), Status.REPLIED),
    Event.REVIEW_REQUEST: (_ANSWERED, Status.UNDER_REVIEW),
    Event.REVIEW_RESULT: (frozenset({Status.UNDER_REVIEW}), Status.REPLIED),
    Event.SECOND_REVIEW: (_ANSWERED, Status.UNDER_SECOND_REVIEW),
    Event.SEND_BACK: (_REVIEWED, Status.IN_PROGRESS),
    Event.CONCLUDE: (frozenset({Status.UNDER_SECOND_REVIEW}), Status.CONCLUDED),
    Event.CLOSE: (frozenset({Status.REPLIED}), Status.CLOSED),
    Event.COMPLETE: (frozenset({Status.CLOSED}), Status.COMPLETED),
    Event.REOPEN: (_ANSWERED | {Status.COMPLETED}, Status.IN_PROGRESS),
    Event.WITHDRAW: (OPEN, Status.WITHDRAWN),
    Event.MERGE: (OPEN | {Status.CLOSED}, Status.MERGED),
    Event.ARCHIVE: (_SETTLED, Status.ARCHIVED),
    Event.ERASE: (frozenset({Status.ARCHIVED}), Status.ERASED),
}
"""Event -> states it may happen in, state after it. What is not listed leaves the state alone."""

OF_CASES_UNDER_WAY = frozenset(
    {Event.FLAG, Event.SPONSOR, Event.PROTOCOL, Event.PAUSE, Event.SUSPEND}
    | {Event.FACT, Event.ADD, Event.PROPOSE, Event.NOTE, Event.TOLD}
)
"""What nobody does any more to a case that has ended; where it is recorded all the same, it stands."""

OUTCOMES = ("upheld", "partly", "explained", "not_upheld")
VISIT_OUTCOMES = ("holds", "partly", "not_solved")
FLAGS = ("major", "collective", "repeated", "skipped_level")
"""Signs that ordinary handling failed; each puts the head of the unit in charge."""

BOUNCED = 2
"""A case that units objected to so often has nobody who takes it up: supervision sees it."""

KEPT = frozenset(
    {
        *("again", "asked_by", "begins", "by", "by_clock", "confirmed", "danger", "date_on", "day", "days"),
        *("direct_answer", "end", "flag", "handler", "key", "kind", "late", "mode", "name", "next_on"),
        *("nominal", "outcome", "people", "person", "promise", "quiet", "role", "score", "session", "sides"),
        *("start", "told", "track", "unit", "version", "what"),
    }
)
"""Fields of a fact that are dates, choices and numbers; others are words, and go when it is erased."""

ORDER_OUTCOMES = ("explained", "corrected", "criticised", "referred")
"""What came of a supervision order; always entered by a person."""


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
    order: "Order" = field(init=False, compare=False, repr=False)
    """Independent of the order of reading, so that any order of the same edits gives one history."""

    def __post_init__(self) -> None:
        said = json.dumps(dict(self.value), sort_keys=True) if self.value else "{}"
        order = (self.at, _RANK[self.event], self.subject, said, self.recorded_at)
        object.__setattr__(self, "order", order)


Order = tuple[datetime, int, str, str, datetime]
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
    unit_id: int | None = None
    handler_id: int | None = None
    referred_id: int | None = None
    """The unit that a referral waits at, not yet signed for."""
    sponsor_id: int | None = None
    protocol: str = ""
    """Key, and `version` of the protocol a person moved the case to; empty: as it was registered."""
    version: str = ""
    direct_answer: bool = False
    """Whether its protocol lets it be answered without being accepted first."""
    paused: bool = False
    """Whether residents hear nothing about it for now; clocks never pause."""
    _of: Mapping[Event, list[Fact]] = field(init=False, compare=False, repr=False)
    _about: Mapping[str, list[Fact]] = field(init=False, compare=False, repr=False)
    """The facts by event and by subject: a plan asks for them a hundred times."""

    def __post_init__(self) -> None:
        of: dict[Event, list[Fact]] = {}
        about: dict[str, list[Fact]] = {}
        for fact in self.facts:
            of.setdefault(fact.event, []).append(fact)
            about.setdefault(fact.subject, []).append(fact)
        object.__setattr__(self, "_of", of)
        object.__setattr__(self, "_about", about)

    @property
    def flags(self) -> frozenset[str]:
        """What says that ordinary handling failed; about the office, never about a person."""
        return frozenset(str(fact.value["flag"]) for fact in self.all(Event.FLAG))

    @property
    def bounced(self) -> int:
        """How often a unit objected to having it."""
        return len(self.all(Event.OBJECT))

    def all(self, *events: Event) -> list[Fact]:
        if len(events) == 1:
            return list(self._of.get(events[0], ()))
        return [fact for fact in self.facts if fact.event in events]

    def last(self, *events: Event) -> Fact | None:
        found = self.all(*events)
        return found[-1] if found else None

    def about(self, subject: str) -> list[Fact]:
        return list(self._about.get(subject, ()))

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


def forbidden(event: Event, status: Status, *, direct_answer: bool = False) -> bool:
    """Whether an action that would record the event is refused in this state."""
    states = allowed_from(event, direct_answer=direct_answer)
    barred = states is not None and status not in states and event is not Event.NOTE  # which moves only some
    return barred or (status in ENDED and event in OF_CASES_UNDER_WAY)


def history(facts: Iterable[Fact], *, direct_answer: bool = False) -> History:
    """Fold the facts, whatever order they come in; a move the table forbids has no effect."""
    status = Status.VOID
    kept: list[Fact] = []
    said: dict[str, Any] = {"direct_answer": direct_answer}
    for fact in sorted(facts, key=lambda f: f.order):
        states = allowed_from(fact.event, direct_answer=said["direct_answer"])
        if states is not None and status not in states:
            if fact.event is not Event.NOTE:
                continue
        elif states is not None:
            status = MOVES[fact.event][1]
        said |= _says(fact, said)
        kept.append(fact)
    return History(facts=tuple(kept), status=status, **said)


def _says(fact: Fact, before: Mapping[str, Any]) -> dict[str, Any]:
    """What a fact changes about who carries the case, and how."""
    value = fact.value
    match fact.event:
        case Event.ASSIGN:
            names = {"unit": "unit_id", "handler": "handler_id"}
            return {field: value[name] for name, field in names.items() if name in value}
        case Event.REFER:
            return {"referred_id": value.get("unit")}
        case Event.ACKNOWLEDGE if before.get("referred_id") is not None:
            return {"unit_id": before["referred_id"], "handler_id": None, "referred_id": None}
        case Event.OBJECT:
            return {"referred_id": None}
        case Event.SPONSOR:
            return {"sponsor_id": value.get("person")}
        case Event.PROTOCOL:
            moved = {"protocol": value["key"], "version": value["version"]}
            return moved | {"direct_answer": bool(value.get("direct_answer"))}
        case Event.PAUSE | Event.UNPAUSE:
            return {"paused": fact.event is Event.PAUSE}
    return {}
