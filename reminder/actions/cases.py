"""What people can do with a case; each is one deed: allowed, recorded, replanned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from reminder.actions import record
from reminder.actions.confidence import unbiased
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.replan import Plan, plan_anew, replan
from reminder.actions.scene import CaseScene, read_case
from reminder.domain.cases import OUTCOMES, Event, Fact, allowed_from, forbidden
from reminder.domain.errors import NotFound, Refused, Stale
from reminder.domain.numbers import case_number
from reminder.domain.people import Staff
from reminder.domain.protocols import Protocol
from reminder.domain.wanted import over
from reminder.domain.workdays import local_day
from reminder.store import cases, residents
from reminder.store.cases import CaseRow
from reminder.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NewParty:
    """Somebody a case is about. Numbers are E.164; `landlines` take no texts; `id` is a known resident."""

    name: str
    phones: Sequence[str] = ()
    landlines: Sequence[str] = ()
    lang: str = ""
    role: str = "applicant"
    id: int | None = None
    can_read: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What intake knows when a matter comes in."""

    protocol: str
    parties: Sequence[NewParty] = ()
    category: str = "other"
    track: str = "appeal"
    place: str = ""
    request: str = ""
    channel: str = "visit"
    unit_id: int | None = None
    handler_id: int | None = None
    danger: bool = False
    """Danger to life or property: the urgent protocol signs within minutes."""
    confidential: bool = False
    imported: bool = False
    group_size: int = 1
    received_at: datetime | None = None


COUNTERPART = "counterpart"
"""Role of those on the other side of a dispute."""

MAX_REQUEST = 2000
"""Characters of free text kept about a matter (data minimum)."""


async def register(tx: Tx, desk: Desk, by: Actor, new: NewCase) -> Plan:
    """Take in a matter, give it a number, and start its clocks from the moment of receipt."""
    row, staff = await take_in(tx, desk, by, new)
    return await plan_anew(tx, desk, row, staff)


async def take_in(tx: Tx, desk: Desk, by: Actor, new: NewCase) -> tuple[CaseRow, Staff]:
    """The same without its entries: whoever knows more of it already says that first, and replans then."""
    staff = await permit(tx, by, "register")
    if new.protocol not in desk.protocols:
        raise Refused("protocol.unknown", protocol=new.protocol, known=", ".join(sorted(desk.protocols)))
    if not new.category:
        raise Refused("case.needs_category")
    new = _routed(desk, staff, new)
    row = await _open(tx, desk, by, new)
    for party in new.parties:
        await join(tx, desk, row.case.id, party, contacted=not new.imported)
    deed = await record.begin(tx, desk, by, row.case.id, "register")
    now = desk.clock.now()
    facts = [
        Fact(event=event, at=new.received_at or now, recorded_at=now, value=value, by=by.id)
        for event, value in _taken_in(new, desk.protocol(new.protocol))
    ]
    await record.add_all(tx, row.case.id, facts, deed=deed)
    return row, staff


def _taken_in(new: NewCase, protocol: Protocol) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """What is so from the moment of receipt."""
    quiet = {"quiet": True} if new.imported else {}
    place = {"unit": new.unit_id, "handler": new.handler_id}
    yield Event.RECEIVE, quiet | {"track": new.track, "danger": "yes" if new.danger else "no"}
    yield Event.ASSIGN, {k: v for k, v in place.items() if v is not None} | quiet
    yield Event.REGISTER, quiet
    if any(m.anchor == "classified" for m in protocol.milestones):
        # It counts from when a case was put under it, and so from here, too.
        yield Event.PROTOCOL, protocol.as_fact


def _routed(desk: Desk, staff: Staff, new: NewCase) -> NewCase:
    """A case of a village goes to the cadre who looks after it, unless intake named somebody."""
    if new.handler_id is not None or not new.place:
        return new
    today = local_day(desk.clock.now(), desk.office.zone)
    places = sorted({p.place for p in staff.postings if p.place in new.place}, key=len, reverse=True)
    for place in places:
        person = staff.posted(place, today)
        if person is not None:
            return replace(new, handler_id=person.id, unit_id=person.unit_id)
    return new


async def _open(tx: Tx, desk: Desk, by: Actor, new: NewCase) -> CaseRow:
    now = desk.clock.now()
    year = local_day(now, desk.office.zone).year
    serial = await cases.last_serial(tx, f"{year % 100:02d}") + 1
    protocol = desk.protocol(new.protocol)
    return await cases.new(
        tx,
        number=case_number(year, serial),
        protocol=protocol.key,
        protocol_version=protocol.version,
        category=new.category,
        track=new.track,
        place=new.place,
        request=new.request[:MAX_REQUEST],
        channel=new.channel,
        first_contact_id=by.id,
        confidential=new.confidential,
        imported=new.imported,
        direct_answer=protocol.direct_answer,
        group_size=new.group_size,
        opened_at=new.received_at or now,
    )


async def join(tx: Tx, desk: Desk, case_id: int, party: NewParty, *, contacted: bool) -> int:
    """Put somebody on a case, made known if they are new; the resident's id."""
    resident_id = party.id
    if resident_id is None:
        lang = party.lang or desk.office.lang
        resident_id = await residents.add(
            tx, name=party.name, lang=lang, contacted=contacted, can_read=party.can_read
        )
    for number in party.phones:
        await residents.give_phone(tx, desk.sealer, resident_id, number)
    for number in party.landlines:
        await residents.give_phone(tx, desk.sealer, resident_id, number, texts=False)
    await cases.add_party(tx, case_id, resident_id, party.role)
    return resident_id


async def find(tx: Tx, by: Actor, number: str) -> int:
    """The id of the case with this number, if the actor may see it. Raises NotFound."""
    row = await cases.by_number(tx, number.replace(" ", "").replace("-", ""))
    if row is None:
        raise NotFound("not_found")
    await permit(tx, by, "see", row.case.id)
    return row.case.id


async def take(
    tx: Tx,
    desk: Desk,
    by: Actor,
    case_id: int,
    event: Event,
    *,
    value: Mapping[str, Any],
    at: datetime | None = None,
    subject: str = "",
) -> Plan:
    """One fact that the table of moves allows now, then the calendar follows."""
    scene = await allowed(tx, desk, by, case_id, event)
    _in_order(scene, desk, at)
    deed = await record.record(tx, desk, by, case_id, event, subject=subject, value=value, at=at)
    if deed is None:
        raise Stale("deed.repeated")
    return await complete_if_over(tx, desk, await replan(tx, desk, case_id))


def _in_order(scene: CaseScene, desk: Desk, at: datetime | None) -> None:
    """A true date may lie in the past, but not in the future and not before what it follows."""
    if at is None:
        return
    if at > desk.clock.now():
        raise Refused("date.future")
    moves = [f for f in scene.past.facts if allowed_from(f.event) is not None]
    if moves and at < moves[-1].at:
        raise Refused("date.before_last", event=f"move.{moves[-1].event}")


async def allowed(tx: Tx, desk: Desk, by: Actor, case_id: int, event: Event) -> CaseScene:
    """The case, locked, if actor and state allow the event. Raises NotFound or Refused with the sentence."""
    await cases.lock(tx, case_id)
    await permit(tx, by, event.value, case_id)
    scene = await read_case(tx, desk, case_id)
    status = scene.past.status
    if forbidden(event, status, direct_answer=scene.past.direct_answer):
        raise Refused("case.wrong_state", status=f"status.{status}", move=f"move.{event}")
    return scene


async def assign(
    tx: Tx, desk: Desk, by: Actor, case_id: int, *, handler_id: int | None, unit_id: int | None = None
) -> Plan:
    """Give a case to a handler and, with them, to their unit."""
    staff = await permit(tx, by, "assign", case_id)
    person = staff.active(handler_id)
    if handler_id is not None and person is None:
        raise Refused("person.unknown")
    value = {"handler": handler_id, "unit": unit_id or (person.unit_id if person else None)}
    unbiased(await read_case(tx, desk, case_id), value["unit"])
    return await take(
        tx, desk, by, case_id, Event.ASSIGN, value={k: v for k, v in value.items() if v is not None}
    )


async def accept(tx: Tx, desk: Desk, by: Actor, case_id: int, at: datetime | None = None) -> Plan:
    """Take the case on; from here the limit for the answer runs."""
    scene = await allowed(tx, desk, by, case_id, Event.ACCEPT)
    if scene.row.handler_id is None:
        raise Refused("case.no_handler", no=scene.row.case.number)
    return await take(tx, desk, by, case_id, Event.ACCEPT, value={}, at=at)


async def contact(tx: Tx, desk: Desk, by: Actor, case_id: int, text: str = "") -> Plan:
    """Somebody spoke with the resident. From now on texts may go, also to people known only from a ledger."""
    for resident_id in (await cases.parties(tx, [case_id]))[case_id]:
        await residents.update(tx, resident_id, contacted=True)
    return await take(tx, desk, by, case_id, Event.CONTACT, value={"text": text})


async def note(
    tx: Tx,
    desk: Desk,
    by: Actor,
    case_id: int,
    text: str,
    *,
    progress: str = "",
    next_step: str = "",
    next_on: date | None = None,
    why: str = "",
) -> Plan:
    """A note. With `progress` and `next_step` (≤ 15 Chinese characters each) the resident is told too."""
    value: dict[str, Any] = {"text": text[:MAX_REQUEST]}
    if why:
        value["why"] = why[:200]
    if not progress:
        return await take(tx, desk, by, case_id, Event.NOTE, value=value)
    await allowed(tx, desk, by, case_id, Event.NOTE)
    deed = await record.begin(tx, desk, by, case_id, "note")
    if deed is None:
        raise Stale("deed.repeated")
    told = {"progress": progress, "next": next_step or progress}
    if next_on is not None:
        told["date_on"] = next_on.isoformat()
    await record.add(tx, desk, by, case_id, Event.NOTE, deed=deed, value=value)
    await record.add(tx, desk, by, case_id, Event.TOLD, deed=deed, value=told)
    return await replan(tx, desk, case_id)


async def answer(
    tx: Tx,
    desk: Desk,
    by: Actor,
    case_id: int,
    outcome: str,
    reason: str,
    *,
    rule: str = "",
    at: datetime | None = None,
) -> Plan:
    """The decision with its reason; a refusal names its rule (Regulations on Petition Work art. 32)."""
    if outcome not in OUTCOMES:
        raise Refused("case.unknown_outcome", known=", ".join(OUTCOMES))
    if not reason.strip():
        raise Refused("case.needs_reason")
    if outcome == "not_upheld" and not rule.strip():
        raise Refused("case.needs_rule")
    value = {"outcome": outcome, "reason": reason, "result": reason, "rule": rule}
    return await take(tx, desk, by, case_id, Event.ANSWER, value=value, at=at)


async def served(tx: Tx, desk: Desk, by: Actor, case_id: int, how: str, at: datetime | None = None) -> Plan:
    """The written answer reached the resident: how, and when."""
    if not how.strip():
        raise Refused("case.needs_how")
    return await take(tx, desk, by, case_id, Event.SERVED, value={"how": how}, at=at)


async def close(
    tx: Tx, desk: Desk, by: Actor, case_id: int, waiver: str = "", at: datetime | None = None
) -> Plan:
    """Close an answered, served case; return visits begin, or the resident's waiver of them is recorded."""
    await cases.lock(tx, case_id)
    await permit(tx, by, "close", case_id)
    scene = await read_case(tx, desk, case_id)
    no = scene.row.case.number
    if not scene.past.since_opening(Event.ANSWER):
        raise Refused("case.not_answered", no=no)
    if not scene.past.since_opening(Event.SERVED):
        raise Refused("case.not_served", no=no)
    if not scene.past.all(Event.CONTACT, Event.VISITED):
        raise Refused("case.no_contact", no=no)
    if not scene.protocol.closes_with_series and not waiver.strip():
        raise Refused("case.no_series", no=no)
    value = {"waiver": waiver} if waiver else {}
    if COUNTERPART in scene.sides.values():
        value["sides"] = "both"  # return visits go to both sides of a dispute
    return await take(tx, desk, by, case_id, Event.CLOSE, value=value, at=at)


async def complete_if_over(tx: Tx, desk: Desk, plan: Plan) -> Plan:
    """A closed case in which nothing is owed any more is completed, in the deed that ended the last of it."""
    if not over(plan.past, desk.protocol_of(plan.row), plan.entries.values()):
        return plan
    deed = await cases.last_deed_of_case(tx, plan.row.case.id)
    by = Actor()
    await record.add(tx, desk, by, plan.row.case.id, Event.COMPLETE, deed=deed)
    return await replan(tx, desk, plan.row.case.id)


async def reopen(tx: Tx, desk: Desk, by: Actor, case_id: int, reason: str) -> Plan:
    """Take the matter up again; the clock for an answer starts anew, the old return visits end."""
    if not reason.strip():
        raise Refused("case.needs_reason")
    return await take(tx, desk, by, case_id, Event.REOPEN, value={"reason_text": reason})


async def withdraw(tx: Tx, desk: Desk, by: Actor, case_id: int, words: str) -> Plan:
    """The resident takes the matter back, in their own words, confirmed by a call."""
    if not words.strip():
        raise Refused("case.needs_words")
    return await take(tx, desk, by, case_id, Event.WITHDRAW, value={"words": words})


async def set_fact(tx: Tx, desk: Desk, by: Actor, case_id: int, name: str, at: datetime) -> Plan:
    """A named fact of the case's protocol, e.g. the start of a placement."""
    scene = await allowed(tx, desk, by, case_id, Event.FACT)
    if name not in scene.protocol.facts:
        raise Refused("fact.unknown", known=", ".join(scene.protocol.facts) or "-")
    return await take(tx, desk, by, case_id, Event.FACT, value={"name": name}, at=at)
