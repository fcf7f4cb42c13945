"""An office on a real file for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reminder.runtime import Runtime
from tests.office import office


@pytest.fixture
async def rt(tmp_path: Path) -> AsyncIterator[Runtime]:
    async with office(tmp_path, inline=True) as made:
        yield made
