"""Whom outside do we ask or tell? An address that hears all is well, and another machine for its clock."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

TIMEOUT = 4.0


def watcher(url: str) -> Callable[[], Awaitable[None]]:
    """Asks the address once, follows no redirect, reads no answer. Raises what the network raises."""

    async def tell() -> None:
        import aiohttp

        limit = aiohttp.ClientTimeout(total=TIMEOUT)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            answer.release()

    return tell


def clock_of(url: str) -> Callable[[], Awaitable[datetime | None]]:
    """What time it is there, by the `Date` of an answer; None if it gives none. Never raises."""

    async def ask() -> datetime | None:
        import aiohttp

        limit = aiohttp.ClientTimeout(total=TIMEOUT)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.head(url, allow_redirects=False) as answer,
            ):
                said = parsedate_to_datetime(answer.headers.get("Date", ""))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
        return said if said.tzinfo is not None else None

    return ask
