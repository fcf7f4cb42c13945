"""What a job, a command or a request may touch: the database, the desk, the channels."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from reminder.actions.desk import Desk
from reminder.channels.base import POOL, ChatPort, SmsPort
from reminder.clock import Clock
from reminder.domain.people import Channel
from reminder.instance import Instance
from reminder.metrics import Meters
from reminder.store.database import Database, Tx
from reminder.valves import Guard, Turns, Valve, new_valves, troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How the outside reaches us. `public_url` is the configured one; the Host header is never believed."""

    public_url: str
    twilio_tokens: tuple[str, ...] = ()
    twilio_account: str = ""
    hook_path: str = ""
    """Where Telegram posts updates to; empty: they are asked for."""
    hook_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One per process. Opens no transaction by itself; whoever opens one closes it."""

    db: Database
    desk: Desk
    chat: ChatPort | None = None
    sms: SmsPort | None = None
    web: Web | None = None
    bot_name: str = ""
    instance: Instance | None = None
    """What this machine remembers outside the database; None: a play, or a test."""
    concurrency: int = POOL
    """Calls of one channel that may be under way at once."""
    memo: dict[str, object] = field(default_factory=dict)
    """What jobs remember between ticks and may forget at any time."""

    valves: dict[Channel, Valve] = field(default_factory=new_valves)
    turns: Turns | None = None
    """Of one worker among others; None: this process is alone."""
    guard: Guard | None = None
    """Of a process that serves: a clock moved by hand steps from event to event and never jumps."""
    elsewhere: Callable[[], Awaitable[datetime | None]] | None = None
    """Another machine's clock, asked when ours seems to have jumped."""

    meters: Meters = field(default_factory=Meters)
    watcher: Callable[[], Awaitable[None]] | None = None
    """Tells somebody outside that we keep up; silence is the alarm."""

    announce: Callable[[Tx], Awaitable[None]] | None = None
    """Of a worker: asks, within the transaction that writes messages, for the jobs that send them."""

    bells: dict[Channel, asyncio.Event] = field(default_factory=lambda: {c: asyncio.Event() for c in Channel})
    """Rung when there is something new to send on a channel, or a call has ended."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is about to end: nothing new is begun."""

    waker: Callable[[str], None] = lambda _name: None
    """Asks the scheduler to run a job now; the demo and tests run jobs themselves."""

    def wake(self, job: str) -> None:
        self.waker(job)

    def ring(self) -> None:
        """Messages have been written that may go at once."""
        for channel, bell in self.bells.items():
            bell.set()
            self.wake(f"dispatch {channel}")

    def stopped(self) -> list[str]:
        """Channels on which nothing leaves just now, each in a sentence."""
        return troubles(self.valves, self.clock.now())

    @property
    def clock(self) -> Clock:
        return self.desk.clock
