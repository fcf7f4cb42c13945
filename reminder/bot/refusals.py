"""What does somebody hear when nothing was done: what happened, that nothing is lost, and the next step?"""

from collections.abc import Mapping

from reminder.actions.cases import find
from reminder.bot import cards
from reminder.bot.answers import Answer, Card, says
from reminder.bot.arguments import numbered
from reminder.bot.heard import Tap
from reminder.bot.turn import Turn
from reminder.domain.errors import NotFound, Refused, Stale
from reminder.domain.messages import Keyboard
from reminder.domain.policy import may
from reminder.store import cases, entries

_NEXT: Mapping[str, str] = {
    "case.not_answered": "answer",
    "case.not_served": "served",
    "case.no_contact": "contact",
    "case.no_series": "visit",
    "case.no_handler": "assign",
    "visit.none": "visit",
}
"""Refusal -> the command that helps; every other one about a case offers its card."""

_ASK_AGAIN = frozenset(
    {"date.unreadable", "date.no_such", "date.not_read", "date.past", "phone.unreadable", "protocol.unknown"}
)
"""After these the question still stands; it may also be dropped."""


async def said_no(turn: Turn, refused: Refused) -> Answer:
    """To a message: the sentence, with a button for the next step where there is one."""
    said = turn.desk.templates.refusal(refused, turn.lang)
    if refused.key in _ASK_AGAIN and await turn.asked() is not None:
        cancel = turn.button(turn.word("button.cancel"), "no", turn.heard.letter, origin="d")
        return says(said, ((cancel,),))
    return says(said, _next(turn, refused, await _case_meant(turn)))


async def declined(turn: Turn, refused: Refused) -> Answer:
    """To a tap: over the chat, and the message drawn as things stand; foreign ones hear a neutral line."""
    tap = turn.heard.tap
    foreign = isinstance(refused, NotFound) or refused.key == "person.not_allowed"
    if foreign or tap is None:
        return Answer(toast=turn.word("bot.nothing_here"))
    said = turn.desk.templates.refusal(refused, turn.lang)
    if isinstance(refused, Stale):
        return Answer(toast=said, redraw=await _stale(turn, tap, said))
    if refused.key == "undo.too_late":
        own = Card(text=turn.heard.shown or said)
        return Answer(toast=said, redraw=own if tap.origin == "d" else await as_it_stands(turn, tap))
    case_id = await _case_tapped(turn, tap)
    if refused.key == "case.wrong_state" and case_id is not None:
        return await _taken_already(turn, tap, case_id)
    buttons = _next(turn, refused, case_id)
    return Answer(cards=(Card(text=said, buttons=buttons),)) if buttons else Answer(toast=said)


async def _taken_already(turn: Turn, tap: Tap, case_id: int) -> Answer:
    """The case has gone on since the button was drawn."""
    row = (await cases.many(turn.tx, [case_id]))[case_id]
    known = turn.desk.templates.has_word(f"status.{row.status}")
    status = turn.word(f"status.{row.status}") if known else row.status
    said = turn.word("bot.already_ended", no=row.case.number, status=status)
    return Answer(toast=said, redraw=await as_it_stands(turn, tap))


async def _stale(turn: Turn, tap: Tap, said: str) -> Card | None:
    """Somebody was faster. A message that has just become a receipt, by a double tap, stays as it is."""
    if tap.origin != "d":
        return await as_it_stands(turn, tap)
    last = await cases.last_deed(turn.tx, turn.person.id)
    fresh = last is not None and turn.rt.clock.now() - last["at"] < turn.desk.office.undo
    return None if fresh else Card(text=said)


async def as_it_stands(turn: Turn, tap: Tap) -> Card | None:
    """The digest, card or list a button stood in, drawn afresh."""
    if tap.origin == "":
        return await cards.digest(turn)
    if tap.origin == "c":
        case_id = await _case_tapped(turn, tap)
        return await cards.case_card(turn, case_id) if case_id is not None else None
    if tap.origin[0] in {cards.WEEK, cards.OVERDUE}:
        return await cards.listing(turn, tap.origin[0], tap.origin[1:])
    return None


async def _case_tapped(turn: Turn, tap: Tap) -> int | None:
    """The case a button is about; `go` and the buttons of a new visit carry it themselves."""
    if tap.act in {"go", "vmove", "vcal", "vpick", "vkeep"}:
        return tap.id
    entry = await entries.one(turn.tx, tap.id)
    return entry.case_id if entry is not None else None


async def _case_meant(turn: Turn) -> int | None:
    """The case a message names, or the question it answers, if the person may see it."""
    number, _ = numbered(turn.heard.text.partition(" ")[2])
    asked = await turn.asked("line")
    if not number and asked is not None:
        number, _ = numbered(str(asked["line"]).partition(" ")[2])
    try:
        return await find(turn.tx, turn.by, number) if number else None
    except Refused:
        return None


def _next(turn: Turn, refused: Refused, case_id: int | None) -> Keyboard:
    if case_id is None or isinstance(refused, NotFound) or refused.key == "person.not_allowed":
        return ()
    verb = str(refused.values.get("move", "")).removeprefix("move.")
    if refused.key != "entry.needs_move":
        verb = _NEXT.get(refused.key, "case")
    if not turn.desk.templates.has_word(f"button.go_{verb}"):
        verb = "case"
    if not may(turn.person, "see" if verb == "case" else verb, turn.staff):
        return ()
    return ((turn.button(turn.word(f"button.go_{verb}"), "go", case_id, origin="c", rest=verb),),)
