"""A chat update that Telegram posts: known by its secret, stored and committed, then acknowledged."""

import hmac
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from reminder.domain.people import Channel, of_bot
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import inbox
from reminder.store.database import Tx, in_tx

BODY_BYTES = 1024 * 1024
HEADER = "X-Telegram-Bot-Api-Secret-Token"
"""core.telegram.org/bots/api#setwebhook"""


async def received(rt: Runtime, bot: int | None, request: Request) -> Response:
    """403 without the secret, before a byte is read; 400 for what is no update; 200 only for what is kept."""
    source = of_bot(Channel.TELEGRAM, bot)
    known = rt.web.hook_secret if rt.web is not None else ""
    given = request.headers.get(HEADER, "")
    if not known or not hmac.compare_digest(known.encode(), given.encode("utf-8", "surrogateescape")):
        log.warning("hook.refused", reason="secret")
        return PlainTextResponse("forbidden\n", status_code=403)
    failpoint("hook.after_verify")
    update = _update(await _body(request))
    if update is None:
        log.warning("hook.refused", reason="unreadable")
        return PlainTextResponse("no update\n", status_code=400)

    async def keep(tx: Tx) -> None:
        external_id = str(update["update_id"])
        await inbox.keep(
            tx, rt.desk.sealer, source=source, external_id=external_id, content=update, at=rt.clock.now()
        )
        failpoint("hook.before_commit")

    await in_tx(rt.db, keep)
    failpoint("hook.after_commit")
    rt.wake("inbox")
    return Response(status_code=200)


async def _body(request: Request) -> bytes:
    """At most a megabyte; more is as good as nothing."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return b""
    return body


def _update(body: bytes) -> dict[str, Any] | None:
    """What has the number of an update; everything else about it is for the bot to judge."""
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return None
    known = isinstance(update, dict) and isinstance(update.get("update_id"), int)
    return update if known and 0 <= update["update_id"] < 2**63 else None
