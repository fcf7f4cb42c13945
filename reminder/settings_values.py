"""How is each kind of setting written, and what is said when it is not?"""

import re
from collections.abc import Collection
from datetime import time
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from reminder.domain.errors import Refused
from reminder.domain.toml_tables import nearest
from reminder.domain.workdays import Hours

_HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d"
_DIALLED = re.compile(r"\+?[0-9][0-9 ()-]{1,18}[0-9]")
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
}
"""What people write for a database, and what it takes."""


def unfit(what: str, remedy: str) -> PydanticCustomError:
    """What is wrong with a value, as the end of "office.phone = …", and what to write instead."""
    return PydanticCustomError("unfit", "{what}", {"what": what, "remedy": remedy})


def likeliest(word: str, known: Collection[str]) -> str:
    """A remedy naming what was probably meant, or "" where there are too many names to list."""
    remedy = nearest(word, known)
    return "" if remedy.startswith("Use one of") else remedy


def _zone(given: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(given))
    except (ValueError, OSError, KeyError):
        from zoneinfo import available_timezones

        remedy = likeliest(str(given), available_timezones()) or 'Write it as "Asia/Shanghai".'
        raise unfit("is not a time zone", remedy) from None


def _country(code: str) -> str:
    from reminder.domain.national import Place

    try:
        return code if code == "CN" else str(Place.parse(code))
    except Refused as refused:
        remedy = f"Did you mean {refused.values['suggestion']!r}?"
        raise unfit("is not a country, or part of one, whose holidays are known", remedy) from None


def _regions(given: object) -> object:
    """`CN,US` from the environment, or a list; each a region whose phone numbers are known."""
    codes = [code.strip() for code in given.split(",")] if isinstance(given, str) else given
    if not isinstance(codes, list | tuple) or codes == ["CN", "US"]:
        return codes
    from phonenumbers import SUPPORTED_REGIONS

    for code in codes:
        if code not in SUPPORTED_REGIONS:
            raise unfit(f"has {code!r}, which is no region of phone numbers", 'Write such as ["CN", "US"].')
    return codes


def _phone(number: str) -> str:
    if number and not _DIALLED.fullmatch(number):
        raise unfit("is not a number one can ring", 'Write digits, such as "0123 555 0100" or "12345".')
    return number


def _moment(given: object) -> time:
    if isinstance(given, time):
        return given
    if isinstance(given, str) and re.fullmatch(_HOUR, given.strip()):
        return time.fromisoformat(given.strip())
    raise unfit("is not a time of day", 'Write it as "08:10".')


def _hours(given: object) -> Hours:
    if isinstance(given, Hours):
        return given
    found = re.fullmatch(rf"\s*({_HOUR})\s*-\s*({_HOUR})\s*", given) if isinstance(given, str) else None
    if found and found[1] < found[2]:
        return Hours(start=time.fromisoformat(found[1]), end=time.fromisoformat(found[2]))
    raise unfit("is not a span of hours within one day", 'Write it as "08:00-20:00".')


def _web_address(url: str) -> str:
    """An http or https address with nothing after its path; "" stays ""."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"[\s?#@]", url):
        raise unfit("is not a web address", 'Write it as "https://reminder.example.org".')
    return url.rstrip("/")


def _database(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme in _DRIVERS:
        raise unfit("does not name its driver", f'Write "{_DRIVERS[scheme]}://…".')
    if scheme == "sqlite+aiosqlite" and not rest.strip("/").replace(":memory:", ""):
        raise unfit("names no file", 'Write "sqlite+aiosqlite:////var/lib/reminder/reminder.db".')
    if scheme not in {"sqlite+aiosqlite", "postgresql+psycopg", "postgresql+asyncpg"}:
        raise unfit("is not a database this program knows", 'Use "sqlite+aiosqlite" or "postgresql+psycopg".')
    return url


def _bot_token(given: SecretStr) -> SecretStr:
    tokens = given.get_secret_value().split()
    if not tokens or not all(re.fullmatch(r"\d+:[\w-]+", token) for token in tokens):
        raise unfit("is not a bot token", "Copy it whole from BotFather: digits, a colon, letters.")
    if len({token.partition(":")[0] for token in tokens}) < len(tokens):
        raise unfit("names the same bot twice", "Write one token for each bot, one a line.")
    return given


def plain(value: object) -> str:
    """A value as one would write it in the file, without the quotes; a secret or a password as stars."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return "********" if value.get_secret_value() else ""
        case Hours(start=start, end=end):
            return f"{start:%H:%M}-{end:%H:%M}"
        case time():
            return f"{value:%H:%M}"
        case tuple():
            return ",".join(value)
        case _:
            return re.sub(r"://([^:@/]*):[^/]*@", r"://\1:********@", str(value))


Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Address = Annotated[Text, AfterValidator(_web_address)]
Country = Annotated[Text, AfterValidator(_country)]
Phone = Annotated[Text, AfterValidator(_phone)]
Sender = Annotated[Text, StringConstraints(pattern=r"^(\+[1-9][0-9]{6,14}|MG[0-9a-f]{32})?$")]
Account = Annotated[Text, StringConstraints(pattern=r"^(AC[0-9a-f]{32})?$")]
DatabaseUrl = Annotated[Text, AfterValidator(_database)]
BotToken = Annotated[SecretStr, AfterValidator(_bot_token)]
Regions = Annotated[tuple[str, ...], BeforeValidator(_regions)]
Zone = Annotated[ZoneInfo, PlainValidator(_zone), WithJsonSchema({"type": "string"})]
_AsWritten = PlainSerializer(plain, return_type=str)
Moment = Annotated[
    time, PlainValidator(_moment), _AsWritten, WithJsonSchema({"type": "string", "pattern": f"^{_HOUR}$"})
]
Span = Annotated[
    Hours,
    PlainValidator(_hours),
    _AsWritten,
    WithJsonSchema({"type": "string", "pattern": f"^{_HOUR}-{_HOUR}$"}),
]
