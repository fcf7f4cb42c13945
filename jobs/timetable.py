"""READ FIRST: the whole background life of the program, one line each. Ticks only wake; truth is rows."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.digest import refresh_digests
from jobs.dispatch import dispatch_sms, dispatch_telegram, sms_next, telegram_next
from jobs.heartbeat import heartbeat
from jobs.housekeeping import housekeep, sweep
from jobs.inbound import fetch_missed
from jobs.inbox import read_inbox
from jobs.reconcile import reconcile
from jobs.remind import next_entry, remind
from jobs.settle import settle
from reminder.actions.health import PULSE_EVERY
from reminder.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One async function of the runtime, safe to run twice, late, or beside itself."""

    name: str
    run: Callable[[Runtime], Awaitable[int]]
    every: timedelta
    next: Callable[[Runtime], Awaitable[datetime | None]] | None = None
    """The moment of the next piece of work, where that is known."""
    chunk: bool = False
    """On many machines its shares enter the queue (`dispatch.shares`), each while something of it is due."""

    async def seconds(self, rt: Runtime) -> float | None:
        """Until the next piece of work; None: there is none."""
        found = await self.next(rt) if self.next is not None else None
        return (found - rt.clock.now()).total_seconds() if found is not None else None


WATCH = (Job(name="heartbeat", run=heartbeat, every=PULSE_EVERY),)
"""Of a process that serves; a play on a clock of its own has nobody to tell."""

TIMETABLE = (
    Job(name="inbox", run=read_inbox, every=timedelta(seconds=1)),
    Job(name="remind", run=remind, every=timedelta(seconds=1), next=next_entry),
    Job(
        name="dispatch telegram",
        run=dispatch_telegram,
        every=timedelta(seconds=1),
        next=telegram_next,
        chunk=True,
    ),
    Job(name="dispatch sms", run=dispatch_sms, every=timedelta(seconds=1), next=sms_next, chunk=True),
    Job(name="settle", run=settle, every=timedelta(seconds=5)),
    Job(name="inbound", run=fetch_missed, every=timedelta(minutes=1)),
    Job(name="reconcile", run=reconcile, every=timedelta(minutes=1)),
    Job(name="digest", run=refresh_digests, every=timedelta(seconds=2)),
    Job(name="housekeeping", run=housekeep, every=timedelta(minutes=1)),
    Job(name="sweep", run=sweep, every=timedelta(hours=24)),
)


def delays(rt: Runtime) -> dict[str, Callable[[], Awaitable[float | None]]]:
    """By job, how long until its next piece of work, where that is known."""
    return {job.name: functools.partial(job.seconds, rt) for job in TIMETABLE if job.next is not None}
