"""The office's own files: reception days with a rota, household rounds, pledges. Cases with no resident."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import cycle, islice
from typing import Any

from reminder.actions import record
from reminder.actions.added import add
from reminder.actions.cases import NewCase, complete_if_over, register
from reminder.actions.desk import Actor, Desk
from reminder.actions.entries import Slot, move
from reminder.actions.guard import permit
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import read_case
from reminder.domain.cases import Event, allowed_from
from reminder.domain.entries import Entry
from reminder.domain.errors import Refused
from reminder.domain.workdays import WorkCalendar, local_day
from reminder.store import cases, households
from reminder.store.database import Tx

OFFICE = "office"
"""Track of a file that is about the office itself."""

MONTHS = 12
"""How far a rota is planned; then somebody plans the next year."""

ROUNDS = ("survey", "information", "care")
_MOMENT = timedelta(microseconds=1)


async def open_file(tx: Tx, desk: Desk, by: Actor, protocol: str, place: str, title: str) -> Plan:
    """A file of the office, kept by whoever opens it."""
    await permit(tx, by, "file")
    person = by.person
    new = NewCase(
        protocol=protocol,
        track=OFFICE,
        category="other",
        place=place[:60],
        request=title[:200],
        unit_id=person.unit_id if person is not None else None,
        handler_id=person.id if person is not None else None,
    )
    return await register(tx, desk, by, new)


async def reception(
    tx: Tx, desk: Desk, by: Actor, day_of_month: int, leaders: Sequence[int], place: str
) -> Plan:
    """A year of reception days, one leader after the other; rest days roll forward."""
    if not 1 <= day_of_month <= 28 or not leaders:
        raise Refused("reception.day")
    plan = await open_file(tx, desk, by, "reception", place, "")
    again = Actor(person=by.person)  # many deeds of one command
    today = local_day(desk.clock.now(), desk.office.zone)
    days = _months(today, day_of_month)
    for day, leader in zip(days, islice(cycle(leaders), len(days)), strict=True):
        value = {"nominal": day.isoformat(), "person": leader, "place": place[:60]}
        plan = await add(tx, desk, again, plan.row.case.id, "reception", value)
    return plan


def _months(today: date, day: int) -> list[date]:
    first = today.year * 12 + today.month - 1 + (1 if today.day >= day else 0)
    return [date(month // 12, month % 12 + 1, day) for month in range(first, first + MONTHS)]


async def swap(tx: Tx, desk: Desk, by: Actor, one: Entry, other: Entry) -> Plan:
    """Two leaders exchange their days; both, and whoever heard the old days, are told anew."""
    assert one.due_on is not None
    assert other.due_on is not None
    await move(tx, desk, by, one.id, Slot(day=other.due_on))
    return await move(tx, desk, by, other.id, Slot(day=one.due_on))


async def book(tx: Tx, desk: Desk, by: Actor, case_id: int, file_id: int) -> Plan:
    """A resident comes on the next reception day: invited, reminded, and on the leader's list."""
    scene = await read_case(tx, desk, file_id)
    days = [e for e in scene.entries.values() if e.milestone == "reception" and e.is_open]
    coming = [e for e in days if e.starts_at is not None and e.starts_at > scene.now]
    if not coming:
        raise Refused("reception.none", no=scene.row.case.number)
    day = min(coming, key=lambda e: (e.starts_at, e.id))
    assert day.due_on is not None
    slot = desk.office.zone
    value: dict[str, Any] = {"day": day.due_on.isoformat(), "person": day.person_id, "place": day.place}
    if day.starts_at is not None and day.ends_at is not None:
        value["start"] = day.starts_at.astimezone(slot).strftime("%H:%M")
        value["end"] = day.ends_at.astimezone(slot).strftime("%H:%M")
    booked = {"booked": (await read_case(tx, desk, case_id)).row.case.number}
    await record.record(tx, desk, by, file_id, Event.NOTE, subject=day.key, value=booked, action="booked")
    return await add(tx, desk, Actor(person=by.person), case_id, "invited_meeting", value)


async def make_round(
    tx: Tx, desk: Desk, by: Actor, kind: str, place: str, *, first: date, last: date, most: int
) -> Plan:
    """Every household of a village, spread over the working days from first to last, at most `most` a day.

    Care rounds go only where somebody said they are welcome. Refused, with the way out, when the round is
    larger than its cadre can walk.
    """
    if kind not in ROUNDS:
        raise Refused("round.kind", known=", ".join(ROUNDS))
    staff = await permit(tx, by, "file")
    found = await households.at(tx, place, agreed=kind == "care")
    days = _working_days(desk.office.calendar, first, last)
    if not found or not days or first < local_day(desk.clock.now(), desk.office.zone):
        raise Refused("round.nothing", place=place)
    if len(found) > len(days) * most:
        needed = -(-len(found) // most)
        raise Refused("round.too_large", n=len(found), days=len(days), most=most, needed=needed)
    cadre = staff.posted(place, first) or by.person
    plan = await open_file(tx, desk, by, "care" if kind == "care" else "round", place, kind)
    for number, household in enumerate(found):
        day = days[number * len(days) // len(found)]
        value: dict[str, Any] = {"day": day.isoformat(), "household": household.id, "place": household.label}
        if cadre is not None:
            value["person"] = cadre.id
        plan = await add(tx, desk, Actor(person=by.person), plan.row.case.id, "household", value)
    return plan


def _working_days(calendar: WorkCalendar, first: date, last: date) -> list[date]:
    span = (last - first).days + 1
    return [d for n in range(max(0, span)) if calendar.is_working(d := first + timedelta(days=n))]


async def add_household(
    tx: Tx, desk: Desk, by: Actor, place: str, label: str, members: int, *, agreed: bool
) -> int:
    """A household by a label its village knows; nothing about anybody in it."""
    await permit(tx, by, "file")
    if not place.strip() or not label.strip() or not 1 <= members <= 50:
        raise Refused("household.how")
    made = await households.add(tx, place=place[:60], label=label[:60], members=members, agreed=agreed)
    await record.begin(tx, desk, by, None, f"household:{made}")
    return made


async def finish(tx: Tx, desk: Desk, by: Actor, case_id: int, summary: str) -> Plan:
    """Close a file of the office with a line about it; whatever is still open in it ends."""
    await permit(tx, by, "file")
    await cases.lock(tx, case_id)
    scene = await read_case(tx, desk, case_id)
    states = allowed_from(Event.ANSWER, direct_answer=True) or frozenset()
    is_file = scene.protocol.office and scene.past.status in states  # a resident's matter is answered first
    if not is_file or not summary.strip():
        raise Refused("file.finish", no=scene.row.case.number)
    deed = await record.begin(tx, desk, by, case_id, "finish")
    now = desk.clock.now()
    said = {"outcome": "explained", "reason": summary[:200], "result": summary[:200]}
    for number, (event, value) in enumerate(
        ((Event.ANSWER, said), (Event.SERVED, {"how": "file"}), (Event.CLOSE, {"waiver": "file"}))
    ):
        moment = now - (2 - number) * _MOMENT  # one after the other, and all before what follows from them
        await record.add(tx, desk, by, case_id, event, deed=deed, at=moment, value=value)
    return await complete_if_over(tx, desk, await replan(tx, desk, case_id))
