"""Places a message can be sent to in the conformance suite: memory, and the sandbox over real HTTP."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from reminder.channels.base import Inbound, Port
from reminder.channels.memory import MemoryChat, MemorySms, fail_before, lose, refuse, twice
from reminder.channels.telegram import Telegram
from reminder.channels.twilio import Twilio
from reminder.clock import ManualClock
from reminder.domain.messages import Refusal
from reminder.sandbox import Limits, app_of
from reminder.sandbox import World as Sandbox
from tests.sandbox.serve import serving

START = datetime(2026, 12, 2, 1, 0, tzinfo=UTC)
CHAT, OFFICE, LI = "700001", "+12025550100", "+12025550142"
AMPLE = timedelta(seconds=30)


class Place(Protocol):
    """One channel and what can be seen of the world behind it."""

    clock: ManualClock
    to: str

    @property
    def port(self) -> Port: ...

    def plan(self, mishap: str) -> None:
        """For the next message: refused, flood, lost, lost_500, failed or twice."""

    def received(self) -> list[str]:
        """The texts that arrived, oldest first."""
        ...


_MEMORY = {
    "refused": refuse(),
    "flood": fail_before(timedelta(seconds=5)),
    "lost": lose(copies=1),
    "lost_500": lose(copies=1),
    "failed": lose(),
    "twice": twice(),
}
_SANDBOX: dict[str, dict[str, Any]] = {
    "flood": {"kind": "flood", "retry_after": 5},
    "lost": {"kind": "lose", "how": "drop"},
    "lost_500": {"kind": "lose", "how": "502"},
    "failed": {"kind": "fail", "how": "drop"},
    "twice": {"kind": "twice"},
}


@dataclass
class SmsInMemory:
    clock: ManualClock
    to: str = LI

    def __post_init__(self) -> None:
        self.port = MemorySms(now=self.clock.now)

    def plan(self, mishap: str) -> None:
        change = _MEMORY[mishap]
        if mishap == "refused":
            change = refuse(Refusal.OPTED_OUT, "21610")
        self.port.script.append(change)

    def received(self) -> list[str]:
        return [row.text for row in self.port.ledger]

    def write(self, text: str) -> None:
        moment = self.clock.now()
        self.port.inbox.append(
            Inbound(
                provider_id=f"in{len(self.port.inbox)}", sender=LI, to=OFFICE, body=text, received_at=moment
            )
        )

    def blind(self) -> None:
        self.port.blind = lose().news


@dataclass
class ChatInMemory:
    clock: ManualClock
    to: str = CHAT

    def __post_init__(self) -> None:
        self.port = MemoryChat(now=self.clock.now)

    def plan(self, mishap: str) -> None:
        self.port.script.append(_MEMORY[mishap])

    def received(self) -> list[str]:
        return [row.text for row in self.port.ledger if not row.deleted]

    def buttons(self) -> list[list[str]]:
        return [[button.label for button in row] for row in self.port.ledger[-1].buttons]

    def write(self, text: str) -> None:
        number = len(self.port.waiting) + 1
        self.port.waiting.append({"update_id": number, "message": {"text": text}})


@dataclass
class SmsInSandbox:
    clock: ManualClock
    sandbox: Sandbox
    port: Twilio
    to: str = LI

    def plan(self, mishap: str) -> None:
        refused = {"kind": "refuse", "status": 400, "code": 21610}
        self.sandbox.chaos({"channel": "sms"} | (refused if mishap == "refused" else _SANDBOX[mishap]))

    def received(self) -> list[str]:
        return [text.body for text in self.sandbox.sms.messages.values() if text.to == LI]

    def write(self, text: str) -> None:
        self.sandbox.reply(LI, text, to=OFFICE)

    def blind(self) -> None:
        self.sandbox.chaos({"channel": "sms", "kind": "fail", "how": "500", "on": ["list"], "times": 9})


@dataclass
class ChatInSandbox:
    clock: ManualClock
    sandbox: Sandbox
    port: Telegram
    to: str = CHAT

    def plan(self, mishap: str) -> None:
        self.sandbox.chaos(
            {"channel": "telegram"} | ({"kind": "blocked"} if mishap == "refused" else _SANDBOX[mishap])
        )

    def received(self) -> list[str]:
        return [held.api["text"] for held in self._held()]

    def buttons(self) -> list[list[str]]:
        rows = self._held()[-1].api["reply_markup"]["inline_keyboard"]
        return [[button["text"] for button in row] for row in rows]

    def write(self, text: str) -> None:
        self.sandbox.write(int(CHAT), text)

    def _held(self) -> list[Any]:
        held = self.sandbox.telegram.chat(int(CHAT)).messages.values()
        return [one for one in held if one.api["from"]["is_bot"] and not one.gone]


@contextlib.asynccontextmanager
async def sandbox(clock: ManualClock) -> AsyncIterator[tuple[Sandbox, str]]:
    world = Sandbox(
        now=clock.now,
        bot_token="1:sandbox",
        account_sid="AC" + "0" * 32,
        auth_token="secret",
        limits=Limits.off(),
    )
    world.add_telegram(int(CHAT), "Wang Min", started=True)
    world.add_sms(LI, "Ms Li")
    async with serving(app_of(world)) as url:
        yield world, url


@contextlib.asynccontextmanager
async def place(kind: str) -> AsyncIterator[Place]:
    clock = ManualClock(START)
    if kind == "memory-sms":
        yield SmsInMemory(clock)
    elif kind == "memory-chat":
        yield ChatInMemory(clock)
    else:
        async with sandbox(clock) as (world, url):
            made: SmsInSandbox | ChatInSandbox
            if kind == "sandbox-sms":
                made = SmsInSandbox(clock, world, twilio_in(world, url))
            else:
                made = ChatInSandbox(
                    clock, world, Telegram(token=world.bot_token, base_url=url, deadline=AMPLE)
                )
            yield made
            await made.port.close()


def twilio_in(world: Sandbox, url: str, public_url: str = "") -> Twilio:
    return Twilio(
        account_sid=world.account_sid,
        auth_token=world.auth_token,
        sender=OFFICE,
        base_url=url,
        public_url=public_url,
        deadline=AMPLE,
    )
