"""Who is told, from time to time, that all is well? An address the office chose; silence is the alarm."""

from collections.abc import Awaitable, Callable

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
