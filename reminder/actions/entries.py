"""What people can do with an entry: visits proposed, moved and made; milestones and tasks done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from reminder.actions import record
from reminder.actions.cases import complete_if_over
from reminder.actions.desk import CLOCKWORK, Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import CaseScene, read_case
from reminder.domain.cases import ENDED, VISIT_OUTCOMES, Event
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.errors import NotFound, Refused, Stale
from reminder.domain.protocols import EntryKind
from reminder.domain.workdays import at, local_day
from reminder.store import cases, entries
from reminder.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """When a visit is to be: a local office day, and wall-clock times or the office's usual slot."""

    day: date
    start: time | None = None
    end: time | None = None

    def value(self) -> dict[str, Any]:
        found: dict[str, Any] = {"day": self.day.isoformat()}
        if self.start is not None:
            found["start"] = self.start.isoformat("minutes")
            found["end"] = (self.end or _later(self.start)).isoformat("minutes")
        return found


def _later(start: time) -> time:
    """Two hours on, within the day: how long a visit is when nobody says."""
    return time(min(start.hour + 2, 23), start.minute if start.hour < 22 else 59)


async def _open_entry(
    tx: Tx, desk: Desk, by: Actor, entry_id: int, action: str, revision: int | None
) -> tuple[CaseScene, Entry]:
    """The entry with its case locked. Stale if it has ended or moved on since the person saw it."""
    entry = await entries.one(tx, entry_id)
    if entry is None:
        raise NotFound("not_found")
    await cases.lock(tx, entry.case_id)
    if by.person is None or by.person.id != entry.person_id:  # whoever an entry names may see to it
        await permit(tx, by, action, entry.case_id)
    scene = await read_case(tx, desk, entry.case_id)
    entry = next(e for e in scene.entries.values() if e.id == entry_id)
    if not entry.is_open:
        raise Stale("entry.ended", what=scene.what(entry, desk.office.lang), status=f"state.{entry.status}")
    if revision is not None and revision != entry.revision:
        raise Stale("entry.moved_on", what=scene.what(entry, desk.office.lang))
    return scene, entry


async def _fact(
    tx: Tx,
    desk: Desk,
    by: Actor,
    entry: Entry,
    event: Event,
    value: Mapping[str, Any] | None = None,
    *,
    when: datetime | None = None,
) -> Plan:
    await _deed(tx, desk, by, entry, event, value, when=when)
    return await complete_if_over(tx, desk, await replan(tx, desk, entry.case_id))


async def _deed(
    tx: Tx,
    desk: Desk,
    by: Actor,
    entry: Entry,
    event: Event,
    value: Mapping[str, Any] | None,
    *,
    when: datetime | None,
) -> int:
    if when is not None and when > desk.clock.now():
        raise Refused("date.future")
    deed = await record.record(tx, desk, by, entry.case_id, event, subject=entry.key, value=value, at=when)
    if deed is None:
        raise Stale("deed.repeated")
    return deed


def _future(desk: Desk, slot: Slot) -> None:
    start = at(slot.day, slot.start or desk.office.slot[0], desk.office.zone)
    if start <= desk.clock.now():
        raise Refused("date.past")


async def propose(
    tx: Tx, desk: Desk, by: Actor, case_id: int, slot: Slot, *, place: str = "", mode: str = "home"
) -> Plan:
    """Plan a visit by hand; the resident is asked by text once the undo window has passed."""
    await cases.lock(tx, case_id)
    await permit(tx, by, "visit", case_id)
    scene = await read_case(tx, desk, case_id)
    if scene.past.status in ENDED:
        raise Refused("case.wrong_state", status=f"status.{scene.past.status}", move="move.propose")
    _future(desk, slot)
    number = len(await cases.subjects(tx, case_id, "visit")) + 1
    subject = "visit" if number == 1 else f"visit.{number}"
    value = slot.value() | {"place": place, "mode": mode}
    await record.record(tx, desk, by, case_id, Event.PROPOSE, subject=subject, value=value)
    return await replan(tx, desk, case_id)


async def move(
    tx: Tx,
    desk: Desk,
    by: Actor,
    entry_id: int,
    slot: Slot,
    *,
    revision: int | None = None,
    asked_by: str = "office",
    place: str | None = None,
) -> Plan:
    """Another day for a visit. Whoever heard the old one is told the new one."""
    _, entry = await _open_entry(tx, desk, by, entry_id, "visit", revision)
    if entry.kind not in {EntryKind.VISIT, EntryKind.MEETING}:
        raise Refused("entry.not_a_visit")
    _future(desk, slot)
    resident = entry.note == "other_day" or asked_by == "resident"
    value = slot.value() | {"asked_by": "resident" if resident else "office"}
    if entry.kind is EntryKind.MEETING:
        value["confirmed"] = True  # nobody outside the office is asked about it
    if place is not None:
        value["place"] = place
    return await _fact(tx, desk, by, entry, Event.MOVE, value)


async def confirm(tx: Tx, desk: Desk, by: Actor, entry_id: int) -> Plan:
    """The resident agreed, by text or on the phone; agreeing twice is agreeing."""
    _, entry = await _open_entry(tx, desk, by, entry_id, "visit", None)
    if entry.status is EntryStatus.CONFIRMED:
        return await replan(tx, desk, entry.case_id)
    return await _fact(tx, desk, by, entry, Event.CONFIRM)


async def decline(tx: Tx, desk: Desk, by: Actor, entry_id: int) -> Plan:
    """The resident wants no visit; nobody asks again."""
    _, entry = await _open_entry(tx, desk, by, entry_id, "visit", None)
    return await _fact(tx, desk, by, entry, Event.DECLINE)


async def ask_other_day(tx: Tx, desk: Desk, by: Actor, entry_id: int) -> Plan:
    """The resident would like another day; the handler finds one with them."""
    _, entry = await _open_entry(tx, desk, by, entry_id, "visit", None)
    return await _fact(tx, desk, by, entry, Event.ASK_OTHER_DAY)


async def visited(
    tx: Tx,
    desk: Desk,
    by: Actor,
    entry_id: int,
    outcome: str,
    text: str = "",
    *,
    revision: int | None = None,
    when: datetime | None = None,
) -> Plan:
    """A visit took place. `not_solved` after closing reopens the case in the same deed."""
    if outcome not in VISIT_OUTCOMES:
        raise Refused("visit.unknown_outcome", known=", ".join(VISIT_OUTCOMES))
    scene, entry = await _open_entry(tx, desk, by, entry_id, "visit", revision)
    if entry.kind is not EntryKind.VISIT:
        raise Refused("entry.not_a_visit")
    found = {"outcome": outcome, "text": text}
    deed = await _deed(tx, desk, by, entry, Event.VISITED, found, when=when)
    if outcome == "not_solved" and scene.past.status.value in {"closed", "completed"}:
        value = {"reason_text": text or outcome}
        await record.add(tx, desk, by, entry.case_id, Event.REOPEN, deed=deed, value=value)
    return await complete_if_over(tx, desk, await replan(tx, desk, entry.case_id))


async def not_met(
    tx: Tx, desk: Desk, by: Actor, entry_id: int, reason: str, *, revision: int | None = None
) -> Plan:
    """Nobody home: a card is left, the next try is set. Never counted against anybody."""
    _, entry = await _open_entry(tx, desk, by, entry_id, "visit", revision)
    if entry.kind is not EntryKind.VISIT:
        raise Refused("entry.not_a_visit")
    deed = await _deed(tx, desk, by, entry, Event.NOT_MET, {"reason": reason}, when=None)
    if reason == "wrong_number":
        task = {"what": "check_number", "role": "intake"}
        await record.add(
            tx, desk, by, entry.case_id, Event.TASK, deed=deed, subject=f"number.{deed}", value=task
        )
    return await replan(tx, desk, entry.case_id)


async def missed_by_office(tx: Tx, desk: Desk, entry_id: int) -> Plan | None:
    """No record by noon of the next working day: we did not make it, until somebody says otherwise."""
    entry = await entries.one(tx, entry_id)
    if entry is None or entry.status is not EntryStatus.CONFIRMED:
        return None
    await cases.lock(tx, entry.case_id)
    await record.record(tx, desk, CLOCKWORK, entry.case_id, Event.MISSED, subject=entry.key, action="missed")
    return await replan(tx, desk, entry.case_id)


async def done(
    tx: Tx,
    desk: Desk,
    by: Actor,
    entry_id: int,
    text: str = "",
    *,
    revision: int | None = None,
    when: datetime | None = None,
    more: Mapping[str, Any] | None = None,
) -> Plan:
    """A milestone or task is done; a visit took place and it holds. `more` is kept with the text."""
    scene, entry = await _open_entry(tx, desk, by, entry_id, "done", revision)
    if entry.kind is EntryKind.VISIT:
        return await visited(tx, desk, by, entry_id, "holds", text, when=when)
    milestone = scene.milestone(entry)
    if milestone is not None and "text" in milestone.needs and not text.strip():
        raise Refused("entry.needs_text", what=scene.what(entry, desk.office.lang))
    met_by = milestone.met_by if milestone is not None else ()
    needs = next((m for m in met_by if m in _OWN_MOVE), None)
    said = next((e for e in (Event.CONTACT, Event.NOTE, Event.REGISTER) if e.value in met_by), None)
    if said is not None:
        return await _fact(tx, desk, by, entry, said, {"text": text}, when=when)
    if needs is not None and "done" not in met_by:
        raise Refused("entry.needs_move", what=scene.what(entry, desk.office.lang), move=f"move.{needs}")
    return await _fact(tx, desk, by, entry, Event.DONE, {"text": text, **(more or {})}, when=when)


_OWN_MOVE = frozenset(
    {"accept", "answer", "served", "close", "sponsor", "acknowledge", "object"}
    | {"defer", "resume", "review_result", "send_back", "conclude"}
)
"""Milestones met by these say more than "done": a decision, a service, a closing."""


async def undo(tx: Tx, desk: Desk, by: Actor, deed_id: int) -> Plan:
    """Take a deed back within the undo window: its facts are void, and nothing of it has gone out."""
    deed = await cases.deed(tx, deed_id)
    if deed is None or deed["case_id"] is None or deed["by"] != by.id:
        raise NotFound("not_found")
    await cases.lock(tx, deed["case_id"])
    if desk.clock.now() - deed["at"] >= desk.office.undo:
        raise Refused("undo.too_late")
    if not await cases.undo_deed(tx, deed_id, desk.clock.now()):
        raise Stale("undo.done_already")
    await record.begin(tx, desk, by, None, f"undo:{deed_id}")
    await cases.tell(tx, deed["case_id"], desk.clock.now(), "undone", by.id)
    return await complete_if_over(tx, desk, await replan(tx, desk, deed["case_id"]))


def today(desk: Desk) -> date:
    return local_day(desk.clock.now(), desk.office.zone)
