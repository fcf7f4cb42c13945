"""The demo county as its database has it: two hundred cases, with totals that add up on any ordinary day."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from reminder.actions.check import violations
from reminder.actions.oversight import unreached
from reminder.demo.stage import Stage, staged
from reminder.domain.cases import Event, History, history
from reminder.domain.entries import Entry
from reminder.domain.people import Role
from reminder.domain.protocols import Bound, EntryKind
from reminder.store import cases, entries, people
from reminder.store import tables as t
from reminder.store.cases import CaseRow

MONDAY = date(2026, 11, 23)
DAYS = (MONDAY, date(2026, 12, 8), date(2025, 7, 7))
STATES = {
    "received": 6, "registered": 8, "referred": 9, "accepted": 12, "in_progress": 52, "deferred": 9,
    "replied": 11, "closed": 44, "completed": 33, "not_accepted": 6, "under_review": 4,
    "under_second_review": 1, "reopened": 5,
}  # fmt: skip
CATEGORIES = {
    "land": 34, "utilities": 28, "welfare": 30, "neighbours": 22, "errands": 20, "wages": 16, "village": 14,
    "environment": 14, "inquiry": 14, "education": 8,
}  # fmt: skip
PROTOCOLS = {"simple": 34, "ordinary": 118, "urgent": 34, "major": 14}


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """A case as it is kept."""

    row: CaseRow
    past: History
    entries: Mapping[str, Entry]

    @property
    def state(self) -> str:
        """A reopened case is in work again; that it was reopened is in its facts."""
        again = self.row.status == "in_progress" and self.past.last(Event.REOPEN) is not None
        return "reopened" if again else self.row.status

    def owed(self) -> list[tuple[date, Entry]]:
        """What binds the office and is open, with the day promised."""
        found = [e for e in self.entries.values() if e.is_open and e.bound is Bound.OFFICE]
        return [(e.promise_on or e.due_on or date.max, e) for e in found if e.kind is not EntryKind.NOTICE]


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    stage: Stage
    cases: Sequence[One]
    as_of: date

    def answers(self) -> list[date]:
        """Days by which answers are promised, of the cases that still owe one."""
        protocol_of = self.stage.rt.desk.protocol_of
        found: list[date] = []
        for one in self.cases:
            protocol = protocol_of(one.row)
            owed = [(day, protocol.milestone(e.milestone)) for day, e in one.owed()]
            days = [day for day, m in owed if m is not None and m.met_by[:1] == ("answer",)]
            assert len(days) <= 1, one.row.case.number
            found += days
        return found


@pytest.fixture(scope="module", params=DAYS, ids=str)
async def county(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[County]:
    folder: Path = tmp_path_factory.mktemp("county")
    async with staged(folder / "demo", lang="zh", as_of=request.param, seed=1, port=18_400) as stage:
        async with stage.rt.db.read() as tx:
            ids = await cases.ids(tx)
            rows, facts = await cases.many(tx, ids), await cases.facts(tx, ids)
            kept = await entries.of(tx, ids)
        found = []
        for i in ids:
            past = history(facts[i], direct_answer=rows[i].case.direct_answer)
            allowed = {f.id for f in past.facts}
            assert all(f.id in allowed for f in facts[i]), (
                f"{rows[i].case.number} tells what cannot have been"
            )
            found.append(One(row=rows[i], past=past, entries=kept[i]))
        yield County(stage=stage, cases=found, as_of=request.param)


async def test_two_hundred_cases_with_totals_that_add_up(county: County) -> None:
    states = Counter(one.state for one in county.cases)
    categories = Counter(one.row.case.category for one in county.cases)
    protocols = Counter(one.row.protocol for one in county.cases)
    assert states == STATES
    assert categories == CATEGORIES
    assert protocols == PROTOCOLS
    assert states.total() == categories.total() == protocols.total() == len(county.cases) == 200
    numbers = [one.row.case.number for one in county.cases]
    assert len(set(numbers)) == 200


async def test_the_clocks_of_the_county_stand_as_told(county: County) -> None:
    calendar, today = county.stage.rt.desk.office.calendar, county.as_of
    late = {one.row.case.number: day for one in county.cases for day, _ in one.owed() if day < today}
    assert len(late) == 7, late
    assert sum(calendar.working_between(day, today) > 5 for day in late.values()) == 1
    answers = county.answers()
    assert sum(day < today for day in answers) == 7, "what is late is an answer each time"
    coming = [day for day in answers if day >= today]
    soon = (today, calendar.add_working(today, 3), today + timedelta(days=7))
    assert tuple(sum(day <= until for day in coming) for until in soon) == (3, 9, 14)
    assert sum(bool(one.past.all(Event.EXTEND)) for one in county.cases) == 8
    assert sum(one.past.bounced >= 2 for one in county.cases) == 3
    low = [one for one in county.cases if any(f.value["score"] <= 2 for f in one.past.all(Event.SCORE))]
    assert len(low) == 6


async def test_answers_beyond_the_published_year_are_provisional_and_no_others(county: County) -> None:
    calendar = county.stage.rt.desk.office.calendar
    limits = [
        e for one in county.cases for e in one.entries.values() if e.milestone == "handle" and e.nominal_on
    ]
    beyond = [e for e in limits if e.nominal_on and not calendar.is_confirmed(e.nominal_on)]
    assert all(e.provisional for e in beyond)
    assert not any(e.provisional for e in limits if e.due_on and calendar.is_confirmed(e.due_on))
    if county.as_of >= MONDAY:
        assert len(beyond) > 10, "sixty days reach the next year from November on"


async def test_every_promise_is_kept_and_every_rung_reached(county: County) -> None:
    async with county.stage.rt.db.read() as tx:
        assert await violations(tx, county.stage.rt.desk) == []
        assert await unreached(tx, county.stage.rt.desk) == {}


async def test_who_works_and_who_lives_there(county: County) -> None:
    async with county.stage.rt.db.read() as tx:
        staff = await people.staff(tx)
        agents = staff.holding(Role.AGENT)
        assert (len(staff.people) - len(agents), len(agents)) == (30, 12)
        villages = {p.place for p in staff.postings}
        assert len(villages) == 12
        assert all(staff.posted(place, county.as_of) is not None for place in villages)
        assert {p.person_id for p in staff.postings if p.person_id in {a.id for a in agents}} == {
            a.id for a in agents
        }, "an agent in every village"
        count = sa.func.count
        total = (await tx.execute(sa.select(count()).select_from(t.residents))).scalar()
        homes = (await tx.execute(sa.select(count()).select_from(t.households))).scalar()
        with_phone = (await tx.execute(sa.select(count(t.holders.c.resident_id.distinct())))).scalar()
        held = sa.select(count().label("n")).select_from(t.holders).group_by(t.holders.c.phone_id).subquery()
        shared = (await tx.execute(sa.select(count()).select_from(held).where(held.c.n == 2))).scalar()
        crowded = (await tx.execute(sa.select(count()).select_from(held).where(held.c.n > 2))).scalar()
        out = (await tx.execute(sa.select(count()).select_from(t.opt_outs))).scalar()
        unread = sa.select(count()).select_from(t.residents).where(~t.residents.c.can_read)
        dialect = sa.select(count()).select_from(t.residents).where(t.residents.c.needs.contains("方言"))
        assert (total, homes, total - with_phone, shared, crowded, out) == (231, 180, 14, 11, 0, 9)
        assert ((await tx.execute(unread)).scalar(), (await tx.execute(dialect)).scalar()) == (21, 18)


async def test_a_villages_cases_are_with_its_cadre_or_with_the_unit_they_were_passed_to(
    county: County,
) -> None:
    async with county.stage.rt.db.read() as tx:
        staff = await people.staff(tx)
    for one in county.cases:
        handler = staff.people.get(one.row.handler_id or 0)
        if handler is None or one.past.all(Event.REFER) or one.row.case.number == "26000124":
            continue
        cadre = staff.posted(one.row.case.place, county.as_of)
        assert cadre is not None
        assert handler.id == cadre.id or one.row.handler_id == one.row.case.first_contact_id


ROAD = "26000124"
SERIES = ("rv1", "rv2", "rv3", "rv4", "rv5")


async def test_the_road_stands_in_the_county_with_its_dates(county: County) -> None:
    if county.as_of < MONDAY:
        pytest.skip("told on other days the story is moved by whole weeks")
    [road] = [one for one in county.cases if one.row.case.number == ROAD]
    kept, zone = road.entries, county.stage.rt.desk.office.zone

    def on(day: str) -> date:
        return date.fromisoformat(f"2026-{day}")

    assert [f.at.astimezone(zone).date() for f in road.past.all(Event.NOTE)[:2]] == [
        date(2019, 4, 11),
        date(2021, 9, 3),
    ]
    assert road.row.group_size == 37
    assert road.past.flags == {"repeated", "collective"}
    handle = kept["handle"]
    assert (handle.nominal_on, handle.due_on) == (on("05-31"), on("06-01")), "05-01 and thirty days"
    assert (kept["sponsor"].due_on, kept["joint1"].due_on, kept["site"].due_on) == (
        on("03-05"), on("03-17"), on("03-25"),
    )  # fmt: skip
    held = [kept[key].ended_at for key in ("joint_review", "joint_review.2", "joint_review.3")]
    assert [m.astimezone(zone).date() for m in held if m] == [on("03-17"), on("04-16"), on("05-15")]
    assert [kept[key].nominal_on for key in ("joint_next", "joint_next.2")] == [on("04-16"), on("05-16")]
    assert (kept["agreement"].due_on, kept["review_window"].nominal_on) == (on("06-11"), on("06-27"))
    assert kept["review_window"].due_on == on("06-29")
    first = [on("06-09"), on("07-02"), on("08-31"), on("11-29"), date(2027, 6, 2)]
    second = [on("08-24"), on("09-16"), on("11-15"), date(2027, 2, 13), date(2027, 8, 17)]
    for key in ("{}", "{}_other"):
        assert [kept[key.format(one)].nominal_on for one in SERIES] == first
        assert [kept[key.format(one) + ".2"].nominal_on for one in SERIES] == second
    done = kept["rv3.2"].ended_at
    assert done is not None
    assert (done.astimezone(zone).date(), kept["rv3.2"].note) == (on("11-12"), "partly")
    assert kept["rv4.2"].provisional
    assert road.row.status == "closed"
    assert [one for one in county.cases if ROAD in one.row.request and one.row.status == "in_progress"]
