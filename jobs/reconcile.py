"""Once a day the provider's log of yesterday is laid beside ours; what differs is told to the admins."""

from datetime import time

from reminder.actions import reconciling
from reminder.actions.deliveries import hear
from reminder.channels.base import Found
from reminder.channels.twilio_errors import heard
from reminder.domain.workdays import at, local_day
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import meta, receipts
from reminder.store.database import Tx

NOT_BEFORE = time(5)
"""The provider's books of a day close some time after midnight."""

_DONE = "sms.reconciled_on"


async def reconcile(rt: Runtime) -> int:
    """Returns how many admins were told. A log that cannot be read is read at the next tick."""
    zone, now = rt.desk.office.zone, rt.clock.now()
    today = local_day(now, zone)
    if rt.sms is None or now < at(today, NOT_BEFORE, zone):
        return 0
    async with rt.db.read() as tx:
        if await meta.get(tx, _DONE) == today.isoformat():
            return 0
    since, until = reconciling.day_before(rt.desk)
    failpoint("reconcile.before_list")
    found = await rt.sms.sent(since, until)
    failpoint("reconcile.after_list")
    if not isinstance(found, list):
        log.warning("books.unread", reason=type(found).__name__)
        return 0
    async with rt.db.write() as tx:
        for one in found:
            await _late(tx, rt, one)
        difference = await reconciling.compare(tx, found, since, until)
        told = await reconciling.report(tx, rt.desk, difference, since)
        await meta.put(tx, _DONE, today.isoformat())
        failpoint("reconcile.before_commit")
    failpoint("reconcile.after_commit")
    return told


async def _late(tx: Tx, rt: Runtime, one: Found) -> None:
    """A status whose callback was lost has its effect now: an opt-out is kept, a person told what failed."""
    news = heard(one.provider_id, one.status, one.code)
    if news is not None:
        await hear(tx, rt.desk, await receipts.token_of(tx, one.provider_id), news)
