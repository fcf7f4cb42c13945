"""How a message travels by Telegram: one try, one deadline, the Bot API's answer told as news.

The token never reaches the library: it works with the word TOKEN, and the wire puts the real one into the
URL as the last step. So no log line, exception or `repr` of the library or its HTTP client can hold it.
"""

import asyncio
import json
import re
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    File,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    Message,
    User,
    WebhookInfo,
)
from telegram.error import TelegramError
from telegram.request import HTTPXRequest, RequestData

from reminder.channels.base import DEADLINE, Carrier
from reminder.channels.telegram_errors import verdict
from reminder.domain.messages import (
    Accepted,
    Answer,
    Declined,
    Keyboard,
    Outgoing,
    Refusal,
    Trouble,
    Unknown,
)
from reminder.domain.people import Channel
from reminder.failpoints import armed, failpoint

T = TypeVar("T")

STAND_IN = "TOKEN"
ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")
"""All we ever ask for; `my_chat_member` tells that somebody blocked or unblocked the bot."""
HOOKS = 4
"""Most updates posted to us at once: one database takes them one after the other anyway."""
FILES_TAKE = 4
"""Files may take this many times the deadline of a message."""
ANSWER_CHARS = 200
"""Length of an answer to a tap (Bot API, answerCallbackQuery)."""
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_UNREADABLE = (TypeError, KeyError, ValueError, AttributeError, IndexError, OverflowError)
"""What the library raises on JSON that is not what the Bot API promises."""


class _Wire(httpx.AsyncBaseTransport):
    """Sends a request with the real token where the stand-in was."""

    def __init__(self, token: str, carrier: httpx.AsyncBaseTransport) -> None:
        self._carrier = carrier
        self.__real = f"/bot{quote(token, safe=':')}/".encode()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.replace(f"/bot{STAND_IN}/".encode(), self.__real, 1)
        return await self._carrier.handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(raw_path=path),
                headers=request.headers,
                stream=request.stream,
                extensions=_watched(request),
            )
        )

    async def aclose(self) -> None:
        await self._carrier.aclose()


_PLACES = {
    "connection.connect_tcp.complete": "call.telegram.connected",
    "http11.send_request_headers.complete": "call.telegram.half_written",
    "http11.send_request_body.complete": "call.telegram.written",
    "http11.receive_response_headers.complete": "call.telegram.half_read",
    "http11.receive_response_body.complete": "call.telegram.read",
}
"""Moments of the HTTP client, at which a test may end the process."""


def _watched(request: httpx.Request) -> Any:
    if not armed() or not request.url.path.endswith("/sendMessage"):
        return request.extensions
    return {**request.extensions, "trace": _passed}


async def _passed(moment: str, _about: Any) -> None:
    if moment in _PLACES:
        failpoint(_PLACES[moment])


def _network(base: str, *, pool: int, proxy: str | None) -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(max_connections=pool, max_keepalive_connections=pool)
    return httpx.AsyncHTTPTransport(limits=limits, proxy=proxy or _environment_proxy(base))


class _Request(HTTPXRequest):
    """Removes the token from answers: an error page may quote the address it was asked for.

    With a carrier requests go to it instead of the HTTP client.
    """

    def __init__(self, token: str, carrier: Carrier | None, **options: Any) -> None:
        super().__init__(**options)
        self._carrier = carrier
        self.__real = f"/bot{quote(token, safe=':')}/"
        self.__secret = token.rpartition(":")[2].encode()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **named: Any
    ) -> tuple[int, bytes]:
        if self._carrier is None:
            code, payload = await super().do_request(url, method, request_data, *timeouts, **named)
        else:
            address = url.replace(f"/bot{STAND_IN}/", self.__real, 1)
            kind, body = _written(request_data)
            code, payload = await self._carrier(method, address, {"content-type": kind}, body)
        return code, payload.replace(self.__secret, STAND_IN.encode())


def _written(data: RequestData | None) -> tuple[str, bytes]:
    """Type and bytes of a body."""
    if data is None or not data.contains_files:
        return "application/json", json.dumps(data.json_parameters).encode() if data is not None else b""
    form = httpx.Request("POST", "http://none", data=data.json_parameters, files=data.multipart_data)
    return form.headers["Content-Type"], form.read()


class Telegram:
    """The Bot API as a `ChatPort`. Close it; `bot` is for reading stored updates, not for sending."""

    name = Channel.TELEGRAM

    def __init__(
        self,
        *,
        token: str,
        base_url: str = "https://api.telegram.org",
        deadline: timedelta = DEADLINE,
        pool: int = 64,
        proxy: str | None = None,
        carrier: Carrier | None = None,
    ) -> None:
        """`proxy` defaults to the environment's (HTTPS_PROXY, NO_PROXY). ValueError on an empty token.

        `carrier` takes the requests in place of the network: for a Bot API in our own process.
        """
        if not token.strip():
            raise ValueError("the bot token is empty")
        base = base_url.rstrip("/")
        self._deadline = deadline
        phase = deadline.total_seconds()
        # Connecting and waiting for the pool end well before the deadline, so a call that runs into the
        # deadline has been written at least in part: not knowing is then the honest answer.
        self._request = _Request(
            token,
            carrier,
            connection_pool_size=pool,
            connect_timeout=min(5.0, phase / 3),
            pool_timeout=min(1.0, phase / 3),
            read_timeout=phase,
            write_timeout=phase,
            media_write_timeout=phase * FILES_TAKE,
            httpx_kwargs={"transport": _Wire(token, _network(base, pool=pool, proxy=proxy))},
        )
        self.bot = Bot(
            STAND_IN,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._request,
            get_updates_request=self._request,
        )

    async def close(self) -> None:
        await self._request.shutdown()

    async def send(self, message: Outgoing) -> Answer:
        chat = _chat(message.to)
        if chat is None:
            return Declined(reason=Refusal.BAD_ADDRESS, code="not_numeric")
        sent = await self._ask(
            self.bot.send_message(
                chat_id=chat,
                text=message.text,
                reply_markup=_markup(message.buttons),
                disable_notification=message.silent,
                protect_content=True,
                link_preview_options=_NO_PREVIEW,
            )
        )
        return _accepted(sent)

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        """Replace text and buttons; "message is not modified" is a success."""
        edited = await self._ask(
            self.bot.edit_message_text(
                text,
                chat_id=int(chat),
                message_id=int(message_id),
                reply_markup=_markup(buttons),
                link_preview_options=_NO_PREVIEW,
            )
        )
        return _settled(edited, message_id, also={"not_modified"})

    async def pin(self, chat: str, message_id: str) -> Answer:
        """Pin without a sound."""
        pinned = await self._ask(
            self.bot.pin_chat_message(int(chat), int(message_id), disable_notification=True)
        )
        return _settled(pinned, message_id)

    async def unpin(self, chat: str, message_id: str) -> Answer:
        unpinned = await self._ask(self.bot.unpin_chat_message(int(chat), int(message_id)))
        return _settled(unpinned, message_id, also={"gone"})

    async def delete(self, chat: str, message_id: str) -> Answer:
        deleted = await self._ask(self.bot.delete_message(int(chat), int(message_id)))
        return _settled(deleted, message_id, also={"gone"})

    async def answer(self, callback_id: str, text: str = "", *, alert: bool = False) -> Answer:
        """Stop the button's spinner; the text is cut at 200 characters."""
        answered = await self._ask(
            self.bot.answer_callback_query(callback_id, text=text[:ANSWER_CHARS] or None, show_alert=alert)
        )
        return _settled(answered, callback_id)

    async def send_document(self, chat: str, name: str, content: bytes, caption: str = "") -> Answer:
        """Send a file; may take four times the deadline."""
        sent = await self._ask(
            self.bot.send_document(
                int(chat), InputFile(content, filename=name), caption=caption or None, filename=name
            ),
            deadline=self._deadline * FILES_TAKE,
        )
        return _accepted(sent)

    async def fetch_file(self, file_id: str, limit_bytes: int) -> bytes | Trouble:
        """The bytes of a file somebody sent; may take four times the deadline."""
        file = await self._ask(self.bot.get_file(file_id))
        if not isinstance(file, File):
            return _trouble(file)
        if (file.file_size or 0) > limit_bytes:
            return Declined(reason=Refusal.CONTENT, code="too_big")
        prefix = f"{self.bot.base_file_url}/"
        path = file.file_path or ""
        if not path.startswith(prefix):
            return Unknown(reason="unreadable_answer")
        content = await self._ask(
            self._request.retrieve(prefix + quote(path.removeprefix(prefix))),
            deadline=self._deadline * FILES_TAKE,
        )
        if isinstance(content, bytes) and len(content) > limit_bytes:
            return Declined(reason=Refusal.CONTENT, code="too_big")
        return content

    async def set_commands(self, chat: str, lang: str, commands: list[tuple[str, str]]) -> Answer:
        """The command menu of one chat; `lang` is a two-letter code, or empty for every other language."""
        done = await self._ask(
            self.bot.set_my_commands(
                [BotCommand(command, words) for command, words in commands],
                scope=BotCommandScopeChat(int(chat)),
                language_code=lang or None,
            )
        )
        return _settled(done, chat)

    async def updates(self, offset: int | None, wait: timedelta) -> list[dict[str, Any]] | Trouble:
        """Updates exactly as received, to be stored before the next offset confirms them.

        The library would parse them and forget what it does not know, so this asks for the bytes itself.
        """
        asked = {"timeout": int(wait.total_seconds()), "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        if offset is not None:
            asked["offset"] = offset
        whole = self._deadline + wait
        answer = await self._ask(
            self._request.retrieve(
                f"{self.bot.base_url}/getUpdates?{urlencode(asked)}", read_timeout=whole.total_seconds()
            ),
            deadline=whole,
        )
        return answer if isinstance(answer, Trouble) else _results(answer)

    async def hook(self, url: str, secret: str) -> Answer:
        """setWebhook, or deleteWebhook when `url` is empty; what waits at Telegram is kept."""
        if not url:
            return _settled(await self._ask(self.bot.delete_webhook()), "")
        done = await self._ask(
            self.bot.set_webhook(
                url, secret_token=secret, allowed_updates=list(ALLOWED_UPDATES), max_connections=HOOKS
            )
        )
        return _settled(done, "")

    async def hooked(self) -> dict[str, Any] | Trouble:
        found = await self._ask(self.bot.get_webhook_info())
        return found.to_dict() if isinstance(found, WebhookInfo) else _trouble(found)

    async def me(self) -> dict[str, Any] | Trouble:
        who = await self._ask(self.bot.get_me())
        return who.to_dict() if isinstance(who, User) else _trouble(who)

    async def _ask(self, call: Awaitable[T], *, deadline: timedelta | None = None) -> T | Trouble:
        """Await a call and tell every way it can end as a value."""
        try:
            async with asyncio.timeout((deadline or self._deadline).total_seconds()):
                return await call
        except TelegramError as error:
            return verdict(error)
        except TimeoutError:
            return Unknown(reason="deadline")
        except _UNREADABLE:
            return Unknown(reason="unreadable_answer")


def _trouble(answer: object) -> Trouble:
    """What went wrong; the library lets an answer of another kind, such as `true`, pass."""
    return answer if isinstance(answer, Trouble) else Unknown(reason="unreadable_answer")


def _accepted(answer: object) -> Answer:
    return Accepted(provider_id=str(answer.message_id)) if isinstance(answer, Message) else _trouble(answer)


def _settled(result: Any, provider_id: str, *, also: frozenset[str] | set[str] = frozenset()) -> Answer:
    """Success with the id of what was changed; `also` names refusals that mean it already is so."""
    if isinstance(result, Declined) and result.code in also:
        return Accepted(provider_id=provider_id)
    return result if isinstance(result, Trouble) else Accepted(provider_id=provider_id)


def _chat(to: str) -> int | None:
    return int(to) if re.fullmatch(r"-?[0-9]{1,19}", to) else None


def _markup(buttons: Keyboard) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    button.label, callback_data=button.data, style=button.style.value or None
                )
                for button in row
            ]
            for row in buttons
        ]
    )


def _results(payload: bytes) -> list[dict[str, Any]] | Trouble:
    try:
        found = json.loads(payload)["result"]
    except _UNREADABLE:
        return Unknown(reason="unreadable_answer")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        return Unknown(reason="unreadable_answer")
    return found


def _environment_proxy(base: str) -> str | None:
    """The proxy set on this machine for this address; httpx looks it up only without a transport of ours."""
    parts = urlsplit(base)
    if proxy_bypass(parts.netloc):
        return None
    known = getproxies()
    return known.get(parts.scheme) or known.get("all")
