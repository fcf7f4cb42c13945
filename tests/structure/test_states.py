"""Every state and event of a case has a decided answer, and every state of a reminder can be reached."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from reminder.domain.cases import ENDED, MOVES, OPEN, Event, Fact, Status, allowed_from, history
from reminder.domain.reminders import HEARD, TERMINAL, State, may
from reminder.domain.reminders import MOVES as STEPS

GRID = """
               rec reg ref acc pro def rep rv1 rv2 clo com not con wit mer arc era voi
receive        -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   rec
register       reg -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -
refer          -   ref -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -
acknowledge    -   -   reg -   -   -   -   -   -   -   -   -   -   -   -   -   -   -
object         -   -   reg -   -   -   -   -   -   -   -   -   -   -   -   -   -   -
accept         -   acc -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -
guide          -   not -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -
note           .   .   .   pro pro .   .   .   .   .   .   .   .   .   .   .   .   .
extend         -   -   -   pro pro -   -   -   -   -   -   -   -   -   -   -   -   -
defer          -   -   -   def def def -   -   -   -   -   -   -   -   -   -   -   -
resume         -   -   -   -   -   pro -   -   -   -   -   -   -   -   -   -   -   -
answer         -   -   -   rep rep rep -   -   -   -   -   -   -   -   -   -   -   -
served         -   -   -   -   -   -   rep -   -   -   -   -   -   -   -   -   -   -
review_request -   -   -   -   -   -   rv1 -   -   rv1 -   -   -   -   -   -   -   -
review_result  -   -   -   -   -   -   -   rep -   -   -   -   -   -   -   -   -   -
second_review  -   -   -   -   -   -   rv2 -   -   rv2 -   -   -   -   -   -   -   -
send_back      -   -   -   -   -   -   -   pro pro -   -   -   -   -   -   -   -   -
conclude       -   -   -   -   -   -   -   -   con -   -   -   -   -   -   -   -   -
close          -   -   -   -   -   -   clo -   -   -   -   -   -   -   -   -   -   -
complete       -   -   -   -   -   -   -   -   -   com -   -   -   -   -   -   -   -
reopen         -   -   -   -   -   -   pro -   -   pro pro -   -   -   -   -   -   -
withdraw       wit wit wit wit wit wit wit wit wit -   -   -   -   -   -   -   -   -
merge          mer mer mer mer mer mer mer mer mer mer -   -   -   -   -   -   -   -
archive        -   -   -   -   -   -   -   -   -   -   arc arc arc arc arc -   -   -
erase          -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   era -   -
"""
"""State after the event; "-": refused; ".": recorded, the state stays. All other events are "."."""

_SHORT = "rec reg ref acc pro def rep rv1 rv2 clo com not con wit mer arc era voi"
SHORT = dict(zip(_SHORT.split(), Status, strict=True))

FREE = set(Event) - set(MOVES)
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

WAYS: dict[Status, list[Event]] = {
    Status.VOID: [],
    Status.RECEIVED: [Event.RECEIVE],
    Status.REGISTERED: [Event.RECEIVE, Event.REGISTER],
    Status.ACCEPTED: [Event.RECEIVE, Event.REGISTER, Event.ACCEPT],
    Status.IN_PROGRESS: [Event.RECEIVE, Event.REGISTER, Event.ACCEPT, Event.NOTE],
    Status.REPLIED: [Event.RECEIVE, Event.REGISTER, Event.ACCEPT, Event.ANSWER],
    Status.CLOSED: [Event.RECEIVE, Event.REGISTER, Event.ACCEPT, Event.ANSWER, Event.SERVED, Event.CLOSE],
    Status.WITHDRAWN: [Event.RECEIVE, Event.REGISTER, Event.WITHDRAW],
    Status.REFERRED: [Event.RECEIVE, Event.REGISTER, Event.REFER],
    Status.NOT_ACCEPTED: [Event.RECEIVE, Event.REGISTER, Event.GUIDE],
    Status.DEFERRED: [Event.RECEIVE, Event.REGISTER, Event.ACCEPT, Event.DEFER],
    Status.MERGED: [Event.RECEIVE, Event.MERGE],
}
WAYS[Status.COMPLETED] = [*WAYS[Status.CLOSED], Event.COMPLETE]
WAYS[Status.UNDER_REVIEW] = [*WAYS[Status.REPLIED], Event.REVIEW_REQUEST]
WAYS[Status.UNDER_SECOND_REVIEW] = [*WAYS[Status.UNDER_REVIEW], Event.REVIEW_RESULT, Event.SECOND_REVIEW]
WAYS[Status.CONCLUDED] = [*WAYS[Status.UNDER_SECOND_REVIEW], Event.CONCLUDE]
WAYS[Status.ARCHIVED] = [*WAYS[Status.WITHDRAWN], Event.ARCHIVE]
WAYS[Status.ERASED] = [*WAYS[Status.ARCHIVED], Event.ERASE]


def decided() -> dict[tuple[Status, Event], str]:
    lines = [line.split() for line in GRID.strip().splitlines()]
    states = [SHORT[name] for name in lines[0]]
    assert set(states) == set(Status)
    found = {
        (state, Event(row[0])): cell for row in lines[1:] for state, cell in zip(states, row[1:], strict=True)
    }
    return found | {(state, event): "." for state in Status for event in FREE}


def facts(events: list[Event]) -> list[Fact]:
    moments = [START + timedelta(hours=n) for n in range(len(events))]
    said = {Event.PROTOCOL: {"key": "ordinary", "version": "1"}, Event.FLAG: {"flag": "major"}}
    return [
        Fact(event=e, at=m, recorded_at=m, value=said.get(e, {}))
        for e, m in zip(events, moments, strict=True)
    ]


def test_every_cell_is_decided_once() -> None:
    assert set(decided()) == {(state, event) for state in Status for event in Event}


@pytest.mark.parametrize(("state", "event"), list(decided()))
def test_a_case_answers_every_event_in_every_state_as_decided(state: Status, event: Event) -> None:
    cell = decided()[state, event]
    assert history(facts(WAYS[state])).status is state
    after = history(facts([*WAYS[state], event]))
    states = allowed_from(event)
    if cell == "-":
        assert (after.status, after.facts[-1:]) == (state, history(facts(WAYS[state])).facts[-1:])
        assert states is not None
        assert state not in states
    else:
        assert after.facts[-1].event is event
        assert after.status is (state if cell == "." else SHORT[cell])


def test_the_simple_procedure_alone_lets_a_registered_case_be_answered() -> None:
    events = [*WAYS[Status.REGISTERED], Event.ANSWER]
    assert history(facts(events), direct_answer=True).status is Status.REPLIED
    assert history(facts(events)).status is Status.REGISTERED


def test_a_case_is_open_closed_or_ended_and_never_two_of_these() -> None:
    assert not OPEN & ENDED
    assert set(Status) - OPEN - ENDED == {Status.CLOSED}


def test_what_has_ended_for_a_reminder_stays_ended() -> None:
    assert {state for state in State if not any(may(state, to) for to in State)} == TERMINAL
    assert {
        *(State.DELIVERED, State.UNDELIVERED, State.FAILED, State.DEAD, State.CANCELLED),
        *(State.SUPPRESSED, State.SUPERSEDED, State.MERGED, State.MISSED, State.UNKNOWN),
    } == TERMINAL


def test_every_state_of_a_reminder_can_be_reached_and_left_for_an_end() -> None:
    """A row may also be written merged at once: a digest tells it."""
    assert _from(State.PLANNED) == set(State)
    for state in STEPS:
        assert _from(state) & TERMINAL


def test_what_may_have_been_heard_is_never_planned_again_but_by_way_of_a_doubt_or_a_clear_no() -> None:
    assert {state for state in HEARD if may(state, State.PLANNED)} == {State.SENDING, State.UNCERTAIN}


def _from(start: State) -> set[State]:
    seen, waiting = {start}, deque([start])
    while waiting:
        for following in STEPS.get(waiting.popleft(), frozenset()):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return seen
