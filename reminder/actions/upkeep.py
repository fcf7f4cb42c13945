"""What the office owes itself each day: cases nobody accepted, cases that take long, cards for sponsors."""

from datetime import datetime, timedelta

from reminder.actions import record
from reminder.actions.desk import CLOCKWORK, Desk
from reminder.actions.direct import tell
from reminder.actions.oversight import LATE, LONG_OPEN, wants_task_force
from reminder.actions.replan import replan
from reminder.actions.scene import CaseScene, read_case
from reminder.domain.cases import Event, Status
from reminder.domain.people import Person, Role
from reminder.domain.said_dates import say_date
from reminder.domain.tasks import FORM_TASK_FORCE
from reminder.domain.workdays import at, local_day
from reminder.store import cases, entries, overview, people
from reminder.store.database import Tx

ACCEPTED_AFTER = timedelta(days=15)
"""Acceptance cannot be put off to gain time: from here on the case counts as accepted (house rule)."""

_MOMENT = timedelta(microseconds=1)
SPONSOR_WEEK = "sponsor_week"
MONDAY = 0


async def accept_by_clock(tx: Tx, desk: Desk, case_id: int) -> bool:
    """A case that waited for fifteen days is accepted as of then, and somebody explains it. False if not."""
    scene = await read_case(tx, desk, case_id)
    received = scene.past.all(Event.RECEIVE)
    accepts = any("accept" in milestone.met_by for milestone in scene.protocol.milestones)
    if scene.past.status is not Status.REGISTERED or not received or not accepts:
        return False
    due = received[0].at + ACCEPTED_AFTER
    if due > scene.now:
        return False
    moment = max(due, scene.past.facts[-1].at + _MOMENT)  # after what made it theirs, and not beside it
    if moment > scene.now:
        return False
    deed = await record.begin(tx, desk, CLOCKWORK, case_id, "accept_by_clock")
    value = {"by_clock": "yes"}
    await record.add(tx, desk, CLOCKWORK, case_id, Event.ACCEPT, deed=deed, at=moment, value=value)
    await _task(tx, desk, scene, deed, "accepted_by_clock", Role.HANDLER)
    await replan(tx, desk, case_id)
    return True


async def suggest_task_force(tx: Tx, desk: Desk, case_id: int) -> bool:
    """Supervision is asked once whether a case that has taken long needs a team. False if it does not."""
    if not await wants(tx, desk, case_id):
        return False
    scene = await read_case(tx, desk, case_id)
    deed = await record.begin(tx, desk, CLOCKWORK, case_id, "suggest_task_force")
    await _task(tx, desk, scene, deed, FORM_TASK_FORCE, Role.SUPERVISION)
    await replan(tx, desk, case_id)
    return True


async def wants(tx: Tx, desk: Desk, case_id: int) -> bool:
    """Whether supervision is still to be asked about a case that has taken long. Reads only."""
    scene = await read_case(tx, desk, case_id)
    asked = any(e.detail.get("what") == FORM_TASK_FORCE for e in scene.entries.values())
    return not asked and wants_task_force(scene)


async def _task(tx: Tx, desk: Desk, scene: CaseScene, deed: int | None, what: str, role: Role) -> None:
    value = {"what": what, "role": role.value}
    case_id = scene.row.case.id
    await record.add(tx, desk, CLOCKWORK, case_id, Event.TASK, deed=deed, subject=f"{what}.1", value=value)


async def waiting_long(tx: Tx, desk: Desk) -> list[int]:
    """Cases registered so long ago that they count as accepted."""
    return await overview.registered_before(tx, desk.clock.now() - ACCEPTED_AFTER)


async def taking_long(tx: Tx, desk: Desk) -> list[int]:
    """Cases that may want a task force, by a first look."""
    now = desk.clock.now()
    return await overview.taking_long(tx, opened_before=now - LONG_OPEN, due_before=now - LATE)


async def sponsor_cards(tx: Tx, desk: Desk) -> int:
    """On Monday morning each sponsor reads how the cases they carry stand; how many cards were written."""
    office, now = desk.office, desk.clock.now()
    today = local_day(now, office.zone)
    if today.weekday() != MONDAY:
        return 0
    staff, written = await people.staff(tx), 0
    for person in staff.holding(Role.SPONSOR):
        rows = await overview.sponsored_by(tx, person.id)
        if not rows or person.chat_id is None:
            continue
        starts = max(at(today, person.digest_at, office.zone), now)
        detail = {"staff": person.name, "lines": await _lines(tx, desk, person, rows, now)}
        key = f"{SPONSOR_WEEK}:{person.id}:{today.isoformat()}"
        written += await tell(tx, desk, person, SPONSOR_WEEK, key=key, at=starts, detail=detail)
    return written


async def _lines(tx: Tx, desk: Desk, person: Person, ids: list[int], now: datetime) -> str:
    """One line for each case: number, village, what is due next."""
    rows = await cases.many(tx, ids)
    owed = await entries.open_of(tx, ids)
    lines: list[str] = []
    for case_id in ids:
        row = rows[case_id]
        coming = next((e for e in owed if e.case_id == case_id and e.keeps_case_alive), None)
        milestone = desk.protocol_of(row).milestone(coming.milestone) if coming is not None else None
        what = milestone.words[person.lang] if milestone is not None else ""
        day = (coming.promise_on or coming.due_on) if coming is not None else None
        when = say_date(day, person.lang, local_day(now, desk.office.zone)) if day is not None else ""
        place = "" if row.case.confidential else row.case.place
        lines.append(" ".join(part for part in (row.case.number, place, what, when) if part))
    return "\n" + "\n".join(f"· {line}" for line in lines)
