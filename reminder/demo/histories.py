"""How one case of the demo came to stand where it stands: facts of past days, planned like any others."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from reminder.actions.replan import replan
from reminder.demo.drive import Drive
from reminder.demo.people import Cast, Neighbour, matters
from reminder.domain.cases import Event, Fact, History, history
from reminder.domain.entries import Wanted
from reminder.domain.people import Person, Staff
from reminder.domain.protocols import EntryKind
from reminder.domain.wanted import wanted
from reminder.domain.workdays import at
from reminder.runtime import Runtime
from reminder.store import cases
from reminder.store.database import Tx


@dataclass(slots=True, kw_only=True)
class Past:
    """The days before `as_of`, the morning the county is met on; the working day before it is still played,
    so what happened on that day happens while it is."""

    rt: Runtime
    cast: Cast
    staff: Staff
    as_of: date
    lang: str
    rng: random.Random

    def person(self, name: str) -> Person:
        return self.staff.people[self.cast.people[name]]

    def says(self, key: str) -> str:
        found: str = matters()["says"][self.lang][key]
        return found

    def wd(self, number: int) -> date:
        """So many working days after the morning; before it if negative."""
        return self.rt.desk.office.calendar.add_working(self.as_of, number)

    def working(self, day: date) -> date:
        """The working day at or before a day, and before the morning."""
        return min(self.rt.desk.office.calendar.back(day), self.wd(-1))

    def on(self, day: date, hour: int = 10, minute: int = 0) -> datetime:
        return at(day, time(hour, minute), self.rt.desk.office.zone)

    def ago(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """So many calendar days ago, or on the working day before."""
        return self.on(self.working(self.as_of - timedelta(days=days)), hour, minute)

    def back(self, day: date, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """So many calendar days before a day, or on the working day before."""
        return self.on(self.working(day - timedelta(days=days)), hour, minute)


@dataclass(slots=True, kw_only=True)
class Story:
    """One case on its way: facts are added in memory and written at the end."""

    past: Past
    handler: Person
    party: Neighbour
    protocol: str
    category: str
    first_contact: int | None = None
    others: list[tuple[Neighbour, str]] = field(default_factory=list)
    """Further parties with their roles."""
    group_size: int = 1
    number: str = ""
    request: str = ""
    under: str = ""
    """The protocol it was put under later; empty: as it was registered."""
    facts: list[Fact] = field(default_factory=list)

    @property
    def opened(self) -> datetime:
        return next(f.at for f in self.facts if f.event is Event.RECEIVE)

    def matter(self, what: str) -> str:
        found: str = matters()["matter"][self.category][what][self.past.lang]
        return found

    def add(self, event: Event, moment: datetime, subject: str = "", **value: Any) -> "Story":
        self.facts.append(
            Fact(
                event=event,
                at=moment,
                recorded_at=moment,
                subject=subject,
                value=value,
                by=self.handler.id,
            )
        )
        return self

    def comes(self, moment: datetime, *, track: str = "appeal") -> "Story":
        self.add(Event.RECEIVE, moment, track=track, danger="no")
        self.add(Event.ASSIGN, moment, unit=self.handler.unit_id, handler=self.handler.id)
        return self.add(Event.REGISTER, moment)

    def taken_on(self, moment: datetime) -> "Story":
        self.talked(moment)
        return self.add(Event.ACCEPT, moment + timedelta(minutes=5))

    def talked(self, moment: datetime) -> "Story":
        return self.add(Event.CONTACT, moment, text=self.past.says("talk"))

    def noted(self, since: date, every: int = 11) -> "Story":
        """Looked into, and spoken about, every so many days from a day on, also in the last few days."""
        day = since
        while (day := day + timedelta(days=every)) < self.past.as_of:
            seen = self.past.back(day, 0, 14)
            if seen > self.facts[-1].at:
                self.add(Event.NOTE, seen, text=self.matter("note"))
                self.talked(seen + timedelta(minutes=5))
        return self

    def answered(self, moment: datetime, outcome: str = "upheld") -> "Story":
        refused = outcome == "not_upheld"
        says = self.past.says("refusal") if refused else self.matter("result")
        rule = self.past.says("rule") if refused else ""
        return self.add(Event.ANSWER, moment, outcome=outcome, reason=says, result=says, rule=rule)

    def delivered(self, moment: datetime) -> "Story":
        return self.add(Event.SERVED, moment, how=self.past.says("how"))

    def closed(self, moment: datetime) -> "Story":
        sides = {"sides": "both"} if any(role == "counterpart" for _, role in self.others) else {}
        return self.add(Event.CLOSE, moment, **sides)

    def visited(self, *, score: int = 0) -> "Story":
        """Those return visits whose day has passed took place, and it held. The first may bring a score."""
        before = self.past.on(self.past.as_of, 0)
        for _ in range(24):
            due = [e for e in self.visits() if e.ends_at and e.ends_at < before]
            if not due:
                break
            first = min(due, key=lambda e: (e.ends_at or e.since, e.key))
            assert first.ends_at is not None
            seen = max(first.ends_at, self.facts[-1].at + timedelta(minutes=2))
            words = self.past.says("looked_again")
            self.add(Event.VISITED, seen, first.key, outcome="holds", text=words)
            if score:
                self._scored(score, seen)
                score = 0
        if not self.visits() and self.facts[-1].event is not Event.CLOSE:
            self.add(Event.COMPLETE, self.facts[-1].at)
        return self

    def _scored(self, score: int, seen: datetime) -> None:
        moment = min(seen + timedelta(hours=18), self.past.on(self.past.wd(-1), 9))
        self.add(Event.SCORE, max(moment, seen + timedelta(minutes=1)), score=score)
        if score <= 2:
            self.add(
                Event.DONE,
                self.facts[-1].at + timedelta(hours=2),
                "lowscore",
                text=self.past.says("listened"),
            )

    def history(self) -> History:
        return history(self.facts, direct_answer=self.past.rt.desk.protocol(self.protocol).direct_answer)

    def planned(self) -> Mapping[str, Wanted]:
        """Every entry, by the plan itself."""
        protocol = self.past.rt.desk.protocol(self.under or self.protocol)
        return wanted(self.history(), protocol, self.past.rt.desk.office_for(protocol))

    def visits(self) -> list[Wanted]:
        return [e for e in self.planned().values() if e.is_open and e.kind is EntryKind.VISIT]

    async def write(self, tx: Tx, drive: Drive) -> None:
        """Put the case into the database, planned once; what is still to happen waits for its moment."""
        now = self.past.rt.clock.now()
        facts = sorted(self.facts, key=lambda f: f.order)
        begun = [fact for fact in facts if fact.at < now]
        case_id = 0
        if begun:
            case_id = await self._insert(tx, begun)
        later = [list(some) for _, some in groupby((f for f in facts if f.at >= now), key=lambda f: f.at)]
        held = _Held(self, case_id)
        for some in later:
            drive.plan(some[0].at, held.then(some))

    async def _insert(self, tx: Tx, facts: list[Fact]) -> int:
        protocol = self.past.rt.desk.protocol(self.protocol)
        case_id = await cases.insert(
            tx,
            number=self.number,
            protocol=protocol.key,
            protocol_version=protocol.version,
            category=self.category,
            track="inquiry" if self.category == "inquiry" else "appeal",
            place=self.party.village,
            request=self.request or self.matter("request"),
            channel="visit",
            first_contact_id=self.first_contact or self.handler.id,
            direct_answer=protocol.direct_answer,
            group_size=self.group_size,
            opened_at=self.opened,
        )
        await cases.add_party(tx, case_id, self.party.id)
        for other, role in self.others:
            await cases.add_party(tx, case_id, other.id, role)
        await cases.add_facts(tx, case_id, facts)
        await replan(tx, self.past.rt.desk, case_id)
        return case_id


@dataclass(slots=True)
class _Held:
    """What happens to a case on the day that is played before the morning."""

    story: Story
    case_id: int

    def then(self, facts: list[Fact]) -> Callable[[], Any]:
        async def happens() -> None:
            rt = self.story.past.rt
            async with rt.db.write() as tx:
                if not self.case_id:
                    self.case_id = await self.story._insert(tx, facts)
                    return
                await cases.add_facts(tx, self.case_id, facts)
                await replan(tx, rt.desk, self.case_id)

        return happens
