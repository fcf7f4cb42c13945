"""READ FIRST: the whole background life of the program, one line each. Ticks only wake; truth is rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from jobs.digest import refresh_digests
from jobs.dispatch import dispatch_sms, dispatch_telegram, sms_waits, telegram_waits
from jobs.heartbeat import heartbeat
from jobs.housekeeping import housekeep, sweep
from jobs.inbound import fetch_missed
from jobs.inbox import read_inbox
from jobs.reconcile import reconcile
from jobs.remind import remind
from jobs.settle import settle
from reminder.actions.health import PULSE_EVERY
from reminder.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One async function of the runtime, safe to run twice, late, or beside itself."""

    name: str
    run: Callable[[Runtime], Awaitable[int]]
    every: timedelta
    waits: Callable[[Runtime], Awaitable[bool]] | None = None
    """Of a chunk, on many machines: whether there is anything due now; only then it enters the queue."""


WATCH = (Job(name="heartbeat", run=heartbeat, every=PULSE_EVERY),)
"""Of a process that serves; a play on a clock of its own has nobody to tell."""

TIMETABLE = (
    Job(name="inbox", run=read_inbox, every=timedelta(seconds=1)),
    Job(name="remind", run=remind, every=timedelta(seconds=1)),
    Job(name="dispatch telegram", run=dispatch_telegram, every=timedelta(seconds=1), waits=telegram_waits),
    Job(name="dispatch sms", run=dispatch_sms, every=timedelta(seconds=1), waits=sms_waits),
    Job(name="settle", run=settle, every=timedelta(seconds=5)),
    Job(name="inbound", run=fetch_missed, every=timedelta(minutes=1)),
    Job(name="reconcile", run=reconcile, every=timedelta(minutes=1)),
    Job(name="digest", run=refresh_digests, every=timedelta(seconds=2)),
    Job(name="housekeeping", run=housekeep, every=timedelta(minutes=1)),
    Job(name="sweep", run=sweep, every=timedelta(hours=24)),
)
