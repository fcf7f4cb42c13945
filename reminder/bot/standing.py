"""Does what a button speaks of still stand: the entry open, at the revision it was drawn for?"""

from reminder.actions.guard import permit
from reminder.actions.scene import CaseScene, read_case
from reminder.bot.turn import Turn
from reminder.domain.dates import say_day
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.errors import NotFound, Stale
from reminder.domain.protocols import EntryKind
from reminder.store import cases, entries


async def standing(turn: Turn, entry_id: int, revision: int) -> tuple[CaseScene, Entry]:
    """The entry with its case. NotFound outside the person's scope; Stale with who was faster, and when."""
    known = await entries.one(turn.tx, entry_id)
    if known is None:
        raise NotFound("not_found")
    await permit(turn.tx, turn.by, "see", known.case_id)
    scene = await read_case(turn.tx, turn.desk, known.case_id)
    entry = next(e for e in scene.entries.values() if e.id == entry_id)
    if not entry.is_open:
        raise _ended(turn, scene, entry)
    if entry.revision != revision:
        day = entry.promise_on or entry.due_on or turn.today
        raise Stale("bot.already_moved", no=scene.row.case.number, day=say_day(day, turn.lang, turn.today))
    return scene, entry


async def standing_visit(turn: Turn, entry_id: int, revision: int) -> tuple[CaseScene, Entry]:
    """The same for a visit; NotFound for anything else, as no button of ours asks that."""
    scene, entry = await standing(turn, entry_id, revision)
    if entry.kind is not EntryKind.VISIT:
        raise NotFound("not_found")
    return scene, entry


def _ended(turn: Turn, scene: CaseScene, entry: Entry) -> Stale:
    no = scene.row.case.number
    facts = [f for f in scene.past.facts if f.subject == entry.key or f.at == entry.ended_at]
    last = facts[-1] if facts else None
    person = scene.staff.people.get(last.by or 0) if last is not None else None
    if last is None or person is None or entry.status is EntryStatus.CANCELLED:
        return Stale("bot.already_ended", no=no, status=turn.word(f"state.{entry.status}"))
    moment = last.recorded_at.astimezone(turn.desk.office.zone)
    return Stale("bot.already_done", no=no, name=person.name, time=f"{moment:%H:%M}")


async def next_visit(turn: Turn, case_id: int) -> int:
    """Number of the visit that would be planned next; it never comes back, also when one is undone."""
    return len(await cases.subjects(turn.tx, case_id, "visit")) + 1


def open_visits(scene: CaseScene) -> list[Entry]:
    """Visits that are still to be, earliest first."""
    found = [e for e in scene.entries.values() if e.kind is EntryKind.VISIT and e.is_open]
    return sorted(found, key=lambda e: (e.starts_at or scene.now, e.id))
