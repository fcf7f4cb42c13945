"""What every channel can do, whoever carries it: send once, within a deadline, and say honestly how it ended.

No method raises for what a provider or the network does. A call that can answer something else than news
returns it or a `Trouble`; an enquiry that failed is never an empty answer, since "not found" may mean
"send it again".
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from reminder.domain.messages import Answer, Keyboard, Outgoing, Refusal, Trouble
from reminder.domain.people import Channel

DEADLINE = timedelta(seconds=15)
"""Total for one call: connecting, writing and reading together, so one byte a second does not prolong it."""

POOL = 500
"""Calls of one channel that may be under way at once; a connection is opened only when one needs it."""

Carrier = Callable[[str, str, Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]
"""Takes a request (method, address, headers, body) in place of the network: answers with status and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a provider's error table: what it says, what it means to us, and who says so."""

    code: str
    """The provider's number, or our short name where it gives only a sentence."""
    outcome: Refusal | None
    """None: temporary, worth a bounded number of further tries."""
    words: str
    """Key of the words catalogue: the sentence for a person."""
    source: str
    verified: bool
    """False: not read in the provider's own text nor seen from its servers; general knowledge."""
    pattern: str = ""
    """Lower-case part of the provider's sentence, where it gives no number."""


UNKNOWN_CODE = "why_unknown_code"
"""Words for a code that is in no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A message of ours in the provider's log."""

    provider_id: str
    sent_at: datetime | None
    """Aware UTC; when sent, else when taken on. None if the provider gives neither."""
    status: str
    """The provider's own word."""
    body_matches: bool
    code: str = ""
    """Its error code, where it gives one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A text message somebody sent to us."""

    provider_id: str
    sender: str = field(repr=False)
    to: str = field(repr=False)
    body: str = field(repr=False)
    received_at: datetime | None


class Port(Protocol):
    """What the dispatcher needs of any channel."""

    @property
    def name(self) -> Channel: ...

    async def send(self, message: Outgoing) -> Answer:
        """Send once; never repeats the request by itself."""
        ...

    async def close(self) -> None: ...


class SmsPort(Port, Protocol):
    """A channel with a log that can be asked what became of a message."""

    async def find(self, *, to: str, since: datetime, body: str) -> list[Found] | Trouble:
        """Our messages to a number, taken on at or after `since` (aware). Read-only."""
        ...

    async def inbound(self, since: datetime) -> list[Inbound] | Trouble:
        """Messages received at or after `since` (aware); some of them may be known already."""
        ...

    async def sent(self, since: datetime, until: datetime) -> list[Found] | Trouble:
        """All our messages of that time (aware, `until` excluded); `body_matches` says nothing here."""
        ...


class ChatPort(Port, Protocol):
    """A channel whose messages can be changed afterwards and answered by tapping. Times out like `send`."""

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        """Replace text and buttons; a message that already reads so is a success."""
        ...

    async def pin(self, chat: str, message_id: str) -> Answer: ...

    async def unpin(self, chat: str, message_id: str) -> Answer: ...

    async def delete(self, chat: str, message_id: str) -> Answer:
        """Take a message back; one that is gone already is a success."""
        ...

    async def answer(self, callback_id: str, text: str = "", *, alert: bool = False) -> Answer:
        """Stop the button's spinner, with at most 200 characters of text."""
        ...

    async def send_document(self, chat: str, name: str, content: bytes, caption: str = "") -> Answer: ...

    async def fetch_file(self, file_id: str, limit_bytes: int) -> bytes | Trouble:
        """A file somebody sent; above the limit it is `Declined` as "too_big", unfetched if possible."""
        ...

    async def set_commands(self, chat: str, lang: str, commands: list[tuple[str, str]]) -> Answer:
        """The command menu (name, description) of one chat for a two-letter language."""
        ...

    async def updates(self, offset: int | None, wait: timedelta) -> list[dict[str, Any]] | Trouble:
        """Raw updates from `offset` on, waiting for one up to `wait`; asking for n confirms all below n."""
        ...

    async def hook(self, url: str, secret: str) -> Answer:
        """Have updates posted to `url`, with `secret` in a header; an empty `url`: have them asked for."""
        ...

    async def hooked(self) -> dict[str, Any] | Trouble:
        """Where updates are posted: `url` (empty: nowhere), `pending_update_count`, `last_error_message`."""
        ...

    async def me(self) -> dict[str, Any] | Trouble:
        """Who the bot is: `id`, `username`, `first_name`. Also the check of the token."""
        ...
