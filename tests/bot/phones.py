"""Phones of colleagues in the sandbox, and the bot answering them over HTTP by the real adapter."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reminder.bot.polling import fetch
from reminder.bot.updates import handle
from reminder.channels.base import ChatPort
from reminder.channels.bots import Bots
from reminder.channels.telegram import Telegram
from reminder.clock import ManualClock
from reminder.runtime import Runtime
from reminder.sandbox import Limits, World, app_of
from reminder.store import inbox
from tests.office import STAFF, START, office, read
from tests.sandbox.serve import serving

TOKEN = "1:sandbox"
STRANGER = 700099


class Phones:
    """Write, tap and look, by the short names of tests/office.py."""

    def __init__(self, rt: Runtime, world: World, bot: int | None = None) -> None:
        self.rt, self.world, self.bot = rt, world, bot

    async def write(self, who: str, text: str) -> None:
        self.world.write(chat_of(who), text)
        await self.answered()

    async def press(self, who: str, button: str, *, message: int | None = None, anyway: bool = False) -> str:
        """Tap a button by label or data, by default the newest that has it; answers what the tap was told.

        The way back says until when it is open: its beginning is enough.
        """
        if button.startswith("↩"):
            button = self.data(who, button)
        number = message if message is not None else self.message_with(who, button)
        self.world.press(chat_of(who), number, button, anyway=anyway)
        return await self.answered()

    async def send_file(self, who: str, name: str, content: bytes, caption: str = "") -> None:
        self.world.send_file(chat_of(who), name, content, caption=caption)
        await self.answered()

    async def answered(self) -> str:
        """Let the bot hear and answer everything; the text of the last tap's answer."""
        seen = len(self.ledger())
        while await fetch(self.rt, timedelta(0), self.bot):
            for letter in await read(self.rt, lambda tx: inbox.waiting(tx, self.rt.desk.sealer, 50)):
                await handle(self.rt, letter)
        toasts = [row for row in self.ledger()[seen:] if row["type"] == "answer"]
        return str(toasts[-1].get("text", "")) if toasts else ""

    def ledger(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self.world.ledger(everything=True)]

    def shown(self, who: str) -> list[dict[str, Any]]:
        """Messages of the bot as the phone shows them, oldest first."""
        chat = self.world.telegram.chat(chat_of(who))
        return [h.api for h in chat.messages.values() if h.api["from"]["is_bot"] and not h.gone]

    def last(self, who: str) -> str:
        found = self.shown(who)
        return str(found[-1].get("text", found[-1].get("caption", ""))) if found else ""

    def labels(self, who: str, message: int = -1) -> list[str]:
        return [b["text"] for row in _rows(self.shown(who)[message]) for b in row]

    def datas(self, who: str, message: int = -1) -> list[str]:
        return [b["callback_data"] for row in _rows(self.shown(who)[message]) for b in row]

    def data(self, who: str, label: str) -> str:
        """What the newest button with this label, or one that begins so, carries."""
        for api in reversed(self.shown(who)):
            for row in _rows(api):
                for button in row:
                    if button["text"].startswith(label):
                        return str(button["callback_data"])
        raise AssertionError(f"no button {label!r} for {who}: {self.last(who)}")

    def message_with(self, who: str, button: str) -> int:
        for api in reversed(self.shown(who)):
            if any(button in (b["text"], b["callback_data"]) for row in _rows(api) for b in row):
                return int(api["message_id"])
        raise AssertionError(f"no button {button!r} for {who}: {self.last(who)} {self.labels(who)}")


def _rows(api: dict[str, Any]) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = (api.get("reply_markup") or {}).get("inline_keyboard") or []
    return rows


def chat_of(who: str) -> int:
    return STRANGER if who == "stranger" else STAFF[who].chat


@asynccontextmanager
async def phones(folder: Path, **changes: Any) -> AsyncIterator[Phones]:
    """The office with everybody's phone, the bot reading and answering over HTTP."""
    async with bots(folder, {None: TOKEN}, **changes) as (made,):
        yield made


@asynccontextmanager
async def bots(
    folder: Path, tokens: Mapping[int | None, str], **changes: Any
) -> AsyncIterator[tuple[Phones, ...]]:
    """The same with several bots, each with the phones as it sees them."""
    clock = ManualClock(changes.get("start", START))
    made: list[Phones] = []

    def now() -> datetime:
        return made[0].rt.clock.now() if made else clock.now()

    async with AsyncExitStack() as stack:
        worlds = {bot: _world(token, now) for bot, token in tokens.items()}
        ports: dict[int | None, ChatPort] = {}
        for bot, world in worlds.items():
            url = await stack.enter_async_context(serving(app_of(world), before_stop=world.close))
            ports[bot] = Telegram(token=tokens[bot], base_url=url, deadline=timedelta(seconds=30))
        chat = Bots(ports)
        stack.push_async_callback(chat.close)
        rt = await stack.enter_async_context(office(folder, chat=chat, **changes))
        made += [Phones(rt, world, bot) for bot, world in worlds.items()]
        yield tuple(made)


def _world(token: str, now: Callable[[], datetime]) -> World:
    world = World(
        now=now,
        bot_token=token,
        account_sid="AC" + "0" * 32,
        auth_token="secret",
        bot_username="reminder_bot" if token == TOKEN else "reminder_too_bot",
        limits=Limits.off(),
    )
    for who in STAFF.values():
        world.add_telegram(who.chat, who.name, lang=who.lang, started=True)
    world.add_telegram(STRANGER, "Somebody", lang="en", started=True)
    return world
