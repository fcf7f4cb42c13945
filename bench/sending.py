"""How many messages a second leave over real HTTP, beside the bare client libraries.

Run `python -m bench.sending [rounds]`. A stub of both providers answers on loopback, in a process of its
own, at once or after 50 ms. The rows of a round take turns, and of each row the best round counts: a
neighbour on the machine can only slow one down.
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
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
from telegram import Bot, LinkPreviewOptions
from telegram.request import BaseRequest, HTTPXRequest
from twilio.http.async_http_client import AsyncTwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from reminder.channels.base import Port
from reminder.channels.telegram import Telegram
from reminder.channels.telegram_http import AiohttpRequest
from reminder.channels.twilio import Twilio
from reminder.domain.messages import Accepted, Outgoing

SECONDS = 1.0
"""Length of one measurement, after as much as opens the connections."""
IN_FLIGHT = (8, 16, 32, 64, 128, 256)
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
        HTTPXRequest(connection_pool_size=256, pool_timeout=None, read_timeout=60, connect_timeout=60), base
    )


def our_layer(base: str) -> Any:
    return library(AiohttpRequest(TOKEN, pool_size=256, read=60, connect=60, pool=None), base)


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


DEFAULT, CLASS, OUR_CHAT = "library, its own layer", "library, our request class", "our Telegram"
RAW, TWILIO, OUR_TEXTS = "aiohttp alone", "twilio's async client", "our SMS"
ROWS: dict[str, Callable[[str], Any]] = {
    DEFAULT: default_layer,
    RAW: raw_aiohttp,
    CLASS: our_layer,
    OUR_CHAT: our_telegram,
    TWILIO: bare_twilio,
    OUR_TEXTS: our_sms,
}


def widths(row: str) -> tuple[int, ...]:
    """The library's own layer takes minutes for the widest, where it sends twenty a second."""
    return tuple(width for width in IN_FLIGHT if width <= 64) if row == DEFAULT else IN_FLIGHT


# The measurement


@dataclass
class Rates:
    """Messages a second, and microseconds of CPU each, by row, delay and number in flight."""

    rate: dict[tuple[str, int, int], list[float]] = field(default_factory=dict)
    cpu: dict[tuple[str, int, int], list[float]] = field(default_factory=dict)

    def at(self, row: str, delay: int, width: int) -> float:
        return max(self.rate[row, delay, width])

    def best(self, row: str, delay: int) -> float:
        return max(self.at(row, delay, width) for width in widths(row))


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


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # twilio's client passes `auth=`
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    stub = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    stub.start()
    bases = dict(zip(DELAYS, (f"http://127.0.0.1:{port}" for port in ours.recv()), strict=True))
    rates = Rates()
    turns = itertools.product(range(rounds), DELAYS, IN_FLIGHT, ROWS)
    for _, delay, width, row in turns:
        if width in widths(row):
            rate, cpu = asyncio.run(measure(ROWS[row], bases[delay], width))
            rates.rate.setdefault((row, delay, width), []).append(rate)
            rates.cpu.setdefault((row, delay, width), []).append(cpu)
    stub.terminate()
    stub.join()
    report(rates, rounds)


def report(rates: Rates, rounds: int) -> None:
    names = ("python-telegram-bot", "httpx", "aiohttp", "twilio")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {libraries}; {rounds} rounds")
    print("messages/s (µs of CPU each), in flight: " + ", ".join(str(width) for width in IN_FLIGHT))
    for delay in DELAYS:
        for row in ROWS:
            cells = (
                f"{rates.at(row, delay, width):,.0f} ({min(rates.cpu[row, delay, width]):,.0f})"
                for width in widths(row)
            )
            print(f"{delay:2} ms  {row:28}" + "".join(f"{cell:>15}" for cell in cells))
    for delay, times in ((0, 3), (50, 6)):
        ours = rates.best(OUR_CHAT, delay)
        _limit(
            f"our Telegram at {delay} ms, of the library's own layer",
            ours / rates.best(DEFAULT, delay),
            times,
        )
        _limit(
            f"our Telegram at {delay} ms, of our request class bare", ours / rates.best(CLASS, delay), 0.75
        )
        spent = [min(rates.cpu[OUR_CHAT, delay, width]) for width in IN_FLIGHT]
        # By CPU, since the widths are measured minutes apart and neighbours come and go.
        what = f"our Telegram at {delay} ms, no collapse: least CPU of that with {IN_FLIGHT[-1]} in flight"
        _limit(what, min(spent) / spent[-1], 0.75)
        texts = rates.best(OUR_TEXTS, delay) / rates.best(TWILIO, delay)
        _limit(f"our SMS at {delay} ms, of twilio's bare client", texts, 0.75)


def _limit(what: str, found: float, least: float) -> None:
    print(f"{'reached' if found >= least else 'MISSED '}  {found:5.2f} (at least {least:g})  {what}")


if __name__ == "__main__":
    main()
