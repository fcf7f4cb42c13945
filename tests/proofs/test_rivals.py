"""Two offices that get past the lock, stopped and let go at random, still send nothing twice."""

import random
from pathlib import Path

import pytest

from tests.proofs.rivals import rivalry

pytestmark = pytest.mark.kill


@pytest.mark.failure(24, 25)
async def test_two_offices_that_get_past_the_lock_still_send_nothing_twice(tmp_path: Path) -> None:
    found = await rivalry(tmp_path / "two", 2, random.Random(1))
    assert found.faults == []
    assert found.stops >= 3
