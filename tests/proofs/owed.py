"""What people were owed by now, and who knows of what they did not get: I-7 and I-19, by facts and dates.

The plan of each moment is made anew from the facts that were known at it; neither the agenda nor the jobs
are asked. What should have been told then is looked for among the reminders.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from reminder.actions.desk import Desk
from reminder.actions.oversight import Rungs, unreached
from reminder.actions.overview import MOST
from reminder.actions.reminding import NEEDS_A_PERSON, on_side
from reminder.actions.replan import under
from reminder.actions.whom import reached
from reminder.domain.cases import Event, Fact, Status, history
from reminder.domain.entries import Entry, Wanted
from reminder.domain.people import Staff
from reminder.domain.planning import DAILY, MOVED, DueStep, steps
from reminder.domain.protocols import Bound, EntryKind
from reminder.domain.reminders import State
from reminder.domain.wanted import wanted
from reminder.domain.workdays import local_day
from reminder.store import cases, entries, people, reminders
from reminder.store import tables as t
from reminder.store.cases import CaseRow
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

SOON = timedelta(hours=1)
"""What is decided so soon after a step fell due may have come before its row."""

Idle = Callable[[datetime], datetime]
"""Until when nobody could work, of a moment; the moment itself, if somebody could."""


@dataclass(kw_only=True)
class Owed:
    """What fell due in a time, and what of it nobody was to hear."""

    steps: int = 0
    rungs: int = 0
    """Of those: of the ladder over what is late."""
    lost: list[tuple[str, str, str, datetime]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A case as it stands, and what was written about it."""

    desk: Desk
    row: CaseRow
    facts: list[Fact]
    kept: Mapping[str, Entry]
    sides: Mapping[int, str]
    told: list[Reminder]
    staff: Staff
    silent: Rungs

    def due(self, since: datetime, until: datetime, idle: Idle) -> Iterator[tuple[Wanted, DueStep]]:
        """Each step at the moment it fell due, by what was known then, unless it was overtaken at once."""
        learnt = sorted({fact.recorded_at for fact in self.facts})
        first = max(bisect_right(learnt, since) - 1, 0)
        known = set(self.plan(learnt[first - 1])[0]) if first else set[str]()
        for moment, following in pairwise([*learnt[first:], None]):
            assert moment is not None
            if moment > until:
                return
            plan, steps_of = self.plan(moment)
            for key, entry in plan.items():
                start = max(since, moment if key in known else entry.since)
                for step in steps_of(entry, until if following is None else min(following, until)):
                    overtaken = following is not None and following <= idle(step.at) + SOON
                    if start <= step.at and not overtaken:
                        yield entry, step
            known = set(plan)

    def plan(
        self, moment: datetime
    ) -> tuple[dict[str, Wanted], Callable[[Wanted, datetime], Iterator[DueStep]]]:
        """The entries as they followed from what was known at a moment, and their steps up to another."""
        facts = [fact for fact in self.facts if fact.recorded_at <= moment]
        past = history(facts, direct_answer=self.row.case.direct_answer)
        protocol = self.desk.protocol_of(under(self.row, past))
        office = self.desk.office_for(protocol)

        def of(entry: Wanted, until: datetime) -> Iterator[DueStep]:
            for step in steps(entry, protocol.milestone(entry.milestone), office, until=until):
                if step.at < until:
                    yield step

        return wanted(past, protocol, office), of

    def written(self, entry: Wanted, step: DueStep) -> bool:
        """A row of the step, or of a more urgent one to the same people that day, or nobody to tell."""
        kept, zone = self.kept[entry.key], self.desk.office.zone
        day = local_day(step.at, zone)
        mine = [row for row in self.told if row.entry_id == kept.id]
        if any(row.step == step.key for row in mine):
            return True
        if step.resident:
            if any(row.step == MOVED for row in mine):
                return True  # whoever heard of an earlier day
            return not any(on_side(step, side) for side in self.sides.values())
        if step.kind is not None and any(
            row.kind == step.kind and local_day(row.due_at, zone) == day for row in mine
        ):
            return True
        there = [p for role in step.roles for p in reached(role, self.row, self.staff, kept, day=day)]
        return not there and (not rung(entry, step, day) or self.said(step))

    def said(self, step: DueStep) -> bool:
        """Those who watch over the office read that a rung reaches nobody."""
        return all(self.row.case.number in self.silent.get(role.value, ()) for role in step.roles)


def rung(entry: Wanted, step: DueStep, day: object) -> bool:
    """Whether a step is one of the ladder over what is late."""
    base = entry.promise_on or entry.due_on
    late = entry.bound is Bound.OFFICE and entry.kind is not EntryKind.NOTICE and base is not None
    return late and day > base and not step.resident and not step.key.startswith(DAILY)  # type: ignore[operator]


async def owed(tx: Tx, desk: Desk, since: datetime, until: datetime, idle: Idle) -> Owed:
    """Everything that fell due in a time, whose row must be there by now."""
    ids, found = await cases.ids(tx), Owed()
    rows, facts, kept = await cases.many(tx, ids), await cases.facts(tx, ids), await entries.of(tx, ids)
    sides, parties = await cases.sides(tx, ids), await cases.parties(tx, ids)
    staff, silent = await people.staff(tx), await unreached(tx, desk)
    for case_id in ids:
        row = rows[case_id]
        if row.status == Status.ERASED:
            continue
        lately = t.reminders.c.due_at >= since - 2 * SOON
        told = await reminders.some(tx, t.reminders.c.case_id == case_id, lately, limit=MOST)
        one = _Case(
            desk=desk,
            row=row,
            facts=facts[case_id],
            kept=kept[case_id],
            sides={who: side for who, side in sides[case_id].items() if who in parties[case_id]},
            told=told,
            staff=staff,
            silent=silent,
        )
        for entry, step in one.due(since, until, idle):
            if entry.key not in one.kept or entry.detail.get("session"):
                continue
            found.steps += 1
            found.rungs += rung(entry, step, local_day(step.at, desk.office.zone))
            if not one.written(entry, step):
                found.lost.append((row.case.number, entry.key, step.key, step.at))
    return found


UNHEARD = frozenset({State.UNDELIVERED, State.FAILED, State.DEAD, State.MISSED})


async def untold(tx: Tx, ended: Iterable[Reminder], received: Collection[str]) -> list[Reminder]:
    """Texts that did not reach their resident, and that nobody has been asked to tell otherwise."""
    owed = [row for row in ended if _owed_to_a_person(row, row.key in received)]
    facts = await cases.facts(tx, sorted({row.case_id for row in owed if row.case_id is not None}))
    tasks = {f.subject for of_case in facts.values() for f in of_case if f.event is Event.TASK}
    return [row for row in owed if f"tell.{row.id}" not in tasks]


def _owed_to_a_person(row: Reminder, received: bool) -> bool:
    if row.resident_id is None or row.case_id is None or row.key.startswith("reply:"):
        return False
    barred = row.state is State.SUPPRESSED and row.reason in NEEDS_A_PERSON
    return row.state in UNHEARD or barred or (row.state is State.UNKNOWN and not received)
