"""How a message travels by Telegram: one try, one deadline, the Bot API's answer told as news.

The token never reaches the library (`telegram_http`): it works with the word TOKEN, so none of its log lines,
exceptions or `repr`s can hold the real one.
"""

import asyncio
import json
import re
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

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

from reminder.channels.base import DEADLINE, POOL, Carrier
from reminder.channels.telegram_errors import verdict
from reminder.channels.telegram_http import STAND_IN, AiohttpRequest, environment_proxy
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

T = TypeVar("T")

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


class Telegram:
    """The Bot API as a `ChatPort`. Close it; `bot` is for reading stored updates, not for sending."""

    name = Channel.TELEGRAM

    def __init__(
        self,
        *,
        token: str,
        base_url: str = "https://api.telegram.org",
        deadline: timedelta = DEADLINE,
        pool: int = POOL,
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
        self._request = AiohttpRequest(
            token,
            pool_size=pool,
            connect=min(5.0, phase / 3),
            pool=min(1.0, phase / 3),
            read=phase,
            write=phase,
            media_write=phase * FILES_TAKE,
            proxy=proxy or environment_proxy(base),
            carrier=carrier,
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
