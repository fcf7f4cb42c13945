"""What falls due becomes a row: the steps of entries whose moment has come, once per recipient."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from reminder.actions import versions
from reminder.actions.desk import Desk
from reminder.actions.digests import DIGEST, digest_key
from reminder.actions.tasks import tell_otherwise
from reminder.actions.whom import reached
from reminder.domain.entries import Entry
from reminder.domain.offices import Office
from reminder.domain.people import Channel, Person, Staff
from reminder.domain.planning import MOVED, OFF, DueStep, Told, next_step_at, steps
from reminder.domain.reminders import Reason, State, useless_at
from reminder.domain.workdays import at, local_day
from reminder.failpoints import failpoint
from reminder.store import cases, entries, people, reminders, residents
from reminder.store.cases import CaseRow
from reminder.store.database import Tx
from reminder.store.residents import Phone, Resident

LATER = timedelta(hours=1)
"""When a case is looked at again whose protocol file is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Everything one batch needs, read once, and the transaction it is written in."""

    tx: Tx
    desk: Desk
    now: datetime
    staff: Staff
    rows: dict[int, CaseRow]
    parties: dict[int, list[int]]
    sides: dict[int, dict[int, str]]
    residents: dict[int, Resident]
    phones: dict[int, list[Phone]]
    told: dict[int, list[Told]]
    unheard: list[tuple[int, int]] = field(default_factory=list)
    """(case, reminder) of texts that cannot go and need a person instead."""
    written: list[dict[str, object]] = field(default_factory=list)
    """Rows of which nobody needs the number: they are written together."""
    digests: dict[int, int | None] = field(default_factory=dict)
    """Today's by person."""

    async def entry_due(self, entry: Entry, since: datetime) -> datetime | None:
        """Write the steps that are due; when is the next?"""
        row = self.rows[entry.case_id]
        await versions.at_hand(self.tx, self.desk, row)
        if not self.desk.knows(row):
            return self.now + LATER  # the nightly check reports it; the other cases go on
        protocol = self.desk.protocol_of(row)
        office = self.desk.office_for(protocol)
        milestone = protocol.milestone(entry.milestone)
        told = self.told.get(entry.id, [])
        for step in _once_a_day(steps(entry, milestone, office, told, until=self.now), office):
            if step.at >= since or step.key in {MOVED, OFF}:
                await self.step_due(entry, step, office)
        return next_step_at(entry, milestone, office, told, after=self.now)

    async def step_due(self, entry: Entry, step: DueStep, office: Office) -> None:
        row = self.rows[entry.case_id]
        if step.resident:
            for resident_id in self.parties[row.case.id]:
                side = on_side(step, self.sides[row.case.id].get(resident_id, ""))
                if side and step.is_for(f"resident:{resident_id}"):
                    await self.to_resident(entry, step, office, resident_id)
            return
        today = local_day(self.now, self.desk.office.zone)
        for person in _people(step, row, self.staff, entry, today):
            if step.kind is None:
                await self.to_digest(entry, step, person)
            else:
                await self.to_person(entry, step, person)

    async def to_resident(self, entry: Entry, step: DueStep, office: Office, resident_id: int) -> None:
        assert step.kind is not None
        row = self.rows[entry.case_id]
        phone = _phone(self.phones[resident_id])
        reason = step.blocked or barred(row, self.residents[resident_id], phone)
        # A text that follows from what somebody has just done waits until it can no longer be undone.
        fresh = step.at == entry.since or step.key in {MOVED, OFF}
        held = step.at + office.undo if fresh else step.at
        after = max(held, self.now)
        urgent = self.desk.kind(step.kind).urgent
        values = {
            "key": _key(entry, step, f"resident:{resident_id}", Channel.SMS),
            "resident_id": resident_id,
            "phone_id": phone.id if phone else None,
            "channel": Channel.SMS.value,
            "send_after": after if urgent else office.texting.next_open(after, office.zone),
        }
        await self.add(entry, step, values, reason)

    async def to_person(self, entry: Entry, step: DueStep, person: Person) -> None:
        values = {
            "key": _key(entry, step, f"person:{person.id}", Channel.TELEGRAM),
            "person_id": person.id,
            "channel": Channel.TELEGRAM.value,
            "send_after": max(step.at, self.now),
        }
        await self.add(entry, step, values, None if person.chat_id is not None else Reason.NOT_ENROLLED)

    async def add(
        self, entry: Entry, step: DueStep, values: dict[str, object], reason: Reason | None
    ) -> None:
        assert step.kind is not None
        rule = self.desk.kind(step.kind).useless_after
        zone = self.desk.office.zone
        useless = useless_at(rule, due_at=step.at, starts_at=entry.starts_at, zone=zone)
        state = State.PLANNED
        if reason is not None:
            state = State.SUPPRESSED
        elif useless is not None and useless <= self.now:
            state, reason = State.MISSED, Reason.USELESS
        row = _about(entry, step) | {
            "kind": step.kind,
            "due_at": step.at,
            "useless_at": useless,
            "state": state.value,
            "reason": reason.value if reason else "",
            "ended_at": None if state is State.PLANNED else self.now,
            **values,
        }
        if not step.resident or reason not in NEEDS_A_PERSON:
            self.written.append(row)
        elif (added := await reminders.add(self.tx, **row)) is not None:
            self.unheard.append((entry.case_id, added))

    async def to_digest(self, entry: Entry, step: DueStep, person: Person) -> None:
        """The step ends merged; one digest per person and day tells everything at once."""
        if person.id not in self.digests:
            self.digests[person.id] = await self.digest_of(person)
            failpoint("remind.after_digest_row")
        row = _about(entry, step) | {
            "key": _key(entry, step, f"person:{person.id}", Channel.TELEGRAM),
            "person_id": person.id,
            "channel": Channel.TELEGRAM.value,
            "kind": DIGEST,
            "due_at": step.at,
            "send_after": step.at,
            "state": State.MERGED.value,
            "digest_id": self.digests[person.id],
            "ended_at": self.now,
        }
        self.written.append(row)

    async def digest_of(self, person: Person) -> int | None:
        office = self.desk.office
        day = office.calendar.forward(local_day(self.now, office.zone))
        key = digest_key(person.id, day)
        known = await reminders.by_key(self.tx, key)
        if known is not None:
            return known.id
        due = max(at(day, person.digest_at, office.zone), self.now)
        enrolled = person.chat_id is not None
        return await reminders.add(
            self.tx,
            key=key,
            person_id=person.id,
            channel=Channel.TELEGRAM.value,
            kind=DIGEST,
            due_at=due,
            send_after=due,
            useless_at=useless_at("day_end", due_at=due, starts_at=None, zone=office.zone),
            state=(State.PLANNED if enrolled else State.SUPPRESSED).value,
            reason="" if enrolled else Reason.NOT_ENROLLED.value,
            ended_at=None if enrolled else self.now,
            detail={"day": day.isoformat()},
        )


async def fall_due(tx: Tx, desk: Desk, limit: int = 500) -> int:
    """Write the rows that are due now and move the agenda on; returns how many entries were looked at."""
    due = await entries.due(tx, desk.clock.now(), limit)
    if not due:
        return 0
    by_id = {entry.id: entry for entry in await entries.by_ids(tx, [entry_id for entry_id, _ in due])}
    case_ids = sorted({entry.case_id for entry in by_id.values()})
    batch = await _read(tx, desk, case_ids, list(by_id))
    agenda = {entry_id: await batch.entry_due(by_id[entry_id], since) for entry_id, since in due}
    await reminders.add_all(tx, batch.written)
    failpoint("remind.after_rows")
    await entries.set_agenda(tx, agenda)
    for case_id, reminder_id in sorted(batch.unheard):  # as in `dispatching._judged`
        await tell_otherwise(tx, desk, case_id, reminder_id)
    return len(due)


async def _read(tx: Tx, desk: Desk, case_ids: Sequence[int], entry_ids: Sequence[int]) -> _Batch:
    parties = await cases.parties(tx, case_ids)
    resident_ids = sorted({r for ids in parties.values() for r in ids})
    return _Batch(
        tx=tx,
        desk=desk,
        now=desk.clock.now(),
        staff=await people.staff(tx),
        rows=await cases.many(tx, case_ids),
        parties=parties,
        sides=await cases.sides(tx, case_ids),
        residents=await residents.many(tx, resident_ids),
        phones=await residents.phones(tx, desk.sealer, resident_ids),
        told=await reminders.told(tx, entry_ids),
    )


def _once_a_day(due: Iterable[DueStep], office: Office) -> Iterator[DueStep]:
    """Pushes of one entry to the same people on one day become the last, most urgent one.

    A correction is for one person alone, and nobody else's replaces it.
    """
    last: dict[tuple[object, ...], DueStep] = {}
    for step in due:
        day = local_day(step.at, office.zone)
        same = (day, step.roles, step.kind) if step.kind and step.roles else (step.key, step.only)
        last[same] = step
    yield from last.values()


def _people(step: DueStep, row: CaseRow, staff: Staff, entry: Entry, day: date) -> list[Person]:
    """Whom a step means that day. Attendees of one meeting about several cases hear of it once."""
    if step.only:
        person = staff.active(int(step.only.removeprefix("person:")))
        return [person] if person else []
    found = {p.id: p for role in step.roles for p in reached(role, row, staff, entry, day=day)}
    return list(found.values())


def on_side(step: DueStep, role: str) -> bool:
    """Whether a party of this role hears a step; a step that names no side is for all."""
    return step.party in {"", role} or (step.party == "applicant" and role == "representative")


def _key(entry: Entry, step: DueStep, recipient: str, channel: Channel) -> str:
    """One meeting about several cases is one thing to tell its attendees: the first of its entries does."""
    session = entry.detail.get("session")
    if session and not step.resident and step.kind is not None and not step.only:
        return f"session:{session}/{entry.revision}/{step.key}/{recipient}/{channel}"
    return f"{entry.id}/{entry.revision}/{step.key}/{recipient}/{channel}"


def _about(entry: Entry, step: DueStep) -> dict[str, object]:
    return {
        "entry_id": entry.id,
        "case_id": entry.case_id,
        "revision": entry.revision,
        "step": step.key,
    }


NEEDS_A_PERSON = frozenset(
    {
        Reason.NO_PHONE,
        Reason.OTHER_WAY,
        Reason.OPTED_OUT,
        Reason.NO_CONSENT,
        Reason.CONFIDENTIAL,
        Reason.DAILY_CAP,
        Reason.USELESS,
        Reason.REPEAT_BREAKER,
    }
)
"""Texts that cannot go for these reasons become somebody's task: nobody loses news by lacking a phone."""


def _phone(phones: Sequence[Phone]) -> Phone | None:
    """The first number that takes texts; if all opted out, the first, so that the reason can be told."""
    texting = [p for p in phones if p.texts]
    return next((p for p in texting if not p.opted_out), texting[0] if texting else None)


def barred(row: CaseRow, resident: Resident, phone: Phone | None) -> Reason | None:
    """Why this resident gets no text about this case, if so."""
    if row.case.confidential:
        return Reason.CONFIDENTIAL
    if resident.reach_by not in {"", "sms"}:
        return Reason.OTHER_WAY
    if phone is None or not phone.texts or not resident.can_read:
        return Reason.NO_PHONE
    if phone.opted_out or not resident.wants_texts:
        return Reason.OPTED_OUT
    return None if resident.contacted else Reason.NO_CONSENT
