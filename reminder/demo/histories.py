"""How the demo's cases came to stand where they stand: played through the real actions on past days."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from reminder.actions import cases, entries
from reminder.actions.cases import NewCase, NewParty
from reminder.actions.desk import Actor
from reminder.actions.entries import Slot
from reminder.clock import ManualClock
from reminder.demo.people import Cast, Neighbour, county
from reminder.domain.people import Person, Staff
from reminder.domain.workdays import at
from reminder.runtime import Runtime
from reminder.store import people
from reminder.store.database import Tx

WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "talk": "电话里谈过",
        "note": "到现场看过，正在协调",
        "done": "已修好",
        "how": "送到家里",
        "rule": "按村镇规划",
        "withdrawn": "不办了，自己解决了",
        "again": "没有真正解决",
        "unfounded": "查无此事",
    },
    "en": {
        "talk": "spoke on the phone",
        "note": "went to see, arranging it",
        "done": "repaired",
        "how": "brought to the home",
        "rule": "village plan",
        "withdrawn": "settled by themselves",
        "again": "not really solved",
        "unfounded": "not found so",
    },
}


@dataclass(slots=True)
class Past:
    """The stage on which the past is played: a clock that may go back, and who is who."""

    rt: Runtime
    clock: ManualClock
    cast: Cast
    staff: Staff
    today: date
    lang: str
    rng: random.Random

    def person(self, name: str) -> Person:
        return self.staff.people[self.cast.people[name]]

    def says(self, key: str) -> str:
        return WORDS[self.lang][key]

    def back(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """That many calendar days ago, on the working day at or before, at an office hour."""
        office = self.rt.desk.office
        day = office.calendar.back(self.today - timedelta(days=days))
        return at(day, time(hour, minute), office.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One case to be: where it comes from and how far it has come."""

    status: str
    protocol: str
    category: str
    party: Neighbour
    handler: str
    age: int
    """Days since it came in."""


HANDLERS: Mapping[int, tuple[str, ...]] = {
    0: ("王敏", "黄志强"),
    1: ("杨秀清", "牛正"),
    2: ("宋小雨", "田耕"),
}

AGES: Mapping[str, tuple[int, int]] = {
    "registered": (0, 2),
    "accepted": (2, 6),
    "in_progress": (6, 40),
    "replied": (25, 45),
    "served": (30, 50),
    "closed": (45, 60),
    "completed": (150, 170),
    "withdrawn": (20, 60),
    "reopened": (60, 70),
}


def plots(past: Past) -> list[Plot]:
    """The cases of the data file, dealt out by the seed among residents with and without phones."""
    book, rng = county(), past.rng
    people_of = {u: [n for n in past.cast.neighbours if n.township == u] for u in past.cast.townships}
    found = []
    for status, count in book["cases"].items():
        for _ in range(count):
            index = rng.randrange(3)
            protocol = _weighted(rng, book["protocols"])
            if status in {"reopened", "completed", "in_progress"}:
                protocol = "ordinary"
            found.append(
                Plot(
                    status=status,
                    protocol=protocol,
                    category=_weighted(rng, book["categories"]),
                    party=rng.choice(people_of[past.cast.townships[index]][20:-1]),
                    handler=rng.choice(HANDLERS[index]),
                    age=rng.randint(*AGES[status]),
                )
            )
    return found


def _weighted(rng: random.Random, weights: Mapping[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


async def play(tx: Tx, past: Past, plot: Plot) -> int:
    """Play one case up to its present state; its number of the day it came in."""
    scene = _Scene(past, plot)
    await scene.register(tx)
    for act in _ACTS[plot.status]:
        await act(scene, tx)
    return scene.case_id


class _Scene:
    """One case on its way."""

    def __init__(self, past: Past, plot: Plot) -> None:
        self.past = past
        self.plot = plot
        self.by = Actor(person=past.person(plot.handler))
        self.case_id = 0

    def later(self, share: float) -> None:
        """Move the clock to a share of the way from the case's first day to now."""
        days = round(self.plot.age * (1 - share))
        self.past.clock.set(self.past.back(days, 10 + round(share * 5)))

    async def register(self, tx: Tx) -> None:
        past, plot = self.past, self.plot
        past.clock.set(past.back(plot.age, 9, past.rng.randrange(60)))
        handler = past.person(plot.handler)
        party = NewParty(name=plot.party.name, id=plot.party.id)
        new = NewCase(
            protocol=plot.protocol,
            parties=[party],
            category=plot.category,
            place=plot.party.village,
            unit_id=handler.unit_id,
            handler_id=handler.id,
        )
        self.case_id = (await cases.register(tx, past.rt.desk, self.by, new)).row.case.id

    async def accept(self, tx: Tx) -> None:
        self.later(0.03)
        await cases.contact(tx, self.past.rt.desk, self.by, self.case_id, self.past.says("talk"))
        await cases.accept(tx, self.past.rt.desk, self.by, self.case_id)

    async def note(self, tx: Tx) -> None:
        self.later(0.5)
        await cases.note(tx, self.past.rt.desk, self.by, self.case_id, self.past.says("note"))

    async def answer(self, tx: Tx) -> None:
        self.later(0.75 if self.plot.status in {"replied", "served"} else 0.6)
        good = self.past.rng.random() < 0.8
        outcome, reason = ("upheld", "done") if good else ("not_upheld", "unfounded")
        rule = "" if good else self.past.says("rule")
        says = self.past.says(reason)
        await cases.answer(tx, self.past.rt.desk, self.by, self.case_id, outcome, says, rule=rule)

    async def served(self, tx: Tx) -> None:
        self.later(0.8 if self.plot.status == "served" else 0.62)
        await cases.served(tx, self.past.rt.desk, self.by, self.case_id, self.past.says("how"))

    async def close(self, tx: Tx) -> None:
        self.later(0.64 if self.plot.status != "completed" else 0.3)
        await cases.close(tx, self.past.rt.desk, self.by, self.case_id)

    async def visits(self, tx: Tx) -> None:
        """Those return visits whose day has passed took place, and it held."""
        from reminder.store import entries as kept

        desk = self.past.rt.desk
        morning = self.past.back(0, 0)
        for _ in range(4):
            found = (await kept.of(tx, [self.case_id]))[self.case_id].values()
            due = [e for e in found if e.is_open and e.kind == "visit" and e.ends_at and e.ends_at < morning]
            if not due:
                return
            first = min(due, key=lambda e: e.ends_at or morning)
            assert first.ends_at is not None
            self.past.clock.set(first.ends_at)
            await entries.visited(tx, desk, self.by, first.id, "holds")

    async def reopen(self, tx: Tx) -> None:
        self.later(0.9)
        await cases.reopen(tx, self.past.rt.desk, self.by, self.case_id, self.past.says("again"))

    async def withdraw(self, tx: Tx) -> None:
        self.later(0.7)
        await cases.withdraw(tx, self.past.rt.desk, self.by, self.case_id, self.past.says("withdrawn"))


_Act = Callable[[_Scene, Tx], Awaitable[None]]
_WORKED: tuple[_Act, ...] = (_Scene.accept, _Scene.note)
_ANSWERED: tuple[_Act, ...] = (*_WORKED, _Scene.answer, _Scene.served)
_ACTS: Mapping[str, tuple[_Act, ...]] = {
    "registered": (),
    "accepted": (_Scene.accept,),
    "in_progress": _WORKED,
    "replied": (*_WORKED, _Scene.answer),
    "served": _ANSWERED,
    "closed": (*_ANSWERED, _Scene.close, _Scene.visits),
    "completed": (*_ANSWERED, _Scene.close, _Scene.visits),
    "withdrawn": (*_WORKED, _Scene.withdraw),
    "reopened": (*_ANSWERED, _Scene.close, _Scene.reopen),
}


# --- the story of the first morning ----------------------------------------------------------


async def story(tx: Tx, past: Past) -> None:
    """Wang Min has three visits and one thing late; Ms Li's visit is today, and she has agreed."""
    desk, rng = past.rt.desk, past.rng
    wang = past.person("王敏")
    by = Actor(person=wang)
    hewan = [n for n in past.cast.neighbours if n.township == wang.unit_id and n.number]
    li = await _li(tx, past)
    case = await _urgent_closed(tx, past, by, li, days=7)
    await _confirm_first_visit(tx, past, by, case)
    for neighbour, hour in zip(rng.sample(hewan[8:40], 2), (14, 16), strict=True):
        case = await _worked(tx, past, by, neighbour, days=12)
        past.clock.set(past.back(3, 15))
        plan = await entries.propose(tx, desk, by, case, Slot(day=past.today, start=time(hour)))
        visit = next(e for e in plan.entries.values() if e.milestone == "visit")
        past.clock.set(past.back(2, 11))
        await entries.confirm(tx, desk, by, visit.id)
    await _worked(tx, past, by, hewan[41], days=27)  # nobody has told them anything for too long: it is late


async def _li(tx: Tx, past: Past) -> Neighbour:
    from reminder.store import residents

    name = {"zh": "李女士", "en": "Ms Li"}[past.lang]
    village = {"zh": "河湾", "en": "Hewan"}[past.lang]
    number = "+12025550101"
    resident = await residents.add(tx, name=name, lang=past.lang, place=village)
    await residents.give_phone(tx, past.rt.desk.sealer, resident, number)
    li = Neighbour(id=resident, name=name, number=number, township=past.cast.townships[0], village=village)
    past.cast.neighbours.insert(0, li)
    return li


async def _register(tx: Tx, past: Past, by: Actor, party: Neighbour, protocol: str, category: str) -> int:
    assert by.person is not None
    new = NewCase(
        protocol=protocol,
        parties=[NewParty(name=party.name, id=party.id)],
        category=category,
        place=party.village,
        unit_id=by.person.unit_id,
        handler_id=by.person.id,
    )
    return (await cases.register(tx, past.rt.desk, by, new)).row.case.id


async def _urgent_closed(tx: Tx, past: Past, by: Actor, party: Neighbour, days: int) -> int:
    """Water was out, was repaired the next morning, answered, and closed so many days ago."""
    desk = past.rt.desk
    past.clock.set(past.back(days + 2, 9))
    case = await _register(tx, past, by, party, "urgent", "utilities")
    past.clock.set(past.back(days + 2, 9, 20))
    await cases.accept(tx, desk, by, case)
    await cases.contact(tx, desk, by, case, past.says("talk"))
    past.clock.set(past.back(days + 1, 9))
    await cases.answer(tx, desk, by, case, "upheld", past.says("done"))
    await cases.served(tx, desk, by, case, past.says("how"))
    past.clock.set(_at(past, days, 11))
    await cases.close(tx, desk, by, case)
    return case


def _at(past: Past, days: int, hour: int) -> datetime:
    """So many days ago to the day, so that a limit counted from then ends today."""
    return at(past.today - timedelta(days=days), time(hour), past.rt.desk.office.zone)


async def _confirm_first_visit(tx: Tx, past: Past, by: Actor, case: int) -> None:
    from reminder.store import entries as kept

    past.clock.set(past.back(2, 12))
    visit = (await kept.of(tx, [case]))[case]["rv1"]
    await entries.confirm(tx, past.rt.desk, by, visit.id)


async def _worked(tx: Tx, past: Past, by: Actor, party: Neighbour, days: int) -> int:
    desk = past.rt.desk
    past.clock.set(past.back(days, 9))
    case = await _register(tx, past, by, party, "ordinary", "land")
    past.clock.set(past.back(days, 10))
    await cases.contact(tx, desk, by, case, past.says("talk"))
    await cases.accept(tx, desk, by, case)
    return case


async def staff_of(tx: Tx) -> Staff:
    return await people.staff(tx)


Facts = Mapping[str, Any]
