"""What a message is about, read fresh in one transaction: case, entry, people, resident."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from reminder.actions import versions
from reminder.actions.desk import Desk
from reminder.actions.task_words import task_in_words
from reminder.actions.whom import responsible
from reminder.domain.cases import History, history
from reminder.domain.entries import Entry
from reminder.domain.errors import NotFound
from reminder.domain.offices import Office
from reminder.domain.people import Person, Staff
from reminder.domain.planning import Told
from reminder.domain.protocols import Milestone, Protocol
from reminder.domain.workdays import at, local_day
from reminder.store import cases, entries, holds, inbox, people, reminders, residents
from reminder.store.cases import CaseRow
from reminder.store.database import Tx
from reminder.store.inbox import Question
from reminder.store.reminders import Reminder
from reminder.store.residents import Phone, Resident


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScene:
    """One case with everything that follows from its facts."""

    desk: Desk
    now: datetime
    row: CaseRow
    past: History
    entries: dict[str, Entry]
    staff: Staff
    sides: Mapping[int, str] = field(default_factory=dict)
    """Role of each party, by resident."""

    @property
    def protocol(self) -> Protocol:
        return self.desk.protocol_of(self.row)

    @property
    def office(self) -> Office:
        return self.desk.office_for(self.protocol)

    @property
    def responsible(self) -> Person | None:
        first = self.row.case.first_contact_id
        return responsible(self.staff, handler=self.row.handler_id, unit=self.row.unit_id, first=first)

    def milestone(self, entry: Entry) -> Milestone | None:
        return self.protocol.milestone(entry.milestone)

    def what(self, entry: Entry, lang: str, *, within: bool = False) -> str:
        """The entry in words, for staff. What was said in confidence is quoted only `within` the case."""
        milestone = self.milestone(entry)
        if milestone is not None:
            return milestone.words[lang]
        quoted = within or not self.row.case.confidential
        return task_in_words(entry, self.desk.templates, lang, quoted=quoted)

    def entry(self, entry_id: int | None) -> Entry | None:
        return next((e for e in self.entries.values() if e.id == entry_id), None)

    def open_of(self, milestone: str) -> Entry | None:
        """The latest open entry of a milestone."""
        found = [e for e in self.entries.values() if e.milestone == milestone and e.is_open]
        return found[-1] if found else None

    def latest(self, *milestones: str) -> Entry | None:
        found = [e for e in self.entries.values() if e.milestone in milestones]
        return found[-1] if found else None

    def answer_owed(self) -> Entry | None:
        """The open deadline by which the resident is answered, if there is one yet."""
        # The first event named is what meets it properly; a cadence may list the answer among others.
        return _first(e for e in self._owed() if (m := self.milestone(e)) and m.met_by[:1] == ("answer",))

    def next_owed(self) -> Entry | None:
        """The open deadline by which the resident is answered, else the next open office-bound entry."""
        return self.answer_owed() or _first(self._owed())

    def _owed(self) -> Iterator[Entry]:
        return (e for e in self.entries.values() if e.keeps_case_alive and e.due_at is not None)


def _first(entries: Iterable[Entry]) -> Entry | None:
    return min(entries, key=lambda e: (e.due_at, e.id), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Had:
    """How many texts a phone has had from us today and within `LATELY`, and what it is being asked."""

    today: int = 0
    lately: int = 0
    asked: Question | None = None


NOTHING = Had()

LATELY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A reminder with its surroundings; `case` is None for messages about no case."""

    desk: Desk
    now: datetime
    reminder: Reminder
    staff: Staff
    case: CaseScene | None = None
    entry: Entry | None = None
    resident: Resident | None = None
    phone: Phone | None = None
    had: Had = NOTHING
    person: Person | None = None
    told: tuple[Told, ...] = field(default=())
    office: Office
    needs: tuple[str, ...] = ()
    """What helps at the doors of the case's people; read only for the message that says so."""

    @property
    def lang(self) -> str:
        """The recipient's language, if the office speaks it."""
        wanted = self.person.lang if self.person else self.resident.lang if self.resident else ""
        return wanted if wanted in self.desk.templates.languages else self.desk.office.lang


async def read_case(tx: Tx, desk: Desk, case_id: int) -> CaseScene:
    """The case as its facts stand now. Raises NotFound."""
    return (await read_cases(tx, desk, [case_id]))[case_id]


async def read_cases(tx: Tx, desk: Desk, case_ids: Sequence[int]) -> dict[int, CaseScene]:
    """Many cases in as many statements as one. Raises NotFound if one of them is not there."""
    rows = await cases.many(tx, case_ids)
    if any(case_id not in rows for case_id in case_ids):
        raise NotFound("not_found")
    for row in {row.protocol_held: row for row in rows.values()}.values():
        await versions.at_hand(tx, desk, row)
    facts, kept = await cases.facts(tx, case_ids), await entries.of(tx, case_ids)
    sides, staff = await cases.sides(tx, case_ids), await people.staff(tx)
    return {
        case_id: CaseScene(
            desk=desk,
            now=desk.clock.now(),
            row=row,
            past=history(facts[case_id], direct_answer=row.case.direct_answer),
            entries=kept[case_id],
            staff=staff,
            sides=sides[case_id],
        )
        for case_id, row in rows.items()
    }


async def read_scene(tx: Tx, desk: Desk, reminder: Reminder) -> Scene:
    """Everything a reminder's message is made of and decided on."""
    return (await read_scenes(tx, desk, [reminder]))[0]


async def read_scenes(tx: Tx, desk: Desk, found: Sequence[Reminder]) -> list[Scene]:
    """The scenes of many reminders in as many statements as one. Raises NotFound as `read_cases` does."""
    case_ids = sorted({one.case_id for one in found if one.case_id is not None})
    scenes = await read_cases(tx, desk, case_ids) if case_ids else {}
    staff = await people.staff(tx)
    there = {one.case_id for one in found if one.kind == "staff_visit_tomorrow" and one.case_id is not None}
    wanted = {one.resident_id for one in found if one.resident_id is not None}
    wanted |= {resident_id for case_id in there for resident_id in scenes[case_id].sides}
    known = await residents.many(tx, sorted(wanted))
    phones = await residents.of_texts(tx, desk.sealer, [(one.phone_id, one.resident_id) for one in found])
    had = await _had(tx, desk, sorted({phone.id for phone in phones.values()}))
    told = await reminders.told(tx, sorted({one.entry_id for one in found if one.entry_id is not None}))
    made = []
    for one in found:
        case = scenes.get(one.case_id) if one.case_id is not None else None
        phone = phones.get((one.phone_id, one.resident_id))
        entry = case.entry(one.entry_id) if case is not None else None
        scene = Scene(
            desk=desk,
            now=desk.clock.now(),
            reminder=one,
            staff=staff,
            case=case,
            office=case.office if case is not None else desk.office,
            entry=entry,
            resident=known.get(one.resident_id) if one.resident_id is not None else None,
            phone=phone,
            had=had[phone.id] if phone is not None else NOTHING,
            person=staff.people.get(one.person_id) if one.person_id is not None else None,
            told=tuple(told.get(entry.id, ())) if entry is not None else (),
            needs=_needs(case, known) if case is not None and one.case_id in there else (),
        )
        made.append(scene)
    return made


def _needs(case: CaseScene, known: Mapping[int, Resident]) -> tuple[str, ...]:
    people_there = [known[resident_id] for resident_id in sorted(case.sides) if resident_id in known]
    return tuple(dict.fromkeys(one.needs for one in people_there if one.needs))


async def _had(tx: Tx, desk: Desk, phone_ids: Sequence[int]) -> dict[int, Had]:
    if not phone_ids:
        return {}
    now, zone = desk.clock.now(), desk.office.zone
    midnight = at(local_day(now, zone), time.min, zone)
    today = await reminders.texts_since(tx, phone_ids, midnight)
    lately = await holds.texts_since(tx, phone_ids, now - LATELY)
    asked = await inbox.open_questions(tx, phone_ids, now)
    return {
        one: Had(today=today.get(one, 0), lately=lately.get(one, 0), asked=asked.get(one))
        for one in phone_ids
    }
