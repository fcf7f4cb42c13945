"""The commands that set an office up, examine it, hold it back, copy it and put it back, on a real folder."""

import asyncio
import json
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner, Result

from reminder.app import only_one, opened
from reminder.cli import app, main
from reminder.runtime import Runtime
from reminder.settings_reading import load
from reminder.store import backups, cases, reminders
from reminder.store import switches as kept
from reminder.store.migrations import OLDEST, revisions
from tests.office import _move_in, a_case, read, write

pytestmark = pytest.mark.sqlite

T = TypeVar("T")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder of its own; nothing of this machine's settings."""
    monkeypatch.setenv("REMINDER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    return tmp_path / "data"


def run(*args: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(args), input=typed)


def within(work: Callable[[Runtime], Awaitable[T]]) -> T:
    async def whole() -> T:
        async with opened(load()) as rt:
            return await work(rt)

    return asyncio.run(whole())


async def _filled(rt: Runtime) -> str:
    await write(rt, lambda tx: _move_in(tx, True))
    return (await a_case(rt)).row.case.number


# --- setting up ------------------------------------------------------------------------------------


def test_every_question_may_be_skipped_and_it_ends_in_test_mode(folder: Path) -> None:
    done = run("init", "--lang", "en", typed="\n" * 9)
    assert done.exit_code == 0, done.output
    assert "test mode" in done.output
    assert load().office.lang == "en"
    assert within(lambda rt: read(rt, kept.get)).live is False


def test_asked_again_nothing_is_lost_neither_secrets_nor_comments_nor_other_settings(folder: Path) -> None:
    token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
    given = ["Asia/Shanghai", "青麓民情", "202-555-0100", token, "", "", ""]
    assert run("init", "--lang", "zh", "--no-ask", "--name", "青麓民情").exit_code == 0
    config = folder / "reminder.toml"
    config.write_text(
        config.read_text("utf-8") + "\n# ours\n[web]\nport = 8099 # the proxy knows it\n", "utf-8"
    )
    from reminder import cli_init

    answers = iter(given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.prompt", lambda *_a, **_k: next(answers))
        cli_init.init("zh", ask=True, given={})
        answers = iter([""] * 7)
        settings = cli_init.init("zh", ask=True, given={})
    text = config.read_text("utf-8")
    assert "# ours" in text
    assert "# the proxy knows it" in text
    assert settings.web.port == 8099
    assert settings.telegram.token is not None
    assert settings.telegram.token.get_secret_value() == token
    assert token not in text
    (secret,) = folder.glob("telegram-token*")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_zone_that_does_not_exist_is_refused_and_nothing_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["reminder", "init", "--no-ask", "--timezone", "Mars/Base"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "Nothing was written" in capsys.readouterr().err
    assert not (folder / "reminder.toml").exists()


# --- the doctor -------------------------------------------------------------------------------------


@pytest.mark.failure(40)
def test_the_doctor_finds_what_is_wrong_and_goes_on_looking(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("init", "--no-ask").exit_code == 0
    monkeypatch.setenv("REMINDER_TELEGRAM__BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("REMINDER_TELEGRAM__TOKEN", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
    assert run("stop", "sms", "--why", "drill").exit_code == 0
    done = run("doctor", "--json")
    found = {check["name"]: check for check in json.loads(done.output)["checks"]}
    assert done.exit_code == 1
    assert found["telegram"]["finding"] == "fault"
    assert "AAHdq" not in done.output
    assert found["database"]["finding"] == "ok"
    assert found["mode"]["finding"] == "note"
    assert found["stopped"]["said"] == "sms: drill"
    assert all(check["remedy"] for check in found.values() if check["finding"] != "ok")
    (folder / "key").chmod(0o644)
    assert json.loads(run("doctor", "--json").output)["ok"] is False


def test_the_doctor_looks_at_every_bot_and_counts_who_has_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("init", "--no-ask").exit_code == 0
    monkeypatch.setenv("REMINDER_TELEGRAM__BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("REMINDER_TELEGRAM__TOKEN", "11:AAone 12:AAtwo")
    assert run("check").exit_code == 0  # makes the database
    with sqlite3.connect(folder / "reminder.db") as db:
        db.execute("INSERT INTO units (name, kind) VALUES ('county', 'county')")
        for number, bot in enumerate((None, 12, 13)):
            db.execute(
                "INSERT INTO people (name, unit_id, chat_id, bot) VALUES ('x', 1, ?, ?)", (number, bot)
            )
    found = {check["name"]: check for check in json.loads(run("doctor", "--json").output)["checks"]}
    assert {"telegram", "telegram@12"} <= set(found)
    assert found["bots"]["said"].startswith("1 joined")


def test_a_newer_schema_that_lets_this_program_work_is_a_note_and_one_that_does_not_a_fault(
    folder: Path,
) -> None:
    assert "at this version" in run("migrate").output
    for oldest, finding in ((revisions()[-1], "note"), ("9999", "fault")):
        with closing(sqlite3.connect(folder / "reminder.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.execute("UPDATE meta SET value = ? WHERE key = ?", (oldest, OLDEST))
        if finding == "note":
            assert "a newer version (9999), which this one works with" in run("migrate").output
        checks = json.loads(run("doctor", "--json").output)["checks"]
        (said,) = [check for check in checks if check["name"] == "database"]
        assert said["finding"] == finding
        assert "9999" in said["said"]


def test_settings_that_cannot_be_read_are_all_named_by_the_doctor(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMINDER_OFFICE__TIMEZONE", "Mars/Base")
    monkeypatch.setenv("REMINDER_WEB__PORT", "many")
    done = run("doctor", "--json")
    assert done.exit_code == 1
    assert [check["name"] for check in json.loads(done.output)["checks"]] == ["settings", "settings"]


# --- copies ------------------------------------------------------------------------------------------


def _copy(folder: Path) -> Path:
    assert run("backup", "create").exit_code == 0
    found = backups.newest(folder / "backups")
    assert found is not None
    return found


def test_a_copy_made_while_the_office_works_is_whole_and_can_be_put_back(folder: Path) -> None:
    number = within(_filled)
    copy = _copy(folder)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert run("backup", "verify", str(copy)).exit_code == 0
    within(lambda rt: a_case(rt, phones=("+12025550143",)))
    assert len(within(lambda rt: read(rt, cases.ids))) == 2
    done = run("backup", "restore", str(copy))
    assert done.exit_code == 0, done.output
    (one,) = within(lambda rt: read(rt, cases.ids))
    assert within(lambda rt: read(rt, lambda tx: cases.many(tx, [one])))[one].case.number == number
    assert list(folder.glob("reminder.db.before-restore-*")), "what was there is kept"


@pytest.mark.failure(34)
def test_what_comes_back_is_disarmed_until_somebody_has_looked(folder: Path) -> None:
    within(_filled)
    copy = _copy(folder)
    assert run("backup", "restore", str(copy)).exit_code == 0
    shown = run("arm")
    assert shown.exit_code == 1
    assert "--approve" in shown.output
    assert run("arm", "--approve").exit_code == 0
    assert run("arm").exit_code == 0
    waiting = within(lambda rt: read(rt, reminders.some))
    assert {row.state.value for row in waiting} <= {"missed", "planned", "merged", "suppressed"}


@pytest.mark.parametrize("harm", ["cut", "changed", "no note", "no file", "newer"])
def test_a_copy_that_is_not_whole_is_refused_and_nothing_is_changed(folder: Path, harm: str) -> None:
    within(_filled)
    copy = _copy(folder)
    note = copy.with_name(copy.name + ".json")
    before = (folder / "reminder.db").read_bytes()
    match harm:
        case "cut":
            copy.write_bytes(copy.read_bytes()[:5000])
        case "changed":
            copy.write_bytes(copy.read_bytes() + b"x")
        case "no note":
            note.unlink()
        case "no file":
            copy.unlink()
        case "newer":
            said = json.loads(note.read_text("utf-8"))
            note.write_text(json.dumps(said | {"revision": "9999"}), "utf-8")
    for args in (("backup", "verify", str(copy)), ("backup", "restore", str(copy))):
        done = run(*args)
        assert done.exit_code != 0
        assert "Nothing was changed" in str(done.exception)
    assert (folder / "reminder.db").read_bytes() == before


def test_nothing_is_put_back_under_a_running_office(folder: Path) -> None:
    within(_filled)
    copy = _copy(folder)
    with only_one(folder / "reminder.db"):
        done = run("backup", "restore", str(copy))
    assert done.exit_code != 0
    assert "already running" in str(done.exception)


def test_a_file_that_is_there_is_never_written_over(folder: Path, tmp_path: Path) -> None:
    within(_filled)
    target = tmp_path / "mine.db"
    target.write_text("something else")
    done = run("backup", "create", "--to", str(target))
    assert "there already" in str(done.exception)
    assert target.read_text() == "something else"


# --- going live --------------------------------------------------------------------------------------


def test_it_goes_live_only_with_every_point_done_or_by_an_express_word(folder: Path) -> None:
    assert run("init", "--no-ask").exit_code == 0
    refused = run("live", "--apply")
    assert refused.exit_code == 1
    assert within(lambda rt: read(rt, kept.get)).live is False
    assert run("live", "--anyway").exit_code == 0
    assert within(lambda rt: read(rt, kept.get)).live is True
    assert run("test-mode").exit_code == 0
    assert within(lambda rt: read(rt, kept.get)).live is False


def test_a_number_of_the_team_is_one_number(folder: Path) -> None:
    assert "1 numbers" in run("members", "add", "+1 202 555 0142").output
    assert "1 numbers" in run("members", "add", "(202) 555-0142").output
    assert "0 numbers" in run("members", "remove", "+12025550142").output
    wrong: Any = run("members", "add", "555").exception
    assert "Nothing was changed" in str(wrong)
