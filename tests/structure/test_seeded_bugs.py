"""Can every seeded bug still be put into the tree, and do the tests that must catch it exist?"""

import subprocess

import pytest

from tests.seeded_bugs import ROOT, Bug, bugs


def test_there_are_enough_of_them_and_each_has_a_number_of_its_own() -> None:
    numbers = [bug.patch.name.partition("-")[0] for bug in bugs()]
    assert numbers == [f"{n:02}" for n in range(1, len(numbers) + 1)]
    assert len(numbers) >= 30


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.patch.stem)
def test_it_applies_and_its_tests_exist(bug: Bug) -> None:
    command = ["git", "apply", "--check", str(bug.patch)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert bug.tests
    assert [path for path in bug.files if not path.is_file()] == []
