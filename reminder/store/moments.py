"""When will each job next have something to do? All in one question to the database."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from reminder.domain.reminders import State
from reminder.store import tables as t
from reminder.store.database import Tx

_FLYING = [State.SENDING.value, State.UNCERTAIN.value]


async def moments(tx: Tx, *, now: datetime, undo: timedelta) -> dict[str, datetime | None]:
    """By job: the earliest moment it is wanted; `undo` is when the oldest open undo window ends."""
    windows = (t.deeds.c.at > now - undo, t.deeds.c.undone_at.is_(None), t.deeds.c.case_id.is_not(None))
    asked = {
        "inbox": sa.select(sa.func.min(t.inbox.c.received_at)).where(t.inbox.c.state == "received"),
        "remind": sa.select(sa.func.min(t.agenda.c.due_at)),
        "dispatch": sa.select(sa.func.min(t.reminders.c.send_after)).where(
            t.reminders.c.state == State.PLANNED.value
        ),
        "settle": sa.select(sa.func.min(t.reminders.c.lease_until)).where(t.reminders.c.state.in_(_FLYING)),
        "undo": sa.select(sa.func.min(t.deeds.c.at)).where(*windows),
    }
    query = sa.select(*(one.scalar_subquery().label(name) for name, one in asked.items()))
    found = dict((await tx.execute(query)).mappings().one())
    if found["undo"] is not None:
        found["undo"] += undo
    return found
