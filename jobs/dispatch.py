"""Planned reminders leave: intent committed, then the call with no transaction open, then its result."""

import asyncio

from jobs import turns
from jobs.guarding import clear, look
from reminder.actions import holding
from reminder.actions.deliveries import hear
from reminder.actions.dispatching import claim, end_late
from reminder.channels.base import Port
from reminder.domain.messages import Answer, Declined, NotSent, Outgoing
from reminder.domain.people import Channel
from reminder.failpoints import failpoint
from reminder.runtime import Runtime
from reminder.store import holds, overview, reminders
from reminder.store.database import Tx

ROUNDS = 1000
"""At most so many batches in one tick."""

PATIENCE = 3.0
"""Seconds one tick waits, in all, for the channel's rate to let more through."""


async def dispatch(rt: Runtime) -> int:
    """Send what is ready on every channel. Returns the count.

    With a concurrency of one it is one message at a time over all channels, in an order that repeats itself.
    """
    async with rt.db.read() as tx:
        first = await reminders.next_send_at(tx)
    if rt.guard is None and (first is None or first > rt.clock.now()):
        return 0
    ports: list[Port] = [port for port in (rt.chat, rt.sms) if port is not None]
    if rt.concurrency == 1:
        return sum([await _channel(rt, port) for port in ports])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_channel(rt, port)) for port in ports]
    return sum(task.result() for task in tasks)


async def dispatch_telegram(rt: Runtime) -> int:
    """A job of its own: however slow texts are, this one's next tick comes when it should."""
    return await _if_due(rt, rt.chat)


async def telegram_waits(rt: Runtime) -> bool:
    """Whether a message could go now: of many machines' ticks only such a one becomes a job."""
    return rt.chat is not None and await _waits(rt, rt.chat)


async def sms_waits(rt: Runtime) -> bool:
    """As `telegram_waits`."""
    return rt.sms is not None and await _waits(rt, rt.sms)


async def _waits(rt: Runtime, port: Port) -> bool:
    async with rt.db.read() as tx:
        first = await holds.next_send_at(tx, port.name.value)
    return first is not None and first <= rt.clock.now()


async def dispatch_sms(rt: Runtime) -> int:
    """As `dispatch_telegram`."""
    return await _if_due(rt, rt.sms)


async def _if_due(rt: Runtime, port: Port | None) -> int:
    if port is None:
        return 0
    if rt.guard is None and not await _waits(rt, port):
        return 0
    return await _channel(rt, port)


async def _channel(rt: Runtime, port: Port) -> int:
    total, waited, valve = 0, 0.0, rt.valves[port.name]
    await look(rt)
    for _ in range(ROUNDS):
        failpoint("claim.before_begin")
        async with rt.db.write() as tx:
            batch = await _take(tx, rt, port.name)
            newest = await overview.newest(tx) if batch and rt.instance is not None else 0
        if rt.instance is not None:
            rt.instance.sent(newest)  # before anything leaves: an older database is then known as one
        failpoint("claim.after_commit")
        if batch:
            async with asyncio.TaskGroup() as group:
                for outgoing in batch:
                    group.create_task(_send(rt, port, outgoing))
            total += len(batch)
            continue
        wait = valve.wait(rt.clock.monotonic())
        if wait <= 0 or waited + wait > PATIENCE:
            break
        waited += wait
        await rt.clock.sleep(wait)
    await turns.give_back(rt, port.name)
    return total


async def _take(tx: Tx, rt: Runtime, channel: Channel) -> list[Outgoing]:
    """What may leave now, if anything may, and we are the one who sends."""
    if not await turns.take(tx, rt, channel):
        return []
    valve, now, monotonic = rt.valves[channel], rt.clock.now(), rt.clock.monotonic()
    way = await clear(tx, rt, channel)
    until = valve.shut_until(now) or way.until
    if way.right_clock and (until is not None or way.only_asks):
        await end_late(tx, rt.desk, channel)
    if until is not None:
        if way.right_clock:
            # Put off, so that nobody asks in vain; by a clock that may be wrong nothing is put anywhere.
            await holding.put_off(tx, channel, until)
        return []
    room = valve.room(now, monotonic, rt.concurrency)
    if room <= 0:
        return []
    only = holding.ASKS if way.only_asks else ()
    batch = await claim(tx, rt.desk, channel, room, resting=valve.resting(monotonic), only=only)
    valve.took(batch, monotonic)
    await turns.keep(tx, rt, channel)
    return batch


async def _called(rt: Runtime, port: Port, outgoing: Outgoing) -> tuple[Answer, bool]:
    """The answer, and whether the provider has just begun to refuse our account."""
    begun = rt.clock.monotonic()
    news = await port.send(outgoing)
    rt.meters.called(port.name.value, type(news).__name__.lower(), rt.clock.monotonic() - begun)
    failpoint(f"call.{port.name}.after_answer")
    return news, rt.valves[port.name].heard(outgoing.to, news, rt.clock.now())


async def _send(rt: Runtime, port: Port, outgoing: Outgoing) -> None:
    failpoint(f"call.{port.name}.before")
    news: Answer
    if turns.lasts(rt, port.name):
        news, refused = await _called(rt, port, outgoing)
    else:
        news, refused = NotSent(reason="turn_over"), False
    async with rt.db.write() as tx:
        failpoint("result.after_begin")
        await hear(tx, rt.desk, outgoing.token, news)
        if refused and isinstance(news, Declined):
            await holding.channel_refused(tx, rt.desk, port.name, news.code)
        failpoint("result.before_commit")
    failpoint("result.after_commit")
