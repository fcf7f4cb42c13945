"""Four workers on one PostgreSQL: whatever dies or stands still, nothing is lost or sent twice."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.postgres import Server
from tests.proofs.morning import Setting, prepared
from tests.proofs.moulds import Mould
from tests.proofs.restarts import restart

pytestmark = pytest.mark.kill

WORKERS = 4


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Not the run's: this one is killed and started again."""
    with postgres.server() as running:
        if running is None:
            pytest.fail("no PostgreSQL") if os.environ.get("CI") else pytest.skip("no PostgreSQL")
        yield running


async def test_a_morning_with_a_sender_killed_the_server_restarted_and_workers_standing_still(
    own_server: Server, tmp_path: Path
) -> None:
    setting = Setting(mould=Mould(prepared, own_server), workers=WORKERS)
    assert await restart(tmp_path / "one", setting, own_server, random.Random(1)) == []
