"""What people put into a case's calendar themselves: commitments, reviews, orders, each by its milestone."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from reminder.actions import record
from reminder.actions.cases import allowed
from reminder.actions.desk import Actor, Desk
from reminder.actions.entries import Slot
from reminder.actions.guard import permit
from reminder.actions.moves import under_major
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import CaseScene, read_case
from reminder.actions.whom import who
from reminder.domain.cases import ENDED, Event, allowed_from
from reminder.domain.errors import Refused, Stale
from reminder.domain.people import Role
from reminder.domain.policy import POLICY, may
from reminder.domain.protocols import ADDED, Milestone
from reminder.domain.workdays import at, local_day
from reminder.placeholders import clean
from reminder.store import cases, residents
from reminder.store.database import Tx


async def add(tx: Tx, desk: Desk, by: Actor, case_id: int, key: str, value: Mapping[str, Any]) -> Plan:
    """Put one more of a milestone that people add into the case: {"day", "person", "text", "place", …}.

    Refused when the case's protocol has no such milestone, when it has ended, for a day that is over, for
    somebody who has left and without the text its own messages would say. What is an action of its own in
    the policy, such as a supervision order, is put in only by whoever may do that.
    """
    scene = await allowed(tx, desk, by, case_id, Event.ADD)
    milestone = _addable(scene, by, key)
    _sound(scene, value)
    if says_text(desk, milestone) and not clean(str(value.get("text", "")), flat=True).strip():
        raise Refused("added.needs_text", what=milestone.words[desk.office.lang], no=scene.row.case.number)
    subject = await _subject(tx, case_id, key)
    deed = await record.begin(tx, desk, by, case_id, key)
    if deed is None:
        raise Stale("deed.repeated")
    await record.add(tx, desk, by, case_id, Event.ADD, deed=deed, subject=subject, value=value)
    return await replan(tx, desk, case_id)


def addable(scene: CaseScene, by: Actor) -> list[Milestone]:
    """The milestones of a case's protocol that people add, as far as this one has the right to."""
    every = (m for m in scene.protocol.milestones if m.anchor == ADDED)
    return [m for m in every if m.key not in POLICY or (by.person and may(by.person, m.key, scene.staff))]


def says_text(desk: Desk, milestone: Milestone) -> bool:
    """Whether a message of the milestone says what was written when it was put in."""
    kinds = {step.kind for step in milestone.steps if step.kind is not None}
    return any("text" in kind.variables - kind.optional for kind in map(desk.templates.kind, kinds))


def _addable(scene: CaseScene, by: Actor, key: str) -> Milestone:
    if scene.past.status in ENDED:
        status = f"status.{scene.past.status}"
        raise Refused("case.wrong_state", status=status, move="move.add")
    possible = {m.key: m for m in addable(scene, by)}
    if key in possible:
        return possible[key]
    known = ", ".join(possible)
    raise Refused("added.unknown", what=key, no=scene.row.case.number, known=known or "-")


def _sound(scene: CaseScene, value: Mapping[str, Any]) -> None:
    today = local_day(scene.now, scene.office.zone)
    for name in ("day", "nominal"):
        if value.get(name) and date.fromisoformat(str(value[name])) < today:
            raise Refused("date.past")
    person = value.get("person")
    if person is not None and scene.staff.active(person) is None:
        raise Refused("person.left")


async def _subject(tx: Tx, case_id: int, key: str) -> str:
    number = len(await cases.subjects(tx, case_id, key)) + 1
    return key if number == 1 else f"{key}.{number}"


async def joint_review(
    tx: Tx, desk: Desk, by: Actor, case_ids: Sequence[int], slot: Slot, *, place: str, secretary_id: int
) -> list[Plan]:
    """One meeting about several cases: everybody concerned is told once, each case gets its own minutes."""
    plans: list[Plan] = []
    scenes = [await read_case(tx, desk, case_id) for case_id in case_ids]
    if at(slot.day, slot.start or desk.office.slot[0], desk.office.zone) <= desk.clock.now():
        raise Refused("date.past")
    numbers = [scene.row.case.number for scene in scenes]
    people = {p.id for scene in scenes for role in _CONCERNED for p in who(role, scene.row, scene.staff)}
    value = slot.value() | {
        "place": place,
        "person": secretary_id,
        "people": sorted(people | {secretary_id}),
        "session": f"{slot.day.isoformat()}:{numbers[0]}",
        "agenda": numbers,
    }
    for case_id in case_ids:
        one = by if case_id == case_ids[-1] else Actor(person=by.person)  # a deed for each case
        plans.append(await add(tx, desk, one, case_id, "joint_review", value))
    return plans


_CONCERNED = (Role.HANDLER, Role.UNIT_HEAD, Role.SPONSOR, Role.SUPERVISION)
"""Whom a joint review brings to one table."""


async def broken(tx: Tx, desk: Desk, by: Actor, case_id: int, key: str, reason: str) -> Plan:
    """A commitment was not kept: a case answered or closed is taken up again, one at work notes why."""
    await cases.lock(tx, case_id)
    await permit(tx, by, "reopen", case_id)
    scene = await read_case(tx, desk, case_id)
    if key not in scene.entries or not reason.strip():
        raise Refused("case.needs_reason" if key in scene.entries else "not_found")
    again = scene.past.status in (allowed_from(Event.REOPEN) or ())
    if not again and scene.past.status in ENDED:
        raise Refused("case.wrong_state", status=f"status.{scene.past.status}", move="move.reopen")
    deed = await record.begin(tx, desk, by, case_id, "broken")
    said = {"reason_text": reason[:200]} if again else {"text": reason[:200], "why": reason[:200]}
    event = Event.REOPEN if again else Event.NOTE
    await record.add(tx, desk, by, case_id, event, deed=deed, value=said)
    if again and len(scene.past.all(Event.REOPEN)) >= 1:
        await under_major(tx, desk, by, scene, deed)
    return await replan(tx, desk, case_id)


async def reach_by(tx: Tx, desk: Desk, by: Actor, case_id: int, channel: str, needs: str) -> None:
    """How news reaches the people of a case where texts do not, and what helps at their door."""
    if channel not in REACH:
        raise Refused("reach.unknown", known=", ".join(REACH))
    await permit(tx, by, "contact", case_id)
    scene = await read_case(tx, desk, case_id)
    for resident_id in scene.sides:
        await residents.update(tx, resident_id, reach_by=channel, needs=needs[:60])
    await record.begin(tx, desk, by, None, f"reach:{case_id}:{channel}")


REACH = ("sms", "call", "agent", "paper")
"""Ways news reaches a resident."""
