"""What a message is about, read fresh in one transaction: case, entry, people, resident."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

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
from reminder.store import cases, entries, people, reminders, residents
from reminder.store.cases import CaseRow
from reminder.store.database import Tx
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
    person: Person | None = None
    told: tuple[Told, ...] = field(default=())
    needs: tuple[str, ...] = ()
    """What helps at the doors of the case's people; read only for the message that says so."""

    @property
    def office(self) -> Office:
        return self.case.office if self.case is not None else self.desk.office

    @property
    def lang(self) -> str:
        """The recipient's language, if the office speaks it."""
        wanted = self.person.lang if self.person else self.resident.lang if self.resident else ""
        return wanted if wanted in self.desk.templates.languages else self.desk.office.lang


async def read_case(tx: Tx, desk: Desk, case_id: int) -> CaseScene:
    """The case as its facts stand now. Raises NotFound."""
    row = (await cases.many(tx, [case_id])).get(case_id)
    if row is None:
        raise NotFound("not_found")
    await versions.at_hand(tx, desk, row)
    facts = (await cases.facts(tx, [case_id]))[case_id]
    return CaseScene(
        desk=desk,
        now=desk.clock.now(),
        row=row,
        past=history(facts, direct_answer=row.case.direct_answer),
        entries=(await entries.of(tx, [case_id]))[case_id],
        staff=await people.staff(tx),
        sides=(await cases.sides(tx, [case_id]))[case_id],
    )


async def read_scene(tx: Tx, desk: Desk, reminder: Reminder) -> Scene:
    """Everything a reminder's message is made of and decided on."""
    case = await read_case(tx, desk, reminder.case_id) if reminder.case_id is not None else None
    staff = case.staff if case is not None else await people.staff(tx)
    entry = None
    if case is not None and reminder.entry_id is not None:
        entry = next((e for e in case.entries.values() if e.id == reminder.entry_id), None)
    resident, phone = None, None
    if reminder.resident_id is not None:
        resident = (await residents.many(tx, [reminder.resident_id])).get(reminder.resident_id)
    if reminder.phone_id is not None:
        phone = await residents.phone(tx, desk.sealer, reminder.phone_id, reminder.resident_id)
    told = await reminders.told(tx, [entry.id]) if entry is not None else {}
    needs: tuple[str, ...] = ()
    if case is not None and reminder.kind == "staff_visit_tomorrow":
        people_there = await residents.many(tx, sorted(case.sides))
        needs = tuple(dict.fromkeys(r.needs for r in people_there.values() if r.needs))
    return Scene(
        desk=desk,
        now=desk.clock.now(),
        reminder=reminder,
        staff=staff,
        case=case,
        entry=entry,
        resident=resident,
        phone=phone,
        person=staff.people.get(reminder.person_id) if reminder.person_id is not None else None,
        told=tuple(told.get(entry.id, [])) if entry is not None else (),
        needs=needs,
    )
