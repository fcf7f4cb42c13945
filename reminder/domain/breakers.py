"""Is a provider in such a state that asking it again only does harm, and when is it tried again?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reminder.domain.messages import Accepted, Answer, Declined, NotSent, Refusal, Unknown

OPENS_AFTER = 5
"""So many failures of the provider one after another."""

PAUSES = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300, 600))
"""Before the first trial, the second, and so on; the last for ever."""

ONLY_SOME = frozenset({"21219", "21408", "21608", "no_such_bot"})
"""Refusals for the account's sake that hold for some numbers or chats only: others still go."""

_SPOKEN = ("flood", "http_", "code_", "unknown_refusal")
"""Beginnings of the reasons for "not sent" that the provider itself gave."""


class Blame(StrEnum):
    """What an answer says about the provider; what it says about the message is not asked here."""

    FINE = "fine"
    FAULT = "fault"
    ACCOUNT = "account"
    """It refuses us, whatever we send: the token, the account, the sender."""
    NOTHING = "nothing"


def blame(answer: Answer) -> Blame:
    match answer:
        case Accepted():
            return Blame.FINE
        case Unknown():
            return Blame.FAULT
        case NotSent():
            return Blame.FINE if answer.reason.startswith(_SPOKEN) else Blame.FAULT
        case Declined(reason=Refusal.CONFIG):
            return Blame.NOTHING if answer.code in ONLY_SOME else Blame.ACCOUNT
    return Blame.FINE


class Position(StrEnum):
    CLOSED = "closed"
    TRYING = "trying"
    """The pause is over: one message shows whether all is well again."""
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Of one channel; a new process begins with a closed one and finds out again."""

    failures: int = 0
    openings: int = 0
    """How often it has opened since the provider last answered well."""
    until: datetime | None = None
    why: str = ""
    """The provider's code, or how the call broke."""
    account: bool = False

    def position(self, now: datetime) -> Position:
        if self.until is None:
            return Position.CLOSED
        return Position.OPEN if now < self.until else Position.TRYING

    def after(self, answer: Answer, now: datetime) -> "Breaker":
        """What the answer to one call makes of it."""
        match blame(answer):
            case Blame.FINE:
                return Breaker()
            case Blame.NOTHING:
                return self
            case Blame.ACCOUNT:
                assert isinstance(answer, Declined)
                return self if self._is_open(now) else self._opened(now, answer.code, account=True)
            case Blame.FAULT:
                assert isinstance(answer, NotSent | Unknown)
                if self._is_open(now):
                    return self  # a call from before it opened says nothing new
                counted = replace(self, failures=self.failures + 1)
                if self.until is None and counted.failures < OPENS_AFTER:
                    return counted
                return counted._opened(now, answer.reason, account=False)

    def _is_open(self, now: datetime) -> bool:
        return self.position(now) is Position.OPEN

    def _opened(self, now: datetime, why: str, *, account: bool) -> "Breaker":
        pause = PAUSES[min(self.openings, len(PAUSES) - 1)]
        return replace(self, openings=self.openings + 1, until=now + pause, why=why, account=account)


SPAN = timedelta(seconds=10)
CHATS = 3
"""A provider that slows down so many chats within the span means all of us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floods:
    """Who was slowed down lately, and until when the whole channel waits for it.

    One chat's flood is that chat's own affair. `chats` 1: any flood is the account's, as at an SMS provider,
    which counts requests and not addresses.
    """

    chats: int = CHATS
    lately: tuple[tuple[str, datetime], ...] = ()
    until: datetime | None = None

    def after(self, to: str, wait: timedelta, now: datetime) -> "Floods":
        lately = (*((chat, at) for chat, at in self.lately if at + SPAN > now), (to, now))
        if _distinct(lately) < self.chats:
            return replace(self, lately=lately)
        return replace(self, lately=lately, until=max(self.until or now, now + wait))


def _distinct(lately: Iterable[tuple[str, datetime]]) -> int:
    return len({chat for chat, _ in lately})
