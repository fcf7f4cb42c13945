"""Who is watching, and what do they see the moment it happens?"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

_HEARTBEAT_SECONDS = 15
_BACKLOG = 2000


class Bell:
    """Wakes everyone who waits; rings in one loop only."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float | None) -> bool:
        """True if it rang, False if `seconds` of real time passed first."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            done, _ = await asyncio.wait([waiter], timeout=seconds)
            return bool(done)
        finally:
            self._waiters.discard(waiter)


class Feed:
    """Events for open pages. A page that falls behind is cut off; it reconnects and gets a fresh snapshot."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[str | None]] = set()

    def tell(self, kind: str, news: Callable[[], Any]) -> None:
        """Drawn once for all who watch, and not at all for nobody."""
        if not self._pages:
            return
        event = _event(kind, news())
        for page in list(self._pages):
            if page.qsize() < _BACKLOG:
                page.put_nowait(event)
            else:
                self._pages.discard(page)
                page.put_nowait(None)

    def close(self) -> None:
        for page in self._pages:
            page.put_nowait(None)
        self._pages.clear()

    async def stream(self, snapshot: Callable[[], Any]) -> AsyncIterator[str]:
        """A snapshot, then every event as it happens, with a comment line when it is quiet."""
        page: asyncio.Queue[str | None] = asyncio.Queue()
        self._pages.add(page)
        try:
            yield "retry: 1000\n" + _event("snapshot", snapshot())
            while True:
                try:
                    event = await asyncio.wait_for(page.get(), _HEARTBEAT_SECONDS)
                except TimeoutError:
                    event = ": still here\n\n"
                if event is None:
                    return
                yield event
        finally:
            self._pages.discard(page)


def _event(kind: str, news: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps(news, ensure_ascii=False)}\n\n"
