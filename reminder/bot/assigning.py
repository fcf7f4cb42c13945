"""Whom is a case given to: a colleague named, or one of those nearest to it?"""

from collections.abc import Sequence

from reminder.actions import cases
from reminder.actions.replan import Plan
from reminder.actions.scene import CaseScene, read_case
from reminder.bot.answers import Answer, Card
from reminder.bot.arguments import case_of, is_number
from reminder.bot.choices import offer
from reminder.bot.deeds import deed
from reminder.bot.turn import Turn
from reminder.domain.cases import Event
from reminder.domain.messages import Button
from reminder.domain.people import Person, Role
from reminder.longtext import clip


def _card(card: Card) -> Answer:
    return Answer(cards=(card,))


async def assign(turn: Turn, args: str) -> Answer:
    """`/assign NO name`: give the case to a colleague and, with them, to their unit."""
    scene, said = await case_of(turn, args)
    case_id, no = scene.row.case.id, scene.row.case.number
    found = _colleagues(turn, said)
    if len(found) != 1:
        await cases.allowed(turn.tx, turn.desk, turn.by, case_id, Event.ASSIGN)
        options = [(_label(turn, scene, p), f"assign {no} #{p.id}") for p in _nearest(turn, scene, found)]
        text = turn.word("ask.assign", no=no)
        if said and not _named(turn, said):
            text = f"{turn.word('bot.nobody_called', said=clip(said, 40))}\n{text}"
        return _card(await offer(turn, text, options))
    person = found[0]
    said = turn.word("bot.assigned", no=no, name=person.name)

    async def work() -> Plan:
        return await cases.assign(turn.tx, turn.desk, turn.by, case_id, handler_id=person.id)

    card = await deed(turn, case_id, work, said)
    after = await read_case(turn.tx, turn.desk, case_id)
    offer_accept = turn.button(turn.word("button.go_accept"), "go", case_id, origin="c", rest="accept")
    return _card(card if after.past.status.value != "registered" else _with(card, offer_accept))


def _with(card: Card, button: Button) -> Card:
    return Card(text=card.text, buttons=(*card.buttons, (button,)))


def _colleagues(turn: Turn, said: str) -> list[Person]:
    """Active people by number ("#5") or name, else by a part of it; all who carry cases if none fits."""
    return _named(turn, said) or [p for p in _active(turn) if p.roles & _CARRIERS]


def _named(turn: Turn, said: str) -> list[Person]:
    active = _active(turn)
    if said.startswith("#") and is_number(said[1:]):
        return [p for p in active if p.id == int(said[1:])]
    named = [p for p in active if said and p.name.casefold() == said.casefold()]
    return named or [p for p in active if said and said.casefold() in p.name.casefold()]


def _active(turn: Turn) -> list[Person]:
    return [p for _, p in sorted(turn.staff.people.items()) if p.active]


def _nearest(turn: Turn, scene: CaseScene, found: Sequence[Person]) -> list[Person]:
    """The case's own unit first, then those above it, nearest first, then those below, then the others."""
    unit = scene.row.unit_id
    above = [one.id for one in turn.staff.chain(unit)]

    def distance(person: Person) -> tuple[int, int]:
        if person.unit_id in above:
            return above.index(person.unit_id), person.id
        below = unit is not None and turn.staff.within(person.unit_id, unit)
        return len(above) + (0 if below else 1), person.id

    return sorted(found, key=distance)


def _label(turn: Turn, scene: CaseScene, person: Person) -> str:
    """The name; and the unit where it is not the case's own."""
    return (
        person.name
        if person.unit_id == scene.row.unit_id
        else f"{person.name} · {_unit(turn, person.unit_id)}"
    )


_CARRIERS = frozenset({Role.HANDLER, Role.UNIT_HEAD})


def _unit(turn: Turn, unit_id: int) -> str:
    unit = turn.staff.units.get(unit_id)
    return unit.name if unit else "-"
