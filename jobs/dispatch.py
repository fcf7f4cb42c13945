"""Planned reminders leave: intent committed, then the call with no transaction open, then its result."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jobs import turns
from jobs.guarding import clear, look
from reminder.actions import holding
from reminder.actions.deliveries import hear_all
from reminder.actions.dispatching import Claimed, claim, end_late
from reminder.domain.messages import Answer, Declined, NotSent, Outgoing, Unknown
from reminder.domain.people import Channel, Sender, of_bot
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import holds, overview
from reminder.store.database import DatabaseAway, Tx

PATIENCE = 3.0
"""Seconds one tick waits, in all, for the channel's rate to let more through."""

TRIES = 20
"""How often an answer is tried to be written down, a second apart, while the database is away."""

LOOK = 1.0
"""Seconds, at most, between two looks for more while calls are under way."""


async def dispatch(rt: Runtime) -> int:
    """Send what is ready by every sender. Returns the count.

    With a concurrency of one it is one message at a time over all of them, in an order that repeats itself.
    """
    return await dispatch_by(rt, rt.senders)


async def dispatch_telegram(rt: Runtime) -> int:
    """A job of its own: however slow texts are, this one's next tick comes when it should."""
    return await dispatch_by(rt, [one for one in rt.senders if one.channel is Channel.TELEGRAM])


async def dispatch_sms(rt: Runtime) -> int:
    """As `dispatch_telegram`."""
    return await dispatch_by(rt, [one for one in rt.senders if one.channel is Channel.SMS])


SHARES = 8
"""So many workers at most send by a channel's bots at once, however many bots there are."""


def shares(rt: Runtime) -> dict[str, list[Sender]]:
    """Who sends, by the job that has them on many machines: a few bots each, and one for the number.

    In the order of the bots' own numbers: machines with the same bots agree on it.
    """
    found: dict[str, list[Sender]] = {}
    further = sorted(bot for bot in rt.bots if bot is not None)
    share = {bot: n % SHARES for n, bot in enumerate([None, *further])}
    for one in rt.senders:
        found.setdefault(of_bot(f"dispatch {one.channel}", share[one.bot] or None), []).append(one)
    return found


async def waits_for(rt: Runtime, senders: list[Sender]) -> bool:
    """Whether anything of a share may go now. For several bots it is first asked what is cheap to know."""
    if senders[0].others and not await _waits(rt, Sender(channel=senders[0].channel)):
        return False
    for one in senders:
        if await _waits(rt, one):
            return True
    return False


async def dispatch_by(rt: Runtime, senders: list[Sender]) -> int:
    """Beside each other: what holds up one of them, or fails, is nothing to the others."""
    if rt.concurrency == 1 or len(senders) == 1:
        return sum([await _sender(rt, sender) for sender in senders if await _to_do(rt, sender)])
    busy = {sender.key for sender in senders}
    beside = [_beside(rt, sender, senders, busy) for sender in senders]
    found = await asyncio.gather(*beside, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return sum(one for one in found if isinstance(one, int))


async def _beside(rt: Runtime, sender: Sender, senders: list[Sender], busy: set[str]) -> int:
    """Send by one of several; look again while another is busy, for the job ends with the last of them."""
    begun, bell = 0, rt.bells[sender.key]
    try:
        due = await _to_do(rt, sender)
        while True:
            bell.clear()
            if due:
                busy.add(sender.key)
                begun += await _sender(rt, sender)
            busy.discard(sender.key)
            if not busy or rt.stopping.is_set():
                return begun
            await _rung(bell, LOOK)
            due = await _waits(rt, sender)
    finally:
        busy.discard(sender.key)
        if not busy:
            for other in senders:
                rt.bells[other.key].set()


async def telegram_next(rt: Runtime) -> datetime | None:
    """When the next message may go, if that is before the next tick and there is somebody to carry it."""
    return await _first(rt, Channel.TELEGRAM) if rt.chat is not None else None


async def sms_next(rt: Runtime) -> datetime | None:
    """As `telegram_next`."""
    return await _first(rt, Channel.SMS) if rt.sms is not None else None


async def _first(rt: Runtime, channel: Channel) -> datetime | None:
    return await _next(rt, Sender(channel=channel), rt.clock.now() + timedelta(seconds=LOOK))


async def _next(
    rt: Runtime, sender: Sender, before: datetime, since: datetime | None = None
) -> datetime | None:
    async with rt.db.read() as tx:
        return await holds.next_send_at(tx, sender, before, since)


async def _waits(rt: Runtime, sender: Sender, since: datetime | None = None) -> bool:
    return await _next(rt, sender, rt.clock.now(), since) is not None


def _since(rt: Runtime, sender: Sender) -> datetime | None:
    """SQLite has nothing to walk over."""
    return None if rt.db.sqlite else rt.floors[sender.key].since(turns.steady())


async def _to_do(rt: Runtime, sender: Sender) -> bool:
    """Whether to try: with a guard the first bot and the number always do, so that it looks at every tick."""
    return (rt.guard is not None and sender.bot is None) or await _waits(rt, sender)


async def _sender(rt: Runtime, sender: Sender) -> int:
    """Claim and send until nothing waits and every call has its result."""
    waited, more, slept, bell = 0.0, True, False, rt.bells[sender.key]
    async with asyncio.TaskGroup() as group:
        calls = _Calls(rt, sender, group)
        while True:
            bell.clear()
            if (await calls.record() or slept) and not more:
                more = await _waits(rt, sender, _since(rt, sender))  # perhaps on a line that is free now
            slept = False
            if more and calls.may_claim:
                more = await calls.claim()
                await asyncio.sleep(0)  # the calls begin
            elif calls.lines:
                await _rung(bell, LOOK if more else await _patience(rt, sender))
                slept = True
            else:
                wait = rt.valve(sender).wait(rt.clock.monotonic())
                if wait <= 0 or waited + wait > PATIENCE or rt.stopping.is_set() or calls.failed:
                    break
                await rt.clock.sleep(wait)
                waited, more = waited + wait, True
    if calls.failed is not None:
        raise calls.failed
    await turns.give_back(rt, sender)
    return calls.begun


async def _rung(bell: asyncio.Event, patience: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await bell.wait()


async def _patience(rt: Runtime, sender: Sender) -> float:
    """Seconds until there may be something to claim, if nobody rings before."""
    wait = rt.valve(sender).wait(rt.clock.monotonic())
    now = rt.clock.now()
    soon, since = now + timedelta(seconds=LOOK), _since(rt, sender)
    if wait <= 0 and (first := await _next(rt, sender, soon, since)) is not None:
        wait = (first - now).total_seconds()
    return min(wait, LOOK) if wait > 0 else LOOK


class _Calls:
    """What is under way by one sender. A line is free again when the result of its message is written."""

    def __init__(self, rt: Runtime, sender: Sender, group: asyncio.TaskGroup) -> None:
        self._rt, self._sender, self._group = rt, sender, group
        self._valve = rt.valve(sender)
        self.lines: dict[str, str] = {}
        """By attempt."""
        self.begun = 0
        self.failed: Exception | None = None
        """Why nothing more is claimed; what is under way still gets its result."""
        self._claimed_at = float("-inf")
        self._landed: list[_Landed] = []

    @property
    def _room(self) -> int:
        return self._rt.concurrency - len(self.lines)

    @property
    def may_claim(self) -> bool:
        """In chunks, not one for each that ends; but those that hang do not keep the last places free."""
        if self._rt.stopping.is_set() or self.failed is not None:
            return False
        enough = 1 if turns.steady() - self._claimed_at >= LOOK else (self._rt.concurrency + 1) // 2
        return self._room >= enough

    async def claim(self) -> bool:
        """Take what may leave now, and begin its calls; whether there may be more."""
        try:
            return await self._claim()
        except Exception as error:  # raised once the calls under way have their results
            self.failed = error
            return False
        finally:
            self._claimed_at = turns.steady()

    async def _claim(self) -> bool:
        rt = self._rt
        await look(rt)
        failpoint("claim.before_begin")
        async with rt.db.write() as tx:
            claimed = await self._take(tx)
            newest = await overview.newest(tx) if claimed.leaving and rt.instance is not None else 0
        if newest and rt.instance is not None:
            rt.instance.sent(newest)  # before anything leaves: an older database is then known as one
        failpoint("claim.after_commit")
        for outgoing, line in claimed.leaving:
            self.lines[outgoing.token] = line
            self._group.create_task(self._call(outgoing))
        self.begun += len(claimed.leaving)
        return claimed.more

    async def _take(self, tx: Tx) -> Claimed:
        """If anything may leave, and we are the one who sends."""
        rt, sender, valve = self._rt, self._sender, self._valve
        if not await turns.take(tx, rt, sender):
            return Claimed()
        now, monotonic = rt.clock.now(), rt.clock.monotonic()
        way = await clear(tx, rt, sender.channel)
        until = valve.shut_until(now) or way.until
        if way.right_clock and (until is not None or way.only_asks):
            await end_late(tx, rt.desk, sender.channel)
        if until is not None:
            if way.right_clock:
                # Put off, so that nobody asks in vain; by a clock that may be wrong nothing is put anywhere.
                await holding.put_off(tx, sender, until)
            return Claimed()
        room = valve.room(now, monotonic, self._room, flying=len(self.lines))
        if room <= 0:
            return Claimed()
        resting, only = valve.resting(monotonic), holding.ASKS if way.only_asks else ()
        everybody = not resting and not only
        since = _since(rt, sender) if everybody else None
        busy = set(self.lines.values())
        claimed = await claim(tx, rt.desk, sender, room, busy=busy, since=since, resting=resting, only=only)
        if everybody and claimed.first is not None:
            rt.floors[sender.key].found(claimed.first, since=since, steady=turns.steady())
        valve.took(claimed.outgoing, monotonic)
        await turns.keep(tx, rt, sender)
        return claimed

    async def _call(self, outgoing: Outgoing) -> None:
        rt, channel = self._rt, self._sender.channel
        failpoint(f"call.{channel}.before")
        news: Answer = NotSent(reason="turn_over")
        refused = False
        if turns.lasts(rt, self._sender):
            begun = rt.clock.monotonic()
            news = await self._sent(outgoing)
            rt.meters.called(channel.value, type(news).__name__.lower(), rt.clock.monotonic() - begun)
            failpoint(f"call.{channel}.after_answer")
            refused = self._valve.heard(outgoing.to, news, rt.clock.now())
        self._landed.append(_Landed(outgoing=outgoing, news=news, refused=refused))
        rt.bells[self._sender.key].set()

    async def _sent(self, outgoing: Outgoing) -> Answer:
        try:
            return await self._rt.port(self._sender).send(outgoing)
        except Exception as error:  # a port tells what happened and raises nothing; one that does is at fault
            log.error("call.raised", sender=self._sender.key, exc_info=error)
            return Unknown(reason="raised")

    async def record(self) -> bool:
        """Write down what has ended; whether anything has."""
        landed, self._landed = self._landed, []
        if landed:
            await self._keep(landed)
        return bool(landed)

    async def _keep(self, landed: list["_Landed"]) -> None:
        """Together, or, if one of them cannot be taken in, each by itself."""
        try:
            await self._write(landed)
        except DatabaseAway:
            await self._keep_for_later(landed)
            return
        except Exception as error:
            if len(landed) > 1:
                for one in landed:
                    await self._keep([one])
                return
            log.error("result.lost", error=type(error).__name__, exc_info=error)  # its lease will run out
        for one in landed:
            del self.lines[one.outgoing.token]

    async def _keep_for_later(self, landed: list["_Landed"]) -> None:
        """An answer is worth waiting for the database; in the end its row is settled as if it were lost."""
        log.warning("result.waits", sender=self._sender.key, n=len(landed))
        for one in landed:
            if one.tries < TRIES:
                self._landed.append(replace(one, tries=one.tries + 1))
            else:
                del self.lines[one.outgoing.token]
        await self._rt.clock.sleep(LOOK)

    async def _write(self, landed: list["_Landed"]) -> None:
        rt, channel = self._rt, self._sender.channel
        async with rt.db.write() as tx:
            failpoint("result.after_begin")
            await hear_all(tx, rt.desk, [(one.outgoing.token, one.news) for one in landed])
            for one in landed:
                if one.refused and isinstance(one.news, Declined):
                    await holding.channel_refused(tx, rt.desk, channel, one.news.code)
            failpoint("result.before_commit")
        failpoint("result.after_commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Landed:
    """A call that has ended; `refused`: the provider has just begun to refuse our account."""

    outgoing: Outgoing
    news: Answer
    refused: bool
    tries: int = 0
