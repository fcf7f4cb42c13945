"""What do both providers stand on?"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from reminder.sandbox.chaos import Chaos
from reminder.sandbox.courier import Courier
from reminder.sandbox.feed import Bell, Feed
from reminder.sandbox.ledger import Ledger


class ControlError(ValueError):
    """A thing no phone could do, in one sentence: the driver's mistake, never the office's."""


class Ids:
    """Identifiers that are the same for the same seed and order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.counts: Counter[str] = Counter()

    def number(self, kind: str) -> int:
        self.counts[kind] += 1
        return self.counts[kind]

    def hex32(self, kind: str) -> str:
        return self.digest(f"{kind}:{self.number(kind)}")[:32]

    def digest(self, what: str) -> str:
        return hashlib.sha256(f"{self._seed}:{what}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    now: Callable[[], datetime]
    """The time in the sandbox, aware UTC; it may jump."""
    ids: Ids
    ledger: Ledger
    chaos: Chaos
    courier: Courier
    feed: Feed
    changed: Bell
    """Rings when an update is confirmed and when the courier has nothing left to carry."""

    def at(self) -> str:
        return self.now().isoformat(timespec="seconds").replace("+00:00", "Z")
