"""How the demo's cases came to stand where they stand: facts of past days, planned like any others."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from reminder.actions.replan import replan
from reminder.demo.people import CADRE, LI, Cast, Neighbour, county
from reminder.domain.cases import Event, Fact, history
from reminder.domain.entries import Wanted
from reminder.domain.numbers import case_number
from reminder.domain.people import Person, Staff
from reminder.domain.protocols import EntryKind
from reminder.domain.wanted import wanted
from reminder.domain.workdays import at, local_day
from reminder.runtime import Runtime
from reminder.store import cases
from reminder.store.database import Tx

WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "talk": "电话里谈过",
        "note": "到现场看过，正在协调",
        "done": "已修好",
        "how": "送到家里",
        "withdrawn": "不办了，自己解决了",
        "again": "没有真正解决",
        "road": "要求修通进村硬底化道路",
    },
    "en": {
        "talk": "spoke on the phone",
        "note": "went to see, arranging it",
        "done": "repaired",
        "how": "brought to the home",
        "withdrawn": "settled by themselves",
        "again": "not really solved",
        "road": "asks for a hardened road into the village",
    },
}

HANDLERS: Mapping[int, tuple[str, ...]] = {
    0: ("王敏", "黄志强"),
    1: ("杨秀清", "牛正"),
    2: ("宋小雨", "田耕"),
}
"""Who handles the cases of each township."""


@dataclass(slots=True, kw_only=True)
class Past:
    """The days before the play begins. `today` is the first day that is played."""

    rt: Runtime
    cast: Cast
    staff: Staff
    today: date
    lang: str
    rng: random.Random
    serials: dict[int, int] = field(default_factory=dict)

    def person(self, name: str) -> Person:
        return self.staff.people[self.cast.people[name]]

    def says(self, key: str) -> str:
        return WORDS[self.lang][key]

    def ago(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """That many calendar days before the play, at an office hour of the working day at or before."""
        day = self.rt.desk.office.calendar.back(self.today - timedelta(days=days))
        return at(day, time(hour, minute), self.rt.desk.office.zone)

    def exactly(self, days: int, hour: int) -> datetime:
        """That many days before the play to the day."""
        return at(self.today - timedelta(days=days), time(hour), self.rt.desk.office.zone)


class Story:
    """One case on its way: facts are added in memory and written at the end."""

    def __init__(self, past: Past, handler: str, party: Neighbour, *, protocol: str, category: str) -> None:
        self.past = past
        self.handler = past.person(handler)
        self.party = party
        self.protocol = past.rt.desk.protocol(protocol)
        self.category = category
        self.facts: list[Fact] = []

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

    def comes(self, moment: datetime) -> "Story":
        self.add(Event.RECEIVE, moment, track="appeal", danger="no")
        self.add(Event.ASSIGN, moment, unit=self.handler.unit_id, handler=self.handler.id)
        return self.add(Event.REGISTER, moment)

    def taken_on(self, moment: datetime) -> "Story":
        self.add(Event.CONTACT, moment, text=self.past.says("talk"))
        return self.add(Event.ACCEPT, moment + timedelta(minutes=5))

    def noted(self, *days: int) -> "Story":
        for number in days:
            seen = self.past.ago(number, 14)
            self.add(Event.NOTE, seen, text=self.past.says("note"))
            self.add(Event.CONTACT, seen + timedelta(minutes=5), text=self.past.says("talk"))
        return self

    def answered(self, moment: datetime) -> "Story":
        says = self.past.says("done")
        return self.add(Event.ANSWER, moment, outcome="upheld", reason=says, result=says, rule="")

    def delivered(self, moment: datetime) -> "Story":
        return self.add(Event.SERVED, moment, how=self.past.says("how"))

    def visited(self) -> "Story":
        """Those return visits whose day has passed took place, and it held."""
        for _ in range(8):
            due = [e for e in self.visits() if e.ends_at and e.ends_at < self.past.ago(0, 0)]
            if not due:
                break
            first = min(due, key=lambda e: e.ends_at or e.since)
            assert first.ends_at is not None
            self.add(Event.VISITED, first.ends_at, first.key, outcome="holds")
        if not self.visits() and self.facts[-1].event is Event.VISITED:
            self.add(Event.COMPLETE, self.facts[-1].at)
        return self

    def visits(self) -> list[Wanted]:
        """Open visits, by the plan itself."""
        office = self.past.rt.desk.office_for(self.protocol)
        planned = wanted(history(self.facts), self.protocol, office).values()
        return [e for e in planned if e.is_open and e.kind is EntryKind.VISIT]

    async def write(self, tx: Tx) -> int:
        """Put the case into the database and plan it once."""
        past, opened = self.past, self.facts[0].at
        year = local_day(opened, past.rt.desk.office.zone).year
        past.serials[year] = past.serials.get(year, 0) + 1
        case_id = await cases.insert(
            tx,
            number=case_number(year, past.serials[year]),
            protocol=self.protocol.key,
            protocol_version=self.protocol.version,
            category=self.category,
            place=self.party.village,
            channel="visit",
            first_contact_id=self.handler.id,
            direct_answer=self.protocol.direct_answer,
            opened_at=opened,
        )
        await cases.add_party(tx, case_id, self.party.id)
        await cases.add_facts(tx, case_id, self.facts)
        await replan(tx, past.rt.desk, case_id)
        return case_id


async def county_cases(tx: Tx, past: Past) -> None:
    """The cases of the data file, dealt out by the seed, oldest numbers first."""
    people_of = {u: [n for n in past.cast.neighbours if n.township == u] for u in past.cast.townships}
    stories = list(morning(past))
    for status, count in county()["cases"].items():
        for number in range(count):
            index = past.rng.randrange(3)
            party = past.rng.choice(people_of[past.cast.townships[index]][20:])
            handler = past.rng.choice(HANDLERS[index])
            if handler == CADRE and status not in _CALM:
                handler = HANDLERS[index][1]
            category = weighted(past.rng, county()["categories"])
            protocol = "ordinary" if status in _LONG else weighted(past.rng, county()["protocols"])
            story = Story(past, handler, party, protocol=protocol, category=category)
            stories.append(_stand(story, status, number))
    for story in sorted(stories, key=lambda s: s.facts[0].at):
        await story.write(tx)


_CALM = frozenset({"in_progress", "closed", "completed", "withdrawn"})
"""Cases of the story's cadre that leave her first morning as told."""

_LONG = frozenset({"in_progress", "completed", "reopened", "replied", "served"})


def weighted(rng: random.Random, weights: Mapping[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _stand(story: Story, status: str, number: int) -> Story:
    """Bring a case to a state, everything owed on the way done in time."""
    past, rng = story.past, story.past.rng
    spread = rng.randrange(5)
    match status:
        case "registered":
            return story.comes(past.ago(1, 10 + spread, rng.randrange(60)))
        case "accepted":
            return story.comes(past.ago(2 + spread, 9)).taken_on(past.ago(1 + spread, 11))
        case "in_progress":
            return _going_on(story, 6 + (number * 7) % 48)
        case "replied":
            story = _going_on(story, 30 + spread)
            return story.answered(past.ago(1, 15))
        case "served":
            story = _going_on(story, 35 + spread)
            return story.answered(past.ago(4, 11)).delivered(past.ago(2, 10))
        case "withdrawn":
            story = _going_on(story, 24 + spread)
            story.add(Event.WITHDRAW, past.ago(15, 15), words=past.says("withdrawn"))
            return story.visited().add(Event.DONE, past.ago(9, 10), "courtesy_call")
        case _:
            return _closed(story, status, number)


def _going_on(story: Story, age: int) -> Story:
    """Taken on, and spoken about at least every fortnight since."""
    past = story.past
    story.comes(past.ago(age, 9)).taken_on(past.ago(age, 15))
    return story.noted(*(day for day in range(age - 11, 0, -11)))


def _closed(story: Story, status: str, number: int) -> Story:
    past = story.past
    days = {"closed": 3 + number * 9, "completed": 110 + number * 6, "reopened": 40}[status]
    story.comes(past.ago(days + 20, 9)).taken_on(past.ago(days + 20, 10))
    story.noted(days + 9)
    story.answered(past.ago(days + 4, 11)).delivered(past.ago(days + 2, 10))
    story.add(Event.CLOSE, past.ago(days, 16))
    if status != "reopened":
        return story.visited()
    story.add(Event.VISITED, past.ago(days - 7, 10), "rv1", outcome="holds")
    return story.add(Event.REOPEN, past.ago(1, 11), reason_text=past.says("again"))


# --- the first morning -----------------------------------------------------------------------


def morning(past: Past) -> Sequence[Story]:
    """Wang Min's day: three visits, one thing late; Ms Li's visit is agreed; and the road of Hewan."""
    calendar = past.rt.desk.office.calendar
    first = calendar.add_working(past.today, 1)  # the day before is played silently
    gap = (first - past.today).days
    hewan = [n for n in past.cast.neighbours if n.township == past.cast.townships[0] and n.number]
    li = next(n for n in hewan if n.number == LI)
    found = [_li(past, li, 7 - gap)]
    for neighbour, hour in zip(hewan[10:12], (14, 16), strict=True):
        story = Story(past, "王敏", neighbour, protocol="ordinary", category="land")
        story.comes(past.ago(9, 9)).taken_on(past.ago(8, 10))
        slot = {"day": first.isoformat(), "start": f"{hour}:00", "end": f"{hour + 1}:30", "mode": "home"}
        asked = past.ago(3, 10)
        story.add(Event.PROPOSE, asked, "visit", place="", **slot)
        found.append(story.add(Event.CONFIRM, asked + timedelta(hours=5), "visit"))
    late = Story(past, "王敏", hewan[12], protocol="ordinary", category="utilities")
    found.append(late.comes(past.ago(23, 9)).taken_on(past.ago(22, 10)))
    return [*found, _road(past, hewan[13])]


def _li(past: Past, li: Neighbour, days: int) -> Story:
    """Water was out, was repaired the same day, answered, and closed a week before the first morning."""
    story = Story(past, "王敏", li, protocol="urgent", category="utilities")
    start = past.ago(days + 3, 9)
    story.comes(start).taken_on(start + timedelta(minutes=10))
    story.add(Event.DONE, start + timedelta(hours=4), "fix").add(Event.CONTACT, start + timedelta(hours=7))
    story.answered(start + timedelta(hours=8)).delivered(start + timedelta(hours=9))
    story.add(Event.CLOSE, past.exactly(days, 11))
    return story.add(Event.CONFIRM, past.ago(1, 12), "rv1")


def _road(past: Past, party: Neighbour) -> Story:
    """The road of Hewan as its old ledger has it: in work for long, looked after again since spring."""
    story = Story(past, "黄志强", party, protocol="ordinary", category="land")
    return _going_on(story, 40)
