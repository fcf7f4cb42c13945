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


async def standing(
    tx: Tx, desk: Desk, kept: Mapping[int, CaseRow], before: Standing | None = None
) -> dict[int, Standing]:
    """Cases as they stand, all read at once; without those whose protocol nobody can read.

    What `before` says should be is believed where neither the case nor its facts have changed since.
    """
    ids = list(kept)
    facts, are = await cases.facts(tx, ids), await entries.of(tx, ids)
    found: dict[int, Standing] = {}
    for case_id, held in kept.items():
        if before is not None and before.kept == held and before.facts == facts[case_id]:
            found[case_id] = replace(before, are=are[case_id])
            continue
        past = history(facts[case_id], direct_answer=held.case.direct_answer)
        row = under(held, past)
        await versions.at_hand(tx, desk, row)
        if desk.knows(row):
            protocol = desk.protocol_of(row)
            should = wanted(past, protocol, desk.office_for(protocol))
            found[case_id] = Standing(
                kept=held, row=row, facts=facts[case_id], past=past, are=are[case_id], should=should
            )
    return found


async def replan(tx: Tx, desk: Desk, case_id: int) -> Plan:
    """Bring a case's entries in line with its facts. Locks the case; doing it twice changes nothing."""
    found = await standing(tx, desk, {case_id: await cases.lock(tx, case_id)})
    return await bring_in_line(tx, desk, found[case_id], await people.staff(tx))


async def bring_in_line(tx: Tx, desk: Desk, stands: Standing, staff: Staff) -> Plan:
    """Replan a case that this transaction has locked and read."""
    now, row, are = desk.clock.now(), stands.row, dict(stands.are)
    case_id = row.case.id
    change = difference(stands.should, are, now=now)
    if change:
        protocol = desk.protocol_of(row)
        await _apply(tx, case_id, change, now)
        await _revive(tx, change, are, since=now - desk.office_for(protocol).undo)
        was, are = are, await _after(tx, case_id, change, are)
        await _reindex(tx, desk, was, are, change, protocol)
    values = _projected(staff, row, stands.past)
    if _differs(stands.kept, values):
        await cases.update(tx, case_id, **values)
        row = replace(row, **values)
    return Plan(row=row, past=stands.past, entries=are, change=change)


async def _after(tx: Tx, case_id: int, change: Difference, was: Mapping[str, Entry]) -> dict[str, Entry]:
    """The entries with the change applied; only new ones have to be read, for their ids."""
    if change.new:
        return (await entries.of(tx, [case_id]))[case_id]
    return {**was, **{entry.key: entry for entry in (*change.moved, *change.changed, *change.void)}}


async def behind(tx: Tx, desk: Desk, case_ids: Sequence[int]) -> dict[int, tuple[Standing, bool]]:
    """Those of the cases that replanning would change, and whether a day moves. Reads only, all at once."""
    staff = await people.staff(tx)
    found: dict[int, tuple[Standing, bool]] = {}
    for case_id, stands in (await standing(tx, desk, await cases.many(tx, case_ids))).items():
        change = difference(stands.should, stands.are, now=desk.clock.now())
        if change or _differs(stands.kept, _projected(staff, stands.row, stands.past)):
            found[case_id] = stands, bool(change.moved)
    return found


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
    fresh = {target.key for target in change.new}
    altered = {entry.key for entry in (*change.moved, *change.changed, *change.void)}
    touched = {key: entry for key, entry in are.items() if key in fresh or key in altered}
    told = await reminders.told(tx, [entry.id for entry in touched.values()])
    agenda: dict[int, datetime | None] = {}
    for key, entry in touched.items():
        heard = told.get(entry.id, [])
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
