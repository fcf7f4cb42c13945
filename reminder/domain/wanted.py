"""Which entries a case should have: a pure function of its facts, its protocol and the calendar."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from reminder.domain.cases import ENDED, Event, Fact, History, Status
from reminder.domain.deadlines import Due, deadline
from reminder.domain.entries import EntryStatus, Wanted
from reminder.domain.limits import Limit, Unit
from reminder.domain.offices import Office
from reminder.domain.protocols import Bound, EntryKind, Milestone, Protocol
from reminder.domain.workdays import at, local_day

IDLE = "idle"
"""Anchor of what is wanted only while nothing else keeps an open case alive: nobody is ever forgotten."""

ANCHORS: Mapping[str, tuple[Event, ...]] = {
    "received": (Event.RECEIVE,),
    "registered": (Event.REGISTER,),
    # Without a referral the unit has the case from the moment it is registered there.
    "unit_received": (Event.REGISTER, Event.ACKNOWLEDGE),
    "accepted": (Event.ACCEPT,),
    # Reopening starts the office's clock anew, as acceptance did.
    "taken_up": (Event.ACCEPT, Event.REOPEN),
    "decision_signed": (Event.ANSWER,),
    "served": (Event.SERVED,),
    "closed": (Event.CLOSE,),
    "last_contact": (Event.ACCEPT, Event.REOPEN, Event.CONTACT, Event.NOTE, Event.VISITED),
    "reopened": (Event.REOPEN,),
    "withdrawn": (Event.WITHDRAW,),
    "visit_set": (Event.PROPOSE,),
    "referred": (Event.REFER,),
    "scored": (Event.SCORE,),
    "assigned": (Event.ASSIGN,),
    IDLE: (),
}
"""Name of an anchor in a protocol file -> the events that are it."""

MAX_OCCURRENCES = 400
"""A repeating milestone stops here; nobody keeps a case that long, and every loop has a bound."""

SECOND_TRY = timedelta(days=7)
MAX_VISITS = 2
"""Nobody home twice: from then on by phone (dignity: no more than two unanswered visits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    at: datetime
    since: datetime
    order: tuple[datetime, int, str, str]
    detail: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""


def wanted(past: History, protocol: Protocol, office: Office) -> dict[str, Wanted]:
    """Every entry the facts call for, open and ended, by key. Same facts, same entries."""
    return _Planner(past, protocol, office).entries()


def over(past: History, protocol: Protocol, entries: Iterable[Wanted]) -> bool:
    """Whether a closed case owes nothing more: nothing is open, and the last visit found it solved.

    After such a visit somebody decides what comes next, and may decide that nothing does.
    """
    if past.status is not Status.CLOSED or any(entry.keeps_case_alive for entry in entries):
        return False
    idle = {m.key for m in protocol.milestones if m.anchor == IDLE}
    closed = past.all(Event.CLOSE)[-1]
    said = [f for f in past.all(Event.VISITED, Event.DONE) if f.event is Event.VISITED or f.subject in idle]
    last = said[-1] if said else closed
    return last.order <= closed.order or last.value.get("outcome") != "partly"


class _Planner:
    """Holds what has been worked out so far, because milestones may hang on each other."""

    def __init__(self, past: History, protocol: Protocol, office: Office) -> None:
        self.past = past
        self.protocol = protocol
        self.office = office
        self.milestones = {m.key: m for m in protocol.milestones}
        self.done: dict[str, list[Wanted]] = {}
        self.endings: dict[str, Fact] = {}
        """What met an entry, by its key."""

    def entries(self) -> dict[str, Wanted]:
        idle = [key for key, m in self.milestones.items() if m.anchor == IDLE]
        planned = [e for key in self.milestones if key not in idle for e in self.occurrences(key)]
        taken_over = self._taken_over_at()
        found = {e.key: e for e in planned if taken_over is None or not _was_past(e, taken_over)}
        ended = self.past.status in ENDED or over(self.past, self.protocol, found.values())
        if not ended and not any(entry.keeps_case_alive for entry in found.values()):
            found |= {e.key: e for key in idle for e in self.occurrences(key)}
        for fact in self.past.all(Event.TASK):
            task = self.task(fact)
            found[task.key] = task
        return found

    def _taken_over_at(self) -> datetime | None:
        """When the case came in by import; a case from a ledger only has dates still to come."""
        received = self.past.last(Event.RECEIVE)
        if received is None or not received.value.get("quiet"):
            return None
        return received.recorded_at

    def occurrences(self, key: str) -> list[Wanted]:
        if key not in self.done:
            self.done[key] = []
            self.done[key] = list(self._occur(self.milestones[key]))
        return self.done[key]

    def _occur(self, milestone: Milestone) -> Iterator[Wanted]:
        anchors = self.anchors(milestone)
        for number in range(1, MAX_OCCURRENCES):
            if number > len(anchors):
                return
            anchor = anchors[number - 1]
            key = anchor.subject if milestone.anchor == "visit_set" else _numbered(milestone.key, number)
            entry = self.entry(milestone, anchor, key)
            yield entry
            if milestone.repeat and entry.ended_at and entry.status in _MET:
                again = self.following(entry)
                anchors = [*anchors[:number], again, *anchors[number:]]

    def anchors(self, milestone: Milestone) -> list[_Anchor]:
        name = milestone.anchor
        if name in self.milestones:
            met = [e for e in self.occurrences(name) if e.status in _MET and e.ended_at]
            found = [self.following(e) for e in met]
        elif name == IDLE:
            found = [_of(fact) for fact in self.past.facts if fact.event is not Event.TASK][-1:]
        elif name in ANCHORS:
            found = [_of(fact) for fact in self.past.all(*ANCHORS[name])]
        else:
            found = [_of(fact) for fact in self.past.all(Event.FACT) if fact.value.get("name") == name]
        return [a for a in found if _fits(a, milestone)]

    def following(self, entry: Wanted) -> _Anchor:
        """The end of an entry as the anchor of the next; what was entered late is owed only from then on."""
        end = self.endings[entry.key]
        return _Anchor(at=end.at, since=end.recorded_at, order=end.order, detail=entry.detail)

    def entry(self, milestone: Milestone, anchor: _Anchor, key: str) -> Wanted:
        due = self.due(milestone, anchor)
        entry = Wanted(
            key=key,
            milestone=milestone.key,
            kind=milestone.kind,
            status=EntryStatus.OPEN,
            bound=milestone.bound,
            since=anchor.since,
            anchor_at=anchor.at,
            mode=milestone.mode,
            detail=dict(anchor.detail),
            **due,
        )
        if milestone.kind is EntryKind.VISIT:
            entry = self.visit(entry, milestone, anchor)
        return self.ended(entry, milestone, anchor)

    def due(self, milestone: Milestone, anchor: _Anchor) -> dict[str, Any]:
        """The dates of an entry, as fields."""
        zone = self.office.zone
        if milestone.limit is None:
            return {"due_on": local_day(anchor.at, zone), "due_at": anchor.at}
        if milestone.limit.unit.elapsed:
            due = self._deadline(milestone, anchor.at)
            instant = due.effective
            assert isinstance(instant, datetime)
            return {"due_on": local_day(instant, zone), "due_at": instant}
        due = self._deadline(milestone, local_day(anchor.at, zone))
        effective = _day(due.effective)
        return {
            "nominal_on": _day(due.nominal),
            "due_on": effective,
            "promise_on": _day(due.promise),
            "due_at": at(effective + timedelta(days=1), time.min, zone),
            "provisional": due.provisional,
        }

    def _deadline(self, milestone: Milestone, anchor: date | datetime) -> Due:
        assert milestone.limit is not None
        return deadline(
            anchor,
            milestone.limit,
            self.office.calendar,
            count_from=milestone.count_from,
            roll=milestone.roll,
            promise=milestone.promise,
        )

    def visit(self, entry: Wanted, milestone: Milestone, anchor: _Anchor) -> Wanted:
        """The slot first planned, then what people made of it."""
        if milestone.anchor == "visit_set":
            entry = self.placed(entry, anchor.detail, anchor.since)
        else:
            assert entry.due_on is not None
            entry = self.slotted(entry, self.office.calendar.forward(entry.due_on), milestone.slot)
        entry = replace(entry, status=EntryStatus.PROPOSED)
        for fact in self.past.about(entry.key):
            if fact.order > anchor.order:
                entry = self.after(entry, fact)
        return entry

    def slotted(self, entry: Wanted, day: date, slot: tuple[time, time] | None = None) -> Wanted:
        start, end = slot or self.office.slot
        zone = self.office.zone
        calendar = self.office.calendar
        return replace(
            entry,
            due_on=day,
            promise_on=day,
            starts_at=at(day, start, zone),
            ends_at=at(day, end, zone),
            due_at=at(day, end, zone),
            provisional=not calendar.is_confirmed(day),
        )

    def placed(self, entry: Wanted, value: Mapping[str, Any], since: datetime) -> Wanted:
        """Put a visit where a person said: {"day", "start", "end", "place", "mode", "asked_by"}."""
        start, end = self.office.slot
        slot = (
            time.fromisoformat(value["start"]) if value.get("start") else start,
            time.fromisoformat(value["end"]) if value.get("end") else end,
        )
        entry = self.slotted(entry, date.fromisoformat(value["day"]), slot)
        return replace(
            entry,
            since=since,
            place=value.get("place", entry.place),
            mode=value.get("mode") or entry.mode or "home",
            asked_by=value.get("asked_by", "office"),
        )

    def after(self, entry: Wanted, fact: Fact) -> Wanted:
        """A visit after one more thing happened to it (the visit state machine)."""
        if not entry.is_open:
            return entry
        end = _VISIT_ENDS.get(fact.event)
        if end is not None:
            self.endings[entry.key] = fact
            return replace(entry, status=end, ended_at=fact.at, note=str(fact.value.get("outcome", "")))
        match fact.event:
            case Event.MOVE:
                moved = self.placed(entry, fact.value, fact.recorded_at)
                heard_yes = fact.value.get("confirmed", False)
                status = EntryStatus.CONFIRMED if heard_yes else EntryStatus.PROPOSED
                return replace(moved, status=status, note="")
            case Event.CONFIRM:
                return replace(entry, status=EntryStatus.CONFIRMED, note="")
            case Event.ASK_OTHER_DAY:
                return replace(entry, status=EntryStatus.PROPOSED, note="other_day")
            case Event.MISSED:
                return replace(entry, status=EntryStatus.MISSED)
            case Event.NOT_MET:
                return self.tried(entry, fact)
        return entry

    def tried(self, entry: Wanted, fact: Fact) -> Wanted:
        """Nobody home: seven days on, at most twice, then by phone. Never counted against the resident."""
        tries = entry.tries + 1
        calendar = self.office.calendar
        today = local_day(fact.at, self.office.zone)
        if tries >= MAX_VISITS:
            day = calendar.add_working(today, 1)
            entry = replace(self.slotted(entry, day), mode="call")
        else:
            entry = self.slotted(entry, calendar.forward(today + SECOND_TRY))
        return replace(entry, status=EntryStatus.PROPOSED, tries=tries, since=fact.recorded_at, note="")

    def ended(self, entry: Wanted, milestone: Milestone, anchor: _Anchor) -> Wanted:
        """Met, met late or ended by what happened next; whichever came first."""
        if entry.kind is EntryKind.NOTICE:
            return entry
        for fact in self.past.facts:
            if fact.order <= anchor.order:
                continue
            if entry.ended_at is not None and fact.at >= entry.ended_at:
                break
            if _meets(fact, entry, milestone):
                self.endings[entry.key] = fact
                return replace(entry, status=self._met(entry, fact.at), ended_at=fact.at)
            if fact.event.value in milestone.until:
                return replace(entry, status=EntryStatus.CANCELLED, ended_at=fact.at)
        return entry

    def _met(self, entry: Wanted, moment: datetime) -> EntryStatus:
        if entry.kind is EntryKind.VISIT:
            return EntryStatus.DONE
        late = entry.due_at is not None and moment >= entry.due_at
        return EntryStatus.MET_LATE if late else EntryStatus.MET

    def task(self, fact: Fact) -> Wanted:
        """Something for a person to do, due the next working day."""
        zone = self.office.zone
        anchor = _of(fact)
        limit = Limit(1, Unit.WD)
        due = deadline(local_day(fact.at, zone), limit, self.office.calendar)
        entry = Wanted(
            key=fact.subject,
            milestone="task",
            kind=EntryKind.TASK,
            status=EntryStatus.OPEN,
            bound=Bound.NONE,
            since=fact.recorded_at,
            anchor_at=fact.at,
            due_on=_day(due.effective),
            promise_on=_day(due.effective),
            due_at=at(_day(due.effective) + timedelta(days=1), time.min, zone),
            detail=dict(fact.value),
        )
        for later in self.past.about(fact.subject):
            if later.event is Event.DONE and later.order > anchor.order:
                return replace(entry, status=self._met(entry, later.at), ended_at=later.at)
        return entry


_MET = frozenset({EntryStatus.MET, EntryStatus.MET_LATE, EntryStatus.DONE})
_VISIT_ENDS = {Event.VISITED: EntryStatus.DONE, Event.DECLINE: EntryStatus.DECLINED}


def _was_past(entry: Wanted, taken_over: datetime) -> bool:
    return entry.is_open and entry.due_at is not None and entry.due_at <= taken_over


def _numbered(key: str, number: int) -> str:
    return key if number == 1 else f"{key}.{number}"


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _of(fact: Fact) -> _Anchor:
    return _Anchor(
        at=fact.at, since=fact.recorded_at, order=fact.order, detail=fact.value, subject=fact.subject
    )


def _fits(anchor: _Anchor, milestone: Milestone) -> bool:
    """Whether the milestone's condition holds. What came in by import (`quiet`) tells nobody anything."""
    if milestone.kind is EntryKind.NOTICE and anchor.detail.get("quiet"):
        return False
    return all(str(anchor.detail.get(name, "")) in allowed for name, allowed in milestone.only_if.items())


def _meets(fact: Fact, entry: Wanted, milestone: Milestone) -> bool:
    if fact.event is Event.DONE:
        return fact.subject == entry.key
    if entry.kind is EntryKind.VISIT:
        return False
    return fact.event.value in milestone.met_by
