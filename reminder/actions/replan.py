"""Our decisions reach the calendar only here: the entries that should exist, minus those that do, applied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reminder.actions import versions
from reminder.actions.desk import Desk
from reminder.actions.whom import responsible
from reminder.domain.cases import History, history
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


async def replan(tx: Tx, desk: Desk, case_id: int) -> Plan:
    """Bring a case's entries in line with its facts. Locks the case; doing it twice changes nothing."""
    now = desk.clock.now()
    kept = await cases.lock(tx, case_id)
    past = history((await cases.facts(tx, [case_id]))[case_id], direct_answer=kept.case.direct_answer)
    row = under(kept, past)
    await versions.at_hand(tx, desk, row)
    are = (await entries.of(tx, [case_id]))[case_id]
    change = _lacking(desk, row, past, are)
    if change:
        protocol = desk.protocol_of(row)
        await _apply(tx, case_id, change, now)
        await _revive(tx, change, are, since=now - desk.office_for(protocol).undo)
        was, are = are, (await entries.of(tx, [case_id]))[case_id]
        await _reindex(tx, desk, was, are, change, protocol)
    values = _projected(await people.staff(tx), row, past)
    if _differs(kept, values):
        await cases.update(tx, case_id, **values)
        row = replace(row, **values)
    return Plan(row=row, past=past, entries=are, change=change)


async def behind(tx: Tx, desk: Desk, case_ids: Sequence[int]) -> dict[int, bool]:
    """Those of the cases that replanning would change, and whether a day moves. Reads only, all at once."""
    rows, facts = await cases.many(tx, case_ids), await cases.facts(tx, case_ids)
    kept, staff = await entries.of(tx, case_ids), await people.staff(tx)
    found: dict[int, bool] = {}
    for case_id in case_ids:
        past = history(facts[case_id], direct_answer=rows[case_id].case.direct_answer)
        row = under(rows[case_id], past)
        change = _lacking(desk, row, past, kept[case_id])
        if change or _differs(rows[case_id], _projected(staff, row, past)):
            found[case_id] = bool(change.moved)
    return found


def _lacking(desk: Desk, row: CaseRow, past: History, are: Mapping[str, Entry]) -> Difference:
    """What the entries of a case lack, under the protocol it holds."""
    protocol = desk.protocol_of(row)
    should = wanted(past, protocol, desk.office_for(protocol))
    return difference(should, are, now=desk.clock.now())


def under(row: CaseRow, past: History) -> CaseRow:
    """The case under the protocol its facts say, before that is kept beside it."""
    if (row.moved_protocol, row.moved_version) == (past.protocol, past.version):
        return row
    return replace(row, moved_protocol=past.protocol, moved_version=past.version)


async def _apply(tx: Tx, case_id: int, change: Difference, now: datetime) -> None:
    await entries.insert(tx, case_id, change.new)
    await entries.save(tx, [*change.moved, *change.changed, *change.void])
    if moved := [e.id for e in change.moved]:
        await reminders.cancel_unsent(tx, moved, State.SUPERSEDED, Reason.SUPERSEDED, now)
    if void := [e.id for e in change.void]:
        await reminders.cancel_unsent(tx, void, State.CANCELLED, Reason.UNDONE, now)
    ended = [e.id for e in change.changed if not e.is_open]
    if ended:
        await reminders.cancel_unsent(tx, ended, State.CANCELLED, Reason.SUBJECT_CLOSED, now)
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
    was: Mapping[str, Entry],
    are: Mapping[str, Entry],
    change: Difference,
    protocol: Protocol,
) -> None:
    """Set the agenda of what changed, and of every entry somebody believes at an older date."""
    now, office = desk.clock.now(), desk.office_for(protocol)
    told = await reminders.told(tx, [entry.id for entry in are.values()])
    fresh = {target.key for target in change.new}
    altered = {entry.key for entry in (*change.moved, *change.changed, *change.void)}
    agenda: dict[int, datetime | None] = {}
    for key, entry in are.items():
        heard = told.get(entry.id, [])
        if not (key in fresh or key in altered):
            continue
        start = entry.since if key in fresh else _unlooked_at(was[key], entry, now, office)
        milestone = protocol.milestone(entry.milestone)
        at = next_step_at(entry, milestone, office, heard, after=start - _JUST_BEFORE)
        agenda[entry.id] = min(at or now, now) if corrections_owed(entry, heard) else at
    await entries.set_agenda(tx, agenda)


def _unlooked_at(was: Entry, entry: Entry, now: datetime, office: Office) -> datetime:
    """Since when steps may have fallen due that nobody looked at: while we were down, or it had ended."""
    if was.is_open or was.ended_at is None:
        return min(now, entry.next_reminder_at or now)
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
