"""Who lives and works in the demo county: units, staff and residents from the data file and the seed."""

import functools
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import resources
from typing import Any

from reminder.domain.people import Posting, Role, Staff
from reminder.render import Templates
from reminder.runtime import Runtime
from reminder.store import households, people, residents
from reminder.store.database import Tx

FIRST_CHAT = 700_000_001
AREAS = ("202", "303", "404")
"""Area codes whose 555-0100…0199 numbers are reserved for fiction."""

SENDER = "+12025550100"
CADRE = "王敏"
"""Whose phone the story shows first (the name in the data file)."""

LI = "+12025550101"
"""Ms Li's number."""


@functools.cache
def county() -> Mapping[str, Any]:
    text = resources.files("reminder.demo").joinpath("county.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@functools.cache
def matters() -> Mapping[str, Any]:
    """What the county's cases are about, how many stand where, and what people say of them."""
    text = resources.files("reminder.demo").joinpath("matters.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A resident of the county. `number` is empty for those without a phone."""

    name: str
    number: str
    township: int
    village: str
    id: int = 0


@dataclass(slots=True)
class Cast:
    """Everybody, by name of the unit or by id."""

    units: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    neighbours: list[Neighbour] = field(default_factory=list)
    townships: list[int] = field(default_factory=list)
    cadres: dict[str, int] = field(default_factory=dict)
    """Who looks after each village, by its name."""


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
    await _cadres(tx, cast, book, lang)
    await _households(tx, book, lang, rng)
    await _residents(tx, rt, cast, book, lang, rng)
    return cast


async def _join(tx: Tx, cast: Cast, person: Mapping[str, Any], lang: str, chat: int) -> None:
    unit = cast.units[person["at"]]
    roles = [Role(role) for role in person["roles"]]
    made = await people.add_person(tx, name=person[lang], unit_id=unit, roles=roles, lang=lang, chat_id=chat)
    cast.people[person["zh"]] = made
    if person.get("head"):
        await people.set_head(tx, unit, made)


POSTED = date(2025, 1, 1)
"""Since when everybody has looked after their villages."""


async def _agents(tx: Tx, cast: Cast, book: Mapping[str, Any], lang: str) -> None:
    """One agent in every village, in the township's service."""
    chat = FIRST_CHAT + 100
    for unit_id, township in zip(cast.townships, book["township"], strict=True):
        for village in township["villages"]:
            name = f"{village['zh']}代办员" if lang == "zh" else f"{village['en']} agent"
            made = await people.add_person(
                tx, name=name, unit_id=unit_id, roles=[Role.AGENT], lang=lang, chat_id=chat
            )
            await people.add_posting(tx, Posting(person_id=made, place=village[lang], from_on=POSTED))
            chat += 1


async def _cadres(tx: Tx, cast: Cast, book: Mapping[str, Any], lang: str) -> None:
    """Every village has a cadre, to whom its new cases go."""
    for township in book["township"]:
        for village in township["villages"]:
            person = cast.people[village["cadre"]]
            cast.cadres[village[lang]] = person
            await people.add_posting(tx, Posting(person_id=person, place=village[lang], from_on=POSTED))


async def _households(tx: Tx, book: Mapping[str, Any], lang: str, rng: random.Random) -> None:
    """For rounds: a label and how many live there, nothing else. Some welcome care visits."""
    villages = [village[lang] for township in book["township"] for village in township["villages"]]
    for number in range(book["residents"]["households"]):
        surname = rng.choice(book["residents"]["surnames"])[lang]
        door = number // len(villages) + 1
        label = f"{door}号{surname}家" if lang == "zh" else f"No. {door}, {surname}"
        place, members = villages[number % len(villages)], 1 + rng.randrange(6)
        await households.add(tx, place=place, label=label, members=members, agreed=number % 4 == 0)


async def _residents(
    tx: Tx, rt: Runtime, cast: Cast, book: Mapping[str, Any], lang: str, rng: random.Random
) -> None:
    """Those without a phone come first, then pairs who share one; Ms Li, of the story, comes last."""
    facts, numbers = book["residents"], _numbers()
    pairs = range(facts["no_phone"], facts["no_phone"] + 2 * facts["shared_phone"])
    villages = [
        (unit, village[lang])
        for unit, township in zip(cast.townships, book["township"], strict=True)
        for village in township["villages"]
    ]
    number = ""
    for index in range(facts["total"] - 1):
        shares = index in pairs and (index - pairs.start) % 2 == 1
        if index >= facts["no_phone"] and not shares:
            number = next(numbers)
        surname, form = rng.choice(facts["surnames"])[lang], rng.choice(facts["salutations"])[lang]
        township, village = villages[index % len(villages)]
        cast.neighbours.append(
            Neighbour(name=form.format(surname), number=number, township=township, village=village)
        )
    li = {"zh": "李女士", "en": "Ms Li"}[lang]
    hewan = book["township"][0]["villages"][1][lang]
    cast.neighbours.append(Neighbour(name=li, number=LI, township=cast.townships[0], village=hewan))
    await _write(tx, rt, cast, facts, lang)


async def _write(tx: Tx, rt: Runtime, cast: Cast, facts: Mapping[str, Any], lang: str) -> None:
    rows = [_resident(n, i, facts, lang) for i, n in enumerate(cast.neighbours)]
    ids = await residents.add_many(tx, rows)
    cast.neighbours = [replace(n, id=i) for n, i in zip(cast.neighbours, ids, strict=True)]
    await residents.give_phones(tx, rt.desk.sealer, [(n.id, n.number) for n in cast.neighbours if n.number])
    for index in _opted_out(facts):
        number = cast.neighbours[index].number
        now = rt.clock.now()
        await residents.opt_out(tx, rt.desk.sealer, number, sender=SENDER, source="paper", at=now)


def _resident(neighbour: Neighbour, index: int, facts: Mapping[str, Any], lang: str) -> Mapping[str, Any]:
    """How somebody is reached and what helps at the door; never what they are."""
    half, tenth = facts["total"] // 2, facts["total"] // 10
    helped = index in range(half, half + facts["reading_help"])
    dialect = index in range(tenth + 40, tenth + 40 + facts["dialect"])
    says = matters()["says"][lang]
    return {
        "name": neighbour.name,
        "lang": lang,
        "place": neighbour.village,
        "can_read": not helped,
        "reach_by": "" if neighbour.number else "agent",
        "needs": says["dialect"] if dialect else says["reading"] if helped else "",
    }


def _numbers() -> Any:
    """Reserved numbers, each once; 202-555-0100 is the office's own sender and 0188 its hall."""
    for area in AREAS:
        for last in range(100, 200):
            number = f"+1{area}5550{last}"
            if number not in {SENDER, "+12025550188", LI}:
                yield number


def texted(cast: Cast) -> list[Neighbour]:
    """Those whom texts reach at a number of their own; Ms Li is of the story alone."""
    facts = county()["residents"]
    own = facts["no_phone"] + 2 * facts["shared_phone"]
    out = _opted_out(facts)
    return [n for i, n in enumerate(cast.neighbours[:-1]) if i >= own and i not in out]


def _opted_out(facts: Mapping[str, Any]) -> range:
    return range(facts["total"] // 3, facts["total"] // 3 + facts["opted_out"])


def staff_cards(staff: Staff, cast: Cast, templates: Templates, lang: str) -> list[dict[str, Any]]:
    """The staff's phones for the sandbox: the story's cadre first, roles in words."""
    first = cast.people[CADRE]
    enrolled = [person for person in staff.people.values() if person.chat_id is not None]
    return [
        {
            "id": person.chat_id,
            "name": person.name,
            "lang": person.lang,
            "label": " · ".join(templates.word(f"role.{role}", lang) for role in sorted(person.roles)),
            "started": True,
        }
        for person in sorted(enrolled, key=lambda p: (p.id != first, p.id))
    ]


def resident_cards(cast: Cast, lang: str) -> list[dict[str, Any]]:
    """The residents' phones, Ms Li's first; a shared phone once."""
    seen: dict[str, dict[str, Any]] = {}
    for neighbour in sorted(cast.neighbours, key=lambda n: n.number != LI):
        if neighbour.number and neighbour.number not in seen:
            card = {"number": neighbour.number, "name": neighbour.name, "label": neighbour.village}
            seen[neighbour.number] = card | {"lang": lang}
    return list(seen.values())
