"""Composition root: from settings to a running office; starts scheduler, bot and web, stops them in order."""

import asyncio
import fcntl
import functools
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import uvicorn

from jobs.guarding import begin
from jobs.timetable import TIMETABLE, WATCH
from reminder.actions import arming, versions
from reminder.actions.calendars import adopt
from reminder.actions.desk import Desk
from reminder.bot.hook import keep_hooked
from reminder.bot.menu import set_menus
from reminder.bot.polling import poll
from reminder.bundled import folder
from reminder.channels.telegram import Telegram
from reminder.channels.twilio import Twilio
from reminder.clock import Clock, SystemClock
from reminder.domain import rates
from reminder.domain.calendars import NO_OVERRIDES, Overrides, read_overrides
from reminder.domain.errors import Fault, Faulty, ReminderError
from reminder.domain.offices import Office
from reminder.domain.people import Channel
from reminder.domain.protocol_files import read_protocols, sources
from reminder.domain.protocols import Protocol
from reminder.instance import Instance
from reminder.logs import log
from reminder.render import Templates
from reminder.runtime import Runtime, Web
from reminder.scheduler import Scheduler
from reminder.settings import Settings
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.store.seal import Sealer
from reminder.valves import Guard, new_valves
from reminder.watcher import clock_of, watcher
from reminder.web.app import web
from reminder.web.metrics import metrics


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
    lock: IO[str] = database.with_name(database.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise AlreadyRunningError(
            f"`reminder run` is already running on {database}. Nothing was started or changed. "
            "Stop that one first; other commands work beside it."
        ) from None
    try:
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
async def opened(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Runtime]:
    """A runtime on the settings' database, migrated, without channels: for commands."""
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
    db = Database(settings.database.url)
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
    lock = only_one(Path(url)) if url else nullcontext()
    with lock:
        async with opened(settings) as base, channels_of(settings) as channels:
            machine = Instance(settings.data_dir)
            base.desk.instance = machine.name
            await arming.at_start(base.db, machine.name, machine.sent_to)
            rt, scheduler = _runtime(base, settings, instance=machine, **channels)
            await serve(rt, scheduler, settings)


def sqlite_file(url: str) -> str:
    """The file of an SQLite URL; empty for a server."""
    scheme, _, path = url.partition(":///")
    return path if scheme.startswith("sqlite") else ""


@asynccontextmanager
async def channels_of(settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """The channels that are set up, to be closed at the end."""
    chat = sms = None
    if settings.telegram.token is not None:
        token = settings.telegram.token.get_secret_value()
        chat = Telegram(token=token, base_url=settings.telegram.base_url)
    if settings.twilio.is_on and settings.twilio.auth_token is not None:
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
    jobs: list[Scheduler] = []
    rt = Runtime(
        db=base.db,
        desk=base.desk,
        web=_web(settings, base.desk.sealer),
        valves=new_valves(
            {Channel.TELEGRAM: rates.TELEGRAM, Channel.SMS: rates.of_texts(settings.twilio.per_second)}
        ),
        guard=Guard(),
        elsewhere=clock_of(settings.telegram.base_url),
        watcher=watcher(settings.health.ping_url) if settings.health.ping_url else None,
        waker=lambda name: jobs[0].wake(name),  # noqa: PLW0108 - made below
        **channels,
    )
    ticks = [(job.name, functools.partial(job.run, rt), job.every) for job in (*TIMETABLE, *WATCH)]
    jobs.append(Scheduler(ticks, meters=rt.meters))
    return rt, jobs[0]


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


async def serve(rt: Runtime, scheduler: Scheduler, settings: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises if a background task ends: better down than deaf."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    with ExitStack() as stack:
        servers = _servers(rt, settings, stack)
        tasks = {loop.create_task(server.serve(sockets=[sock]), name="web") for server, sock in servers}
        if rt.chat is not None:
            hooked = rt.web is not None and rt.web.hook_path
            tasks.add(loop.create_task(keep_hooked(rt) if hooked else poll(rt), name="telegram"))
        await begin(rt)
        scheduler.start()
        if rt.chat is not None:
            await set_menus(rt)
        waiting = loop.create_task(stop.wait(), name="stop")
        done, _ = await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
        await _wind_down(scheduler, [server for server, _ in servers], {*tasks, waiting})
        for task in done - {waiting}:
            task.result()
            raise RuntimeError(f"the background task {task.get_name()} ended")


def _servers(rt: Runtime, settings: Settings, stack: ExitStack) -> list[tuple["Server", socket.socket]]:
    """The public port, and the one for meters, on this machine alone."""
    wanted = [(web(rt), settings.web.host, settings.web.port)]
    if settings.health.metrics_port:
        wanted.append((metrics(rt), "127.0.0.1", settings.health.metrics_port))
    found = []
    for app, host, port in wanted:
        sock = stack.enter_context(listening(host, port))
        log.info("running", url=address(sock))
        found.append((Server(uvicorn.Config(app, log_level="warning", lifespan="off")), sock))
    return found


async def _wind_down(
    scheduler: Scheduler, servers: Sequence["Server"], tasks: set["asyncio.Task[Any]"]
) -> None:
    """Stop taking in, finish what is under way, then let go."""
    await scheduler.stop()
    for server in servers:
        server.should_exit = True
    for task in tasks:
        if task.get_name() != "web":
            task.cancel()
    await asyncio.wait(tasks)
    log.info("stopped")


class Server(uvicorn.Server):
    """uvicorn that leaves signals to us: it would raise them again after its own shutdown."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def listening(host: str, port: int, *, tries: int = 50) -> Iterator[socket.socket]:
    """A listening socket on the port, or on the next free one, which is said."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + tries):
        # The protocol is named so that asyncio switches Nagle off: else each answer waits 40 ms for an ACK.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, candidate))
            sock.listen(128)
        except OSError:
            sock.close()
            continue
        if candidate != port:
            log.warning("port.busy", port=port, using=candidate)
        with sock:
            yield sock
        return
    raise ReminderError(f"No free port from {port} to {port + tries - 1} on {host}. Name another: --port N.")


def address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://{host}:{port}"
