"""A worker that cannot work says why and what to do in one sentence, and goes on where it can."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from reminder.store.migrations import OLDEST
from tests import postgres
from tests.cluster.commands import command, ended, stopped, until, well
from tests.postgres import Server

pytestmark = [
    pytest.mark.kill,
    pytest.mark.skipif(not os.environ.get("LONG"), reason="two dozen processes: LONG=1 pytest tests/cluster"),
]


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Not the run's: this one is stopped and started again."""
    assert find_spec("pgqueuer")
    with postgres.server() as running:
        if running is None:
            pytest.fail("no PostgreSQL") if os.environ.get("CI") else pytest.skip("no PostgreSQL")
        yield running


def fresh(server: Server, folder: Path) -> str:
    """A migrated database that is this folder's."""
    url = server.url(server.create())
    assert well(command(folder, url, "migrate"))
    return url


def test_without_postgresql_a_worker_names_what_to_write(tmp_path: Path) -> None:
    said = ended(command(tmp_path, "", "worker"))
    assert "database.url" in said
    assert "postgresql+psycopg://" in said


def test_an_address_no_waiting_makes_right_ends_it(own_server: Server, tmp_path: Path) -> None:
    said = ended(command(tmp_path, own_server.url("nowhere"), "worker"))
    assert said.count("cannot be reached") == 1
    assert "Correct database.url" in said


def test_a_server_that_is_down_at_the_start_is_waited_for(own_server: Server, tmp_path: Path) -> None:
    url = fresh(own_server, tmp_path)
    own_server.control("stop", "-m", "immediate")
    try:
        worker = command(tmp_path, url, "worker")
        assert "Start the server" in until(worker, "cannot be reached")
        assert "cannot be reached" in ended(command(tmp_path, url, "check"))
    finally:
        own_server.control("restart")
    until(worker, "engine.started")
    assert "cannot be reached" not in stopped(worker)


def test_a_queue_that_is_missing_is_named_and_made_anew(own_server: Server, tmp_path: Path) -> None:
    url = fresh(own_server, tmp_path)
    name = url.rsplit("/", 1)[1]
    own_server.sql("DROP TABLE queue.pgqueuer_schedules", name)
    assert "reminder migrate --queue" in ended(command(tmp_path, url, "worker"))
    assert well(command(tmp_path, url, "migrate", "--queue"))
    worker = command(tmp_path, url, "worker")
    until(worker, "engine.started")
    own_server.sql("COMMENT ON SCHEMA queue IS 'pgqueuer 9.9'", name)
    assert "PgQueuer 9.9" in ended(worker), "also while it runs"


def test_a_schema_another_version_made_ends_it_also_in_the_middle(own_server: Server, tmp_path: Path) -> None:
    url = fresh(own_server, tmp_path)
    worker = command(tmp_path, url, "worker")
    until(worker, "engine.started")
    newer = "UPDATE alembic_version SET version_num = '9999'; UPDATE meta SET value = '9999' WHERE key = '{}'"
    own_server.sql(newer.format(OLDEST), url.rsplit("/", 1)[1])
    assert "Another version of this program" in ended(worker)
    assert "A newer version of this program made it" in ended(command(tmp_path, url, "worker"))


def test_two_engines_on_one_database_are_refused(own_server: Server, tmp_path: Path) -> None:
    url = fresh(own_server, tmp_path)
    worker = command(tmp_path, url, "worker")
    until(worker, "engine.started")
    assert "workers of a cluster" in ended(command(tmp_path, url, "run"))
    doors = command(tmp_path, url, "run", "--cluster")
    until(doors, "engine.started")
    stopped(doors)
    stopped(worker)
    alone = command(tmp_path, url, "run")
    until(alone, "running")
    assert "without --cluster" in ended(command(tmp_path, url, "worker"))
    stopped(alone)


def test_a_worker_of_another_folder_sends_nothing_and_says_what_to_copy(
    own_server: Server, tmp_path: Path
) -> None:
    url = fresh(own_server, tmp_path / "one")
    first = command(tmp_path / "one", url, "worker")
    until(first, "engine.started")
    assert "Copy `instance` and `key`" in ended(command(tmp_path / "two", url, "worker"))
    stopped(first)
