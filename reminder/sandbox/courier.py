"""How do status steps, callbacks and webhook updates reach the office, in order and each at its time?"""

import heapq
import ipaddress
from asyncio import Lock
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from reminder.sandbox.feed import Bell

# Twilio: ct 5,000 ms and rt 15,000 ms by default (connection overrides page).
_PATIENCE = ClientTimeout(total=15, connect=5)

Errand = Callable[[ClientSession], Awaitable[None]]


class Courier:
    """Errands by due time. Nothing runs by itself: who makes an errand calls `kick`, who waits calls `drain`.

    Only loopback is ever called, unless `deliver_to` (scheme://host:port) says where callbacks really go.
    """

    def __init__(self, now: Callable[[], datetime], changed: Bell, deliver_to: str | None = None) -> None:
        self._now = now
        self._changed = changed
        self._deliver_to = deliver_to
        self._errands: list[tuple[datetime, int, Errand]] = []
        self._order = 0
        self._lock = Lock()
        self.attempts: deque[dict[str, Any]] = deque(maxlen=2000)
        """Every POST made: at, url, attempt, and status or error."""

    def owe(self, errand: Errand, due_at: datetime) -> None:
        self._order += 1
        heapq.heappush(self._errands, (due_at, self._order, errand))

    def due(self) -> int:
        """Errands whose time has come, counting the one under way."""
        now = self._now()
        return sum(due_at <= now for due_at, _, _ in self._errands) + self._lock.locked()

    def next_at(self) -> datetime | None:
        """When the next errand that is still in the future falls due."""
        return min((due_at for due_at, _, _ in self._errands if due_at > self._now()), default=None)

    async def kick(self) -> None:
        """Run what is due, unless somebody already does: that run will see the new errands too."""
        if not self._lock.locked():
            await self.drain()

    async def drain(self) -> None:
        """Run every due errand. Never call it from inside a webhook handler: it would wait for itself."""
        async with self._lock:
            if not self._is_due():
                return
            async with ClientSession(timeout=_PATIENCE) as session:
                while self._is_due():
                    await heapq.heappop(self._errands)[2](session)
        self._changed.ring()

    def forget(self) -> None:
        self._errands.clear()

    def _is_due(self) -> bool:
        return bool(self._errands) and self._errands[0][0] <= self._now()

    async def post(
        self,
        session: ClientSession,
        url: str,
        *,
        retries: int,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> str | None:
        """POST until a 2xx or the retries are used up; the answer's text, or None if it never came."""
        for attempt in range(1, retries + 2):
            note: dict[str, Any] = {"at": self._now().isoformat(), "url": url, "attempt": attempt}
            self.attempts.append(note)
            try:
                where = self._where(url)
                async with session.post(where, data=form, json=json, headers=headers) as answer:
                    note["status"] = answer.status
                    text = await answer.text(errors="replace")
                    if 200 <= answer.status < 300:
                        return text
            except (ClientError, TimeoutError, ValueError) as problem:
                note["error"] = f"{type(problem).__name__}: {problem}"
        return None

    def _where(self, url: str) -> str:
        parts = urlsplit(url)
        if self._deliver_to:
            other = urlsplit(self._deliver_to)
            return urlunsplit((other.scheme, other.netloc, parts.path, parts.query, ""))
        if not is_loopback(parts.hostname or ""):
            raise ValueError("the sandbox calls nobody outside this machine")
        return urlunsplit((*parts[:4], ""))


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
