"""What do others make of the same work? Each runs in a process of its own, at its best settings.

`rate NAME N URL` times N in and N fired; `late apscheduler N` has them called one by one; `put NAME N URL
LATE` plans them, due LATE seconds ago; `work NAME URL LEDGER` fires what is due until it is killed, each job
writing its number into the ledger, with what the library does by default.

`fill NAME URL PENDING DUE AT` plans so many for tomorrow, and among them some for the moment AT; `wait NAME
URL PENDING DUE AT LEDGER REPORT` fires those until it is killed. What is late before it starts is fired all
the same, what falls due then as the library does by default. Every second it writes its memory and CPU to
REPORT.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.kit import memory, say

DONE = [0]
LEDGER = [-1]
PROVIDER = [0.0]
"""Seconds it takes to answer."""


async def job(n: int) -> None:
    """What a reminder does: tells the world, if somebody listens."""
    DONE[0] += 1
    if LEDGER[0] >= 0:
        os.write(LEDGER[0], f"{n} {time.time():.6f}\n".encode())
        if PROVIDER[0]:
            await asyncio.sleep(PROVIDER[0])


def moments(pending: int, due: int, at: float) -> Iterator[tuple[int, datetime]]:
    """So many for tomorrow and later, by number, and in the middle of them those for the moment `at`."""
    tomorrow, then = datetime.now(UTC) + timedelta(days=1), datetime.fromtimestamp(at, UTC)
    for number in range(pending + due):
        is_due = 0 <= number - pending // 2 < due
        yield number, then if is_due else tomorrow + timedelta(seconds=number)


async def until_done(n: int) -> None:
    while DONE[0] < n:  # noqa: ASYNC110 - not to cost the peer anything for each job
        await asyncio.sleep(0.002)


Rate = tuple[float, float]
"""Seconds to plan all, seconds to fire all."""


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _write_ahead(engines: Any, synchronous: str) -> None:
    """SQLite as it serves them best, of one engine of SQLAlchemy's or of all."""
    import sqlalchemy as sa

    @sa.event.listens_for(engines, "connect")
    def _(raw: Any, _record: object) -> None:
        if type(raw).__module__.startswith("sqlite3"):
            for pragma in ("journal_mode=WAL", f"synchronous={synchronous}"):
                raw.execute(f"PRAGMA {pragma}")


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
        _write_ahead(engine, "FULL")
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


EVERY = timedelta(milliseconds=5)


async def apscheduler_late(n: int) -> dict[str, float]:
    """Milliseconds late, and the CPU, of one job after another, kept in memory."""
    scheduler, late = _scheduler("", patient=True), list[float]()
    scheduler.start()
    begin = datetime.now(UTC) + timedelta(seconds=n / 2000)

    async def called(due: datetime) -> None:
        late.append((datetime.now(UTC) - due).total_seconds() * 1000)

    for number in range(n):
        due = begin + number * EVERY
        scheduler.add_job(called, "date", run_date=due, args=[due])
    await asyncio.sleep((begin - datetime.now(UTC)).total_seconds())
    worked = time.process_time()
    await asyncio.sleep(n * EVERY.total_seconds())
    share = 100 * (time.process_time() - worked) / (n * EVERY.total_seconds())
    scheduler.shutdown(wait=False)
    late.sort()
    return {"p50": late[len(late) // 2], "p99": late[len(late) * 99 // 100], "CPU": share}


async def apscheduler_fill(url: str, pending: int, due: int, at: float) -> None:
    scheduler = _scheduler(url, patient=at <= time.time())
    scheduler.start(paused=True)
    for number, moment in moments(pending, due, at):
        scheduler.add_job("bench.peers:job", "date", run_date=moment, args=[number], id=str(number))
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


async def jobqueue_wait(pending: int, due: int, at: float) -> None:
    """Whoever starts adds them again."""
    from telegram.ext import ApplicationBuilder, JobQueue

    app = ApplicationBuilder().token("1:a").job_queue(JobQueue()).build()
    queue = app.job_queue
    assert queue is not None
    await queue.start()

    async def called(context: Any) -> None:
        await job(context.job.data)

    patient = {"misfire_grace_time": None} if at <= time.time() else {}
    for number, moment in moments(pending, due, at):
        queue.run_once(called, moment, data=number, job_kwargs=patient)
    await asyncio.Event().wait()


# Celery, with its broker in SQLite: what it keeps in Redis or RabbitMQ it keeps there in the same way


def _celery(url: str, synchronous: str) -> tuple[Any, Any]:
    import sqlalchemy as sa
    from celery import Celery

    _write_ahead(sa.Engine, synchronous)
    app = Celery("bench", broker=f"sqla+{url}")
    app.conf.broker_connection_retry_on_startup = True

    @app.task(name="job", ignore_result=True)  # type: ignore[untyped-decorator]
    def called(number: int) -> None:
        DONE[0] += 1
        os.write(LEDGER[0], f"{number} {time.time():.6f}\n".encode())

    return app, called


async def celery_fill(url: str, pending: int, due: int, at: float) -> None:
    app, task = _celery(url, "OFF")
    with app.pool.acquire(block=True) as connection:
        producer = app.amqp.Producer(connection)
        for number, moment in moments(pending, due, at):
            task.apply_async((number,), eta=moment, producer=producer)


async def celery_work(url: str) -> None:
    app, _ = _celery(url, "FULL")
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    app.worker_main(["worker", "--pool", "solo", "--loglevel", "CRITICAL", *alone])


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


FILLS = {"apscheduler": apscheduler_fill, "celery": celery_fill}
WAITS = {"apscheduler": apscheduler_work, "celery": celery_work}


READ = {
    "apscheduler": ("apscheduler.jobstores.sqlalchemy", "apscheduler.schedulers.asyncio"),
    "jobqueue": ("telegram.ext", "apscheduler.schedulers.asyncio"),
    "celery": ("celery.bin.worker", "celery.apps.worker", "celery.worker", "kombu.transport.sqlalchemy"),
}
"""Before the first report: what a burst adds does not include the libraries."""


def _reporting(path: Path) -> None:
    def report() -> None:
        while True:
            say(path, {"memory": memory(), "cpu": time.process_time(), "sent": DONE[0]})
            time.sleep(1)

    threading.Thread(target=report, daemon=True).start()


def _ledger(path: str) -> None:
    LEDGER[0] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def main() -> None:
    what, name, *rest = sys.argv[1:]
    answer: dict[str, float] = {}
    if what == "rate":
        n, url = int(rest[0]), rest[1]
        put, fired = asyncio.run(RATES[name](n, url))
        answer = {"put": n / put, "fired": n / fired, "both": n / (put + fired)}
    elif what == "late":
        answer = asyncio.run(apscheduler_late(int(rest[0])))
    elif what == "put":
        asyncio.run(PUTS[name](int(rest[0]), rest[1], float(rest[2])))
    elif what == "work":
        _ledger(rest[1])
        PROVIDER[0] = 0.005
        asyncio.run(WORKS[name](rest[0]))
    else:
        url, pending, due, at = rest[0], int(rest[1]), int(rest[2]), float(rest[3])
        if what == "fill":
            asyncio.run(FILLS[name](url, pending, due, at))
        else:
            _ledger(rest[4])
            for module in READ[name]:
                import_module(module)
            _reporting(Path(rest[5]))
            asyncio.run(WAITS[name](url) if name in WAITS else jobqueue_wait(pending, due, at))
    print(json.dumps(answer))


if __name__ == "__main__":
    from bench import peers  # the module that APScheduler finds the job in, not the one being run

    peers.main()
