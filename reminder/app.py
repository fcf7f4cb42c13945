"""Composition root: from settings to a running office."""

import fcntl
import functools
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from jobs.timetable import TIMETABLE, WATCH, Job, delays
from reminder.actions import arming, versions
from reminder.actions.calendars import adopt
from reminder.actions.desk import Desk
from reminder.bundled import folder
from reminder.channels.bots import Bots
from reminder.clock import Clock, SystemClock
from reminder.domain import rates
from reminder.domain.calendars import NO_OVERRIDES, Overrides, read_overrides
from reminder.domain.errors import Fault, Faulty, ReminderError
from reminder.domain.offices import Office
from reminder.domain.people import Channel
from reminder.domain.protocol_files import read_protocols, sources
from reminder.domain.protocols import Protocol
from reminder.instance import Instance
from reminder.render import Templates
from reminder.runtime import Runtime, Web
from reminder.scheduler import Scheduler
from reminder.serving import serve
from reminder.settings import Settings
from reminder.store import runlock
from reminder.store.database import Database
from reminder.store.migrations import fits, migrate, revisions
from reminder.store.runlock import RunLock, run_lock
from reminder.store.seal import Sealer
from reminder.valves import Guard, new_valves
from reminder.watcher import clock_of, watcher


class AlreadyRunningError(ReminderError):
    """Another process keeps this database's calendar."""


def load_templates(overlay: Path | None, lang: str) -> Templates:
    """The bundled templates under the office's own. Raises Faulty with every fault."""
    layers = [overlay] if overlay is not None and overlay.is_dir() else []
    return Templates.load(folder("templates"), *layers, default_lang=lang)


def load_protocols(overlay: Path | None, templates: Templates | None) -> dict[str, Protocol]:
    """The bundled protocols and the office's own, which win by file name. Raises Faulty with every fault."""
    return _read(protocol_texts(overlay), templates)


def protocol_texts(overlay: Path | None) -> dict[str, str]:
    """The protocol files, the office's own instead of ours of the same name. Faulty if one is not text."""
    texts: dict[str, str] = {}
    for layer in (folder("templates"), overlay):
        if layer is not None:
            for path in sorted((layer / "protocols").glob("*.toml")):
                texts[path.name] = _text_of(path)
    return texts


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = f"The protocol file cannot be read ({type(error).__name__})."
        fault = Fault(place=str(path), what=what, remedy="Save it as UTF-8 text.")
        raise Faulty([fault]) from error


def _read(texts: Mapping[str, str], templates: Templates | None) -> dict[str, Protocol]:
    kinds = templates.kinds.keys() if templates is not None else None
    return dict(read_protocols(texts, kinds=kinds, calendars=_knows_calendar))


def _knows_calendar(code: str) -> bool:
    try:
        NO_OVERRIDES.over(code)
    except ReminderError:
        return False
    return True


def new_desk(
    office: Callable[[Overrides], Office],
    *,
    sealer: Sealer,
    clock: Clock,
    overlay: Path | None = None,
    overrides: Overrides = NO_OVERRIDES,
    new_id: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    sender: str = "",
) -> Desk:
    """Everything a decision needs. `new_id` must not repeat: it names attempts and one-time codes."""
    made = office(overrides)
    templates = load_templates(overlay, made.lang)
    texts = protocol_texts(overlay)
    return Desk(
        office=made,
        protocols=_read(texts, templates),
        sources=sources(texts),
        templates=templates,
        sealer=sealer,
        clock=clock,
        new_id=new_id,
        calendar_of=functools.cache(overrides.over),
        sender=sender,
    )


@contextmanager
def only_one(database: Path) -> Iterator[None]:
    """Hold the database's run lock. Raises AlreadyRunningError if somebody else does."""
    database.parent.mkdir(parents=True, exist_ok=True)
    lock: IO[bytes] = runlock.lock_file(database).open("ab", buffering=0)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise AlreadyRunningError(
            f"`reminder run` is already running on {database}. Nothing was started or changed. "
            "Stop that one first; other commands work beside it."
        ) from None
    try:
        with suppress(OSError):  # a full disk stops no office; unnamed, it counts as older than any other
            lock.truncate(0)
            lock.write(runlock.name(revisions()[-1]).encode())
        yield
    finally:
        lock.close()


def office_of(settings: Settings, overrides: Overrides) -> Office:
    """The office the settings describe."""
    given, sms = settings.office, settings.twilio
    return Office(
        zone=given.timezone,
        calendar=overrides.over(given.country),
        lang=given.lang,
        name=given.name,
        signatures=given.signatures.given(),
        phone=given.phone,
        texting=given.texting_hours,
        digest_at=given.digest_at,
        undo=timedelta(seconds=given.undo_seconds),
        regions=given.phone_regions,
        daily_cap=given.sms_daily_cap,
        review_body=given.review_body.given(),
        review_days=given.review_days,
        sms_replies=sms.two_way,
        sms_adds_signature=sms.adds_signature,
    )


def overrides_of(settings: Settings) -> Overrides:
    """The office's calendar file. Raises Faulty with every fault."""
    path = settings.files.calendar
    if path is None:
        return NO_OVERRIDES
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = f"The calendar file cannot be read ({type(error).__name__})."
        fault = Fault(place=str(path), what=what, remedy="Save it as UTF-8 CSV, or correct `files.calendar`.")
        raise Faulty([fault]) from error
    return read_overrides(text, path.name)


@asynccontextmanager
async def opened(
    settings: Settings, *, clock: Clock | None = None, shared: bool = False
) -> AsyncIterator[Runtime]:
    """A runtime on the settings' database, migrated, without channels: for commands.

    `shared`: as in `Database`.
    """
    overrides = overrides_of(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    desk = new_desk(
        lambda marks: office_of(settings, marks),
        sealer=Sealer.from_file(settings.files.key),
        clock=clock or SystemClock(),
        overlay=settings.files.templates,
        overrides=overrides,
        sender=settings.twilio.sender,
    )
    db = Database(settings.database.url, shared=shared)
    try:
        await migrate(db)
        async with db.read() as tx:
            await adopt(tx, desk)
        await versions.at_start(db, desk)
        yield Runtime(db=db, desk=desk)
    finally:
        await db.close()


async def run(settings: Settings) -> None:
    """Keep the calendar until SIGTERM or SIGINT; a background task that dies stops everything."""
    url = sqlite_file(settings.database.url)
    alone = only_one(Path(url)) if url else nullcontext()
    with alone:
        async with (
            opened(settings) as base,
            channels_of(settings) as channels,
            run_lock(base.db, shared=False, schema=revisions()[-1]) as lock,
        ):
            check = None if url else functools.partial(_still_ours, base.db, lock)
            if check is not None:
                await check()
            machine = Instance(settings.data_dir)
            base.desk.instance = machine.name
            await arming.at_start(base.db, machine.name, machine.sent_to)
            rt, scheduler = _runtime(base, settings, instance=machine, **channels)
            await serve(rt, scheduler, settings, check=check)


async def _still_ours(db: Database, lock: RunLock) -> None:
    if not await lock.kept():
        raise AlreadyRunningError(
            "Another `reminder run`, or workers of a cluster, keep this database's calendar. "
            "Nothing was started or changed. Stop them first, or join them with --cluster."
        )
    await fits(db)


def sqlite_file(url: str) -> str:
    """The file of an SQLite URL; empty for a server."""
    scheme, _, path = url.partition(":///")
    return path if scheme.startswith("sqlite") else ""


@asynccontextmanager
async def channels_of(settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """The channels that are set up, to be closed at the end. The libraries of others are not even read."""
    chat = sms = None
    if settings.telegram.tokens:
        from reminder.channels.telegram import Telegram

        bots = {
            int(token.partition(":")[0]): Telegram(token=token, base_url=settings.telegram.base_url)
            for token in settings.telegram.tokens
        }
        first, *others = bots
        chat = Bots({None: bots[first]} | {number: bots[number] for number in others})
    if settings.twilio.is_on and settings.twilio.auth_token is not None:
        from reminder.channels.twilio import Twilio

        sms = Twilio(
            account_sid=settings.twilio.account_sid,
            auth_token=settings.twilio.auth_token.get_secret_value(),
            sender=settings.twilio.sender,
            public_url=settings.web.public_url,
            base_url=settings.twilio.base_url or "https://api.twilio.com",
        )
    try:
        yield {"chat": chat, "sms": sms}
    finally:
        for channel in (chat, sms):
            if channel is not None:
                await channel.close()


def _runtime(base: Runtime, settings: Settings, **channels: Any) -> tuple[Runtime, Scheduler]:
    return scheduled(runtime_of(base, settings, **channels), (*TIMETABLE, *WATCH))


def scheduled(rt: Runtime, jobs: Sequence[Job]) -> tuple[Runtime, Scheduler]:
    """A scheduler for the jobs, and the runtime that wakes them in it."""
    made: list[Scheduler] = []
    rt = replace(rt, waker=lambda name: made[0].wake(name))  # noqa: PLW0108 - made below
    ticks = [(job.name, functools.partial(job.run, rt), job.every) for job in jobs]
    made.append(Scheduler(ticks, delays=delays(rt), meters=rt.meters))
    return rt, made[0]


def runtime_of(base: Runtime, settings: Settings, **more: Any) -> Runtime:
    """Of a process that serves, with what it knows of its channels and its clock."""
    return Runtime(
        db=base.db,
        desk=base.desk,
        web=_web(settings, base.desk.sealer),
        valves=new_valves(
            {Channel.TELEGRAM: rates.TELEGRAM, Channel.SMS: rates.of_texts(settings.twilio.per_second)}
        ),
        guard=Guard(),
        elsewhere=clock_of(settings.telegram.base_url),
        watcher=watcher(settings.health.ping_url) if settings.health.ping_url else None,
        **more,
    )


def _web(settings: Settings, sealer: Sealer) -> Web:
    """What a request is judged by. Where Telegram posts to, and its secret, follow from the key file."""
    known = (settings.twilio.auth_token, settings.twilio.auth_token_previous)
    hooked = settings.telegram.webhook
    return Web(
        public_url=settings.web.public_url,
        twilio_tokens=tuple(token.get_secret_value() for token in known if token is not None),
        twilio_account=settings.twilio.account_sid,
        hook_path=f"/telegram/{sealer.blind('telegram path')[:32]}" if hooked else "",
        hook_secret=sealer.blind("telegram secret") if hooked else "",
    )
