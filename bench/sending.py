"""How many messages a second leave over real HTTP, beside the bare client libraries.

`python -m bench sending`; `python -m bench.sending [rounds]` also prints each number in flight. A stub of
both providers answers on loopback, in a process of its own, at once or after 50 ms. What is measured in a
round takes turns, and of each the best round counts: a neighbour on the machine can only slow one down.
"""

import asyncio
import contextlib
import functools
import itertools
import json
import multiprocessing
import os
import platform
import sys
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
from telegram import Bot, LinkPreviewOptions
from telegram.request import BaseRequest, HTTPXRequest
from twilio.http.async_http_client import AsyncTwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from bench.kit import Row, line
from reminder.channels.base import POOL, Port
from reminder.channels.telegram import Telegram
from reminder.channels.telegram_http import AiohttpRequest
from reminder.channels.twilio import Twilio
from reminder.domain.messages import Accepted, Outgoing

SECONDS = 0.6
"""Length of one measurement, after as much as opens the connections."""
IN_FLIGHT = (8, 16, 32, 64, 256, POOL)
DELAYS = (0, 50)
TOKEN = "123456:bench"
ACCOUNT = "AC" + "0" * 32
TEXT = "明天上午九点，王敏到您家回访自来水一事。"
CHAT, OURS, THEIRS = "1001", "+12025550100", "+12025550142"

MESSAGE = {"message_id": 7, "date": 1_790_000_000, "chat": {"id": 1001, "type": "private"}, "text": TEXT}
TAKEN = {"sid": "SM" + "0" * 32, "status": "queued", "num_segments": "1", "error_code": None, "body": TEXT}


# The stub


def _answer(status: str, content: dict[str, Any]) -> bytes:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_SENT, _CREATED = _answer("200 OK", {"ok": True, "result": MESSAGE}), _answer("201 Created", TAKEN)


class Stub(asyncio.Protocol):
    """Reads requests that have a length and answers each after a delay, in seconds."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._read = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            _, _, rest = head.partition(b"content-length:")
            whole = end + 4 + int(rest.split(b"\r", 1)[0])
            if len(self._read) < whole:
                return
            answer = _CREATED if b"/accounts/" in head[:120] else _SENT
            self._read = self._read[whole:]
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
            else:
                self._transport.write(answer)


def serve(told: Connection) -> None:
    async def main() -> None:
        loop, ports = asyncio.get_running_loop(), []
        for delay in DELAYS:
            made = functools.partial(Stub, delay / 1000)
            server = await loop.create_server(made, "127.0.0.1", 0, backlog=1024)
            ports.append(server.sockets[0].getsockname()[1])
        told.send(ports)
        await asyncio.Event().wait()

    asyncio.run(main())


# The clients

Call = Callable[[], Awaitable[object]]


@contextlib.asynccontextmanager
async def library(request: BaseRequest, base: str) -> AsyncIterator[Call]:
    """The Telegram library over a request class."""
    bot = Bot(
        "TOKEN", base_url=f"{base}/bot", base_file_url=base, request=request, get_updates_request=request
    )
    quiet = LinkPreviewOptions(is_disabled=True)

    async def call() -> object:
        return await bot.send_message(1001, TEXT, protect_content=True, link_preview_options=quiet)

    yield call
    await request.shutdown()


def default_layer(base: str) -> Any:
    return library(
        HTTPXRequest(connection_pool_size=POOL, pool_timeout=None, read_timeout=60, connect_timeout=60), base
    )


def our_layer(base: str) -> Any:
    return library(AiohttpRequest(TOKEN, pool_size=POOL, read=60, connect=60, pool=None), base)


@contextlib.asynccontextmanager
async def our_telegram(base: str) -> AsyncIterator[Call]:
    async with through(Telegram(token=TOKEN, base_url=base), CHAT) as call:
        yield call


@contextlib.asynccontextmanager
async def raw_aiohttp(base: str) -> AsyncIterator[Call]:
    form = {"chat_id": CHAT, "text": TEXT, "protect_content": "true", "link_preview_options": "{}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call() -> object:
            async with session.post(f"{base}/bot{TOKEN}/sendMessage", data=form) as answer:
                return json.loads(await answer.read())

        yield call


@contextlib.asynccontextmanager
async def bare_twilio(base: str) -> AsyncIterator[Call]:
    http = AsyncTwilioHttpClient()
    await http.session.close()
    http.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    client = Client(ACCOUNT, "secret", http_client=http, environment={"": ""})
    client.api.base_url = base

    async def call() -> object:
        return await client.messages.create_async(to=THEIRS, from_=OURS, body=TEXT)

    yield call
    await http.close()


@contextlib.asynccontextmanager
async def our_sms(base: str) -> AsyncIterator[Call]:
    async with through(
        Twilio(account_sid=ACCOUNT, auth_token="secret", sender=OURS, base_url=base), THEIRS
    ) as call:
        yield call


@contextlib.asynccontextmanager
async def through(port: Port, to: str) -> AsyncIterator[Call]:
    """One message by an adapter of ours, as the program sends it."""
    message = Outgoing(token="a", channel=port.name, to=to, text=TEXT)

    async def call() -> object:
        answer = await port.send(message)
        assert isinstance(answer, Accepted), answer
        return answer

    yield call
    await port.close()


DEFAULT, CLASS, OUR_CHAT = "the library, its own layer", "the library, our request class", "our Telegram"
RAW, TWILIO, OUR_TEXTS = "aiohttp alone", "twilio's async client", "our SMS"
CLIENTS: dict[str, Callable[[str], Any]] = {
    DEFAULT: default_layer,
    RAW: raw_aiohttp,
    CLASS: our_layer,
    OUR_CHAT: our_telegram,
    TWILIO: bare_twilio,
    OUR_TEXTS: our_sms,
}


def widths(client: str) -> tuple[int, ...]:
    """The library's own layer takes minutes for the widest, where it sends twenty a second."""
    return tuple(width for width in IN_FLIGHT if width <= 64) if client == DEFAULT else IN_FLIGHT


# The measurement


@dataclass
class Rates:
    """Messages a second, and microseconds of CPU each, by client, delay and number in flight."""

    rate: dict[tuple[str, int, int], list[float]] = field(default_factory=dict)
    cpu: dict[tuple[str, int, int], list[float]] = field(default_factory=dict)

    def at(self, client: str, delay: int, width: int) -> float:
        return max(self.rate[client, delay, width])

    def best(self, client: str, delay: int) -> float:
        return max(self.at(client, delay, width) for width in widths(client))

    def spent(self, client: str, delay: int, width: int) -> float:
        return min(self.cpu[client, delay, width])


async def measure(made: Callable[[str], Any], base: str, width: int) -> tuple[float, float]:
    """Messages a second and microseconds of CPU each, with so many in flight."""
    async with made(base) as call:
        done = 0

        async def keep_sending(until: float) -> None:
            nonlocal done
            while time.perf_counter() < until:
                await call()
                done += 1

        async def all_of(seconds: float) -> None:
            until = time.perf_counter() + seconds
            await asyncio.gather(*(keep_sending(until) for _ in range(width)))

        await all_of(SECONDS / 3)
        done = 0
        begun, worked = time.perf_counter(), time.process_time()
        await all_of(SECONDS)
        taken, worked = time.perf_counter() - begun, time.process_time() - worked
    return done / taken, worked / done * 1e6


@contextlib.contextmanager
def stub() -> Iterator[dict[int, str]]:
    """Where it answers, by delay in milliseconds."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield dict(zip(DELAYS, (f"http://127.0.0.1:{port}" for port in ours.recv()), strict=True))
    finally:
        process.terminate()
        process.join()


def measured(rounds: int) -> Rates:
    rates = Rates()
    with stub() as bases, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # twilio's client passes `auth=`
        for _, delay, width, client in itertools.product(range(rounds), DELAYS, IN_FLIGHT, CLIENTS):
            if width in widths(client):
                rate, cpu = asyncio.run(measure(CLIENTS[client], bases[delay], width))
                rates.rate.setdefault((client, delay, width), []).append(rate)
                rates.cpu.setdefault((client, delay, width), []).append(cpu)
    return rates


GOALS: tuple[tuple[str, str, dict[int, float]], ...] = (
    (OUR_CHAT, DEFAULT, {0: 3, 50: 6}),
    (OUR_CHAT, CLASS, {0: 0.75, 50: 0.75}),
    (OUR_TEXTS, TWILIO, {0: 0.75, 50: 0.75}),
)
"""How many times another one we are to be, each at its best number in flight, by delay."""

COLLAPSED = {OUR_CHAT: 0.75, OUR_TEXTS: None}
"""Less than so much of the best rate with most in flight is a collapse; of texts nobody asked."""


def compared(rates: Rates) -> list[Row]:
    found = []
    for delay in DELAYS:
        for ours, theirs, goals in GOALS:
            row = Row(
                work=f"over HTTP, answered after {delay} ms: {ours}",
                ours=rates.best(ours, delay),
                unit="/s",
                peer=theirs,
                theirs=rates.best(theirs, delay),
                limit=rates.best(RAW, delay),
                goal=goals[delay],
            )
            found.append(row)
        found += [
            _wide(rates, client, delay, width, goal)
            for client, goal in COLLAPSED.items()
            for width in IN_FLIGHT[-2:]
        ]
    return found


def _wide(rates: Rates, client: str, delay: int, width: int, goal: float | None) -> Row:
    """The CPU is told beside it: the widths are seconds apart, and neighbours come and go."""
    least = min(rates.spent(client, delay, width) for width in IN_FLIGHT)
    return Row(
        work=f"over HTTP, answered after {delay} ms: {client}, {width} in flight",
        ours=rates.at(client, delay, width),
        unit="/s",
        peer="at its best",
        theirs=rates.best(client, delay),
        limit=rates.at(RAW, delay, width),
        goal=goal,
        note=f"{rates.spent(client, delay, width):,.0f} µs of CPU a message, at the least {least:,.0f}",
    )


def rows(*, full: bool = False) -> list[Row]:
    return compared(measured(3 if full else 2))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rates = measured(rounds)
    names = ("python-telegram-bot", "httpx", "aiohttp", "twilio")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {libraries}; {rounds} rounds")
    print("messages/s (µs of CPU each), in flight: " + ", ".join(str(width) for width in IN_FLIGHT))
    for delay, client in itertools.product(DELAYS, CLIENTS):
        cells = (
            f"{rates.at(client, delay, width):,.0f} ({rates.spent(client, delay, width):,.0f})"
            for width in widths(client)
        )
        print(f"{delay:2} ms  {client:30}" + "".join(f"{cell:>15}" for cell in cells))
    print(*map(line, compared(rates)), sep="\n")


if __name__ == "__main__":
    main()
