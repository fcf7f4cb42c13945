"""How does an answer go wrong on its way, and when does a planned fault strike?"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from reminder.sandbox.chaos import REQUEST, Chaos, Fault, Kind

Perform = Callable[[], Awaitable[Response]]
Refuse = Callable[[Fault], Response]
Background = Callable[[], Awaitable[None]]

_GARBAGE = "<html><head><title>Welcome</title></head><body>Please sign in to use this network.</body></html>"


class Cut(Response):
    """Closes the connection without an answer, at once or when the client has given up waiting."""

    def __init__(self, *, at_once: bool) -> None:
        super().__init__()
        self._at_once = at_once

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        if self._at_once:
            # No ASGI message closes a connection unanswered, but `receive` is uvicorn's own request cycle.
            transport = getattr(getattr(receive, "__self__", None), "transport", None)
            if transport is None:
                raise ConnectionResetError("the sandbox drops this connection")
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
        if self.background:
            await self.background()


def broken(how: str) -> Response:
    match how:
        case "500":
            return PlainTextResponse("Internal Server Error", 500)
        case "502":
            return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, media_type="text/html")
        case "garbage":
            return Response(_GARBAGE, 200, media_type="text/html")
        case _:
            return Cut(at_once=how == "drop")


async def through(
    chaos: Chaos, channel: str, method: str, to: str | None, *, perform: Perform, refuse: Refuse
) -> Response:
    """Answer one request: as asked, or as the fault that strikes here would have it."""
    late = chaos.strike(channel, frozenset({Kind.DELAY}), method=method, to=to)
    if late:
        await asyncio.sleep(late.ms / 1000)
    fault = chaos.strike(channel, REQUEST, method=method, to=to)
    if fault is None:
        return await perform()
    if fault.kind in (Kind.REFUSE, Kind.BLOCKED, Kind.FLOOD):
        return refuse(fault)
    if fault.kind is Kind.FAIL:
        return broken(fault.how)
    answer = await perform()
    if fault.kind is Kind.TWICE:
        return await perform()
    return answer if answer.status_code >= 400 else broken(fault.how)
