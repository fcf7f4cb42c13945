"""What can go wrong outside the office and beneath it: one table, and each counted when it really happened.

A seed enables a random part of the table, so that rare faults are not hidden behind frequent ones.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from sqlite3 import OperationalError
from typing import Any, TypeVar

from reminder.domain.messages import Answer, Declined, Keyboard, NotSent, Outgoing, Refusal, Unknown
from tests.proofs.outside import Chat, Sms

T = TypeVar("T")

CALLS = ("chat send", "chat edit", "chat updates", "sms send", "sms find", "sms inbound", "sms sent")
FORMS: Mapping[str, float] = {
    "refused": 0.02,
    "not sent": 0.05,
    "flood": 0.03,
    "unheard": 0.04,
    "done and unheard": 0.05,
    "twice": 0.03,
}
"""How one call can end. Refused before; failed before its effect, and with a wait; no answer and no effect;
the effect and no answer; the effect twice."""

FAULTS: Mapping[str, float] = {
    **{f"{call}: {form}": rate for call in CALLS for form, rate in FORMS.items()},
    # So often a day
    "chat away for hours": 0.05,
    "texts away for hours": 0.05,
    "log blind for hours": 0.05,
    "chat blocked": 0.04,
    "clock ahead": 0.1,
    "clock behind": 0.1,
    "down for minutes": 0.06,
    "down for hours": 0.05,
    "down for days": 0.015,
    "down for weeks": 0.002,
    "started anew": 0.2,
    # Of a text or a receipt
    "text lost": 0.25,
    "text doubled": 0.2,
    "receipt lost": 0.1,
    "receipt doubled": 0.1,
    "receipt late": 0.1,
    "receipts out of order": 0.1,
    "not delivered": 0.05,
    # Each time the jobs run
    "database locked": 0.02,
    "disk full": 0.02,
    "statement fails": 0.03,
    "commit fails": 0.02,
    "committed and unheard": 0.02,
    "death at a boundary": 0.03,
}
"""Every fault by name, and how likely it is at each of its occasions where the seed enables it."""

DOWN: Mapping[str, tuple[timedelta, timedelta]] = {
    "down for minutes": (timedelta(minutes=1), timedelta(hours=1)),
    "down for hours": (timedelta(hours=1), timedelta(days=1)),
    "down for days": (timedelta(days=1), timedelta(days=7)),
    "down for weeks": (timedelta(days=7), timedelta(days=90)),
}
"""For how long nothing of the office runs."""

BENEATH = ("database locked", "disk full", "statement fails", "commit fails", "committed and unheard",
           "death at a boundary")  # fmt: skip
AWAY = {"chat": "chat away for hours", "sms": "texts away for hours"}
LOG = ("sms find", "sms inbound", "sms sent")
FURTHEST = 60
"""A statement that fails, or a death, is at most so many boundaries ahead."""


class Died(BaseException):
    """The process is gone, in the middle of whatever it did."""


@dataclass(kw_only=True)
class Weather:
    """The faults of one seed: which there are, which are due, and which have happened."""

    dice: random.Random
    enabled: frozenset[str]
    fired: Counter[str] = field(default_factory=Counter)
    until: dict[str, datetime] = field(default_factory=dict)
    """When what lasts for hours is over."""
    passed: int = 0
    """Boundaries so far."""
    _calm: bool = True
    _beneath: str = ""
    _ahead: int = 0

    @classmethod
    def of(cls, seed: str, only: Collection[str] | None = None) -> "Weather":
        dice = random.Random(f"{seed}:weather")
        share = dice.choice((0.2, 0.5, 0.8))
        drawn = [name for name in FAULTS if dice.random() < share]
        if not DOWN.keys() & set(drawn):
            drawn.append(dice.choice(list(DOWN)))
        return cls(dice=dice, enabled=frozenset(drawn if only is None else only))

    def strikes(self, name: str) -> bool:
        """Draw; the caller lets it happen and then says so in `fired`."""
        return name in self.enabled and self.dice.random() < FAULTS[name]

    def happens(self, name: str) -> bool:
        """Draw, and count it as happened."""
        if not self.strikes(name):
            return False
        self.fired[name] += 1
        return True

    def lasts(self, name: str, now: datetime) -> bool:
        if self.until.get(name, now) <= now:
            return False
        self.fired[name] += 1
        return True

    # --- beneath: the database's driver ------------------------------------------------------------------

    def gather(self) -> str:
        """Before the jobs run: which of the faults beneath them, if any, comes this time."""
        self._beneath = next((name for name in BENEATH if self.strikes(name)), "")
        self._ahead = self.dice.randint(1, FURTHEST)
        return self._beneath

    @contextmanager
    def stormy(self) -> Iterator[None]:
        """While production code runs; whoever only looks at the database meets no fault."""
        before, self._calm = self._calm, False
        try:
            yield
        finally:
            self._calm = before

    @contextmanager
    def calm(self) -> Iterator[None]:
        before, self._calm = self._calm, True
        try:
            yield
        finally:
            self._calm = before

    def boundary(self, what: str) -> None:
        """Of a statement, a commit, a call or its effect, as `tests/proofs/boundaries.py` tells of them."""
        self.passed += not self._calm
        if self._calm or not self._beneath or self._beneath in {"database locked", "disk full"}:
            return
        wanted = {"committed and unheard": "commit", "commit fails": "committing", "statement fails": "write"}
        if self._beneath in wanted and what != wanted[self._beneath]:
            return
        self._ahead -= 1 if self._beneath == "death at a boundary" else 20
        if self._ahead > 0:
            return
        name, self._beneath = self._beneath, ""
        self.fired[name] += 1
        if name == "death at a boundary":
            raise Died
        raise OperationalError("disk I/O error" if name == "statement fails" else "connection lost")


async def meets(
    weather: Weather, call: str, now: datetime, effect: Callable[[], Awaitable[T]]
) -> T | Declined | NotSent | Unknown:
    """One call through the weather."""
    port = call.split(maxsplit=1)[0]
    if weather.lasts(AWAY[port], now) or (call in LOG and weather.lasts("log blind for hours", now)):
        return NotSent(reason="ConnectTimeout")
    form = next((f for f in FORMS if weather.happens(f"{call}: {f}")), "")
    match form:
        case "refused":
            return weather.dice.choice(REFUSALS[port])
        case "not sent":
            return NotSent(reason="ConnectError")
        case "flood":
            wait = timedelta(seconds=weather.dice.choice((1, 5, 40, 600, 3600)))
            return NotSent(reason="flood" if port == "chat" else "code_20429", retry_after=wait)
        case "unheard":
            return Unknown(reason="ReadTimeout")
    answer = await effect()
    weather.boundary("effect")
    if form == "twice":
        again = await effect()
        return [*answer, *again] if isinstance(answer, list) and isinstance(again, list) else again  # type: ignore[return-value]
    return Unknown(reason="ReadTimeout") if form == "done and unheard" else answer


REFUSALS = {
    "chat": (
        Declined(reason=Refusal.CONTENT, code="bad_request"),
        Declined(reason=Refusal.CONFIG, code="http_401"),
    ),
    "sms": (
        Declined(reason=Refusal.BAD_ADDRESS, code="21211"),
        Declined(reason=Refusal.CONTENT, code="21617"),
        Declined(reason=Refusal.CONFIG, code="20003"),
    ),
}

Leaving = Callable[[Outgoing], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class StormySms(Sms):
    """The provider of texts, in the weather. `leaving` sees each message before anything happens to it."""

    weather: Weather
    leaving: Leaving

    async def send(self, message: Outgoing) -> Answer:
        await self.leaving(message)
        return await meets(self.weather, "sms send", self.now(), lambda: Sms.send(self, message))

    async def find(self, *, to: str, since: datetime, body: str) -> Any:
        return await meets(
            self.weather, "sms find", self.now(), lambda: Sms.find(self, to=to, since=since, body=body)
        )

    async def inbound(self, since: datetime) -> Any:
        return await meets(self.weather, "sms inbound", self.now(), lambda: Sms.inbound(self, since))

    async def sent(self, since: datetime, until: datetime) -> Any:
        return await meets(self.weather, "sms sent", self.now(), lambda: Sms.sent(self, since, until))


@dataclass(slots=True, kw_only=True)
class StormyChat(Chat):
    """The chat, in the weather."""

    weather: Weather
    leaving: Leaving

    async def send(self, message: Outgoing) -> Answer:
        await self.leaving(message)
        return await meets(self.weather, "chat send", self.now(), lambda: Chat.send(self, message))

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        return await meets(
            self.weather, "chat edit", self.now(), lambda: Chat.edit(self, chat, message_id, text, buttons)
        )

    async def updates(self, offset: int | None, wait: timedelta) -> Any:
        return await meets(self.weather, "chat updates", self.now(), lambda: Chat.updates(self, offset, wait))
