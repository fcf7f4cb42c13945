"""What oversight may see: counts of deadlines met and missed per unit, and signals from timestamps alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.scene import CaseScene, read_case
from reminder.actions.whom import reached
from reminder.domain.cases import BOUNCED, ENDED, Event
from reminder.domain.entries import EntryStatus
from reminder.domain.protocols import Bound, EntryKind
from reminder.domain.tasks import TASK_FORCE
from reminder.domain.workdays import local_day
from reminder.store import cases, overview, people
from reminder.store.database import Tx

LONG_OPEN = timedelta(days=365)
LATE = timedelta(days=30)
REOPENED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of one unit, over entries that bind the office. No names, no cases."""

    unit: str
    met: int
    met_late: int
    overdue: int
    open: int


async def counts(tx: Tx, desk: Desk, by: Actor) -> list[Counts]:
    """Per unit, by name; with denominators, and never per person."""
    staff = await permit(tx, by, "counts")
    found: list[Counts] = []
    per_unit = await overview.kept_and_missed(tx, desk.clock.now())
    for unit_id, numbers in per_unit.items():
        unit = staff.units.get(unit_id)
        found.append(Counts(unit=unit.name if unit is not None else "-", **numbers))
    return sorted(found, key=lambda one: one.unit)


def signals(scene: CaseScene) -> list[str]:
    """What the timestamps of a case say about how it was handled; people judge what it means."""
    past, found = scene.past, []
    if past.bounced >= BOUNCED:
        found.append("bounced")
    answered = past.last(Event.ANSWER)
    if answered is not None and not past.all(Event.CONTACT, Event.VISITED):
        found.append("no_contact")
    if any(e.milestone == "half" and _late(scene, e.status, e.due_at) for e in scene.entries.values()):
        found.append("half_silent")
    late = [e for e in scene.entries.values() if e.bound is Bound.OFFICE and e.kind is EntryKind.DEADLINE]
    if any(_late(scene, e.status, e.due_at) for e in late):
        found.append("overdue")
    return found


def _late(scene: CaseScene, status: EntryStatus, due_at: object) -> bool:
    return status is EntryStatus.OPEN and due_at is not None and due_at < scene.now  # type: ignore[operator]


async def signalled(tx: Tx, desk: Desk, by: Actor, limit: int = 30) -> list[tuple[str, list[str]]]:
    """Open cases with signals, by number: a work list for supervision, not a ranking."""
    await permit(tx, by, "order")
    found: list[tuple[str, list[str]]] = []
    for case_id in await overview.cases_under_way(tx):
        scene = await read_case(tx, desk, case_id)
        said = signals(scene)
        if said:
            found.append((scene.row.case.number, said))
        if len(found) == limit:
            break
    return found


Rungs = Mapping[str, Sequence[str]]
"""Role -> numbers of the cases that would need somebody in it, and have nobody who can be reached."""


async def unreached(tx: Tx, desk: Desk) -> Rungs:
    """Rungs of the ladder that nobody reaches today."""
    staff = await people.staff(tx)
    day = local_day(desk.clock.now(), desk.office.zone)
    found: dict[str, list[str]] = {}
    rows = await cases.many(tx, await overview.cases_under_way(tx))
    for row in rows.values():
        if row.status in ENDED or not desk.knows(row):
            continue
        protocol = desk.protocol_of(row)
        roles = {r for m in protocol.milestones if m.bound is Bound.OFFICE for s in m.steps for r in s.roles}
        for role in sorted(roles - {"owner", "attendee", "agent"}):
            people_there = reached(role, row, staff, day=day)
            if not any(person.chat_id is not None for person in people_there):
                found.setdefault(role.value, []).append(row.case.number)
    return found


def wants_task_force(scene: CaseScene) -> bool:
    """Open for more than a year, or reopened twice, or a major case more than thirty days late."""
    received = scene.past.all(Event.RECEIVE)
    long_open = bool(received) and scene.now - received[0].at > LONG_OPEN
    again = len(scene.past.all(Event.REOPEN)) >= REOPENED
    late = scene.row.protocol == "major" and any(
        e.milestone == "handle" and e.due_at is not None and e.due_at + LATE < scene.now
        for e in scene.entries.values()
        if e.is_open
    )
    formed = any(e.milestone == TASK_FORCE for e in scene.entries.values())
    return (long_open or again or late) and not formed
