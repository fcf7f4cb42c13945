"""What came in is dealt with, oldest first: chat updates, residents' texts, the provider's receipts."""

from datetime import datetime

from reminder.actions.deliveries import hear
from reminder.actions.replies import Text, hear_text
from reminder.channels.twilio_errors import heard
from reminder.domain.errors import ReminderError
from reminder.domain.people import Channel
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import inbox, receipts
from reminder.store.inbox import Letter

BATCH = 50
ROUNDS = 200
MAX_TRIES = 5
"""A letter that fails so often is dead: listed to the admin, in nobody's way."""


async def read_inbox(rt: Runtime) -> int:
    """Returns how many letters were dealt with. Each has its effect once, however often it is read."""
    total = 0
    for _ in range(ROUNDS):
        async with rt.db.read() as tx:
            letters = await inbox.waiting(tx, rt.desk.sealer, BATCH)
        for letter in letters:
            await deal(rt, letter)
        total += len(letters)
        if len(letters) < BATCH:
            break
    if total:
        rt.ring()  # most of what comes in is answered
    return total


async def deal(rt: Runtime, letter: Letter) -> None:
    """One letter; dealing with it again does nothing."""
    failpoint("inbox.before")
    try:
        if letter.source.startswith(Channel.TELEGRAM):
            from reminder.bot.updates import handle  # a start does not wait for what reads ledgers and taps

            await handle(rt, letter)
        elif letter.source == "sms":
            await _text(rt, letter)
        else:
            await _receipt(rt, letter)
    except Exception as error:
        await _failed(rt, letter, error)
    failpoint("inbox.after")


async def _text(rt: Runtime, letter: Letter) -> None:
    async with rt.db.write() as tx:
        if not await inbox.finish(tx, letter.id, "processed", rt.clock.now()):
            return
        content = letter.content
        text = Text(id=letter.id, number=content["from"], body=content["body"], at=letter.received_at)
        await hear_text(tx, rt.desk, text)
        failpoint("inbox.before_commit")


async def _receipt(rt: Runtime, letter: Letter) -> None:
    content = letter.content
    now: datetime = rt.clock.now()
    async with rt.db.write() as tx:
        if not await inbox.finish(tx, letter.id, "processed", now):
            return
        provider_id, token = content["provider_id"], content["token"]
        status, code = content["status"], content["code"]
        known = {"provider_id": provider_id, "status": status, "token": token, "code": code}
        if not await receipts.add(tx, **known, received_at=now):
            return
        news = heard(provider_id, status, code)
        if news is not None:
            await hear(tx, rt.desk, token or await receipts.token_of(tx, provider_id), news)
        failpoint("inbox.before_commit")


async def _failed(rt: Runtime, letter: Letter, error: Exception) -> None:
    """Count it; after the last try it is dead. The reason names the fault, never the content."""
    reason = str(error) if isinstance(error, ReminderError) else type(error).__name__
    log.warning("inbox.failed", letter=letter.id, source=letter.source, error=reason)
    async with rt.db.write() as tx:
        await inbox.failed(tx, letter.id, reason[:200])
        if letter.tries + 1 >= MAX_TRIES:
            await inbox.finish(tx, letter.id, "dead", rt.clock.now(), reason[:200])
