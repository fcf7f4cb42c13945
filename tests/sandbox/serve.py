"""How does a test put an ASGI app on a real port of this machine, in its own loop?"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the test runner's signals alone: uvicorn would raise them again after its shutdown."""
        yield


@asynccontextmanager
async def serving(
    app: Any, *, port: int = 0, before_stop: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 and give its base URL, without a slash at the end.

    `before_stop` may end long polls and event streams, so that stopping does not have to cut them.
    """
    # The protocol is named so that asyncio switches Nagle off: else each answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.002)
            if not server.started:
                raise RuntimeError("the app did not start")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            before_stop()
            server.should_exit = True
            await running
