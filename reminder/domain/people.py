"""Who works in the office: roles, units, and who may see and do what belongs to whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum


class Role(StrEnum):
    """What a person is for a case or for the office; "cadre" is any of them."""

    INTAKE = "intake"
    HANDLER = "handler"
    UNIT_HEAD = "unit_head"
    SPONSOR = "sponsor"
    TOP = "top"
    SUPERVISION = "supervision"
    AGENT = "agent"
    ADMIN = "admin"
    SUPERIOR = "superior"
    OWNER = "owner"
    ATTENDEE = "attendee"


NAMED = frozenset({Role.SUPERIOR, Role.OWNER, Role.ATTENDEE})
"""Whom a place or an entry names: the head of the unit above, who has promised it, who is to come."""

OFFICES = frozenset(Role) - NAMED
"""Roles a member of staff can have."""


class Channel(StrEnum):
    """How a message travels."""

    TELEGRAM = "telegram"
    SMS = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgUnit:
    """A county, department, township, community or village."""

    id: int
    name: str
    kind: str
    parent_id: int | None = None
    head_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of staff. `chat_id` is the numeric Telegram user id, present once enrolled."""

    id: int
    name: str
    unit_id: int
    roles: frozenset[Role]
    lang: str = "zh"
    active: bool = True
    chat_id: int | None = None
    phone: str = ""
    digest_at: time = time(8, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Somebody is away from a day to another, both included; the deputy gets their messages."""

    person_id: int
    deputy_id: int
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A village and the cadre who looks after its cases; `to_on` None: until further notice."""

    person_id: int
    place: str
    from_on: date
    to_on: date | None = None

    def holds(self, day: date) -> bool:
        return self.from_on <= day and (self.to_on is None or day <= self.to_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Everybody at once, for pure look-ups: who heads a unit, who is above it, who holds a role."""

    people: Mapping[int, Person] = field(default_factory=dict)
    units: Mapping[int, OrgUnit] = field(default_factory=dict)
    absences: tuple[Absence, ...] = ()
    postings: tuple[Posting, ...] = ()

    def chain(self, unit_id: int | None) -> list[OrgUnit]:
        """The unit and those above it, nearest first."""
        found: list[OrgUnit] = []
        while unit_id is not None and (unit := self.units.get(unit_id)) is not None and unit not in found:
            found.append(unit)
            unit_id = unit.parent_id
        return found

    def within(self, unit_id: int | None, root_id: int) -> bool:
        """Whether the unit is the root or lies below it."""
        return any(unit.id == root_id for unit in self.chain(unit_id))

    def active(self, person_id: int | None) -> Person | None:
        person = self.people.get(person_id) if person_id is not None else None
        return person if person is not None and person.active else None

    def holding(self, role: Role) -> list[Person]:
        """Active people with the role, lowest id first."""
        return [p for _, p in sorted(self.people.items()) if p.active and role in p.roles]

    def head(self, unit_id: int | None) -> Person | None:
        """The active head of the unit, else of the nearest unit above."""
        for unit in self.chain(unit_id):
            if (person := self.active(unit.head_id)) is not None:
                return person
        return None

    def reached(self, person: Person, day: date) -> Person:
        """Who gets a person's messages that day: themselves, or whoever stands in for them.

        A deputy receives messages, not responsibility. Deputies who are away have deputies of their own;
        where that leads round, the message stays with the person.
        """
        asked = [person.id]
        current = person
        while (deputy := self._deputy(current.id, day)) is not None:
            if deputy.id in asked:
                return person
            asked.append(deputy.id)
            current = deputy
        return current

    def _deputy(self, person_id: int, day: date) -> Person | None:
        for absence in self.absences:
            if absence.person_id == person_id and absence.from_on <= day <= absence.to_on:
                return self.active(absence.deputy_id)
        return None

    def posted(self, place: str, day: date) -> Person | None:
        """The active cadre who looks after a village that day, the latest posting first."""
        held = [p for p in self.postings if p.place == place and p.holds(day)]
        for posting in sorted(held, key=lambda p: p.from_on, reverse=True):
            person = self.active(posting.person_id)
            if person is not None and Role.AGENT not in person.roles:
                return person
        return None
