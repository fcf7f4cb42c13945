"""Which words are spoken at the channel port: the message going out, and the news of what became of it.

A call has three ends: it went (`Accepted`), it did not (`NotSent`, `Declined`), nobody knows (`Unknown`).
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from reminder.domain.people import Channel

CALLBACK_BYTES = 64  # Bot API, InlineKeyboardButton: callback_data, 1-64 bytes


class Style(StrEnum):
    """Colour of a button; older clients ignore it."""

    PLAIN = ""
    SUCCESS = "success"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One thing to tap. Raises ValueError on an empty label or data that are not 1-64 bytes."""

    label: str
    data: str
    style: Style = Style.PLAIN

    def __post_init__(self) -> None:
        if not self.label.strip() or not 0 < len(self.data.encode()) <= CALLBACK_BYTES:
            raise ValueError(f"a button needs a label and 1-{CALLBACK_BYTES} bytes")


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to one recipient; its `repr` may be logged. Raises ValueError on an unusable token."""

    token: str  # our id of this attempt: receipts carry it even if the answer to the call is lost
    channel: Channel
    to: str = field(repr=False)  # E.164 phone number or numeric chat id
    text: str = field(repr=False)  # plain; nothing in it is markup
    buttons: Keyboard = field(default=(), repr=False)
    silent: bool = False
    validity: timedelta | None = None  # how long the provider may keep trying; None: its own default

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.token):  # spelt one way in a signed address
            raise ValueError("an attempt's token is 1-64 letters, digits, - and _")


class Refusal(StrEnum):
    """Why a message will never arrive this way, and what to do instead."""

    BAD_ADDRESS = "bad_address"  # no such number or account: ask for another
    OPTED_OUT = "opted_out"  # the person said stop: channel off until they say start
    BLOCKED = "blocked"  # the person or their carrier blocks us: another channel
    UNREACHABLE = "unreachable"  # not to be reached now: no resend, a task for a person
    CONTENT = "content"  # the text or the request is at fault: ours to mend
    CONFIG = "config"  # account, token or sender: stop the channel, raise the alarm, keep the message
    MOVED = "moved"  # the chat has a new id: store it, try again at once


class Status(StrEnum):
    """How far a message is known to have come; receipts only ever move it up in `rank`."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """queued < sent < the other three, which are final."""
        return {Status.QUEUED: 0, Status.SENT: 1}.get(self, 2)


def advances(known: Status | None, heard: Status) -> bool:
    """Whether a receipt says something new; late and repeated ones do not."""
    return known is None or heard.rank > known.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has it. `segments` as the provider counts them, if it says so."""

    provider_id: str
    segments: int | None = None
    status: Status = Status.QUEUED


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Certainly not sent and worth another try, a bounded number of times, not before `retry_after`."""

    reason: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Certainly not sent, and the same request never will be. `code` names a row of the adapter's table."""

    reason: Refusal
    code: str
    address: str = field(default="", repr=False)  # the new one, if the reason is `moved`


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may or may not have gone: never to be sent again on a guess."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """It reached the phone; not that anybody read it."""

    provider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """The carrier gave it back. No `refusal`: nothing lasting is known to be wrong."""

    provider_id: str
    refusal: Refusal | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It never left the provider. `refusal` as in `Undelivered`."""

    provider_id: str
    refusal: Refusal | None
    code: str


Trouble = NotSent | Declined | Unknown
Answer = Accepted | Trouble  # how a call ends
Receipt = Accepted | Delivered | Undelivered | Failed  # what is told later
News = Answer | Receipt
