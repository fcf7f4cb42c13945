"""Which messages does a list request find, and on which page?"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from reminder.sandbox.twilio_errors import TwilioError
from reminder.sandbox.twilio_messages import Json, Sms

_MAX_PAGE = 1000


def page_of(messages: Iterable[Sms], query: Mapping[str, str], account_sid: str) -> Json:
    """Newest first. `DateSent` is a day in GMT; `DateSent<` and `DateSent>` include their day or instant.

    A message that has not been sent yet has no DateSent and is in no list that asks for one.
    """
    found = [m for m in reversed(list(messages)) if _matches(m, query)]
    size = min(max(_number(query, "PageSize", 50), 1), _MAX_PAGE)
    page = _number(query, "Page", 0)
    start = _start(found, query.get("PageToken"), page * size)
    shown = found[start : start + size]
    more = len(found) > start + size
    base = f"/2010-04-01/Accounts/{account_sid}/Messages.json"

    def uri(number: int, token: str | None = None) -> str:
        kept = {k: v for k, v in query.items() if k not in ("Page", "PageToken", "PageSize")}
        kept |= {"PageSize": str(size), "Page": str(number)} | ({"PageToken": token} if token else {})
        return f"{base}?{urlencode(kept)}"

    return {
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1, "PA" + shown[-1].sid) if more else None,
        "previous_page_uri": uri(page - 1) if page else None,
        "page": page,
        "page_size": size,
        "start": start,
        "end": start + max(len(shown) - 1, 0),
        "uri": uri(page, query.get("PageToken")),
        "messages": [m.resource(account_sid) for m in shown],
    }


def _start(found: list[Sms], token: str | None, otherwise: int) -> int:
    """Right after the message the token names, so that new messages do not move the pages."""
    if token:
        for place, message in enumerate(found):
            if token == "PA" + message.sid:
                return place + 1
    return otherwise


def _matches(message: Sms, query: Mapping[str, str]) -> bool:
    if query.get("To") and message.to != query["To"]:
        return False
    if query.get("From") and message.sender != query["From"]:
        return False
    for name in ("DateSent", "DateSent<", "DateSent>"):
        if query.get(name) and not (message.sent_at and _holds(name, message.sent_at, query[name])):
            return False
    return True


def _holds(name: str, sent_at: datetime, raw: str) -> bool:
    first, last = _bounds(raw)
    # Twilio keeps whole seconds, so a time within the second asked for still counts.
    second = sent_at.replace(microsecond=0)
    if name == "DateSent<":
        return second <= last
    if name == "DateSent>":
        return second >= first
    return first.date() == second.date()


def _bounds(raw: str) -> tuple[datetime, datetime]:
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        raise TwilioError(20001, "DateSent") from None
    at = (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).replace(microsecond=0)
    if len(raw) <= len("2026-11-25"):
        return at, at + timedelta(days=1, seconds=-1)
    return at, at


def _number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    raw = query.get(name, "")
    if raw and not raw.isdigit():
        raise TwilioError(20001, name)
    return int(raw) if raw else otherwise
