"""Several bots as one channel: what belongs to a further one says so behind an "@", and goes by it.

Telegram bears some thirty messages a second of each bot; an office that needs more has more of them. A
person has the bot they joined by. Chats, messages, taps and files of the first bot are written as Telegram
writes them, those of another as `700001@123456`: no number of Telegram's has an "@" in it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from reminder.channels.base import ChatPort
from reminder.domain.messages import Accepted, Answer, Declined, Keyboard, Outgoing, Refusal, Trouble
from reminder.domain.people import Channel, of_bot

NO_BOT = Declined(reason=Refusal.CONFIG, code="no_such_bot")
"""Somebody joined by a bot whose token is not set (any more): their messages wait for it."""


class Bots:
    """A `ChatPort` over the ports of `bots`, by number; None is the first. Closing it closes them."""

    name = Channel.TELEGRAM

    def __init__(self, bots: Mapping[int | None, ChatPort]) -> None:
        self.bots = bots

    async def close(self) -> None:
        for bot in self.bots.values():
            await bot.close()

    async def send(self, message: Outgoing) -> Answer:
        bot, chat, number = self._of(message.to)
        if number is None and bot is not None:
            return await bot.send(message)
        return NO_BOT if bot is None else _marked(await bot.send(replace(message, to=chat)), number)

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        bot, message, _ = self._of(message_id)
        return NO_BOT if bot is None else await bot.edit(_plain(chat), message, text, buttons)

    async def pin(self, chat: str, message_id: str) -> Answer:
        bot, message, _ = self._of(message_id)
        return NO_BOT if bot is None else await bot.pin(_plain(chat), message)

    async def unpin(self, chat: str, message_id: str) -> Answer:
        bot, message, _ = self._of(message_id)
        return NO_BOT if bot is None else await bot.unpin(_plain(chat), message)

    async def delete(self, chat: str, message_id: str) -> Answer:
        bot, message, _ = self._of(message_id)
        return NO_BOT if bot is None else await bot.delete(_plain(chat), message)

    async def answer(self, callback_id: str, text: str = "", *, alert: bool = False) -> Answer:
        bot, callback, _ = self._of(callback_id)
        return NO_BOT if bot is None else await bot.answer(callback, text, alert=alert)

    async def send_document(self, chat: str, name: str, content: bytes, caption: str = "") -> Answer:
        bot, plain, number = self._of(chat)
        if bot is None:
            return NO_BOT
        return _marked(await bot.send_document(plain, name, content, caption), number)

    async def fetch_file(self, file_id: str, limit_bytes: int) -> bytes | Trouble:
        bot, file, _ = self._of(file_id)
        return NO_BOT if bot is None else await bot.fetch_file(file, limit_bytes)

    async def set_commands(self, chat: str, lang: str, commands: list[tuple[str, str]]) -> Answer:
        bot, plain, _ = self._of(chat)
        return NO_BOT if bot is None else await bot.set_commands(plain, lang, commands)

    async def updates(self, offset: int | None, wait: timedelta) -> list[dict[str, Any]] | Trouble:
        """Of the first bot, as all that follows; each other one is asked by itself (`Runtime.bots`)."""
        return await self.bots[None].updates(offset, wait)

    async def hook(self, url: str, secret: str) -> Answer:
        return await self.bots[None].hook(url, secret)

    async def hooked(self) -> dict[str, Any] | Trouble:
        return await self.bots[None].hooked()

    async def me(self) -> dict[str, Any] | Trouble:
        return await self.bots[None].me()

    def _of(self, name: str) -> tuple[ChatPort | None, str, int | None]:
        """The bot something belongs to, None if it is not set up; its plain name; the bot's number."""
        plain, _, mark = name.partition("@")
        number = int(mark) if mark else None
        return self.bots.get(number), plain, number


def _plain(name: str) -> str:
    return name.partition("@")[0]


def _marked(answer: Answer, bot: int | None) -> Answer:
    if bot is None or not isinstance(answer, Accepted):
        return answer
    return replace(answer, provider_id=of_bot(answer.provider_id, bot))
