"""Four workers on one PostgreSQL: whatever dies or stands still, nothing is lost or sent twice."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tests import postgres
from tests.cluster.mornings import RATE, morning
from tests.postgres import Server
from tests.proofs.deaths import judged
from tests.proofs.morning import Morning, Process, chats, free_port, live, start, texts

pytestmark = pytest.mark.kill

WORKERS = 4
Trouble = Callable[[Morning, list[Process]], Awaitable[None]]


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Not the run's: this one is killed and started again."""
    with postgres.server() as running:
        if running is None:
            pytest.fail("no PostgreSQL") if os.environ.get("CI") else pytest.skip("no PostgreSQL")
        yield running


async def first_message(run: Morning) -> None:
    """In the middle of the morning: something has been sent, and not all."""
    while not (texts(run) or chats(run)):  # noqa: ASYNC110 - other processes
        await asyncio.sleep(0.02)


async def whole(run: Morning, workers: list[Process], trouble: Trouble) -> list[str]:
    """The faults of a morning with this trouble in it."""
    beside = asyncio.create_task(trouble(run, workers))
    try:
        while True:
            alive = [process for process in workers if process.died is None]
            try:
                over = await live(run, *alive)
            except SQLAlchemyError:
                continue  # the server is away
            if over and beside.done():
                break
            await asyncio.sleep(0.1)
        await beside
        return (await judged(run, "workers", 1)).faults
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
        for process in workers:
            await process.end()


async def played(server: Server, folder: Path, trouble: Trouble) -> list[str]:
    folder.mkdir()  # noqa: ASYNC240 - a test's own folder
    async with morning(server, folder) as run:
        workers = [start(run, port=run.order.port if n == 0 else free_port()) for n in range(WORKERS)]
        return await whole(run, workers, trouble)


async def test_one_of_four_is_killed_in_the_middle(own_server: Server, tmp_path: Path) -> None:
    async def kill(run: Morning, workers: list[Process]) -> None:
        await first_message(run)
        workers[-1].kill()

    assert await played(own_server, tmp_path / "kill", kill) == []


async def test_four_workers_stand_still_and_go_on_at_random(own_server: Server, tmp_path: Path) -> None:
    dice, stops = random.Random(1), []

    async def stop_and_go(run: Morning, workers: list[Process]) -> None:
        for _ in range(12):
            await asyncio.sleep(dice.uniform(0, 0.4))
            one = dice.choice(workers)
            assert one.pid is not None
            os.kill(one.pid, signal.SIGSTOP)
            stops.append(one)
            await asyncio.sleep(dice.uniform(0, 120 / RATE))
            os.kill(one.pid, signal.SIGCONT)

    assert await played(own_server, tmp_path / "stop", stop_and_go) == []
    assert len(stops) == 12


async def test_the_server_is_restarted_in_the_middle(own_server: Server, tmp_path: Path) -> None:
    async def restart(run: Morning, _workers: list[Process]) -> None:
        await first_message(run)
        await asyncio.to_thread(own_server.control, "restart", "-m", "immediate")

    assert await played(own_server, tmp_path / "restart", restart) == []
