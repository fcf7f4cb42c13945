"""A death between any two steps is survived (three scenarios; all of them: make prove)."""

from pathlib import Path

import pytest

from tests.proofs.scenarios import SCENARIOS, SHORT
from tests.proofs.survey import survey


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.failure(1, 2)
async def test_a_death_at_any_boundary_loses_nothing_and_doubles_nothing(tmp_path: Path, name: str) -> None:
    (scenario,) = (one for one in SCENARIOS if one.name == name)
    found = await survey(scenario, tmp_path / "all", begin=1)
    assert found.faults == []
    assert found.boundaries > 300
    assert found.deaths > 10
    assert found.sent > 5, "a run in which nothing was sent proves nothing"


def test_there_are_enough_scenarios() -> None:
    assert len({one.name for one in SCENARIOS}) >= 12
    assert set(SHORT) <= {one.name for one in SCENARIOS}
