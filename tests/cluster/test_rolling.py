"""Two versions at once on one PostgreSQL: which changes of the schema may be made under whose work?"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest
import sqlalchemy as sa

from tests.cluster.commands import ROOT, command, ended, stopped, until, well
from tests.cluster.versions import LAST, NOW, Other, contracted, expanded
from tests.ports import free_port
from tests.postgres import Server
from tests.proofs.morning import Morning, Process, Setting, morning, prepared, started, texts
from tests.proofs.moulds import Mould
from tests.proofs.restarts import whole

pytestmark = pytest.mark.kill


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next version."""
    return expanded(tmp_path_factory.mktemp("versions") / "next")


@pytest.fixture
def begin(postgres_server: Server, tmp_path: Path) -> Iterator[Callable[..., "Popen[str]"]]:
    """`reminder` of any version on one database; nothing of it outlives the test."""
    url, begun = postgres_server.url(postgres_server.create()), []

    def command_of(*words: str, tree: Path = ROOT) -> "Popen[str]":
        begun.append(command(tmp_path / "data", url, *words, tree=tree))
        return begun[-1]

    yield command_of
    for process in begun:
        process.kill()
        process.communicate()


async def said(process: Process, word: str) -> None:
    while word not in (process.said.read_text() if process.said.exists() else ""):
        assert process.died is None
        await asyncio.sleep(0.05)


async def test_workers_are_replaced_one_after_another_while_messages_go_out(
    postgres_server: Server, tree: Path, tmp_path: Path
) -> None:
    async def replaced(run: Morning, workers: list[Process]) -> None:
        first, second = workers
        while not texts(run):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)
        workers.append(Other(run, tree, port=free_port(), door=door))
        await said(workers[-1], "engine.started")
        run.refused = False  # Mr Zhao's answer is for either version to tell of
        await second.end()
        await said(first, "schema.newer")
        await first.end()  # its place is its port, where residents' answers come in
        workers.append(Other(run, tree, port=door, door=door))
        await said(workers[-1], "engine.started")
        run.answered = False  # Ms Li's for the new one alone
        while not run.answered:  # noqa: ASYNC110 - set by whoever plays her
            await asyncio.sleep(0.05)

    async with morning(tmp_path, Setting(mould=Mould(prepared, postgres_server), workers=2)) as run:
        door, run.answered, run.refused = run.order.port, True, True
        workers = started(run)
        assert await whole(run, workers, replaced) == []
        assert [worker.died for worker in workers] == [0] * 4
        async with run.rt.db.read() as tx:
            made = (await tx.execute(sa.text("SELECT DISTINCT version FROM attempts"))).scalars().all()
        assert sorted(made) == ["new", "old"]


def test_what_older_workers_do_not_survive_waits_for_their_end(
    begin: Callable[..., "Popen[str]"], tree: Path, tmp_path: Path
) -> None:
    last = contracted(tmp_path / "last", tree)
    old = begin("worker")
    until(old, "engine.started")
    middle = begin("worker", tree=tree)
    until(middle, "engine.started")
    refused = ended(begin("worker", tree=last))
    assert f"process {old.pid} on " in refused
    assert f"process {middle.pid} on " not in refused
    assert f"schema {NOW}" in refused
    assert old.poll() is None
    stopped(old)
    assert well(begin("migrate", tree=last))
    assert f"(schema {LAST}; this one knows {NOW})" in ended(begin("worker"))
    stopped(middle)
