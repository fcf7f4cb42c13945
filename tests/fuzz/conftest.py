"""Prints what was tried, with its seed, when the folder's tests are over."""

from collections.abc import Iterator

import pytest

from tests.fuzz import TALLIES


@pytest.fixture(scope="package", autouse=True)
def _print_table(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(tally.line() for tally in TALLIES))
