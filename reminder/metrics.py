"""What is counted while the office runs: calls to providers, ticks of jobs. Never who, never what."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Meters:
    """Sums since the start of the process; seconds are of real time."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(channel, how it ended): accepted, notsent, declined, unknown."""
    call_seconds: Counter[str] = field(default_factory=Counter)
    ticks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(job, ok or failed)."""
    tick_seconds: Counter[str] = field(default_factory=Counter)

    def called(self, channel: str, outcome: str, seconds: float) -> None:
        self.calls[channel, outcome] += 1
        self.call_seconds[channel] += seconds  # type: ignore[assignment]

    def ticked(self, job: str, seconds: float, *, ok: bool) -> None:
        self.ticks[job, "ok" if ok else "failed"] += 1
        self.tick_seconds[job] += seconds  # type: ignore[assignment]
