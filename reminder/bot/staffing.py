"""How does an office set itself up by chat: who works where, as what, under whom?"""

import re
from collections.abc import Sequence

from reminder.actions import people
from reminder.actions.guard import permit
from reminder.bot.answers import Answer, says
from reminder.bot.cards import person_line
from reminder.bot.named import called
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.domain.people import OFFICES, OrgUnit, Person, Role
from reminder.domain.policy import may
from reminder.longtext import clip

KINDS = ("county", "department", "township", "community", "village")
"""Of units, from the top down."""

_UNDER = re.compile(r"\s+(?:under|属于|隶属|归)\s*", re.IGNORECASE)


async def staff(turn: Turn, args: str) -> Answer:
    """`/people`: who does what; `/people add`, `unit` and `head` set the office up."""
    await permit(turn.tx, turn.by, "people")
    first, _, rest = args.strip().partition(" ")
    match first.casefold():
        case "add":
            return await _add_person(turn, rest.strip())
        case "unit":
            return await _add_unit(turn, rest.strip())
        case "head":
            return await _set_head(turn, rest.strip())
        case "":
            return _list(turn)
        case _:
            raise Refused("people.how")


def _list(turn: Turn) -> Answer:
    found = [p for _, p in sorted(turn.staff.people.items()) if p.active]
    lines = [turn.word("bot.people_head", n=len(found)), *(person_line(turn, p) for p in found)]
    units = turn.word("separator").join(unit.name for unit in turn.staff.units.values())
    lines.append(turn.word("bot.units", names=clip(units, 400)))
    if may(turn.person, "invite", turn.staff):
        lines.append(turn.word("bot.people_how"))
    return says("\n".join(lines))


async def _add_person(turn: Turn, said: str) -> Answer:
    name, unit_said, roles_said = _parts(turn, said)
    unit = _unit(turn, unit_said)
    roles = {_role(turn, one) for one in roles_said.split(",") if one.strip()}
    if not name or not roles:
        raise Refused("people.how")
    person_id = await people.add_person(
        turn.tx, turn.desk, turn.by, name=name, unit_id=unit.id, roles=roles, lang=turn.lang
    )
    return says(turn.word("bot.person_added", name=name, unit=unit.name, id=person_id))


def _parts(turn: Turn, said: str) -> tuple[str, str, str]:
    """Name, unit, roles: apart by "|"; by "," where the second is a unit; else around a unit's name."""
    plain = said.replace("｜", "|").replace("，", ",")
    if "|" in plain:
        parts = [part.strip() for part in plain.split("|")]
        if len(parts) != 3:
            raise Refused("people.how")
        return parts[0], parts[1], parts[2]
    first, *others = [part.strip() for part in plain.split(",")]
    if len(others) >= 2 and _units_called(turn, others[0]):
        return first, others[0], ",".join(others[1:])
    around = _around_a_unit(turn, plain)
    if around is not None:
        return around
    words = plain.split()
    if len(words) != 3:
        raise Refused("people.how")
    return words[0], words[1], words[2]


def _around_a_unit(turn: Turn, said: str) -> tuple[str, str, str] | None:
    """The longest unit's name that stands in it with words on both sides."""
    for unit in sorted(turn.staff.units.values(), key=lambda u: -len(u.name)):
        found = re.search(rf"\s{re.escape(unit.name)}\s", said, re.IGNORECASE)
        if found is not None:
            return said[: found.start()].strip(), unit.name, said[found.end() :].strip()
    return None


def _units_called(turn: Turn, said: str) -> Sequence[OrgUnit]:
    word = said.strip().casefold()
    units = turn.staff.units.values()
    found = [u for u in units if word in {u.name.casefold(), str(u.id)}]
    return found or [u for u in units if word and word in u.name.casefold()]


def _unit(turn: Turn, said: str) -> OrgUnit:
    found = _units_called(turn, said)
    if len(found) != 1:
        names = turn.word("separator").join(u.name for u in turn.staff.units.values())
        raise Refused("people.unit", known=clip(names, 120))
    return found[0]


def _role(turn: Turn, said: str) -> Role:
    known = sorted(OFFICES)
    role = called(turn, said, known, "role") or called(turn, said.strip().replace(" ", "_"), known, "role")
    if role is None:
        words = turn.word("separator").join(turn.word(f"role.{one}") for one in known)
        raise Refused("people.role", known=words)
    return role


async def _add_unit(turn: Turn, said: str) -> Answer:
    """`NAME KIND [under UNIT]`; without `under` it stands below the office's first."""
    what, *above = _UNDER.split(said.replace("|", " ").replace("｜", " "), maxsplit=1)
    name, _, kind_said = what.strip().rpartition(" ")
    if not name:
        raise Refused("people.unit_how", kinds=_kinds(turn))
    kind = _kind(turn, kind_said)
    parent = _unit(turn, above[0]) if above else next(iter(turn.staff.units.values()), None)
    if any(unit.name.casefold() == name.casefold() for unit in turn.staff.units.values()):
        raise Refused("people.unit_known", name=name)
    await people.add_unit(
        turn.tx, turn.desk, turn.by, name=name, kind=kind, parent_id=parent.id if parent else None
    )
    above_said = parent.name if parent else turn.word("none")
    return says(turn.word("bot.unit_added", name=name, kind=turn.word(f"unit_kind.{kind}"), above=above_said))


def _kinds(turn: Turn) -> str:
    return turn.word("separator").join(turn.word(f"unit_kind.{kind}") for kind in KINDS)


def _kind(turn: Turn, said: str) -> str:
    kind = called(turn, said, KINDS, "unit_kind")
    if kind is None:
        raise Refused("people.unit_how", kinds=_kinds(turn))
    return kind


async def _set_head(turn: Turn, said: str) -> Answer:
    """`UNIT PERSON`, both by name or number, apart by "|" or a blank."""
    unit, person = _headed(turn, said.replace("｜", "|"))
    await people.set_head(turn.tx, turn.desk, turn.by, unit_id=unit.id, person_id=person.id)
    return says(turn.word("bot.head_set", name=person.name, unit=unit.name))


def _headed(turn: Turn, said: str) -> tuple[OrgUnit, Person]:
    unit_said, mark, person_said = (part.strip() for part in said.partition("|"))
    if mark:
        return _unit(turn, unit_said), _person(turn, person_said)
    for unit in sorted(turn.staff.units.values(), key=lambda u: -len(u.name)):
        if said.casefold().startswith(f"{unit.name.casefold()} "):
            return unit, _person(turn, said[len(unit.name) :])
    unit_said, _, person_said = said.partition(" ")
    return _unit(turn, unit_said), _person(turn, person_said)


def _person(turn: Turn, said: str) -> Person:
    word = said.strip().removeprefix("#").casefold()
    active = [p for p in turn.staff.people.values() if p.active]
    found = [p for p in active if word in {p.name.casefold(), str(p.id)}]
    if len(found) != 1:
        raise Refused("people.nobody", said=clip(said.strip(), 40) or "?")
    return found[0]
