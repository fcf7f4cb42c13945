"""What is well and what is not, before and while an office runs: each finding with what to do about it."""

import json
import shutil
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import typer

from reminder.actions import arming
from reminder.app import channels_of, opened, sqlite_file
from reminder.bundled import folder
from reminder.channels.base import ChatPort
from reminder.clock import SystemClock
from reminder.domain.errors import Faulty, ReminderError
from reminder.domain.messages import Declined
from reminder.domain.people import of_bot
from reminder.domain.workdays import local_day
from reminder.instance import Instance
from reminder.lint import check_templates
from reminder.runtime import Runtime
from reminder.settings import Settings
from reminder.store import backups, people
from reminder.store import switches as kept
from reminder.store.migrations import fits

ROOM = 500 * 1024 * 1024
SKEW = timedelta(seconds=30)
NETWORK = "Is the network up? Behind a proxy set HTTPS_PROXY."
COPY_AGE = timedelta(days=2)


class Finding(StrEnum):
    WELL = "ok"
    NOTE = "note"
    """Works, but should be looked at."""
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    finding: Finding
    said: str
    remedy: str = ""


async def doctor(load: Callable[[], Settings], *, as_json: bool) -> int:
    """0: nothing wrong; 1: a fault. Every check runs, whatever the others found; nothing is sent."""
    found = [one async for one in _checks(load)]
    if as_json:
        ok = all(one.finding is not Finding.FAULT for one in found)
        typer.echo(json.dumps({"ok": ok, "checks": [asdict(one) for one in found]}, ensure_ascii=False))
    else:
        for one in found:
            typer.echo(f"{_MARK[one.finding]} {one.name}: {one.said}")
            if one.remedy:
                typer.echo(f"    {one.remedy}")
    return 1 if any(one.finding is Finding.FAULT for one in found) else 0


_MARK = {Finding.WELL: "ok   ", Finding.NOTE: "note ", Finding.FAULT: "FAULT"}


def _well(name: str, said: str) -> Check:
    return Check(name=name, finding=Finding.WELL, said=said)


def _note(name: str, said: str, remedy: str) -> Check:
    return Check(name=name, finding=Finding.NOTE, said=said, remedy=remedy)


def _fault(name: str, said: str, remedy: str) -> Check:
    return Check(name=name, finding=Finding.FAULT, said=said, remedy=remedy)


async def _checks(load: Callable[[], Settings]) -> AsyncIterator[Check]:
    try:
        settings = load()
    except Faulty as faulty:
        for fault in faulty.faults:
            yield _fault("settings", f"{fault.place}: {fault.what}", fault.remedy)
        return
    yield _well("settings", str(settings.config_file))
    for warning in settings.warnings:
        yield _note("settings", f"{warning.place}: {warning.what}", warning.remedy)
    for check in (*_machine(settings), *_templates(settings)):
        yield check
    try:
        async with opened(settings) as base, channels_of(settings) as channels:
            async for check in _office(replace(base, **channels), settings):
                yield check
    except (Faulty, ReminderError) as error:
        said = str(error.faults[0]) if isinstance(error, Faulty) else str(error)
        yield _fault("database", said, "Mend this first; what hangs on it was not looked at.")
    except Exception as error:  # a doctor says what it found, whatever it is
        said = f"cannot be opened ({type(error).__name__})"
        yield _fault("database", said, "Is the server up, and database.url right? Nothing was changed.")


# --- the machine ----------------------------------------------------------------------------------


def _machine(settings: Settings) -> Iterator[Check]:
    free = shutil.disk_usage(_existing(settings.data_dir)).free
    said = f"{free // 2**20} MB free for {settings.data_dir}"
    yield _well("disk", said) if free >= ROOM else _fault("disk", said, "Make room: nothing is sent without.")
    yield _well("time zone", f"{settings.office.timezone.key}, rules of {version('tzdata')}")
    if not settings.files.key.exists():
        yield _note("key file", "not made yet", "The first start makes it; then keep a copy elsewhere.")
    elif stat.S_IMODE(settings.files.key.stat().st_mode) & 0o077:
        yield _fault("key file", "others on this machine can read it", f"chmod 600 {settings.files.key}")
    else:
        yield _well("key file", "there, and only its owner reads it")
    yield _copy(settings)


def _existing(path: Path) -> Path:
    return path if path.exists() or path == path.parent else _existing(path.parent)


def _copy(settings: Settings) -> Check:
    if not sqlite_file(settings.database.url):
        return _note("backup", "PostgreSQL is yours to copy", "pg_dump, every day, to another machine.")
    newest = backups.newest(settings.data_dir / backups.FOLDER)
    if newest is None:
        return _note("backup", "there is none", "reminder backup create, every day; keep one elsewhere.")
    age = SystemClock().now() - datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    said = f"{newest.name}, {age.total_seconds() / 3600:.0f} hours old"
    late = _note("backup", said, "reminder backup create, every day.")
    return _well("backup", said) if age <= COPY_AGE else late


def _own(settings: Settings) -> list[Path]:
    own = settings.files.templates
    return [own] if own is not None and own.is_dir() else []


def _templates(settings: Settings) -> Iterator[Check]:
    faults = check_templates(folder("templates"), *_own(settings))
    if not faults:
        yield _well("templates", "in order")
    for fault in faults:
        yield _fault("templates", f"{fault.place}: {fault.what}", fault.remedy)


# --- the office -----------------------------------------------------------------------------------


async def _office(rt: Runtime, settings: Settings) -> AsyncIterator[Check]:
    newer = await fits(rt.db)
    said = f"opens; a newer version made its schema ({newer}), which this one works with"
    remedy = "Install that version here too."
    yield (
        _note("database", said, remedy)
        if newer
        else _well("database", "opens, and has this program's schema")
    )
    async for check in _leaving(rt, settings):
        yield check
    today = local_day(rt.clock.now(), rt.desk.office.zone)
    known = rt.desk.office.calendar.is_confirmed(date(today.year, 12, 31))
    year = f"rest days of {today.year}"
    remedy = "reminder calendar import FILE; until then dates are provisional."
    yield (
        _well("calendar", f"{year} are known")
        if known
        else _note("calendar", f"{year} are not known", remedy)
    )
    async for check in _telegram(rt, settings):
        yield check
    yield await _sms(rt)
    yield await _clock(settings)


async def _leaving(rt: Runtime, settings: Settings) -> AsyncIterator[Check]:
    """Whether anything may leave the house."""
    machine = Instance(settings.data_dir)
    async with rt.db.read() as tx:
        held = await kept.get(tx)
        stands = await arming.standing(tx, machine.name, machine.sent_to)
    ours = stands in {arming.Standing.OURS, arming.Standing.FRESH}
    said = arming.explained(stands).removesuffix(" Due now:")
    yield _well("armed", said) if ours else _fault("armed", said, "reminder arm shows what waits.")
    if not held.live:
        yield _note(
            "mode", "test mode: only the team's numbers get texts", "reminder live shows what is open."
        )
    for name, why in held.stopped.items():
        yield _note("stopped", f"{name}: {why}", f"reminder go {name}")


async def _telegram(rt: Runtime, settings: Settings) -> AsyncIterator[Check]:
    if rt.chat is None:
        yield _note("telegram", "not set up", "telegram.token, from BotFather.")
        return
    for number, bot in rt.bots.items():
        async for check in _bot(bot, of_bot("telegram", number), settings):
            yield check
    async with rt.db.read() as tx:
        staff = await people.staff(tx)
    lost = [p for p in staff.people.values() if p.active and p.bot is not None and p.bot not in rt.bots]
    if lost:
        said = f"{len(lost)} joined by a bot that is not set up; their messages wait"
        yield _fault("bots", said, "Add its token to telegram.token, or let them press Start at another bot.")


async def _bot(bot: ChatPort, name: str, settings: Settings) -> AsyncIterator[Check]:
    me = await bot.me()
    if not isinstance(me, dict):
        if isinstance(me, Declined):
            yield _fault(name, "the token is not accepted", "Ask BotFather for a new one: telegram.token.")
        else:
            yield _fault(name, f"cannot be reached ({me.reason})", NETWORK)
        return
    yield _well(name, f"@{me['username']} answers")
    hook = await bot.hooked()
    if isinstance(hook, dict) and bool(hook["url"]) != settings.telegram.webhook:
        yield _note(
            "webhook", "differs from telegram.webhook", "The next start of `reminder run` sets it right."
        )
    elif isinstance(hook, dict) and hook.get("last_error_message"):
        said = f"Telegram could not deliver: {hook['last_error_message']}"
        yield _note("webhook", said, "Is web.public_url reachable from outside, with a good certificate?")


async def _sms(rt: Runtime) -> Check:
    if rt.sms is None:
        return _note("sms", "not set up: residents are phoned", "twilio.account_sid, auth_token and sender.")
    log = await rt.sms.inbound(rt.clock.now())
    if isinstance(log, list):
        return _well("sms", "the account answers")
    if isinstance(log, Declined):
        return _fault(
            "sms", f"the account is refused ({log.code})", "Check twilio.account_sid and auth_token."
        )
    return _fault(
        "sms", f"cannot be reached ({log.reason})", "Is the network up? Behind a proxy set HTTPS_PROXY."
    )


async def _clock(settings: Settings) -> Check:
    """This machine's clock beside that of Telegram's server."""
    import aiohttp

    try:
        limit = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=True) as session,
            session.head(settings.telegram.base_url, allow_redirects=False) as answer,
        ):
            theirs = parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return _note("clock", "could not be compared", "It is looked at when Telegram's server answers.")
    off = abs(SystemClock().now() - theirs)
    said = f"{off.total_seconds():.0f} s from Telegram's"
    return _well("clock", said) if off <= SKEW else _fault("clock", said, "Set it right, by NTP.")
