"""What is the whole world outside the office: both providers, all phones, and what may go wrong?"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reminder.sandbox import telegram_phone
from reminder.sandbox.bodies import Upload
from reminder.sandbox.chaos import Chaos
from reminder.sandbox.courier import Courier
from reminder.sandbox.feed import Bell, Feed
from reminder.sandbox.ledger import Ledger, Row
from reminder.sandbox.stage import ControlError, Ids, Stage
from reminder.sandbox.telegram import BotApi
from reminder.sandbox.telegram_chats import Chat, Limits
from reminder.sandbox.twilio import Twilio

_THREAD = 200
"""Messages of one phone a freshly opened page gets."""


class World:
    """The sandbox for a driver in the same process and event loop; `/sim/*` offers the same over HTTP.

    The acts of phones are plain calls and only queue what the office will hear; `deliver` carries signed
    callbacks and webhook updates there, `idle` also waits until a polling bot has confirmed its updates.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        bot_token: str,
        account_sid: str,
        auth_token: str,
        seed: int = 0,
        bot_username: str = "reminder_bot",
        numbers: tuple[str, ...] = ("+12025550100",),
        inbound_url: str | None = None,
        zone: str = "Asia/Shanghai",
        lang: str | None = None,
        limits: Limits | None = None,
        callback_delay: timedelta = timedelta(0),
        ledger_path: Path | None = None,
        deliver_to: str | None = None,
    ) -> None:
        self.now = now
        self.bot_token = bot_token
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.zone = zone
        self.lang = lang
        self._username = bot_username
        self.stage = _stage(now, seed, ledger_path, deliver_to)
        self.telegram = BotApi(self.stage, token=bot_token, username=bot_username, limits=limits or Limits())
        self.sms = Twilio(
            self.stage,
            account_sid=account_sid,
            auth_token=auth_token,
            numbers=numbers,
            inbound=inbound_url,
            callback_delay=callback_delay,
        )

    # Phones and their owners

    def add_telegram(
        self,
        user_id: int,
        name: str,
        *,
        lang: str = "en",
        label: str = "",
        started: bool = False,
        username: str | None = None,
        number: str | None = None,
    ) -> str:
        """Register a Telegram phone (a negative id is a group); answers its phone id, `telegram:<id>`."""
        facts = {"id": user_id, "name": name, "lang": lang, "label": label, "started": started}
        return telegram_phone.register(self.telegram, facts | {"username": username, "number": number}).phone

    def add_sms(
        self, number: str, name: str, *, lang: str = "en", label: str = "", landline: bool = False
    ) -> str:
        """Register an SMS phone; answers its phone id, `sms:<number>`."""
        facts = {"number": number, "name": name, "lang": lang, "label": label, "landline": landline}
        return self.sms.register(facts).phone

    def add_phones(self, wish: Mapping[str, Any]) -> list[dict[str, Any]]:
        """`{"telegram": [{id, name, …}], "sms": [{number, name, …}]}`; raises ControlError."""
        try:
            for facts in wish.get("telegram", []):
                telegram_phone.register(self.telegram, facts)
            for facts in wish.get("sms", []):
                self.sms.register(facts)
        except (KeyError, TypeError, AttributeError) as problem:
            raise ControlError(f"a phone needs an id (telegram) or a number (sms): {problem}") from problem
        return self.phones()

    def phones(self) -> list[dict[str, Any]]:
        cards = [chat.card() for chat in self.telegram.chats.values()]
        return cards + [phone.card() for phone in self.sms.phones.values()]

    def write(self, user: int, text: str, *, chat: int | None = None) -> dict[str, Any]:
        return telegram_phone.write(self.telegram, user, text, chat=chat)

    def press(
        self, user: int, message_id: int, button: str, *, chat: int | None = None, anyway: bool = False
    ) -> dict[str, Any]:
        return telegram_phone.press(self.telegram, user, message_id, button, chat=chat, anyway=anyway)

    def press_key(self, user: int, label: str) -> dict[str, Any]:
        return telegram_phone.press_key(self.telegram, user, label)

    def send_file(
        self,
        user: int,
        name: str,
        content: bytes,
        *,
        mime: str = "application/octet-stream",
        caption: str = "",
    ) -> dict[str, Any]:
        upload = Upload(name=name, mime=mime, content=content)
        return telegram_phone.send_file(self.telegram, user, upload, caption=caption)

    def block(self, user: int, *, on: bool = True, why: str = "blocked") -> dict[str, Any]:
        return telegram_phone.bar(self.telegram, user, on=on, why=why)

    def reply(self, number: str, body: str, *, to: str | None = None) -> dict[str, Any]:
        return self.sms.reply(number, body, to)

    # What the phones received, and what is under way

    def ledger(self, after: int = 0, *, everything: bool = False) -> list[Row]:
        """What the phones received after row `after`; with `everything` also what their owners did."""
        return self.stage.ledger.after(after, everything=everything)

    def thread(self, phone: str) -> list[dict[str, Any]]:
        """The messages a phone shows now, oldest first."""
        return self._drawn(phone)

    def pinned(self, phone: str) -> list[dict[str, Any]]:
        """The pinned messages of a Telegram phone, oldest first."""
        chat = self._chat(phone)
        return [chat.bubble(number) for number in sorted(chat.pinned) if chat.held(number)] if chat else []

    def _drawn(self, phone: str, last: int = 0) -> list[dict[str, Any]]:
        """A phone's messages, or its `last` ones: what is not shown is not drawn."""
        chat = self._chat(phone)
        if chat is not None:
            kept = [number for number, held in chat.messages.items() if not held.gone]
            return [chat.bubble(number) for number in kept[-last:]]
        return [message.bubble() for message in self.sms.of_phone(phone)[-last:]]

    def _chat(self, phone: str) -> Chat | None:
        channel, _, user = phone.partition(":")
        return self.telegram.chats.get(int(user)) if channel == "telegram" else None

    def snapshot(self) -> dict[str, Any]:
        """All an open page needs to draw itself."""
        return {
            "phones": self.phones(),
            "threads": {card["phone"]: self._drawn(card["phone"], _THREAD) for card in self.phones()},
            "commands": self.telegram.commands,
            "chaos": self.chaos_state(),
        }

    def state(self) -> dict[str, Any]:
        """`idle` is true when nothing due is undelivered; callbacks of a later time are told by `next_at`."""
        callbacks, updates = self.stage.courier.due(), self.telegram.updates.unconfirmed()
        next_at = self.stage.courier.next_at()
        return {
            "idle": not callbacks and not updates,
            "callbacks": callbacks,
            "updates": updates,
            "next_at": next_at.isoformat() if next_at else None,
        }

    def next_at(self) -> datetime | None:
        """When the clock must have come for the next delayed callback."""
        return self.stage.courier.next_at()

    async def deliver(self) -> None:
        """Carry every callback and webhook update that is due. Not from inside a webhook handler."""
        await self.stage.courier.drain()

    async def idle(self, timeout: float = 10) -> bool:  # noqa: ASYNC109 - the waiting time is the answer's condition
        """Deliver, then wait up to `timeout` real seconds until a polling bot has confirmed all updates."""
        while True:
            await self.deliver()
            if self.state()["idle"]:
                return True
            if not await self.stage.changed.wait(timeout):
                return False

    # Faults and settings

    def chaos(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Plan a fault (fields as in POST /sim/chaos); `{"clear": true}` calls off all. Raises ChaosError."""
        if wish.get("clear"):
            self.stage.chaos.faults.clear()
        else:
            self.stage.chaos.plan(wish)
        self.stage.feed.tell("chaos", self.chaos_state)
        return self.chaos_state()

    def chaos_state(self) -> dict[str, Any]:
        planned = [
            {
                "channel": f.channel,
                "kind": f.kind,
                "times": f.times,
                "probability": f.probability,
                "how": f.how,
                "to": f.to,
            }
            for f in self.stage.chaos.faults
        ]
        return {"planned": planned, "fired": dict(self.stage.chaos.fired)}

    def configure(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Change `inbound_url` (one, or one per number), `limits`, `callback_delay`, `list_lag` (seconds)."""
        if "inbound_url" in wish:
            given = wish["inbound_url"]
            same = {} if given is None else dict.fromkeys(self.sms.numbers, given)
            self.sms.inbound = dict(given) if isinstance(given, Mapping) else same
        if "limits" in wish:
            given = wish["limits"]
            try:
                self.telegram.limits = Limits.off() if given == "off" else Limits(**(given or {}))
            except TypeError as problem:
                raise ControlError(f"limits: {problem}") from problem
        for name, owner in (("callback_delay", self.sms), ("list_lag", self.sms)):
            if name in wish:
                setattr(owner, name, timedelta(seconds=float(wish[name])))
        return {
            "inbound_url": self.sms.inbound,
            "callback_delay": self.sms.callback_delay.total_seconds(),
            "list_lag": self.sms.list_lag.total_seconds(),
        }

    def reset(self) -> None:
        """Forget phones, messages, faults and the queue; identifiers and ledger numbers go on."""
        self.telegram.updates.release()
        old_bot, old_sms = self.telegram, self.sms
        self.stage.courier.forget()
        self.stage.ledger.forget()
        self.stage.chaos.faults.clear()
        self.stage.chaos.fired.clear()
        self.telegram = BotApi(
            self.stage, token=self.bot_token, username=self._username, limits=old_bot.limits
        )
        self.sms = Twilio(
            self.stage,
            account_sid=self.account_sid,
            auth_token=self.auth_token,
            numbers=old_sms.numbers,
            inbound=None,
            callback_delay=old_sms.callback_delay,
        )
        self.sms.inbound = old_sms.inbound
        self.stage.changed.ring()
        self.stage.feed.tell("snapshot", self.snapshot)

    def close(self) -> None:
        """End open pages and long polls, so that a server can stop at once."""
        self.telegram.updates.release()
        self.stage.feed.close()
        self.stage.ledger.close()


def _stage(now: Callable[[], datetime], seed: int, ledger_path: Path | None, deliver_to: str | None) -> Stage:
    """The common ground; identifiers go on where an earlier run's ledger stopped."""
    changed = Bell()
    stage = Stage(
        now=now,
        ids=Ids(seed),
        ledger=Ledger(ledger_path),
        chaos=Chaos(seed),
        courier=Courier(now, changed, deliver_to),
        feed=Feed(),
        changed=changed,
    )
    for row in stage.ledger.earlier:
        stage.ids.counts["update"] += str(row["id"]).startswith("update:")
        stage.ids.counts["SM"] += str(row["id"]).startswith("SM")
    return stage
