"""Messages that are neither under way nor over: what nobody would otherwise miss (I-4, I-7)."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from reminder.domain.reminders import State
from reminder.store import reminders
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

MOST = 200
"""Of each kind are named; who finds so many looks at the cause and not at the list."""


async def too_late(tx: Tx, useless_before: datetime) -> list[Reminder]:
    """Still planned, although of no more use since before then."""
    planned = t.reminders.c.state == State.PLANNED.value
    return await reminders.some(tx, planned, t.reminders.c.useless_at < useless_before, limit=MOST)


async def without_news(tx: Tx, sent_before: datetime) -> list[Reminder]:
    """Texts sent before then that count as sent still: no receipt came, and nobody closed the book."""
    sent = (t.reminders.c.state == State.SENT.value) & (t.reminders.c.channel == "sms")
    return await reminders.some(tx, sent, t.reminders.c.sent_at < sent_before, limit=MOST)


async def unmade(tx: Tx, due_after: datetime) -> list[Reminder]:
    """To colleagues, and could not be written. (A resident's becomes somebody's task.)"""
    dead = (t.reminders.c.state == State.DEAD.value) & t.reminders.c.resident_id.is_(None)
    return await reminders.some(tx, dead, t.reminders.c.due_at >= due_after, limit=MOST)


async def unexplained(tx: Tx, due_after: datetime) -> list[Reminder]:
    """Ended without having been heard, and without a reason."""
    unheard = (State.CANCELLED, State.SUPPRESSED, State.MISSED, State.FAILED, State.UNKNOWN)
    where = (
        t.reminders.c.state.in_([s.value for s in unheard]),
        t.reminders.c.reason == "",
        t.reminders.c.due_at >= due_after,
    )
    return await reminders.some(tx, *where, limit=MOST)


async def unwritten(tx: Tx, due_before: datetime) -> Sequence[int]:
    """Cases of entries that were to remind somebody before then, and have not."""
    query = (
        sa.select(t.entries.c.case_id)
        .join(t.agenda, t.agenda.c.entry_id == t.entries.c.id)
        .where(t.agenda.c.due_at < due_before)
        .order_by(t.agenda.c.due_at)
        .limit(MOST)
    )
    return (await tx.execute(query)).scalars().all()
