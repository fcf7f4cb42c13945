"""What one process knows of its channels: how much has left lately, and whether the provider still answers.

All of it may be forgotten: a new process finds out again within a few calls, and what must not be lost
waits in rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reminder.domain.breakers import Breaker, Floods, Position
from reminder.domain.messages import Answer, NotSent, Outgoing
from reminder.domain.people import Channel, parted
from reminder.domain.rates import Bucket, Rates
from reminder.domain.storms import Reading

FLOODS = ("flood", "http_429", "code_20429")
"""Reasons by which a provider says that we are too fast."""


LONGEST = timedelta(days=1)
"""No provider asks for a longer silence."""


@dataclass(slots=True, kw_only=True)
class Valve:
    """One sender's. Without rates nothing is counted.

    Only a process that serves has rates, on the machine's own monotonic clock. A clock that is moved from
    event to event stands still while an instant is dealt with, so that no token would ever come back; a play
    therefore lets everything of one instant go, and says the same thing in every run.
    """

    rates: Rates | None = None
    breaker: Breaker = field(default_factory=Breaker)
    floods: Floods = field(default_factory=Floods)
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    """By chat; the whole channel under ""."""

    def another(self) -> "Valve":
        """A new one for a sender of the same kind."""
        return Valve(rates=self.rates, floods=Floods(chats=self.floods.chats))

    def shut_until(self, now: datetime) -> datetime | None:
        """Nothing leaves before then; None while it may. An end too far away is of a clock set back since."""
        ends = [end for end in (self.breaker.until, self.floods.until) if end and now < end <= now + LONGEST]
        return max(ends, default=None)

    def room(self, now: datetime, monotonic: float, most: int, *, flying: int = 0) -> int:
        """How many may leave now; while the provider is being tried again one is under way at most."""
        if self.breaker.position(now) is Position.TRYING:
            most = min(most, 1 - flying)
        if self.rates is not None:
            most = min(most, self._whole().room(monotonic))
        return most

    def wait(self, monotonic: float) -> float:
        """Seconds until the channel bears another message."""
        return 0.0 if self.rates is None else self._whole().free_at(monotonic) - monotonic

    def resting(self, monotonic: float) -> list[int]:
        """Chats that bear no message just now."""
        for chat, bucket in list(self._buckets.items()):
            if bucket.room(monotonic) == bucket.rate.most:
                del self._buckets[chat]  # it has rested: as if it had never been
        return [
            int(parted(chat)[0])
            for chat, bucket in self._buckets.items()
            if chat and bucket.room(monotonic) < 1
        ]

    def took(self, batch: list[Outgoing], monotonic: float) -> None:
        """These leave now."""
        if self.rates is None:
            return
        self._buckets[""] = self._whole().take(monotonic, len(batch))
        for outgoing in batch:
            rate = self.rates.of(outgoing.to)
            if rate is not None:
                bucket = self._buckets.get(outgoing.to, Bucket(rate=rate))
                self._buckets[outgoing.to] = bucket.take(monotonic)

    def ages(self, monotonic: float) -> dict[str, list[float]]:
        """How long ago what still counts has left, in seconds, by chat."""
        return {chat: [monotonic - at for at in bucket.taken] for chat, bucket in self._buckets.items()}

    def recall(self, ages: Mapping[str, Sequence[float]], monotonic: float) -> None:
        """Count what another process has sent lately as if we had."""
        if self.rates is None:
            return
        self._buckets = {}
        for chat, found in ages.items():
            rate = self.rates.of(chat) if chat else self.rates.channel
            if rate is not None:
                taken = tuple(sorted(monotonic - age for age in found))
                self._buckets[chat] = Bucket(rate=rate, taken=taken)

    def heard(self, to: str, answer: Answer, now: datetime) -> bool:
        """Take in how one call ended; whether the provider has just begun to refuse our account."""
        before = self.breaker
        self.breaker = before.after(answer, now)
        if isinstance(answer, NotSent) and answer.reason in FLOODS and answer.retry_after is not None:
            self.floods = self.floods.after(to, answer.retry_after, now)
        return self.breaker.account and not before.account

    def _whole(self) -> Bucket:
        assert self.rates is not None
        return self._buckets.get("", Bucket(rate=self.rates.channel))


@dataclass(slots=True, kw_only=True)
class Turns:
    """Of one worker among others: for which shards it is the one that sends, and until when."""

    me: str
    until: dict[str, float] = field(default_factory=dict)
    """By shard, in seconds of the machine's steady clock, which runs on while a process is stopped."""
    fences: dict[str, int] = field(default_factory=dict)


def new_valves(rates: Mapping[Channel, Rates] | None = None) -> dict[str, Valve]:
    """One for each channel. An SMS provider that slows us down means the account, not the number."""
    given = rates or {}
    return {
        Channel.TELEGRAM: Valve(rates=given.get(Channel.TELEGRAM)),
        Channel.SMS: Valve(rates=given.get(Channel.SMS), floods=Floods(chats=1)),
    }


@dataclass(slots=True, kw_only=True)
class Guard:
    """Of a process on the machine's clock: what it compares with at each look."""

    clocks: Reading | None = None
    leap: timedelta = timedelta(0)
    """How far the wall clock has leapt, until somebody has judged it."""
    row: int = 0
    """The youngest message that has been counted."""
    asked_at: float = float("-inf")
    """When another machine's clock was last asked, in monotonic seconds."""


def troubles(valves: Mapping[str, Valve], now: datetime) -> list[str]:
    """Senders by which nothing leaves, each in a sentence, for whoever runs the machine."""
    found = []
    for sender, valve in valves.items():
        breaker = valve.breaker
        if breaker.position(now) is not Position.CLOSED:
            why = "the provider refuses our account" if breaker.account else "the provider does not answer"
            found.append(f"{sender}: {why} ({breaker.why}); tried again with one message at a time")
    return found
