"""How long a limit is and how it is counted."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Unit(StrEnum):
    """Units of a limit: calendar days, working days, elapsed hours or minutes, calendar months."""

    CAL = "cal"
    WD = "wd"
    HOUR = "h"
    MINUTE = "min"
    MONTH = "month"

    @property
    def elapsed(self) -> bool:
        """Elapsed units run day and night and never roll."""
        return self in {Unit.HOUR, Unit.MINUTE}


class CountFrom(StrEnum):
    """Whether the anchor day itself is the first day (`same_day`) or the next one is (Civil Code 201)."""

    NEXT_DAY = "next_day"
    SAME_DAY = "same_day"


class Roll(StrEnum):
    """Where a limit goes that ends on a rest day (Civil Code art. 203: forward)."""

    FORWARD = "forward"
    NONE = "none"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount of a unit; the amount is never negative."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read "60 cal", "5 wd", "24 h", "30 min" or "12 month". Raises ValueError on anything else."""
        found = re.fullmatch(r"\s*(\d{1,4})\s*(cal|wd|h|min|month)\s*", text)
        if not found:
            raise ValueError(
                f"{text!r} is not a limit such as '60 cal', '5 wd', '24 h', '30 min' or '12 month'"
            )
        return cls(int(found[1]), Unit(found[2]))


def next_of(season: Iterable[str], after: date) -> date | None:
    """The first of some days of the year ("11-01") later than a day; None where there are none."""
    days = [date.fromisoformat(f"{year}-{day}") for year in (after.year, after.year + 1) for day in season]
    return min((day for day in days if day > after), default=None)
