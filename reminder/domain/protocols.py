"""What a protocol is: milestones with their limits, and who is told about each one when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import Any

from reminder.domain.cases import Event
from reminder.domain.limits import CountFrom, Limit, Roll
from reminder.domain.people import Role

LANGUAGES = ("zh", "en")
"""Every word a person reads must be there in each of these."""

IDLE = "idle"
"""Anchor of what is wanted only while nothing else keeps an open case alive: nobody is ever forgotten."""

VISIT_SET = "visit_set"
ADDED = "added"
"""Anchors of what people put into the calendar themselves, each time they do."""

ANCHORS: Mapping[str, tuple[Event, ...]] = {
    "received": (Event.RECEIVE,),
    "registered": (Event.REGISTER,),
    "assigned": (Event.ASSIGN,),
    # Without a referral the unit has the case from the moment it is registered there.
    "unit_received": (Event.REGISTER, Event.ACKNOWLEDGE),
    "referred": (Event.REFER,),
    "acknowledged": (Event.ACKNOWLEDGE,),
    "objected": (Event.OBJECT,),
    "guided": (Event.GUIDE,),
    "accepted": (Event.ACCEPT,),
    # Reopening, or a review that sends it back, starts the office's clock anew, as acceptance did.
    "taken_up": (Event.ACCEPT, Event.REOPEN, Event.SEND_BACK),
    "extended": (Event.EXTEND,),
    "deferred": (Event.DEFER,),
    "resumed": (Event.RESUME,),
    "decision_signed": (Event.ANSWER,),
    "served": (Event.SERVED,),
    "review_requested": (Event.REVIEW_REQUEST,),
    "second_review_requested": (Event.SECOND_REVIEW,),
    "review_answered": (Event.REVIEW_RESULT,),
    "reviewed": (Event.REVIEW_RESULT, Event.SEND_BACK, Event.CONCLUDE),
    "closed": (Event.CLOSE,),
    "completed": (Event.COMPLETE,),
    "last_contact": (Event.ACCEPT, Event.REOPEN, Event.CONTACT, Event.TOLD, Event.VISITED),
    "told": (Event.TOLD,),
    "reopened": (Event.REOPEN,),
    "withdrawn": (Event.WITHDRAW,),
    "flagged": (Event.FLAG,),
    "classified": (Event.PROTOCOL,),
    "sponsor_set": (Event.SPONSOR,),
    "scored": (Event.SCORE,),
    VISIT_SET: (Event.PROPOSE,),
    ADDED: (Event.ADD,),
    IDLE: (),
}
"""Name of an anchor in a protocol file -> the events that are it."""

EVENT_ANCHORS = frozenset(ANCHORS)
"""Moments of a case a milestone may be counted from, besides another milestone or a declared fact."""

EVENTS = frozenset(event.value for event in Event)
"""Case events that may meet a milestone or end it unmet. `done` names the milestone it meets."""

PARTIES = ("applicant", "counterpart")
"""Sides of a matter a milestone may be about; representatives stand on the applicant's."""

MODES = ("home", "call", "office")
"""How a visit takes place."""


class EntryKind(StrEnum):
    """What sort of thing stands in the calendar."""

    DEADLINE = "deadline"
    VISIT = "visit"
    MEETING = "meeting"
    COMMITMENT = "commitment"
    TASK = "task"
    NOTICE = "notice"


class Bound(StrEnum):
    """Whom a clock binds: the office or nobody. There is no third value."""

    OFFICE = "office"
    NONE = "none"


class OffsetUnit(StrEnum):
    """Units in which a step lies before or after the due moment."""

    CAL = "cal"
    WD = "wd"
    HOUR = "h"
    MINUTE = "min"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How far from T, the due moment. Negative is before.

    `at` is local wall time; None means the person's digest hour (staff) or the first texting hour
    (residents), and for hours and minutes the moment itself. `exact` keeps the very day, rest day or not.
    """

    amount: int
    unit: OffsetUnit
    at: time | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One telling. Within a milestone no role, and no resident, meets the same `key` twice.

    `key` is the canonical text: "T-3", "T+1wd", "T0@15:00", "now", "weekly". `kind` is the message template;
    None leaves the step to the digest. A weekly step repeats every 7 calendar days counted from `after`,
    the last dated step written before it.
    """

    key: str
    offset: Offset | None
    roles: tuple[Role, ...] = ()
    kind: str | None = None
    resident: bool = False
    weekly: bool = False
    after: Offset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """What must happen, counted from what, and what ends it.

    Without `limit` it falls due at its anchor. T, from which steps are counted, is the end of `promise` if
    there is one, else of `limit`. `met_by` and `until` are case events later than the anchor; `only_if` asks
    the anchor's fact for one of the values of each field named. With `bound` NONE it lapses at its end.
    `on` names the field of the anchor's fact that holds the day itself, where people choose it. `season` are
    days of the year ("11-01"), the next of which it is. `extension` is the most it may be extended by.
    `party` keeps it, and its texts, to one side of the matter. `needs`: what must be said when done (`text`).
    """

    key: str
    kind: EntryKind
    words: Mapping[str, str]
    anchor: str
    limit: Limit | None = None
    promise: Limit | None = None
    count_from: CountFrom = CountFrom.NEXT_DAY
    roll: Roll = Roll.FORWARD
    bound: Bound = Bound.OFFICE
    met_by: tuple[str, ...] = ()
    until: tuple[str, ...] = ("close", "withdraw")
    only_if: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    repeat: bool = False
    steps: tuple[Step, ...] = ()
    mode: str = ""
    slot: tuple[time, time] | None = None
    basis: str = ""
    due_role: Role = Role.HANDLER
    on: str = ""
    season: tuple[str, ...] = ()
    extension: Limit | None = None
    party: str = ""
    needs: tuple[str, ...] = ()

    @property
    def takes_place(self) -> bool:
        """Whether people meet: it has a slot and a place, and can be moved."""
        return self.kind in {EntryKind.VISIT, EntryKind.MEETING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A named set of milestones. `version` changes exactly when something a person is owed or told changes.

    `contact_hours` replaces the office's texting hours (local wall time) for residents; `urgent` lets staff
    alerts through at night; `direct_answer` lets a registered case be answered without accepting it first;
    `office` is for files about the office itself, which no resident brings.
    `facts` are the names `/fact` may set.
    """

    key: str
    names: Mapping[str, str]
    calendar: str
    milestones: tuple[Milestone, ...]
    facts: tuple[str, ...] = ()
    contact_hours: tuple[time, time] | None = None
    urgent: bool = False
    office: bool = False
    direct_answer: bool = False
    version: str = ""
    _by_key: Mapping[str, Milestone] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {m.key: m for m in reversed(self.milestones)})

    @property
    def closes_with_series(self) -> bool:
        """Whether closing a case starts return visits."""
        return any(m.kind is EntryKind.VISIT and m.anchor == "closed" for m in self.milestones)

    @property
    def as_fact(self) -> dict[str, Any]:
        """What a fact says that puts a case under it."""
        return {"key": self.key, "version": self.version, "direct_answer": self.direct_answer}

    def milestone(self, key: str) -> Milestone | None:
        return self._by_key.get(key)
