"""Does our request class for the Telegram library behave as the library's own, on whatever comes back?"""

import asyncio
import contextlib
import io
import re
import socket
import ssl
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from telegram import InputFile, InputMediaDocument
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter

from reminder.channels.telegram_errors import Broken, verdict
from reminder.channels.telegram_http import STAND_IN, AiohttpRequest
from reminder.domain.messages import Declined, NotSent, Unknown
from tests.channels.raw import DROP, HANG, TRICKLE, Raw, Reply, nobody, page, raw_server, told
from tests.channels.raw import _read as read_request

TOKEN = "4242424242:AAF-canary_canary_canary_canary_cana"
LONG, BRIEF = 30.0, 0.4
THEIRS_BEFORE = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}
"""Errors of httpx from before the request was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Timeouts, in seconds."""

    connect: float = LONG
    pool: float = LONG
    read: float = LONG
    write: float = LONG
    media: float = LONG
    size: int = 4


def theirs(times: Times, proxy: str | None) -> BaseRequest:
    return HTTPXRequest(
        connection_pool_size=times.size,
        connect_timeout=times.connect,
        pool_timeout=times.pool,
        read_timeout=times.read,
        write_timeout=times.write,
        media_write_timeout=times.media,
        proxy=proxy,
        httpx_kwargs={"trust_env": False},
    )


def ours(times: Times, proxy: str | None) -> BaseRequest:
    return AiohttpRequest(
        TOKEN,
        pool_size=times.size,
        connect=times.connect,
        pool=times.pool,
        read=times.read,
        write=times.write,
        media_write=times.media,
        proxy=proxy,
    )


@contextlib.asynccontextmanager
async def both(times: Times | None = None, proxy: str | None = None) -> AsyncIterator[list[BaseRequest]]:
    """The library's own layer, and ours."""
    made = [theirs(times or Times(), proxy), ours(times or Times(), proxy)]
    try:
        yield made
    finally:
        for request in made:
            await request.shutdown()


def asked_of(request: BaseRequest, base: str, rest: str) -> str:
    """The library's layer is given the real address, ours the one with the stand-in."""
    return f"{base}/bot{STAND_IN if isinstance(request, AiohttpRequest) else TOKEN}/{rest}"


def data(**values: object) -> RequestData:
    return RequestData([RequestParameter.from_input(name, value) for name, value in values.items()])


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a request ended: with an answer, or with an error of a type and what that means to us."""

    answer: object = None
    error: type[TelegramError] | None = None
    words: str = ""
    means: type | None = None


async def end_of(call: Awaitable[object]) -> End:
    try:
        async with asyncio.timeout(LONG * 2):
            return End(answer=await call)
    except TelegramError as error:
        cause = error.__cause__
        if isinstance(cause, httpx.HTTPError):
            means: type = NotSent if type(cause).__name__ in THEIRS_BEFORE else Unknown
        else:
            _assert_says_no_secret(error)
            means = type(verdict(error))
        is_broken = isinstance(cause, httpx.HTTPError | Broken)
        return End(error=type(error), words="" if is_broken else str(error), means=means)


def _assert_says_no_secret(error: BaseException) -> None:
    said = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        said += repr(link) + str(link)
        link = link.__cause__ or link.__context__
    assert TOKEN.partition(":")[2] not in said


async def ends(
    base: str, times: Times | None = None, *, proxy: str | None = None, content: Any = None
) -> End:
    """How a post ends, the same over both layers."""
    async with both(times, proxy) as layers:
        found = [
            await end_of(layer.post(asked_of(layer, base, "sendMessage"), content or data(text="x")))
            for layer in layers
        ]
    assert found[0] == found[1]
    return found[1]


# What leaves

REQUESTS: dict[str, Callable[[], RequestData | None]] = {
    "nothing": lambda: None,
    "no parameters": data,
    "words": lambda: data(chat_id=1001, text="周三上午 9 点 & <b>+%20=?;\r\n\t\"'\\ ~*-._/🙂", silent=True),
    "an empty text": lambda: data(text="", chat_id=0),
    "nested": lambda: data(reply_markup={"inline_keyboard": [[{"text": "✅", "n": None}]]}, ids=[1, "二"]),
    "a file": lambda: data(
        chat_id=1, document=InputFile(b"\x00\xff\r\n--x--", filename="week.ics"), caption="本周"
    ),
    "a file with an awkward name": lambda: data(
        document=InputFile(b"x", filename='台账 "2026"\\\r\n\t;.csv'), caption='a"b\r\nc'
    ),
    "an open file": lambda: data(
        document=InputFile(io.BytesIO(b"from a handle"), filename="a.bin", read_file_handle=False)
    ),
    "an empty file": lambda: data(document=InputFile(b"", filename="empty")),
    "a large file": lambda: data(document=InputFile(bytes(range(256)) * 12_000, filename="a.csv")),
    "several files": lambda: data(
        media=[
            InputMediaDocument(InputFile(word, filename=f"{word.decode()}.txt", attach=True))
            for word in (b"one", b"two")
        ]
    ),
}


@pytest.mark.parametrize("content", REQUESTS.values(), ids=REQUESTS)
async def test_the_same_request_leaves(content: Callable[[], RequestData | None], raw: Raw) -> None:
    raw.always(told(200, {"ok": True, "result": True}))
    async with both() as layers:
        for layer in layers:
            assert await layer.post(asked_of(layer, raw.url, "sendDocument"), content()) is True
    first, second = (_comparable(request) for request in raw.asked)
    assert first == second
    assert first["path"] == f"/bot{TOKEN}/sendDocument"


def _comparable(request: Any) -> dict[str, object]:
    """Everything that must be equal; boundaries and names of attachments are drawn anew each time."""
    kind, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    body = request.body.replace(boundary.encode(), b"BOUNDARY") if boundary else request.body
    return {
        "method": request.method,
        "path": request.path,
        "query": request.raw_query,
        "kind": kind,
        "length": request.headers.get("content-length"),
        "chunked": request.headers.get("transfer-encoding"),
        "agent": request.headers["user-agent"],
        "host": request.headers["host"],
        "encodings": request.headers.get("accept-encoding"),
        "body": re.sub(rb"attached[0-9a-f]{32}", b"ATTACHED", body),
    }


@pytest.mark.parametrize(
    "rest",
    [
        "getUpdates?timeout=0&allowed_updates=%5B%22message%22%5D",
        "docs/a%20b%2Bc%28%7E%29.csv",
        "a+b?c=d%26e;f",
    ],
)
async def test_the_same_address_is_fetched(rest: str, raw: Raw) -> None:
    raw.always(Reply(body=b"content"))
    async with both() as layers:
        for layer in layers:
            assert await layer.retrieve(asked_of(layer, raw.url, rest)) == b"content"
    first, second = (_comparable(request) for request in raw.asked)
    assert first == second
    assert first["method"] == "GET"


async def test_text_that_cannot_be_written_is_told_alike(raw: Raw) -> None:
    end = await ends(raw.url, content=data(text="\ud800"))
    assert (end.error, end.means) == (NetworkError, Declined)
    assert raw.asked == []


async def test_no_cookie_goes_back(raw: Raw) -> None:
    raw.always(Reply(body=b"{}", headers=(("set-cookie", "a=b"),)))
    layer = ours(Times(), None)
    named = raw.url.replace("127.0.0.1", "localhost")  # a client may keep cookies only of names
    for _ in range(2):
        await layer.retrieve(asked_of(layer, named, "x"))
    await layer.shutdown()
    assert not [request for request in raw.asked if "cookie" in request.headers]


# What comes back

ANSWERS = {
    "done": told(200, {"ok": True, "result": {"message_id": 7, "text": "周三"}}),
    "created": told(201, {"ok": True, "result": True}),
    "a login page": page(200),
    "nothing": Reply(),
    "no content": Reply(status=204),
    "half of it": Reply(body=b'{"ok":true,"res'),
    "not utf-8": Reply(body=b'{"ok":true,"result":"\xff\xfe"}'),
    "a large one": told(200, {"ok": True, "result": "长" * 400_000}),
    "redirect": Reply(status=302, headers=(("location", "/elsewhere"),)),
    "kept redirect": Reply(status=307, headers=(("location", "http://login.example/"),)),
    "a page": page(400),
    "unauthorized": told(401, {"ok": False, "description": "Unauthorized"}),
    "forbidden": told(403, {"ok": False, "description": "Forbidden: bot was blocked by the user"}),
    "not found": page(404),
    "conflict": told(409, {"ok": False, "description": "Conflict"}),
    "too large": told(413, {"ok": False, "description": "Request Entity Too Large"}),
    "flood": told(429, {"ok": False, "description": "x", "parameters": {"retry_after": 17}}),
    "moved": told(400, {"ok": False, "description": "x", "parameters": {"migrate_to_chat_id": -100}}),
    "server error": told(500, {"ok": False, "description": "Internal Server Error"}),
    "bad gateway": page(502),
    "an odd status": page(599),
}


@pytest.mark.parametrize("reply", ANSWERS.values(), ids=ANSWERS)
async def test_the_same_answer_is_understood_alike(reply: Reply, raw: Raw) -> None:
    raw.always(reply)
    await ends(raw.url)
    assert len(raw.asked) == 2


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def says(answer: bytes, *, reset: bool = False) -> Script:
    """Reads a request, says this and closes."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        _close(writer, reset=reset)

    return script


def hangs_up(*, reset: bool) -> Script:
    """Closes before it has read anything."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _close(writer, reset=reset)

    return script


async def _answers_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses after the headers and closes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    _close(writer)


def _close(writer: asyncio.StreamWriter, *, reset: bool = False) -> None:
    if reset:
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


LARGE = data(document=InputFile(bytes(20_000_000), filename="a.csv"))
BROKEN: dict[str, Script] = {
    "closed before the request": hangs_up(reset=False),
    "reset before the request": hangs_up(reset=True),
    "closed after the request": says(b""),
    "reset after the request": says(b"", reset=True),
    "half a status line": says(b"HTTP/1."),
    "half the headers": says(HEAD + b"Content-Le"),
    "no body": says(HEAD + b"Content-Length: 20\r\n\r\n"),
    "half a body": says(HEAD + b'Content-Length: 20\r\n\r\n{"ok": tr'),
    "half a body and a reset": says(HEAD + b'Content-Length: 20\r\n\r\n{"ok": tr', reset=True),
    "half a chunk": says(HEAD + b'Transfer-Encoding: chunked\r\n\r\n14\r\n{"ok": tr'),
    "chunks without an end": says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
    "a chunk of no size": says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"),
    "garbage": says(b"\x00\xff\x16\x03\x01 what\r\n\r\n"),
    "old HTTP": says(b'{"ok": true, "result": true}\r\n'),
    "no number": says(b"HTTP/1.1 OK\r\n\r\n"),
    "another protocol": says(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a header without a colon": says(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n{}"),
    "a length below zero": says(HEAD + b"Content-Length: -5\r\n\r\n{}"),
    "a length in words": says(HEAD + b"Content-Length: many\r\n\r\n{}"),
    "not the gzip it says": says(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
}


@contextlib.asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[Raw]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        finally:
            writer.close()

    async with raw_server() as raw:
        raw.serve = serve  # type: ignore[method-assign]
        yield raw


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
async def test_a_conversation_that_breaks_is_never_taken_for_not_sent(script: Script) -> None:
    async with scripted(script) as raw:
        end = await ends(raw.url)
    assert (end.error, end.means) == (NetworkError, Unknown)


async def test_an_answer_that_comes_before_the_body_has_gone_is_never_taken_for_not_sent() -> None:
    async with scripted(_answers_early) as raw, both() as layers:
        for layer in layers:
            end = await end_of(layer.post(asked_of(layer, raw.url, "sendDocument"), LARGE))
            assert (end.error, end.means) == (NetworkError, Unknown)


async def test_a_body_that_ends_with_the_connection_is_a_whole_one() -> None:
    async with scripted(says(HEAD + b'\r\n{"ok": true, "result": 7}')) as raw:
        assert (await ends(raw.url)).answer == 7


async def test_a_fetch_that_breaks_is_not_tried_again(raw: Raw) -> None:
    raw.always(DROP)
    async with both() as layers:
        for layer in layers:
            end = await end_of(layer.retrieve(asked_of(layer, raw.url, "getUpdates")))
            assert (end.error, end.means) == (NetworkError, Unknown)
    assert len(raw.asked) == 2


# How long it takes


async def test_an_answer_that_does_not_come_may_have_been_sent(raw: Raw) -> None:
    raw.always(HANG)
    end = await ends(raw.url, Times(read=BRIEF))
    assert (end.error, end.means) == (TimedOut, Unknown)


async def test_an_answer_that_stops_may_have_been_sent() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD + b'Content-Length: 20\r\n\r\n{"ok"')
        await reader.read()

    async with scripted(script) as raw:
        end = await ends(raw.url, Times(read=BRIEF))
    assert (end.error, end.means) == (TimedOut, Unknown)


async def test_each_byte_begins_the_wait_for_the_next_anew(raw: Raw) -> None:
    raw.always(TRICKLE)
    async with both(Times(read=LONG / 2)) as layers:
        for layer in layers:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(BRIEF):
                    await layer.post(asked_of(layer, raw.url, "sendMessage"), data(text="x"))


@pytest.mark.parametrize(
    ("times", "content"), [(Times(write=BRIEF), data(text="x" * 20_000_000)), (Times(media=BRIEF), LARGE)]
)
async def test_a_body_nobody_takes_may_have_been_sent_in_part(times: Times, content: RequestData) -> None:
    async def deaf(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with scripted(deaf) as raw:
        end = await ends(raw.url, times, content=content)
    assert (end.error, end.means) == (TimedOut, Unknown)


async def test_a_handshake_without_an_end_was_surely_not_sent() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with scripted(silent) as raw:
        end = await ends(raw.url.replace("http:", "https:"), Times(connect=BRIEF))
    assert (end.error, end.means) == (TimedOut, NotSent)


async def test_a_full_pool_was_surely_not_sent_and_its_wait_is_not_that_for_the_answer(raw: Raw) -> None:
    arrived = asyncio.Event()

    def respond(_request: Any) -> Reply:
        arrived.set()
        return HANG

    raw.respond = respond
    async with both(Times(size=1, pool=BRIEF)) as layers:
        for layer in layers:
            address = asked_of(layer, raw.url, "sendMessage")
            first = asyncio.ensure_future(layer.post(address, data(text="x")))
            await arrived.wait()
            arrived.clear()
            end = await end_of(layer.post(address, data(text="x")))
            assert (end.error, end.means) == (TimedOut, NotSent)
            assert not first.done()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
    assert len(raw.asked) == 2


async def test_what_was_given_up_leaves_its_place_to_the_next(raw: Raw) -> None:
    raw.respond = lambda _: HANG if len(raw.asked) % 2 else told(200, {"ok": True, "result": 7})
    async with both(Times(size=1)) as layers:
        for layer in layers:
            address = asked_of(layer, raw.url, "sendMessage")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(BRIEF):
                    await layer.post(address, data(text="x"))
            assert (await end_of(layer.post(address, data(text="x")))).answer == 7


async def test_a_call_may_have_timeouts_of_its_own(raw: Raw) -> None:
    raw.always(HANG)
    async with both() as layers:
        for layer in layers:
            call = layer.post(asked_of(layer, raw.url, "sendMessage"), data(text="x"), read_timeout=BRIEF)
            assert (await end_of(call)).error is TimedOut


# Whether a connection comes about


async def test_a_refused_connection_was_surely_not_sent() -> None:
    end = await ends(nobody())
    assert (end.error, end.means) == (NetworkError, NotSent)


@pytest.mark.parametrize("base", ["http://nowhere.invalid", "ftp://127.0.0.1", "http://"])
async def test_an_address_that_leads_nowhere_was_surely_not_sent(base: str) -> None:
    end = await ends(base)
    assert (end.error, end.means) == (NetworkError, NotSent)


async def test_a_server_that_does_not_speak_tls_was_surely_not_sent() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        _close(writer)

    async with scripted(plain) as raw:
        end = await ends(raw.url.replace("http:", "https:"))
    assert (end.error, end.means) == (NetworkError, NotSent)


async def test_a_certificate_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        _close(writer)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_own_certificate(tmp_path))
    server = await asyncio.start_server(script, "127.0.0.1", 0, ssl=context)
    async with server:
        end = await ends(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert (end.error, end.means) == (NetworkError, NotSent)
    assert not b"".join(heard)


def _own_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_a_proxy_is_asked_in_the_same_words(raw: Raw) -> None:
    raw.always(told(200, {"ok": True, "result": 7}))
    proxy = raw.url.replace("//", "//me:secret@")
    assert (await ends("http://api.telegram.invalid", proxy=proxy)).answer == 7
    first, second = raw.asked
    assert _comparable(first) == _comparable(second)
    assert first.headers["proxy-authorization"] == second.headers["proxy-authorization"]
    assert first.headers["host"] == "api.telegram.invalid"


async def test_a_proxy_that_is_not_there_or_refuses_has_sent_nothing() -> None:
    end = await ends("http://api.telegram.invalid", proxy=nobody())
    assert (end.error, end.means) == (NetworkError, NotSent)
    async with scripted(says(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as raw:
        end = await ends("https://api.telegram.invalid", proxy=raw.url)
    assert (end.error, end.means) == (NetworkError, NotSent)


def test_a_proxy_of_another_kind_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="proxy"):
        ours(Times(), "socks5://127.0.0.1:1080")


# How connections are kept


async def test_a_connection_serves_many_requests(raw: Raw) -> None:
    raw.always(told(200, {"ok": True, "result": 7}))
    accepted, serve = [0, 0], raw.serve
    async with both() as layers:
        for number, layer in enumerate(layers):

            async def counted(reader: Any, writer: Any, at: int = number) -> None:
                accepted[at] += 1
                await serve(reader, writer)

            raw.serve = counted  # type: ignore[method-assign]
            for _ in range(5):
                await layer.post(asked_of(layer, raw.url, "sendMessage"), data(text="x"))
    assert accepted == [1, 1]


async def test_a_connection_the_other_side_has_closed_is_not_used_again() -> None:
    closed = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(HEAD + b'Content-Length: 26\r\n\r\n{"ok": true, "result": 7 }')(reader, writer)
        await writer.wait_closed()
        closed.set()

    async with scripted(script) as raw, both() as layers:
        for layer in layers:
            for _ in range(3):
                call = layer.post(asked_of(layer, raw.url, "sendMessage"), data(text="x"))
                assert (await end_of(call)).answer == 7
                await closed.wait()
                closed.clear()
                await asyncio.sleep(0.05)  # the end of the connection has to reach us as well


async def test_after_its_end_nothing_is_sent_until_it_begins_anew(raw: Raw) -> None:
    raw.always(told(200, {"ok": True, "result": 7}))
    async with both() as layers:
        for layer in layers:
            address = asked_of(layer, raw.url, "sendMessage")
            for _ in range(2):
                await layer.shutdown()
            assert (await end_of(layer.post(address, data(text="x")))).error is NetworkError
            assert raw.asked == []
            await layer.initialize()
            assert (await end_of(layer.post(address, data(text="x")))).answer == 7
            raw.asked.clear()


async def test_both_tell_their_usual_read_timeout() -> None:
    async with both(Times(read=7.5)) as layers:
        assert [layer.read_timeout for layer in layers] == [7.5, 7.5]
