"""What can an office set, and what is used where it sets nothing?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic.fields import FieldInfo

from reminder.domain.errors import Fault
from reminder.domain.workdays import Hours
from reminder.settings_values import (
    Account,
    Address,
    BotToken,
    Country,
    DatabaseUrl,
    Moment,
    Phone,
    Regions,
    Sender,
    Span,
    Text,
    Zone,
    plain,
)

KeyPath = tuple[str, ...]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BothLanguages(_Section):
    """The same words in Chinese and English; either may be left out."""

    zh: Text = Field(default="", description="in Chinese")
    en: Text = Field(default="", description="in English")

    def given(self) -> dict[str, str]:
        """By language, without those left out."""
        return {lang: text for lang, text in (("zh", self.zh), ("en", self.en)) if text}


class OfficeSettings(_Section):
    """Who we are and when we may disturb people."""

    name: Text = Field(default="", description="The office's name; signs texts where no signature is set")
    timezone: Zone = Field(default=ZoneInfo("Asia/Shanghai"), description="Where the office's clock is read")
    lang: Literal["zh", "en"] = Field(default="zh", description="Language of the office: `zh` or `en`")
    country: Country = Field(
        default="CN", description="Whose public holidays count: `CN`, `GB-ENG`, `US-NY` …"
    )
    signatures: BothLanguages = Field(
        default=BothLanguages(), description="What texts to residents begin with"
    )
    phone: Phone = Field(default="", description="The number residents may ring")
    texting_hours: Span = Field(
        default=Hours(start=time(8), end=time(20)), description="When residents may be texted, office time"
    )
    digest_at: Moment = Field(
        default=time(8, 10), description="When staff get the day's summary, office time"
    )
    undo_seconds: int = Field(
        default=30, ge=0, le=600, description="How long a step can be taken back, 0 to 600"
    )
    phone_regions: Regions = Field(
        default=("CN", "US"), description="Where numbers without a country code may be from, likeliest first"
    )
    review_body: BothLanguages = Field(
        default=BothLanguages(), description="Who reviews this office's answers, as residents are told"
    )
    review_days: int = Field(
        default=30, ge=1, le=365, description="Days a resident has to ask for that review"
    )
    sms_daily_cap: int = Field(
        default=2, ge=1, le=20, description="Most texts to one number on one day, 1 to 20"
    )


class DatabaseSettings(_Section):
    """Where the truth is kept."""

    url: DatabaseUrl = Field(
        repr=False, description="SQLite or PostgreSQL, with the driver's name; default: in the data folder"
    )


class TelegramSettings(_Section):
    """How staff are reached; without a token the bot stays off."""

    token: BotToken | None = Field(
        default=None, description="The bot's token, from BotFather; of several bots, one a line"
    )
    base_url: Address = Field(default="https://api.telegram.org", description="Where the Bot API answers")
    webhook: bool = Field(
        default=False, description="Have updates posted to `web.public_url` instead of asking for them"
    )

    @property
    def tokens(self) -> list[str]:
        """Of the first bot and then of those that share its work."""
        return self.token.get_secret_value().split() if self.token is not None else []


class TwilioSettings(_Section):
    """How residents are reached; with none of the first four set, texts stay off."""

    account_sid: Account = Field(
        default="",
        description="The account, `AC` and 32 digits",
        examples=["AC0123456789abcdef0123456789abcdef"],
    )
    auth_token: SecretStr | None = Field(default=None, description="Its auth token")
    auth_token_previous: SecretStr | None = Field(
        default=None, description="The token before a change, believed in callbacks until it is taken out"
    )
    sender: Sender = Field(
        default="",
        description="The number texts come from, as `+12025550100`, or a pool of them: `MG` and 32 digits",
        examples=["+12025550100", "MG0123456789abcdef0123456789abcdef"],
    )
    base_url: Address | None = Field(default=None, description="Where its API answers, if not at Twilio")
    two_way: bool = Field(default=True, description="Whether residents can reply to the number")
    per_second: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Most texts the number, or the pool, carries in a second, 1 to 100",
    )
    adds_signature: bool = Field(
        default=False, description="Whether the provider itself puts the signature before texts"
    )

    @property
    def is_on(self) -> bool:
        return bool(self.account_sid and self.auth_token and self.sender)


class WebSettings(_Section):
    """Where the pages and callbacks are served."""

    host: Text = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on")
    public_url: Address = Field(
        default="", description="How the outside reaches us; needed for Twilio's callbacks"
    )


class FileSettings(_Section):
    """The office's own files; a relative name starts at the folder of the settings file."""

    templates: Path | None = Field(default=None, description="A folder of texts and protocols laid over ours")
    calendar: Path | None = Field(default=None, description="The office's rest days and make-up days, a CSV")
    key: Path = Field(description="Opens sealed phone numbers; default: `key` in the data folder")


class HealthSettings(_Section):
    """Who watches over us."""

    ping_url: Address = Field(
        default="", description="Asked once a minute while all is well; silence there is the alarm"
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port for Prometheus on this machine alone; 0: none"
    )


class LogSettings(_Section):
    """What is told about the running."""

    json_lines: bool = Field(default=False, alias="json", description="One JSON object per line")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="`DEBUG` … `ERROR`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line of `config show`; a secret is only said to be set."""

    key: str
    value: str
    source: str


class Settings(_Section):
    """Everything set, checked, never printed. Made by `reminder.settings_reading.load`."""

    office: OfficeSettings = OfficeSettings()
    database: DatabaseSettings
    telegram: TelegramSettings = TelegramSettings()
    twilio: TwilioSettings = TwilioSettings()
    web: WebSettings = WebSettings()
    files: FileSettings
    health: HealthSettings = HealthSettings()
    log: LogSettings = LogSettings()
    data_dir: Path
    config_file: Path
    _places: Mapping[KeyPath, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[Fault, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What works but should be mended: secrets that others on this machine can read."""
        return self._warnings

    def came_from(self, places: Mapping[KeyPath, str], warnings: tuple[Fault, ...]) -> "Settings":
        """The same, knowing where each value was written."""
        told = self.model_copy()
        told._places, told._warnings = places, warnings
        return told

    def shown(self) -> list[Shown]:
        """The resolved values with their sources, secrets masked, in the order they are documented."""
        return [
            Shown(key=".".join(path), value=self._plain(path), source=self._places.get(path, "default"))
            for path, _ in leaves()
        ]

    def _plain(self, path: KeyPath) -> str:
        value: Any = self
        for name in path:
            value = getattr(value, "json_lines" if name == "json" else name)
        return plain(value)


def leaves(model: type[BaseModel] = Settings, above: KeyPath = ()) -> Iterator[tuple[KeyPath, FieldInfo]]:
    """Every setting and its description, as ("office", "signatures", "zh")."""
    for name, info in model.model_fields.items():
        path = (*above, info.alias or name)
        below = info.annotation
        if isinstance(below, type) and issubclass(below, BaseModel):
            yield from leaves(below, path)
        elif above:
            yield path, info


def is_secret(path: KeyPath) -> bool:
    """Whether a setting may also be given as the name of a file that holds it (`…_file`)."""
    return path[-1] in {"token", "auth_token", "auth_token_previous"} or path == ("database", "url")


def schema() -> dict[str, Any]:
    """The JSON Schema of the settings file."""
    found = Settings.model_json_schema()
    for name in ("data_dir", "config_file"):
        found["properties"].pop(name)
    found.pop("required", None)
    for section in ("DatabaseSettings", "FileSettings"):
        found["$defs"][section].pop("required", None)
    return found
