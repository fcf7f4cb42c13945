"""How does a ledger come in by chat: fetched, tried out, shown with its report, then applied or dropped?"""

from collections.abc import Mapping
from typing import Any

from reminder.actions import calendar_import
from reminder.actions.desk import Actor
from reminder.actions.guard import permit
from reminder.actions.imports import ImportReply, apply_file, import_file
from reminder.bot.answers import Answer, Card, Paper, says
from reminder.bot.arguments import is_number
from reminder.bot.choices import LABEL
from reminder.bot.heard import File, Tap
from reminder.bot.turn import Turn, rows
from reminder.domain.calendar_files import is_calendar
from reminder.domain.errors import NotFound, Refused, Stale
from reminder.domain.messages import Button, Style, Trouble
from reminder.longtext import clip
from reminder.runtime import Runtime

LIMIT = 20 * 1024 * 1024
"""Bytes a bot may fetch (Bot API, getFile)."""


async def ask_for_file(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/import`: say what to send."""
    await permit(turn.tx, turn.by, "import")
    return says(turn.word("ask.file"))


async def fetch(rt: Runtime, by: Actor, file: File) -> ImportReply:
    """No transaction is open here: the file is fetched and tried out. Raises Refused."""
    assert rt.chat is not None
    content = await rt.chat.fetch_file(file.id, LIMIT)
    if isinstance(content, Trouble):
        code = getattr(content, "code", "")
        raise Refused("file.too_big" if code == "too_big" else "file.not_fetched", name=file.name)
    if is_calendar(file.name, content):
        return await calendar_import.try_file(rt, by, file.name, content)
    return await import_file(rt, by, file.name, content)


async def tried(turn: Turn, reply: ImportReply) -> Answer:
    """The report, with Apply and Cancel where something would change."""
    papers = _papers(reply)
    if not reply.apply_token:
        return Answer(cards=(Card(text=reply.text),), papers=papers)
    nonce = turn.heard.letter
    questions = [
        {"at": list(q.at), "text": q.text, "choices": [list(c) for c in q.choices]} for q in reply.questions
    ]
    asked = {"nonce": nonce, "token": reply.apply_token, "questions": questions, "answers": []}
    await turn.ask("import", asked)
    cards: tuple[Card, ...] = (Card(text=reply.text, buttons=(_ends(turn, nonce),)),)
    if questions:
        cards = (*cards, _question(turn, asked, 0))
    return Answer(cards=cards, papers=papers)


def _ends(turn: Turn, nonce: int) -> tuple[Button, ...]:
    apply = turn.button(turn.word("button.apply"), "apply", nonce, origin="d", style=Style.SUCCESS)
    return (apply, turn.button(turn.word("button.cancel"), "no", nonce, origin="d"))


def _question(turn: Turn, asked: Mapping[str, Any], index: int) -> Card:
    """One question with its choices; after the last, the button that imports with all that was answered."""
    questions, nonce = asked["questions"], int(asked["nonce"])
    if index >= len(questions):
        text = turn.word("bot.import_answered", n=len(asked["answers"]), of=len(questions))
        return Card(text=text, buttons=(_ends(turn, nonce),))
    one = questions[index]
    choices = [
        turn.button(clip(str(said), LABEL), "qa", nonce, index, "d", str(n))
        for n, (_, said) in enumerate(one["choices"])
    ]
    later = turn.button(turn.word("button.later"), "qa", nonce, index, "d", LATER)
    text = turn.word("bot.import_question", n=index + 1, of=len(questions), question=one["text"])
    return Card(text=text, buttons=(*rows(choices, 1), (later,)))


LATER = "later"
"""Instead of a choice: the question stays open and its row waits."""


async def question_answered(turn: Turn, tap: Tap) -> Card:
    """Keep the choice and ask the next; Stale once the import is over or another file came."""
    asked = await turn.asked("import")
    if asked is None or asked["nonce"] != tap.id or tap.rev >= len(asked["questions"]):
        raise Stale("bot.already_answered")
    one = asked["questions"][tap.rev]
    answers = [given for given in asked["answers"] if given[:3] != one["at"]]
    if tap.rest != LATER:
        if not is_number(tap.rest) or int(tap.rest) >= len(one["choices"]):
            raise NotFound("not_found")
        answers.append([*one["at"], one["choices"][int(tap.rest)][0]])
    now = {name: value for name, value in asked.items() if name != "asks"} | {"answers": answers}
    await turn.ask("import", now)
    return _question(turn, now, tap.rev + 1)


async def applied(rt: Runtime, by: Actor, asked: Mapping[str, Any]) -> Answer:
    """No transaction is open here either. Raises Refused."""
    found = await calendar_import.apply_file(rt, by, str(asked["token"]))
    if found is not None:
        return Answer(redraw=Card(text=found.text))
    answers = {(str(s), int(r), str(c)): str(choice) for s, r, c, choice in asked["answers"]}
    reply = await apply_file(rt, by, str(asked["token"]), answers)
    return Answer(redraw=Card(text=reply.text), papers=_papers(reply))


def _papers(reply: ImportReply) -> tuple[Paper, ...]:
    if not reply.document_bytes:
        return ()
    return (Paper(name=reply.document_name, content=reply.document_bytes),)
