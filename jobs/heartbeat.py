"""The heart: proof, written down, that jobs run and the database takes what they write."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from reminder.actions import away, health
from reminder.logs import log
from reminder.runtime import Runtime

TELL_EVERY = timedelta(minutes=1)
_TOLD = "heartbeat.told"


async def heartbeat(rt: Runtime) -> int:
    """Beat; and once a minute tell whoever watches from outside, but only while the work keeps up."""
    now = rt.clock.now()
    async with rt.db.write() as tx:
        await away.notice(tx, now)
        await health.beat(tx, now)
    if (
        rt.watcher is not None
        and _is_time(rt, now)
        and (await health.look(rt.db, now, rt.desk.instance, rt.stopped())).ready
    ):
        rt.memo[_TOLD] = now
        await _tell(rt.watcher)
    return 0


def _is_time(rt: Runtime, now: datetime) -> bool:
    """So long since the last time; also by a clock that was set back meanwhile."""
    told = rt.memo.get(_TOLD)
    return not isinstance(told, datetime) or abs(now - told) >= TELL_EVERY


async def _tell(watcher: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(5):
            await watcher()
    except Exception as error:  # the watcher's trouble is not ours
        log.warning("heartbeat.untold", error=type(error).__name__)
