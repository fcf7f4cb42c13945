"""What a reminder is once it has fallen due: its states, the allowed moves, and until when it is useful."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from reminder.domain.workdays import at, local_day


class State(StrEnum):
    """One list for the whole product (domain: message state machine)."""

    PLANNED = "planned"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    SUPERSEDED = "superseded"
    MERGED = "merged"
    MISSED = "missed"
    UNKNOWN = "unknown"


MOVES: Mapping[State, frozenset[State]] = {
    State.PLANNED: frozenset(
        {
            State.SENDING,
            State.DEAD,
            State.CANCELLED,
            State.SUPPRESSED,
            State.SUPERSEDED,
            State.MERGED,
            State.MISSED,
        }
    ),
    State.SENDING: frozenset({State.PLANNED, State.UNCERTAIN, State.SENT, State.FAILED, State.DEAD}),
    State.UNCERTAIN: frozenset({State.SENT, State.PLANNED, State.UNKNOWN, State.MISSED}),
    # Heard, but no longer true: a correction follows; its receipt still counts.
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED, State.UNKNOWN}),
}
"""What is not listed here is terminal."""

TERMINAL = frozenset(State) - frozenset(MOVES)
HEARD = frozenset({State.SENDING, State.UNCERTAIN, State.SENT, State.DELIVERED, State.UNKNOWN})
"""States in which somebody has, or may have, received the text."""

RECEIPT_WAIT = timedelta(hours=72)
"""An SMS without a receipt for so long becomes `unknown`; a later receipt is kept beside it."""


class Reason(StrEnum):
    """Why a reminder did not go out as planned."""

    OPTED_OUT = "opted_out"
    DAILY_CAP = "daily_cap"
    DUPLICATE = "duplicate"
    SUBJECT_CLOSED = "subject_closed"
    SUPERSEDED = "superseded"
    NO_CONSENT = "no_consent"
    CONFIDENTIAL = "confidential"
    NO_PHONE = "no_phone"
    OTHER_WAY = "other_way"
    """They asked to hear by a call, on paper or through the village's agent."""
    NOT_CONFIRMED = "not_confirmed"
    NOT_ENROLLED = "not_enrolled"
    USELESS = "useless"
    TEST_MODE = "test_mode"
    """The office is not live, and the number is not on the team's list."""
    RESTORED = "restored"
    """It was due before a copy of the database was armed."""
    REPEAT_BREAKER = "repeat_breaker"
    """The same words to the same number for the fourth time within a day."""
    UNDONE = "undone"


def may(state: State, to: State) -> bool:
    return to in MOVES.get(state, frozenset())


def useless_at(rule: str, *, due_at: datetime, starts_at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The moment after which a message helps nobody; None if it always does.

    Rules (templates/messages/kinds.toml): `never`, `day_end`, `start`, `before_start_day`, or hours or days
    after it fell due, "24h", "7d". A rule about a visit without one counts as `day_end`.
    """
    if (span := _SPAN.fullmatch(rule)) is not None:
        amount = int(span[1])
        return due_at + (timedelta(hours=amount) if span[2] == "h" else timedelta(days=amount))
    if rule == "never":
        return None
    if rule == "start" and starts_at is not None:
        return starts_at
    if rule == "before_start_day" and starts_at is not None:
        return at(local_day(starts_at, zone), _MIDNIGHT, zone)
    return at(local_day(due_at, zone) + timedelta(days=1), _MIDNIGHT, zone)


_SPAN = re.compile(r"(\d{1,4})([hd])")
_MIDNIGHT = datetime.min.time()
