"""Whatever people do, whenever, and whatever the network does: what must always hold holds of the database.

`OFFICE_STEPS=20000 pytest tests/flows/test_random_office.py` plays longer.
"""

import os
import random
from collections import Counter
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.actions import oversight
from reminder.actions.cases import NewCase, NewParty, register
from reminder.actions.check import Violation, violations
from reminder.actions.desk import Actor
from reminder.actions.replan import replan
from reminder.actions.whom import reached
from reminder.channels.memory import fail_before, lose, refuse, twice
from reminder.domain.cases import ENDED, Event, Status, history
from reminder.domain.entries import Entry
from reminder.domain.errors import ReminderError
from reminder.domain.messages import Refusal
from reminder.domain.people import Person
from reminder.domain.protocols import Bound, EntryKind, OffsetUnit
from reminder.domain.wanted import over
from reminder.domain.workdays import at, local_day
from reminder.store import cases, entries, inbox, people, reminders
from tests.dice import thrown
from tests.flows.deeds import DEEDS, turn_of
from tests.flows.random_office import ALLOWED, RandomOffice, fresh
from tests.office import STAFF, protocols

pytestmark = pytest.mark.sqlite
STEPS = int(os.environ.get("OFFICE_STEPS", "500"))
A_RUN = 50
PHONES = ("+12025550142", "+12025550143", "+12025550144")
BODIES = ("1", "2", "3", "0", "5", "停", "STOP", "退订", "START", "你好", "4", "1", "1")
MISHAPS = {
    "lost": lose,
    "lost after": lambda: lose(copies=1),
    "before": lambda: fail_before(timedelta(seconds=40)),
    "twice": twice,
    "stopped": lambda: refuse(Refusal.OPTED_OUT, "21610"),
}


MOST = 3
"""Cases of one office."""

WHO = ("zhou", "he", "lin", "chen", "yang")
WHAT = {
    "onward": 9,
    "about_entry": 6,
    "deed": 6,
    "time": 6,
    "text": 4,
    "outage": 1,
    "mishap": 2,
    "take_in": 2,
}
"""What happens, and how often."""

OF_ENTRIES = ("done", "done", "visited", "visited", "confirm", "move", "not_met", "ask_other_day", "decline")
FOR_ADMINS = {"archive", "protocol", "mark_day", "hand_over", "post"}
_WORK = (
    "answer",
    "answer",
    "contact",
    "note",
    "extend",
    "defer",
    "propose",
    "add",
    "flag",
    "sponsor",
    "pause",
)
_AFTER = ("archive", "visited", "reopen", "done")
ONWARD = {
    "received": ("accept",),
    "registered": ("accept", "accept", "refer", "propose", "accept", "contact", "answer", "assign"),
    "referred": ("acknowledge", "object", "contact"),
    "accepted": _WORK,
    "in_progress": _WORK,
    "deferred": ("resume", "answer", "defer", "unpause"),
    "replied": ("served", "contact", "close", "close", "ask_review", "reopen"),
    "under_review": ("review_result", "suspend", "contact"),
    "under_second_review": ("review_result", "suspend"),
    "closed": ("visited", "visited", "done", "ask_review", "reopen", "broken", "confirm"),
    **dict.fromkeys(
        ("completed", "not_accepted", "concluded", "withdrawn"), ("archive", "visited", "reopen")
    ),
    **dict.fromkeys(("merged", "archived", "erased", "void"), ("contact", "note", "undo")),
}
"""What can come next, by the state of a case."""


@dataclass
class Played:
    steps: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent: int = 0
    rungs: int = 0


class History:
    """What happens to an office, its people, its residents and the network."""

    def __init__(self, office: RandomOffice, played: Played) -> None:
        self.played = played
        self.office = office
        self.staff: Mapping[str, Person] = self.run(self._staff())
        self.letters = 0
        self.marked: datetime = self.office.clock.now()

    def run(self, work: Awaitable[Any]) -> Any:
        async def whole() -> Any:
            return await work

        return self.office.loop.run_until_complete(whole())

    def end(self) -> None:
        self.run(self.office.settle())
        assert self.run(self._violations()) == []
        self.played.sent += len(self.office.sms.ledger) + len(self.office.chat.ledger)

    async def _violations(self) -> list[Violation]:
        async with self.office.rt.db.read() as tx:
            return await violations(tx, self.office.rt.desk)

    async def _staff(self) -> dict[str, Person]:
        async with self.office.rt.db.read() as tx:
            found = (await people.staff(tx)).people.values()
        return {key: next(p for p in found if p.name == who.name) for key, who in STAFF.items()}

    # --- what happens ----------------------------------------------------------------------------

    def happens(self, what: str, which: int, way: int, turn: int) -> None:
        """One thing; the numbers say to which case, and how."""
        getattr(self, what)(which, way, turn)

    def take_in(self, which: int, way: int, turn: int) -> None:
        """Another matter comes in; when there are enough, a day passes."""
        if len(self.run(self._ids())) == MOST:
            self._time(timedelta(days=1))
            return
        keys = sorted(protocols())
        handler = ("chen", "wang", "", "lin")[way % 4]
        self.run(self._take_in(keys[turn % len(keys)], handler, phone=which, way=way))
        self._checked("take_in")

    def deed(self, which: int, way: int, turn: int) -> None:
        """Somebody tries something, which may be refused."""
        names = sorted(DEEDS)
        self.act(names[turn % len(names)], WHO[way % len(WHO)], which, way)

    def onward(self, which: int, way: int, turn: int) -> None:
        """Somebody who may does what can come next."""
        names = ONWARD[self.run(self._status(which))]
        self.act(names[turn % len(names)], "zhou", which, way)

    def about_entry(self, which: int, way: int, turn: int) -> None:
        self.act(OF_ENTRIES[turn % len(OF_ENTRIES)], "zhou", which, way)

    def time(self, _which: int, _way: int, turn: int) -> None:
        self._time(timedelta(hours=(1, 5, 26, 50, 74, 170)[turn % 6]))

    def outage(self, _which: int, _way: int, turn: int) -> None:
        """Nothing runs for a while; then everything does at once."""
        self.office.clock.advance(timedelta(hours=(2, 30, 200)[turn % 3]))
        self._time(timedelta(hours=1))

    def text(self, which: int, way: int, turn: int) -> None:
        """A resident writes; the provider may deliver it twice."""
        again = way % 4 == 0
        self.letters += not again
        number, body = PHONES[which % len(PHONES)], BODIES[turn % len(BODIES)]
        self.run(self._hear(number, body, f"SM{self.letters}"))
        self._checked("text again" if again else "text")

    def mishap(self, _which: int, way: int, turn: int) -> None:
        """What becomes of the next message."""
        name = sorted(MISHAPS)[turn % len(MISHAPS)]
        if way % 2:
            self.office.sms.script.append(MISHAPS[name]())
        elif name != "stopped":
            self.office.chat.script.append(MISHAPS[name]())
        self._checked(f"mishap {name}")

    # --- how -------------------------------------------------------------------------------------

    async def _ids(self) -> list[int]:
        async with self.office.rt.db.read() as tx:
            return await cases.ids(tx)

    async def _take_in(self, protocol: str, handler: str, *, phone: int, way: int) -> None:
        first = NewParty(name="李女士", phones=PHONES[phone : phone + 1])
        other = NewParty(name="赵先生", phones=PHONES[-1:], role="counterpart", lang="en")
        person, yang = self.staff.get(handler), self.staff["yang"]
        new = NewCase(
            protocol=protocol,
            parties=(first, other) if way % 2 else (first,),
            place="河湾村",
            category="land",
            request="修路",
            unit_id=yang.unit_id,
            handler_id=person.id if person else None,
            confidential=way % 7 == 0,
        )
        async with self.office.rt.db.write() as tx:
            await register(tx, self.office.rt.desk, Actor(person=yang), new)

    async def _status(self, which: int) -> str:
        async with self.office.rt.db.read() as tx:
            ids = await cases.ids(tx)
            case_id = ids[which % len(ids)]
            return (await cases.many(tx, [case_id]))[case_id].status

    def act(self, name: str, who: str, which: int, way: int) -> None:
        who = "he" if name in FOR_ADMINS else who
        self.office.clock.advance(timedelta(seconds=(1, 1, 40, 4000)[way % 4]))
        done = self.run(self._deed(name, who, which, way))
        if done and name == "mark_day":
            self.marked = self.office.clock.now() + timedelta(days=1)
        self._checked(name, done=done)

    async def _deed(self, name: str, who: str, which: int, way: int) -> bool:
        rt, ids = self.office.rt, await self._ids()
        case_id = ids[which % len(ids)]
        others = [i for i in ids if i != case_id]
        try:
            async with rt.db.write() as tx:
                by = Actor(person=self.staff[who])
                turn = await turn_of(tx, rt.desk, by, case_id, others, self.staff, way)
                work = DEEDS[name](turn)
                if work is None:
                    return False
                await work
        except ReminderError:
            self.played.refused[name] += 1
            return False
        return True

    def _time(self, delta: timedelta) -> None:
        self.run(self.office.until(self.office.clock.now() + delta))
        self._checked("time")
        self.run(self._climbs())

    async def _hear(self, number: str, body: str, sid: str) -> None:
        rt, now = self.office.rt, self.office.clock.now()
        content = {"from": number, "to": rt.desk.sender, "body": body}
        async with rt.db.write() as tx:
            await inbox.keep(tx, rt.desk.sealer, source="sms", external_id=sid, content=content, at=now)
        await self.office.settle()
        async with rt.db.read() as tx:
            assert await inbox.waiting(tx, rt.desk.sealer, 5) == [], "a letter nobody could deal with"

    # --- what must hold --------------------------------------------------------------------------

    def _checked(self, what: str, *, done: bool = True) -> None:
        self.played.steps += 1
        self.played.deeds[what] += done
        self._conserved()
        self.run(self._sound())

    def _conserved(self) -> None:
        """I-5: along the allowed graph only, nothing lost, and nothing touched once it has ended."""
        for reminder, old, new in self.office.transitions():
            assert (old, new) in ALLOWED, (reminder, old, new)
            self.played.moves[old, new] += 1

    async def _sound(self) -> None:
        rt = self.office.rt
        async with rt.db.read() as tx:
            ids = await cases.ids(tx)
            rows, facts, kept = (
                await cases.many(tx, ids),
                await cases.facts(tx, ids),
                await entries.of(tx, ids),
            )
            agenda = await entries.agenda(tx, [e.id for found in kept.values() for e in found.values()])
        for case_id in ids:
            row, found = rows[case_id], kept[case_id]
            past = history(facts[case_id], direct_answer=row.case.direct_answer)
            self.played.states[past.status.value] += 1
            assert row.status == past.status
            self._every_deed_told(past, facts[case_id])
            assert not over(past, rt.desk.protocol_of(row), found.values()), "over, and nobody says so"
            if Status(row.status) in ENDED:
                continue
            assert row.responsible_id is not None
            alive = [e for e in found.values() if e.keeps_case_alive]
            assert alive, (row.case.protocol, row.status)
            assert all(e.id in agenda for e in alive), alive
        await self._rests(ids)

    def _every_deed_told(self, past: Any, facts: Any) -> None:
        """What an action took is in the history: it is refused in words, or it has its effect."""
        lost = [f for f in facts if f not in past.facts and f.event is not Event.RECEIVE]
        assert not lost, (past.status, lost)

    async def _rests(self, ids: list[int]) -> None:
        """I-10: planning again changes nothing."""
        async with self.office.rt.db.write() as tx:
            attempt = await tx.begin_nested()
            for case_id in ids:
                plan = await replan(tx, self.office.rt.desk, case_id)
                assert not plan.change, plan.change
            await attempt.rollback()

    async def _climbs(self) -> None:
        """I-19: of all that is late each rung that has come is a row, or is reported to reach nobody."""
        rt, now = self.office.rt, self.office.clock.now()
        async with rt.db.read() as tx:
            staff, silent = await people.staff(tx), await oversight.unreached(tx, rt.desk)
            ids = await cases.ids(tx)
            rows, kept, facts = (
                await cases.many(tx, ids),
                await entries.of(tx, ids),
                await cases.facts(tx, ids),
            )
            for case_id in ids:
                row = rows[case_id]
                since = max([self.marked, *(f.recorded_at for f in facts[case_id])])
                for entry in kept[case_id].values():
                    if not self._late(entry, now) or Status(row.status) in ENDED:
                        continue
                    told = await reminders.some(tx, reminders.t.reminders.c.entry_id == entry.id)
                    days = {(local_day(r.due_at, rt.desk.office.zone), r.revision) for r in told}
                    for day, roles in self._rungs(row, entry, since, now):
                        there = [p for role in roles for p in reached(role, row, staff, entry, day=day)]
                        said = all(row.case.number in silent.get(role.value, ()) for role in roles)
                        assert (day, entry.revision) in days or (not there and said), (entry, day, roles)
                        self.played.rungs += 1

    def _late(self, entry: Entry, now: datetime) -> bool:
        base = entry.promise_on or entry.due_on
        today = local_day(now, self.office.rt.desk.office.zone)
        office = entry.bound is Bound.OFFICE and entry.kind is not EntryKind.NOTICE
        return entry.is_open and office and base is not None and base < today

    def _rungs(self, row: Any, entry: Entry, since: datetime, now: datetime) -> Iterator[tuple[Any, Any]]:
        desk = self.office.rt.desk
        protocol = desk.protocol_of(row)
        office, milestone = desk.office_for(protocol), protocol.milestone(entry.milestone)
        base = entry.reasoned_on or entry.promise_on or entry.due_on
        for step in milestone.steps if milestone is not None else ():
            offset = step.offset
            if step.resident or offset is None or offset.unit is not OffsetUnit.WD or offset.amount <= 0:
                continue
            assert base is not None
            day = office.calendar.add_working(base, offset.amount)
            moment = at(day, offset.at or office.digest_at, office.zone)
            if max(since, entry.since) < moment <= now:
                yield day, step.roles


Step = tuple[str, int, int, int]


def a_step(dice: random.Random) -> Step:
    (what,) = dice.choices(list(WHAT), weights=WHAT.values())
    return what, dice.randrange(MOST), dice.randrange(61), dice.randrange(201)


_ANSWERED = ("accept", "commit", "contact", "answer", "served")
BEGINNINGS = ((), ("accept",), _ANSWERED, (*_ANSWERED, "close"), (*_ANSWERED, "ask_review"))
"""How far the first case has come when the story begins."""

PROTOCOLS = [sorted(protocols()).index(key) for key in ("ordinary", "major", "urgent")]


def play(template: Path, begins: int, steps: list[Step], played: Played) -> None:
    story = History(RandomOffice(template, template.with_name("played.db")), played)
    try:
        story.take_in(0, 4, PROTOCOLS[begins % len(PROTOCOLS)])
        for name in BEGINNINGS[begins % len(BEGINNINGS)]:
            story.act(name, "zhou", 0, 4)
        for step in steps:
            story.happens(*step)
        story.end()
    finally:
        story.office.close()


def test_whatever_happens_to_a_real_office_what_must_hold_holds(tmp_path: Path) -> None:
    """I-1, I-5, I-6, I-10 and I-19 of the program itself, on a real file, with the jobs it really runs."""
    played, template = Played(), fresh(tmp_path)

    @settings(
        max_examples=1 + STEPS // A_RUN,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 14), thrown(A_RUN, a_step))
    def run(begins: int, steps: list[Step]) -> None:
        play(template, begins, steps, played)

    run()
    assert played.steps >= STEPS * 0.9
    never = [name for name in DEEDS if not played.deeds[name]]
    assert len(never) <= (0 if STEPS >= 5000 else len(DEEDS) // 3), never
    assert played.sent >= STEPS / 2
    assert played.rungs >= STEPS / 10
    always, often = {"planned", "sending", "sent", "merged"}, {"cancelled", "uncertain"}
    assert {new for _, new in played.moves} >= always | (often if STEPS >= 5000 else set())
