"""The timetable as ticks: APScheduler wakes the jobs and knows nothing about reminders."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

from reminder.logs import log
from reminder.metrics import Meters

Tick = Callable[[], Awaitable[object]]

SOON = timedelta(seconds=1)
"""What ticks so often does its first work at the start, not a period later."""


@dataclass(slots=True)
class _Job:
    name: str
    tick: Tick
    every: timedelta
    running: asyncio.Lock = field(default_factory=asyncio.Lock)
    again: bool = False


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

    A failing tick is logged and the next one comes as usual: ticks only wake, the work waits in rows.
    """

    def __init__(self, jobs: Sequence[tuple[str, Tick, timedelta]], *, meters: Meters | None = None) -> None:
        self._meters = meters or Meters()
        self._jobs = {name: _Job(name, tick, every) for name, tick, every in jobs}
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
                job.again = False
                await measured(job.name, job.tick, self._meters)
                if not job.again:
                    return

    async def stop(self) -> None:
        """No more ticks. What runs is waited for: it may be between a call and the record of its answer."""
        if self._engine is not None:
            self._engine.pause()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._engine is not None:
            self._engine.shutdown(wait=False)
