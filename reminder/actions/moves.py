"""How a case moves between units, leaders and levels: referred, extended, deferred, reviewed, joined."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from reminder.actions import record
from reminder.actions.cases import allowed, take
from reminder.actions.confidence import unbiased
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.migrating import begins
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import CaseScene, read_case
from reminder.domain.cases import ENDED, FLAGS, Event
from reminder.domain.entries import Entry
from reminder.domain.errors import Refused
from reminder.domain.limits import Limit
from reminder.domain.people import Person, Role
from reminder.domain.workdays import local_day
from reminder.store import cases
from reminder.store.database import Tx

LONGEST_LOOK = timedelta(days=90)
"""How far off the next look at a deferred case may be (house rule)."""

MAJOR = "major"
"""The protocol of cases in which ordinary handling failed."""


def _all(scene: CaseScene) -> list[Entry]:
    return list(scene.entries.values())


# --- from unit to unit --------------------------------------------------------------------------


async def refer(tx: Tx, desk: Desk, by: Actor, case_id: int, unit_id: int, reason: str = "") -> Plan:
    """Pass the case to the unit it belongs to. Until that unit signs for it, it stays with who has it now."""
    scene = await allowed(tx, desk, by, case_id, Event.REFER)
    unit = scene.staff.units.get(unit_id)
    if unit is None or unit_id == scene.row.unit_id:
        raise Refused("refer.unit")
    if scene.staff.head(unit_id) is None:
        raise Refused("refer.nobody", unit=unit.name)
    unbiased(scene, unit_id)
    return await take(tx, desk, by, case_id, Event.REFER, value={"unit": unit_id, "why": reason[:200]})


async def acknowledge(tx: Tx, desk: Desk, by: Actor, case_id: int) -> Plan:
    """The receiving unit signs for it: from now on it is theirs, and the resident is told where it went."""
    scene = await allowed(tx, desk, by, case_id, Event.ACKNOWLEDGE)
    sent = scene.past.all(Event.REFER)[-1]
    told = any(e.milestone == "ack" and e.is_open and e.due_at and e.due_at <= scene.now for e in _all(scene))
    value = {"unit": sent.value["unit"], "told": "yes" if told else "no"}
    return await take(tx, desk, by, case_id, Event.ACKNOWLEDGE, value=value)


async def object_to(tx: Tx, desk: Desk, by: Actor, case_id: int, reason: str) -> Plan:
    """The wrong unit says so, with reasons, within five working days (Petition Work Regulations art. 23)."""
    scene = await allowed(tx, desk, by, case_id, Event.OBJECT)
    if not reason.strip():
        raise Refused("case.needs_reason")
    window = scene.open_of("object")
    if window is not None and window.due_at is not None and scene.now >= window.due_at:
        raise Refused("object.too_late")
    return await take(tx, desk, by, case_id, Event.OBJECT, value={"why": reason[:200]})


async def guide(tx: Tx, desk: Desk, by: Actor, case_id: int, path: str) -> Plan:
    """Another legal route leads to it: the resident is told which, and rung a week later."""
    if not path.strip():
        raise Refused("guide.needs_path")
    return await take(tx, desk, by, case_id, Event.GUIDE, value={"path": path[:15]})


# --- more time ----------------------------------------------------------------------------------


async def extend(tx: Tx, desk: Desk, by: Actor, case_id: int, days: int, reason: str) -> Plan:
    """More time, once, granted by somebody other than the handler and told before the old date.

    A handler's own wish becomes a task for the head of the unit, who grants it with the same command.
    """
    scene = await allowed(tx, desk, by, case_id, Event.EXTEND)
    if not reason.strip():
        raise Refused("case.needs_reason")
    entry, most = _extendable(scene)
    if not 1 <= days <= most.amount:
        raise Refused("extend.days", most=most.amount)
    _in_time(scene, entry)
    if not _approves(by, scene):
        asked = {"what": "approve_extension", "role": Role.UNIT_HEAD.value, "said": f"{days} · {reason[:60]}"}
        return await _ask(tx, desk, by, scene, asked, f"extend.{entry.key}")
    if by.person is not None and by.person.id == scene.row.handler_id:
        raise Refused("extend.own")
    value = {"days": days, "reason": reason[:15], "approver": by.person.name if by.person else ""}
    plan = await take(tx, desk, by, case_id, Event.EXTEND, value=value, subject=entry.key)
    return await _granted(tx, desk, by, plan, "extend")


def _extendable(scene: CaseScene) -> tuple[Entry, Limit]:
    for entry in _all(scene):
        milestone = scene.milestone(entry)
        if entry.is_open and milestone is not None and milestone.extension is not None:
            if any(f.event is Event.EXTEND for f in scene.past.about(entry.key)):
                raise Refused("extend.twice", no=scene.row.case.number)
            return entry, milestone.extension
    raise Refused("extend.nothing", no=scene.row.case.number)


def _in_time(scene: CaseScene, entry: Entry) -> None:
    """The resident must be able to hear of it before the old date."""
    office = scene.office
    heard = office.texting.next_open(scene.now + office.undo, office.zone)
    if entry.due_at is None or heard >= entry.due_at:
        raise Refused("extend.too_late", no=scene.row.case.number)


def _approves(by: Actor, scene: CaseScene) -> bool:
    """Whether the person may grant things about this case: the head of its unit, or somebody above."""
    if by.person is None:
        return True
    head = scene.staff.head(scene.row.unit_id)
    heads = {head.id if head is not None else None, scene.row.sponsor_id}
    return by.person.id in heads or bool(by.person.roles & {Role.TOP, Role.SUPERVISION})


async def _ask(tx: Tx, desk: Desk, by: Actor, scene: CaseScene, value: Mapping[str, Any], stem: str) -> Plan:
    """A task for whoever may grant what somebody asks for."""
    case_id = scene.row.case.id
    number = len(await cases.subjects(tx, case_id, stem.partition(".")[0])) + 1
    subject = f"{stem.partition('.')[0]}.ask{number}"
    await record.record(tx, desk, by, case_id, Event.TASK, subject=subject, value=value, action="ask")
    return await replan(tx, desk, case_id)


async def _granted(tx: Tx, desk: Desk, by: Actor, plan: Plan, stem: str) -> Plan:
    """Whoever grants a thing has done what was asked of them, in the same deed."""
    case_id = plan.row.case.id
    asked = [key for key, e in plan.entries.items() if e.is_open and key.startswith(f"{stem}.ask")]
    if not asked:
        return plan
    deed = await cases.last_deed_of_case(tx, case_id)
    for key in asked:
        await record.add(tx, desk, by, case_id, Event.DONE, deed=deed, subject=key)
    return await replan(tx, desk, case_id)


async def suspend(tx: Tx, desk: Desk, by: Actor, case_id: int, days: int) -> Plan:
    """The days a hearing took do not count towards a review's limit (Petition Work Regulations art. 36)."""
    scene = await allowed(tx, desk, by, case_id, Event.SUSPEND)
    entry = scene.open_of("review2") or scene.open_of("reexam")
    if entry is None or not 1 <= days <= LONGEST_LOOK.days:
        raise Refused("suspend.nothing", no=scene.row.case.number)
    return await take(tx, desk, by, case_id, Event.SUSPEND, value={"days": days}, subject=entry.key)


async def defer(
    tx: Tx, desk: Desk, by: Actor, case_id: int, next_on: date, reason: str, condition: str
) -> Plan:
    """Fair, but not yet possible: why, what it waits for, and when somebody looks again. Never closed.

    The head of the unit decides; a handler's wish becomes a task for them.
    """
    scene = await allowed(tx, desk, by, case_id, Event.DEFER)
    today = local_day(scene.now, scene.office.zone)
    if not reason.strip() or not condition.strip():
        raise Refused("defer.needs_both")
    if not today < next_on <= today + LONGEST_LOOK:
        raise Refused("defer.next_look", most=LONGEST_LOOK.days)
    if not _approves(by, scene):
        said = f"{next_on.isoformat()} · {reason[:30]} · {condition[:30]}"
        asked = {"what": "approve_deferral", "role": Role.UNIT_HEAD.value, "said": said}
        return await _ask(tx, desk, by, scene, asked, "defer")
    value = {"next_on": next_on.isoformat(), "date_on": next_on.isoformat()}
    value |= {"reason": reason[:15], "condition": condition[:200]}
    plan = await take(tx, desk, by, case_id, Event.DEFER, value=value)
    return await _granted(tx, desk, by, plan, "defer")


async def resume(tx: Tx, desk: Desk, by: Actor, case_id: int, text: str = "") -> Plan:
    """What it waited for has come: the work goes on, and the resident hears so."""
    scene = await allowed(tx, desk, by, case_id, Event.RESUME)
    words = desk.templates.word
    value = {"text": text[:200], "progress": words("resumed.progress", scene.desk.office.lang)}
    value["next"] = words("resumed.next", scene.desk.office.lang)
    return await take(tx, desk, by, case_id, Event.RESUME, value=value)


# --- review -------------------------------------------------------------------------------------


async def ask_review(tx: Tx, desk: Desk, by: Actor, case_id: int, late_reason: str = "") -> Plan:
    """The resident asks the level above to look again; the second time it is the last review.

    After the thirty days a person decides, with a reason, to take it all the same.
    """
    scene = await read_case(tx, desk, case_id)
    first = scene.past.last(Event.REVIEW_RESULT) is None
    event = Event.REVIEW_REQUEST if first else Event.SECOND_REVIEW
    scene = await allowed(tx, desk, by, case_id, event)
    served = scene.past.last(Event.SERVED)
    if served is None:
        raise Refused("review.not_served", no=scene.row.case.number)
    window = next((e for e in reversed(_all(scene)) if e.milestone == "review_window"), None)
    over = window is not None and window.due_at is not None and scene.now >= window.due_at
    if over and not late_reason.strip():
        raise Refused("review.late", no=scene.row.case.number)
    value = {"late": "yes" if over else "no", "why": late_reason[:200]}
    return await take(tx, desk, by, case_id, event, value=value)


async def review_result(tx: Tx, desk: Desk, by: Actor, case_id: int, upholds: bool, result: str) -> Plan:
    """The level above answers: the answer stands, or the case goes back to be done again."""
    if not result.strip():
        raise Refused("case.needs_reason")
    scene = await read_case(tx, desk, case_id)
    second = scene.past.status.value == "under_second_review"
    event = Event.SEND_BACK if not upholds else Event.CONCLUDE if second else Event.REVIEW_RESULT
    scene = await allowed(tx, desk, by, case_id, event)
    if by.person is not None and by.person.id == scene.row.handler_id:
        raise Refused("review.own")
    return await take(tx, desk, by, case_id, event, value={"result": result[:15], "text": result[:2000]})


# --- who carries it -----------------------------------------------------------------------------


async def flag(tx: Tx, desk: Desk, by: Actor, case_id: int, sign: str) -> Plan:
    """Ordinary handling failed: the head of the office answers for it, and the major protocol holds."""
    if sign not in FLAGS:
        raise Refused("flag.unknown", known=", ".join(FLAGS))
    scene = await allowed(tx, desk, by, case_id, Event.FLAG)
    deed = await record.begin(tx, desk, by, case_id, "flag")
    await record.add(tx, desk, by, case_id, Event.FLAG, deed=deed, value={"flag": sign})
    await under_major(tx, desk, by, scene, deed)
    return await replan(tx, desk, case_id)


async def under_major(tx: Tx, desk: Desk, by: Actor, scene: CaseScene, deed: int | None) -> None:
    """Put a case under the protocol of major matters, if the office has one and it is not there yet."""
    protocol = desk.protocols.get(MAJOR)
    if protocol is None or scene.row.protocol == MAJOR:
        return
    value = protocol.as_fact
    value |= {"begins": begins(scene, protocol, value)}
    await record.add(tx, desk, by, scene.row.case.id, Event.PROTOCOL, deed=deed, value=value)


async def sponsor(tx: Tx, desk: Desk, by: Actor, case_id: int, person_id: int, reason: str = "") -> Plan:
    """A named leader carries the case; a handover keeps its dates and its series."""
    scene = await allowed(tx, desk, by, case_id, Event.SPONSOR)
    person = scene.staff.active(person_id)
    if person is None or not person.roles & {Role.SPONSOR, Role.TOP, Role.UNIT_HEAD}:
        known = [p.name for p in _leaders(scene)]
        raise Refused("sponsor.who", known=", ".join(known))
    unbiased(scene, person.unit_id)
    value = {"person": person_id, "why": reason[:200]}
    return await take(tx, desk, by, case_id, Event.SPONSOR, value=value)


def _leaders(scene: CaseScene) -> list[Person]:
    return [*scene.staff.holding(Role.SPONSOR), *scene.staff.holding(Role.TOP)]


async def pause(tx: Tx, desk: Desk, by: Actor, case_id: int, reason: str) -> Plan:
    """Texts to the resident wait until somebody lets them go again; every date of the office runs on."""
    if not reason.strip():
        raise Refused("case.needs_reason")
    return await take(tx, desk, by, case_id, Event.PAUSE, value={"why": reason[:200]})


async def unpause(tx: Tx, desk: Desk, by: Actor, case_id: int) -> Plan:
    """Texts go again; those no longer useful have ended and are listed as tasks."""
    return await take(tx, desk, by, case_id, Event.UNPAUSE, value={})


# --- joined and ended ---------------------------------------------------------------------------


async def merge(tx: Tx, desk: Desk, by: Actor, case_id: int, into_id: int) -> Plan:
    """The same matter twice: its people come along, and the earlier day of receipt counts. No way back."""
    scene = await allowed(tx, desk, by, case_id, Event.MERGE)
    await cases.lock(tx, into_id)
    await permit(tx, by, "merge", into_id)
    target = await read_case(tx, desk, into_id)
    if into_id == case_id or target.past.status in ENDED:
        raise Refused("merge.itself")
    for resident_id, role in scene.sides.items():
        if resident_id not in target.sides:
            await cases.add_party(tx, into_id, resident_id, role)
    deed = await record.begin(tx, desk, by, None, f"merge:{case_id}:{into_id}")
    into = {"into": target.row.case.number}
    await record.add(tx, desk, by, case_id, Event.MERGE, deed=deed, value=into)
    first, known = scene.past.all(Event.RECEIVE)[0], target.past.all(Event.RECEIVE)[0]
    if first.at < known.at:
        # An earlier receipt comes first in the history, so it is the one that counts.
        value = known.value
        await record.add(tx, desk, by, into_id, Event.RECEIVE, deed=deed, at=first.at, value=value)
    await cases.update(tx, case_id, merged_into_id=into_id)
    await replan(tx, desk, into_id)
    return await replan(tx, desk, case_id)


async def archive(tx: Tx, desk: Desk, by: Actor, case_id: int) -> Plan:
    """An ended case is put away; the time it is kept runs from here."""
    return await take(tx, desk, by, case_id, Event.ARCHIVE, value={})
