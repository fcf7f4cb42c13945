"""The documents say what the program does: commands and states are compared with its tables."""

import re
from pathlib import Path

import typer.main

from reminder.bot.commands import COMMANDS
from reminder.cli import app
from tests.structure.states_page import page

DOCS = Path(__file__).parents[2] / "docs"


def test_every_command_of_the_terminal_is_documented_and_no_other() -> None:
    told = set(re.findall(r"^\| `reminder ([a-z -]+?)(?: [A-Z\[].*)?` \|", _commands(), re.M))
    group = typer.main.get_command(app)
    real = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        real |= {f"{name} {sub}" for sub in inner} if inner else {name}
    assert told == real


def test_every_command_of_the_bot_is_documented_and_no_other() -> None:
    told = set(re.findall(r"^\| `/([a-z]+)", _commands(), re.M))
    assert told == set(COMMANDS) | {"start"}


def test_the_page_of_states_is_drawn_from_the_tables() -> None:
    assert (DOCS / "states.md").read_text(encoding="utf-8") == page()


def test_both_readmes_open_with_the_picture_and_the_two_commands() -> None:
    for name in ("README.md", "README.zh.md"):
        text = (DOCS.parent / name).read_text(encoding="utf-8")
        assert text.startswith("![")
        picture = re.match(r"!\[[^\]]+\]\(([^)]+)\)", text)
        assert picture is not None
        assert (DOCS.parent / picture[1]).exists()
        assert re.search(r"```sh\nmake demo .*\nmake test ", text)


def _commands() -> str:
    return (DOCS / "commands.md").read_text(encoding="utf-8")
