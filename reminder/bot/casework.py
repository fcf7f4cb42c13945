"""What can be done with a case by chat: accepted, noted, answered, delivered, closed, taken up again?"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from reminder.actions import cases, entries
from reminder.actions.digests import Section, items_of
from reminder.actions.replan import Plan
from reminder.actions.scene import CaseScene
from reminder.bot.answers import Answer, Card
from reminder.bot.arguments import case_of, leading_when, no_date
from reminder.bot.choices import offer, want
from reminder.bot.deeds import deed, undo
from reminder.bot.standing import standing
from reminder.bot.turn import Turn
from reminder.bot.visits import which
from reminder.domain.cases import OUTCOMES, Event
from reminder.domain.dates import When, say_day
from reminder.domain.entries import Entry
from reminder.domain.errors import Refused
from reminder.domain.protocols import EntryKind
from reminder.domain.workdays import at
from reminder.longtext import clip
from reminder.store import cases as stored

_RULE = ("|", "｜", "依据：", "依据:")
"""What stands before the rule a refusal rests on."""


def _card(card: Card) -> Answer:
    return Answer(cards=(card,))


async def _did(turn: Turn, scene: CaseScene, move: str, work: Callable[[], Awaitable[Plan]]) -> Answer:
    said = turn.word("bot.noted", no=scene.row.case.number, move=turn.word(f"move.{move}"))
    return _card(await deed(turn, scene.row.case.id, work, said))


async def _ask(turn: Turn, scene: CaseScene, verb: str) -> Answer:
    no = scene.row.case.number
    return _card(await want(turn, f"{verb} {no}", turn.word(f"ask.{verb}", no=no)))


async def accept(turn: Turn, args: str) -> Answer:
    """`/accept NO`: take the case on."""
    scene, _ = await case_of(turn, args)
    case_id = scene.row.case.id
    return await _did(turn, scene, "accept", lambda: cases.accept(turn.tx, turn.desk, turn.by, case_id))


async def contact(turn: Turn, args: str) -> Answer:
    """`/contact NO text`: somebody spoke with the resident."""
    scene, text = await case_of(turn, args)
    if not text:
        return await _ask(turn, scene, "contact")
    case_id = scene.row.case.id
    return await _did(
        turn, scene, "contact", lambda: cases.contact(turn.tx, turn.desk, turn.by, case_id, text)
    )


async def note(turn: Turn, args: str) -> Answer:
    """`/note NO text [| progress | next step]`: with the last two the resident is told as well."""
    scene, rest = await case_of(turn, args)
    if not rest:
        return await _ask(turn, scene, "note")
    text, progress, step = ([*(p.strip() for p in rest.replace("｜", "|").split("|")), "", ""])[:3]
    case_id = scene.row.case.id

    async def work() -> Plan:
        return await cases.note(
            turn.tx, turn.desk, turn.by, case_id, text, progress=progress, next_step=step or progress
        )

    return await _did(turn, scene, "note", work)


async def reason(turn: Turn, args: str) -> Answer:
    """`/reason NO text`: what it is waiting for, for those who could help."""
    scene, text = await case_of(turn, args)
    if not text:
        return await _ask(turn, scene, "reason")
    case_id = scene.row.case.id
    return await _did(
        turn, scene, "note", lambda: cases.note(turn.tx, turn.desk, turn.by, case_id, text, why=text)
    )


async def answer(turn: Turn, args: str) -> Answer:
    """`/answer NO outcome reason [| rule]`: the decision; a refusal names its rule."""
    scene, rest = await case_of(turn, args)
    case_id, no = scene.row.case.id, scene.row.case.number
    said, _, reason_text = rest.partition(" ")
    outcome = _outcome(turn, said)
    if outcome is None:
        await cases.allowed(turn.tx, turn.desk, turn.by, case_id, Event.ANSWER)
        options = [(turn.word(f"decision.{one}"), f"answer {no} {one} {rest}".strip()) for one in OUTCOMES]
        kept = [turn.word("bot.answer_kept", said=clip(rest, 60))] if rest else []
        return _card(await offer(turn, "\n".join([*kept, turn.word("ask.answer", no=no)]), options, 2))
    if not reason_text.strip():
        return _card(await want(turn, f"answer {no} {outcome}", turn.word("ask.reason_why", no=no)))
    why, rule = _with_rule(reason_text)
    if outcome == "not_upheld" and not rule:
        return _card(await want(turn, f"answer {no} {outcome} {why} |", turn.word("ask.rule", no=no)))
    return await _did(
        turn,
        scene,
        "answer",
        lambda: cases.answer(turn.tx, turn.desk, turn.by, case_id, outcome, why, rule=rule),
    )


def _outcome(turn: Turn, said: str) -> str | None:
    word = said.strip().casefold()
    templates = turn.desk.templates
    for one in OUTCOMES:
        names = {one, *(templates.word(f"decision.{one}", lang).casefold() for lang in templates.languages)}
        besides = [templates.word(f"decision_said.{one}", lang) for lang in templates.languages]
        if word in names | set(" ".join(besides).casefold().split()):
            return one
    return None


def _with_rule(text: str) -> tuple[str, str]:
    for mark in _RULE:
        if mark in text:
            why, _, rule = text.partition(mark)
            return why.strip(), rule.strip()
    return text.strip(), ""


async def served(turn: Turn, args: str) -> Answer:
    """`/served NO [date] how`: the written answer reached the resident."""
    scene, rest = await case_of(turn, args)
    when, how = leading_when(turn, rest)
    if not how:
        return await _ask(turn, scene, "served")
    if when is not None and when.day != turn.today:
        detail = {"no": scene.row.case.number, "how": how}
        return _card(await _sure_of_day(turn, scene, "served", when, detail))
    return await _served(turn, scene, how, None)


async def _served(turn: Turn, scene: CaseScene, how: str, moment: datetime | None) -> Answer:
    case_id = scene.row.case.id
    return await _did(
        turn, scene, "served", lambda: cases.served(turn.tx, turn.desk, turn.by, case_id, how, moment)
    )


async def _sure_of_day(turn: Turn, scene: CaseScene, do: str, when: When, detail: Mapping[str, Any]) -> Card:
    """Every date is said with its weekday before it is kept."""
    day = say_day(when.day, turn.lang, turn.today)
    text = turn.word("bot.echo", no=scene.row.case.number, what=turn.word(f"move.{do}"), when=day)
    return await turn.sure(do, {**detail, "day": when.day.isoformat()}, text)


async def fact(turn: Turn, args: str) -> Answer:
    """`/fact NO name date`: a named fact of the case's protocol."""
    scene, rest = await case_of(turn, args)
    name, said = _fact(turn, scene, rest)
    if not name:
        names = [_fact_name(turn, one) for one in scene.protocol.facts if one not in _OURS]
        raise Refused("fact.unknown", known=turn.word("separator").join(names) or turn.word("none"))
    when, left = leading_when(turn, said)
    if when is None or left:
        raise no_date(said)
    detail = {"no": scene.row.case.number, "name": name}
    return _card(await _sure_of_day(turn, scene, "fact", when, detail))


_OURS = frozenset({"ledger_day", "imported_unclear"})
"""Facts an import records; nobody sets them by hand."""


def _fact_name(turn: Turn, fact: str) -> str:
    key = f"fact_name.{fact}"
    return turn.word(key) if turn.desk.templates.has_word(key) else fact


def _fact(turn: Turn, scene: CaseScene, rest: str) -> tuple[str, str]:
    """The fact named in front, by its key or its name in either language, and what follows it."""
    words = turn.desk.templates
    for fact in scene.protocol.facts:
        key = f"fact_name.{fact}"
        names = [words.word(key, lang) for lang in words.languages] if words.has_word(key) else []
        for name in (fact, *names):
            after = rest[len(name) :]
            whole = not (name[-1].isascii() and after[:1].isalnum())
            if whole and rest.casefold().startswith(name.casefold()):
                return fact, after.strip()
    return "", rest


async def sure_of_served(turn: Turn, asked: Mapping[str, Any]) -> Answer:
    scene, _ = await case_of(turn, str(asked["no"]))
    return await _served(turn, scene, str(asked["how"]), _moment_of(turn, asked))


async def sure_of_fact(turn: Turn, asked: Mapping[str, Any]) -> Answer:
    scene, _ = await case_of(turn, str(asked["no"]))
    name, moment, case_id = str(asked["name"]), _moment_of(turn, asked), scene.row.case.id
    return await _did(
        turn, scene, "fact", lambda: cases.set_fact(turn.tx, turn.desk, turn.by, case_id, name, moment)
    )


def _moment_of(turn: Turn, asked: Mapping[str, Any]) -> datetime:
    """The end of a day that is over, so that it follows whatever else happened that day; else now."""
    day = date.fromisoformat(str(asked["day"]))
    if day > turn.today:
        raise Refused("date.future")
    return min(at(day, time(23, 59), turn.desk.office.zone), turn.rt.clock.now())


async def close(turn: Turn, args: str) -> Answer:
    """`/close NO [words of a waiver]`: return visits begin, or the resident wanted none."""
    scene, waiver = await case_of(turn, args)
    case_id = scene.row.case.id
    return await _did(turn, scene, "close", lambda: cases.close(turn.tx, turn.desk, turn.by, case_id, waiver))


async def reopen(turn: Turn, args: str) -> Answer:
    """`/reopen NO reason`: take the matter up again."""
    scene, why = await case_of(turn, args)
    if not why:
        return await _ask(turn, scene, "reopen")
    case_id = scene.row.case.id
    return await _did(turn, scene, "reopen", lambda: cases.reopen(turn.tx, turn.desk, turn.by, case_id, why))


async def withdraw(turn: Turn, args: str) -> Answer:
    """`/withdraw NO words`: the resident takes the matter back, in their own words."""
    scene, words = await case_of(turn, args)
    if not words:
        return await _ask(turn, scene, "withdraw")
    case_id = scene.row.case.id
    return await _did(
        turn, scene, "withdraw", lambda: cases.withdraw(turn.tx, turn.desk, turn.by, case_id, words)
    )


# --- steps and tasks ---------------------------------------------------------------------------


async def done(turn: Turn, args: str) -> Answer:
    """`/done NO [text]`: the step that is due; of several, or where none is due, one that is asked for."""
    scene, text = await case_of(turn, args)
    due = [
        item.entry
        for item in await items_of(turn.tx, turn.desk, turn.person)
        if item.entry.case_id == scene.row.case.id and item.section is not Section.LATER
    ]
    found = due or _open(scene)
    return await _finish(turn, scene, found, text)


async def told(turn: Turn, args: str) -> Answer:
    """`/told NO [text]`: the resident has heard it, by phone or on paper."""
    scene, text = await case_of(turn, args)
    tasks = [e for e in _open(scene) if e.detail.get("what") == "tell_resident"]
    return await _finish(turn, scene, tasks, text)


def _open(scene: CaseScene) -> list[Entry]:
    return [e for e in scene.entries.values() if e.is_open and e.kind is not EntryKind.NOTICE]


async def _finish(turn: Turn, scene: CaseScene, found: list[Entry], text: str) -> Answer:
    if not found:
        raise Refused("entry.none", no=scene.row.case.number)
    if len(found) > 1:
        await turn.ask("done", {"case": scene.row.case.id, "text": text})
        return _card(which(turn, scene, found, "done"))
    return _card(await finish(turn, found[0].id, found[0].revision, text))


async def finish(turn: Turn, entry_id: int, revision: int, text: str = "") -> Card:
    """One step is done. A text that was asked for along with it is put in."""
    scene, entry = await standing(turn, entry_id, revision)
    asked = await turn.asked("done")
    if asked is not None:
        if asked["case"] == entry.case_id and not text:
            text = str(asked["text"])
        await turn.ask_no_more()
    said = turn.word("bot.done", no=scene.row.case.number, what=scene.what(entry, turn.lang))

    by_note = _by_note(scene, entry)
    if by_note and not text:
        raise Refused("entry.needs_move", what=scene.what(entry, turn.lang), move="move.note")

    async def work() -> Plan:
        if by_note:
            return await cases.note(turn.tx, turn.desk, turn.by, entry.case_id, text)
        return await entries.done(turn.tx, turn.desk, turn.by, entry_id, text, revision=revision)

    return await deed(turn, entry.case_id, work, said)


def _by_note(scene: CaseScene, entry: Entry) -> bool:
    """Steps whose whole point is a written note: what has been done so far."""
    milestone = scene.milestone(entry)
    return milestone is not None and "note" in milestone.met_by and "contact" not in milestone.met_by


async def take_back(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/undo`: what the person did last, within the window."""
    last = await stored.last_deed(turn.tx, turn.person.id)
    if last is None or last["case_id"] is None:
        raise Refused("undo.too_late")
    return _card(await undo(turn, int(last["id"])))
