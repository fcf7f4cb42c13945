"""One stored chat update has its effect once: who is it, one action in one transaction, then the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from reminder.actions import people
from reminder.actions.deliveries import pressed
from reminder.actions.desk import Actor
from reminder.bot import cards, days, imports, intake
from reminder.bot.answers import Answer, Card, deliver, says
from reminder.bot.commands import COMMANDS, nearest, run
from reminder.bot.heard import Heard, hear
from reminder.bot.menu import set_menu
from reminder.bot.refusals import declined, said_no
from reminder.bot.taps import tapped
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused, Stale
from reminder.domain.people import Person, parted
from reminder.domain.policy import may
from reminder.failpoints import failpoint
from reminder.runtime import Runtime
from reminder.store import inbox
from reminder.store import people as stored
from reminder.store.database import Tx
from reminder.store.inbox import Letter

HOUR = timedelta(hours=1)
STRANGER_LINES = 3
"""Answers per hour to somebody nobody knows."""
CODE_TRIES = 5
"""One-time codes one account may try per hour."""


async def handle(rt: Runtime, letter: Letter) -> None:
    """Deal with one update; again, it changes and says nothing. Bugs propagate: the caller counts them."""
    heard = hear(letter.id, letter.content, parted(letter.source)[1])
    if heard is None or not heard.private:
        await _finished(rt, letter, "ignored")
        if heard is not None and heard.callback and rt.chat is not None:
            await rt.chat.answer(heard.callback)
        return
    answer = await (_file if heard.file is not None or _applies(heard) else _decide)(rt, letter, heard)
    failpoint("bot.after_commit")
    if answer is None or rt.chat is None:
        return
    await deliver(rt, heard, answer)
    if answer.then is not None:
        await deliver(rt, replace(heard, callback=""), await answer.then())
    if answer.menu is not None:
        await set_menu(rt, answer.menu)
    failpoint("bot.after_answer")


async def _finished(rt: Runtime, letter: Letter, state: str) -> bool:
    async with rt.db.write() as tx:
        return await inbox.finish(tx, letter.id, state, rt.clock.now())


async def _decide(rt: Runtime, letter: Letter, heard: Heard) -> Answer | None:
    """Action and end of the letter in one transaction; a refusal undoes it and ends the letter in another."""
    return await _in_one(rt, letter, heard, _answer)


async def _in_one(
    rt: Runtime, letter: Letter, heard: Heard, work: Callable[[Turn], Awaitable[Answer]]
) -> Answer | None:
    try:
        async with rt.db.write() as tx:
            if not await inbox.finish(tx, letter.id, "processed", rt.clock.now()):
                return None
            person = await people.known(tx, heard.user)
            if person is None or heard.text.startswith("/start "):
                answer = await _unknown(rt, tx, heard, person)
            else:
                answer = await work(await _turn(rt, tx, heard, person))
            failpoint("inbox.before_commit")
            return answer
    except Refused as refused:
        async with rt.db.write() as tx:
            if not await inbox.finish(tx, letter.id, "processed", rt.clock.now()):
                return None
            return await _refused(rt, tx, heard, refused)


async def _turn(rt: Runtime, tx: Tx, heard: Heard, person: Person) -> Turn:
    return Turn(rt=rt, tx=tx, heard=heard, person=person, staff=await stored.staff(tx))


async def _answer(turn: Turn) -> Answer:
    """A tap, a command, an answer to our question, or words that mean nothing yet."""
    heard = turn.heard
    if heard.callback:
        await pressed(turn.tx, turn.desk, turn.person.id, heard.message, heard.shown)
        return await tapped(turn, heard.tap)
    if heard.text.startswith("/"):
        await turn.ask_no_more()
        line = heard.text[1:]
        if line.split("@")[0].strip() != "start":
            return await run(turn, line)
        said = await run(turn, "help")
        if heard.bot == turn.person.bot:
            return said
        return said.also(menu=await people.speak_by(turn.tx, turn.person, heard.bot))
    if not heard.text:
        return Answer()
    return await _dialog(turn, heard.text) or await nearest(turn, heard.text)


async def _dialog(turn: Turn, text: str) -> Answer | None:
    asked = await turn.asked()
    if asked is None:
        return None
    match asked["asks"]:
        case "line":
            await turn.ask_no_more()
            return await run(turn, f"{asked['line']} {text}")
        case "new":
            return await intake.answered(turn, asked, text)
        case "date":
            return await days.date_asked(turn, text)
        case _:
            return None


async def _refused(rt: Runtime, tx: Tx, heard: Heard, refused: Refused) -> Answer:
    person = await people.known(tx, heard.user)
    if person is None:
        words = rt.desk.templates
        return says(words.refusal(refused, _lang(rt, heard)))
    turn = await _turn(rt, tx, heard, person)
    if heard.callback:
        return await declined(turn, refused)
    return await said_no(turn, refused)


# --- people nobody knows yet -------------------------------------------------------------------


async def _unknown(rt: Runtime, tx: Tx, heard: Heard, person: Person | None) -> Answer:
    """A one-time code opens the door; for everything else there is one neutral line."""
    if heard.callback:
        return Answer()
    _, _, code = heard.text.partition(" ")
    if heard.text.startswith("/start ") and code.strip():
        if not _within(rt, f"code:{heard.user}", CODE_TRIES):
            raise Refused("enrol.bad_code")
        joined = await people.enrol(tx, rt.desk, code.strip(), heard.user, heard.bot)
        return await _welcome(rt, tx, heard, joined)
    if person is not None or not _within(rt, f"line:{heard.user}", STRANGER_LINES):
        return Answer()
    return says(rt.desk.templates.word("bot.stranger", _lang(rt, heard)))


async def _welcome(rt: Runtime, tx: Tx, heard: Heard, person: Person) -> Answer:
    turn = await _turn(rt, tx, heard, person)
    text = turn.word("bot.welcome", name=person.name, office=rt.desk.office.name or turn.word("none"))
    today = await cards.digest(turn)
    return Answer(cards=(Card(text=text), today), menu=person)


def _within(rt: Runtime, key: str, most: int) -> bool:
    """Whether there were fewer than so many in the last hour. A restart forgets them, which is harmless."""
    now = rt.clock.now()
    times = rt.memo.setdefault("bot.tries", {})
    assert isinstance(times, dict)
    if len(times) > 1000:
        times.clear()
    recent: list[datetime] = [t for t in times.get(key, []) if now - t < HOUR]
    times[key] = [*recent, now][-most - 1 :]
    return len(recent) < most


def _lang(rt: Runtime, heard: Heard) -> str:
    lang = heard.lang.partition("-")[0]
    return lang if lang in rt.desk.templates.languages else rt.desk.office.lang


# --- files: fetched and tried out with no transaction open --------------------------------------


def _applies(heard: Heard) -> bool:
    return heard.tap is not None and heard.tap.act == "apply"


async def _file(rt: Runtime, letter: Letter, heard: Heard) -> Answer | None:
    """A ledger to try out, or a tried one to apply; doing either twice changes nothing more."""
    person = await _importer(rt, heard)
    if person is None:
        return await _in_one(rt, letter, heard, _answer if heard.file is None else _no_file)
    by = Actor(person=person)  # many deeds at once; the importer knows each row it has applied
    try:
        if heard.file is None:
            return await _apply(rt, letter, heard, by)
        found = await imports.fetch(rt, by, heard.file)
    except Refused as refused:
        said = refused
        return await _in_one(rt, letter, heard, lambda _turn: _raise(said))
    return await _in_one(rt, letter, heard, lambda turn: imports.tried(turn, found))


async def _raise(refused: Refused) -> Answer:
    raise refused


async def _no_file(_turn: Turn) -> Answer:
    raise Refused("person.not_allowed")


async def _importer(rt: Runtime, heard: Heard) -> Person | None:
    async with rt.db.read() as tx:
        person = await people.known(tx, heard.user)
        staff = await stored.staff(tx)
    return person if person is not None and may(person, COMMANDS["import"].action, staff) else None


async def _apply(rt: Runtime, letter: Letter, heard: Heard, by: Actor) -> Answer | None:
    asked = None
    async with rt.db.read() as tx:
        assert by.person is not None
        assert heard.tap is not None
        turn = await _turn(rt, tx, heard, by.person)
        asked = await turn.asked("import")
    if asked is None or asked["nonce"] != heard.tap.id:
        raise Stale("bot.already_answered")
    answer = await imports.applied(rt, by, asked)

    async def over(turn: Turn) -> Answer:
        await turn.ask_no_more()
        return answer

    return await _in_one(rt, letter, heard, over)
