"""What must hold of every case at every step of whatever happens to it (reliability.md, invariants).

`PROPERTY_STEPS=1000000 pytest tests/domain/test_invariants.py` plays longer.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.domain.cases import ENDED, Event, Status
from reminder.domain.entries import Entry, Wanted
from reminder.domain.offices import Office
from reminder.domain.planning import difference, next_step_at, steps
from reminder.domain.protocols import Bound, EntryKind, Milestone, OffsetUnit
from reminder.domain.workdays import at, local_day
from tests.dice import thrown
from tests.domain.histories import BEGINNINGS, Story, a_step
from tests.domain.possible import WAYS

STEPS_WANTED = int(os.environ.get("PROPERTY_STEPS", "20000"))
A_STORY = 30
"""Steps of one story at most; those that end earlier are broken off soon after."""

ENOUGH_ENDED = 4


@dataclass
class Played:
    """How much was looked at, so that a run that saw nothing does not pass."""

    steps: int = 0
    under_way: int = 0
    overdue: int = 0
    rungs: int = 0
    promised: int = 0
    orders: int = 0
    events: Counter[Event] = field(default_factory=Counter)
    states: Counter[Status] = field(default_factory=Counter)
    protocols: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def test_every_step_of_every_history_keeps_what_must_always_hold() -> None:
    """I-1, I-10 and I-19, over at least 20,000 steps in which every event of a case is played."""
    played = Played()

    @settings(
        max_examples=STEPS_WANTED // A_STORY * 2,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(BEGINNINGS, thrown(A_STORY, a_step), st.integers(0, 2**32))
    def play(story: Story, moves: list[tuple[int, int, int]], seed: int) -> None:
        kept: dict[str, Entry] = {}
        ended = 0
        for move in moves:
            story.step(*move)
            _look(story, kept, played)
            ended += story.status in ENDED
            if ended > ENOUGH_ENDED:
                break
        played.events.update(fact.event for fact in story.facts)
        played.protocols[story.protocol.key, story.office.calendar.code, story.zone] += 1
        _any_order(story, random.Random(seed), played)
        _pausing_stops_no_clock(story)

    play()
    _is_enough(played)


def test_a_history_that_breaks_something_is_shown_whatever_its_protocol() -> None:
    """Hypothesis warns of what takes long to show, and a warning would hide what was broken."""

    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(BEGINNINGS.filter(lambda story: story.protocol.key == "major"))
    def breaks(story: Story) -> None:
        raise AssertionError("broken")

    with pytest.raises(AssertionError, match="broken"):
        breaks()


def _is_enough(played: Played) -> None:
    assert played.steps >= STEPS_WANTED
    assert set(WAYS) | {Event.COMPLETE} == set(Event)
    least = 10 if STEPS_WANTED >= 100_000 else 1
    assert {e.value: n for e, n in played.events.items() if n >= least}.keys() == {e.value for e in Event}
    assert set(played.states) | {Status.VOID, Status.RECEIVED} == set(Status)
    assert {code for _, code, _ in played.protocols} == {"CN", "GB-ENG"}
    assert len({key for key, _, _ in played.protocols}) >= 10
    assert len({zone for _, _, zone in played.protocols}) == 5
    assert played.under_way >= STEPS_WANTED * 0.6
    assert played.overdue >= STEPS_WANTED * 0.5
    assert played.rungs >= 1000
    assert played.promised >= 20
    assert played.orders >= 500


def _look(story: Story, kept: dict[str, Entry], played: Played) -> None:
    played.steps += 1
    played.states[story.status] += 1
    told = [f"{f.event.value} {f.subject}" for f in story.facts]
    should, before = story.entries, dict(kept)
    _follows_and_rests(should, kept, story.now)
    for key, entry in should.items():
        if entry.is_open and entry.bound is Bound.OFFICE and entry.kind is not EntryKind.NOTICE:
            _nobody_forgets(entry, story, played, fresh=kept[key] is not before.get(key))
    if story.status not in ENDED:
        played.under_way += 1
        assert any(e.keeps_case_alive for e in should.values()), (story.protocol.key, story.status, told)


# --- I-10: planning twice changes nothing, in any order of the same edits ------------------------


def _follows_and_rests(should: Mapping[str, Wanted], kept: dict[str, Entry], now: datetime) -> None:
    """The entries kept so far, brought in line once, are what should be; a second time changes nothing."""
    _apply(should, kept, now)
    assert not difference(should, kept, now=now)
    for key, entry in should.items():
        assert _as_wanted(kept[key]) == entry


def _apply(should: Mapping[str, Wanted], kept: dict[str, Entry], now: datetime) -> None:
    change = difference(should, kept, now=now)
    for one in change.new:
        fields = {name: getattr(one, name) for name in _FIELDS}
        kept[one.key] = Entry(**fields, id=len(kept) + 1, case_id=1)
    for old in (*change.moved, *change.changed, *change.void):
        assert old.revision >= kept[old.key].revision
        kept[old.key] = old


_FIELDS = tuple(Wanted.__dataclass_fields__)


def _as_wanted(entry: Entry) -> Wanted:
    return Wanted(**{name: getattr(entry, name) for name in _FIELDS})


def _any_order(story: Story, dice: random.Random, played: Played) -> None:
    """The same facts recorded in another order, replanned after some of them, lead to the same entries."""
    shuffled = list(story.facts)
    dice.shuffle(shuffled)
    kept: dict[str, Entry] = {}
    _apply(story.wanted(shuffled[: dice.randrange(len(shuffled))]), kept, story.now)
    _apply(story.wanted(shuffled), kept, story.now)
    for key, entry in story.entries.items():
        assert _as_wanted(kept[key]) == entry
    assert all(not kept[key].is_open for key in kept.keys() - story.entries.keys())
    played.orders += 1


def _pausing_stops_no_clock(story: Story) -> None:
    """Texts wait while a case is paused; its dates are what they would be without (I-1)."""
    pauses = {Event.PAUSE, Event.UNPAUSE}
    running = [fact for fact in story.facts if fact.event not in pauses]
    if len(running) == len(story.facts):
        return
    without = story.wanted(running)
    for key, entry in story.entries.items():
        if entry.milestone != "next_step":  # counted from the last thing that happened
            assert without[key].when == entry.when, key


# --- I-1, I-19: what is open is told of until it ends, and what is late climbs -------------------


def _nobody_forgets(entry: Wanted, story: Story, played: Played, *, fresh: bool) -> None:
    office, milestone = story.office, story.protocol.milestone(entry.milestone)
    base = entry.promise_on or entry.due_on
    assert base is not None
    late = base < local_day(story.now, office.zone)
    if not (fresh or late):
        return
    following = next_step_at(entry, milestone, office, after=story.now)
    assert following is not None, entry
    if not late:
        return
    played.overdue += 1
    assert following <= _next_digest(story.now, office), (entry, following)
    if milestone is not None:
        found = {(s.key.rpartition(":")[0], s.at) for s in steps(entry, milestone, office, until=story.now)}
        for key, moment in _rungs(entry, milestone, office):
            if entry.since <= moment <= story.now:
                assert (key, moment) in found, (key, moment, found)
                played.rungs += 1
    played.promised += any(f.event is Event.PROMISED for f in story.past.about(entry.key))


def _next_digest(now: datetime, office: Office) -> datetime:
    """The next moment a person reads what is late, found day by day."""
    day = local_day(now, office.zone)
    while at(day, office.digest_at, office.zone) <= now or not office.calendar.is_working(day):
        day += timedelta(days=1)
    return at(day, office.digest_at, office.zone)


def _rungs(entry: Wanted, milestone: Milestone, office: Office) -> Iterator[tuple[str, datetime]]:
    """The rungs of the ladder, each so many working days after the promise and after the limit itself."""
    promise, due = entry.promise_on or entry.due_on, entry.due_on
    assert promise is not None
    assert due is not None
    bases = {"": promise} if due == promise else {"": promise, "/statutory": due}
    if entry.reasoned_on is not None:
        bases = {f"/reason-{entry.reasoned_on}": entry.reasoned_on}
    for step in milestone.steps:
        offset = step.offset
        if step.resident or offset is None or offset.unit is not OffsetUnit.WD or offset.amount <= 0:
            continue
        for suffix, base in bases.items():
            day = _working_days_on(base, offset.amount, office)
            yield step.key + suffix, at(day, offset.at or office.digest_at, office.zone)


def _working_days_on(day: date, count: int, office: Office) -> date:
    while count:
        day += timedelta(days=1)
        count -= office.calendar.is_working(day)
    return day
