"""Our decisions reach the calendar only here: the entries that should exist, minus those that do, applied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reminder.actions import versions
from reminder.actions.desk import Desk
from reminder.actions.whom import responsible
from reminder.domain.cases import Fact, History, history
from reminder.domain.entries import Entry, Wanted
from reminder.domain.offices import Office
from reminder.domain.people import Staff
from reminder.domain.planning import Difference, Told, difference, next_step_at, slot_of, stale
from reminder.domain.protocols import Protocol
from reminder.domain.reminders import Reason, State
from reminder.domain.wanted import wanted
from reminder.store import cases, entries, inbox, people, reminders
from reminder.store.cases import CaseRow
from reminder.store.database import Tx

_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A case as it stands after replanning."""

    row: CaseRow
    past: History
    entries: dict[str, Entry]
    change: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case as it was read, and what its entries should be. `kept` is its row, `row` that by its facts."""

    kept: CaseRow
    row: CaseRow
    facts: Sequence[Fact]
    past: History
    are: Mapping[str, Entry]
    should: Mapping[str, Wanted]
    protocol: Protocol
    office: Office
    """With the days that `should` was reckoned by."""

    def holds(self, held: CaseRow, facts: Sequence[Fact]) -> bool:
        """Whether neither the case nor its facts have changed since it was read."""
        return self.kept == held and self.facts == facts


NOTHING: Mapping[int, Standing] = {}


async def standing(
    tx: Tx, desk: Desk, kept: Mapping[int, CaseRow], before: Mapping[int, Standing] = NOTHING
) -> dict[int, Standing]:
    """Cases as they stand, all read at once; without those whose protocol nobody can read.

    What `before` says should be is believed where nothing it follows from has changed since: the case, its
    facts, its protocol and the days.
    """
    return await _standing(tx, desk, kept, await entries.of(tx, list(kept)), before)


async def _standing(
    tx: Tx,
    desk: Desk,
    kept: Mapping[int, CaseRow],
    are: Mapping[int, Mapping[str, Entry]],
    before: Mapping[int, Standing] = NOTHING,
) -> dict[int, Standing]:
    facts = await cases.facts(tx, list(kept))
    found: dict[int, Standing] = {}
    for case_id, held in kept.items():
        known = before.get(case_id)
        if known is not None and not known.holds(held, facts[case_id]):
            known = None
        past = known.past if known else history(facts[case_id], direct_answer=held.case.direct_answer)
        row = under(held, past)
        await versions.at_hand(tx, desk, row)
        if not desk.knows(row):
            continue
        protocol = desk.protocol_of(row)
        office = desk.office_for(protocol)
        if known is not None and known.protocol is protocol and known.office == office:
            found[case_id] = replace(known, are=are[case_id])
            continue
        found[case_id] = Standing(
            kept=held,
            row=row,
            facts=facts[case_id],
            past=past,
            are=are[case_id],
            should=wanted(past, protocol, office),
            protocol=protocol,
            office=office,
        )
    return found


async def replan(tx: Tx, desk: Desk, case_id: int) -> Plan:
    """Bring a case's entries in line with its facts. Locks the case; doing it twice changes nothing."""
    found = await standing(tx, desk, {case_id: await cases.lock(tx, case_id)})
    return (await bring_in_line(tx, desk, found, await people.staff(tx)))[case_id]


async def plan_anew(tx: Tx, desk: Desk, row: CaseRow, staff: Staff) -> Plan:
    """The entries of a case that this very transaction made: it has none yet, and nobody else knows it."""
    no = row.case.id
    return (await bring_in_line(tx, desk, await _standing(tx, desk, {no: row}, {no: {}}), staff))[no]


async def bring_in_line(
    tx: Tx, desk: Desk, stand: Mapping[int, Standing], staff: Staff, *, indexed: bool = True
) -> dict[int, Plan]:
    """Replan cases that this transaction has locked and read; what they share is read and written at once.

    Not `indexed`: who calls sets the agenda of all their entries.
    """
    now = desk.clock.now()
    changes = {no: difference(one.should, one.are, now=now) for no, one in stand.items()}
    changing = {no: change for no, change in changes.items() if change}
    are = {no: dict(one.are) for no, one in stand.items()}
    if changing:
        await _apply(tx, changing, now)
        for no, change in changing.items():
            await _revive(tx, change, are[no], since=now - stand[no].office.undo)
        are |= await _after(tx, changing, are)
        if indexed:
            await _reindex(tx, desk, stand, are, changing)
    values = {no: _projected(staff, one.row, one.past) for no, one in stand.items()}
    beside = {no: values[no] for no, one in stand.items() if _differs(one.kept, values[no])}
    await cases.update_many(tx, beside)
    return {
        no: Plan(
            row=replace(one.row, **beside[no]) if no in beside else one.row,
            past=one.past,
            entries=are[no],
            change=changes[no],
        )
        for no, one in stand.items()
    }


async def _after(
    tx: Tx, changes: Mapping[int, Difference], was: Mapping[int, Mapping[str, Entry]]
) -> dict[int, dict[str, Entry]]:
    """The entries with the change applied; only new ones have to be read, for their ids."""
    grown = [no for no, change in changes.items() if change.new]
    found = await entries.of(tx, grown) if grown else {}
    for no, change in changes.items():
        if no not in found:
            altered = (*change.moved, *change.changed, *change.void)
            found[no] = {**was[no], **{entry.key: entry for entry in altered}}
    return found


async def behind(
    tx: Tx, desk: Desk, kept: Mapping[int, CaseRow], before: Mapping[int, Standing] = NOTHING
) -> dict[int, Standing]:
    """Those of the cases that replanning would change. Reads only, all at once."""
    staff = await people.staff(tx)
    found = await standing(tx, desk, kept, before)
    return {no: one for no, one in found.items() if _is_behind(one, staff, desk.clock.now())}


def _is_behind(one: Standing, staff: Staff, now: datetime) -> bool:
    change = difference(one.should, one.are, now=now)
    return bool(change) or _differs(one.kept, _projected(staff, one.row, one.past))


def under(row: CaseRow, past: History) -> CaseRow:
    """The case under the protocol its facts say, before that is kept beside it."""
    if (row.moved_protocol, row.moved_version) == (past.protocol, past.version):
        return row
    return replace(row, moved_protocol=past.protocol, moved_version=past.version)


async def _apply(tx: Tx, changes: Mapping[int, Difference], now: datetime) -> None:
    await entries.insert(tx, {no: change.new for no, change in changes.items()})
    all_of = changes.values()
    await entries.save(tx, [e for change in all_of for e in (*change.moved, *change.changed, *change.void)])
    moved = [entry.id for change in all_of for entry in change.moved]
    void = [entry.id for change in all_of for entry in change.void]
    ended = [entry.id for change in all_of for entry in change.changed if not entry.is_open]
    for ids, state, reason in (
        (moved, State.SUPERSEDED, Reason.SUPERSEDED),
        (void, State.CANCELLED, Reason.UNDONE),
        (ended, State.CANCELLED, Reason.SUBJECT_CLOSED),
    ):
        if ids:
            await reminders.cancel_unsent(tx, ids, state, reason, now)
    if over := [*moved, *void, *ended]:
        for question_id in await inbox.questions_about(tx, over):
            await release(tx, question_id, now)


async def _revive(tx: Tx, change: Difference, was: Mapping[str, Entry], *, since: datetime) -> None:
    """What ended by a deed that was undone has its unsent reminders back."""
    for entry in change.moved:
        old = was[entry.key]
        if not old.is_open and old.when == entry.when:
            await reminders.again(tx, entry.id, entry.revision, since=since)


async def release(tx: Tx, question_id: int, now: datetime, answer: str = "") -> bool:
    """End an open question and let the one that waited behind it go; False if it had ended."""
    phone_id = await inbox.close_question(tx, question_id, now, answer)
    if phone_id is None:
        return False
    await reminders.wake_phone(tx, phone_id, now)
    return True


async def _reindex(
    tx: Tx,
    desk: Desk,
    stand: Mapping[int, Standing],
    are: Mapping[int, Mapping[str, Entry]],
    changes: Mapping[int, Difference],
) -> None:
    """Set the agenda of what changed, and of every entry somebody believes at an older date."""
    now = desk.clock.now()
    altered = {no: _altered(are[no], change) for no, change in changes.items()}
    fresh = {entry.id for no, group in altered.items() for entry in group if entry.key not in stand[no].are}
    known = [entry.id for group in altered.values() for entry in group if entry.id not in fresh]
    told = await reminders.told(tx, known) if known else {}
    next_at = await entries.agenda(tx, known) if known else {}
    agenda: dict[int, datetime | None] = {}
    for no, group in altered.items():
        one = stand[no]
        for entry in group:
            heard, was = told.get(entry.id, []), one.are.get(entry.key)
            start = entry.since if was is None else _unlooked_at(was, next_at.get(entry.id), now, one.office)
            milestone = one.protocol.milestone(entry.milestone)
            at = next_step_at(entry, milestone, one.office, heard, after=start - _JUST_BEFORE)
            agenda[entry.id] = min(at or now, now) if corrections_owed(entry, heard) else at
    await entries.set_agenda(tx, agenda, fresh)


def _altered(are: Mapping[str, Entry], change: Difference) -> list[Entry]:
    keys = {one.key for one in (*change.new, *change.moved, *change.changed, *change.void)}
    return [entry for key, entry in are.items() if key in keys]


def _unlooked_at(was: Entry, next_at: datetime | None, now: datetime, office: Office) -> datetime:
    """Since when steps may have fallen due that nobody looked at: while we were down, or it had ended."""
    if was.is_open or was.ended_at is None:
        return min(now, next_at or now)
    return max(was.ended_at, now - office.undo)


def corrections_owed(entry: Wanted, told: Iterable[Told]) -> bool:
    """Whether somebody may believe a date of the entry that is not, or no longer, true."""
    told = list(told)
    if not entry.is_open:
        return bool(told)
    return any(stale(recipient, slot_of(entry), told) for recipient in {t.recipient for t in told})


def _projected(staff: Staff, row: CaseRow, past: History) -> dict[str, Any]:
    """What is kept beside the case for queries: status, unit, handler, who answers for it, which protocol."""
    person = responsible(staff, handler=past.handler_id, unit=past.unit_id, first=row.case.first_contact_id)
    return {
        "status": past.status.value,
        "unit_id": past.unit_id,
        "handler_id": past.handler_id,
        "responsible_id": person.id if person else None,
        "sponsor_id": past.sponsor_id,
        "referred_id": past.referred_id,
        "moved_protocol": past.protocol,
        "moved_version": past.version,
        "paused": past.paused,
    }


def _differs(kept: CaseRow, values: Mapping[str, Any]) -> bool:
    return any(getattr(kept, name) != value for name, value in values.items())
