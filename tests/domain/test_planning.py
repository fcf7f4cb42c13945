"""When an entry reminds whom follows from the entry alone, and whoever heard an old date is corrected."""

import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.cases import Event
from reminder.domain.entries import Entry, EntryStatus, Wanted
from reminder.domain.planning import DueStep, Told, difference, next_step_at, slot_of, stale, steps
from reminder.domain.protocols import Bound, EntryKind, Milestone
from reminder.domain.workdays import at, local_day
from tests.domain.histories import OFFICE, START, ZONE, Story, shipped, stories

SLOW = settings(max_examples=40, deadline=None)
FAR = timedelta(days=200)


def milestone(key: str, protocol: str = "ordinary") -> Milestone:
    found = shipped()[protocol].milestone(key)
    assert found is not None
    return found


def due(day: date, key: str = "handle") -> Wanted:
    """A deadline of an ordinary case on a given day."""
    return Wanted(
        key=key,
        milestone=key,
        kind=EntryKind.DEADLINE,
        status=EntryStatus.OPEN,
        bound=Bound.OFFICE,
        since=at(day - timedelta(days=60), time(9), ZONE),
        anchor_at=at(day - timedelta(days=60), time(9), ZONE),
        nominal_on=day,
        due_on=day,
        promise_on=day,
        due_at=at(day + timedelta(days=1), time.min, ZONE),
    )


def days(found: list[DueStep], *keys: str) -> set[str]:
    return {local_day(s.at, ZONE).isoformat() for s in found if s.key.partition(":")[0] in keys}


def kept(target: Wanted, number: int = 1, revision: int = 1) -> Entry:
    fields = {name: getattr(target, name) for name in Wanted.__dataclass_fields__}
    return Entry(**fields, id=number, case_id=1, revision=revision)


def visit(story: Story, day: str = "2026-03-10") -> Wanted:
    return story.then(Event.PROPOSE, "visit", day=day).entries["visit"]


def told(slot: str, recipient: str = "resident:1", *, certain: bool = True) -> Told:
    return Told(recipient=recipient, slot=slot, kind="visit_offer", certain=certain)


def test_staff_reminders_before_the_october_holiday_all_fall_on_its_eve() -> None:
    entry = due(date(2026, 10, 8))
    found = steps(entry, milestone("handle"), OFFICE, until=entry.since + FAR)
    assert days(found, "T-7", "T-3", "T-1") == {"2026-09-30"}
    assert days(found, "T0") == {"2026-10-08"}


def test_escalation_counts_working_days_with_the_one_made_up_on_a_saturday() -> None:
    entry = due(date(2026, 10, 8))
    found = steps(entry, milestone("handle"), OFFICE, until=entry.since + FAR)
    assert days(found, "T+1wd") == {"2026-10-09"}
    assert days(found, "T+3wd") == {"2026-10-12"}
    assert days(found, "T+5wd") == {"2026-10-14"}


def test_after_the_last_rung_leadership_hears_once_a_week() -> None:
    entry = due(date(2026, 3, 2))
    heard: list[datetime] = []
    moment = entry.since
    while moment < at(date(2026, 4, 10), time.min, ZONE):
        following = next_step_at(entry, milestone("handle"), OFFICE, after=moment)
        assert following is not None
        found = steps(entry, milestone("handle"), OFFICE, until=following)
        heard += [s.at for s in found if s.key.startswith("weekly") and s.at > moment]
        moment = following
    # T+5wd is 9 March; then Mondays, but 6 April is a holiday and gives way to the 7th
    expected = ["2026-03-16", "2026-03-23", "2026-03-30", "2026-04-07"]
    assert [local_day(m, ZONE).isoformat() for m in heard] == expected


def test_an_entry_late_is_in_the_digest_of_every_working_day_also_today() -> None:
    entry = due(date(2026, 3, 2))
    monday = date(2026, 3, 16)
    before = at(monday, time(7), ZONE)
    following = next_step_at(entry, milestone("handle"), OFFICE, after=before)
    assert following == at(monday, time(8, 10), ZONE)
    found = steps(entry, milestone("handle"), OFFICE, until=at(monday, time(9), ZONE))
    daily = {local_day(s.at, ZONE) for s in found if s.key.startswith("daily")}
    assert daily == {d for d in (date(2026, 3, 3) + timedelta(days=n) for n in range(14)) if d.weekday() < 5}


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (EntryStatus.PROPOSED, {"visit_offer"}),
        (EntryStatus.CONFIRMED, {"visit_tomorrow"}),
    ],
)
def test_a_visit_is_offered_until_it_is_agreed_and_announced_only_after(
    status: EntryStatus, kinds: set[str]
) -> None:
    entry = replace(visit(Story("ordinary").register()), status=status)
    found = steps(entry, milestone("visit"), OFFICE, until=entry.since + FAR)
    assert {s.kind for s in found if s.resident and s.blocked is None} == kinds


def test_the_evening_before_a_visit_is_the_evening_before_also_on_a_rest_day() -> None:
    entry = replace(visit(Story("ordinary").register(), "2026-03-09"), status=EntryStatus.CONFIRMED)
    found = steps(entry, milestone("visit"), OFFICE, until=entry.since + FAR)
    assert [s.at for s in found if s.kind == "visit_tomorrow"] == [at(date(2026, 3, 8), time(16), ZONE)]


def test_the_half_rule_leaves_no_reminder_in_the_first_half_of_a_limit() -> None:
    entry = Story("ordinary").register().entries["first_contact"]  # three working days
    found = steps(entry, milestone("first_contact"), OFFICE, until=entry.since + FAR)
    assert days(found, "T-1", "T0") == {"2026-03-04", "2026-03-05"}


@SLOW
@given(stories())
def test_walking_from_step_to_step_meets_every_step_there_is(story: Story) -> None:
    """`next_step_at` is the only index into `steps`; what it leaps over would never be sent."""
    office = story.office
    for entry in list(story.entries.values())[:6]:
        plan = story.protocol.milestone(entry.milestone)
        end = entry.since + timedelta(days=120)
        met: set[tuple[str, datetime]] = set()
        moment = entry.since - timedelta(microseconds=1)
        while (following := next_step_at(entry, plan, office, after=moment)) is not None and following <= end:
            assert following > moment
            met |= {(s.key, s.at) for s in steps(entry, plan, office, until=following) if s.at > moment}
            moment = following
        last = steps(entry, plan, office, until=end)
        assert {(s.key, s.at) for s in last} <= met


@SLOW
@given(stories(), st.randoms(use_true_random=False))
def test_subtracting_what_is_from_what_should_be_leaves_nothing_the_second_time(
    story: Story, dice: random.Random
) -> None:
    should = story.entries
    are = {key: kept(target, n) for n, (key, target) in enumerate(should.items())}
    assert not difference(should, are, now=story.now)
    if are:
        gone = dice.choice(list(are))
        assert [
            e.key for e in difference(should, {k: e for k, e in are.items() if k != gone}, now=START).new
        ] == [gone]


def test_only_another_date_time_or_place_raises_the_revision() -> None:
    story = Story("ordinary").register()
    old = kept(visit(story))
    confirmed = story.then(Event.CONFIRM, "visit").entries["visit"]
    change = difference({"visit": confirmed}, {"visit": old}, now=START)
    assert (change.moved, [e.revision for e in change.changed]) == ((), [1])
    moved = story.then(Event.MOVE, "visit", day="2026-03-12").entries["visit"]
    change = difference({"visit": moved}, {"visit": old}, now=START)
    assert [e.revision for e in change.moved] == [2]


def test_what_was_undone_and_is_wanted_again_starts_a_new_revision() -> None:
    target = visit(Story("ordinary").register())
    gone = difference({}, {"visit": kept(target)}, now=START).void[0]
    assert gone.status is EntryStatus.CANCELLED
    assert not difference({}, {"visit": gone}, now=START)
    assert [e.revision for e in difference({"visit": target}, {"visit": gone}, now=START).moved] == [2]


A, B, C = "2026-03-10|", "2026-03-12|", "2026-03-13|"


@pytest.mark.parametrize(
    ("heard", "slot", "owed"),
    [
        ([], A, False),
        ([(A, True)], A, False),
        ([(A, True)], B, True),
        ([(A, True), (B, True)], B, False),
        ([(A, True), (B, True)], A, True),
        ([(A, True), (B, False)], A, True),  # the second may have arrived
        ([(A, True), (B, False)], B, True),  # or may not
        ([(A, False)], A, False),
        ([(A, True), (B, False), (C, True)], C, False),
    ],
)
def test_a_correction_is_owed_while_somebody_may_believe_another_date(
    heard: list[tuple[str, bool]], slot: str, owed: bool
) -> None:
    assert stale("resident:1", slot, [told(s, certain=c) for s, c in heard]) is owed


def test_whoever_heard_the_old_date_is_corrected_and_whoever_did_not_gets_the_offer() -> None:
    story = Story("ordinary").register()
    old = slot_of(visit(story))
    moved = story.then(Event.MOVE, "visit", days=1, day="2026-03-12").entries["visit"]
    heard = [told(old, "resident:1"), told(old, "person:3")]
    found = steps(moved, milestone("visit"), OFFICE, heard, until=moved.since)
    corrections = {(s.only, s.kind) for s in found if s.key == "moved"}
    assert corrections == {("resident:1", "visit_moved"), ("person:3", "staff_visit_moved")}
    offer = next(s for s in found if s.kind == "visit_offer")
    assert "resident:1" in offer.but
    assert "resident:2" not in offer.but


def test_a_visit_called_off_in_time_is_called_off_to_everybody_who_knew_of_it() -> None:
    story = Story("ordinary").register()
    slot = slot_of(visit(story))
    gone = story.then(Event.WITHDRAW, days=1).entries["visit"]
    found = steps(gone, milestone("visit"), OFFICE, [told(slot), told(slot, "person:3")], until=story.now)
    off = {("resident:1", "visit_cancelled"), ("person:3", "staff_visit_cancelled")}
    assert {(s.only, s.kind) for s in found} == off
    late = replace(gone, ended_at=gone.ends_at)
    assert steps(late, milestone("visit"), OFFICE, [told(slot)], until=story.now + FAR) == []


def test_steps_come_in_time_order_and_none_before_the_office_knew() -> None:
    entry = replace(due(date(2026, 10, 8)), since=at(date(2026, 10, 9), time(12), ZONE))
    found = steps(entry, milestone("handle"), OFFICE, until=entry.since + FAR)
    assert found
    assert all(one.at <= other.at for one, other in pairwise(found))
    assert all(s.at >= entry.since for s in found)
