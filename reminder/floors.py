"""Where to begin looking for what may leave: at what waited the last time, not at the beginning of all time.

PostgreSQL keeps what has left in the index of what waits for as long as any transaction is open that began
before. One that somebody has forgotten would make every look walk over all that left since.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MARGIN = timedelta(seconds=10)
"""What is written so much later than it falls due is still found at once."""

WHOLE = 5.0
"""Seconds after which a look begins at the beginning again: for what is older still, and what was locked."""


@dataclass(slots=True)
class Floor:
    """Of one sender, as far as this process knows."""

    _at: datetime | None = None
    _whole: float = float("-inf")

    def since(self, steady: float) -> datetime | None:
        """None: from the beginning. `steady`: seconds of a clock that nobody sets."""
        return self._at if steady - self._whole < WHOLE else None

    def found(self, first: datetime, *, since: datetime | None, steady: float) -> None:
        """A look `since` then has found nothing that waits from before `first`."""
        self._at = first - MARGIN
        if since is None:
            self._whole = steady
