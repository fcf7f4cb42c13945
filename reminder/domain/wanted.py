"""Which entries a case should have: a pure function of its facts, its protocol and the calendar."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from reminder.domain.cases import ENDED, Event, Fact, History, Order, Status
from reminder.domain.deadlines import Due, deadline
from reminder.domain.entries import EntryStatus, Wanted
from reminder.domain.limits import Limit, Roll, Unit, next_of
from reminder.domain.offices import Office
from reminder.domain.protocols import ADDED, ANCHORS, IDLE, VISIT_SET, Bound, EntryKind, Milestone, Protocol
from reminder.domain.tasks import end_of
from reminder.domain.visits import ENDS, after, planned
from reminder.domain.workdays import at, local_day

MAX_OCCURRENCES = 400
"""Of a repeating milestone; nobody keeps a case that long, and every loop has a bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    at: datetime
    since: datetime
    order: Order
    detail: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    suffix: str | None = None
    """Of the key of the entry it is the end of: what follows bears the same, whatever else happens."""


TASK = "task"
"""Anchor of what was given to a person to do: the moment it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """Why an entry's date is what it is. With neither `chosen` nor `first` it falls due at its anchor.

    `longer` are the facts that gave it more time, each with the end it led to. Where people meet, the day
    may since have been moved; the facts about the entry say so.
    """

    anchor: str
    at: datetime
    chosen: date | None = None
    """The day people chose themselves."""
    first: Due | None = None
    longer: tuple[tuple[Fact, Due], ...] = ()


def wanted(past: History, protocol: Protocol, office: Office) -> dict[str, Wanted]:
    """Every entry the facts call for, open and ended, by key. Same facts, same entries."""
    return _Planner(past, protocol, office).entries()


def reckoned(past: History, protocol: Protocol, office: Office) -> dict[str, "Reckoning"]:
    """How the date of every entry `wanted` gives was reached, by key: from the very same reckoning."""
    planner = _Planner(past, protocol, office)
    return {key: planner.reckonings[key] for key in planner.entries()}


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
        self.reckonings: dict[str, Reckoning] = {}
        self.changes = past.all(Event.PROTOCOL)
        self._begun: dict[str, list[_Anchor]] = {}

    def entries(self) -> dict[str, Wanted]:
        idle = [key for key, m in self.milestones.items() if m.anchor == IDLE]
        fixed = (e for key in self.milestones if key not in idle for e in self.occurrences(key))
        taken_over = self._taken_over_at()
        found = {e.key: e for e in fixed if taken_over is None or not _was_past(e, taken_over)}
        found = {key: begun for key, e in found.items() if (begun := self.begun(e)) is not None}
        ended = self.past.status in ENDED or over(self.past, self.protocol, found.values())
        if not ended and not any(entry.keeps_case_alive for entry in found.values()):
            found |= {e.key: e for key in idle for e in self.occurrences(key)}
        for fact in self.past.all(Event.TASK):
            task = self.task(fact)
            found[task.key] = task
        return found

    def begun(self, entry: Wanted) -> Wanted | None:
        """What came in with a change of protocol is owed from then on, not from when it would have begun.

        What a notice would have said long ago is not said now.
        """
        for fact in self.changes:
            if entry.key in fact.value.get("begins", ()) and entry.since < fact.recorded_at:
                return None if entry.kind is EntryKind.NOTICE else replace(entry, since=fact.recorded_at)
        return entry

    def _taken_over_at(self) -> datetime | None:
        """When the case came in by import; a case from a ledger only has dates still to come."""
        received = self.past.last(Event.RECEIVE)
        return received.recorded_at if received is not None and received.value.get("quiet") else None

    def occurrences(self, key: str) -> list[Wanted]:
        if key not in self.done:
            self.done[key] = []
            anchors = enumerate(self.anchors(self.milestones[key]), 1)
            self.done[key] = [entry for anchor in anchors for entry in self._occur(key, *anchor)]
        return self.done[key]

    def _occur(self, key: str, number: int, anchor: _Anchor) -> Iterator[Wanted]:
        milestone = self.milestones[key]
        suffix = anchor.suffix if anchor.suffix is not None else f".{number}" if number > 1 else ""
        by_hand = milestone.anchor in {VISIT_SET, ADDED}
        return self._series(milestone, anchor, anchor.subject if by_hand else key + suffix)

    def _series(self, milestone: Milestone, anchor: _Anchor, key: str) -> Iterator[Wanted]:
        """An entry and, where the milestone repeats, those that begin whenever the one before is met."""
        for _ in range(MAX_OCCURRENCES):
            entry = self.entry(milestone, anchor, key)
            yield entry
            if not (milestone.repeat and entry.ended_at and entry.status in _MET):
                return
            anchor, key = self.following(entry), _again(key)
            detail = {name: value for name, value in anchor.detail.items() if name not in _CHOSEN}
            anchor = replace(anchor, detail=detail)

    def anchors(self, milestone: Milestone) -> list[_Anchor]:
        name = milestone.anchor
        if name in self.milestones:
            met = [e for e in self.occurrences(name) if e.status in _MET and e.ended_at]
            found = [replace(self.following(e), suffix=e.key.removeprefix(name)) for e in met]
        elif name == IDLE:
            found = [_of(f) for f in self.past.facts if f.event not in _NO_NEWS and not _renews(f)][-1:]
        elif name == ADDED:
            found = [_of(f) for f in self.past.all(Event.ADD) if stem(f.subject) == milestone.key]
        elif name in ANCHORS:
            found = self.beginnings(name)
        else:
            found = [_of(fact) for fact in self.past.all(Event.FACT) if fact.value.get("name") == name]
        return [a for a in found if _fits(a, milestone)]

    def beginnings(self, name: str) -> list[_Anchor]:
        if name not in self._begun:
            self._begun[name] = [_of(f) for f in self.past.all(*ANCHORS[name]) if not _renews(f)]
        return self._begun[name]

    def following(self, entry: Wanted) -> _Anchor:
        """The end of an entry as the anchor of the next; what was entered late is owed only from then on."""
        end = self.endings[entry.key]
        detail = {**entry.detail, **end.value}
        return _Anchor(at=end.at, since=end.recorded_at, order=end.order, detail=detail)

    def entry(self, milestone: Milestone, anchor: _Anchor, key: str) -> Wanted:
        due = self.due(milestone, anchor, key)
        entry = Wanted(
            key=key,
            milestone=milestone.key,
            kind=milestone.kind,
            status=EntryStatus.OPEN,
            bound=milestone.bound,
            since=anchor.since,
            anchor_at=anchor.at,
            mode=milestone.mode,
            person_id=anchor.detail.get("person"),
            detail=dict(anchor.detail),
            **due,
        )
        if milestone.takes_place:
            entry = self.visit(entry, milestone, anchor)
        return self.reasoned(self.ended(entry, milestone, anchor), anchor)

    def visit(self, entry: Wanted, milestone: Milestone, anchor: _Anchor) -> Wanted:
        """The slot first planned, then what people made of it."""
        by_hand = milestone.anchor in {VISIT_SET, ADDED}
        entry = planned(entry, milestone, anchor.detail if by_hand else {}, self.office)
        for fact in self.past.about(entry.key):
            if fact.order > anchor.order:
                if entry.is_open and fact.event in ENDS:
                    self.endings[entry.key] = fact
                entry = after(entry, fact, self.office)
        return entry

    def reasoned(self, entry: Wanted, anchor: _Anchor) -> Wanted:
        """When somebody last said, after it was due, what an open entry is waiting for."""
        base = entry.promise_on or entry.due_on
        if base is None or not entry.is_open or entry.bound is not Bound.OFFICE:
            return entry
        said = [f.at for f in self.past.all(Event.NOTE) if f.value.get("why") and f.order > anchor.order]
        day = local_day(said[-1], self.office.zone) if said else None
        return replace(entry, reasoned_on=day) if day is not None and day > base else entry

    def due(self, milestone: Milestone, anchor: _Anchor, key: str) -> dict[str, Any]:
        """The dates of an entry, as fields; how they were reached is kept beside them."""
        zone = self.office.zone
        self.reckonings[key] = Reckoning(anchor=milestone.anchor, at=anchor.at)
        if (day := self.day_itself(milestone, anchor)) is not None:
            self.reckonings[key] = Reckoning(anchor=milestone.anchor, at=anchor.at, chosen=day)
            return self.chosen(milestone, anchor, key, day)
        if milestone.limit is None:
            return {"due_on": local_day(anchor.at, zone), "due_at": anchor.at}
        if milestone.limit.unit.elapsed:
            due = self._deadline(milestone, anchor.at)
            self.reckonings[key] = Reckoning(anchor=milestone.anchor, at=anchor.at, first=due)
            instant = due.effective
            assert isinstance(instant, datetime)
            return {"due_on": local_day(instant, zone), "due_at": instant}
        first = self._deadline(milestone, local_day(anchor.at, zone))
        longer = tuple(self.extended(first, milestone, anchor, key))
        self.reckonings[key] = Reckoning(anchor=milestone.anchor, at=anchor.at, first=first, longer=longer)
        due = longer[-1][1] if longer else first
        effective = _day(due.effective)
        return {
            "nominal_on": _day(due.nominal),
            "due_on": effective,
            "promise_on": self.promised(_day(due.promise), anchor, key),
            "due_at": at(effective + timedelta(days=1), time.min, zone),
            "provisional": due.provisional,
        }

    def day_itself(self, milestone: Milestone, anchor: _Anchor) -> date | None:
        """Where no limit decides: the day people chose, or the next of a season."""
        if milestone.on and anchor.detail.get(milestone.on):
            return date.fromisoformat(str(anchor.detail[milestone.on]))
        return next_of(milestone.season, local_day(anchor.at, self.office.zone))

    def promised(self, day: date, anchor: _Anchor, key: str) -> date:
        """Never later than what a resident was told before holidays moved it, until more time is granted."""
        facts = [f for f in self.past.about(key) if f.order > anchor.order and f.event in _PROMISES]
        if facts and facts[-1].event is Event.PROMISED:
            return min(day, date.fromisoformat(str(facts[-1].value["day"])))
        return day

    def chosen(self, milestone: Milestone, anchor: _Anchor, key: str, day: date) -> dict[str, Any]:
        """The dates of an entry whose day people chose themselves."""
        calendar = self.office.calendar
        due = day if milestone.roll is Roll.NONE else calendar.forward(day)
        promise = day if milestone.roll is Roll.NONE else calendar.back(day)
        return {
            "nominal_on": day,
            "due_on": due,
            "promise_on": self.promised(promise, anchor, key),
            "due_at": at(due + timedelta(days=1), time.min, self.office.zone),
            "provisional": not calendar.is_confirmed(day),
        }

    def extended(
        self, due: Due, milestone: Milestone, anchor: _Anchor, key: str
    ) -> Iterator[tuple[Fact, Due]]:
        """Longer by what was granted, counted from the nominal end, and by the days a hearing took."""
        most = milestone.extension
        for fact in self.past.about(key):
            if fact.order <= anchor.order or fact.event not in {Event.EXTEND, Event.SUSPEND}:
                continue
            unit = most.unit if most is not None and fact.event is Event.EXTEND else Unit.CAL
            longer = Limit(int(fact.value["days"]), unit)
            due = deadline(_day(due.nominal), longer, self.office.calendar, roll=milestone.roll)
            yield fact, due

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
            if fact.event.value in milestone.until or fact.event in _END_ALL:
                return replace(entry, status=EntryStatus.CANCELLED, ended_at=fact.at)
        return entry

    def _met(self, entry: Wanted, moment: datetime) -> EntryStatus:
        if entry.kind in {EntryKind.VISIT, EntryKind.MEETING}:
            return EntryStatus.DONE
        late = entry.due_at is not None and moment >= entry.due_at
        return EntryStatus.MET_LATE if late else EntryStatus.MET

    def task(self, fact: Fact) -> Wanted:
        """Something for a person to do, due the next working day."""
        zone = self.office.zone
        anchor = _of(fact)
        limit = Limit(1, Unit.WD)
        due = deadline(local_day(fact.at, zone), limit, self.office.calendar)
        self.reckonings[fact.subject] = Reckoning(anchor=TASK, at=fact.at, first=due)
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
        end = end_of(fact, (f for f in self.past.facts if f.order > anchor.order))
        if end is None:
            return entry
        by, done = end
        return replace(
            entry, status=self._met(entry, by.at) if done else EntryStatus.CANCELLED, ended_at=by.at
        )


_CHOSEN = frozenset({"day", "nominal", "start", "end"})
"""What somebody chose for one time only; the next time the limit decides."""

_PROMISES = frozenset({Event.PROMISED, Event.EXTEND, Event.SUSPEND})

_NO_NEWS = frozenset({Event.TASK, Event.PROMISED})
"""Facts that are nothing new about the matter itself."""

_END_ALL = frozenset({Event.GUIDE, Event.WITHDRAW, Event.MERGE, Event.CONCLUDE, Event.ARCHIVE, Event.ERASE})
"""After these nothing is owed any more but what they call for themselves."""

_MET = frozenset({EntryStatus.MET, EntryStatus.MET_LATE, EntryStatus.DONE})


def _was_past(entry: Wanted, taken_over: datetime) -> bool:
    return entry.is_open and entry.due_at is not None and entry.due_at <= taken_over


def _renews(fact: Fact) -> bool:
    """Whether it only puts the case on a newer version of the protocol it is under."""
    return fact.event is Event.PROTOCOL and bool(fact.value.get("again"))


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
    if fact.event is Event.DONE and fact.subject == entry.key:
        return True
    if entry.kind is EntryKind.VISIT:
        return False
    if fact.event is Event.DONE or (fact.event is Event.VISITED and fact.subject):
        if stem(fact.subject) in milestone.met_by:
            return True
        return fact.event is Event.VISITED and fact.event.value in milestone.met_by
    return fact.event.value in milestone.met_by


def stem(key: str) -> str:
    """The milestone of an entry's key: "rv1" of "rv1.2" and of "rv1+3"."""
    return key.partition(".")[0].partition("+")[0]


def _again(key: str) -> str:
    """Key of what begins again after the entry of this key."""
    root, _, times = key.partition("+")
    return f"{root}+{int(times or 1) + 1}"
