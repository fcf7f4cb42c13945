"""What Telegram's refusals mean to us, and whether a call that broke off was sent.

The Bot API gives a sentence, not a number, so rows are found by a part of it, upper and lower case alike;
the first match wins. Whether a broken call was sent can only be read from the *name* of the error
underneath: `BadRequest` and `TimedOut` are kinds of `NetworkError`.
"""

import os
from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from reminder.channels.base import UNKNOWN_CODE, Row
from reminder.domain.messages import Declined, NotSent, Refusal, Trouble, Unknown

# The library's own switch: without it, merely building RetryAfter warns of deprecation.
os.environ.setdefault("PTB_TIMEDELTA", "1")

FLOOD_PAUSE = timedelta(seconds=5)
"""How long to pause after a 429 that does not say."""

_API = "core.telegram.org/bots/api"
_SHEET = "github.com/TelegramBotAPI/errors, cheatsheet.md"
_LIST = "github.com/vrumger/telegram-errors, README.md"
_SERVER = "github.com/tdlib/telegram-bot-api, Client.cpp"
_FIELD = "seen in the field, not in Telegram's text"


def _row(
    code: str, pattern: str, outcome: Refusal | None, words: str, source: str, *, verified: bool = True
) -> Row:
    return Row(code=code, pattern=pattern, outcome=outcome, words=words, source=source, verified=verified)


TABLE: tuple[Row, ...] = (
    # 403
    _row("blocked", "bot was blocked by the user", Refusal.BLOCKED, "why_blocked", _SHEET),
    _row("deactivated", "user is deactivated", Refusal.BAD_ADDRESS, "why_deactivated", _SHEET),
    _row("not_started", "can't initiate conversation", Refusal.UNREACHABLE, "why_not_started", _SERVER),
    _row("kicked", "bot was kicked", Refusal.BLOCKED, "why_not_in_group", _SHEET),
    _row("not_member", "bot is not a member", Refusal.BLOCKED, "why_not_in_group", _LIST),
    _row("is_bot", "messages to bots", Refusal.BAD_ADDRESS, "why_bad_address", _FIELD, verified=False),
    # 400, the address
    _row("chat_not_found", "chat not found", Refusal.BAD_ADDRESS, "why_bad_address", _SHEET),
    _row("chat_empty", "chat_id is empty", Refusal.BAD_ADDRESS, "why_bad_address", _FIELD, verified=False),
    _row("user_not_found", "user not found", Refusal.BAD_ADDRESS, "why_bad_address", _SHEET),
    _row("peer_invalid", "peer_id_invalid", Refusal.BAD_ADDRESS, "why_bad_address", _FIELD, verified=False),
    _row(
        "group_gone", "chat was deactivated", Refusal.BAD_ADDRESS, "why_bad_address", _FIELD, verified=False
    ),
    _row("chat_private", "channel_private", Refusal.BLOCKED, "why_not_in_group", _LIST),
    _row("no_rights", "have no rights to send", Refusal.BLOCKED, "why_not_in_group", _LIST),
    _row("write_forbidden", "chat_write_forbidden", Refusal.BLOCKED, "why_not_in_group", _LIST),
    _row("few_rights", "not enough rights", Refusal.BLOCKED, "why_not_in_group", _LIST),
    # 400, what we wrote
    _row("unparsed", "can't parse", Refusal.CONTENT, "why_content", _FIELD, verified=False),
    _row(
        "too_long", "is too long", Refusal.CONTENT, "why_too_long", _API + "#sendmessage: 1-4096 characters"
    ),
    _row("too_long", "message_too_long", Refusal.CONTENT, "why_too_long", _FIELD, verified=False),
    _row("empty", "text is empty", Refusal.CONTENT, "why_content", _API + "#sendmessage: 1-4096 characters"),
    _row("empty", "must be non-empty", Refusal.CONTENT, "why_content", _FIELD, verified=False),
    _row("button", "button_", Refusal.CONTENT, "why_content", _API + "#inlinekeyboardbutton"),
    _row("command", "bot_command_", Refusal.CONTENT, "why_content", _API + "#botcommand"),
    _row("file_id", "invalid file id", Refusal.CONTENT, "why_file_gone", _SHEET),
    _row("file_id", "wrong file_id", Refusal.CONTENT, "why_file_gone", _FIELD, verified=False),
    _row("file_id", "wrong file identifier", Refusal.CONTENT, "why_file_gone", _FIELD, verified=False),
    _row("too_big", "file is too big", Refusal.CONTENT, "why_too_big", _API + "#getfile: up to 20 MB"),
    # 400, the message we wanted to change
    _row("not_modified", "message is not modified", Refusal.CONTENT, "why_not_modified", _SHEET),
    _row("gone", "message to edit not found", Refusal.CONTENT, "why_gone", _SERVER),
    _row("gone", "message to delete not found", Refusal.CONTENT, "why_gone", _LIST),
    _row("gone", "message to pin not found", Refusal.CONTENT, "why_gone", _SERVER),
    _row("gone", "message to unpin not found", Refusal.CONTENT, "why_gone", _SERVER),
    _row("fixed", "message can't be edited", Refusal.CONTENT, "why_gone", _FIELD, verified=False),
    _row("fixed", "message can't be deleted", Refusal.CONTENT, "why_gone", _LIST),
    _row(
        "stale_query", "query is too old", Refusal.CONTENT, "why_stale_query", _API + "#answercallbackquery"
    ),
    _row("stale_query", "query_id_invalid", Refusal.CONTENT, "why_stale_query", _FIELD, verified=False),
)
"""Refusals that come as a sentence."""

FIXED: tuple[Row, ...] = (
    _row("migrated", "", Refusal.MOVED, "why_moved", _API + "#responseparameters"),
    _row(
        "token", "", Refusal.CONFIG, "why_config", _API + "#making-requests, 401; 404 for a malformed token"
    ),
    _row("second_poller", "", Refusal.CONFIG, "why_second_poller", _API + "#getupdates"),
    _row("forbidden", "", Refusal.BLOCKED, "why_blocked", _API + "#making-requests, any other 403"),
    _row("unencodable", "", Refusal.CONTENT, "why_content", "our own text cannot be written as UTF-8"),
    _row("no_such_bot", "", Refusal.CONFIG, "why_config", "our own check: joined by a bot not set up here"),
    _row("not_numeric", "", Refusal.BAD_ADDRESS, "why_bad_address", "our own check: chat ids are integers"),
)
"""Refusals told by the kind of error."""

_WORDS = {row.code: row.words for row in TABLE + FIXED}

NEVER_LEFT = frozenset(
    {
        "PoolTimeout",
        "ConnectionTimeoutError",
        "ClientConnectorError",
        "ClientConnectorDNSError",
        "ClientConnectorSSLError",
        "ClientConnectorCertificateError",
        "ClientProxyConnectionError",
        "ClientHttpProxyError",
        "NonHttpUrlClientError",
        "InvalidUrlClientError",
    }
)
"""Errors of aiohttp from before the request was written (`PoolTimeout` is ours); any other broken call may
have been sent."""


class Broken(Exception):
    """Why a request broke off: the name of the error. Its words may quote the address, and so the token."""


def words(code: str) -> str:
    """Key of the sentence for a person."""
    return _WORDS.get(code, UNKNOWN_CODE)


def verdict(error: TelegramError) -> Trouble:
    """How a call ended that raised. The order of the cases matters: the later kinds contain the earlier."""
    match error:
        case RetryAfter():
            return NotSent(reason="flood", retry_after=_duration(error.retry_after))
        case ChatMigrated():
            return Declined(reason=Refusal.MOVED, code="migrated", address=str(error.new_chat_id))
        case InvalidToken():
            return Declined(reason=Refusal.CONFIG, code="token")
        case Conflict():
            return Declined(reason=Refusal.CONFIG, code="second_poller")
        case Forbidden() | BadRequest():
            return _spoken(error)
        case NetworkError():
            return _broken(error)
        case _:
            return Unknown(reason="unreadable_answer")


def _spoken(error: TelegramError) -> Trouble:
    if isinstance(error.__cause__, TelegramError):
        # The body was not the Bot API's JSON: a firewall or a proxy refused us, Telegram said nothing.
        return NotSent(reason="foreign_answer")
    said = error.message.lower()
    for row in TABLE:
        if row.pattern in said:
            return _outcome(row)
    if isinstance(error, Forbidden):
        return Declined(reason=Refusal.BLOCKED, code="forbidden")
    return NotSent(reason="unknown_refusal")


def _outcome(row: Row) -> Trouble:
    if row.outcome is None:
        return NotSent(reason=row.code)
    return Declined(reason=row.outcome, code=row.code)


def _broken(error: NetworkError) -> Trouble:
    under = error.__cause__
    cause = str(under) if isinstance(under, Broken) else type(under).__name__
    if cause in NEVER_LEFT:
        return NotSent(reason=cause)
    if cause == "UnicodeEncodeError":
        return Declined(reason=Refusal.CONTENT, code="unencodable")
    if error.message.lower().startswith("too many requests"):
        return NotSent(reason="flood", retry_after=FLOOD_PAUSE)
    return Unknown(reason="server_error" if under is None else cause)


def _duration(retry_after: int | timedelta) -> timedelta:
    return retry_after if isinstance(retry_after, timedelta) else timedelta(seconds=retry_after)
