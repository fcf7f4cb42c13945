"""Reminders held back: which channel or chat waits, what is new since a look, what went to a number."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from reminder.domain.people import Sender
from reminder.domain.reminders import State
from reminder.store import reminders
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each
from reminder.store.reminders import Reminder

_PLANNED = t.reminders.c.state == State.PLANNED.value
_CHANNEL = t.reminders.c.channel == sa.bindparam("on_channel")


BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


async def next_send_at(
    tx: Tx, sender: Sender, before: datetime, since: datetime | None = None
) -> datetime | None:
    """When the next message of a sender may go, unless that is later: all that wait for others come first.

    `since`: nothing of the sender's waits from before then (`reminder/floors.py`).
    """
    from_then = since or BEGINNING
    if not sender.others:
        which = {"on_channel": sender.channel.value, "before": before, "since": from_then}
        first: datetime | None = await _NEXT.scalar(tx, **which)
        return first
    after = t.reminders.c.send_after
    query = sa.select(after).where(*_of(sender), after.between(from_then, before)).order_by(after).limit(1)
    found: datetime | None = (await tx.execute(query)).scalar()
    return found


def _of(sender: Sender) -> list[sa.ColumnElement[bool]]:
    """What waits for a sender: a further bot has its own people, the first one everybody else."""
    where = [_PLANNED, t.reminders.c.channel == sender.channel.value]
    person = t.reminders.c.person_id
    if sender.bot is not None:
        where.append(person.in_(sa.select(t.people.c.id).where(t.people.c.bot == sender.bot)))
    elif sender.others:
        theirs = sa.select(t.people.c.id).where(t.people.c.bot.in_(sender.others))
        where.append(person.is_(None) | person.not_in(theirs))
    return where


_NEXT = Prepared(
    sa.select(t.reminders.c.send_after)
    .where(_PLANNED, _CHANNEL, t.reminders.c.send_after <= sa.bindparam("before"))
    .where(t.reminders.c.send_after >= sa.bindparam("since"))
    .order_by(t.reminders.c.send_after)
    .limit(1)
)


async def ready(
    tx: Tx,
    now: datetime,
    limit: int,
    sender: Sender,
    *,
    resting: Sequence[int] = (),
    only: Sequence[str] = (),
    since: datetime | None = None,
) -> list[Reminder]:
    """`reminders.ready`, but none to chats that are `resting`, and `only` these kinds if any are named."""
    from_then = since or BEGINNING
    if not resting and not only and not sender.others:
        return await reminders.ready(tx, now, limit, sender.channel.value, from_then)
    where = [*_of(sender), t.reminders.c.send_after.between(from_then, now)]
    if resting:
        who = sa.select(t.people.c.id).where(t.people.c.chat_id.in_(list(resting)))
        where.append(t.reminders.c.person_id.is_(None) | t.reminders.c.person_id.not_in(who))
    if only:
        where.append(t.reminders.c.kind.in_(only))
    order = (t.reminders.c.send_after, t.reminders.c.id)
    query = sa.select(*reminders.columns).where(*where).order_by(*order).limit(limit)
    rows = await tx.execute(query.with_for_update(of=t.reminders, skip_locked=True))
    return [Reminder(**row) for row in rows.mappings()]


async def put_off(tx: Tx, sender: Sender, until: datetime, *, but: Sequence[str] = ()) -> None:
    """Nothing of a sender is ready before `until`, or before it is of no more use; `but`: kinds."""
    useless, after = t.reminders.c.useless_at, t.reminders.c.send_after
    where = (*_of(sender), after < until, t.reminders.c.kind.not_in(but))
    put = sa.case((useless < until, useless), else_=sa.literal(until, after.type))
    await tx.execute(sa.update(t.reminders).where(*where).values(send_after=put))


STOPPED = "stopped"
"""`reason` of a planned message that waits for a stop to end."""


async def hold(tx: Tx, channel: str, now: datetime, until: datetime) -> None:
    """All of a channel that could go now waits until then."""
    ready = _PLANNED & (t.reminders.c.send_after <= now)
    query = sa.update(t.reminders).where(ready, t.reminders.c.channel == channel)
    await tx.execute(query.values(send_after=until, reason=STOPPED))


async def release(tx: Tx, now: datetime) -> None:
    """What was held may go; what is still stopped will be held again."""
    held = _PLANNED & (t.reminders.c.reason == STOPPED)
    await tx.execute(sa.update(t.reminders).where(held).values(send_after=now, reason=""))


async def chat_waits(tx: Tx, reminder: Reminder, until: datetime) -> None:
    """Everything else to the same colleague waits as long as this message does."""
    where = (_PLANNED, t.reminders.c.person_id == reminder.person_id, t.reminders.c.send_after < until)
    if reminder.person_id is not None:
        await tx.execute(sa.update(t.reminders).where(*where).values(send_after=until))


async def of_no_more_use(tx: Tx, now: datetime, channel: str, limit: int = 200) -> list[Reminder]:
    """Waiting messages of a channel that would come too late, earliest first."""
    late = t.reminders.c.useless_at <= now
    at_hand = t.reminders.c.send_after <= now
    return await reminders.some(tx, _PLANNED, at_hand, late, t.reminders.c.channel == channel, limit=limit)


async def new_since(tx: Tx, row: int, *, after: datetime | None, but: Sequence[str]) -> tuple[int, int]:
    """How many waiting messages are younger than `row` and fell due after a moment; the youngest row."""
    top = (await tx.execute(sa.select(sa.func.max(t.reminders.c.id)))).scalar() or 0
    if top <= row:
        return 0, top
    where = [_PLANNED, t.reminders.c.id > row, t.reminders.c.kind.not_in(but)]
    if after is not None:
        where.append(t.reminders.c.due_at > after)
    n = (await tx.execute(sa.select(sa.func.count()).select_from(t.reminders).where(*where))).scalar_one()
    return int(n), top


async def busiest(tx: Tx, now: datetime, *, days: int, but: Sequence[str]) -> int:
    """The most messages that fell due within this hour of the day, on any of the days before."""
    hours = [(now - timedelta(days=n, hours=1), now - timedelta(days=n)) for n in range(1, days + 1)]
    due = t.reminders.c.due_at
    sums = [sa.func.sum(sa.case(((due > a) & (due <= b), 1), else_=0)) for a, b in hours]
    query = sa.select(*sums).where(due > hours[-1][0], t.reminders.c.kind.not_in(but))
    return max(int(n or 0) for n in (await tx.execute(query)).one())


async def texts_to(tx: Tx, phone_id: int, since: datetime) -> list[dict[str, Any]]:
    """Attempts at texts to a phone that went, or may have gone: token and sealed words."""
    return await _TEXTS.rows(tx, phone=phone_id, since=since)


async def texts_since(tx: Tx, phone_ids: Sequence[int], since: datetime) -> dict[int, int]:
    """How many attempts `texts_to` finds for each phone."""
    rows = await _TEXTS_SINCE.rows(tx, phones=list(phone_ids), since=since)
    return {row["phone_id"]: row["n"] for row in rows}


_WENT = (
    (t.attempts.c.started_at > sa.bindparam("since"))
    & t.attempts.c.outcome.not_in(["notsent", "declined"])
    & t.attempts.c.sealed.is_not(None)
)
_TEXTS = Prepared(
    sa.select(t.attempts.c.token, t.attempts.c.sealed)
    .join(t.reminders, t.reminders.c.id == t.attempts.c.reminder_id)
    .where(t.reminders.c.phone_id == sa.bindparam("phone"), _WENT)
)
_TEXTS_SINCE = Prepared(
    sa.select(t.reminders.c.phone_id, sa.func.count().label("n"))
    .join(t.attempts, t.reminders.c.id == t.attempts.c.reminder_id)
    .where(t.reminders.c.phone_id.in_(each("phones")), _WENT)
    .group_by(t.reminders.c.phone_id)
)


async def overslept(tx: Tx, until: datetime, *, but: Sequence[str]) -> list[Reminder]:
    """Waiting messages to colleagues that fell due before a moment, in the order they would have gone."""
    where = (_PLANNED, t.reminders.c.person_id.is_not(None), t.reminders.c.due_at < until)
    found = await reminders.some(tx, *where, t.reminders.c.kind.not_in(but), limit=100_000)
    return sorted(found, key=lambda row: (row.due_at, row.id))


async def expired_since(tx: Tx, since: datetime) -> list[Reminder]:
    """Messages that ended unsent because they came too late, since a moment."""
    where = (t.reminders.c.state == State.MISSED.value, t.reminders.c.ended_at >= since)
    return await reminders.some(tx, *where, limit=100_000)
