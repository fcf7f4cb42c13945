"""The terminal explains, rehearses and changes protocols on a real database, in words and as JSON."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from reminder.app import opened
from reminder.cli import app, main
from reminder.settings_reading import load
from tests.office import ROOT, UNITS, _move_in, a_case, write

pytestmark = pytest.mark.sqlite


class Desk:
    """A data folder with one case in it, and the command line on it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.own = folder / "own"
        monkeypatch.setenv("REMINDER_DATA_DIR", str(folder))
        monkeypatch.setenv("REMINDER_FILES__TEMPLATES", str(self.own))
        monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
        (self.own / "protocols").mkdir(parents=True)
        self.number = asyncio.run(self._case())

    async def _case(self) -> str:
        async with opened(load()) as rt:
            await write(rt, lambda tx: _move_in(tx, True))
            return (await a_case(rt)).row.case.number

    def edit(self, old: str, new: str) -> None:
        text = (ROOT / "templates" / "protocols" / "ordinary.toml").read_text("utf-8")
        assert old in text
        (self.own / "protocols" / "ordinary.toml").write_text(text.replace(old, new), "utf-8")

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(app, list(args))

    def json(self, *args: str) -> Any:
        done = self.run(*args, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.output)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def due(found: Any, key: str = "handle") -> Any:
    return next(entry["day"] for entry in found["entries"] if entry["key"] == key)


def test_why_in_both_languages_and_as_json(desk: Desk) -> None:
    assert "+ 60 calendar days = " in desk.run("why", desk.number).output
    assert "+ 60 个自然日 = " in desk.run("why", desk.number, "--lang", "zh").output
    found = desk.json("why", desk.number)
    assert found["number"] == desk.number
    assert {entry["key"] for entry in found["entries"]} >= {"handle", "progress", "half"}
    assert all(entry["lines"] for entry in found["entries"])


def test_preview_for_everybody_and_for_a_unit(desk: Desk) -> None:
    found = desk.json("preview", "--days", "14")
    assert found["messages"]
    assert found["sms_parts"] == sum(one["sms_parts"] for one in found["messages"])
    name = next(label for key, label, _, _ in UNITS if key == "other")
    assert desk.json("preview", "--unit", name)["messages"] == []
    assert "SMS parts" in desk.run("preview").output


def test_migrate_shows_first_and_applies_when_told(desk: Desk) -> None:
    assert "on its newest version" in desk.run("protocols", "migrate", "ordinary").output
    before = due(desk.json("why", desk.number))
    desk.edit('limit = "60 cal"\nextension', 'limit = "45 cal"\nextension')
    shown = desk.run("protocols", "migrate", "ordinary")
    assert shown.exit_code == 0
    assert "Moves: Decide and answer in writing" in shown.output
    assert "--apply" in shown.output
    found = desk.json("protocols", "migrate", "ordinary")
    ((moved,),) = [case["moved"] for case in found["cases"]]
    assert moved["old"] == before == due(desk.json("why", desk.number)), "a dry run changes nothing"
    assert desk.run("protocols", "migrate", "ordinary", "--apply").exit_code == 0
    assert due(desk.json("why", desk.number)) == moved["new"]
    assert desk.run("check").exit_code == 0


def test_one_case_changes_its_protocol(desk: Desk) -> None:
    assert "ordinary" in desk.run("protocols", "change", desk.number, "simple").output
    done = desk.json("protocols", "change", desk.number, "simple", "--apply")
    assert (done["applied"], done["left"]) == (1, [])
    assert desk.run("check").exit_code == 0


BAD = {
    "no case": (["why", "99000000"], "Nothing was found"),
    "days": (["preview", "--days", "0"], "nothing was changed"),
    "unit": (["preview", "--unit", "Atlantis"], "nothing was changed"),
    "protocol": (["protocols", "migrate", "nothing"], "There is no protocol 'nothing'"),
    "same": (["protocols", "change", "NO", "ordinary"], "already"),
    "promises": (
        ["protocols", "change", "NO", "simple", "--apply", "--promised", "7"],
        "Nothing was changed",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_sentence_and_nothing_else(
    desk: Desk, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    args, sentence = BAD[what]
    monkeypatch.setattr("sys.argv", ["reminder", *(desk.number if a == "NO" else a for a in args)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
