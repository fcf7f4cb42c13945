"""Rows of a ledger as facts of cases: what they say happened, on the days they say, told to nobody."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from reminder.actions import record as deeds
from reminder.actions.agenda import look_ahead
from reminder.actions.cases import NewCase, NewParty, take_in
from reminder.actions.desk import Actor, Desk
from reminder.actions.replan import Standing, bring_in_line, standing
from reminder.domain.cases import Event, Fact, Status
from reminder.domain.errors import Refused
from reminder.domain.limits import Unit
from reminder.domain.people import Staff
from reminder.domain.wanted import over
from reminder.domain.workdays import at
from reminder.ledger.reading import Record
from reminder.store import cases, imports, people
from reminder.store.database import Tx

QUIET = {"quiet": True}
HOUR = time(9)
"""A ledger knows days only; what it dates counts as of this hour."""


async def apply_rows(
    tx: Tx, desk: Desk, by: Actor, rows: Sequence[Record], *, unread: Collection[tuple[str, int]]
) -> None:
    """Write rows, all or none of them; one known before only adds what is new in it.

    `unread`: sheet and row of those with a cell that nobody could read.
    """
    staff = await people.staff(tx)
    said: dict[int, Record] = {}
    before: list[int] = []
    for row in rows:
        known = await imports.case_of(tx, row.key)
        if known is not None and known[1] == row.row_hash:
            continue
        if known is not None:
            case_id = known[0]
            before.append(case_id)
            await imports.forget(tx, row.key)
        else:
            case_id = await _new(tx, desk, by, row, staff)
        said[case_id] = row
        await imports.keep(tx, row.key, case_id, row.row_hash, desk.clock.now())
    already = await cases.facts(tx, before) if before else {}
    facts = {no: _Facts(tx, desk, by, row, no, already.get(no)) for no, row in said.items()}
    for case_id, row in said.items():
        await facts[case_id].add(staff, unread=case_id not in already and (row.sheet, row.row) in unread)
    await _planned(tx, desk, facts, staff)


async def _planned(tx: Tx, desk: Desk, facts: dict[int, "_Facts"], staff: Staff) -> None:
    """The calendar follows, for all of them at once, when each case has said what comes of its facts."""
    stand = await _standing(tx, desk, list(facts))
    for what_follows in (_Facts.unclear, _Facts.complete):
        more = [no for no in facts if await what_follows(facts[no], stand[no])]
        stand |= await _standing(tx, desk, more)
    plans = await bring_in_line(tx, desk, stand, staff, indexed=False)
    await look_ahead(tx, desk, [(plan.row, plan.entries) for plan in plans.values()])


async def _standing(tx: Tx, desk: Desk, case_ids: Sequence[int]) -> dict[int, Standing]:
    return await standing(tx, desk, await cases.lock_many(tx, case_ids)) if case_ids else {}


async def _new(tx: Tx, desk: Desk, by: Actor, row: Record, staff: Staff) -> int:
    if row.received_on is None:
        raise Refused("import.why.no_received_on")
    handler = _by_name(staff, row.handler)
    party = NewParty(
        name=row.party or desk.templates.word("anonymous", desk.office.lang),
        phones=[p for p in row.phones if p not in row.landlines],
        landlines=row.landlines,
    )
    new = NewCase(
        protocol=_protocol(desk, row),
        parties=[party],
        category=row.category or "other",
        place=row.place,
        request=row.request,
        channel=row.channel,
        unit_id=_unit(staff, row.unit) or (staff.people[handler].unit_id if handler else None),
        handler_id=handler,
        imported=True,
        group_size=row.group_size or 1,
        received_at=_at(desk, row.received_on),
    )
    made, _ = await take_in(tx, desk, by, new)
    return made.case.id


def _protocol(desk: Desk, row: Record) -> str:
    """A limit in hours is an urgent matter; everything else is handled as an ordinary one."""
    hours = row.due_limit is not None and row.due_limit.unit in {Unit.HOUR, Unit.MINUTE}
    return "urgent" if hours and "urgent" in desk.protocols else "ordinary"


def _by_name(staff: Staff, name: str) -> int | None:
    found = [p.id for p in staff.people.values() if p.active and p.name == name]
    return found[0] if len(found) == 1 else None


def _unit(staff: Staff, name: str) -> int | None:
    return next((unit.id for unit in staff.units.values() if unit.name == name), None)


def _at(desk: Desk, day: date) -> datetime:
    return min(at(day, HOUR, desk.office.zone), desk.clock.now())


class _Facts:
    """Adds to a case what its row says and its history does not yet."""

    def __init__(
        self, tx: Tx, desk: Desk, by: Actor, row: Record, case_id: int, already: Sequence[Fact] | None
    ) -> None:
        """`already`: None for a case that this row has just made."""
        self.tx = tx
        self.desk = desk
        self.by = by
        self.row = row
        self.case_id = case_id
        self.deed: int | None = None
        self.is_new = already is None
        self.known = {(f.event.value, _mark(f.value)) for f in already or ()}
        self.new: list[Fact] = []

    async def add(self, staff: Staff, *, unread: bool) -> None:
        self.deed = await deeds.begin(self.tx, self.desk, self.by, self.case_id, "import")
        self._work(staff)
        self._answer()
        if unread:
            self.fact(Event.TASK, self.desk.clock.now(), "unread", what="intake_unread", role="intake")
        await self._write()

    async def unclear(self, stand: Standing) -> bool:
        """A case under way in which nothing is owed, or that nobody handles, says so; whether it is news."""
        ended = stand.past.status in {Status.CLOSED, Status.COMPLETED, Status.WITHDRAWN}
        alive = any(entry.keeps_case_alive for entry in stand.should.values())
        if ended or (alive and stand.past.handler_id is not None):
            return False
        self.fact(Event.FACT, self.desk.clock.now(), name="imported_unclear")
        return await self._write()

    async def complete(self, stand: Standing) -> bool:
        """A closed case in which nothing is owed any more is completed, in the deed that ended it."""
        if not over(stand.past, stand.protocol, stand.should.values()):
            return False
        await deeds.add(self.tx, self.desk, Actor(), self.case_id, Event.COMPLETE, deed=self.deed)
        return True

    async def _write(self) -> bool:
        """What is new, all at once; whether anything is."""
        new, self.new = self.new, []
        if new:
            await deeds.add_all(self.tx, self.case_id, new, deed=self.deed)
        return bool(new)

    def fact(self, event: Event, moment: datetime, subject: str = "", **value: Any) -> None:
        """Once per content: a ledger that comes again repeats nothing."""
        if (event.value, _mark(value)) in self.known:
            return
        now = self.desk.clock.now()
        said = value | QUIET
        self.new.append(
            Fact(event=event, at=moment, recorded_at=now, subject=subject, value=said, by=self.by.id)
        )

    def _work(self, staff: Staff) -> None:
        row = self.row
        assert row.received_on is not None
        begun = _at(self.desk, max(row.referred_on or row.received_on, row.received_on))
        handler = _by_name(staff, row.handler)
        if handler is not None and not self.is_new:
            self.fact(Event.ASSIGN, begun, handler=handler, unit=staff.people[handler].unit_id)
        if handler is not None or row.progress or row.answered_on or row.closed:
            self.fact(Event.ACCEPT, begun + timedelta(minutes=1))
        if row.due_on is not None:
            self.fact(Event.FACT, _at_day(self.desk, row.due_on), name="ledger_day")
        if row.progress:
            noted = min(begun + timedelta(minutes=2), self.desk.clock.now())
            self.fact(Event.NOTE, noted, text=row.progress[:2000])

    def _answer(self) -> None:
        row = self.row
        if row.answered_on is None and not row.closed:
            return
        assert row.received_on is not None
        last = row.answered_on or (row.revisit.on if row.revisit else None) or row.received_on
        moment = _at(self.desk, max(last, row.received_on, row.referred_on or row.received_on))
        moment = min(moment + timedelta(minutes=10), self.desk.clock.now())
        self.fact(Event.ANSWER, moment, outcome="explained", reason="ledger", result="ledger")
        if not row.closed:
            return
        self.fact(Event.SERVED, moment + timedelta(minutes=1), how="ledger")
        self.fact(Event.CONTACT, moment + timedelta(minutes=2), text="ledger")
        self.fact(Event.CLOSE, moment + timedelta(minutes=3))
        if row.revisit is not None and row.revisit.on is not None:
            seen = max(_at(self.desk, row.revisit.on), moment + timedelta(minutes=4))
            self.fact(Event.VISITED, seen, "rv1", outcome="holds", text=row.revisit.text[:200])
        if row.score is not None:
            self.fact(Event.SCORE, moment + timedelta(minutes=5), score=row.score)


def _at_day(desk: Desk, day: date) -> datetime:
    return at(day, HOUR, desk.office.zone)


def _mark(value: Any) -> str:
    """What makes two facts of one kind the same, whatever else they carry."""
    names = ("name", "handler", "text", "what", "outcome", "score", "how")
    return "|".join(str(value.get(name, "")) for name in names)
