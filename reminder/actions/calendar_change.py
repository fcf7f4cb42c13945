"""What do other rest days make of the open cases: which days move, which were promised, who is told?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from reminder.actions import record
from reminder.actions.desk import CLOCKWORK, Desk
from reminder.actions.direct import tell
from reminder.actions.promises import Heard, heard, says_day
from reminder.actions.replan import NOTHING, Plan, Standing, behind, bring_in_line, replan, standing
from reminder.actions.whom import reached
from reminder.domain.cases import Event, Fact, History, history
from reminder.domain.entries import Entry, Wanted
from reminder.domain.people import Person, Role, Staff
from reminder.domain.protocols import EntryKind
from reminder.domain.said_dates import say_date
from reminder.domain.wanted import wanted
from reminder.domain.workdays import at, local_day
from reminder.store import cases, people, reminders
from reminder.store.cases import CaseRow
from reminder.store.database import Tx

EARLIER = "dates_earlier"
LINES = 10
"""So many days are written out in one message; the rest is counted."""

BATCH = 200

_SILENT = frozenset({EntryKind.NOTICE, EntryKind.TASK})
"""Kinds of entry whose day no resident is ever promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One open entry before and after. `old` and `new` are the first days of it that differ, else its day."""

    case_id: int
    number: str
    key: str
    names: tuple[tuple[str, str], ...]
    """(language, what it is)."""
    old: date
    new: date
    is_moved: bool
    firm: bool
    """It rested on a guess and does no longer."""
    residents: frozenset[int]
    """Who was told of the old day."""
    kept: bool
    """It would have gone elsewhere, and stays on the day that was promised."""
    people: tuple[int, ...]
    """Colleagues who are to hear that it is earlier."""

    @property
    def is_earlier(self) -> bool:
        return self.new < self.old

    def what(self, lang: str) -> str:
        return dict(self.names).get(lang, self.key)


async def moves_of(
    tx: Tx, desk: Desk, case_ids: Sequence[int], stood: dict[int, Standing] | None = None
) -> list[Move]:
    """Every open entry that other days change, in the order of the cases. Reads only.

    The cases that change are put into `stood` as they were read: whoever applies it need not reckon again.
    """
    found: list[Move] = []
    staff = await people.staff(tx)
    for start in range(0, len(case_ids), BATCH):
        stand = await standing(tx, desk, await cases.many(tx, case_ids[start : start + BATCH]))
        for case_id, moves, _ in await _look(tx, desk, staff, stand):
            found += moves
            if stood is not None:
                stood[case_id] = replace(stand[case_id], are={})
    return found


async def follow(
    tx: Tx, desk: Desk, case_ids: Sequence[int], before: Mapping[int, Standing] = NOTHING
) -> dict[int, Plan]:
    """Let cases follow the days the desk counts with: promises are kept, staff hear of earlier days.

    `before` are the cases as they were read before this transaction. Returns the plans of those that changed.
    """
    staff = await people.staff(tx)
    stand = await behind(tx, desk, await cases.lock_many(tx, case_ids), before)
    earlier: dict[int, list[Move]] = {}
    plans: dict[int, Plan] = {}
    for case_id, moves, promises in await _look(tx, desk, staff, stand):
        if promises:
            await _remember(tx, desk, case_id, promises)
            plans[case_id] = await replan(tx, desk, case_id)
        for move in moves:
            if move.is_moved and move.is_earlier:
                for person_id in move.people:
                    earlier.setdefault(person_id, []).append(move)
    for person_id, moves in earlier.items():
        await _tell(tx, desk, staff.people[person_id], moves)
    rest = {case_id: one for case_id, one in stand.items() if case_id not in plans}
    return plans | await bring_in_line(tx, desk, rest, staff)


async def _remember(tx: Tx, desk: Desk, case_id: int, promises: Sequence[Fact]) -> None:
    """What residents were told of stays true: the days promised become facts of the case."""
    deed = await record.begin(tx, desk, CLOCKWORK, case_id, "calendar")
    for fact in promises:
        subject, value = fact.subject, fact.value
        await record.add(tx, desk, CLOCKWORK, case_id, fact.event, deed=deed, subject=subject, value=value)


async def _look(
    tx: Tx, desk: Desk, staff: Staff, stand: Mapping[int, Standing]
) -> list[tuple[int, list[Move], list[Fact]]]:
    """For each case that changes: its moves, and the promises that have to be remembered."""
    changing = [case for _, case in sorted(stand.items()) if _changed(case)]
    moving = [case.row.case.id for case in changing if _moved(case)]
    texts = await heard(tx, desk, moving) if moving else {}
    ids = [case.row.case.id for case in changing]
    looks = [
        _difference(desk, staff, case, texts.get(no, [])) for no, case in zip(ids, changing, strict=True)
    ]
    return [(no, *look) for no, look in zip(ids, looks, strict=True)]


def _past(row: CaseRow, facts: Sequence[Fact]) -> History:
    return history(facts, direct_answer=row.case.direct_answer)


def _should(desk: Desk, row: CaseRow, past: History) -> dict[str, Wanted]:
    protocol = desk.protocol_of(row)
    return wanted(past, protocol, desk.office_for(protocol))


def _pairs(case: Standing) -> list[tuple[Entry, Wanted]]:
    """What is open and stays open; notices have no day of their own."""
    pairs = [(old, case.should[key]) for key, old in case.are.items() if key in case.should]
    return [(a, b) for a, b in pairs if a.is_open and b.is_open and a.kind is not EntryKind.NOTICE]


def _changed(case: Standing) -> bool:
    return any(a.when != b.when or a.provisional is not b.provisional for a, b in _pairs(case))


def _moved(case: Standing) -> bool:
    return any(a.when != b.when for a, b in _pairs(case))


def _difference(
    desk: Desk, staff: Staff, case: Standing, texts: Sequence[Heard]
) -> tuple[list[Move], list[Fact]]:
    now = desk.clock.now()
    told = {old.key: _told(desk, old, texts) for old, new in _pairs(case) if old.when != new.when}
    promises = [
        Fact(event=Event.PROMISED, at=now, recorded_at=now, subject=old.key, value={"day": str(_day(old))})
        for old, _ in _pairs(case)
        if told.get(old.key)
    ]
    would = case.should
    if promises:
        should = _should(desk, case.row, _past(case.row, [*case.facts, *promises]))
        case = replace(case, should=should)
    moves = [
        _move(desk, staff, case, old, new, would[old.key], told.get(old.key, frozenset()))
        for old, new in _pairs(case)
        if old.when != would[old.key].when or old.provisional is not new.provisional
    ]
    return moves, promises


def _told(desk: Desk, entry: Entry, texts: Sequence[Heard]) -> frozenset[int]:
    """The residents who were told of the entry's day."""
    if entry.kind in _SILENT or entry.promise_on is None:
        return frozenset()
    day, languages = _day(entry), desk.templates.languages
    return frozenset(t.resident_id for t in texts if says_day(t.text, day, t.left_on, languages))


def _day(entry: Wanted) -> date:
    day = entry.promise_on or entry.due_on
    assert day is not None
    return day


def _move(
    desk: Desk, staff: Staff, case: Standing, old: Entry, new: Wanted, would: Wanted, told: frozenset[int]
) -> Move:
    before, after = _first_to_differ(old, new)
    milestone = desk.protocol_of(case.row).milestone(old.milestone)
    role = milestone.due_role if milestone is not None else Role.HANDLER
    today = local_day(desk.clock.now(), desk.office.zone)
    earlier = after < before
    names = milestone.words if milestone is not None else {}
    return Move(
        case_id=case.row.case.id,
        number=case.row.case.number,
        key=old.key,
        names=tuple((lang, names.get(lang, old.key)) for lang in desk.templates.languages),
        old=before,
        new=after,
        is_moved=old.when != new.when,
        firm=old.provisional and not new.provisional,
        residents=told,
        kept=bool(told) and _day(would) != _day(new),
        people=tuple(p.id for p in reached(role, case.row, staff, old, day=today)) if earlier else (),
    )


def _first_to_differ(old: Wanted, new: Wanted) -> tuple[date, date]:
    """The promised day if that moved, else the end of the limit."""
    if old.promise_on == new.promise_on and old.due_on and new.due_on:
        return old.due_on, new.due_on
    return _day(old), _day(new)


# --- telling --------------------------------------------------------------------------------------


async def _tell(tx: Tx, desk: Desk, person: Person, moves: Sequence[Move]) -> None:
    """One message for a colleague and a morning, however many days become earlier."""
    starts = next_morning(desk, person)
    today = local_day(starts, desk.office.zone)
    key = f"{EARLIER}:{person.id}:{today.isoformat()}"
    known = await reminders.by_key(tx, key)
    detail = dict(known.detail) if known is not None else {"n": 0, "lines": ""}
    for move in moves:
        detail = _longer(detail, person, move, today)
    if known is not None:
        await reminders.update(tx, known.id, detail=detail)
        return
    await tell(tx, desk, person, EARLIER, key=key, at=starts, detail=detail)


def _longer(detail: dict[str, object], person: Person, move: Move, today: date) -> dict[str, object]:
    n = int(str(detail["n"])) + 1
    old, new = (say_date(day, person.lang, today) for day in (move.old, move.new))
    line = f"\n· {move.number} {move.what(person.lang)} {old} → {new}" if n <= LINES else ""
    return {"n": n, "lines": f"{detail['lines']}{line}" + ("\n· …" if n == LINES + 1 else "")}


def next_morning(desk: Desk, person: Person) -> datetime:
    """The next moment at which the person reads what the day brings: a working day's digest hour."""
    office, now = desk.office, desk.clock.now()
    today = local_day(now, office.zone)
    day = office.calendar.forward(today)
    starts = at(day, person.digest_at, office.zone)
    return starts if starts > now else at(office.calendar.add_working(day, 1), person.digest_at, office.zone)
