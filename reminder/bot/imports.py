"""How does a ledger come in by chat: fetched, tried out, shown with its report, then applied or dropped?"""

from collections.abc import Mapping
from typing import Any

from reminder.actions.desk import Actor
from reminder.actions.guard import permit
from reminder.actions.imports import ImportReply, apply_file, import_file
from reminder.bot.answers import Answer, Card, Paper, says
from reminder.bot.heard import File
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.domain.messages import Style, Trouble
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
    return await import_file(rt, by, file.name, content)


async def tried(turn: Turn, reply: ImportReply) -> Answer:
    """The report, with Apply and Cancel where something would change."""
    papers = _papers(reply)
    if not reply.apply_token:
        return Answer(cards=(Card(text=reply.text),), papers=papers)
    nonce = turn.heard.letter
    await turn.ask("import", {"nonce": nonce, "token": reply.apply_token})
    apply = turn.button(turn.word("button.apply"), "apply", nonce, origin="d", style=Style.SUCCESS)
    cancel = turn.button(turn.word("button.cancel"), "no", nonce, origin="d")
    return Answer(cards=(Card(text=reply.text, buttons=((apply, cancel),)),), papers=papers)


async def applied(rt: Runtime, by: Actor, asked: Mapping[str, Any]) -> Answer:
    """No transaction is open here either. Raises Refused."""
    reply = await apply_file(rt, by, str(asked["token"]))
    return Answer(redraw=Card(text=reply.text), papers=_papers(reply))


def _papers(reply: ImportReply) -> tuple[Paper, ...]:
    if not reply.document_bytes:
        return ()
    return (Paper(name=reply.document_name, content=reply.document_bytes),)
