"""What a job, a command or a request may touch: the database, the desk, the channels."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reminder.actions.desk import Desk
from reminder.channels.base import POOL, ChatPort, Port, SmsPort
from reminder.channels.bots import Bots
from reminder.clock import Clock
from reminder.domain.people import Channel, Sender
from reminder.floors import Floor
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

    def hook_of(self, bot: int | None) -> str:
        """The path of a bot; a further one's is under the first one's."""
        return self.hook_path if bot is None else f"{self.hook_path}/{bot}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One per process. Opens no transaction by itself; whoever opens one closes it."""

    db: Database
    desk: Desk
    chat: ChatPort | None = None
    sms: SmsPort | None = None
    web: Web | None = None
    bot_names: dict[int | None, str] = field(default_factory=dict)
    """By number, as far as they have said them yet; links to a bot bear its name."""
    instance: Instance | None = None
    """What this machine remembers outside the database; None: a play, or a test."""
    concurrency: int = POOL
    """Calls of one channel that may be under way at once."""
    memo: dict[str, object] = field(default_factory=dict)
    """What jobs remember between ticks and may forget at any time."""

    valves: dict[str, Valve] = field(default_factory=new_valves)
    """By sender, that of a further bot once it has sent (`valve`)."""
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

    bells: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    """By sender: rung when there is something new to send, or a call has ended."""
    floors: dict[str, Floor] = field(default_factory=lambda: defaultdict(Floor))
    """By sender: from where on it is looked for what may leave."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is about to end: nothing new is begun."""

    waker: Callable[[str], None] = lambda _name: None
    """Asks the scheduler to run a job now; the demo and tests run jobs themselves."""

    def wake(self, job: str) -> None:
        self.waker(job)

    def ring(self) -> None:
        """Messages have been written that may go at once."""
        for bell in self.bells.values():
            bell.set()
        for channel in Channel:
            self.wake(f"dispatch {channel}")

    @property
    def bots(self) -> Mapping[int | None, ChatPort]:
        """Each bot by its number, to be asked by itself; the first is None."""
        if self.chat is None:
            return {}
        return self.chat.bots if isinstance(self.chat, Bots) else {None: self.chat}

    @property
    def senders(self) -> list[Sender]:
        """All that messages leave by here."""
        others = tuple(bot for bot in self.bots if bot is not None)
        found = [Sender(channel=Channel.TELEGRAM, bot=bot, others=others) for bot in self.bots]
        return [*found, Sender(channel=Channel.SMS)] if self.sms is not None else found

    def port(self, sender: Sender) -> Port:
        """What a sender's messages go through: knows by each address which bot is meant."""
        port: Port | None = self.chat if sender.channel is Channel.TELEGRAM else self.sms
        assert port is not None
        return port

    def valve(self, sender: Sender) -> Valve:
        """A further bot bears as much as the first, and is judged by itself."""
        if sender.key not in self.valves:
            self.valves[sender.key] = self.valves[sender.channel].another()
        return self.valves[sender.key]

    def stopped(self) -> list[str]:
        """Channels on which nothing leaves just now, each in a sentence."""
        return troubles(self.valves, self.clock.now())

    @property
    def clock(self) -> Clock:
        return self.desk.clock
