"""The office as a process of its own, to be killed: real jobs, adapters over HTTP, a clock that runs fast.

python -m tests.proofs.office_process '{"folder": …, "database": …, "url": …, …}'  # the fields of an Order
"""

import asyncio
import functools
import importlib
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from jobs.timetable import TIMETABLE
from reminder import failpoints, logs
from reminder.actions import arming
from reminder.app import AlreadyRunningError, only_one, sqlite_file
from reminder.channels.telegram import Telegram
from reminder.channels.twilio import Twilio
from reminder.cluster import Cluster
from reminder.instance import Instance
from reminder.logs import log
from reminder.runtime import Runtime, Web
from reminder.scheduler import Scheduler
from reminder.serving import Engine, listen, watch
from reminder.store.database import Database
from reminder.store.migrations import migrate, revisions
from reminder.store.runlock import run_lock
from reminder.valves import Turns
from reminder.web.app import web
from reminder.workers import announcing, conninfo, fit, jobs_of, listen_in_turn
from tests.office import desk, protocols

TOKEN = "110201543:AAtoken-for-tests-only"
ACCOUNT = "AC" + "0" * 31 + "7"
AUTH = "auth-token-for-tests"
OURS = "+12025550100"
HOOK = Web(public_url="", hook_path="/telegram/here", hook_secret="secret-for-tests-only")
SPARED = signal.SIGUSR1
"""Tells a worker that another one has died at the place where it was to die."""

SHORTEST = timedelta(milliseconds=100)
"""No job is woken more often than this, in real time."""

SELDOM = timedelta(milliseconds=800)
"""The same on a server: each look at it costs two processes."""


@dataclass(frozen=True, kw_only=True)
class FastClock:
    """Office time runs `rate` times as fast as the machine's, from `start` at the machine's moment `began`.

    Two processes with the same three numbers read the same time, so a restart continues where it should.
    """

    start: datetime
    began: float
    rate: float

    def now(self) -> datetime:
        return (self.start + timedelta(seconds=(time.time() - self.began) * self.rate)).astimezone(UTC)

    def monotonic(self) -> float:
        return time.monotonic() * self.rate

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.rate)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a process is told.

    `locked` False leaves the run lock aside, to see what else protects us; `hooked`: updates are posted.
    `cluster`: it is one of several workers; `door`: the port to which the provider posts, if another has it.
    """

    folder: str
    database: str
    url: str
    port: int
    start: str
    began: float
    rate: float
    locked: bool = True
    hooked: bool = False
    cluster: bool = False
    door: int = 0

    @property
    def clock(self) -> FastClock:
        return FastClock(start=datetime.fromisoformat(self.start), began=self.began, rate=self.rate)

    @property
    def file(self) -> str:
        """Of its database, empty on a server."""
        return sqlite_file(self.database)


protocols()  # read once, also for every process forked from this one


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def runtime(order: Order, waker: Any) -> Runtime:
    public = f"http://127.0.0.1:{order.door or order.port}"
    made = desk(order.clock)  # type: ignore[arg-type]
    machine = Instance(Path(order.folder))
    hook = HOOK if order.hooked else Web(public_url="")
    return Runtime(
        db=Database(order.database, shared=order.cluster),
        turns=Turns(me=f"{os.getpid()} {secrets.token_hex(8)}") if order.cluster else None,
        desk=replace(made, new_id=functools.partial(secrets.token_urlsafe, 24), instance=machine.name),
        chat=Telegram(token=TOKEN, base_url=order.url),
        sms=Twilio(account_sid=ACCOUNT, auth_token=AUTH, sender=OURS, public_url=public, base_url=order.url),
        web=replace(hook, public_url=public, twilio_tokens=(AUTH,), twilio_account=ACCOUNT),
        instance=machine,
        bot_names={None: "reminder_bot"},
        concurrency=4,
        waker=waker,
    )


def _cluster(rt: Runtime, order: Order) -> Cluster:
    """The engine counts whole seconds."""
    jobs = [replace(job, every=max(job.every / order.rate, timedelta(seconds=1))) for job in jobs_of(rt)]
    return Cluster(jobs, conninfo=conninfo(order.database))


@asynccontextmanager
async def admitted(rt: Runtime) -> AsyncIterator[set[asyncio.Task[None]]]:
    """One of several is asked, now and every few seconds, whether it fits what it works on."""
    if rt.turns is None:
        yield set()
        return
    await migrate(rt.db)
    async with run_lock(rt.db, shared=True, schema=revisions()[-1]) as lock:
        await fit(rt.db, lock)
        task = asyncio.create_task(watch(lambda: fit(rt.db, lock)))
        try:
            yield {task}
        finally:
            task.cancel()


async def work(order: Order) -> None:
    """Run until SIGTERM; a background task that dies ends the process."""
    holder: list[Engine] = []
    rt = runtime(order, lambda name: holder[0].wake(name))  # noqa: PLW0108 - made below
    rt = announcing(rt) if order.cluster else rt
    least = SHORTEST if order.file else SELDOM
    periods = [(j.name, functools.partial(j.run, rt), max(j.every / order.rate, least)) for j in TIMETABLE]
    holder.append(_cluster(rt, order) if order.cluster else Scheduler(periods))
    machine = rt.instance
    assert machine is not None
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with admitted(rt) as checks:
        await arming.at_start(rt.db, machine.name, machine.sent_to)
        await _serve(rt, order, holder[0], stop, checks)
    for channel in (rt.chat, rt.sms):
        assert channel is not None
        await channel.close()
    await rt.db.close()
    if not stop.is_set():
        raise SystemExit("a background task ended")


async def _serve(
    rt: Runtime, order: Order, engine: Engine, stop: asyncio.Event, checks: set[asyncio.Task[None]]
) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", order.port))
        server = _Server(uvicorn.Config(web(rt), log_level="critical", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        hear = listen_in_turn if order.cluster and not order.hooked else listen
        polling = asyncio.create_task(hear(rt))
        engine.start()
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, polling, stopping, *checks}, return_when=asyncio.FIRST_COMPLETED)
        polling.cancel()
        await engine.stop()
        server.should_exit = True
        await asyncio.wait({serving, polling})


def forked(order: Order, failpoint: str, said: str) -> None:
    """The same in a process forked from one that has everything imported already; `said` is its output."""
    os.environ["REMINDER_FAILPOINT"] = failpoint
    importlib.reload(failpoints)
    signal.signal(SPARED, lambda *_: setattr(failpoints, "_ARMED", ""))
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    logs.configure(
        json=True, level="INFO"
    )  # a traceback drawn with all its values holds up the loop for long
    keep(order)


def main() -> None:
    keep(Order(**json.loads(sys.argv[1])))


def keep(order: Order) -> None:
    with only_one(Path(order.file)) if order.locked and order.file else nullcontext():
        log.info("office.started")
        asyncio.run(_alone(order))


async def _alone(order: Order) -> None:
    """On a server behind the lock that it keeps, like the program itself; a worker asks by itself."""
    if not order.locked or order.file or order.cluster:
        await work(order)
        return
    db = Database(order.database)
    try:
        async with run_lock(db, shared=False, schema=revisions()[-1]) as lock:
            if not await lock.kept():
                raise AlreadyRunningError("it is already running on this database")
            await work(order)
    finally:
        await db.close()


if __name__ == "__main__":
    main()
