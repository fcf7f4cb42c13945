"""Is everything an office sets read from the right place, checked at once, and never shown when secret?"""

import os
import shutil
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reminder.domain.errors import Fault, Faulty
from reminder.domain.workdays import Hours
from reminder.settings import Settings, leaves, schema
from reminder.settings_reading import env_name, load

ACCOUNT = "AC" + "0" * 31 + "7"
TOKEN = "110201543:AAtoken-for-tests-only"


class Office:
    """A data folder with a settings file, and an environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "reminder.toml"

    def load(self, toml: str = "", env: Mapping[str, str] | None = None) -> Settings:
        if toml:
            self.file.write_text(toml, "utf-8")
        return load({"REMINDER_DATA_DIR": str(self.folder), "HOME": str(self.folder), **(env or {})})

    def faults(self, toml: str = "", env: Mapping[str, str] | None = None) -> list[Fault]:
        with pytest.raises(Faulty) as told:
            self.load(toml, env)
        return list(told.value.faults)

    def source_of(self, settings: Settings, key: str) -> tuple[str, str]:
        line = next(shown for shown in settings.shown() if shown.key == key)
        return line.value, line.source.replace(str(self.file), "FILE")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_nothing_set_is_a_working_office_in_its_data_folder(office: Office) -> None:
    found = office.load()
    assert found.database.url == f"sqlite+aiosqlite:///{office.folder}/reminder.db"
    assert found.files.key == office.folder / "key"
    assert found.office.texting_hours == Hours(start=time(8), end=time(20))
    assert found.telegram.token is None
    assert not found.twilio.is_on
    assert list(office.folder.iterdir()) == [], "reading settings makes no files"


def test_the_file_is_read_and_the_environment_beats_it(office: Office) -> None:
    toml = """
[office]
timezone = "Europe/London"
country = "gb-eng"
digest_at = 07:30:00
texting_hours = "09:00-19:30"
phone_regions = ["GB", "IE"]
signatures = { zh = "【示例街道】", en = "[Example]" }
[web]
port = 9000
"""
    found = office.load(toml, {"REMINDER_WEB__PORT": "9001", "REMINDER_OFFICE__PHONE_REGIONS": "CN, GB"})
    assert found.office.timezone == ZoneInfo("Europe/London")
    assert found.office.country == "GB-ENG"
    assert found.office.digest_at == time(7, 30)
    assert found.office.texting_hours == Hours(start=time(9), end=time(19, 30))
    assert found.office.signatures.given() == {"zh": "【示例街道】", "en": "[Example]"}
    assert found.office.phone_regions == ("CN", "GB")
    assert found.web.port == 9001


def test_each_value_is_shown_with_where_it_came_from(office: Office) -> None:
    found = office.load('[web]\nport = 9000\n\n[office]\nname = "Example"\n', {"REMINDER_WEB__HOST": "::1"})
    assert office.source_of(found, "web.port") == ("9000", "FILE:2")
    assert office.source_of(found, "office.name") == ("Example", "FILE:5")
    assert office.source_of(found, "web.host") == ("::1", "REMINDER_WEB__HOST")
    assert office.source_of(found, "log.level") == ("INFO", "default")
    assert [shown.key for shown in found.shown()] == [".".join(path) for path, _ in leaves()]


def test_five_faults_give_five_messages_in_one_run(office: Office) -> None:
    toml = """[office]
timezon = "Asia/Shanghai"
phone = "call me"

[web]
port = "many"
"""
    env = {"REMINDER_OFFICE__TIMEZONE": "Asia/Shangai", "REMINDER_TELEGRAM__TOKEN_FILE": "/no/such/file"}
    faults = office.faults(toml, env)
    told = {fault.place.replace(str(office.file), "FILE"): fault for fault in faults}
    assert len(faults) == len(told) == 5
    assert set(told) == {
        "FILE:2",
        "FILE:3",
        "FILE:6",
        "REMINDER_OFFICE__TIMEZONE",
        "REMINDER_TELEGRAM__TOKEN_FILE",
    }
    assert told["FILE:2"].remedy == "Did you mean 'timezone'?"
    assert told["REMINDER_OFFICE__TIMEZONE"].remedy == "Did you mean 'Asia/Shanghai'?"
    assert all(fault.what and fault.remedy and "\n" not in str(fault) for fault in faults)


@pytest.mark.parametrize(
    ("env", "what", "remedy"),
    [
        ({"REMINDER_TWILO__SENDER": "x"}, "No setting", "REMINDER_TWILIO__SENDER"),
        ({"REMINDER_DATADIR": "x"}, "No setting", "REMINDER_DATA_DIR"),
        ({"REMINDER_DATABASE__URL": "postgresql://h/db"}, "driver", "postgresql+psycopg://"),
        ({"REMINDER_DATABASE__URL": "sqlite+aiosqlite://"}, "no file", "reminder.db"),
        ({"REMINDER_DATABASE__URL": "mysql://h/db"}, "not a database", "sqlite+aiosqlite"),
        ({"REMINDER_TELEGRAM__TOKEN": "abc"}, "not a bot token", "BotFather"),
        ({"REMINDER_TELEGRAM__TOKEN": f"{TOKEN}\n{TOKEN[:12]}another"}, "same bot twice", "one a line"),
        ({"REMINDER_TELEGRAM__BASE_URL": "ftp://h"}, "not a web address", "https://"),
        ({"REMINDER_WEB__PUBLIC_URL": "https://h:x"}, "not a web address", "https://"),
        ({"REMINDER_WEB__PUBLIC_URL": "https://h?a=b"}, "not a web address", "https://"),
        ({"REMINDER_OFFICE__COUNTRY": "GB-ENK"}, "holidays", "GB-ENG"),
        ({"REMINDER_OFFICE__PHONE_REGIONS": "CN,UK"}, "'UK'", '["CN", "US"]'),
        ({"REMINDER_OFFICE__TEXTING_HOURS": "20:00-08:00"}, "span", "08:00-20:00"),
        ({"REMINDER_OFFICE__DIGEST_AT": "25:00"}, "time of day", "08:10"),
        ({"REMINDER_OFFICE__UNDO_SECONDS": "-1"}, "range", "0 to 600"),
        ({"REMINDER_OFFICE__LANG": "fr"}, "choices", '"zh" or "en"'),
        ({"REMINDER_LOG__JSON": "perhaps"}, "true or false", "json = false"),
        ({"REMINDER_FILES__TEMPLATES": "/no/such"}, "no folder", "Mend"),
        ({"REMINDER_FILES__CALENDAR": "/no/such.csv"}, "no file", "Mend"),
        ({"REMINDER_CONFIG": "/no/such.toml"}, "no file", "unset"),
    ],
)
def test_each_fault_is_told_with_its_remedy(
    office: Office, env: dict[str, str], what: str, remedy: str
) -> None:
    [fault] = office.faults(env=env)
    assert fault.place == next(iter(env))
    assert what in fault.what
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("[office\n", 1),
        ("[office]\nname = 5\n", 2),
        ('office = "x"\n', 1),
        ('[office]\nsignatures = "x"\n', 2),
        ("[office]\nsignatures = { fr = 'x' }\n", 2),
        ("[telegram]\ntoken_file = 5\n", 2),
        ("[log]\nlevel = ['INFO']\n", 2),
        ("data_dir = '/tmp'\n", 1),
    ],
)
def test_a_malformed_file_is_told_by_its_line(office: Office, toml: str, line: int) -> None:
    [fault] = office.faults(toml)
    assert fault.place == f"{office.file}:{line}"


def test_a_file_in_another_encoding_is_a_fault(office: Office) -> None:
    office.file.write_bytes("[office]\nname = '示例'\n".encode("gb18030"))
    assert "UTF-8" in office.faults()[0].what


def test_half_of_twilio_is_told_with_what_is_missing(office: Office) -> None:
    faults = office.faults(f'[twilio]\nsender = "+12025550100"\naccount_sid = "{ACCOUNT}"\n')
    assert [fault.place for fault in faults] == [f"{office.file}:3"] * 2
    assert "twilio.auth_token" in faults[0].what
    assert "web.public_url" in faults[1].what


def test_texts_are_on_with_all_of_twilio_and_an_address(office: Office) -> None:
    found = office.load(
        f'[twilio]\nsender = "+12025550100"\naccount_sid = "{ACCOUNT}"\n[web]\npublic_url = "https://h.example/"',
        {"REMINDER_TWILIO__AUTH_TOKEN": "secret-of-twilio"},
    )
    assert found.twilio.is_on
    assert found.web.public_url == "https://h.example"


def test_a_bad_sender_says_how_it_is_written(office: Office) -> None:
    faults = office.faults(
        env={"REMINDER_TWILIO__SENDER": "2025550100", "REMINDER_WEB__PUBLIC_URL": "http://h"}
    )
    assert any("+12025550100" in fault.remedy for fault in faults)


@pytest.mark.failure(33)
def test_no_secret_is_ever_printed(office: Office) -> None:
    env = {
        "REMINDER_TELEGRAM__TOKEN": TOKEN,
        "REMINDER_TWILIO__AUTH_TOKEN": "secret-of-twilio",
        "REMINDER_TWILIO__AUTH_TOKEN_PREVIOUS": "secret-of-yesterday",
        "REMINDER_TWILIO__ACCOUNT_SID": ACCOUNT,
        "REMINDER_TWILIO__SENDER": "+12025550100",
        "REMINDER_WEB__PUBLIC_URL": "https://h.example",
        "REMINDER_DATABASE__URL": "postgresql+psycopg://clerk:secret-of-base@db/reminder",
    }
    found = office.load(env=env)
    told = f"{found!r} {found} {found.shown()} {found.database!r} {found.twilio!r}"
    assert "secret-of" not in told
    assert TOKEN not in told
    assert office.source_of(found, "telegram.token") == ("********", "REMINDER_TELEGRAM__TOKEN")
    assert office.source_of(found, "database.url")[0] == "postgresql+psycopg://clerk:********@db/reminder"
    env["REMINDER_DATABASE__URL"] = "postgres://clerk:secret-of-base@db/reminder"
    env["REMINDER_TELEGRAM__TOKEN"] = "secret-of-bot"
    assert "secret-of" not in " ".join(map(str, office.faults(env=env)))


def test_a_secret_may_be_in_a_file_of_its_own(office: Office) -> None:
    secret = office.folder / "bot-token"
    secret.write_text(TOKEN + "\n")
    secret.chmod(0o600)
    by_env = office.load(env={"REMINDER_TELEGRAM__TOKEN_FILE": str(secret)})
    by_file = office.load('[telegram]\ntoken_file = "bot-token"\n')
    for found in (by_env, by_file):
        assert found.telegram.token is not None
        assert found.telegram.token.get_secret_value() == TOKEN
        assert found.warnings == ()
    secret.write_text(f"{TOKEN}\n7:AAanother-one\n")
    assert office.load('[telegram]\ntoken_file = "bot-token"\n').telegram.tokens == [TOKEN, "7:AAanother-one"]


def test_a_secret_given_twice_or_empty_is_a_fault(office: Office) -> None:
    secret = office.folder / "bot-token"
    secret.write_text("\n")
    secret.chmod(0o600)
    env = {"REMINDER_TELEGRAM__TOKEN_FILE": str(secret)}
    assert ["is empty" in fault.what for fault in office.faults(env=env)] == [True]
    secret.write_text(TOKEN)
    [fault] = office.faults(env={**env, "REMINDER_TELEGRAM__TOKEN": TOKEN})
    assert "already" in fault.what


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_secret_everybody_can_read_is_warned_of_and_used(office: Office) -> None:
    secret = office.folder / "bot-token"
    secret.write_text(TOKEN)
    secret.chmod(0o644)
    (office.folder / "key").write_text("00" * 32)
    (office.folder / "key").chmod(0o644)
    found = office.load('[telegram]\ntoken_file = "bot-token"\n')
    assert [fault.place for fault in found.warnings] == [str(secret), str(office.folder / "key")]
    secret.unlink()
    office.file.write_text(f'[telegram]\ntoken = "{TOKEN}"\n')
    office.file.chmod(0o644)
    assert str(office.file) in [fault.place for fault in office.load().warnings]


def test_an_empty_variable_is_as_good_as_unset(office: Office) -> None:
    assert office.load(env={"REMINDER_TELEGRAM__TOKEN": "", "REMINDER_CONFIG": ""}).telegram.token is None


def test_names_of_files_start_at_the_settings_file(office: Office) -> None:
    (office.folder / "ours").mkdir()
    assert office.load('[files]\ntemplates = "ours"\n').files.templates == office.folder / "ours"
    shutil.rmtree(office.folder / "ours")
    assert office.faults()[0].place == f"{office.file}:2"


def test_settings_cannot_be_changed(office: Office) -> None:
    with pytest.raises(ValueError, match="frozen"):
        office.load().web.port = 1


def test_the_schema_names_every_setting() -> None:
    found = schema()
    assert "data_dir" not in found["properties"]
    text = str(found)
    assert [path for path, _ in leaves() if f"'{path[-1]}'" not in text] == []
    assert env_name(("office", "signatures", "zh")) == "REMINDER_OFFICE__SIGNATURES__ZH"
