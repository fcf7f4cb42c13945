"""Which messages about a case are to go, to whom, when and in what words, if nothing more happens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reminder.actions.desk import Desk
from reminder.actions.reminding import barred, on_side
from reminder.actions.scene import CaseScene, Scene, read_case, read_scene
from reminder.actions.whom import reached
from reminder.actions.wording import values
from reminder.domain.entries import Entry
from reminder.domain.errors import ReminderError
from reminder.domain.people import Channel, Person
from reminder.domain.planning import MOVED, OFF, DueStep, Told, steps
from reminder.domain.reminders import State, useless_at
from reminder.domain.workdays import local_day
from reminder.segments import segments, sms
from reminder.store import cases, entries, overview, reminders, residents
from reminder.store.database import Tx
from reminder.store.reminders import Reminder
from reminder.store.residents import Phone, Resident


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """One message to come. `at` is aware UTC; `segments` are the parts of an SMS, 0 elsewhere."""

    at: datetime
    recipient_name: str
    channel: Channel
    kind: str
    text: str
    segments: int
    fault: ReminderError | None = field(default=None, compare=False)
    """Why it cannot be written as things stand, and will not go."""


async def texts_of(tx: Tx, desk: Desk, case_id: int, *, until: datetime) -> list[Coming]:
    """Rows that wait to go and steps still to fall due, up to `until` (aware), earliest first.

    Reads only. Daily digests are left out; so is what an opt-out, a missing number or a missing agreement
    to a visit would keep from going as things stand now.
    """
    case = await read_case(tx, desk, case_id)
    found = [
        _coming(await read_scene(tx, desk, row), max(row.send_after, case.now))
        for row in await overview.reminders_of(tx, case_id, State.PLANNED)
        if row.send_after <= until
    ]
    found += [_coming(scene, at) for scene, at in await _due(tx, case, until) if at <= until]
    return sorted(found, key=lambda c: (c.at, c.kind, c.recipient_name))


async def _due(tx: Tx, case: CaseScene, until: datetime) -> list[tuple[Scene, datetime]]:
    ids = [entry.id for entry in case.entries.values()]
    told = await reminders.told(tx, ids)
    known = await reminders.keys(tx, ids)
    agenda = await entries.agenda(tx, ids)
    parties = (await cases.parties(tx, [case.row.case.id]))[case.row.case.id]
    folk = await residents.many(tx, parties)
    held = await residents.phones(tx, case.desk.sealer, parties)
    audience = [(folk[r], _texting(held[r])) for r in parties]
    found: list[tuple[Scene, datetime]] = []
    for entry in case.entries.values():
        heard = told.get(entry.id, [])
        for step in _steps(case, entry, heard, agenda.get(entry.id), until):
            found += _to_residents(case, entry, step, audience, heard)
            found += _to_staff(case, entry, step, heard)
    return [(scene, at) for scene, at in found if scene.reminder.key not in known]


def _steps(
    case: CaseScene, entry: Entry, heard: Sequence[Told], first: datetime | None, until: datetime
) -> Iterator[DueStep]:
    if first is None or first > until:
        return
    for step in steps(entry, case.milestone(entry), case.office, heard, until=until):
        if step.kind is not None and (step.at >= first or step.key in {MOVED, OFF}):
            yield step


def _to_residents(
    case: CaseScene,
    entry: Entry,
    step: DueStep,
    audience: Sequence[tuple[Resident, Phone | None]],
    heard: Sequence[Told],
) -> Iterator[tuple[Scene, datetime]]:
    """Held until it can no longer be undone, and until texting hours, as the row will be."""
    if not step.resident or step.blocked is not None:
        return
    office, now = case.office, case.now
    fresh = step.at == entry.since or step.key in {MOVED, OFF}
    held = step.at + office.undo if fresh else step.at
    after = max(held, now)
    assert step.kind is not None
    at = after if case.desk.kind(step.kind).urgent else office.texting.next_open(after, office.zone)
    for resident, phone in audience:
        recipient = f"resident:{resident.id}"
        if not on_side(step, case.sides.get(resident.id, "")):
            continue
        if not step.is_for(recipient) or barred(case.row, resident, phone) is not None:
            continue
        row = _row(entry, step, recipient, Channel.SMS, resident_id=resident.id)
        if not _useless(case, entry, step, at):
            yield _scene(case, entry, row, heard, resident=resident, phone=phone), at


def _to_staff(
    case: CaseScene, entry: Entry, step: DueStep, heard: Sequence[Told]
) -> Iterator[tuple[Scene, datetime]]:
    if step.resident:
        return
    people: dict[int, Person] = {}
    if step.only:
        person = case.staff.active(int(step.only.removeprefix("person:")))
        people = {person.id: person} if person else {}
    else:
        day = local_day(max(step.at, case.now), case.desk.office.zone)
        told = (reached(role, case.row, case.staff, entry, day=day) for role in step.roles)
        people = {person.id: person for group in told for person in group}
    at = max(step.at, case.now)
    for person in people.values():
        if person.chat_id is not None and not _useless(case, entry, step, at):
            row = _row(entry, step, f"person:{person.id}", Channel.TELEGRAM, person_id=person.id)
            yield _scene(case, entry, row, heard, person=person), at


def _useless(case: CaseScene, entry: Entry, step: DueStep, at: datetime) -> bool:
    assert step.kind is not None
    rule = case.desk.kind(step.kind).useless_after
    until = useless_at(rule, due_at=step.at, starts_at=entry.starts_at, zone=case.desk.office.zone)
    return until is not None and until <= at


def _row(
    entry: Entry,
    step: DueStep,
    recipient: str,
    channel: Channel,
    *,
    person_id: int | None = None,
    resident_id: int | None = None,
) -> Reminder:
    """The row as it will be written when the step falls due."""
    return Reminder(
        id=0,
        key=f"{entry.id}/{entry.revision}/{step.key}/{recipient}/{channel}",
        entry_id=entry.id,
        case_id=entry.case_id,
        revision=entry.revision,
        step=step.key,
        person_id=person_id,
        resident_id=resident_id,
        phone_id=None,
        channel=channel.value,
        kind=step.kind or "",
        due_at=step.at,
        send_after=step.at,
        useless_at=None,
        state=State.PLANNED,
        reason="",
        digest_id=None,
        attempts=0,
        token=None,
        lease_until=None,
        provider_id="",
        sent_at=None,
        ended_at=None,
        told={},
        detail={},
        repeated=False,
    )


def _scene(
    case: CaseScene,
    entry: Entry,
    row: Reminder,
    heard: Sequence[Told],
    *,
    resident: Resident | None = None,
    phone: Phone | None = None,
    person: Person | None = None,
) -> Scene:
    return Scene(
        desk=case.desk,
        now=case.now,
        reminder=row,
        staff=case.staff,
        case=case,
        office=case.office,
        entry=entry,
        resident=resident,
        phone=phone,
        person=person,
        told=tuple(heard),
    )


def _coming(scene: Scene, at: datetime) -> Coming:
    desk, row = scene.desk, scene.reminder
    name = scene.resident.name if scene.resident else scene.person.name if scene.person else ""
    on_phone, fault = row.channel == Channel.SMS, None
    try:
        text = _text(scene)
    except ReminderError as error:
        text, fault = desk.templates.word("nothing_yet", scene.lang), error
    return Coming(
        at=at,
        recipient_name=name,
        channel=Channel(row.channel),
        kind=row.kind,
        text=text,
        segments=segments(text).count if on_phone else 0,
        fault=fault,
    )


def _text(scene: Scene) -> str:
    desk, row, office = scene.desk, scene.reminder, scene.office
    kind = desk.kind(row.kind)
    name = kind.name
    if kind.question is not None and not office.sms_replies and kind.one_way:
        name = kind.one_way
    text = desk.templates.text(name, row.channel, scene.lang, values(scene))
    if row.channel != Channel.SMS:
        return text
    return sms(text, scene.lang, office.signature(scene.lang), provider_adds=office.sms_adds_signature)


def _texting(phones: Sequence[Phone]) -> Phone | None:
    texting = [p for p in phones if p.texts]
    return next((p for p in texting if not p.opted_out), texting[0] if texting else None)
