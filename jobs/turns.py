"""One worker at a time sends for a bot or a number, and the next one knows what the last one has sent."""

import asyncio

from reminder.domain.people import Sender
from reminder.runtime import Runtime
from reminder.store import turns
from reminder.store.database import Tx

LEASE = 10.0
"""Real seconds a turn lasts without word of its owner: its death holds up the rest for no longer."""


async def take(tx: Tx, rt: Runtime, sender: Sender) -> bool:
    """In the transaction that would claim. A process that is alone always has its turn."""
    if rt.turns is None:
        return True
    asked_at = steady()  # before the answer, so that we never believe in it for longer than the others do
    turn = await turns.take(tx, sender.key, rt.turns.me, LEASE)
    if turn is None:
        rt.turns.until.pop(sender.key, None)
        return False
    rt.turns.until[sender.key] = asked_at + LEASE
    if rt.turns.fences.get(sender.key) != turn.fence:
        rt.turns.fences[sender.key] = turn.fence
        rt.valve(sender).recall(turn.ages, rt.clock.monotonic())
    return True


async def keep(tx: Tx, rt: Runtime, sender: Sender) -> None:
    """What the valve has let through, in the same transaction."""
    if rt.turns is not None:
        ages = rt.valve(sender).ages(rt.clock.monotonic())
        await turns.keep(tx, sender.key, rt.turns.me, ages)


def lasts(rt: Runtime, sender: Sender) -> bool:
    """Just before a call: a process that stood still has lost its turn, and somebody else sends."""
    return rt.turns is None or steady() < rt.turns.until.get(sender.key, 0.0)


async def give_back(rt: Runtime, sender: Sender) -> None:
    """Nothing is left to send; whoever finds something next may."""
    if rt.turns is None or rt.turns.until.pop(sender.key, None) is None:
        return
    async with rt.db.write() as tx:
        await turns.give_back(tx, sender.key, rt.turns.me)


async def hold(rt: Runtime, name: str, seconds: float) -> bool:
    """A turn at something that is not sending, for so long from now on."""
    assert rt.turns is not None
    async with rt.db.write() as tx:
        return await turns.take(tx, name, rt.turns.me, seconds) is not None


async def let_go(rt: Runtime, name: str) -> None:
    """Who stops in good order leaves it to the next one at once."""
    assert rt.turns is not None
    async with rt.db.write() as tx:
        await turns.give_back(tx, name, rt.turns.me)


def steady() -> float:
    """Seconds of the machine's clock that nobody sets, which runs on while a process is stopped."""
    return asyncio.get_running_loop().time()
