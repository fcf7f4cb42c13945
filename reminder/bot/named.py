"""Which unit, colleague or key does somebody name, in their own words and with blanks in names?"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.domain.people import OrgUnit, Person
from reminder.longtext import clip


class _Named(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)
K = TypeVar("K", bound=str)


def parts(text: str) -> list[str]:
    """What stands between "|" signs, at least three, empty where nothing is said."""
    said = [part.strip() for part in text.replace("｜", "|").split("|")]
    return [*said, "", ""]


def called(turn: Turn, said: str, keys: Iterable[K], words: str) -> K | None:
    """The key somebody means: by itself, or by its word `<words>.<key>` in any language; else None."""
    word, templates = said.strip().casefold(), turn.desk.templates
    for key in keys:
        if word in {
            key,
            *(templates.word(f"{words}.{key}", lang).casefold() for lang in templates.languages),
        }:
            return key
    return None


def unit_first(turn: Turn, text: str) -> tuple[OrgUnit, str]:
    """The unit the text begins with, and the rest. Refused with the names there are."""
    found, rest = _first(turn.staff.units.values(), text)
    if found is None:
        names = turn.word("separator").join(unit.name for unit in turn.staff.units.values())
        raise Refused("people.unit", known=clip(names, 120))
    return found, rest


def person_first(turn: Turn, text: str) -> tuple[Person, str]:
    """The active colleague the text begins with ("#5" counts too), and the rest. Refused otherwise."""
    found, rest = _first([p for p in turn.staff.people.values() if p.active], text)
    if found is None:
        raise Refused("person.unknown")
    return found, rest


def people_in(turn: Turn, text: str) -> Sequence[Person]:
    """Colleagues named one after the other, with commas between them."""
    names = [name.strip() for name in text.replace("，", ",").replace("、", ",").split(",") if name.strip()]
    return [person_first(turn, name)[0] for name in names]


def _first(known: Iterable[N], text: str) -> tuple[N | None, str]:
    """The longest name wins, so that a unit is not taken for the shorter one it begins with."""
    said = text.strip()
    number, _, rest = said.partition(" ")
    for one in sorted(known, key=lambda one: (-len(one.name), one.id)):
        if number == f"#{one.id}":
            return one, rest.strip()
        if said.casefold().startswith(one.name.casefold()):
            after = said[len(one.name) :]
            if not after or not (after[0].isascii() and after[0].isalnum()):
                return one, after.strip()
    return None, said
