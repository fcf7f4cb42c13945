"""Texts whose webhook was lost, because we were down or dying, are fetched from the provider's log."""

from datetime import datetime, timedelta

from reminder.failpoints import failpoint
from reminder.runtime import Runtime
from reminder.store import inbox, meta

EVERY = timedelta(minutes=5)
OVERLAP = timedelta(minutes=10)
"""A text may show in the log later than the time it bears."""

FIRST_LOOK = timedelta(days=1)
_LOOKED = "sms.inbound_read_at"


async def fetch_missed(rt: Runtime) -> int:
    """Returns how many texts came to light. What the webhook brought is known by the provider's id."""
    if rt.sms is None:
        return 0
    now = rt.clock.now()
    async with rt.db.read() as tx:
        looked = await meta.get(tx, _LOOKED)
    last = datetime.fromisoformat(looked) if looked else now - FIRST_LOOK
    if last > now:
        last = now - FIRST_LOOK  # by a clock that has been set back since: nobody knows how long ago it was
    if now - last < EVERY:
        return 0
    failpoint("inbound.before_list")
    found = await rt.sms.inbound(last - OVERLAP)
    if not isinstance(found, list):
        return 0
    count = 0
    async with rt.db.write() as tx:
        for text in found:
            content = {"from": text.sender, "to": text.to, "body": text.body}
            sid = text.provider_id
            count += await inbox.keep(
                tx, rt.desk.sealer, source="sms", external_id=sid, content=content, at=now
            )
        await meta.put(tx, _LOOKED, now.isoformat())
        failpoint("inbound.before_commit")
    failpoint("inbound.after_commit")
    if count:
        rt.wake("inbox")
    return count
