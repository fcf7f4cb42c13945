"""Which people does a role mean for a case today, and who stands in for them?"""

from collections.abc import Callable, Mapping
from datetime import date

from reminder.domain.entries import Concern
from reminder.domain.people import Person, Role, Staff
from reminder.store.cases import CaseRow


def responsible(staff: Staff, *, handler: int | None, unit: int | None, first: int | None) -> Person | None:
    """Handler if active, else head of the unit, else first contact, else the admin; never nobody."""
    return (
        staff.active(handler) or staff.head(unit) or staff.active(first) or _first(staff.holding(Role.ADMIN))
    )


def who(role: Role, row: CaseRow, staff: Staff, entry: Concern | None = None) -> list[Person]:
    """The people a role means for a case, and for an entry that names some; absences are not looked at."""
    found = _WHO.get(role)
    people = found(row, staff, entry) if found is not None else staff.holding(role)
    return people if row.reported_id is None else _outside(people, row.reported_id, staff)


def _outside(people: list[Person], reported: int, staff: Staff) -> list[Person]:
    """Nobody of the unit a confidential matter is about hears of it; supervision does in their place."""

    def out(person: Person) -> bool:
        return not staff.within(person.unit_id, reported)

    return list(filter(out, people)) or list(filter(out, staff.holding(Role.SUPERVISION)))


def reached(
    role: Role, row: CaseRow, staff: Staff, entry: Concern | None = None, *, day: date
) -> list[Person]:
    """Who is told for a role on a day: those it means, or whoever stands in for them."""
    found = {p.id: p for p in (staff.reached(person, day) for person in who(role, row, staff, entry))}
    return list(found.values())


def _handler(row: CaseRow, staff: Staff, _entry: Concern | None) -> list[Person]:
    first = row.case.first_contact_id
    return _one(responsible(staff, handler=row.handler_id, unit=row.unit_id, first=first))


def _unit_head(row: CaseRow, staff: Staff, entry: Concern | None) -> list[Person]:
    """Of the unit that has the case; about a referral that waits to be signed for, of the receiving one."""
    signs = row.referred_id is not None and entry is not None and "unit" in entry.detail
    return _one(staff.head(row.referred_id if signs else row.unit_id))


def _intake(row: CaseRow, staff: Staff, _entry: Concern | None) -> list[Person]:
    return _one(staff.active(row.case.first_contact_id) or _first(staff.holding(Role.INTAKE)))


def _sponsor(row: CaseRow, staff: Staff, entry: Concern | None) -> list[Person]:
    """The leader who sponsors the case; until it has one, the head of the unit above."""
    return _one(staff.active(row.sponsor_id)) or _superior(row, staff, entry)


def _superior(row: CaseRow, staff: Staff, _entry: Concern | None) -> list[Person]:
    above = staff.chain(row.unit_id)[1:]
    return _one(staff.head(above[0].id) if above else None)


def _top(row: CaseRow, staff: Staff, _entry: Concern | None) -> list[Person]:
    """The top person of the nearest unit up the chain that has one."""
    tops = staff.holding(Role.TOP)
    for unit in staff.chain(row.unit_id):
        if near := [p for p in tops if p.unit_id == unit.id]:
            return near
    return tops


def _agent(row: CaseRow, staff: Staff, _entry: Concern | None) -> list[Person]:
    """The agent posted to the case's village, who is never told of a confidential case."""
    if row.case.confidential:
        return []
    return _one(staff.agent_of(row.case.place))


def _owner(row: CaseRow, staff: Staff, entry: Concern | None) -> list[Person]:
    """Whoever promised it; when they have left, whoever handles the case."""
    person = staff.active(entry.person_id) if entry is not None else None
    return _one(person) or _handler(row, staff, entry)


def _attendees(_row: CaseRow, staff: Staff, entry: Concern | None) -> list[Person]:
    named = entry.detail.get("people", ()) if entry is not None else ()
    return [person for i in named if (person := staff.active(i)) is not None]


_WHO: Mapping[Role, Callable[[CaseRow, Staff, Concern | None], list[Person]]] = {
    Role.HANDLER: _handler,
    Role.UNIT_HEAD: _unit_head,
    Role.INTAKE: _intake,
    Role.SPONSOR: _sponsor,
    Role.SUPERIOR: _superior,
    Role.TOP: _top,
    Role.AGENT: _agent,
    Role.OWNER: _owner,
    Role.ATTENDEE: _attendees,
}
"""How a role is found for a case. One that is not here means everybody who holds it."""


def _one(person: Person | None) -> list[Person]:
    return [person] if person is not None else []


def _first(people: list[Person]) -> Person | None:
    return people[0] if people else None
