"""Chat updates come in by post: the address is kept right, whoever else may have changed it."""

from datetime import timedelta

from reminder.domain.messages import Accepted
from reminder.logs import log
from reminder.runtime import Runtime

EVERY = timedelta(minutes=5)


async def keep_hooked(rt: Runtime, bot: int | None) -> None:
    """Set the address, then look every five minutes whether it still stands. Runs for ever."""
    assert rt.web is not None
    url = rt.web.public_url.rstrip("/") + rt.web.hook_of(bot)
    while True:
        await set_right(rt, bot, url)
        await rt.clock.sleep(EVERY.total_seconds())


async def set_right(rt: Runtime, bot: int | None, url: str) -> None:
    """Have updates posted to `url`, or asked for if it is empty; says what is wrong, never the address."""
    chat = rt.bots[bot]
    found = await chat.hooked()
    if isinstance(found, dict):
        if found.get("last_error_message") and found.get("pending_update_count"):
            log.warning("hook.pending", waiting=found["pending_update_count"])
        if found["url"] == url:
            return
        if found["url"]:
            log.warning("hook.elsewhere")
    answer = await chat.hook(url, rt.web.hook_secret if rt.web is not None else "")
    if not isinstance(answer, Accepted):
        log.warning("hook.trouble", reason=type(answer).__name__)
