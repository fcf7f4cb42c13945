"""Which URLs make up the sandbox?"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from starlette.applications import Starlette

from reminder.sandbox import control, page, telegram_http, twilio_http
from reminder.sandbox.world import World


def sandbox(
    *,
    now: Callable[[], datetime],
    bot_token: str,
    account_sid: str,
    auth_token: str,
    seed: int = 0,
    **more: Any,
) -> Starlette:
    """A fresh world and its app, to serve alone or to mount at "/" of another; `app.state.world` holds it.

    `now` is the time in the sandbox, aware UTC, and may jump. `more` is passed on to `World`.
    """
    world = World(
        now=now, bot_token=bot_token, account_sid=account_sid, auth_token=auth_token, seed=seed, **more
    )
    return app_of(world)


def app_of(world: World) -> Starlette:
    """The app of a world somebody else holds. A mounting app should call `world.close()` when it stops."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        world.close()

    app = Starlette(
        routes=[
            *telegram_http.routes(world),
            *twilio_http.routes(world),
            *control.routes(world),
            *page.routes(world),
        ],
        lifespan=lifespan,
    )
    app.state.world = world
    return app
