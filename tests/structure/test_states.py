"""Every state and event of a case has a decided answer, and every state of a reminder can be reached."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from reminder.domain.cases import ENDED, MOVES, OPEN, Event, Fact, Status, allowed_from, history
from reminder.domain.reminders import HEARD, TERMINAL, State, may
from reminder.domain.reminders import MOVES as STEPS

GRID = """
             received  registered accepted   in_progress replied    closed     completed  withdrawn void
receive      -         -         -          -          -          -          -          -        received
register     registered -         -          -          -          -          -          -        -
accept       -         accepted  -          -          -          -          -          -        -
note         .         .         in_progress in_progress .          .          .          .        .
answer       -         -         replied    replied    -          -          -          -        -
served       -         -         -          -          replied    -          -          -        -
close        -         -         -          -          closed     -          -          -        -
complete     -         -         -          -          -          completed  -          -        -
reopen       -         -         -          -          in_progress in_progress in_progress -        -
withdraw     withdrawn withdrawn withdrawn  withdrawn  withdrawn  -          -          -        -
"""
"""State after the event; "-": refused; ".": recorded, and the state stays. All other events are "."."""

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
}
WAYS[Status.COMPLETED] = [*WAYS[Status.CLOSED], Event.COMPLETE]


def decided() -> dict[tuple[Status, Event], str]:
    lines = [line.split() for line in GRID.strip().splitlines()]
    states = [Status(name) for name in lines[0]]
    assert set(states) == set(Status)
    found = {
        (state, Event(row[0])): cell for row in lines[1:] for state, cell in zip(states, row[1:], strict=True)
    }
    return found | {(state, event): "." for state in Status for event in FREE}


def facts(events: list[Event]) -> list[Fact]:
    moments = [START + timedelta(hours=n) for n in range(len(events))]
    return [Fact(event=e, at=m, recorded_at=m) for e, m in zip(events, moments, strict=True)]


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
        assert after.status is (state if cell == "." else Status(cell))


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
