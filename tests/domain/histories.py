"""What can happen to a case, as a game: every move the actions allow, chosen by hypothesis."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from reminder.domain.calendars import Overrides, whole_year
from reminder.domain.cases import Event, Fact, History, Status, history
from reminder.domain.entries import Wanted
from reminder.domain.offices import Office
from reminder.domain.protocol_files import read_protocols
from reminder.domain.protocols import Protocol
from reminder.domain.wanted import over, wanted
from reminder.domain.workdays import DayMark, MarkKind, WorkCalendar
from tests.dice import thrown
from tests.domain.possible import WAYS, Deed, Said, settled

ZONE = ZoneInfo("Asia/Shanghai")
ZONES = ("Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CALENDARS = ("CN", "GB-ENG")
"""2027 is published in neither: what reaches it is provisional until `published`."""

_D = date.fromisoformat
_REST, _WORK = DayMark(kind=MarkKind.REST), DayMark(kind=MarkKind.WORK)
_PUBLISHED = {_D("2027-01-01"): _REST, _D("2027-02-05"): _REST, _D("2027-02-13"): _WORK}
DAYS: dict[str, Overrides] = {
    "plain": Overrides(marks={}, confirmed_years=frozenset()),
    "marked": Overrides(
        marks={_D("2026-03-10"): _REST, _D("2026-05-30"): _WORK, _D("2026-12-31"): _REST},
        confirmed_years=frozenset(),
    ),
    "published": Overrides(marks=whole_year("CN", 2027, _PUBLISHED), confirmed_years=frozenset({2027})),
}
"""By which days an office counts, in the order it comes to know of them."""


@cache
def calendar_of(code: str, days: str = "plain") -> WorkCalendar:
    return DAYS[days].over(code)


OFFICE = Office(zone=ZONE, calendar=calendar_of("CN"), name="Qinglu")


@cache
def shipped() -> dict[str, Protocol]:
    folder = Path(__file__).parents[2] / "templates" / "protocols"
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.toml"))}
    return dict(read_protocols(texts, kinds=None, calendars=None))


def office_for(protocol: Protocol, code: str = "", days: str = "plain", zone: str = "") -> Office:
    return _office(code or protocol.calendar, days, zone)


@cache
def _office(code: str, days: str, zone: str) -> Office:
    return replace(OFFICE, zone=ZoneInfo(zone) if zone else ZONE, calendar=calendar_of(code, days))


@dataclass(repr=False)
class Story:
    """A case while it happens. It begins under a protocol and may be moved to another.

    Hypothesis shows every field that can be given, whatever `__repr__` says: none may hold a protocol.
    """

    begun: str
    now: datetime = START
    facts: list[Fact] = field(default_factory=list)
    code: str = ""
    """The calendar it counts by instead of its protocol's."""
    zone: str = ""
    days: str = "plain"
    _read: tuple[int, History, dict[str, Wanted]] | None = field(default=None, init=False)

    def __repr__(self) -> str:
        lines = [f"{f.at:%m-%d %H:%M} {f.event.value} {f.subject} {dict(f.value)}" for f in self.facts]
        kept = f"{self.begun} {self.office.calendar.code} {self.zone} {self.days} {self.now}"
        return "\n  ".join([kept, *lines])[:4000]

    def say(self, event: Event, subject: str = "", **value: Any) -> None:
        self.record([Said(event=event, subject=subject, value=value)])

    def record(self, deed: Sequence[Said]) -> None:
        """One deed: its facts are recorded at once; what happened may have been so before."""
        for one in deed:
            at = one.at if one.at is not None else self.now
            self.facts.append(
                Fact(
                    event=one.event,
                    at=at,
                    recorded_at=self.now,
                    subject=one.subject,
                    value=one.value,
                )
            )
        self.now += timedelta(milliseconds=1)

    def register(self, *, quiet: bool = False, **matter: Any) -> "Story":
        """Taken in just now, or, `quiet`, from a ledger that says it came three weeks ago."""
        at = self.now - timedelta(days=21 * quiet)
        said = {"quiet": True} if quiet else {}
        value = {"track": "appeal", "danger": "no"} | matter | said
        self.record(
            [
                Said(event=Event.RECEIVE, value=value, at=at),
                Said(event=Event.REGISTER, value=said, at=at),
                Said(event=Event.ASSIGN, value={"handler": 1, "unit": 1} | said, at=at),
            ]
        )
        return self

    def then(self, event: Event, subject: str = "", *, days: float = 0, **value: Any) -> "Story":
        self.now += timedelta(days=days)
        self.say(event, subject, **value)
        self.close_down()
        return self

    def later(self, **delta: float) -> "Story":
        """The same story, as far as it has come, some time on."""
        return replace(self, now=self.now + timedelta(**delta), facts=list(self.facts))

    @property
    def past(self) -> History:
        return self._reading()[1]

    @property
    def entries(self) -> dict[str, Wanted]:
        return self._reading()[2]

    @property
    def status(self) -> Status:
        return self.past.status

    @property
    def protocol(self) -> Protocol:
        """The one it is under by now."""
        return self._under(self.past)

    @property
    def protocols(self) -> dict[str, Protocol]:
        return shipped()

    @property
    def office(self) -> Office:
        return office_for(self.protocol, self.code, self.days, self.zone)

    def wanted(self, facts: Sequence[Fact], *, days: str = "") -> dict[str, Wanted]:
        """What other facts, or other days, would make of it."""
        past = self._history(facts)
        protocol = self._under(past)
        return wanted(past, protocol, office_for(protocol, self.code, days or self.days, self.zone))

    def _history(self, facts: Sequence[Fact]) -> History:
        return history(facts, direct_answer=shipped()[self.begun].direct_answer)

    def _under(self, past: History) -> Protocol:
        return shipped()[past.protocol or self.begun]

    def _reading(self) -> tuple[int, History, dict[str, Wanted]]:
        read = self._read
        if read is None or read[0] != len(self.facts):
            past = self._history(self.facts)
            protocol = self._under(past)
            office = office_for(protocol, self.code, self.days, self.zone)
            read = self._read = (len(self.facts), past, wanted(past, protocol, office))
        return read

    def moves(self) -> list[Deed]:
        """Everything somebody could record now."""
        return [deed for ways in WAYS.values() for deed in ways(self)]

    def step(self, event: int, way: int, hours: int) -> Event:
        """Some hours later one of the events that can happen does, in one of its ways."""
        self.now += timedelta(hours=hours)
        events = [e for e, ways in WAYS.items() if next(ways(self), None) for _ in range(_OFTEN.get(e, 3))]
        chosen = events[event % len(events)]
        deeds = list(WAYS[chosen](self))
        self.do(deeds[way % len(deeds)])
        return chosen

    def do(self, deed: Deed) -> None:
        """Somebody does it, and a case that is over by it is completed in the same deed."""
        deed = settled(self, deed)
        if deed.days:
            self.days, self._read = deed.days, None
        self.record(deed.said)
        self.close_down()

    def play(self, steps: Sequence[tuple[int, int, int]]) -> "Story":
        for event, way, hours in steps:
            self.step(event, way, hours)
        return self

    def close_down(self) -> None:
        if over(self.past, self.protocol, self.entries.values()):
            self.say(Event.COMPLETE)


_OFTEN = {
    **dict.fromkeys((Event.ACCEPT, Event.ANSWER, Event.SERVED, Event.CLOSE, Event.VISITED), 9),
    **dict.fromkeys((Event.ACKNOWLEDGE, Event.SECOND_REVIEW, Event.REVIEW_RESULT, Event.DONE), 8),
    **dict.fromkeys((Event.DEFER, Event.RESUME), 8),
    **dict.fromkeys((Event.CONCLUDE, Event.EXTEND, Event.SUSPEND, Event.MISSED, Event.REVIEW_REQUEST), 6),
    **dict.fromkeys((Event.RECEIVE, Event.ASSIGN, Event.TASK, Event.PROTOCOL, Event.FLAG, Event.SPONSOR), 1),
    **dict.fromkeys((Event.WITHDRAW, Event.MERGE, Event.GUIDE, Event.ARCHIVE, Event.ERASE), 1),
}
"""What brings a case forward comes up more often, and what ends it at once seldom."""

HOURS = (0, 0, 1, 3, 9, 20, 27, 50, 74, 100, 170, 250, 400, 800)


def a_step(dice: random.Random) -> tuple[int, int, int]:
    """(which of the possible events, in which of its ways, how many hours later)."""
    return dice.randrange(301), dice.randrange(41), dice.choice(HOURS)


def _begun(how: tuple[str, str, str, int, bool, dict[str, Any]]) -> Story:
    """A case that comes in some days after START."""
    key, code, zone, days, quiet, matter = how
    story = Story(key, now=START + timedelta(days=days), code=code, zone=zone)
    return story.register(quiet=quiet, **matter)


BEGINNINGS = st.tuples(
    st.sampled_from(sorted(shipped())),
    st.sampled_from(["", *CALENDARS]),
    st.sampled_from(ZONES),
    st.integers(0, 270),
    st.sampled_from([False, False, False, True]),
    st.fixed_dictionaries(
        {"track": st.sampled_from(["appeal", "inquiry"]), "danger": st.sampled_from(["yes", "no"])}
    ),
).map(_begun)
"""Cases of every shipped protocol, by either calendar, in several zones, fresh or from a ledger."""


def stories() -> st.SearchStrategy[Story]:
    """A case after any moves."""
    return st.tuples(BEGINNINGS, thrown(10, a_step)).map(lambda both: both[0].play(both[1]))
