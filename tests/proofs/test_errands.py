"""Importing, erasing, arming, copying, putting back, migrating: killed half-way, then done again."""

from pathlib import Path

import pytest

from tests.proofs.errand_deaths import Errand
from tests.proofs.places import ERRANDS, of

pytestmark = pytest.mark.kill

LAST = {
    "import.before_row": 3,
    "import.before_commit": 3,
    "import.after_commit": 3,
    "archive.after_copy": 2,  # on the way back
}
"""The last time a place is passed, where the first and the last differ."""


@pytest.mark.parametrize("name", ERRANDS)
@pytest.mark.failure(21, 34)
async def test_broken_off_and_done_again_it_ends_as_if_nothing_had_happened(
    tmp_path: Path, name: str
) -> None:
    errand = Errand(name, tmp_path)
    await errand.built()
    for place in of(name):
        found = await errand.death(place, 1)
        assert found.died, f"{place} was never passed"
        assert found.faults == []
        if place in LAST:
            found = await errand.death(place, LAST[place])
            assert found.died, f"{place} was not passed {LAST[place]} times"
            assert found.faults == []
