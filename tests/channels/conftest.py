"""A bare-socket provider for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.channels.raw import Raw, raw_server


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    async with raw_server() as server:
        yield server
