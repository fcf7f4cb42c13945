"""Planned reminders leave: intent committed, then the call with no transaction open, then its result."""

import asyncio

from reminder.actions.deliveries import hear
from reminder.actions.dispatching import claim
from reminder.channels.base import Port
from reminder.domain.messages import Outgoing
from reminder.failpoints import failpoint
from reminder.runtime import Runtime
from reminder.store import overview, reminders

ROUNDS = 1000
"""At most so many batches in one tick."""


async def dispatch(rt: Runtime) -> int:
    """Send what is ready, each channel on its own: a slow one holds up nobody else. Returns the count.

    With a concurrency of one it is one message at a time over all channels, in an order that repeats itself.
    """
    async with rt.db.read() as tx:
        first = await reminders.next_send_at(tx)
    if first is None or first > rt.clock.now():
        return 0
    ports: list[Port] = [port for port in (rt.chat, rt.sms) if port is not None]
    if rt.concurrency == 1:
        return sum([await _channel(rt, port) for port in ports])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_channel(rt, port)) for port in ports]
    return sum(task.result() for task in tasks)


async def _channel(rt: Runtime, port: Port) -> int:
    total = 0
    for _ in range(ROUNDS):
        failpoint("claim.before_begin")
        async with rt.db.write() as tx:
            batch = await claim(tx, rt.desk, port.name, rt.concurrency)
            newest = await overview.newest(tx) if batch and rt.instance is not None else 0
        if rt.instance is not None:
            rt.instance.sent(newest)  # before anything leaves: an older database is then known as one
        failpoint("claim.after_commit")
        if not batch:
            break
        async with asyncio.TaskGroup() as group:
            for outgoing in batch:
                group.create_task(_send(rt, port, outgoing))
        total += len(batch)
    return total


async def _send(rt: Runtime, port: Port, outgoing: Outgoing) -> None:
    failpoint(f"call.{port.name}.before")
    begun = rt.clock.monotonic()
    news = await port.send(outgoing)
    rt.meters.called(port.name.value, type(news).__name__.lower(), rt.clock.monotonic() - begun)
    failpoint(f"call.{port.name}.after_answer")
    async with rt.db.write() as tx:
        failpoint("result.after_begin")
        await hear(tx, rt.desk, outgoing.token, news)
        failpoint("result.before_commit")
    failpoint("result.after_commit")
