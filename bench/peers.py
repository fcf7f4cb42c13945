"""What do others make of the same work? Each runs in a process of its own, at its best settings.

`rate NAME N URL` times N in and N fired; `put NAME N URL LATE` plans them, due LATE seconds ago;
`work NAME URL LEDGER` fires what is due until it is killed, each job writing its number into the ledger,
with what the library does by default.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

DONE = [0]
LEDGER = [-1]


async def job(n: int) -> None:
    """What a reminder does: tells the world, if somebody listens."""
    DONE[0] += 1
    if LEDGER[0] >= 0:
        os.write(LEDGER[0], f"{n} {time.time():.6f}\n".encode())
        await asyncio.sleep(0.005)  # what a provider takes to answer


async def until_done(n: int) -> None:
    while DONE[0] < n:  # noqa: ASYNC110 - not to cost the peer anything for each job
        await asyncio.sleep(0.002)


Rate = tuple[float, float]
"""Seconds to plan all, seconds to fire all."""


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


# APScheduler 3


def _scheduler(url: str, *, patient: bool) -> Any:
    import sqlalchemy as sa
    from apscheduler.jobstores.memory import MemoryJobStore
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    if not url:
        store = MemoryJobStore()
    else:
        engine = sa.create_engine(url.replace("+aiosqlite", ""))
        if engine.dialect.name == "sqlite":

            @sa.event.listens_for(engine, "connect")
            def _(raw: Any, _record: object) -> None:
                for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                    raw.execute(f"PRAGMA {pragma}")

        store = SQLAlchemyJobStore(engine=engine)
    defaults = {"misfire_grace_time": None} if patient else {}
    return AsyncIOScheduler(jobstores={"default": store}, timezone=UTC, job_defaults=defaults)


async def apscheduler_rate(n: int, url: str) -> Rate:
    scheduler = _scheduler(url, patient=True)
    scheduler.start(paused=True)
    begun = time.perf_counter()
    apscheduler_add(scheduler, n, 0)
    planned = time.perf_counter()
    scheduler.resume()
    await until_done(n)
    return planned - begun, time.perf_counter() - planned


def apscheduler_add(scheduler: Any, n: int, late: float) -> None:
    due = datetime.now(UTC) - timedelta(seconds=late)
    for number in range(n):
        scheduler.add_job("bench.peers:job", "date", run_date=due, args=[number], id=str(number))


async def apscheduler_put(n: int, url: str, late: float) -> None:
    scheduler = _scheduler(url, patient=False)
    scheduler.start(paused=True)
    apscheduler_add(scheduler, n, late)
    scheduler.shutdown(wait=False)


async def apscheduler_work(url: str) -> None:
    _scheduler(url, patient=False).start()
    await asyncio.Event().wait()


# python-telegram-bot's JobQueue, in memory: nothing of it is durable


async def jobqueue_rate(n: int, _url: str) -> Rate:
    from telegram.ext import ApplicationBuilder, JobQueue

    app = ApplicationBuilder().token("1:a").job_queue(JobQueue()).build()
    queue = app.job_queue
    assert queue is not None
    await queue.start()
    queue.scheduler.pause()

    async def called(_context: Any) -> None:
        DONE[0] += 1

    begun = time.perf_counter()
    patient = {"misfire_grace_time": None}
    for _ in range(n):
        queue.run_once(called, 0, job_kwargs=patient)
    planned = time.perf_counter()
    queue.scheduler.resume()
    await until_done(n)
    fired = time.perf_counter()
    await queue.stop(wait=False)
    return planned - begun, fired - planned


# Procrastinate


def _procrastinate(url: str) -> tuple[Any, Any]:
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_plain(url)))
    return app, app.task(job, name="job", queue="q")


async def procrastinate_put(n: int, url: str, late: float) -> None:
    app, task = _procrastinate(url)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        due = datetime.now(UTC) - timedelta(seconds=late)
        for first in range(0, n, 1000):
            numbers = [{"n": number} for number in range(first, min(n, first + 1000))]
            await task.configure(schedule_at=due).batch_defer_async(*numbers)


async def procrastinate_rate(n: int, url: str) -> Rate:
    app, task = _procrastinate(url)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        begun = time.perf_counter()
        for first in range(0, n, 1000):
            numbers = [{"n": number} for number in range(first, min(n, first + 1000))]
            await task.batch_defer_async(*numbers)
        planned = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=50, install_signal_handlers=False)
        return planned - begun, time.perf_counter() - planned


async def procrastinate_work(url: str) -> None:
    app, _ = _procrastinate(url)
    async with app.open_async():
        await app.run_worker_async(concurrency=50, install_signal_handlers=False)


# PgQueuer


async def _pgqueuer(url: str) -> tuple[Any, Any]:
    import asyncpg
    from pgqueuer import PgQueuer, Queries
    from pgqueuer.db import AsyncpgDriver

    connection = await asyncpg.connect(_plain(url))
    driver = AsyncpgDriver(connection)
    return PgQueuer(driver), Queries(driver)


async def _pgqueuer_add(queries: Any, n: int) -> None:
    for first in range(0, n, 1000):
        payloads = [str(number).encode() for number in range(first, min(n, first + 1000))]
        await queries.enqueue(["job"] * len(payloads), payloads, [0] * len(payloads))


async def pgqueuer_put(n: int, url: str, _late: float) -> None:
    _, queries = await _pgqueuer(url)
    await queries.install()
    await _pgqueuer_add(queries, n)


async def pgqueuer_rate(n: int, url: str) -> Rate:
    from pgqueuer.types import QueueExecutionMode

    queuer, queries = await _pgqueuer(url)
    await queries.install()
    _listen(queuer)
    begun = time.perf_counter()
    await _pgqueuer_add(queries, n)
    planned = time.perf_counter()
    await queuer.qm.run(batch_size=100, mode=QueueExecutionMode.drain)
    assert DONE[0] == n
    return planned - begun, time.perf_counter() - planned


def _listen(queuer: Any) -> None:
    @queuer.entrypoint("job")
    async def _(one: Any) -> None:
        await job(int(one.payload))


async def pgqueuer_work(url: str) -> None:
    queuer, _ = await _pgqueuer(url)
    _listen(queuer)
    await queuer.qm.run()


RATES: dict[str, Callable[[int, str], Awaitable[Rate]]] = {
    "apscheduler": apscheduler_rate,
    "jobqueue": jobqueue_rate,
    "procrastinate": procrastinate_rate,
    "pgqueuer": pgqueuer_rate,
}
PUTS = {"apscheduler": apscheduler_put, "procrastinate": procrastinate_put, "pgqueuer": pgqueuer_put}
WORKS = {"apscheduler": apscheduler_work, "procrastinate": procrastinate_work, "pgqueuer": pgqueuer_work}


def main() -> None:
    what, name, *rest = sys.argv[1:]
    answer: dict[str, float] = {}
    if what == "rate":
        n, url = int(rest[0]), rest[1]
        put, fired = asyncio.run(RATES[name](n, url))
        answer = {"put": n / put, "fired": n / fired, "both": n / (put + fired)}
    elif what == "put":
        asyncio.run(PUTS[name](int(rest[0]), rest[1], float(rest[2])))
    else:
        LEDGER[0] = os.open(rest[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        asyncio.run(WORKS[name](rest[0]))
    print(json.dumps(answer))


if __name__ == "__main__":
    from bench import peers  # the module that APScheduler finds the job in, not the one being run

    peers.main()
