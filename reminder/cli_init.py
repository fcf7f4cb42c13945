"""How does an office come to its settings: a few questions, all skippable, asked again without loss?"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

import typer

from reminder.actions import switches
from reminder.app import opened
from reminder.domain.errors import Faulty, ReminderError
from reminder.settings import Settings
from reminder.settings_reading import config_of, data_dir_of, load
from reminder.store import switches as kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One setting to ask for; a secret goes into a file of its own, readable by its owner only."""

    path: tuple[str, str]
    zh: str
    en: str
    secret: bool = False

    def asked(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


QUESTIONS = (
    Question(path=("office", "timezone"), zh="时区", en="Time zone"),
    Question(path=("office", "name"), zh="办公室名称", en="The office's name"),
    Question(path=("office", "phone"), zh="群众可以打的电话", en="The number residents may ring"),
    Question(
        path=("telegram", "token"),
        zh="机器人口令（BotFather 给的）",
        en="Bot token, from BotFather",
        secret=True,
    ),
    Question(path=("twilio", "account_sid"), zh="短信账号 AC…", en="SMS account, AC…"),
    Question(path=("twilio", "auth_token"), zh="短信账号的口令", en="Its auth token", secret=True),
    Question(path=("twilio", "sender"), zh="发短信的号码 +…", en="The number texts come from, +…"),
)


def init(lang: str, *, ask: bool, given: Mapping[str, str]) -> Settings:
    """Write the settings file and the secrets; an empty answer keeps what is there. Ends in test mode."""
    config, folder = config_of(os.environ), data_dir_of(os.environ)
    before = _known()
    values: dict[str, dict[str, str]] = {"office": {"lang": lang}}
    secrets: dict[str, str] = {}
    for question in QUESTIONS:
        key = ".".join(question.path)
        said = given.get(key) or (_asked(question, lang, before.get(key, "")) if ask else before.get(key, ""))
        if not said:
            continue
        if question.secret:
            if said != SAVED:
                secrets[key] = said
            values.setdefault(question.path[0], {})[f"{question.path[1]}_file"] = _secret_name(key)
        else:
            values.setdefault(question.path[0], {})[question.path[1]] = said
    _checked(values)
    folder.mkdir(parents=True, exist_ok=True)
    config.parent.mkdir(parents=True, exist_ok=True)
    for key, secret in secrets.items():
        _keep(config.parent / _secret_name(key), secret)
    _keep(config, _toml(config, values))
    settings = load()
    asyncio.run(_in_test_mode(settings))
    typer.echo("\n".join([_WRITTEN[lang].format(config=config), *_NEXT[lang]]))
    return settings


SAVED = "(saved)"

_WRITTEN = {"zh": "写好了：{config}", "en": "Written: {config}"}
_NEXT = {
    "zh": (
        "现在是试用：短信只发给 `reminder members add` 的号码。",
        "先 `reminder doctor`，再 `reminder run`；上线前看 `reminder live`。",
    ),
    "en": (
        "This is test mode: texts go only to the numbers of `reminder members add`.",
        "Next: `reminder doctor`, then `reminder run`; `reminder live` shows what is open before going live.",
    ),
}


def _known() -> dict[str, str]:
    """What is set already, secrets only as being set."""
    try:
        shown = load().shown()
    except Faulty:
        return {}
    names = {".".join(question.path): question for question in QUESTIONS}
    found = {line.key: line.value for line in shown if line.key in names and line.source != "default"}
    return {key: SAVED if names[key].secret else value for key, value in found.items()}


def _asked(question: Question, lang: str, before: str) -> str:
    """An empty answer keeps what there is, or leaves it out."""
    keeps = {"zh": "回车保留", "en": "Enter keeps it"} if before else {"zh": "回车跳过", "en": "Enter skips"}
    shown = f" [{before}]" if before else ""
    said = str(
        typer.prompt(
            f"{question.asked(lang)}{shown} ({keeps[lang]})",
            default="",
            show_default=False,
            hide_input=question.secret,
        )
    )
    return said.strip() or before


def _checked(values: Mapping[str, Mapping[str, str]]) -> None:
    zone = values["office"].get("timezone", "Asia/Shanghai")
    if zone not in available_timezones():
        raise ReminderError(
            f"There is no time zone {zone!r}. Write it like Asia/Shanghai. Nothing was written."
        )


def _secret_name(key: str) -> str:
    return key.replace(".", "-").replace("_", "-")


def _toml(config: Path, values: Mapping[str, Mapping[str, str]]) -> str:
    """The settings file as it is, with these values in it; what else stands there stays, comments too."""
    import tomlkit

    held = tomlkit.parse(config.read_text(encoding="utf-8")) if config.exists() else tomlkit.document()
    for section, pairs in values.items():
        table = held.setdefault(section, tomlkit.table())
        for name, value in pairs.items():
            table.pop(name.removesuffix("_file"), None)
            table[name] = value
    return tomlkit.dumps(held)


def _keep(path: Path, text: str) -> None:
    """Whole or not at all, and nobody else reads it."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else text + "\n")
    fresh.replace(path)


async def _in_test_mode(settings: Settings) -> None:
    """A database whose mode nobody chose begins in test mode."""
    async with opened(settings) as rt, rt.db.write() as tx:
        if not await kept.set_before(tx):
            await switches.set_live(tx, rt.desk, live=False)
