"""How many messages may leave within a span, and when may the next one?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `most` within any `per` seconds, wherever the span begins."""

    most: int
    per: float

    def __post_init__(self) -> None:
        if self.most < 1 or self.per <= 0:
            raise ValueError("a rate lets at least one through, in some time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A rate and when its last messages left, in monotonic seconds.

    Each message takes a token that comes back after the span, so that no span ever holds more than the rate
    says. A bucket that fills at an even speed would let twice as many through in the first one.
    """

    rate: Rate
    taken: tuple[float, ...] = ()

    def room(self, now: float) -> int:
        """How many may leave now."""
        return self.rate.most - len(self._kept(now))

    def free_at(self, now: float) -> float:
        """When the next one may leave; `now` if at once."""
        kept = self._kept(now)
        return now if len(kept) < self.rate.most else kept[-self.rate.most] + self.rate.per

    def take(self, now: float, n: int = 1) -> "Bucket":
        """`n` have left."""
        return Bucket(rate=self.rate, taken=(*self._kept(now), *(now for _ in range(n))))

    def _kept(self, now: float) -> tuple[float, ...]:
        return tuple(at for at in self.taken if at + self.rate.per > now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Of one channel: over everybody, to one chat, to one group. None: nothing is counted."""

    channel: Rate
    chat: Rate | None = None
    group: Rate | None = None

    def of(self, chat: str) -> Rate | None:
        """Telegram's groups have negative ids."""
        return self.group if chat.startswith("-") else self.chat


TELEGRAM = Rates(channel=Rate(most=27, per=1.0), chat=Rate(most=1, per=1.0), group=Rate(most=20, per=60.0))
"""Telegram bears about 30 a second over all chats, one a second to a chat and 20 a minute to a group
(core.telegram.org/bots/faq; telegram.constants.FloodLimit). A tenth is left for answers to people."""


def of_texts(per_second: int) -> Rates:
    """Of one sending number: an ordinary long number carries one text a second, others what was agreed."""
    return Rates(channel=Rate(most=per_second, per=1.0))
