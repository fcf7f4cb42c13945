"""When an entry reminds whom, and how the entries that should exist differ from those that do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Any

from reminder.domain.entries import Entry, EntryStatus, Wanted
from reminder.domain.offices import Office
from reminder.domain.people import Role
from reminder.domain.protocols import Bound, EntryKind, Milestone, Offset, OffsetUnit, Step
from reminder.domain.reminders import Reason
from reminder.domain.workdays import at, local_day

WEEK = timedelta(days=7)
DAILY = "daily"
MOVED = "moved"
OFF = "off"
OFFERS = frozenset({"visit_offer", "return_visit", "invited_meeting"})
"""Kinds of message that ask whether a visit suits."""


_TAKES_PLACE = frozenset({EntryKind.VISIT, EntryKind.MEETING})


@dataclass(frozen=True, slots=True, kw_only=True)
class DueStep:
    """One step of an entry at one instant. `kind` None: told in the person's daily digest."""

    key: str
    at: datetime
    roles: tuple[Role, ...] = ()
    resident: bool = False
    kind: str | None = None
    only: str = ""
    """A single recipient ("resident:7"), for corrections."""
    but: frozenset[str] = frozenset()
    """Recipients it is not for."""
    blocked: Reason | None = None
    party: str = ""
    """The side of the matter it is for; empty: everybody."""

    def is_for(self, recipient: str) -> bool:
        return self.only in {"", recipient} and recipient not in self.but


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody was told about when and where; `certain` once we know that it arrived."""

    recipient: str
    slot: str
    kind: str
    certain: bool


def slot_of(entry: Wanted) -> str:
    """The date and place a message about the entry states; equal slots need no correction."""
    when = entry.starts_at.isoformat() if entry.starts_at else str(entry.promise_on or entry.due_on)
    return f"{when}|{entry.place}"


def steps(
    entry: Wanted, milestone: Milestone | None, office: Office, told: Iterable[Told] = (), *, until: datetime
) -> list[DueStep]:
    """Every step from `entry.since` to `until` inclusive, in time order."""
    every = chain(_all(entry, milestone, office, tuple(told), until), _daily(entry, milestone, office, until))
    found = [s for s in every if entry.since <= s.at <= until]
    if milestone is not None and milestone.party:
        found = [replace(s, party=milestone.party) if s.resident and not s.only else s for s in found]
    return sorted(found, key=lambda s: (s.at, s.key))


def next_step_at(
    entry: Wanted, milestone: Milestone | None, office: Office, told: Iterable[Told] = (), *, after: datetime
) -> datetime | None:
    """The earliest step later than `after`; None when nothing is to come."""
    horizon = after + timedelta(days=15)  # the daily and weekly steps within it are enough to find the next
    found = _earliest(_all(entry, milestone, office, tuple(told), horizon), entry, after)
    # What is told every day matters only until then.
    daily = _earliest(_daily(entry, milestone, office, min(found or horizon, horizon)), entry, after)
    return min((one for one in (found, daily) if one is not None), default=None)


def _earliest(some: Iterable[DueStep], entry: Wanted, after: datetime) -> datetime | None:
    return min((s.at for s in some if s.at > after and s.at >= entry.since), default=None)


def _all(
    entry: Wanted, milestone: Milestone | None, office: Office, told: tuple[Told, ...], until: datetime
) -> Iterator[DueStep]:
    """All but those of every day."""
    yield from _corrections(entry, told)
    planned = milestone.steps if milestone is not None else ()
    if entry.kind is EntryKind.NOTICE:
        if entry.status is not EntryStatus.CANCELLED:
            for step in planned:
                yield _placed(step, entry.since)
        return
    if not entry.is_open:
        return
    told_already = frozenset(t.recipient for t in told)
    for step in planned:
        yield from _planned(step, entry, office, until, told_already)


def _planned(
    step: Step, entry: Wanted, office: Office, until: datetime, told_already: frozenset[str]
) -> Iterator[DueStep]:
    if step.key == "weekly":
        yield from _weekly(step, entry, office, until)
    elif step.offset is None:
        # Whoever heard an earlier date gets a correction instead; whoever did not, the offer itself.
        but = told_already if step.resident else frozenset[str]()
        yield replace(_gated(_placed(step, entry.since), entry), but=but)
    else:
        for suffix, base in _bases(step, entry):
            moment = _instant(step, entry, office, base)
            yield _gated(_placed(step, moment, suffix), entry)


def _placed(step: Step, moment: datetime, suffix: str = "") -> DueStep:
    return DueStep(
        key=step.key + suffix + ("" if step.resident else ":" + ",".join(step.roles)),
        at=moment,
        roles=step.roles,
        resident=step.resident,
        kind=step.kind,
    )


def _gated(due: DueStep, entry: Wanted) -> DueStep:
    """A visit is announced only once it is agreed, and offered only until then."""
    if not due.resident or entry.kind not in _TAKES_PLACE:
        return due
    offer = due.kind in OFFERS
    if offer and entry.status is EntryStatus.PROPOSED:
        return due
    if not offer and entry.status is EntryStatus.CONFIRMED:
        return due
    reason = Reason.SUPERSEDED if offer else Reason.NOT_CONFIRMED
    return DueStep(key=due.key, at=due.at, resident=True, kind=due.kind, blocked=reason)


def _bases(step: Step, entry: Wanted) -> Iterator[tuple[str, date]]:
    """Reminders run on the promised day, escalation on the promised and on the statutory one.

    Once somebody has said why it is late, the ladder is climbed anew from the day they did.
    """
    promise, statutory = entry.promise_on or entry.due_on, entry.due_on
    if promise is None or statutory is None:
        return
    assert step.offset is not None
    escalates = step.offset.amount > 0 and step.offset.unit is OffsetUnit.WD and entry.bound is Bound.OFFICE
    if escalates and entry.reasoned_on is not None:
        yield f"/reason-{entry.reasoned_on.isoformat()}", entry.reasoned_on
        return
    yield "", promise
    if escalates and statutory != promise:
        yield "/statutory", statutory


def _instant(step: Step, entry: Wanted, office: Office, base: date) -> datetime:
    offset = step.offset
    assert offset is not None
    if offset.unit in {OffsetUnit.HOUR, OffsetUnit.MINUTE}:
        hours = offset.unit is OffsetUnit.HOUR
        delta = timedelta(hours=offset.amount) if hours else timedelta(minutes=offset.amount)
        start = entry.starts_at or entry.due_at
        assert start is not None
        return start + delta
    if offset.amount == 0 and offset.at is None and not _by_day(entry) and entry.due_at is not None:
        return entry.due_at
    default = office.offers_at if step.resident else office.digest_at
    return at(_offset_day(offset, office, base, resident=step.resident), offset.at or default, office.zone)


def _by_day(entry: Wanted) -> bool:
    return entry.promise_on is not None


def _offset_day(offset: Offset, office: Office, base: date, *, resident: bool) -> date:
    calendar = office.calendar
    if offset.unit is OffsetUnit.WD and offset.amount:
        return calendar.add_working(base, offset.amount)
    day = base + timedelta(days=offset.amount)
    if resident or offset.exact:
        return day  # the evening before a visit is the evening before, rest day or not
    return calendar.back(day) if offset.amount <= 0 else calendar.forward(day)


def _weekly(step: Step, entry: Wanted, office: Office, until: datetime) -> Iterator[DueStep]:
    """Every seven days from the last rung on."""
    if entry.due_on is None or step.after is None:
        return
    base = max(entry.due_on, entry.reasoned_on or entry.due_on)
    first = _offset_day(step.after, office, base, resident=False) + WEEK
    last = local_day(until, office.zone)
    weeks = (last - first).days // 7
    for number in range(max(0, weeks - 1), weeks + 1):
        day = office.calendar.forward(first + number * WEEK)
        moment = at(day, office.digest_at, office.zone)
        yield _placed(step, moment, f"-{day.isoformat()}")


def _daily(entry: Wanted, milestone: Milestone | None, office: Office, until: datetime) -> Iterator[DueStep]:
    """While something is late, or a task is undone, it is in its person's digest every working day."""
    base = entry.promise_on or entry.due_on
    if base is None or not entry.is_open or entry.kind is EntryKind.NOTICE:
        return
    if entry.bound is not Bound.OFFICE and entry.kind is not EntryKind.TASK:
        return
    first = local_day(entry.since, office.zone) if entry.kind is EntryKind.TASK else base
    last = local_day(until, office.zone)
    role = milestone.due_role if milestone is not None else Role.HANDLER
    for back in range(16):
        day = last - timedelta(days=back)
        if day <= first and not (entry.kind is EntryKind.TASK and day == first):
            return
        if office.calendar.is_working(day):
            moment = at(day, office.digest_at, office.zone)
            yield DueStep(key=f"{DAILY}-{day.isoformat()}", at=moment, roles=(role,))


def _corrections(entry: Wanted, told: tuple[Told, ...]) -> Iterator[DueStep]:
    """The last date a person heard is true, or a correction is waiting."""
    if entry.kind not in _TAKES_PLACE:
        return
    for recipient in sorted({t.recipient for t in told}):
        if entry.status is EntryStatus.CANCELLED:
            ended_before = entry.ended_at and entry.starts_at and entry.ended_at < entry.starts_at
            if ended_before and entry.ended_at:
                resident = recipient.startswith("resident:")
                kind = "visit_cancelled" if resident else "staff_visit_cancelled"
                yield DueStep(key=OFF, at=entry.ended_at, resident=resident, kind=kind, only=recipient)
        elif entry.is_open and stale(recipient, slot_of(entry), told):
            yield _correction(entry, recipient)


def _correction(entry: Wanted, recipient: str) -> DueStep:
    resident = recipient.startswith("resident:")
    kind = "visit_moved" if entry.asked_by == "office" else "visit_offer"
    if not resident:
        kind = "staff_visit_moved"
    return DueStep(key=MOVED, at=entry.since, resident=resident, kind=kind, only=recipient)


def stale(recipient: str, slot: str, told: Iterable[Told]) -> bool:
    """Whether the recipient may believe a slot other than this one.

    What they surely heard last counts, and everything after it that may or may not have arrived.
    """
    believed: list[str] = []
    for item in told:
        if item.recipient == recipient:
            believed = [item.slot] if item.certain else [*believed, item.slot]
    return any(heard != slot for heard in believed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What replanning changes. `moved` entries carry the raised revision."""

    new: tuple[Wanted, ...]
    moved: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    void: tuple[Entry, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.changed or self.void)


def difference(should: Mapping[str, Wanted], are: Mapping[str, Entry], *, now: datetime) -> Difference:
    """Subtract the entries that exist from those that should."""
    moved, changed = [], []
    for key, old in are.items():
        target = should.get(key)
        if target is None:
            continue
        # What had ended and is open again starts afresh, because its reminders have ended.
        again = target.is_open and not old.is_open
        revision = old.revision + (1 if target.when != old.when or again else 0)
        if revision != old.revision:
            moved.append(_as_entry(target, old, revision))
        elif _all_wanted(target) != _all_wanted(old):
            changed.append(_as_entry(target, old, revision))
    void = tuple(_voided(old, now) for key, old in are.items() if key not in should and not _is_void(old))
    new = tuple(target for key, target in should.items() if key not in are)
    return Difference(new=new, moved=tuple(moved), changed=tuple(changed), void=void)


VOID = "void"
"""`note` of an entry whose fact was undone."""


def _is_void(entry: Entry) -> bool:
    return entry.status is EntryStatus.CANCELLED and entry.note == VOID


def _voided(entry: Entry, now: datetime) -> Entry:
    return replace(entry, status=EntryStatus.CANCELLED, note=VOID, ended_at=now)


def _as_entry(target: Wanted, old: Entry, revision: int) -> Entry:
    fields: dict[str, Any] = {name: getattr(target, name) for name in _WANTED_FIELDS}
    return replace(old, **fields, revision=revision)


_WANTED_FIELDS = tuple(Wanted.__dataclass_fields__)
_all_wanted = attrgetter(*_WANTED_FIELDS)
