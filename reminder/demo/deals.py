"""The county's two hundred cases: dealt out from the data file by the seed, oldest numbers first."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from reminder.demo.drive import Drive
from reminder.demo.histories import Past, Story
from reminder.demo.morning import SPECIAL, morning
from reminder.demo.people import CADRE, Neighbour, county, matters, texted
from reminder.demo.road import FIRST, SERIAL, Road, linked, shift
from reminder.demo.standings import Standing, stand
from reminder.domain.numbers import case_number
from reminder.domain.people import Role
from reminder.domain.protocols import Bound, EntryKind
from reminder.domain.workdays import local_day
from reminder.store.database import Tx

ROADS = (("closed", "major", "land"), ("in_progress", "ordinary", "land"))
"""The road through farmland, and the drain that was asked for after it."""

ELSEWHERE = ("the road", "one of those due today")
"""Cases with more time that are not among those dealt with only that in mind."""

QUIET = timedelta(days=2)
"""The story's cadre has nothing else to see to until so long after the first morning."""


async def county_cases(tx: Tx, past: Past, drive: Drive) -> None:
    """Every case into the database; what happens on the day before waits in the clock's plan."""
    stories = [*morning(past)]
    road = _road(past)
    stories += [road, linked(past, _of(past, "上坪")[5], _number(past, FIRST.year, SERIAL))]
    dealer = _Dealer(past)
    stories += [dealer.story(standing) for standing in standings(past)]
    _numbered(past, stories, road)
    for story in sorted(stories, key=lambda s: s.number):
        await story.write(tx, drive)


def _of(past: Past, village: str) -> list[Neighbour]:
    """People of a village (by its name in the data file) who have a phone of their own."""
    [name] = [v[past.lang] for t in county()["township"] for v in t["villages"] if v["zh"] == village]
    return [n for n in texted(past.cast) if n.village == name]


def _road(past: Past) -> Story:
    return Road(past, _of(past, "河湾"), _of(past, "上坪")).told()


def _number(past: Past, year: int, serial: int) -> str:
    return case_number(year + (FIRST + shift(past.as_of)).year - FIRST.year, serial)


def _numbered(past: Past, stories: list[Story], road: Story) -> None:
    """By year, in the order in which they came; the road keeps the number the story gives it."""
    zone = past.rt.desk.office.zone
    road.number = _number(past, FIRST.year, SERIAL)
    serials: dict[int, int] = {}
    for story in sorted(stories, key=lambda s: s.opened):
        if story is road:
            continue
        year = local_day(story.opened, zone).year
        serials[year] = serials.get(year, 0) + 1
        if case_number(year, serials[year]) == road.number:
            serials[year] += 1
        story.number = case_number(year, serials[year])


# --- who stands where ------------------------------------------------------------------------


def standings(past: Past) -> Iterator[Standing]:
    """What is left of the data file's table once the story's own cases are taken out of it."""
    left = {(s, p): n for s, row in matters()["standing"].items() for p, n in row.items()}
    mix = {protocol: dict(row) for protocol, row in matters()["mix"].items()}
    for status, protocol, category in (*SPECIAL, *ROADS):
        left[status, protocol] -= 1
        mix[protocol][category] -= 1
    for protocol, counts in mix.items():
        categories = _shuffled(past, protocol, counts)
        for status in matters()["standing"]:
            for number in range(left.get((status, protocol), 0)):
                yield _standing(past, status, protocol, categories.pop(0), number)


def _shuffled(past: Past, protocol: str, mix: Mapping[str, int]) -> list[str]:
    """Inquiries are answered within a day, so the simple matters still open are none."""
    found = [category for category, n in mix.items() for _ in range(n)]
    kept = 5 if protocol == "simple" else 0
    rest = found[kept:]
    past.rng.shuffle(rest)
    return [*found[:kept], *rest]


def _standing(past: Past, status: str, protocol: str, category: str, number: int) -> Standing:
    more: dict[str, Any] = {}
    scores = matters()["clocks"]["low_scores"]
    scored = {"closed": "ordinary", "completed": "urgent", "reopened": "ordinary"}
    if scored.get(status) == protocol and number < scores[status]:
        more["score"] = 1 + number % 2
    if (status, protocol) == ("in_progress", "ordinary"):
        more |= _clock(past, number + 1)
    elif (status, protocol) == ("completed", "simple") and number < SERIAL - 1:
        more["opened"] = FIRST + shift(past.as_of) - timedelta(days=4 + 5 * number)
    return Standing(status=status, protocol=protocol, category=category, number=number, **more)


def _clock(past: Past, number: int) -> dict[str, Any]:
    """Of an ordinary case in work: which of the county's clocks it is. The first is the story's own."""
    clocks = matters()["clocks"]
    late, today, week = clocks["overdue"], clocks["today"], clocks["this_week"]
    if number < len(late):
        return {"due": past.wd(-late[number])}
    number -= len(late)
    if number < today:
        return {"due": past.as_of, "extended": number == 0}
    number -= today
    if number < week:
        return {"due": _this_week(past)}
    number -= week
    if number < clocks["extended"] - len(ELSEWHERE):
        return {"extended": True}
    return {"bounced": number - clocks["extended"] + len(ELSEWHERE) < clocks["bounced"]}


def _this_week(past: Past) -> date:
    """The last working day within seven days, which in most weeks lies after the third."""
    return past.rt.desk.office.calendar.back(past.as_of + timedelta(days=7))


# --- who it is about, and who carries it -----------------------------------------------------


class _Dealer:
    """Gives every standing a resident and a cadre."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.people = texted(past.cast)
        self.all = past.cast.neighbours[:-1]
        self.count = 0

    def story(self, where: Standing) -> Story:
        for _ in range(40):
            story = stand(self._begun(where), where)
            if story.handler.id != self.past.cast.people[CADRE] or _is_quiet(story):
                return story
        raise AssertionError(f"nobody can carry {where}")

    def _begun(self, where: Standing) -> Story:
        self.count += 1
        party = self._party(where)
        handler = self._handler(where, party)
        desk = next(p for p in self.past.staff.holding(Role.INTAKE) if p.unit_id == party.township)
        others = []
        if where.protocol == "major" and where.category == "neighbours":
            near = [n for n in self.people if n.village == party.village and n is not party]
            others = [(self.past.rng.choice(near), "counterpart")]
        return Story(
            past=self.past,
            handler=handler,
            party=party,
            protocol="ordinary" if where.protocol == "major" else where.protocol,
            category=where.category,
            first_contact=desk.id if self.count % 2 or where.status in _AT_THE_DESK else handler.id,
            others=others,
        )

    def _party(self, where: Standing) -> Neighbour:
        """Of those whose matter is still open most have a phone; without one somebody has to go there."""
        anybody = self.count % 6 == 0 and where.status not in _TEXTED
        party = self.past.rng.choice(self.all if anybody else self.people)
        hers = self.past.cast.cadres[party.village] == self.past.cast.people[CADRE]
        if hers and (where.due is not None or anybody or where.status in _TEXTED):
            return self._party(where)
        return party

    def _handler(self, where: Standing, party: Neighbour) -> Any:
        past = self.past
        if where.status in _AT_THE_DESK:
            return next(p for p in past.staff.holding(Role.INTAKE) if p.unit_id == party.township)
        passed_on = where.status in {"in_progress", "closed"} and where.number % 3 == 2
        if where.protocol == "ordinary" and (where.bounced or passed_on) and where.due is None:
            head = past.staff.head(past.cast.units[matters()["matter"][where.category]["unit"]])
            assert head is not None
            return head
        return past.staff.people[past.cast.cadres[party.village]]


_AT_THE_DESK = frozenset({"received", "referred"})
_TEXTED = frozenset({"received", "registered", "referred", "replied", "reopened"})
"""States in which texts go out on the day that is played before the morning."""


def _is_quiet(story: Story) -> bool:
    """Whether nothing about it stirs around the first morning."""
    past = story.past
    until = past.as_of + QUIET
    for entry in story.planned().values():
        day = entry.promise_on or entry.due_on
        binds = entry.bound is Bound.OFFICE or entry.kind is EntryKind.VISIT
        if (
            entry.is_open
            and entry.kind is not EntryKind.NOTICE
            and binds
            and day is not None
            and day <= until
        ):
            return False
    return not any(fact.at >= past.on(past.wd(-1), 0) for fact in story.facts)
