"""How a request of the Telegram library travels: by aiohttp, or to an application in our own process.

The token never reaches the library: it works with the word TOKEN, and here the real one is put into the
address as the last step. What goes back, an answer or an error, holds it neither: an error tells only its
name, since its words may quote the address.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

from reminder.channels.base import Carrier
from reminder.channels.moments import watched
from reminder.channels.telegram_errors import Broken
from reminder.failpoints import armed, failpoint

STAND_IN = "TOKEN"
KEPT_OPEN = 5.0
"""Seconds an unused connection is kept: not so long that the other side has closed it meanwhile."""
AT_ONCE = 65_536
"""So many bytes are handed over without waiting for the other side, so writing them needs no timeout."""
_UNSET = BaseRequest.DEFAULT_NONE
_FORM = "application/x-www-form-urlencoded"
_ESCAPED = {n: f"%{n:02X}" for n in (*range(27), *range(28, 32), ord('"'))} | {ord("\\"): "\\\\"}
"""What a name of a multipart form cannot hold as it is; 27 is part of some encodings of Japanese."""


class AiohttpRequest(BaseRequest):
    """The library's request class; timeouts in seconds, None for none, each for its own part of a request.

    `connect` takes in looking up the name and the handshake, `write` the whole body, `read` each wait for
    more of the answer, `pool` waiting until fewer than `pool_size` requests are under way. There is no
    total; whoever calls has one. Redirects are not followed, cookies not kept, nothing is tried again.
    """

    def __init__(
        self,
        token: str,
        *,
        pool_size: int,
        connect: float | None = 5.0,
        pool: float | None = 1.0,
        read: float | None = 5.0,
        write: float | None = 5.0,
        media_write: float | None = 20.0,
        proxy: str | None = None,
        carrier: Carrier | None = None,
    ) -> None:
        """`carrier` takes the requests in place of the network. ValueError on a proxy that is not HTTP's."""
        if proxy is not None and urlsplit(proxy).scheme not in {"http", "https"}:
            raise ValueError("the proxy for Telegram is not an HTTP proxy")
        self.__real = f"/bot{quote(token, safe=':')}/"
        self.__secret = token.rpartition(":")[2].encode()
        self._carrier = carrier
        self._proxy = proxy
        self._free = asyncio.Semaphore(pool_size)
        self._pool, self._connect, self._read = pool, connect, read
        self._write, self._media_write = write, media_write
        self._session: aiohttp.ClientSession | None = None
        self._shut = False

    @property
    def read_timeout(self) -> float | None:
        return self._read

    async def initialize(self) -> None:
        self._shut = False

    async def shutdown(self) -> None:
        self._shut = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = _UNSET,
        write_timeout: Any = _UNSET,
        connect_timeout: Any = _UNSET,
        pool_timeout: Any = _UNSET,
    ) -> tuple[int, bytes]:
        """Status and body of the answer. TimedOut or NetworkError, with a `Broken` as cause, for none."""
        if self._shut:
            raise RuntimeError("this request class has been shut down")
        address = url.replace(f"/bot{STAND_IN}/", self.__real, 1)
        kind, body = _written(request_data)
        headers = {"Content-Type": kind} if body else {}
        if self._carrier is not None:
            status, answer = await self._carrier(method, address, headers, body)
            return status, self._hidden(answer)
        files = request_data is not None and request_data.contains_files
        is_watched = armed() and address.endswith("/sendMessage")
        within = _given(write_timeout, self._media_write if files else self._write)
        options = {
            "headers": headers,
            "data": _Body(body, within, watched=is_watched) if body else None,
            "timeout": aiohttp.ClientTimeout(
                connect=_given(connect_timeout, self._connect), sock_read=_given(read_timeout, self._read)
            ),
            "trace_request_ctx": is_watched,
        }
        await self._wait(_given(pool_timeout, self._pool))
        try:
            return await self._exchange(method, address, options)
        finally:
            self._free.release()

    async def _wait(self, within: float | None) -> None:
        """Until a connection may be taken."""
        try:
            async with asyncio.timeout(within if self._free.locked() else None):
                await self._free.acquire()
            return
        except TimeoutError:
            pass
        raise TimedOut("All connections are occupied; the request was not sent") from Broken("PoolTimeout")

    async def _exchange(self, method: str, address: str, options: dict[str, Any]) -> tuple[int, bytes]:
        try:
            where = URL(address, encoded=True)
            async with self._open().request(method, where, allow_redirects=False, **options) as answer:
                return answer.status, self._hidden(await answer.read())
        except Broken as error:
            late, name = False, str(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            late, name = isinstance(error, TimeoutError), type(error).__name__
        # Out here the error is no longer the context of what is raised, so nobody can print it.
        told: TelegramError = TimedOut() if late else NetworkError(f"aiohttp.{name}")
        raise told from Broken(name)

    def _hidden(self, answer: bytes) -> bytes:
        """Without the token: an error page may quote the address it was asked for."""
        return answer.replace(self.__secret, STAND_IN.encode())

    def _open(self) -> aiohttp.ClientSession:
        """The session, made on first use because it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_OPEN),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
                skip_auto_headers=("Content-Type",),
                proxy=self._proxy,
                middlewares=(_once,),
                trace_configs=watched(_PLACES, of=True),
            )
        return self._session


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The client would by itself ask a second time when a connection closes under a GET."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Broken(type(error).__name__) from None


class _Body(aiohttp.Payload):
    """The bytes of a request, written within a time; seconds."""

    _autoclose = True

    def __init__(self, value: bytes, within: float | None, *, watched: bool) -> None:
        super().__init__(value)
        self._size = len(value)
        self._within = within if len(value) > AT_ONCE else None
        self._is_watched = watched

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        if self._is_watched:
            writer.send_headers()
            failpoint("call.telegram.half_written")
        async with asyncio.timeout(self._within):
            await writer.write(self._value)
            await writer.drain()
        if self._is_watched:
            failpoint("call.telegram.written")


_PLACES = {
    "on_connection_create_end": "call.telegram.connected",
    "on_request_end": "call.telegram.half_read",
    "on_response_chunk_received": "call.telegram.read",
}
"""Of the client's signals; the others are passed in `_Body`, for its own come before the bytes have left."""


def _given(value: Any, otherwise: float | None) -> float | None:
    """A timeout of this call, or else the usual one."""
    return otherwise if value is _UNSET else value


def _written(data: RequestData | None) -> tuple[str, bytes]:
    """Type and bytes of a body."""
    if data is None:
        return _FORM, b""
    if data.contains_files:
        return _multipart(data.json_parameters, data.multipart_data)
    return _FORM, urlencode(data.json_parameters).encode()


def _multipart(fields: Mapping[str, str], files: Mapping[str, Any]) -> tuple[str, bytes]:
    """RFC 7578, written as browsers do."""
    parts = [(f'name="{name.translate(_ESCAPED)}"', value.encode()) for name, value in fields.items()]
    for name, (filename, content, kind) in files.items():
        head = f'name="{name.translate(_ESCAPED)}"; filename="{filename.translate(_ESCAPED)}"'
        parts.append(
            (f"{head}\r\nContent-Type: {kind}", content if isinstance(content, bytes) else content.read())
        )
    # The digest of what it parts, which therefore cannot contain it.
    boundary = hashlib.sha256(b"".join(value for _, value in parts)).hexdigest()[:32]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
        for head, value in parts
    )
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def environment_proxy(base: str) -> str | None:
    """The proxy set on this machine for this address (HTTPS_PROXY, NO_PROXY and their like)."""
    parts = urlsplit(base)
    if proxy_bypass(parts.netloc):
        return None
    known = getproxies()
    return known.get(parts.scheme) or known.get("all")
