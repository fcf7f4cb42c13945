"""Four workers on one PostgreSQL: whatever dies or stands still, nothing is lost or sent twice."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import postgres
from tests.cluster.mornings import RATE, Trouble, morning, whole
from tests.ports import free_port
from tests.postgres import Server
from tests.proofs.morning import Morning, Process, start, texts

pytestmark = pytest.mark.kill

WORKERS = 4


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Not the run's: this one is killed and started again."""
    with postgres.server() as running:
        if running is None:
            pytest.fail("no PostgreSQL") if os.environ.get("CI") else pytest.skip("no PostgreSQL")
        yield running


async def senders(run: Morning, workers: list[Process]) -> list[Process]:
    """Whose turn it is to send just now."""
    query = "SELECT owner FROM queue.turns WHERE name IN ('sms', 'telegram') AND until > clock_timestamp()"
    async with run.rt.db.read() as tx:
        owners = {int(owner.split()[0]) for owner in (await tx.execute(sa.text(query))).scalars()}
    return [worker for worker in workers if worker.pid in owners]


async def played(server: Server, folder: Path, trouble: Trouble) -> list[str]:
    folder.mkdir()  # noqa: ASYNC240 - a test's own folder
    async with morning(server, folder) as run:
        door = run.order.port
        ports = [door, *(free_port() for _ in range(WORKERS - 1))]
        workers = [start(run, port=port, door=door) for port in ports]
        return await whole(run, workers, trouble)


async def test_a_morning_with_a_sender_killed_the_server_restarted_and_workers_standing_still(
    own_server: Server, tmp_path: Path
) -> None:
    dice, done = random.Random(1), []

    async def kill_and_restart(run: Morning, workers: list[Process]) -> None:
        # The first one has the doors through which residents' texts come.
        while not (sending := await senders(run, workers[1:])):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.01)
        sending[0].kill()
        done.append("kill")
        while not texts(run):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.02)
        await asyncio.to_thread(own_server.control, "restart", "-m", "immediate")
        done.append("restart")
        for _ in range(5):
            await stand_still(dice, workers)
            done.append("stop")

    assert await played(own_server, tmp_path / "one", kill_and_restart) == []
    assert done == ["kill", "restart", *["stop"] * 5]


async def stand_still(dice: random.Random, workers: list[Process]) -> None:
    """One of those alive, for up to two minutes of the office."""
    one = dice.choice([worker for worker in workers if worker.died is None])
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    await asyncio.sleep(dice.uniform(0, 120 / RATE))
    os.kill(one.pid, signal.SIGCONT)
