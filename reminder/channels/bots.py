"""Several bots as one channel: what belongs to a further one says so behind an "@", and goes by it.

Telegram bears some thirty messages a second of each bot; an office that needs more has more of them. A
person has the bot they joined by. Chats, messages, taps and files of the first bot are written as Telegram
writes them, those of another as `700001@123456`: no number of Telegram's has an "@" in it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from reminder.channels.base import ChatPort
from reminder.domain.messages import Accepted, Answer, Declined, Keyboard, Outgoing, Refusal, Trouble
from reminder.domain.people import Channel, of_bot, parted

T = TypeVar("T")

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
        chat, number = parted(message.to)
        if number is None:
            return await self.bots[None].send(message)
        plain = replace(message, to=chat)
        return _marked(await self._by(number, lambda bot: bot.send(plain)), number)

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        message, number = parted(message_id)
        return await self._by(number, lambda bot: bot.edit(parted(chat)[0], message, text, buttons))

    async def pin(self, chat: str, message_id: str) -> Answer:
        message, number = parted(message_id)
        return await self._by(number, lambda bot: bot.pin(parted(chat)[0], message))

    async def unpin(self, chat: str, message_id: str) -> Answer:
        message, number = parted(message_id)
        return await self._by(number, lambda bot: bot.unpin(parted(chat)[0], message))

    async def delete(self, chat: str, message_id: str) -> Answer:
        message, number = parted(message_id)
        return await self._by(number, lambda bot: bot.delete(parted(chat)[0], message))

    async def answer(self, callback_id: str, text: str = "", *, alert: bool = False) -> Answer:
        callback, number = parted(callback_id)
        return await self._by(number, lambda bot: bot.answer(callback, text, alert=alert))

    async def send_document(self, chat: str, name: str, content: bytes, caption: str = "") -> Answer:
        plain, number = parted(chat)
        sent = await self._by(number, lambda bot: bot.send_document(plain, name, content, caption))
        return _marked(sent, number)

    async def fetch_file(self, file_id: str, limit_bytes: int) -> bytes | Trouble:
        file, number = parted(file_id)
        return await self._by(number, lambda bot: bot.fetch_file(file, limit_bytes))

    async def set_commands(self, chat: str, lang: str, commands: list[tuple[str, str]]) -> Answer:
        plain, number = parted(chat)
        return await self._by(number, lambda bot: bot.set_commands(plain, lang, commands))

    async def updates(self, offset: int | None, wait: timedelta) -> list[dict[str, Any]] | Trouble:
        """Of the first bot, as all that follows; each other one is asked by itself (`Runtime.bots`)."""
        return await self.bots[None].updates(offset, wait)

    async def hook(self, url: str, secret: str) -> Answer:
        return await self.bots[None].hook(url, secret)

    async def hooked(self) -> dict[str, Any] | Trouble:
        return await self.bots[None].hooked()

    async def me(self) -> dict[str, Any] | Trouble:
        return await self.bots[None].me()

    async def _by(self, number: int | None, call: Callable[[ChatPort], Awaitable[T]]) -> T | Declined:
        bot = self.bots.get(number)
        return NO_BOT if bot is None else await call(bot)


def _marked(answer: Answer, bot: int | None) -> Answer:
    if bot is None or not isinstance(answer, Accepted):
        return answer
    return replace(answer, provider_id=of_bot(answer.provider_id, bot))
