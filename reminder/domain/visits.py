"""What becomes of a meeting with people: its first slot, then what each thing that happened made of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from reminder.domain.cases import Event, Fact
from reminder.domain.entries import EntryStatus, Wanted
from reminder.domain.offices import Office
from reminder.domain.protocols import EntryKind, Milestone
from reminder.domain.workdays import at, local_day

SECOND_TRY = timedelta(days=7)
MAX_VISITS = 2
"""Nobody home twice: from then on by phone (dignity: no more than two unanswered visits)."""

ENDS = {Event.VISITED: EntryStatus.DONE, Event.DECLINE: EntryStatus.DECLINED}


def planned(entry: Wanted, milestone: Milestone, detail: Mapping[str, Any], office: Office) -> Wanted:
    """Where it first stands: where a person put it, else the office's slot on the day its limit ends.

    A visit is proposed until the resident agrees; a meeting that no resident is asked about simply stands.
    """
    if "day" in detail:
        entry = placed(entry, detail, entry.since, office)
    else:
        assert entry.due_on is not None
        entry = _slotted(entry, office.calendar.forward(entry.due_on), office, milestone.slot)
        entry = replace(entry, place=str(detail.get("place", "")))
    asked = milestone.kind is EntryKind.VISIT or any(step.resident for step in milestone.steps)
    return replace(entry, status=EntryStatus.PROPOSED if asked else EntryStatus.CONFIRMED)


def placed(entry: Wanted, value: Mapping[str, Any], since: datetime, office: Office) -> Wanted:
    """Put it where a person said: {"day", "start", "end", "place", "mode", "asked_by"}."""
    start, end = office.slot
    slot = (
        time.fromisoformat(value["start"]) if value.get("start") else start,
        time.fromisoformat(value["end"]) if value.get("end") else end,
    )
    entry = _slotted(entry, date.fromisoformat(value["day"]), office, slot)
    return replace(
        entry,
        since=since,
        place=value.get("place", entry.place),
        mode=value.get("mode") or entry.mode or "home",
        asked_by=value.get("asked_by", "office"),
    )


def _slotted(entry: Wanted, day: date, office: Office, slot: tuple[time, time] | None = None) -> Wanted:
    start, end = slot or office.slot
    return replace(
        entry,
        due_on=day,
        promise_on=day,
        starts_at=at(day, start, office.zone),
        ends_at=at(day, end, office.zone),
        due_at=at(day, end, office.zone),
        provisional=not office.calendar.is_confirmed(day),
    )


def after(entry: Wanted, fact: Fact, office: Office) -> Wanted:
    """The entry after one more thing happened to it (the visit state machine)."""
    if not entry.is_open:
        return entry
    if fact.event in ENDS:
        note = str(fact.value.get("outcome", ""))
        return replace(entry, status=ENDS[fact.event], ended_at=fact.at, note=note)
    match fact.event:
        case Event.MOVE:
            moved = placed(entry, fact.value, fact.recorded_at, office)
            stands = fact.value.get("confirmed", False)
            status = EntryStatus.CONFIRMED if stands else EntryStatus.PROPOSED
            return replace(moved, status=status, note="")
        case Event.CONFIRM:
            return replace(entry, status=EntryStatus.CONFIRMED, note="")
        case Event.ASK_OTHER_DAY:
            return replace(entry, status=EntryStatus.PROPOSED, note="other_day")
        case Event.MISSED:
            return replace(entry, status=EntryStatus.MISSED)
        case Event.NOT_MET | Event.PROMISED:
            return (_kept if fact.event is Event.PROMISED else _tried)(entry, fact, office)
    return entry


def _kept(entry: Wanted, fact: Fact, office: Office) -> Wanted:
    """A day somebody was told of stays, whatever holidays are published later."""
    assert entry.starts_at is not None
    assert entry.ends_at is not None
    hours = (entry.starts_at.astimezone(office.zone).time(), entry.ends_at.astimezone(office.zone).time())
    return _slotted(entry, date.fromisoformat(str(fact.value["day"])), office, hours)


def _tried(entry: Wanted, fact: Fact, office: Office) -> Wanted:
    """Nobody home: seven days on, at most twice, then by phone. Never counted against the resident."""
    tries = entry.tries + 1
    today = local_day(fact.at, office.zone)
    if tries >= MAX_VISITS:
        entry = replace(_slotted(entry, office.calendar.add_working(today, 1), office), mode="call")
    else:
        entry = _slotted(entry, office.calendar.forward(today + SECOND_TRY), office)
    return replace(entry, status=EntryStatus.PROPOSED, tries=tries, since=fact.recorded_at, note="")
