"""How much is tried, from which seed, and what is counted? One switch makes every test of this folder long.

`REMINDER_FUZZ=100` is a hundred times the default run; `REMINDER_FUZZ_SEED` chooses another seed. The seed
and the number of a case stand in every failure and in the printed table.
"""

import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

TIMES = int(os.environ.get("REMINDER_FUZZ") or 1)
SEED = int(os.environ.get("REMINDER_FUZZ_SEED") or 20261123)
SLOWEST = 400
"""One case may take so many times what the middle one of its kind takes: no input makes us think for ever."""

FASTEST = 0.002
"""Seconds below which nothing is slow, whatever the middle one takes."""


def many(short: int) -> int:
    """How often a test tries."""
    return short * TIMES


@dataclass
class Tally:
    """What one test tried, and how long each case took."""

    name: str
    seed: int = SEED
    took: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed} {self.name}")
        TALLIES.append(self)

    def count(self, what: str, n: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + n

    @contextmanager
    def case(self, what: object) -> Iterator[None]:
        """One case; whatever goes wrong in it is told with its number, seed and words."""
        number, begun = len(self.took), time.process_time()
        try:
            yield
        except Exception as error:
            raise AssertionError(f"{self.name}, seed {self.seed}, case {number}: {what!r:.2000}") from error
        self.took.append(time.process_time() - begun)

    def in_time(self) -> None:
        middle = max(statistics.median(self.took), FASTEST)
        slowest = max(self.took)
        assert slowest <= SLOWEST * middle, f"{self.name}: {slowest:.2f} s, the middle case {middle:.4f} s"

    def line(self) -> str:
        told = ", ".join(f"{n} {what}" for what, n in sorted(self.counts.items()))
        spent = f"{sum(self.took):.1f} s, slowest {max(self.took, default=0):.3f} s"
        return f"{self.name:22} seed {self.seed}  {len(self.took)} cases, {spent}  {told}"


TALLIES: list[Tally] = []
