"""What does each button do? One table; an act that is not in it does nothing, and says nothing bad."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reminder.actions.guard import permit
from reminder.bot import cards, casework, confidence, days, imports, intake, moves, office, protocols, visits
from reminder.bot.answers import Answer, Card
from reminder.bot.choices import chosen, leafed
from reminder.bot.commands import run
from reminder.bot.deeds import undo
from reminder.bot.heard import Tap
from reminder.bot.refusals import as_it_stands
from reminder.bot.standing import next_visit, standing
from reminder.bot.turn import Turn
from reminder.domain.errors import NotFound, Stale
from reminder.domain.policy import may
from reminder.domain.protocols import EntryKind
from reminder.store import cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """`action` is the row of the policy table it needs."""

    run: Callable[[Turn, Tap], Awaitable[Answer]]
    action: str


async def tapped(turn: Turn, tap: Tap | None) -> Answer:
    """Raises Refused, NotFound or Stale; `refusals.declined` then says how things stand."""
    act = ACTS.get(tap.act) if tap is not None else None
    if tap is None or act is None or not may(turn.person, act.action, turn.staff):
        raise NotFound("not_found")
    return await act.run(turn, tap)


async def _after(turn: Turn, tap: Tap, card: Card) -> Answer:
    """Something was done: the place where the button stood is drawn afresh, and what was done is told."""
    if tap.origin == "d":
        return Answer(toast=turn.word("bot.noted_short"), redraw=card)
    said = (card,) if card.news or tap.origin else ()
    if tap.origin == "":
        last = await cases.last_deed(turn.tx, turn.person.id)
        redraw: Card | None = await cards.digest(turn, int(last["id"]) if last is not None else None)
    else:
        redraw = await as_it_stands(turn, tap)
    return Answer(toast=turn.word("bot.noted_short"), redraw=redraw, cards=said)


# --- acts on an entry --------------------------------------------------------------------------


async def _done(turn: Turn, tap: Tap) -> Answer:
    return await _after(turn, tap, await casework.finish(turn, tap.id, tap.rev))


async def _move(turn: Turn, tap: Tap) -> Answer:
    return _asks(tap, await days.choose(turn, days.target_of(tap)))


async def _calendar(turn: Turn, tap: Tap) -> Answer:
    return _asks(tap, await days.month(turn, days.target_of(tap), tap.rest))


async def _pick(turn: Turn, tap: Tap) -> Answer:
    return _asks(
        tap, await days.echo(turn, days.target_of(tap), days.slot_in(tap), await days.place_said(turn))
    )


async def _keep(turn: Turn, tap: Tap) -> Answer:
    return await _after(turn, tap, await days.keep(turn, days.target_of(tap), days.slot_in(tap)))


async def _away(turn: Turn, tap: Tap) -> Answer:
    return _asks(tap, await visits.ask_away(turn, tap.id, tap.rev))


async def _not_reached(turn: Turn, tap: Tap) -> Answer:
    return await _after(turn, tap, await visits.not_reached(turn, tap.id, tap.rev, tap.rest))


async def _how(turn: Turn, tap: Tap) -> Answer:
    return _asks(tap, await visits.how(turn, tap))


async def _visited(turn: Turn, tap: Tap) -> Answer:
    return await _after(turn, tap, await visits.made(turn, tap))


async def _agree(turn: Turn, tap: Tap) -> Answer:
    return await _after(turn, tap, await visits.agree(turn, tap))


def _asks(tap: Tap, card: Card) -> Answer:
    """A question replaces a message of its own, and stands below a digest, a card or a list."""
    return Answer(redraw=card) if tap.origin == "d" else Answer(cards=(card,))


async def _more(turn: Turn, tap: Tap) -> Answer:
    """The whole case, and what else can be done with this visit."""
    _, entry = await standing(turn, tap.id, tap.rev)
    card = await _case_card(turn, entry.case_id)
    if entry.kind is EntryKind.VISIT and may(turn.person, "visit", turn.staff):
        row = (
            turn.button(turn.word("button.visited"), "how", entry.id, entry.revision, "d"),
            turn.button(turn.word("button.agreed"), "agree", entry.id, entry.revision, "d"),
        )
        card = Card(text=card.text, buttons=(row, *card.buttons))
    return Answer(cards=(card,))


async def _case_card(turn: Turn, case_id: int) -> Card:
    await permit(turn.tx, turn.by, "see", case_id)
    return await cards.case_card(turn, case_id)


async def _undo(turn: Turn, tap: Tap) -> Answer:
    card = await undo(turn, tap.id)
    if tap.origin == "d":
        return Answer(toast=turn.word("bot.undone_short"), redraw=card)
    return Answer(toast=turn.word("bot.undone_short"), redraw=await cards.digest(turn), cards=(card,))


# --- acts on lists, cards and questions --------------------------------------------------------


async def _page(turn: Turn, tap: Tap) -> Answer:
    if tap.origin[:1] not in {cards.WEEK, cards.OVERDUE}:
        raise NotFound("not_found")
    return Answer(redraw=await cards.listing(turn, tap.origin[0], tap.origin[1:], tap.rest or "r"))


async def _go(turn: Turn, tap: Tap) -> Answer:
    """A command for a case, from its card."""
    await permit(turn.tx, turn.by, "see", tap.id)
    row = (await cases.many(turn.tx, [tap.id])).get(tap.id)
    if row is None or tap.rest not in _FROM_CARDS:
        raise NotFound("not_found")
    if tap.rest == "visit":
        target = days.Target(id=tap.id, rev=await next_visit(turn, tap.id), new=True)
        return Answer(cards=(await days.choose(turn, target),))
    return await run(turn, f"{tap.rest} {row.case.number}")


_FROM_CARDS = frozenset(
    {"accept", "contact", "note", "visit", "answer", "served", "close", "reopen", "why", "case", "assign"}
)


async def _option(turn: Turn, tap: Tap) -> Answer:
    found = await run(turn, await chosen(turn, tap))
    return _in_place(found)


async def _leaf(turn: Turn, tap: Tap) -> Answer:
    return Answer(redraw=await leafed(turn, tap))


async def _question(turn: Turn, tap: Tap) -> Answer:
    return Answer(redraw=await imports.question_answered(turn, tap))


async def _protocol(turn: Turn, tap: Tap) -> Answer:
    return _in_place(await intake.protocol_chosen(turn, tap))


def _in_place(found: Answer) -> Answer:
    """The first card takes the place of the question."""
    if found.redraw is not None or not found.cards:
        return found
    return found.also(redraw=found.cards[0], cards=found.cards[1:])


_SURE: Mapping[str, Callable[[Turn, Mapping[str, Any]], Awaitable[Answer]]] = {
    "served": casework.sure_of_served,
    "fact": casework.sure_of_fact,
    "calendar": office.sure_of_mark,
    "merge": moves.sure_of_merge,
    "erase": confidence.sure_of_erasure,
    "protocol_change": protocols.sure_of_change,
    "protocol_migrate": protocols.sure_of_migration,
}


async def _yes(turn: Turn, tap: Tap) -> Answer:
    asked = await turn.asked("sure")
    if asked is None or asked["nonce"] != tap.id:
        raise Stale("bot.already_answered")
    await turn.ask_no_more()
    return _in_place(await _SURE[str(asked["do"])](turn, asked))


async def _no(turn: Turn, tap: Tap) -> Answer:
    """Drop the question this button belongs to, whichever it was; a newer one stays."""
    asked = await turn.asked()
    if asked is not None and int(asked.get("nonce", tap.id)) == tap.id:
        await turn.ask_no_more()
    return Answer(toast=turn.word("bot.dropped"), redraw=Card(text=turn.word("bot.dropped")))


async def _nothing(turn: Turn, tap: Tap) -> Answer:  # noqa: ARG001
    return Answer()


ACTS: Mapping[str, Act] = {
    "done": Act(run=_done, action="done"),
    "move": Act(run=_move, action="visit"),
    "cal": Act(run=_calendar, action="visit"),
    "pick": Act(run=_pick, action="visit"),
    "keep": Act(run=_keep, action="visit"),
    "vmove": Act(run=_move, action="visit"),
    "vcal": Act(run=_calendar, action="visit"),
    "vpick": Act(run=_pick, action="visit"),
    "vkeep": Act(run=_keep, action="visit"),
    "away": Act(run=_away, action="visit"),
    "na": Act(run=_not_reached, action="visit"),
    "how": Act(run=_how, action="visit"),
    "vo": Act(run=_visited, action="visit"),
    "agree": Act(run=_agree, action="visit"),
    "more": Act(run=_more, action="see"),
    "undo": Act(run=_undo, action="undo"),
    "page": Act(run=_page, action="see"),
    "go": Act(run=_go, action="see"),
    "opt": Act(run=_option, action="see"),
    "leaf": Act(run=_leaf, action="see"),
    "qa": Act(run=_question, action="import"),
    "newp": Act(run=_protocol, action="register"),
    "yes": Act(run=_yes, action="see"),
    "no": Act(run=_no, action="see"),
    "nop": Act(run=_nothing, action="see"),
}
"""Act -> what it does. `apply` (an import) is not here: files are dealt with outside a transaction."""
