"""A channel without a network, for tests and dry runs: the real interface, faults on demand, and a ledger.

The ledger is what the outside world received; what we believe about it is for others to say.
"""

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reminder.channels.base import Found, Inbound
from reminder.domain.messages import (
    Accepted,
    Answer,
    Declined,
    Keyboard,
    NotSent,
    Outgoing,
    Refusal,
    Trouble,
    Unknown,
)
from reminder.domain.people import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """What happens to one call: how often the world sees its effect, and what we are told (None: success)."""

    copies: int = 0
    news: Trouble | None = None


def refuse(reason: Refusal = Refusal.BLOCKED, code: str = "blocked") -> Mishap:
    """Refused: no effect, and never any."""
    return Mishap(news=Declined(reason=reason, code=code))


def fail_before(retry_after: timedelta | None = None) -> Mishap:
    """Fail before the effect, and say so."""
    return Mishap(news=NotSent(reason="scripted", retry_after=retry_after))


def lose(copies: int = 0) -> Mishap:
    """No answer; `copies` says whether the effect took place (1), did not (0), or did twice."""
    return Mishap(copies=copies, news=Unknown(reason="scripted"))


def twice() -> Mishap:
    """The effect takes place twice and one success is told."""
    return Mishap(copies=2)


@dataclass(slots=True, kw_only=True)
class Received:
    """One message as the world has it now."""

    provider_id: str
    message: Outgoing
    at: datetime
    text: str
    buttons: Keyboard = ()
    pinned: bool = False
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class _Memory:
    """What both kinds of channel share: scripted mishaps, refused addresses and the ledger."""

    now: Callable[[], datetime]
    ledger: list[Received] = field(default_factory=list)
    script: deque[Mishap] = field(default_factory=deque)
    """One entry is used up by each `send`; when empty, all goes well."""
    refused: dict[str, Declined] = field(default_factory=dict)
    """Addresses that refuse until taken out again."""
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def _send(self, message: Outgoing, prefix: str) -> Answer:
        if message.to in self.refused:
            return self.refused[message.to]
        mishap = self.script.popleft() if self.script else Mishap(copies=1)
        provider_id = ""
        for _ in range(mishap.copies):
            provider_id = f"{prefix}{next(self._ids)}"
            self.ledger.append(
                Received(
                    provider_id=provider_id,
                    message=message,
                    at=self.now(),
                    text=message.text,
                    buttons=message.buttons,
                )
            )
        return mishap.news or Accepted(provider_id=provider_id)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True, kw_only=True)
class MemorySms(_Memory):
    """An `SmsPort` without a network."""

    inbox: list[Inbound] = field(default_factory=list)
    fates: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Status and error code that the log has for a message, by provider id; else "sent"."""
    blind: Trouble | None = None
    """What enquiries answer instead of the log, if set."""

    @property
    def name(self) -> Channel:
        return Channel.SMS

    async def send(self, message: Outgoing) -> Answer:
        return self._send(message, "SM")

    async def find(self, *, to: str, since: datetime, body: str) -> list[Found] | Trouble:
        if self.blind is not None:
            return self.blind
        return [
            Found(
                provider_id=entry.provider_id,
                sent_at=entry.at,
                status="sent",
                body_matches=entry.text.strip() == body.strip(),
            )
            for entry in self.ledger
            if entry.message.to == to and entry.at >= since
        ]

    async def inbound(self, since: datetime) -> list[Inbound] | Trouble:
        if self.blind is not None:
            return self.blind
        return [text for text in self.inbox if text.received_at is None or text.received_at >= since]

    async def sent(self, since: datetime, until: datetime) -> list[Found] | Trouble:
        if self.blind is not None:
            return self.blind
        return [
            Found(
                provider_id=entry.provider_id, sent_at=entry.at, status=status, body_matches=False, code=code
            )
            for entry in self.ledger
            if since <= entry.at < until
            for status, code in [self.fates.get(entry.provider_id, ("sent", ""))]
        ]


@dataclass(slots=True, kw_only=True)
class MemoryChat(_Memory):
    """A `ChatPort` without a network."""

    answers: list[tuple[str, str]] = field(default_factory=list)
    """(callback id, text) of every tap answered."""
    documents: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    """(chat, name, content, caption)."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What `fetch_file` finds, by file id."""
    menus: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)
    """Commands by (chat, language)."""
    waiting: list[dict[str, Any]] = field(default_factory=list)
    """Updates not yet confirmed by a higher offset."""
    hook_url: str = ""
    hook_secret: str = ""

    @property
    def name(self) -> Channel:
        return Channel.TELEGRAM

    async def send(self, message: Outgoing) -> Answer:
        if not message.to.removeprefix("-").isdecimal():
            return Declined(reason=Refusal.BAD_ADDRESS, code="not_numeric")
        return self._send(message, "")

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        entry = self._entry(chat, message_id)
        if entry is None:
            return Declined(reason=Refusal.CONTENT, code="gone")
        entry.text, entry.buttons = text, buttons
        return Accepted(provider_id=message_id)

    async def pin(self, chat: str, message_id: str) -> Answer:
        return self._pin(chat, message_id, True)

    async def unpin(self, chat: str, message_id: str) -> Answer:
        self._pin(chat, message_id, False)
        return Accepted(provider_id=message_id)

    async def delete(self, chat: str, message_id: str) -> Answer:
        if (entry := self._entry(chat, message_id)) is not None:
            entry.deleted = True
        return Accepted(provider_id=message_id)

    async def answer(self, callback_id: str, text: str = "", *, alert: bool = False) -> Answer:  # noqa: ARG002
        self.answers.append((callback_id, text))
        return Accepted(provider_id=callback_id)

    async def send_document(self, chat: str, name: str, content: bytes, caption: str = "") -> Answer:
        if chat in self.refused:
            return self.refused[chat]
        self.documents.append((chat, name, content, caption))
        return Accepted(provider_id=str(next(self._ids)))

    async def fetch_file(self, file_id: str, limit_bytes: int) -> bytes | Trouble:
        if file_id not in self.files:
            return Declined(reason=Refusal.CONTENT, code="file_id")
        content = self.files[file_id]
        return content if len(content) <= limit_bytes else Declined(reason=Refusal.CONTENT, code="too_big")

    async def set_commands(self, chat: str, lang: str, commands: list[tuple[str, str]]) -> Answer:
        self.menus[chat, lang] = commands
        return Accepted(provider_id=chat)

    async def updates(self, offset: int | None, wait: timedelta) -> list[dict[str, Any]] | Trouble:  # noqa: ARG002
        if offset is not None:
            self.waiting = [update for update in self.waiting if update["update_id"] >= offset]
        return list(self.waiting)

    async def hook(self, url: str, secret: str) -> Answer:
        self.hook_url, self.hook_secret = url, secret
        return Accepted(provider_id="")

    async def hooked(self) -> dict[str, Any] | Trouble:
        return {"url": self.hook_url, "pending_update_count": len(self.waiting)}

    async def me(self) -> dict[str, Any] | Trouble:
        return {"id": 1, "is_bot": True, "first_name": "Reminder", "username": "reminder_bot"}

    def _pin(self, chat: str, message_id: str, pinned: bool) -> Answer:
        entry = self._entry(chat, message_id)
        if entry is None:
            return Declined(reason=Refusal.CONTENT, code="gone")
        entry.pinned = pinned
        return Accepted(provider_id=message_id)

    def _entry(self, chat: str, message_id: str) -> Received | None:
        for entry in self.ledger:
            if (entry.message.to, entry.provider_id) == (chat, message_id) and not entry.deleted:
                return entry
        return None
