"""The timetable over many machines: PgQueuer ticks each job once per period, and any worker may get it."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from reminder.logs import log
from reminder.metrics import Meters
from reminder.scheduler import Tick, measured
from reminder.store import queue

if TYPE_CHECKING:
    from pgqueuer import PgQueuer

PAUSE = 1.0
"""Seconds before another try after the server, or the connection to it, went away."""

POLL = timedelta(seconds=2)
"""A notification may be lost without a word; then a chunk waits for so long."""

SILENT = timedelta(seconds=5)
"""A worker that has said nothing for so long is dead: another one does what it was doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One job of the timetable. `waits`: a chunk, which enters the queue only while this says yes."""

    name: str
    tick: Tick
    every: timedelta
    waits: Callable[[], Awaitable[bool]] | None = None


class Cluster:
    """As `scheduler.Scheduler`, for one of many processes.

    A tick runs in whichever worker comes first. A chunk's tick puts a job of its name into the queue, at most
    one at a time, and that runs until nothing is left. The engine's end, for whatever reason, is a
    fault to be mended: it is built anew until the server is back.
    """

    def __init__(self, jobs: Sequence[Shared], *, conninfo: str, meters: Meters | None = None) -> None:
        self._jobs = jobs
        self._conninfo = conninfo
        self._meters = meters or Meters()
        self._stopping = asyncio.Event()
        self._engine: PgQueuer | None = None
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # its end is told below, in one line
        self.task = asyncio.get_running_loop().create_task(self._supervise(), name="engine")

    def wake(self, name: str) -> None:
        """The next tick comes within two seconds, and may be another machine's."""

    async def stop(self) -> None:
        """No more ticks. What runs is waited for: it may be between a call and the record of its answer."""
        self._stopping.set()
        if self._engine is not None:
            self._engine.shutdown.set()
        if self.task is not None:
            await asyncio.wait([self.task])

    async def _supervise(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._serve()
                why = "returned"
            except Exception as error:
                why = type(error).__name__
            if not self._stopping.is_set():
                log.warning("engine.ended", error=why)
                await asyncio.sleep(PAUSE)

    async def _serve(self) -> None:
        """One life of the engine: as long as its connections live."""
        options: dict[str, Any] = {"autocommit": True, "connect_timeout": 5, "keepalives_idle": 10}
        connect = functools.partial(psycopg.AsyncConnection.connect, self._conninfo, **options)
        async with await connect() as speaking, await connect() as listening:
            engine = self._built(speaking, listening)
            self._engine = engine
            if not self._stopping.is_set():
                log.info("engine.started")
                freeing = asyncio.create_task(self._free(speaking))
                try:
                    # One at a time, so that others get some too: who is busy asks for the next one later.
                    await engine.run(
                        batch_size=1,
                        dequeue_timeout=POLL,
                        heartbeat_timeout=SILENT,
                        shutdown_on_listener_failure=True,
                    )
                finally:
                    freeing.cancel()
                    await asyncio.gather(freeing, return_exceptions=True)

    async def _free(self, speaking: Any) -> None:
        """The engine waits 30 s for a dead worker's ticks, whatever it is told; too long for an inbox."""
        while True:
            await asyncio.sleep(SILENT.total_seconds() / 2)
            await speaking.execute(queue.FREE, {"silent": SILENT})

    def _built(self, speaking: Any, listening: Any) -> "PgQueuer":
        from pgqueuer import PgQueuer

        driver = _driver(speaking, listening)
        queries = queue.queries_of(driver)
        engine = PgQueuer(connection=driver, queries=queries)
        for job in self._jobs:
            tick = functools.partial(self._ticked, job)
            if job.waits is not None:
                engine.entrypoint(job.name, on_failure="hold", accepts_context=False)(self._chunk(job))
                tick = functools.partial(self._asked, job, queries)
            engine.schedule(job.name, cron(job.every), accepts_context=False)(_alone(tick))
        return engine

    async def _ticked(self, job: Shared) -> object:
        return await measured(job.name, job.tick, self._meters)

    async def _asked(self, job: Shared, queries: Any) -> object:
        async def ask() -> None:
            if job.waits is not None and await job.waits():
                await queries.enqueue(job.name, None, dedupe_key=job.name, on_conflict="skip")

        return await measured(job.name, ask, Meters())  # a fault is told; a question is no tick

    def _chunk(self, job: Shared) -> Callable[[Any], Awaitable[None]]:
        async def run(_job: Any) -> None:
            while await self._ticked(job) and not self._stopping.is_set():
                pass

        return run


def _alone(tick: Callable[[], Awaitable[object]]) -> Callable[[Any], Awaitable[None]]:
    async def run(_schedule: Any) -> None:
        await tick()

    return run


def cron(every: timedelta) -> str:
    """A period as the engine writes it, six fields, seconds last; it divides a minute, an hour or a day.

    A daily job runs at 18:00 UTC, in the night of the offices this was made for.
    """
    seconds = int(every.total_seconds())
    if seconds < 60 and 60 % seconds == 0:
        return f"* * * * * */{seconds}"
    if seconds % 60 == 0 and seconds < 3600:
        return f"*/{seconds // 60} * * * * 0"
    if every == timedelta(days=1):
        return "0 18 * * * 0"
    raise ValueError(f"no period of the engine: {every}")


def _driver(speaking: Any, listening: Any) -> Any:
    """The engine's own, with two connections: one that waits for notifications lets no statement through."""
    from pgqueuer.db import PsycopgDriver

    class Driver(PsycopgDriver):
        async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
            found: list[dict[str, object]] = await speaks.fetch(query, *args)
            return found

        async def execute(self, query: str, *args: object) -> str:
            return str(await speaks.execute(query, *args))

    speaks = PsycopgDriver(speaking)
    return Driver(listening)
