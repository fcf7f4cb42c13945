"""Is every place where a death may come known, tried and explained?"""

import ast
import re
from pathlib import Path

from tests.proofs.places import ERRANDS, MORNING, PLACES

ROOT = Path(__file__).parents[2]
CHANNELS = ("telegram", "sms")


def passed() -> list[str]:
    """The names of all places in the program, once for each time it is written down."""
    found: list[str] = []
    for path in [*ROOT.glob("reminder/**/*.py"), *ROOT.glob("jobs/*.py"), *ROOT.glob("alembic/*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "failpoint":
                found += _names(node.args[0])
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_PLACES":
                found += ast.literal_eval(node.value).values()
    return found


def _names(said: ast.expr) -> list[str]:
    if isinstance(said, ast.Constant):
        return [str(said.value)]
    if isinstance(said, ast.IfExp):
        return [*_names(said.body), *_names(said.orelse)]
    if isinstance(said, ast.JoinedStr):
        return [eval(ast.unparse(said), {"channel": channel}) for channel in CHANNELS]  # noqa: S307
    return []  # from a _PLACES table


def test_every_place_in_the_program_is_killed_by_a_scenario_and_no_other_is_named() -> None:
    assert set(passed()) == set(PLACES)
    assert len(PLACES) >= 40


def test_a_name_means_one_place() -> None:
    """But for the few that are passed on both ways through the same step."""
    names = passed()
    several = {name for name in names if names.count(name) > 1}
    assert several == {"inbox.before_commit", "settle.before_commit"}


def test_each_scenario_is_run_by_the_short_tests() -> None:
    assert {place.scenario for place in PLACES.values()} == {MORNING, *ERRANDS}
    kills = (ROOT / "tests/proofs/test_kills.py").read_text("utf-8")
    errands = (ROOT / "tests/proofs/test_errands.py").read_text("utf-8")
    assert "of(MORNING)" in kills
    assert "ERRANDS" in errands


def test_what_must_hold_after_each_is_written_down() -> None:
    text = (ROOT / "docs/proofs.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE)) == sorted(PLACES)
