"""Does the clock, or the number of messages due at once, look so wrong that a person is asked first?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

JUMP = timedelta(minutes=5)
"""A clock that moved on by so much more than time did has been set, or the machine has slept."""

FEW = 50
TIMES = 5
"""So many times the busiest same hour of earlier days are still believed."""

AWAY = timedelta(minutes=30)
"""Without a sign of life for so long we were down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Both clocks at one moment."""

    wall: datetime
    monotonic: float


def jumped(before: Reading, now: Reading) -> timedelta:
    """How far the wall clock moved on beyond the time that passed; zero unless that is a jump forward."""
    ahead = (now.wall - before.wall) - timedelta(seconds=now.monotonic - before.monotonic)
    return ahead if ahead > JUMP else timedelta(0)


def agrees(here: datetime, elsewhere: datetime) -> bool:
    """Whether another machine's clock confirms ours."""
    return abs(here - elsewhere) <= JUMP


def most_at_once(busiest_hour: int) -> int:
    """How many messages may fall due in one tick before somebody is asked."""
    return max(FEW, TIMES * busiest_hour)


def was_away(last_sign: datetime | None, now: datetime) -> bool:
    """An office that never ran before was not away."""
    return last_sign is not None and now - last_sign > AWAY
