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


def of_bot(name: object, bot: int | None) -> str:
    """The name of a chat, message, tap or file, marked if it is of a further bot (`channels/bots.py`)."""
    return f"{name}@{bot}" if bot is not None and name else str(name)


def parted(name: str) -> tuple[str, int | None]:
    """What `of_bot` has put together: the plain name, and the bot."""
    plain, _, mark = name.partition("@")
    return plain, int(mark) if mark else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What messages of a channel leave by; how much it bears, and whether it is heard, is its own affair.

    `bot` is None for texts and for the office's first bot, which carries whatever none of the `others` does.
    """

    channel: Channel
    bot: int | None = None
    others: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return of_bot(self.channel, self.bot)


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
    """A member of staff. `chat_id` is the numeric Telegram user id, present once enrolled; `bot` the
    number of the bot they joined by, unless it was the first."""

    id: int
    name: str
    unit_id: int
    roles: frozenset[Role]
    lang: str = "zh"
    active: bool = True
    chat_id: int | None = None
    bot: int | None = None
    phone: str = ""
    digest_at: time = time(8, 10)

    @property
    def chat(self) -> str:
        """Where messages to them go; empty until they have joined."""
        return of_bot(self.chat_id or "", self.bot)

    @property
    def is_agent(self) -> bool:
        """Whether they are a village's agent and nothing else: no case is theirs to carry."""
        return self.roles == {Role.AGENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Somebody is away from a day to another, both included; the deputy gets their messages."""

    person_id: int
    deputy_id: int
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A village and the cadre who looks after its cases, or its agent; `to_on` None: until further notice."""

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
    _holding: Mapping[Role, tuple[Person, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = [person for _, person in sorted(self.people.items()) if person.active]
        holding = {role: tuple(p for p in known if role in p.roles) for role in Role}
        object.__setattr__(self, "_holding", holding)

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
        return list(self._holding[role])

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
            if person is not None and not person.is_agent:
                return person
        return None

    def villages_of(self, person_id: int) -> list[str]:
        """The villages somebody is posted to until further notice."""
        return [p.place for p in self.postings if p.person_id == person_id and p.to_on is None and p.place]

    def agent_of(self, place: str) -> Person | None:
        """The active agent of the village a case's place names."""
        held = [p for p in self.postings if p.to_on is None and p.place and p.place in place]
        people = sorted({p.person_id for p in held if p.person_id in self.people})
        return next((p for i in people if (p := self.active(i)) is not None and p.is_agent), None)
