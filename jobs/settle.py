"""What we do not know is found out: the provider's log for texts, one marked repeat for staff messages."""

from datetime import datetime

from jobs.guarding import believed
from reminder.actions import deliveries
from reminder.actions.holding import ASKS
from reminder.domain.people import Channel
from reminder.domain.reminders import State
from reminder.domain.storms import JUMP
from reminder.failpoints import failpoint
from reminder.runtime import Runtime
from reminder.store import reminders
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

BATCH = 100
SLACK = JUMP
"""The provider's clock and ours may differ by so much and nobody notices: a text looked for only from a later
moment on would go a second time."""


async def settle(rt: Runtime) -> int:
    """Look at every attempt whose lease ran out. Returns how many there were.

    By a clock that may be wrong no lease has run out, and no text has been looked for long enough. Only
    what asks somebody to look at the clock does not wait for it: one marked question too many does no harm.
    """
    async with rt.db.read() as tx:
        flying = await reminders.flying(tx, rt.clock.now(), BATCH)
        if not await believed(tx, rt):
            flying = [reminder for reminder in flying if reminder.kind in ASKS]
    for reminder in flying:
        if reminder.state is State.SENDING:
            async with rt.db.write() as tx:
                fresh = await reminders.one(tx, reminder.id)
                if fresh is not None and fresh.lease_until == reminder.lease_until:
                    await deliveries.lease_over(tx, rt.desk, fresh)
                failpoint("settle.before_commit")
        elif reminder.channel == Channel.TELEGRAM:
            await _telegram(rt, reminder)
        else:
            await _text(rt, reminder)
    return len(flying)


async def _telegram(rt: Runtime, reminder: Reminder) -> None:
    """No log to ask: by the kind of message, repeat once with a mark, or leave it to the next digest."""
    async with rt.db.write() as tx:
        fresh = await _current(tx, reminder)
        if fresh is None:
            return
        again = rt.desk.kind(fresh.kind).repeat and not fresh.repeated
        if again and deliveries.useful(fresh, rt.clock.now()):
            await deliveries.once_more(tx, rt.desk, fresh)
        else:
            await deliveries.give_up(tx, rt.desk, fresh, "unclear")
        failpoint("settle.before_commit")


async def _text(rt: Runtime, reminder: Reminder) -> None:
    """Ask the provider whether it has the text; only its clear no, after ten minutes, allows a second try."""
    if rt.sms is None:
        return
    async with rt.db.read() as tx:
        attempt = (await reminders.attempts(tx, reminder.id))[-1]
        number = await reminders.number_of(tx, rt.desk.sealer, reminder)
    started: datetime = attempt["started_at"]
    body = rt.desk.text_of(attempt)
    failpoint("settle.before_list")
    found = await rt.sms.find(to=number, since=started - SLACK, body=body)
    failpoint("settle.after_list")
    async with rt.db.write() as tx:
        fresh = await _current(tx, reminder)
        if fresh is None:
            return
        ours = [f for f in found if f.body_matches] if isinstance(found, list) else []
        taken = await reminders.provider_ids(tx, [f.provider_id for f in ours])
        free = [f for f in ours if f.provider_id not in taken]
        if free:
            failpoint("settle.before_adopt")
            await deliveries.accepted(tx, rt.desk, fresh, free[0].provider_id)
        elif await deliveries.still_unclear(tx, fresh, started):
            pass
        elif not isinstance(found, list):
            await deliveries.give_up(tx, rt.desk, fresh, "provider_log_unavailable")
        elif deliveries.useful(fresh, rt.clock.now()) and not fresh.repeated:
            await deliveries.once_more(tx, rt.desk, fresh)
        else:
            await deliveries.give_up(tx, rt.desk, fresh, "unclear")
        failpoint("settle.before_commit")


async def _current(tx: Tx, reminder: Reminder) -> Reminder | None:
    """The row, unless somebody has settled it meanwhile."""
    fresh = await reminders.one(tx, reminder.id)
    unchanged = fresh is not None and fresh.state is State.UNCERTAIN and fresh.token == reminder.token
    return fresh if unchanged else None
