"""Moments of an HTTP call at which a test may end the process."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reminder.failpoints import armed, failpoint

if TYPE_CHECKING:
    from aiohttp import TraceConfig


def watched(places: Mapping[str, str], of: object) -> "list[TraceConfig]":
    """For a session of aiohttp's: passes the named places in calls whose `trace_request_ctx` is `of`.

    `places`: names of aiohttp's signals to ours. Empty, and costing nothing, unless a test asks for a place.
    """
    if not armed():
        return []
    import aiohttp

    watch = aiohttp.TraceConfig()
    for moment, place in places.items():
        getattr(watch, moment).append(functools.partial(_passed, place, of))
    return [watch]


async def _passed(place: str, of: object, _session: Any, about: Any, _detail: Any) -> None:
    if about.trace_request_ctx == of:
        failpoint(place)
