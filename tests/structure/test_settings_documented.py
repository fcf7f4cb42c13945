"""Is every setting and every dependency in the documents, as it is?"""

import re
import tomllib
from pathlib import Path

import pytest

from reminder.settings import leaves
from reminder.settings_values import plain

ROOT = Path(__file__).parents[2]
RUNNING = (ROOT / "docs" / "running.md").read_text("utf-8")
DEPENDENCIES = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def documented() -> dict[str, str]:
    """Key and default of each row of the table of settings."""
    return dict(re.findall(r"^\| `([a-z_.]+)` \| (?:`([^`]*)`)? *\| \S.* \|$", RUNNING, re.MULTILINE))


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert list(documented()) == [".".join(path) for path, _ in leaves()]


def test_the_documented_defaults_are_true() -> None:
    told = documented()
    plainly = {".".join(path): plain(info.default) for path, info in leaves() if not info.is_required()}
    assert {key: told[key] for key in plainly} == plainly


@pytest.mark.parametrize("name", ["REMINDER_DATA_DIR", "REMINDER_CONFIG", "_FILE"])
def test_the_variables_that_are_no_settings_are_documented(name: str) -> None:
    assert name in RUNNING


def test_the_documented_example_is_a_good_one(tmp_path: Path) -> None:
    from reminder.settings_reading import load

    [example] = re.findall(r"```toml\n(.*?)```", RUNNING, re.DOTALL)
    (tmp_path / "reminder.toml").write_text(example, "utf-8")
    (tmp_path / "bot-token").write_text("110201543:AAtoken-for-tests-only")
    (tmp_path / "twilio-token").write_text("secret")
    assert load({"REMINDER_DATA_DIR": str(tmp_path)}).twilio.is_on


def test_every_dependency_has_its_line_and_nothing_else_has() -> None:
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    names = [re.match(r"[\w-]+", line)[0] for line in wanted]  # type: ignore[index]
    assert re.findall(r"^\| ([a-z][\w-]+) \|", DEPENDENCIES.replace("| name |", "|"), re.MULTILINE) == names
