"""How is a matter taken in by chat: one line, or one question after the other, then registered with Undo?"""

from collections.abc import Mapping
from typing import Any

from reminder.actions import cases
from reminder.actions.cases import NewCase, NewParty
from reminder.actions.guard import permit
from reminder.actions.replan import Plan
from reminder.bot.answers import Answer, Card
from reminder.bot.arguments import phones_in
from reminder.bot.deeds import deed
from reminder.bot.heard import Tap
from reminder.bot.turn import Turn, rows
from reminder.domain.errors import Refused, Stale
from reminder.domain.national import Place
from reminder.domain.people import Role

STEPS = ("name", "phone", "place", "request", "protocol")
"""Asked in this order; what the first line said already is not asked again."""

_NOTHING = frozenset({"-", "0", "no", "none", "没有", "无", "不知道"})
"""Answers that leave a field empty."""

_KEEPS = frozenset({Role.HANDLER, Role.UNIT_HEAD, Role.SUPERVISION, Role.ADMIN})
"""Who takes in a matter and carries it on; intake and village agents hand it to the head of their unit."""

CATEGORIES = (
    *("land", "utilities", "welfare", "neighbours", "errands", "wages"),
    *("village", "environment", "inquiry", "education", "other"),
)


async def new(turn: Turn, args: str) -> Answer:
    """`/new [category] [place]`: begin; the rest is asked."""
    await permit(turn.tx, turn.by, "register")
    known: dict[str, Any] = {}
    words = args.split()
    if words and (protocol := _protocol(turn, words[0])):
        known["protocol"] = protocol
        words = words[1:]
    if words and (category := _category(turn, words[0])):
        known["category"] = category
        words = words[1:]
    if words:
        known["place"] = " ".join(words)
    return await _next(turn, known)


def _category(turn: Turn, said: str) -> str:
    """A category by its key or by a word of its name ("土地" for 土地道路)."""
    word = said.casefold()
    for one in CATEGORIES:
        names = [turn.desk.templates.word(f"category.{one}", l) for l in turn.desk.templates.languages]  # noqa: E741
        if word == one or any(len(word) > 1 and name.casefold().startswith(word) for name in names):
            return one
    return ""


def _protocol(turn: Turn, said: str) -> str:
    word = said.casefold()
    for key, protocol in turn.desk.protocols.items():
        if protocol.office:
            continue
        if word in {key, *(name.casefold() for name in protocol.names.values())}:
            return key
    return ""


async def _next(turn: Turn, known: Mapping[str, Any]) -> Answer:
    """Ask for what is missing, else register."""
    step = next((one for one in STEPS if one not in known), None)
    if step is None:
        return Answer(cards=(await _register(turn, known),))
    await turn.ask("new", {**known, "step": step, "nonce": turn.heard.letter})
    cancel = turn.button(turn.word("button.cancel"), "no", turn.heard.letter, origin="d")
    text = turn.word(f"ask.new_{step}")
    if step == "protocol":
        return Answer(cards=(_which_protocol(turn, turn.heard.letter, everything=False),))
    return Answer(cards=(Card(text=text, buttons=((cancel,),)),))


def _which_protocol(turn: Turn, nonce: int, *, everything: bool) -> Card:
    """Those of the office's own country; the others are a tap away."""
    ours, others = _ours(turn)
    shown = [*ours, *others] if everything or not ours else ours
    offers = [turn.button(_name(turn, key), "newp", nonce, index, "d") for index, key in enumerate(shown)]
    if len(shown) < len(ours) + len(others):
        offers.append(turn.button(turn.word("button.more_protocols"), "newp", nonce, MORE, "d"))
    cancel = turn.button(turn.word("button.cancel"), "no", nonce, origin="d")
    return Card(text=turn.word("ask.new_protocol"), buttons=(*rows(offers), (cancel,)))


def _ours(turn: Turn) -> tuple[list[str], list[str]]:
    """Keys of the protocols that count by the office's own country's days off, and of all the others."""
    country = Place.parse(turn.desk.office.calendar.code).country
    keys = sorted(key for key, protocol in turn.desk.protocols.items() if not protocol.office)
    ours = [key for key in keys if Place.parse(turn.desk.protocols[key].calendar).country == country]
    return ours, [key for key in keys if key not in ours]


def _name(turn: Turn, key: str) -> str:
    return turn.desk.protocols[key].names.get(turn.lang, key)


MORE = 999
"""Instead of an index: show the others, too."""


async def answered(turn: Turn, asked: Mapping[str, Any], text: str) -> Answer:
    """Words that answer the question of the moment. Refused leaves the question standing."""
    step = str(asked["step"])
    known = _known(asked)
    empty = text.strip().casefold() in _NOTHING
    if step == "phone":
        known |= {"phone": "", "phones": [], "landlines": []} if empty else _phones(turn, text)
    elif step == "protocol":
        key = _protocol(turn, text)
        if not key:
            raise Refused(
                "protocol.unknown",
                protocol=text[:40],
                known=turn.word("separator").join(_name(turn, one) for one in _ours(turn)[0]),
            )
        known["protocol"] = key
    else:
        known[step] = "" if empty else text.strip()
    if step == "name" and not known["name"]:
        known["name"] = turn.word("bot.unnamed")
    return await _next(turn, known)


def _known(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name not in {"asks", "step", "nonce"}}


def _phones(turn: Turn, text: str) -> dict[str, Any]:
    mobile, landlines = phones_in(turn, text)
    return {"phone": "given", "phones": mobile, "landlines": landlines}


async def protocol_chosen(turn: Turn, tap: Tap) -> Answer:
    """A tap on one of the protocols; Stale once that question is over."""
    asked = await turn.asked("new")
    keys = [key for part in _ours(turn) for key in part]
    if asked is None or asked["nonce"] != tap.id or asked["step"] != "protocol":
        raise Stale("bot.already_answered")
    if tap.rev == MORE:
        return Answer(cards=(_which_protocol(turn, tap.id, everything=True),))
    if tap.rev >= len(keys):
        raise Stale("bot.already_answered")
    return await _next(turn, {**_known(asked), "protocol": keys[tap.rev]})


async def _register(turn: Turn, known: Mapping[str, Any]) -> Card:
    await turn.ask_no_more()
    party = NewParty(
        name=str(known["name"]), phones=known.get("phones", ()), landlines=known.get("landlines", ())
    )
    new_case = NewCase(
        protocol=str(known["protocol"]),
        parties=(party,),
        category=str(known.get("category", "other")),
        place=str(known["place"]),
        request=str(known["request"]),
        unit_id=turn.person.unit_id,
        handler_id=turn.person.id if turn.person.roles & _KEEPS else None,
    )

    async def work() -> Plan:
        return await cases.register(turn.tx, turn.desk, turn.by, new_case)

    return await deed(turn, None, work, _said(turn, known))


def _said(turn: Turn, known: Mapping[str, Any]) -> str:
    """What was understood, said back. "{no}" is filled in once there is a number."""
    protocol = turn.desk.protocols[str(known["protocol"])]
    return turn.word(
        "bot.registered",
        no="{no}",
        protocol=protocol.names.get(turn.lang, protocol.key),
        category=turn.word(f"category.{known.get('category', 'other')}"),
        place=str(known["place"]) or turn.word("none"),
    )
