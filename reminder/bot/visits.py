"""What can be done with visits by chat: planned, moved, agreed, made, or nobody was reached?"""

from dataclasses import replace

from reminder.actions import entries
from reminder.actions.guard import permit
from reminder.actions.replan import Plan
from reminder.actions.scene import CaseScene, read_case
from reminder.bot.answers import Answer, Card
from reminder.bot.arguments import case_of, leading_when, looks_like_a_date, no_date, slot_of
from reminder.bot.days import Target, choose, echo
from reminder.bot.deeds import deed
from reminder.bot.heard import Tap
from reminder.bot.standing import next_visit, open_visits, standing_visit
from reminder.bot.turn import Turn, rows
from reminder.domain.dates import read_when, say_day, say_weekday_date
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.errors import NotFound, Refused, Stale
from reminder.domain.messages import Keyboard


async def visit(turn: Turn, args: str) -> Answer:
    """`/visit NO [date time] [place]`: plan one; the day is echoed before anything is kept."""
    scene, rest = await case_of(turn, args)
    await permit(turn.tx, turn.by, "visit", scene.row.case.id)
    when, place = leading_when(turn, rest)
    case_id = scene.row.case.id
    target = Target(id=case_id, rev=await next_visit(turn, case_id), new=True)
    if looks_like_a_date(place):  # half of what was meant as a time would be kept as a place
        raise no_date(rest)
    if when is None:
        return Answer(cards=(await choose(turn, target, place),))
    return Answer(cards=(await echo(turn, target, slot_of(when), place),))


async def move(turn: Turn, args: str) -> Answer:
    """`/move NO [date time]`: another day for a visit."""
    scene, rest = await case_of(turn, args)
    found = open_visits(scene)
    if not found:
        raise Refused("visit.none", no=scene.row.case.number)
    if len(found) > 1:
        return Answer(cards=(which(turn, scene, found, "move"),))
    target = Target(id=found[0].id, rev=found[0].revision)
    if not rest:
        return Answer(cards=(await choose(turn, target),))
    when = read_when(rest, now=turn.now, calendar=turn.desk.office.calendar)
    if when is None:
        raise no_date(rest)
    return Answer(cards=(await echo(turn, target, slot_of(when)),))


async def visited(turn: Turn, args: str) -> Answer:
    """`/visited NO holds|partly|not [text]`: the visit took place."""
    scene, rest = await case_of(turn, args)
    found = open_visits(scene)
    if not found:
        raise Refused("visit.none", no=scene.row.case.number)
    if len(found) > 1:
        return Answer(cards=(which(turn, scene, found, "how"),))
    said, _, text = rest.partition(" ")
    outcome = outcome_of(turn, said)
    if outcome is None:
        return Answer(cards=(ask_outcome(turn, scene, found[0]),))
    return Answer(cards=(await _made(turn, scene, found[0], outcome, text.strip()),))


async def confirm(turn: Turn, args: str) -> Answer:
    """`/confirm NO`: the resident agreed, on the phone."""
    scene, _ = await case_of(turn, args)
    found = [e for e in open_visits(scene) if e.status.value == "proposed"]
    if not found:
        raise Refused("visit.none", no=scene.row.case.number)
    if len(found) > 1:
        return Answer(cards=(which(turn, scene, found, "agree"),))
    return Answer(cards=(await _agreed(turn, scene, found[0]),))


def which(turn: Turn, scene: CaseScene, found: list[Entry], act: str) -> Card:
    """Ask which entry of the case is meant."""
    buttons: Keyboard = tuple(
        (turn.button(_label(turn, scene, entry), act, entry.id, entry.revision, "d"),) for entry in found[:6]
    )
    return Card(text=turn.word("ask.which", no=scene.row.case.number), buttons=buttons)


def _label(turn: Turn, scene: CaseScene, entry: Entry) -> str:
    day = entry.promise_on or entry.due_on or turn.today
    return f"{scene.what(entry, turn.lang)} · {say_weekday_date(day, turn.lang, turn.today)}"[:60]


AWAY = ("no_answer", "away", "wrong_number", "refused")
"""Why somebody was not reached: codes, not texts. The last one means that nobody asks again."""


async def ask_away(turn: Turn, entry_id: int, revision: int) -> Card:
    scene, entry = await standing_visit(turn, entry_id, revision)
    await permit(turn.tx, turn.by, "visit", entry.case_id)
    offers = [
        turn.button(turn.word(f"away.{reason}"), "na", entry.id, entry.revision, "d", reason)
        for reason in AWAY
    ]
    text = turn.word("ask.away", no=scene.row.case.number, what=scene.what(entry, turn.lang))
    return Card(text=text, buttons=rows(offers))


async def not_reached(turn: Turn, entry_id: int, revision: int, reason: str) -> Card:
    """Never counted against anybody; who asked for no visit is not asked again."""
    if reason not in AWAY:
        raise NotFound("not_found")
    scene, entry = await standing_visit(turn, entry_id, revision)
    said = turn.word("bot.away", no=scene.row.case.number, reason=turn.word(f"away.{reason}"))

    async def work() -> Plan:
        if reason == "refused":
            return await entries.decline(turn.tx, turn.desk, turn.by, entry.id)
        return await entries.not_met(turn.tx, turn.desk, turn.by, entry.id, reason, revision=revision)

    card = await deed(turn, entry.case_id, work, said)
    now = (await read_case(turn.tx, turn.desk, entry.case_id)).entries[entry.key]
    if now.is_open and now.promise_on is not None:
        again = turn.word("bot.next_try", day=say_day(now.promise_on, turn.lang, turn.today))
        card = replace(card, text=f"{card.text}\n{again}")
    return card


def ask_outcome(turn: Turn, scene: CaseScene, entry: Entry) -> Card:
    offers = [
        turn.button(turn.word(f"outcome.{one}"), "vo", entry.id, entry.revision, "d", one) for one in OUTCOMES
    ]
    return Card(text=turn.word("ask.outcome", no=scene.row.case.number), buttons=rows(offers, 1))


OUTCOMES = ("holds", "partly", "not_solved")


def outcome_of(turn: Turn, said: str) -> str | None:
    """ "holds", "partly", "not", or the office's own words for them."""
    word = said.strip().casefold()
    short = {"not": "not_solved", "yes": "holds", "partial": "partly"}
    for one in OUTCOMES:
        names = {one, *(turn.desk.templates.word(f"outcome.{one}", lang).casefold() for lang in _langs(turn))}
        if word in names:
            return one
    return short.get(word)


def _langs(turn: Turn) -> tuple[str, ...]:
    return turn.desk.templates.languages


async def how(turn: Turn, tap: Tap) -> Card:
    scene, entry = await standing_visit(turn, tap.id, tap.rev)
    return ask_outcome(turn, scene, entry)


async def made(turn: Turn, tap: Tap) -> Card:
    if tap.rest not in OUTCOMES:
        raise NotFound("not_found")
    scene, entry = await standing_visit(turn, tap.id, tap.rev)
    return await _made(turn, scene, entry, tap.rest, "")


async def _made(turn: Turn, scene: CaseScene, entry: Entry, outcome: str, text: str) -> Card:
    said = turn.word("bot.visited", no=scene.row.case.number, outcome=turn.word(f"outcome.{outcome}"))

    async def work() -> Plan:
        return await entries.visited(
            turn.tx, turn.desk, turn.by, entry.id, outcome, text, revision=entry.revision
        )

    return await deed(turn, entry.case_id, work, said)


async def agree(turn: Turn, tap: Tap) -> Card:
    scene, entry = await standing_visit(turn, tap.id, tap.rev)
    return await _agreed(turn, scene, entry)


async def _agreed(turn: Turn, scene: CaseScene, entry: Entry) -> Card:
    if entry.status is EntryStatus.CONFIRMED:
        status = turn.word(f"state.{entry.status}")
        raise Stale("bot.already_ended", no=scene.row.case.number, status=status)
    said = turn.word("bot.noted", no=scene.row.case.number, move=turn.word("move.confirm"))
    return await deed(
        turn, entry.case_id, lambda: entries.confirm(turn.tx, turn.desk, turn.by, entry.id), said
    )
