"""What can happen to a case, as a game: every move the actions allow, chosen by hypothesis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from reminder.domain.calendars import NO_OVERRIDES
from reminder.domain.cases import ENDED, OUTCOMES, VISIT_OUTCOMES, Event, Fact, Status, allowed_from, history
from reminder.domain.entries import EntryStatus, Wanted
from reminder.domain.offices import Office
from reminder.domain.protocol_files import read_protocols
from reminder.domain.protocols import EntryKind, Protocol
from reminder.domain.wanted import over, wanted

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
calendar_of = cache(NO_OVERRIDES.over)
OFFICE = Office(zone=ZONE, calendar=calendar_of("CN"), name="Qinglu")

STEPS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 400)), max_size=14)
"""(which of the possible moves, how many hours later)."""


@cache
def shipped() -> dict[str, Protocol]:
    folder = Path(__file__).parents[2] / "templates" / "protocols"
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.toml"))}
    return dict(read_protocols(texts, kinds=None, calendars=None))


def office_for(protocol: Protocol) -> Office:
    return replace(OFFICE, calendar=calendar_of(protocol.calendar))


@dataclass
class Story:
    """A case of one protocol while it happens."""

    protocol: Protocol = field(repr=False)
    now: datetime = START
    facts: list[Fact] = field(default_factory=list)

    def say(self, event: Event, subject: str = "", **value: Any) -> None:
        self.facts.append(Fact(event=event, at=self.now, recorded_at=self.now, subject=subject, value=value))
        self.now += timedelta(milliseconds=1)

    def register(self, **matter: Any) -> "Story":
        self.say(Event.RECEIVE, **({"track": "appeal", "danger": "no"} | matter))
        self.say(Event.REGISTER)
        self.say(Event.ASSIGN, handler=1, unit=1)
        return self

    def then(self, event: Event, subject: str = "", *, days: float = 0, **value: Any) -> "Story":
        self.now += timedelta(days=days)
        self.say(event, subject, **value)
        self._close_down()
        return self

    @property
    def status(self) -> Status:
        return history(self.facts, direct_answer=self.protocol.direct_answer).status

    @property
    def entries(self) -> dict[str, Wanted]:
        past = history(self.facts, direct_answer=self.protocol.direct_answer)
        return wanted(past, self.protocol, office_for(self.protocol))

    def moves(self) -> list[tuple[Event, str, dict[str, Any]]]:
        """Everything somebody could record now; what brings a case forward comes up more often."""
        found = [*self._of_case(), *self._of_entries()]
        return [*found, *4 * [move for move in found if move[0] in _FORWARD]]

    def play(self, steps: Sequence[tuple[int, int]]) -> "Story":
        for choice, hours in steps:
            self.now += timedelta(hours=hours)
            possible = self.moves()
            event, subject, value = possible[choice % len(possible)]
            self.say(event, subject, **value)
            outcome = value.get("outcome")
            if (
                event is Event.VISITED
                and outcome == "not_solved"
                and self.status in {Status.CLOSED, Status.COMPLETED}
            ):
                self.say(Event.REOPEN, reason_text="it came back")
            self._close_down()
        return self

    def _close_down(self) -> None:
        past = history(self.facts, direct_answer=self.protocol.direct_answer)
        if over(past, self.protocol, self.entries.values()):
            self.say(Event.COMPLETE)

    def _of_case(self) -> Iterator[tuple[Event, str, dict[str, Any]]]:
        status = self.status
        for event in (Event.ACCEPT, Event.SERVED, Event.REOPEN, Event.WITHDRAW):
            states = allowed_from(event)
            if states is not None and status in states:
                yield event, "", {}
        answer = allowed_from(Event.ANSWER, direct_answer=self.protocol.direct_answer)
        assert answer is not None
        if status in answer:
            yield from ((Event.ANSWER, "", {"outcome": outcome, "reason": "r"}) for outcome in OUTCOMES)
        past = history(self.facts, direct_answer=self.protocol.direct_answer)
        talked = past.all(Event.CONTACT, Event.VISITED)
        if status is Status.REPLIED and past.since_opening(Event.SERVED) and talked:
            yield Event.CLOSE, "", {}
        yield Event.CONTACT, "", {}
        if status in {Status.ACCEPTED, Status.IN_PROGRESS}:
            yield Event.NOTE, "", {"text": "n"}
        yield Event.TASK, f"tell.{len(self.facts)}", {"what": "tell_resident"}
        if any(f.event is Event.CLOSE for f in self.facts):
            yield from ((Event.SCORE, "", {"score": score}) for score in (1, 2, 5))
        yield from ((Event.FACT, "", {"name": name}) for name in self.protocol.facts)
        if status not in ENDED:
            made = sum(f.event is Event.PROPOSE for f in self.facts)
            day = (self.now + timedelta(days=3)).date().isoformat()
            yield Event.PROPOSE, "visit" if not made else f"visit.{made + 1}", {"day": day}

    def _of_entries(self) -> Iterator[tuple[Event, str, dict[str, Any]]]:
        for entry in self.entries.values():
            if not entry.is_open or entry.kind is EntryKind.NOTICE:
                continue
            if entry.kind is EntryKind.VISIT:
                yield from _of_visit(entry, self.now)
            elif not _OWN_MOVES & set(self._met_by(entry)):
                yield Event.DONE, entry.key, {"text": "d"}

    def _met_by(self, entry: Wanted) -> tuple[str, ...]:
        milestone = self.protocol.milestone(entry.milestone)
        met_by = milestone.met_by if milestone is not None else ()
        return () if "done" in met_by else met_by


_FORWARD = frozenset({Event.ACCEPT, Event.ANSWER, Event.SERVED, Event.CLOSE, Event.VISITED})
_OWN_MOVES = frozenset({"register", "accept", "answer", "served", "close", "contact"})
"""Milestones met by these are not ticked off: the move itself is recorded."""


def _of_visit(entry: Wanted, now: datetime) -> Iterator[tuple[Event, str, dict[str, Any]]]:
    for event in (Event.CONFIRM, Event.DECLINE, Event.ASK_OTHER_DAY, Event.NOT_MET):
        yield event, entry.key, {}
    yield Event.MOVE, entry.key, {"day": (now + timedelta(days=5)).date().isoformat(), "asked_by": "office"}
    yield from ((Event.VISITED, entry.key, {"outcome": outcome}) for outcome in VISIT_OUTCOMES)
    if entry.status is EntryStatus.CONFIRMED:
        yield Event.MISSED, entry.key, {}


def stories() -> st.SearchStrategy[Story]:
    """A case of any shipped protocol after any moves."""
    matter = st.fixed_dictionaries(
        {"track": st.sampled_from(["appeal", "inquiry"]), "danger": st.sampled_from(["yes", "no"])}
    )
    return st.builds(
        lambda key, about, steps: Story(shipped()[key]).register(**about).play(steps),
        st.sampled_from(sorted(shipped())),
        matter,
        STEPS,
    )
