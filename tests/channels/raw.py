"""A provider made of bare sockets: reads one request, then answers or misbehaves exactly as it is told."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What comes back. `habit` is "answer", "hang", "drop" or "trickle" (a byte at a time, without end)."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    habit: str = "answer"


HANG, DROP, TRICKLE = (Reply(habit=habit) for habit in ("hang", "drop", "trickle"))
HTML = b"<html><body>Please log in to the network</body></html>"


def told(status: int, content: Any) -> Reply:
    return Reply(status=status, body=json.dumps(content).encode())


def page(status: int) -> Reply:
    return Reply(status=status, body=HTML, kind="text/html")


@dataclass
class Raw:
    """The server. `respond` decides; `asked` keeps every request."""

    url: str = ""
    respond: Callable[[Request], Reply] = lambda _: Reply()
    asked: list[Request] = field(default_factory=list)

    def always(self, reply: Reply) -> None:
        self.respond = lambda _: reply

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                self.asked.append(request)
                await _write(self.respond(request), reader, writer)
        except (ConnectionError, _Over):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class _Over(Exception):
    """This conversation has ended."""


@contextlib.asynccontextmanager
async def raw_server() -> AsyncIterator[Raw]:
    raw = Raw()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await raw.serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def nobody() -> str:
    """An address at which every connection is refused."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if headers.get("transfer-encoding") == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Request(
        method=method, path=parts.path, query=query, raw_query=parts.query, headers=headers, body=body
    )


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _write(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    match reply.habit:
        case "hang":
            await reader.read()
            raise _Over
        case "drop":
            raise _Over
        case "trickle":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        case _:
            lines = [
                f"HTTP/1.1 {reply.status} Told",
                f"content-type: {reply.kind}",
                f"content-length: {len(reply.body)}",
                *(f"{name}: {value}" for name, value in reply.headers),
            ]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body)
            await writer.drain()
