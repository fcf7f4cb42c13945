"""The look before anything leaves: were we away, did the clock jump, are there far too many at once?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reminder.actions import away, holding
from reminder.domain.people import Channel
from reminder.domain.storms import Reading, agrees, jumped, most_at_once
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import holds
from reminder.store.database import Tx
from reminder.valves import Guard

EARLIER = 7
"""Days whose same hour tells what is usual."""

SOON = timedelta(seconds=1)
ASK_EVERY = 60.0
"""Seconds between two looks at another machine's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Which messages may leave: all, only those that tell of a hold, or none before a moment."""

    only_asks: bool = False
    right_clock: bool = True
    """False: what our clock says is not to be acted on, not even to call something too late."""
    until: datetime | None = None


async def begin(rt: Runtime) -> None:
    """Before the first job runs: from here on is compared, and a long silence is noticed.

    A clock that is ahead when we start has not leapt before our eyes: another machine's tells.
    """
    if rt.guard is None:
        return
    elsewhere = await rt.elsewhere() if rt.elsewhere is not None else None
    _compare(rt, rt.guard)
    if elsewhere is not None and not agrees(now := rt.clock.now(), elsewhere):
        rt.guard.leap = max(rt.guard.leap, now - elsewhere)
    async with rt.db.write() as tx:
        _, rt.guard.row = await holds.new_since(tx, 0, after=None, but=())
        await away.notice(tx, rt.clock.now())


async def look(rt: Runtime) -> None:
    """Outside any transaction: is a clock that leapt right? Everything is held unless it is."""
    guard = rt.guard
    if guard is None:
        return
    _compare(rt, guard)
    async with rt.db.read() as tx:
        found = await holding.held(tx)
    asked_long_ago = rt.clock.monotonic() - guard.asked_at >= ASK_EVERY
    if not guard.leap and not (found is not None and found.why == "jump" and asked_long_ago):
        return
    guard.asked_at = rt.clock.monotonic()
    right = await _is_right(rt)
    async with rt.db.write() as tx:
        if guard.leap and not right:
            await holding.hold(tx, rt.desk, "jump", int(guard.leap.total_seconds() // 60))
        elif right and found is not None and found.why == "jump":
            await holding.let_go(tx, rt.desk)
    guard.leap = timedelta(0)


async def _is_right(rt: Runtime) -> bool:
    """Another machine's clock confirms ours: the machine has slept, or the clock was wrong before."""
    elsewhere = await rt.elsewhere() if rt.elsewhere is not None else None
    right = elsewhere is not None and agrees(rt.clock.now(), elsewhere)
    log.warning("clock.asked", right=right, answered=elsewhere is not None)
    return right


def _compare(rt: Runtime, guard: Guard) -> None:
    """A leap is kept until `look` has judged it."""
    reading = Reading(wall=rt.clock.now(), monotonic=rt.clock.monotonic())
    if guard.clocks is not None:
        guard.leap = max(guard.leap, jumped(guard.clocks, reading))
    guard.clocks = reading


async def believed(tx: Tx, rt: Runtime) -> bool:
    """Whether our clock may be acted on: nothing falls due by one that leapt until it is judged."""
    if rt.guard is None:
        return True
    _compare(rt, rt.guard)
    found = await holding.held(tx)
    return not rt.guard.leap and (found is None or found.why != "jump")


async def clear(tx: Tx, rt: Runtime, channel: Channel) -> Way:
    """In the transaction that would claim, so that nothing slips through between the look and the claim."""
    now = rt.clock.now()
    if not await believed(tx, rt):
        return Way(only_asks=True, right_clock=False)
    if rt.guard is not None:
        await _count(tx, rt, rt.guard, now)
    if await holding.held(tx) is not None:
        return Way(only_asks=True)
    await away.notice(tx, now)
    found = await away.gathering(tx)
    if found is None or channel is not Channel.TELEGRAM:
        return Way()
    if not await away.complete(tx, found, now):
        return Way(until=now + SOON)
    await away.sum_up(tx, rt.desk, found)
    return Way()


async def _count(tx: Tx, rt: Runtime, guard: Guard, now: datetime) -> None:
    """Far more than ever at this hour is more likely a fault of ours than a busy day.

    What fell due while we were away is explained, and so are kinds of which each person gets one.
    """
    but = (*away.ONE_BY_ONE, away.KIND)
    back = await away.back_at(tx)
    n, guard.row = await holds.new_since(tx, guard.row, after=back, but=but)
    if n <= most_at_once(0):
        return
    busiest = await holds.busiest(tx, now, days=EARLIER, but=but)
    if n > most_at_once(busiest):
        await holding.hold(tx, rt.desk, "storm", n, most_at_once(busiest))
