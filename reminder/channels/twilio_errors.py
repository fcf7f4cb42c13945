"""What Twilio's error codes and message statuses mean to us.

Twilio splits codes and adds new ones (its changelog of 10 July 2024 warns of it), so an unknown code counts
as temporary; whoever retries must do so a bounded number of times.
"""

from collections.abc import Mapping
from datetime import timedelta

from reminder.channels.base import UNKNOWN_CODE, Row
from reminder.domain.messages import (
    Accepted,
    Declined,
    Delivered,
    Failed,
    NotSent,
    Receipt,
    Refusal,
    Status,
    Trouble,
    Undelivered,
    Unknown,
)

FLOOD_PAUSE = timedelta(seconds=5)
"""Pause of the sender after a 429, which was not processed and is safe to repeat (docs/api/errors/20429)."""

_DOCS = "twilio.com/docs/api/errors/"
_BAD, _OUT, _BLOCKED = Refusal.BAD_ADDRESS, Refusal.OPTED_OUT, Refusal.BLOCKED
_AWAY, _TEXT, _CONFIG = Refusal.UNREACHABLE, Refusal.CONTENT, Refusal.CONFIG


def _row(code: int, outcome: Refusal | None, words: str, *, verified: bool = False) -> Row:
    return Row(code=str(code), outcome=outcome, words=words, source=f"{_DOCS}{code}", verified=verified)


_ROWS: tuple[Row, ...] = (
    # the number
    _row(21211, _BAD, "why_bad_address", verified=True),  # invalid To
    _row(21214, _BAD, "why_bad_address"),  # To cannot be reached
    _row(21217, _BAD, "why_bad_address"),  # does not look like a number
    _row(21265, _BAD, "why_bad_address"),  # To is a short code
    _row(21266, _BAD, "why_bad_address"),  # To and From are the same
    _row(21268, _BAD, "why_bad_address", verified=True),  # premium rate or information service
    _row(21269, _BAD, "why_bad_address"),
    _row(21614, _BAD, "why_landline"),  # not a mobile number
    _row(30005, _BAD, "why_bad_address"),  # unknown, inactive, out of service
    _row(30006, _BAD, "why_landline"),  # landline or unreachable carrier
    _row(21604, _BAD, "why_bad_address"),  # no To at all
    # consent
    _row(21610, _OUT, "why_opted_out", verified=True),
    _row(30004, _BLOCKED, "why_blocked_by_carrier"),
    # account, sender, permissions
    _row(20003, _CONFIG, "why_config"),  # authentication failed
    _row(20008, _CONFIG, "why_config"),  # test credentials
    _row(20404, _CONFIG, "why_config"),  # no such account
    _row(21212, _CONFIG, "why_sender"),  # invalid From: our mistake, not the resident's number
    _row(21219, _CONFIG, "why_trial"),  # trial account, number not verified
    _row(21408, _CONFIG, "why_region"),  # region not enabled
    _row(21603, _CONFIG, "why_sender"),  # no From at all
    _row(21606, _CONFIG, "why_sender"),  # From is not ours or cannot send texts
    _row(21608, _CONFIG, "why_trial"),
    _row(21609, _CONFIG, "why_config"),  # our StatusCallback is not a valid URL
    _row(21660, _CONFIG, "why_sender"),  # From belongs to another account
    _row(21701, _CONFIG, "why_sender"),  # no such Messaging Service
    _row(30002, _CONFIG, "why_config"),  # account suspended
    _row(30032, _CONFIG, "why_sender"),  # toll-free number not verified
    _row(30034, _CONFIG, "why_sender"),  # US number not registered for 10DLC
    _row(63038, _CONFIG, "why_daily_cap"),  # the account's daily cap
    # what we wrote
    _row(20001, _TEXT, "why_content"),  # a parameter out of bounds
    _row(21602, _TEXT, "why_content"),  # no body
    _row(21617, _TEXT, "why_too_long"),  # over 1600 characters
    _row(30007, _TEXT, "why_filtered"),  # filtered by the carrier
    _row(30012, _TEXT, "why_content", verified=True),  # ValidityPeriod too small
    # not to be reached now
    _row(21612, _AWAY, "why_unreachable"),  # this To cannot be reached from this From
    _row(30003, _AWAY, "why_unreachable"),  # phone off or out of coverage
    _row(30017, _AWAY, "why_unreachable"),  # carrier congested
    _row(30022, _AWAY, "why_unreachable", verified=True),  # the carrier's rate for us is used up
    # temporary
    _row(14107, None, "why_busy", verified=True),  # too many texts between two numbers
    _row(20429, None, "why_busy", verified=True),  # too many requests
    _row(30001, None, "why_busy"),  # queue overflow
    _row(30008, None, "why_temporary"),  # the carrier gives no reason
    _row(30036, None, "why_expired", verified=True),  # ValidityPeriod passed in the queue
)

_REFUSED_BY_STATUS: tuple[Row, ...] = tuple(
    Row(
        code=f"http_{status}",
        outcome=Refusal.CONFIG,
        words="why_config",
        source="twilio.com/docs/usage/twilios-response",
        verified=False,
    )
    for status in (401, 403, 404)
)
"""Refusals without a code we know: the account, its token or its address."""

_UNENCODABLE = Row(
    code="unencodable",
    outcome=Refusal.CONTENT,
    words="why_content",
    source="our own text cannot be written as UTF-8",
    verified=True,
)

TABLE: Mapping[str, Row] = {row.code: row for row in (*_ROWS, *_REFUSED_BY_STATUS, _UNENCODABLE)}

STATUSES: Mapping[str, Status] = {
    "accepted": Status.QUEUED,
    "scheduled": Status.QUEUED,
    "queued": Status.QUEUED,
    "sending": Status.QUEUED,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    # Half a text may lack the date: a person has to look at it.
    "partially_delivered": Status.UNDELIVERED,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}
"""Statuses of outgoing messages (twilio.com/docs/messaging/api/message-resource#message-status-values)."""

INBOUND_STATUSES = frozenset({"receiving", "received"})
"""The two statuses of the same list that are of messages to us and so are no receipts."""


def words(code: str) -> str:
    """Key of the sentence for a person."""
    return TABLE[code].words if code in TABLE else UNKNOWN_CODE


def verdict(status: int, code: int | None) -> Trouble:
    """How a request ended that was answered with an HTTP status other than 2xx and perhaps an error code.

    5xx and 408 tell nothing about whether the text was taken on; a redirect is not Twilio speaking.
    """
    if status >= 500 or status == 408 or status < 400:
        return Unknown(reason=f"http_{status}")
    if status == 429:
        return NotSent(reason="http_429", retry_after=FLOOD_PAUSE)
    row = TABLE.get(str(code)) or TABLE.get(f"http_{status}")
    if row is None:
        return NotSent(reason=f"code_{code}" if code else f"http_{status}")
    if row.outcome is None:
        return NotSent(reason=f"code_{row.code}", retry_after=FLOOD_PAUSE)
    return Declined(reason=row.outcome, code=row.code)


def receipt(form: Mapping[str, str]) -> Receipt | None:
    """Read a verified status callback. None: not about an outgoing message, or a status we do not know."""
    return heard(form.get("MessageSid", ""), form.get("MessageStatus", ""), form.get("ErrorCode", ""))


def heard(provider_id: str, status: str, code: str = "") -> Receipt | None:
    """The news in a status, from a callback or from the provider's log. None as in `receipt`."""
    known = STATUSES.get(status)
    if known is None or not provider_id:
        return None
    if known in {Status.QUEUED, Status.SENT}:
        return Accepted(provider_id=provider_id, status=known)
    if known is Status.DELIVERED:
        return Delivered(provider_id=provider_id)
    ending = Undelivered if known is Status.UNDELIVERED else Failed
    row = TABLE.get(code)
    return ending(provider_id=provider_id, refusal=row.outcome if row else None, code=code or status)
