"""Who gets whose messages and cases: absences with deputies, villages with their cadre, hand-overs."""

from collections.abc import Sequence
from datetime import date, timedelta

from reminder.actions import record
from reminder.actions.desk import CLOCKWORK, Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.replan import replan
from reminder.domain.cases import Event
from reminder.domain.errors import Refused
from reminder.domain.people import Absence, Channel, Person, Posting, Role, Staff
from reminder.domain.reminders import State
from reminder.domain.workdays import at, local_day
from reminder.store import cases, entries, people, reminders
from reminder.store.database import Tx

LONGEST = timedelta(days=180)
"""An absence longer than this is a posting for somebody else."""

SOON = 3
"""Working days within which a hand-over says what falls due."""

HANDOVER = "handover"


async def leave(
    tx: Tx, desk: Desk, by: Actor, person_id: int, deputy_id: int, from_on: date, to_on: date
) -> Person:
    """Somebody is away: from day to day, both included, the deputy gets their messages, not their duty.

    Refused when the deputy is away too, has not joined, or is the person; when the days are past or too many.
    """
    staff = await permit(tx, by, "leave")
    person, deputy = staff.active(person_id), staff.active(deputy_id)
    if person is None or deputy is None or person_id == deputy_id:
        raise Refused("person.unknown")
    if by.person is not None and by.person.id != person_id and not _heads(by.person, person, staff):
        raise Refused("person.not_allowed")
    today = local_day(desk.clock.now(), desk.office.zone)
    if to_on < from_on or to_on < today or to_on - from_on > LONGEST:
        raise Refused("leave.days", most=LONGEST.days)
    days = (from_on + timedelta(days=n) for n in range((to_on - from_on).days + 1))
    if deputy.chat_id is None or any(staff.reached(deputy, day).id != deputy.id for day in days):
        raise Refused("leave.deputy", name=deputy.name)
    absence = Absence(person_id=person_id, deputy_id=deputy_id, from_on=from_on, to_on=to_on)
    await people.add_absence(tx, absence)
    await record.begin(tx, desk, by, None, f"leave:{person_id}:{deputy_id}")
    await _tell_deputy(tx, desk, person, deputy, from_on, await _open_cases(tx, person_id))
    return deputy


def _heads(by: Person, person: Person, staff: Staff) -> bool:
    over = by.roles & {Role.UNIT_HEAD, Role.ADMIN, Role.SUPERVISION, Role.TOP}
    return bool(over) and staff.within(person.unit_id, by.unit_id)


async def back(tx: Tx, desk: Desk, by: Actor) -> int:
    """Back earlier than said: from today on messages come to the person again. How many absences ended."""
    await permit(tx, by, "leave")
    assert by.person is not None
    yesterday = local_day(desk.clock.now(), desk.office.zone) - timedelta(days=1)
    ended = await people.end_absence(tx, by.person.id, yesterday)
    await record.begin(tx, desk, by, None, "back")
    return ended


async def post(tx: Tx, desk: Desk, by: Actor, place: str, person_id: int, from_on: date) -> int:
    """A village gets its cadre: new cases from there go to them, and on the day the old ones do too.

    Returns how many cases were handed over at once.
    """
    staff = await permit(tx, by, "posting")
    if staff.active(person_id) is None or not place.strip():
        raise Refused("person.unknown")
    await people.add_posting(tx, Posting(person_id=person_id, place=place.strip(), from_on=from_on))
    await record.begin(tx, desk, by, None, f"posting:{person_id}")
    return await rotate(tx, desk)


async def rotate(tx: Tx, desk: Desk) -> int:
    """Cases of a village whose cadre has changed go to the new one, who is told which. How many moved."""
    staff = await people.staff(tx)
    today = local_day(desk.clock.now(), desk.office.zone)
    moved = 0
    for place in sorted({posting.place for posting in staff.postings}):
        person = staff.posted(place, today)
        before = {p.person_id for p in staff.postings if p.place == place and not p.holds(today)}
        if person is None:
            continue
        ids = [i for old in sorted(before - {person.id}) for i in await cases.handled_at(tx, old, place)]
        await _hand_over(tx, desk, CLOCKWORK, ids, person)
        moved += len(ids)
    return moved


async def hand_over(tx: Tx, desk: Desk, by: Actor, from_id: int, to_id: int) -> int:
    """All open cases of one cadre become another's, with their dates and promises. How many there were."""
    staff = await permit(tx, by, "posting")
    person = staff.active(to_id)
    if person is None or from_id == to_id:
        raise Refused("person.unknown")
    ids = await _open_cases(tx, from_id)
    await _hand_over(tx, desk, by, ids, person)
    if ids and from_id in staff.people:
        today = local_day(desk.clock.now(), desk.office.zone)
        await _tell_deputy(tx, desk, staff.people[from_id], person, today, ids)
    return len(ids)


async def _hand_over(tx: Tx, desk: Desk, by: Actor, ids: Sequence[int], person: Person) -> None:
    for case_id in ids:
        await cases.lock(tx, case_id)
        value = {"handler": person.id, "unit": person.unit_id}
        await record.record(tx, desk, by, case_id, Event.ASSIGN, value=value, action=HANDOVER)
        await replan(tx, desk, case_id)


async def _open_cases(tx: Tx, person_id: int) -> list[int]:
    return await cases.handled_at(tx, person_id, "")


async def _tell_deputy(
    tx: Tx, desk: Desk, person: Person, deputy: Person, day: date, ids: Sequence[int]
) -> None:
    """One message: how many cases, which fall due within three working days, what was promised."""
    if not ids or deputy.chat_id is None:
        return
    words = desk.templates.word
    soon = desk.office.calendar.add_working(day, SOON)
    rows = await cases.many(tx, list(ids))
    open_ones = await entries.open_of(tx, list(ids))
    due = [e for e in open_ones if e.due_on is not None and e.due_on <= soon]
    numbers = list(dict.fromkeys(rows[e.case_id].case.number for e in due))
    promised = [e for e in open_ones if e.milestone == "commitment"]
    lines = [f"{rows[e.case_id].case.number} {e.detail.get('text', '')}".strip() for e in promised]
    none = words("none", deputy.lang)
    now = desk.clock.now()
    starts = max(at(day, deputy.digest_at, desk.office.zone), now)
    await reminders.add(
        tx,
        key=f"{HANDOVER}:{person.id}:{deputy.id}:{day.isoformat()}",
        person_id=deputy.id,
        channel=Channel.TELEGRAM.value,
        kind=HANDOVER,
        due_at=starts,
        send_after=starts,
        state=State.PLANNED.value,
        detail={
            "sender": person.name,
            "n": len(ids),
            "m": len(numbers),
            "date_on": day.isoformat(),
            "no_list": words("separator", deputy.lang).join(numbers) or none,
            "promises": words("separator", deputy.lang).join(lines)[:300] or none,
        },
    )
