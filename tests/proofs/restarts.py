"""Workers on one PostgreSQL: a sender killed, the server itself restarted at once, workers standing still."""

import asyncio
import os
import random
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tests.postgres import Server
from tests.proofs.deaths import judged
from tests.proofs.morning import TICKS, Morning, Process, Setting, live, morning, started, texts

STOPS = 5
Trouble = Callable[[Morning, list[Process]], Awaitable[None]]


async def restart(folder: Path, setting: Setting, server: Server, dice: random.Random) -> list[str]:
    """The faults of such a morning; `server` is the setting's, and nobody else's."""

    async def trouble(run: Morning, workers: list[Process]) -> None:
        # The first one has the doors through which residents' texts come.
        while not (sending := await _senders(run, workers[1:])):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.01)
        sending[0].kill()
        while not texts(run):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.02)
        await asyncio.to_thread(server.control, "restart", "-m", "immediate")
        for _ in range(STOPS):
            await _stand_still(dice, workers)

    try:
        async with morning(folder, setting) as run:
            return await whole(run, started(run), trouble)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _senders(run: Morning, workers: list[Process]) -> list[Process]:
    """Whose turn it is to send just now."""
    query = "SELECT owner FROM queue.turns WHERE name IN ('sms', 'telegram') AND until > clock_timestamp()"
    async with run.rt.db.read() as tx:
        owners = {int(owner.split()[0]) for owner in (await tx.execute(sa.text(query))).scalars()}
    return [worker for worker in workers if worker.pid in owners]


async def whole(run: Morning, workers: list[Process], trouble: Trouble) -> list[str]:
    """To the end, and the trouble too: a morning that is over before it came proves nothing."""
    beside = asyncio.create_task(trouble(run, workers))
    try:
        while True:
            alive = [process for process in workers if process.died is None]
            troubled = not beside.done()  # asked before the look: what it let go last must be seen to the end
            try:
                over = await live(run, *alive)
            except SQLAlchemyError:
                continue  # the server is away
            if over and not troubled:
                break
            await asyncio.sleep(0.1)
        await beside
        return (await judged(run, "workers", 1)).faults
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
        for process in workers:
            await process.end()


async def _stand_still(dice: random.Random, workers: list[Process]) -> None:
    """One of those alive, for up to two minutes of the office."""
    one = dice.choice([worker for worker in workers if worker.died is None])
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    await asyncio.sleep(dice.uniform(0, 120 / TICKS))
    os.kill(one.pid, signal.SIGCONT)
