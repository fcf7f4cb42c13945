"""Chat updates come in by asking: each is stored and committed before the next question confirms it."""

from datetime import timedelta

from reminder.bot.hook import set_right
from reminder.domain.people import Channel, of_bot
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import inbox
from reminder.store.database import Tx, in_tx

WAIT = timedelta(seconds=25)
PAUSE = 2.0
"""Seconds before asking again after trouble."""


async def poll(rt: Runtime, bot: int | None) -> None:
    """Ask for ever. There must be one poller per bot token (a second gets 409), and no webhook."""
    await set_right(rt, bot, "")
    while True:
        await fetch(rt, WAIT, bot)


async def fetch(rt: Runtime, wait: timedelta, bot: int | None = None) -> int:
    """Ask once, for at most so long; returns how many updates came. Asking confirms what is stored."""
    source = of_bot(Channel.TELEGRAM, bot)
    async with rt.db.read() as tx:
        last = await inbox.last_update_id(tx, source)
    updates = await rt.bots[bot].updates(last + 1 if last is not None else None, wait)
    failpoint("poll.after_fetch")
    if not isinstance(updates, list):
        log.warning("poll.trouble", reason=type(updates).__name__)
        await rt.clock.sleep(PAUSE)
        return 0
    if updates:
        await _store(rt, source, updates)
        rt.wake("inbox")
    return len(updates)


async def _store(rt: Runtime, source: str, updates: list[dict[str, object]]) -> None:
    async def keep(tx: Tx) -> None:
        for update in updates:
            await inbox.keep(
                tx,
                rt.desk.sealer,
                source=source,
                external_id=str(update["update_id"]),
                content=update,
                at=rt.clock.now(),
            )
        failpoint("poll.before_commit")

    await in_tx(rt.db, keep)
    failpoint("poll.after_commit")
