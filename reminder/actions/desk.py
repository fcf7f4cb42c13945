"""What every decision needs besides its transaction: the office, its protocols, its words, its keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reminder.clock import Clock
from reminder.domain.offices import Office
from reminder.domain.people import Person, Role, Staff
from reminder.domain.protocols import Protocol
from reminder.domain.workdays import Hours, WorkCalendar
from reminder.kinds import Kind
from reminder.render import Templates
from reminder.store.cases import CaseRow
from reminder.store.seal import Sealer


@dataclass(slots=True, kw_only=True)
class Desk:
    """Read-only but for its calendars; `calendar_of` gives the one of a code such as "GB-ENG"."""

    office: Office
    protocols: Mapping[str, Protocol]
    templates: Templates
    sealer: Sealer
    clock: Clock
    new_id: Callable[[], str]
    calendar_of: Callable[[str], WorkCalendar]
    sender: str = ""
    _offices: dict[str, Office] = field(default_factory=dict)

    def use_calendars_of(self, other: "Desk") -> None:
        """From now on count as the other desk does; the entries follow by replanning."""
        self.office, self.calendar_of = other.office, other.calendar_of
        self._offices.clear()

    def protocol(self, key: str) -> Protocol:
        return self.protocols[key]

    def office_for(self, protocol: Protocol) -> Office:
        """The office as one protocol sees it: its own calendar, its own texting hours."""
        if protocol.key not in self._offices:
            hours = protocol.contact_hours
            self._offices[protocol.key] = replace(
                self.office,
                calendar=self.calendar_of(protocol.calendar),
                texting=Hours(start=hours[0], end=hours[1]) if hours else self.office.texting,
            )
        return self._offices[protocol.key]

    def kind(self, name: str) -> Kind:
        return self.templates.kind(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts; `person` None is the office's own clockwork. The same `source` acts once."""

    person: Person | None = None
    source: str | None = None

    @property
    def id(self) -> int | None:
        return self.person.id if self.person is not None else None


CLOCKWORK = Actor()


def responsible(staff: Staff, *, handler: int | None, unit: int | None, first: int | None) -> Person | None:
    """Handler if active, else head of the unit, else first contact, else the admin; never nobody."""
    person = staff.active(handler) or staff.head(unit) or staff.active(first)
    admins = staff.holding(Role.ADMIN)
    return person or (admins[0] if admins else None)


def who(role: Role, row: CaseRow, staff: Staff) -> list[Person]:
    """The people a role means for a case, today."""
    first = row.case.first_contact_id
    match role:
        case Role.HANDLER:
            person = responsible(staff, handler=row.handler_id, unit=row.unit_id, first=first)
            return [person] if person else []
        case Role.UNIT_HEAD:
            person = staff.head(row.unit_id)
            return [person] if person else []
        case Role.INTAKE:
            person = staff.active(first) or _first(staff.holding(Role.INTAKE))
            return [person] if person else []
        case Role.SPONSOR:
            return _sponsor(row, staff)
        case _:
            return staff.holding(role)


def _sponsor(row: CaseRow, staff: Staff) -> list[Person]:
    """Until a case has a sponsor of its own: the head of the unit above."""
    above = staff.chain(row.unit_id)[1:]
    person = staff.head(above[0].id) if above else None
    return [person] if person else []


def _first(people: list[Person]) -> Person | None:
    return people[0] if people else None
