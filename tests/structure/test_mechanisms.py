"""Does every mechanism of the office have a command that exists and a test that runs?"""

import ast
import re
from pathlib import Path

import pytest

from reminder.bot.commands import COMMANDS

ROOT = Path(__file__).parents[2]
NUMBERS = [*(str(n) for n in range(1, 23)), "23a", "23b", "23c", "23d", *(str(n) for n in range(24, 32))]
TERMINAL = re.compile(r"^\| `(reminder [a-z-]+(?: [a-z]+)?)", re.MULTILINE)


def table() -> list[list[str]]:
    lines = (ROOT / "docs/mechanisms.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in rows if row[0] != "#"]


ROWS = table()


def test_every_mechanism_of_the_source_has_one_row() -> None:
    assert [row[0] for row in ROWS] == NUMBERS
    assert all(all(row) and len(row) == 6 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_its_command_exists(row: list[str]) -> None:
    command = row[4].strip("`")
    if command.startswith("/"):
        assert command[1:] in COMMANDS
    else:
        assert command in set(TERMINAL.findall((ROOT / "docs/commands.md").read_text("utf-8")))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_its_test_exists_and_is_not_left_out(row: list[str]) -> None:
    name, _, test = row[5].strip("`").partition("::")
    tree = ast.parse((ROOT / name).read_text("utf-8"))
    found = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == test
    ]
    assert len(found) == 1
    marks = [ast.unparse(mark) for mark in found[0].decorator_list]
    assert not [mark for mark in marks if "skip" in mark or "xfail" in mark]
    assert any(isinstance(node, ast.Assert) for node in ast.walk(found[0]))
