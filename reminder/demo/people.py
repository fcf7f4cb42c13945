"""Who lives and works in the demo county: units, staff and residents from the data file and the seed."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from reminder.domain.people import Role, Staff
from reminder.runtime import Runtime
from reminder.store import people, residents
from reminder.store.database import Tx

FIRST_CHAT = 700_000_001
AREAS = ("202", "303", "404")
"""Area codes whose 555-0100…0199 numbers are reserved for fiction."""

SENDER = "+12025550100"


def county() -> Mapping[str, Any]:
    text = resources.files("reminder.demo").joinpath("county.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A resident of the county. `number` is empty for those without a phone."""

    id: int
    name: str
    number: str
    township: int
    village: str


@dataclass(slots=True)
class Cast:
    """Everybody, by name of the unit or by id."""

    units: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    neighbours: list[Neighbour] = field(default_factory=list)
    townships: list[int] = field(default_factory=list)


async def settle_county(tx: Tx, rt: Runtime, lang: str, rng: random.Random) -> Cast:
    """Fill an empty database with the county's people."""
    cast, book = Cast(), county()
    root = await people.add_unit(tx, name=book["county"][lang], kind="county", parent_id=None)
    cast.units["county"] = root
    for kind in ("department", "township"):
        for unit in book[kind]:
            made = await people.add_unit(tx, name=unit[lang], kind=kind, parent_id=root)
            cast.units[unit["zh"]] = made
            if kind == "township":
                cast.townships.append(made)
    for number, person in enumerate(book["person"]):
        await _join(tx, cast, person, lang, FIRST_CHAT + number)
    await _agents(tx, cast, book, lang)
    await _residents(tx, rt, cast, book, lang, rng)
    return cast


async def _join(tx: Tx, cast: Cast, person: Mapping[str, Any], lang: str, chat: int) -> None:
    unit = cast.units[person["at"]]
    roles = [Role(role) for role in person["roles"]]
    made = await people.add_person(tx, name=person[lang], unit_id=unit, roles=roles, lang=lang, chat_id=chat)
    cast.people[person["zh"]] = made
    if person.get("head"):
        await people.set_head(tx, unit, made)


async def _agents(tx: Tx, cast: Cast, book: Mapping[str, Any], lang: str) -> None:
    """One agent in every village, in the township's service."""
    chat = FIRST_CHAT + 100
    for unit_id, township in zip(cast.townships, book["township"], strict=True):
        for village in township["villages"]:
            name = f"{village['zh']}代办员" if lang == "zh" else f"{village['en']} agent"
            await people.add_person(
                tx, name=name, unit_id=unit_id, roles=[Role.AGENT], lang=lang, chat_id=chat
            )
            chat += 1


async def _residents(
    tx: Tx, rt: Runtime, cast: Cast, book: Mapping[str, Any], lang: str, rng: random.Random
) -> None:
    facts = book["residents"]
    numbers = _numbers()
    villages = [
        (u, v[lang]) for u, t in zip(cast.townships, book["township"], strict=True) for v in t["villages"]
    ]
    for index in range(facts["total"]):
        surname, form = rng.choice(facts["surnames"]), rng.choice(facts["salutations"])
        township, village = villages[index % len(villages)]
        no_phone = index < facts["no_phone"]
        shares = facts["no_phone"] < index <= facts["no_phone"] + facts["shared_phone"]
        number = (
            ""
            if no_phone
            else cast.neighbours[-1].number
            if shares and cast.neighbours[-1].number
            else next(numbers)
        )
        # Those without a phone, and those who need a reader, come first; the story's people come last.
        reads = not facts["total"] // 2 <= index < facts["total"] // 2 + facts["reading_help"]
        name = form[lang].format(surname[lang])
        resident = await residents.add(tx, name=name, lang=lang, place=village, can_read=reads)
        if number:
            await residents.give_phone(tx, rt.desk.sealer, resident, number)
            if facts["total"] // 3 <= index < facts["total"] // 3 + facts["opted_out"]:
                now = rt.clock.now()
                await residents.opt_out(tx, rt.desk.sealer, number, sender=SENDER, source="paper", at=now)
        cast.neighbours.append(
            Neighbour(id=resident, name=name, number=number, township=township, village=village)
        )


def _numbers() -> Any:
    """Reserved numbers, each once; 202-555-0100 is the office's own sender and 0188 its hall."""
    for area in AREAS:
        for last in range(100, 200):
            number = f"+1{area}5550{last}"
            if number not in {SENDER, "+12025550188", "+12025550101"}:
                yield number


def staff_cards(staff: Staff) -> list[dict[str, Any]]:
    """The staff's phones for the sandbox, roles as labels."""
    return [
        {
            "id": person.chat_id,
            "name": person.name,
            "lang": person.lang,
            "label": ", ".join(sorted(person.roles)),
            "started": True,
        }
        for person in staff.people.values()
        if person.chat_id is not None
    ]
