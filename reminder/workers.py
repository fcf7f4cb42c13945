"""How do many processes keep one calendar? With the same jobs, on PostgreSQL, under the cluster's engine."""

import asyncio
import contextlib
import functools
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version

import sqlalchemy as sa

from jobs import turns
from jobs.dispatch import dispatch_by, shares, waits_for
from jobs.guarding import look
from jobs.timetable import TIMETABLE, WATCH, Job
from reminder.actions import arming
from reminder.actions.arming import Standing
from reminder.app import AlreadyRunningError, channels_of, opened, runtime_of
from reminder.bot.polling import fetch
from reminder.cluster import Cluster, Shared
from reminder.domain.errors import Fault, Faulty
from reminder.domain.people import Sender, of_bot
from reminder.instance import Instance
from reminder.runtime import Runtime
from reminder.serving import beside, listen, serve
from reminder.settings import Settings
from reminder.store import queue
from reminder.store.database import Database, Tx
from reminder.store.migrations import Unreachable, fits, migrate, revisions
from reminder.store.runlock import RunLock, run_lock
from reminder.valves import Turns

AGAIN = 2.0
"""Seconds before a server that does not answer is asked again."""

ASK = timedelta(seconds=10)
"""How long Telegram is asked at a time, so that another worker can soon take over."""

LOOKED_FOR = timedelta(seconds=1)
"""How often it is asked whether a chunk has something to do that nobody has announced."""

_POLL, _POLL_TURN = "telegram updates", 25.0


async def work(settings: Settings, say: Callable[[str], None], *, doors: bool = False) -> None:
    """One worker, until SIGTERM or SIGINT; with `doors` also bot and web. Waits for a server that is away."""
    _possible(settings)
    await _answering(settings, say)
    async with (
        opened(settings, shared=True) as base,
        channels_of(settings) as channels,
        run_lock(base.db, shared=True, schema=revisions()[-1]) as lock,
    ):
        await fit(base.db, lock)
        machine = Instance(settings.data_dir)
        base.desk.instance = machine.name
        _ours(settings, await arming.at_start(base.db, machine.name, machine.sent_to))
        turn = Turns(me=_name(base))
        rt = announcing(runtime_of(base, settings, instance=machine, turns=turn, **channels))
        rt = rt if doors else replace(rt, web=None)
        engine = Cluster(jobs_of(rt), conninfo=conninfo(settings.database.url), meters=rt.meters)
        listener = listen_in_turn if doors else None
        await serve(rt, engine, settings, listener=listener, check=lambda: fit(base.db, lock))


def conninfo(url: str) -> str:
    """The database's address as the driver itself reads it."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _possible(settings: Settings) -> None:
    if not settings.database.url.startswith("postgresql+psycopg:"):
        what = "Several machines need PostgreSQL, through psycopg; this is another database or driver."
        remedy = 'Write "postgresql+psycopg://user:password@host/name", or `reminder run` without --cluster.'
        raise Faulty([Fault(place="database.url", what=what, remedy=remedy)])
    if (found := version("pgqueuer")) != queue.ENGINE:
        what = f"PgQueuer {found} is installed; this program and its database work with {queue.ENGINE}."
        remedy = f"pip install pgqueuer=={queue.ENGINE}"
        raise Faulty([Fault(place="pgqueuer", what=what, remedy=remedy)])


async def _answering(settings: Settings, say: Callable[[str], None]) -> None:
    """Until the server answers; said once."""
    told = False
    while True:
        db = Database(settings.database.url)
        try:
            await migrate(db)
            return
        except Unreachable as away:
            if not away.passing:
                raise
            if not told:
                say(f"{away.faults[0]} Waiting for it; this goes on by itself.")
            told = True
        finally:
            await db.close()
        await asyncio.sleep(AGAIN)


async def fit(db: Database, lock: RunLock) -> None:
    """Raises what forbids this worker to go on: another engine, schema or version."""
    if not await lock.kept():
        raise AlreadyRunningError(
            "`reminder run` without --cluster keeps this database's calendar. Nothing was started or "
            "changed. Stop that one first, then start this again."
        )
    await fits(db)
    async with db.read() as tx:
        found = await queue.laid(tx)
    if found == queue.ENGINE:
        return
    place = db.url.render_as_string(hide_password=True)
    what = (
        f"Its queue was laid for PgQueuer {found}, and this is {queue.ENGINE}."
        if found
        else "Its queue is missing."
    )
    remedy = "Run `reminder migrate --queue`. Nothing that is owed is lost: it stands in other tables."
    raise Faulty([Fault(place=place, what=what, remedy=remedy)])


def _ours(settings: Settings, found: Standing) -> None:
    if found in {Standing.ELSEWHERE, Standing.BEHIND}:
        what = arming.explained(found).removesuffix(" Due now:")
        remedy = (
            "Copy `instance` and `key` from the data folder of a worker that sends; or see `reminder arm`."
        )
        raise Faulty([Fault(place=str(settings.data_dir / "instance"), what=what, remedy=remedy)])


def _name(base: Runtime) -> str:
    return f"{socket.gethostname()} {os.getpid()} {base.desk.new_id()[:8]}"


def announcing(rt: Runtime) -> Runtime:
    """Asks, where messages are written, for the chunks that send them."""
    names = list(shares(rt))

    async def announce(tx: Tx) -> None:
        await queue.ask(tx, *names)

    return replace(rt, announce=announce)


def jobs_of(rt: Runtime) -> list[Shared]:
    """The timetable, for the cluster's engine."""
    found = [_job(rt, job) for job in (*TIMETABLE, *WATCH) if not job.chunk]
    found += [_chunk(rt, name, senders) for name, senders in shares(rt).items()]
    return [*found, Shared(name="queue", tick=lambda: _forget(rt), every=timedelta(minutes=30))]


def _job(rt: Runtime, job: Job) -> Shared:
    return Shared(name=job.name, tick=functools.partial(_tick, rt, job.run), every=job.every)


def _chunk(rt: Runtime, name: str, senders: list[Sender]) -> Shared:
    tick = functools.partial(_tick, rt, functools.partial(dispatch_by, senders=senders))
    waits = functools.partial(waits_for, rt, senders)
    return Shared(name=name, tick=tick, every=LOOKED_FOR, waits=waits)


async def _tick(rt: Runtime, run: Callable[[Runtime], Awaitable[int]]) -> int:
    if rt.guard is not None and rt.guard.leap:
        await look(rt)  # else only who sends would ever judge a clock that leapt
    return await run(rt)


async def _forget(rt: Runtime) -> int:
    async with rt.db.write() as tx:
        await queue.forget_done(tx)
    return 0


async def listen_in_turn(rt: Runtime) -> None:
    """As `serving.listen`; of several one at a time asks Telegram. Goes on once the database is back."""
    if rt.web is not None and rt.web.hook_path:
        await listen(rt)
    await beside(_ask_in_turn(rt, bot) for bot in rt.bots)


async def _ask_in_turn(rt: Runtime, bot: int | None) -> None:
    turn = of_bot(_POLL, bot)
    try:
        while True:
            with contextlib.suppress(sa.exc.SQLAlchemyError, OSError):  # told by the watch
                if await turns.hold(rt, turn, _POLL_TURN):
                    await fetch(rt, ASK, bot)
                    continue
            await asyncio.sleep(AGAIN)
    finally:
        with contextlib.suppress(sa.exc.SQLAlchemyError, OSError):
            await turns.let_go(rt, turn)
