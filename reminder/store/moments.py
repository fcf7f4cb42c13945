"""When will each job next have something to do? All in one question to the database."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from reminder.domain.reminders import State
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared

_FLYING = [State.SENDING.value, State.UNCERTAIN.value]


_ASKED = {
    "inbox": sa.select(sa.func.min(t.inbox.c.received_at)).where(t.inbox.c.state == "received"),
    "remind": sa.select(sa.func.min(t.agenda.c.due_at)),
    "dispatch": sa.select(sa.func.min(t.reminders.c.send_after)).where(
        t.reminders.c.state == State.PLANNED.value
    ),
    "settle": sa.select(sa.func.min(t.reminders.c.lease_until)).where(t.reminders.c.state.in_(_FLYING)),
    "undo": sa.select(sa.func.min(t.deeds.c.at)).where(
        t.deeds.c.at > sa.bindparam("undoable"), t.deeds.c.undone_at.is_(None), t.deeds.c.case_id.is_not(None)
    ),
}
_QUERY = Prepared(sa.select(*(one.scalar_subquery().label(name) for name, one in _ASKED.items())))


async def moments(tx: Tx, *, now: datetime, undo: timedelta) -> dict[str, datetime | None]:
    """By job: the earliest moment it is wanted; `undo` is when the oldest open undo window ends."""
    found: dict[str, datetime | None] = (await _QUERY.rows(tx, undoable=now - undo))[0]
    if (last := found["undo"]) is not None:
        found["undo"] = last + undo
    return found
