"""How does a ledger come in by chat: fetched, tried out, shown with its report, then applied or dropped?"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

from reminder.actions.desk import Actor
from reminder.actions.guard import permit
from reminder.bot.answers import Answer, Card, Paper, says
from reminder.bot.heard import File
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.domain.messages import Style, Trouble
from reminder.runtime import Runtime

LIMIT = 20 * 1024 * 1024
"""Bytes a bot may fetch (Bot API, getFile)."""

IMPORTER = "importer"
"""Key of `Runtime.memo` under which another importer may stand."""


class ImportReply(Protocol):
    """What trying a file out found; the document is the ledger handed back with remarks, if there are any."""

    @property
    def text(self) -> str: ...
    @property
    def document_name(self) -> str: ...
    @property
    def document_bytes(self) -> bytes: ...
    @property
    def apply_token(self) -> str:
        """Names this very try; empty when there is nothing to apply."""
        ...


class Importer(Protocol):
    """`reminder.actions.imports`. Both open their own transactions; both may raise Refused."""

    async def import_file(self, rt: Any, by: Actor, name: str, content: bytes) -> ImportReply: ...

    async def apply_file(self, rt: Any, by: Actor, apply_token: str) -> ImportReply:
        """Doing it twice changes nothing more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A file as the importer found it, before anything is said."""

    reply: ImportReply


def _importer(rt: Runtime) -> Importer:
    known = rt.memo.get(IMPORTER)
    try:
        found = known if known is not None else import_module("reminder.actions.imports")
    except ModuleNotFoundError:
        raise Refused("import_off") from None
    return cast(Importer, found)


async def ask_for_file(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/import`: say what to send."""
    await permit(turn.tx, turn.by, "import")
    return says(turn.word("ask.file"))


async def fetch(rt: Runtime, by: Actor, file: File) -> Tried:
    """No transaction is open here: the file is fetched and tried out. Raises Refused."""
    assert rt.chat is not None
    importer = _importer(rt)
    content = await rt.chat.fetch_file(file.id, LIMIT)
    if isinstance(content, Trouble):
        code = getattr(content, "code", "")
        raise Refused("file.too_big" if code == "too_big" else "file.not_fetched", name=file.name)
    return Tried(reply=await importer.import_file(rt, by, file.name, content))


async def tried(turn: Turn, found: Tried) -> Answer:
    """The report, with Apply and Cancel where something would change."""
    reply = found.reply
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
    reply = await _importer(rt).apply_file(rt, by, str(asked["token"]))
    return Answer(redraw=Card(text=reply.text), papers=_papers(reply))


def _papers(reply: ImportReply) -> tuple[Paper, ...]:
    if not reply.document_bytes:
        return ()
    return (Paper(name=reply.document_name, content=reply.document_bytes),)
