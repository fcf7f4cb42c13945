"""How does a request reach an application in our own process, with neither a client nor a socket between?"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from reminder.channels.base import Carrier


def nearby(app: ASGIApp) -> Carrier:
    """Carries requests to it; an HTTP client would take longer than the application's answer does."""

    async def carry(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        asked, status, answer = [body], 0, bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": asked.pop()} if asked else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))

        await app(_scope(method, url, headers, body), receive, send)
        return status, bytes(answer)

    return carry


def _scope(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    parts = urlsplit(url)
    named = {"host": parts.netloc, "content-length": str(len(body)), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": None,
        "server": None,
    }
