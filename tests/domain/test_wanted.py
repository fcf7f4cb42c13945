"""The entries of a case follow from its facts alone, and no open case is ever without a next date."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.cases import ENDED, Event, Fact, Status, history
from reminder.domain.entries import EntryStatus
from reminder.domain.protocols import EntryKind
from reminder.domain.wanted import IDLE, wanted
from tests.domain.histories import START, Story, office_for, shipped, stories
from tests.domain.possible import Deed, Said

SLOW = settings(max_examples=120, deadline=None)


def closed(protocol: str) -> Story:
    """Accepted on the 2nd, answered on the 5th, closed on the 6th of March 2026."""
    story = Story(protocol).register().then(Event.ACCEPT).then(Event.CONTACT)
    story.then(Event.ANSWER, days=3, outcome="upheld", reason="r").then(Event.SERVED, how="by hand")
    return story.then(Event.CLOSE, days=1)


@SLOW
@given(stories())
def test_every_open_case_has_an_open_date_that_binds_the_office(story: Story) -> None:
    if story.status in ENDED:
        return
    alive = [e.key for e in story.entries.values() if e.keeps_case_alive]
    assert alive, (story.protocol.key, story.status, [(f.event.value, f.subject) for f in story.facts])


@SLOW
@given(stories(), st.randoms(use_true_random=False))
def test_the_same_facts_in_any_order_give_the_same_entries(story: Story, dice: random.Random) -> None:
    shuffled = list(story.facts)
    dice.shuffle(shuffled)
    assert story.wanted(shuffled) == story.entries


@settings(max_examples=25, deadline=None)
@given(stories())
def test_what_has_ended_stays_as_it_ended_when_more_happens(story: Story) -> None:
    ended = {k: e for k, e in story.entries.items() if e.ended_at is not None}
    for deed in story.later(days=1).moves():
        if deed.days or {said.event for said in deed.said} & _OTHER_COUNT:
            continue
        if any(said.at is not None and said.at < story.now for said in deed.said):
            continue  # what is entered for an earlier moment counts from then
        then = story.later(days=1)
        then.do(deed)
        for key, entry in ended.items():
            if entry.milestone not in {m.key for m in story.protocol.milestones if m.anchor == IDLE}:
                assert then.entries[key] == entry, deed


_OTHER_COUNT = {Event.RECEIVE, Event.PROTOCOL}
"""An earlier receipt and another protocol, like other days of the calendar, count anew what has ended too."""


@SLOW
@given(stories())
def test_no_step_of_a_plan_is_owed_before_the_office_knew_of_it(story: Story) -> None:
    for entry in story.entries.values():
        known = [f.recorded_at for f in story.facts if f.recorded_at <= entry.since]
        assert known
        assert entry.since in known


@pytest.mark.parametrize("protocol", sorted(shipped()))
def test_the_straight_way_ends_completed_without_anything_left_open(protocol: str) -> None:
    story = closed(protocol)
    for _ in range(6):
        if story.status in ENDED:
            break
        visit = next(e for e in story.entries.values() if e.keeps_case_alive)
        story.then(
            *((Event.VISITED, visit.key) if visit.kind is EntryKind.VISIT else (Event.DONE, visit.key)),
            days=30,
            outcome="holds",
        )
    assert story.status is Status.COMPLETED
    # What was learnt is written down after the case, and owed to nobody outside the office.
    assert [k for k, e in story.entries.items() if e.keeps_case_alive and e.milestone != "lessons"] == []


def test_the_dates_of_an_ordinary_case_accepted_on_the_second_of_march() -> None:
    story = Story("ordinary").register().then(Event.ACCEPT)
    handle = story.entries["handle"]
    assert (handle.nominal_on, handle.due_on, handle.promise_on) == (
        date(2026, 5, 1),
        date(2026, 5, 6),
        date(2026, 4, 30),
    )
    assert handle.due_at == datetime(2026, 5, 6, 16, 0, tzinfo=UTC)  # the day's end in Shanghai


def test_the_return_visits_come_a_week_a_month_and_three_months_after_closing() -> None:
    entries = closed("ordinary").entries  # closed on Friday 6 March
    due = {key: entries[key].due_on for key in ("rv1", "rv2", "rv3")}
    assert due == {"rv1": date(2026, 3, 13), "rv2": date(2026, 4, 7), "rv3": date(2026, 6, 4)}
    # 5 April is a Sunday within the festival; the first working day is the 7th


def test_a_closed_case_is_complete_only_when_the_last_visit_is_over() -> None:
    story = closed("ordinary")
    for key in ("rv1", "rv2"):
        story.then(Event.VISITED, key, days=7, outcome="holds")
        assert story.status is Status.CLOSED
    assert story.then(Event.VISITED, "rv3", days=60, outcome="holds").status is Status.COMPLETED


def test_a_case_whose_visits_were_all_declined_is_complete() -> None:
    story = closed("ordinary")
    for key in ("rv1", "rv2", "rv3"):
        story.then(Event.DECLINE, key, days=1)
    assert story.status is Status.COMPLETED


def test_a_last_visit_that_found_it_half_solved_leaves_a_decision_to_take() -> None:
    story = closed("ordinary")
    for key in ("rv1", "rv2"):
        story.then(Event.VISITED, key, days=7, outcome="holds")
    story.then(Event.VISITED, "rv3", days=60, outcome="partly")
    assert story.status is Status.CLOSED
    assert [e.key for e in story.entries.values() if e.keeps_case_alive] == ["next_step"]
    assert story.then(Event.DONE, "next_step", days=1).status is Status.COMPLETED


def test_a_low_score_keeps_a_closed_case_open_until_somebody_has_listened() -> None:
    story = closed("ordinary").then(Event.VISITED, "rv1", days=7, outcome="holds")
    story.then(Event.SCORE, score=1)
    for key in ("rv2", "rv3"):
        story.then(Event.VISITED, key, days=30, outcome="holds")
    assert story.status is Status.CLOSED
    assert story.then(Event.DONE, "lowscore", days=1).status is Status.COMPLETED


def test_nobody_home_twice_leads_to_a_call_and_to_no_third_visit() -> None:
    story = closed("ordinary").then(Event.VISITED, "rv1", days=7, outcome="holds")
    once = story.then(Event.NOT_MET, "rv2", days=25).entries["rv2"]
    assert (once.mode, once.tries, once.status) == ("home", 1, EntryStatus.PROPOSED)
    assert once.due_on == date(2026, 4, 14)  # a week after Tuesday 7 April
    twice = story.then(Event.NOT_MET, "rv2", days=7).entries["rv2"]
    assert (twice.mode, twice.tries, twice.due_on) == ("call", 2, date(2026, 4, 15))


def test_a_visit_moved_on_the_residents_wish_waits_for_them_no_more() -> None:
    story = Story("ordinary").register().then(Event.PROPOSE, "visit", day="2026-03-10")
    asked = story.then(Event.ASK_OTHER_DAY, "visit").entries["visit"]
    assert asked.note == "other_day"
    moved = story.then(Event.MOVE, "visit", day="2026-03-12", asked_by="resident").entries["visit"]
    assert (moved.note, moved.asked_by, moved.due_on) == ("", "resident", date(2026, 3, 12))


def test_a_milestone_begun_by_something_entered_late_is_owed_from_the_day_it_was_entered() -> None:
    """A ledger of last week is imported today: nobody is reminded of the days before."""
    received, entered = START - timedelta(days=7), START
    value = {"quiet": True, "track": "appeal"}
    facts = [
        Fact(event=event, at=received, recorded_at=entered, value=value)
        for event in (Event.RECEIVE, Event.REGISTER, Event.ASSIGN)
    ]
    protocol = shipped()["ukh"]
    entries = wanted(history(facts), protocol, office_for(protocol))
    assert entries["stage1"].since == entered


def test_reopening_starts_the_office_clock_anew_and_ends_the_old_visits() -> None:
    story = closed("ordinary").then(Event.REOPEN, days=10)
    entries = story.entries
    assert entries["handle.2"].is_open
    assert {entries[k].status for k in ("rv1", "rv2", "rv3")} == {EntryStatus.CANCELLED}
    assert entries["plan_again"].is_open


def test_two_services_of_one_noon_entered_apart_are_read_in_any_order() -> None:
    story = Story("ordinary").register().then(Event.ACCEPT).then(Event.ANSWER, outcome="upheld")
    noon = Said(event=Event.SERVED, value={"how": "by hand"}, at=story.now)
    story.now += timedelta(days=1)
    story.do(Deed(said=(noon,)))
    story.now += timedelta(hours=3)
    story.do(Deed(said=(noon,)))
    assert story.wanted(story.facts[::-1]) == story.entries


def test_housing_stage_two_follows_the_request_and_ends_with_the_answer() -> None:
    story = Story("ukh").register().then(Event.ACCEPT).then(Event.FACT, name="escalation_request")
    story.then(Event.DONE, "ack2", days=2)
    assert story.entries["stage2"].is_open
    assert story.then(Event.ANSWER, days=9, outcome="upheld", reason="r").entries["stage2"].status in {
        EntryStatus.MET,
        EntryStatus.MET_LATE,
    }


@pytest.mark.parametrize(
    ("event", "value", "heard"),
    [
        (Event.NOTE, {"text": "went to see"}, False),
        (Event.NOTE, {"text": "waits for the permit", "why": "permit"}, False),
        (Event.TOLD, {"progress": "surveyed", "next": "draft"}, True),
        (Event.CONTACT, {"text": "rang them"}, True),
        (Event.ANSWER, {"outcome": "upheld", "reason": "r"}, True),
    ],
)
def test_only_what_the_person_heard_counts_as_hearing_how_it_stands(
    event: Event, value: dict[str, str], heard: bool
) -> None:
    story = Story("ordinary").register().then(Event.ACCEPT)
    assert story.entries["progress"].is_open
    story.then(event, days=4, **value)
    assert (story.entries["progress"].status is EntryStatus.MET) is heard


def test_an_internal_note_is_no_plan_told_after_a_reopening() -> None:
    story = closed("ordinary").then(Event.REOPEN, days=1, reason_text="again")
    story.then(Event.NOTE, days=1, text="thinking")
    assert story.entries["plan_again"].is_open
    story.then(Event.TOLD, days=1, progress="a new survey", next="a draft")
    assert story.entries["plan_again"].status is EntryStatus.MET
