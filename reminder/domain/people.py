"""Who works in the office: roles, units, and who may see and do what belongs to whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
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
class Staff:
    """Everybody at once, for pure look-ups: who heads a unit, who is above it, who holds a role."""

    people: Mapping[int, Person] = field(default_factory=dict)
    units: Mapping[int, OrgUnit] = field(default_factory=dict)

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
