"""Messages that wait because people said so, and go when they say so."""

from datetime import datetime

import sqlalchemy as sa

from reminder.domain.reminders import State
from reminder.store import tables as t
from reminder.store.database import Tx

STOPPED = "stopped"
"""`reason` of a planned message that waits for a stop to end."""


async def hold(tx: Tx, channel: str, now: datetime, until: datetime) -> None:
    """All of a channel that could go now waits until then."""
    ready = (t.reminders.c.state == State.PLANNED.value) & (t.reminders.c.send_after <= now)
    query = sa.update(t.reminders).where(ready, t.reminders.c.channel == channel)
    await tx.execute(query.values(send_after=until, reason=STOPPED))


async def release(tx: Tx, now: datetime) -> None:
    """What was held may go; what is still stopped will be held again."""
    held = (t.reminders.c.state == State.PLANNED.value) & (t.reminders.c.reason == STOPPED)
    await tx.execute(sa.update(t.reminders).where(held).values(send_after=now, reason=""))
