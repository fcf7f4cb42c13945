"""Every state and event of a case has a decided answer, and every state of a reminder can be reached."""

from collections import deque
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from reminder.bot.commands import COMMANDS
from reminder.domain.cases import (
    ENDED,
    MOVES,
    OPEN,
    Event,
    Fact,
    Status,
    allowed_from,
    forbidden,
    history,
)
from reminder.domain.errors import Refused
from reminder.domain.policy import POLICY
from reminder.domain.reminders import HEARD, TERMINAL, State, may
from reminder.domain.reminders import MOVES as STEPS
from reminder.render import Templates

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

ASKED = """
               rec reg ref acc pro def rep rv1 rv2 clo com not con wit mer arc era voi
note           .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
told           .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
suspend        .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
flag           .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
protocol       .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
sponsor        .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
pause          .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
add            .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
fact           .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
propose        .   .   .   .   .   .   .   .   .   .   -   -   -   -   -   -   -   -
"""
"""Where an action refuses what no move forbids: of a case that has ended nothing new is asked."""

COMMANDS_OF = {
    Event.RECEIVE: ("new", "import"),
    Event.REGISTER: ("new", "import"),
    Event.ASSIGN: ("assign",),
    Event.ACCEPT: ("accept",),
    Event.GUIDE: ("guide",),
    Event.REFER: ("refer",),
    Event.ACKNOWLEDGE: ("ack",),
    Event.OBJECT: ("object",),
    Event.CONTACT: ("contact",),
    Event.NOTE: ("note", "reason"),
    Event.TOLD: ("note",),
    Event.EXTEND: ("extend",),
    Event.SUSPEND: ("suspend",),
    Event.DEFER: ("defer",),
    Event.RESUME: ("resume",),
    Event.ANSWER: ("answer",),
    Event.SERVED: ("served",),
    Event.REVIEW_REQUEST: ("review",),
    Event.REVIEW_RESULT: ("reviewed",),
    Event.SECOND_REVIEW: ("review",),
    Event.SEND_BACK: ("reviewed",),
    Event.CONCLUDE: ("reviewed",),
    Event.CLOSE: ("close", "finish"),
    Event.REOPEN: ("reopen", "broken"),
    Event.WITHDRAW: ("withdraw",),
    Event.MERGE: ("merge",),
    Event.ARCHIVE: ("archive",),
    Event.FLAG: ("flag",),
    Event.PROTOCOL: ("protocol",),
    Event.SPONSOR: ("sponsor",),
    Event.PAUSE: ("pause",),
    Event.UNPAUSE: ("resume",),
    Event.ADD: ("add", "commit", "order"),
    Event.DONE: ("done", "kept"),
    Event.FACT: ("fact",),
    Event.PROPOSE: ("visit",),
    Event.CONFIRM: ("confirm",),
    Event.MOVE: ("move",),
    Event.VISITED: ("visited",),
}
BY_TAP = {Event.NOT_MET, Event.DECLINE, Event.ASK_OTHER_DAY}
"""Recorded by a button under a visit, or by what the resident answers."""

BY_ITSELF = {Event.COMPLETE, Event.MISSED, Event.PROMISED, Event.TASK, Event.SCORE}
"""What follows without anybody deciding it, or is the resident's own answer."""

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


@cache
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


@cache
def asked() -> dict[tuple[Status, Event], str]:
    """As `decided`, for what a person asks: a refusal more where a case has ended."""
    found = dict(decided())
    lines = [line.split() for line in ASKED.strip().splitlines()]
    for row in lines[1:]:
        for name, cell in zip(lines[0], row[1:], strict=True):
            state, event = SHORT[name], Event(row[0])
            found[state, event] = "-" if cell == "-" else found[state, event]
    return found


@pytest.mark.parametrize(("state", "event"), list(decided()))
def test_what_a_person_asks_has_its_effect_or_is_refused_in_words(state: Status, event: Event) -> None:
    refused = asked()[state, event] == "-"
    assert forbidden(event, state) is refused
    before, after = history(facts(WAYS[state])), history(facts([*WAYS[state], event]))
    if not refused:
        assert len(after.facts) == len(before.facts) + 1
        return
    templates = words()
    no = Refused("case.wrong_state", status=f"status.{state}", move=f"move.{event}")
    for lang in templates.languages:
        sentence = templates.refusal(no, lang)
        assert templates.word(f"status.{state}", lang) in sentence
        assert templates.word(f"move.{event}", lang) in sentence


@cache
def words() -> Templates:
    return Templates.load(Path(__file__).parents[2] / "templates")


def test_every_move_has_a_command_and_every_other_event_a_way_in() -> None:
    named = {name for names in COMMANDS_OF.values() for name in names}
    assert named <= COMMANDS.keys()
    missing = set(Event) - COMMANDS_OF.keys() - BY_TAP - BY_ITSELF
    assert missing <= {Event.ERASE}
    assert not missing or "erase" in POLICY
    assert set(MOVES) - {Event.COMPLETE, Event.ERASE} <= COMMANDS_OF.keys()


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
