"""A process that serves: starts scheduler, bot and web, stops them in order, ends when one of them does."""

import asyncio
import gc
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Protocol

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from jobs.guarding import begin
from reminder.bot.hook import keep_hooked
from reminder.bot.polling import poll
from reminder.domain.errors import ReminderError
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.settings import Settings
from reminder.web.app import web
from reminder.web.metrics import metrics


class Engine(Protocol):
    """What ticks: `task` is its life, if it has one of its own."""

    task: "asyncio.Task[None] | None"

    def start(self) -> None: ...
    def wake(self, name: str) -> None: ...
    async def stop(self) -> None: ...


def collect_seldom() -> None:
    """What was loaded stays for good, and rows come by the thousand: the collector need not look so often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def open_many() -> None:
    """Each call under way is an open file, and so is each visitor: as many of them as the system lets us."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(most, FILES)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


FILES = 65_536


async def listen(rt: Runtime) -> None:
    """Take in what Telegram has for each bot, by post or by asking, for ever."""
    hooked = rt.web is not None and rt.web.hook_path
    await beside(keep_hooked(rt, bot) if hooked else poll(rt, bot) for bot in rt.bots)


async def beside(listeners: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at once; when one of them fails the others end too, and its fault is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for listener in listeners:
                group.create_task(listener)
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None


async def offer(rt: Runtime, *, menus: bool) -> None:
    """Learn the bots' names and set everybody's menu, beside all else; then rest: what ends stops all."""
    from reminder.bot.menu import introduce, set_menus  # knows every command, and with them what those need

    await asyncio.gather(introduce(rt), *([set_menus(rt)] if menus else []))
    await asyncio.Event().wait()


async def watch(check: Callable[[], Awaitable[None]]) -> None:
    """Every few seconds ask whether we may go on; a server that is away is waited for."""
    while True:
        await asyncio.sleep(5)
        try:
            await check()
        except (SQLAlchemyError, OSError) as error:
            log.warning("database.away", error=type(error).__name__)


async def serve(
    rt: Runtime,
    scheduler: Engine,
    settings: Settings,
    *,
    listener: Callable[[Runtime], Awaitable[None]] | None = listen,
    check: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Until SIGTERM or SIGINT. Raises if a background task ends: better down than deaf.

    `check` raises what forbids to go on. Without `listener` nobody listens to Telegram here.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    collect_seldom()
    open_many()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    with ExitStack() as stack:
        servers = _servers(rt, settings, stack)
        tasks = {loop.create_task(server.serve(sockets=[sock]), name="web") for server, sock in servers}
        if rt.chat is not None and listener is not None:
            tasks.add(asyncio.ensure_future(listener(rt)))
        if check is not None:
            tasks.add(asyncio.ensure_future(watch(check)))
        await begin(rt)
        scheduler.start()
        tasks |= {scheduler.task} if scheduler.task is not None else set()
        if rt.chat is not None:
            tasks.add(asyncio.ensure_future(offer(rt, menus=listener is not None)))
        waiting = loop.create_task(stop.wait(), name="stop")
        done, _ = await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
        rt.stopping.set()
        await _wind_down(scheduler, [server for server, _ in servers], {*tasks, waiting})
        for task in done - {waiting}:
            task.result()
            raise RuntimeError(f"the background task {task.get_name()} ended")


def _servers(rt: Runtime, settings: Settings, stack: ExitStack) -> list[tuple["Server", socket.socket]]:
    """The public port, and the one for meters, on this machine alone."""
    wanted = [(web(rt), settings.web.host, settings.web.port)] if rt.web is not None else []
    if settings.health.metrics_port:
        wanted.append((metrics(rt), "127.0.0.1", settings.health.metrics_port))
    found = []
    for app, host, port in wanted:
        sock = stack.enter_context(listening(host, port))
        log.info("running", url=address(sock))
        found.append((Server(uvicorn.Config(app, log_level="warning", lifespan="off")), sock))
    return found


async def _wind_down(scheduler: Engine, servers: Sequence["Server"], tasks: set["asyncio.Task[Any]"]) -> None:
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
