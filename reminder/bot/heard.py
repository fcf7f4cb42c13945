"""What did somebody say to the bot: a text, a tap or a file, from whom, in which message?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reminder.domain.people import of_bot
from reminder.placeholders import clean

VERSION = "v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """`v1:<act>:<id>:<revision>[:<origin>[:<rest>]]`, as a button carried it. A client may send anything."""

    act: str
    id: int
    rev: int
    origin: str = ""
    """Where the button stands: "" a digest, "c" a case card, "d" a message of its own, else a list."""
    rest: str = ""

    def data(self) -> str:
        tail = f":{self.origin}" + (f":{self.rest}" if self.rest else "") if self.origin or self.rest else ""
        return f"{VERSION}:{self.act}:{self.id}:{self.rev}{tail}"


_TAP = re.compile(
    rf"{VERSION}:([a-z]{{1,12}}):([0-9]{{1,12}}):([0-9]{{1,9}})(?::([a-z0-9.]{{0,24}})(?::([\w.-]{{0,40}}))?)?",
    re.ASCII,
)


def read_tap(data: str) -> Tap | None:
    """None for anything that no button of ours says."""
    found = _TAP.fullmatch(data)
    if found is None:
        return None
    act, number, rev, origin, rest = found.groups()
    return Tap(act=act, id=int(number), rev=int(rev), origin=origin or "", rest=rest or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A document somebody sent; only its name and id are known yet."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One thing heard in a private chat. The person is who sent it, never whose chat it is."""

    letter: int
    source: str
    user: int
    lang: str
    text: str = ""
    callback: str = ""
    """Id of the tap to be answered; empty for messages."""
    tap: Tap | None = None
    message: str = ""
    """Id of the message that was tapped."""
    shown: str = ""
    """What that message says."""
    file: File | None = None
    private: bool = True
    bot: int | None = None
    """The bot it was said to, unless it was the office's first."""

    @property
    def chat(self) -> str:
        """A private chat has the number of the person in it."""
        return of_bot(self.user, self.bot)


def hear(letter: int, update: Mapping[str, Any], bot: int | None = None) -> Heard | None:
    """None for what is not for us: other kinds of updates, other bots, messages in groups."""
    query = update.get("callback_query")
    if isinstance(query, Mapping):
        return _tapped(letter, update, query, bot)
    message = update.get("message")
    if not isinstance(message, Mapping) or not _private(message):
        return None
    sender = message.get("from")
    user = _person(sender)
    if not isinstance(sender, Mapping) or user is None or sender.get("is_bot"):
        return None
    document = message.get("document")
    file = None
    if isinstance(document, Mapping) and document.get("file_id"):
        file = File(id=of_bot(document["file_id"], bot), name=str(document.get("file_name") or "file"))
    return Heard(
        letter=letter,
        source=_source(update, bot),
        bot=bot,
        user=user,
        lang=str(sender.get("language_code") or ""),
        # What nobody can see is taken out here: words of nothing but that are no words.
        text=clean(str(message.get("text") or message.get("caption") or ""), flat=False).strip(),
        file=file,
    )


def _tapped(
    letter: int, update: Mapping[str, Any], query: Mapping[str, Any], bot: int | None
) -> Heard | None:
    sender, message = query.get("from"), query.get("message")
    user = _person(sender)
    if not isinstance(sender, Mapping) or user is None:
        return None
    known = message if isinstance(message, Mapping) else {}
    number = known.get("message_id")
    return Heard(
        letter=letter,
        source=_source(update, bot),
        bot=bot,
        user=user,
        lang=str(sender.get("language_code") or ""),
        callback=of_bot(query.get("id") or "", bot),
        tap=read_tap(str(query.get("data") or "")),
        message=of_bot(number, bot) if type(number) is int and 0 < number < _NO_ID else "",
        shown=str(known.get("text") or ""),
        private=_private(known),
    )


_NO_ID = 2**53
"""The Bot API's ids fit in 52 bits."""


def _person(sender: object) -> int | None:
    """The number of whoever sent it; None for what no person of Telegram's can have."""
    found = sender.get("id") if isinstance(sender, Mapping) else None
    return found if type(found) is int and 0 < found < _NO_ID else None


def _source(update: Mapping[str, Any], bot: int | None) -> str:
    return f"{of_bot('telegram', bot)}:{update.get('update_id')}"


def _private(message: Mapping[str, Any]) -> bool:
    chat = message.get("chat")
    return isinstance(chat, Mapping) and chat.get("type") == "private"
