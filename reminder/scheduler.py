"""The timetable as ticks: APScheduler wakes the jobs and knows nothing about reminders."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

from reminder.logs import log
from reminder.metrics import Meters

Tick = Callable[[], Awaitable[object]]
Delay = Callable[[], Awaitable[float | None]]
"""Seconds until there is work whose moment is known; None: no such work."""

SOON = timedelta(seconds=1)
"""What ticks so often does its first work at the start, not a period later."""


TOGETHER = 0.02
"""Seconds: what comes due within such a span is dealt with in one go."""


@dataclass(slots=True)
class _Job:
    name: str
    tick: Tick
    every: timedelta
    delay: Delay | None = None
    running: asyncio.Lock = field(default_factory=asyncio.Lock)
    again: bool = False
    lay: bool = False
    """Whether something was due after the last run that it had left."""
    began: float = float("-inf")
    alarm: asyncio.TimerHandle | None = None


async def measured(name: str, tick: Tick, meters: Meters) -> object:
    """What one tick comes to; None if it fails, which is logged: the work waits in rows."""
    clock = asyncio.get_running_loop()
    begun, found, ok = clock.time(), None, False
    try:
        found = await tick()
        ok = True
    except Exception as error:
        log.error("job.failed", job=name, error=type(error).__name__, exc_info=error)
    meters.ticked(name, clock.time() - begun, ok=ok)
    return found


class Scheduler:
    """Runs each job at its period, never beside itself; a call to `wake` runs one as soon as it can.

    A job of which it is known when it next has work is run then, not up to a period later.

    A failing tick is logged and the next one comes as usual: ticks only wake, the work waits in rows.
    """

    def __init__(
        self,
        jobs: Sequence[tuple[str, Tick, timedelta]],
        *,
        delays: Mapping[str, Delay] | None = None,
        meters: Meters | None = None,
    ) -> None:
        self._meters = meters or Meters()
        known = delays or {}
        self._jobs = {name: _Job(name, tick, every, known.get(name)) for name, tick, every in jobs}
        self._tasks: set[asyncio.Task[None]] = set()
        self._engine: Any = None
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        # Explicit, because the defaults drop a job that starts a second late.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._engine = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        for job in self._jobs.values():
            self._engine.add_job(
                self._tick, "interval", args=[job.name], seconds=job.every.total_seconds(), id=job.name
            )
        self._engine.start()
        for job in self._jobs.values():
            if job.every <= SOON:
                self.wake(job.name)

    async def _tick(self, name: str) -> None:
        self.wake(name)

    def wake(self, name: str) -> None:
        """Run the job now, or once more when it is running already."""
        job = self._jobs[name]
        if job.running.locked():
            job.again = True
            return
        task = asyncio.get_running_loop().create_task(self._run(job), name=f"job {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: _Job) -> None:
        async with job.running:
            while True:
                job.again, job.began = False, asyncio.get_running_loop().time()
                found = await measured(job.name, job.tick, self._meters)
                if job.delay is not None and found is not None and not job.again:
                    self._set_alarm(job, await self._seconds(job.delay), busy=bool(found))
                if not job.again:
                    return

    async def _seconds(self, delay: Delay) -> float | None:
        try:
            return await delay()
        except Exception:  # the next tick tells of it
            return None

    def _set_alarm(self, job: _Job, delay: float | None, *, busy: bool) -> None:
        """What is due and was left lying waits for the next tick, unless we were busy with others.

        It may have fallen due just after we looked: once we look again.
        """
        loop = asyncio.get_running_loop()
        if job.alarm is not None:
            job.alarm.cancel()
            job.alarm = None
        lies = delay is not None and delay <= 0 and not busy
        again, job.lay = lies and not job.lay, lies
        if delay is not None and (again or not lies) and delay < job.every.total_seconds():
            moment = max(loop.time() + delay, job.began + TOGETHER)
            job.alarm = loop.call_at(moment, self.wake, job.name)

    async def stop(self) -> None:
        """No more ticks. What runs is waited for: it may be between a call and the record of its answer."""
        if self._engine is not None:
            self._engine.pause()
        for job in self._jobs.values():
            if job.alarm is not None:
                job.alarm.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._engine is not None:
            self._engine.shutdown(wait=False)
