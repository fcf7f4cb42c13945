"""Look-ups over the whole office, or over one case's messages: for previews, lists and counts. Reads only."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.domain.cases import ENDED
from reminder.domain.entries import OPEN_STATES
from reminder.domain.reminders import HEARD, State
from reminder.store import archive
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each
from reminder.store.reminders import Reminder, planned, some

ALL_OF_A_CASE = 100_000
"""Messages: what is late for a year is in a list every day, and so are the tasks beside it."""


async def reminders_of(tx: Tx, case_id: int, state: State | None = None) -> list[Reminder]:
    """A case's reminders, oldest first, archived ones too; those in one state if it is named."""
    if state is State.PLANNED:
        return await planned(tx, case_id)
    where = [t.reminders.c.case_id == case_id]
    if state is not None:
        where.append(t.reminders.c.state == state.value)
    kept = [row for row in await archive.of_case(tx, case_id) if state in {None, row.state}]
    return [*kept, *await some(tx, *where, limit=ALL_OF_A_CASE)]


async def ended_badly(tx: Tx, states: Iterable[State], since: datetime) -> list[Reminder]:
    """Reminders that ended in these states at or after a moment, whenever they fell due, oldest first."""
    names = [state.value for state in states]
    return await some(tx, t.reminders.c.state.in_(names), t.reminders.c.ended_at >= since)


async def cases_waiting(tx: Tx, until: datetime, limit: int) -> list[int]:
    """Cases with a message that waits to go by then."""
    where = (t.reminders.c.state == State.PLANNED.value, t.reminders.c.send_after <= until)
    return [row.case_id for row in await some(tx, *where, limit=limit) if row.case_id is not None]


async def counts(tx: Tx, since: datetime) -> dict[tuple[str, str], int]:
    """Reminders that fell due since a moment, by channel and state."""
    query = (
        sa.select(t.reminders.c.channel, t.reminders.c.state, sa.func.count())
        .where(t.reminders.c.due_at >= since)
        .group_by(t.reminders.c.channel, t.reminders.c.state)
    )
    return {(channel, state): n for channel, state, n in await tx.execute(query)}


async def letters(tx: Tx, state: str) -> int:
    """How much of what came in is in a state."""
    query = sa.select(sa.func.count()).where(t.inbox.c.state == state)
    return int((await tx.execute(query)).scalar_one())


async def provisional(tx: Tx) -> int:
    """Open entries whose date rests on an unpublished year."""
    states = [state.value for state in OPEN_STATES]
    query = sa.select(sa.func.count()).where(t.entries.c.provisional, t.entries.c.status.in_(states))
    return int((await tx.execute(query)).scalar_one())


async def cases_under_way(tx: Tx) -> list[int]:
    """Cases that have not ended, oldest first."""
    query = sa.select(t.cases.c.id).where(t.cases.c.status.not_in([status.value for status in ENDED]))
    return list((await tx.execute(query.order_by(t.cases.c.id))).scalars())


async def states_of(tx: Tx, channel: str) -> list[str]:
    """The states that reminders of a channel are in."""
    query = sa.select(t.reminders.c.state).where(t.reminders.c.channel == channel).distinct()
    return list((await tx.execute(query)).scalars())


async def newest(tx: Tx) -> int:
    """The highest id any reminder has; 0 when there is none."""
    return int((await tx.execute(sa.select(sa.func.max(t.reminders.c.id)))).scalar() or 0)


async def unclear_of(tx: Tx, person_id: int) -> list[Reminder]:
    """A colleague's messages of which nobody knows yet whether they arrived."""
    states = [State.SENDING.value, State.UNCERTAIN.value]
    return await some(tx, t.reminders.c.person_id == person_id, t.reminders.c.state.in_(states))


async def overdue(tx: Tx, now: datetime) -> list[Reminder]:
    """What waits to go and fell due before now, oldest first."""
    return await some(tx, t.reminders.c.state == State.PLANNED.value, t.reminders.c.due_at <= now)


async def accepted_between(tx: Tx, since: datetime, until: datetime) -> list[str]:
    """Provider ids of texts the provider took on in a time, `until` excluded."""
    sent = (t.reminders.c.sent_at >= since) & (t.reminders.c.sent_at < until)
    query = sa.select(t.reminders.c.provider_id).where(t.reminders.c.channel == "sms", sent)
    return [found for found in (await tx.execute(query)).scalars() if found]


async def kept_and_missed(tx: Tx, now: datetime) -> dict[int, dict[str, int]]:
    """Office-bound deadlines by unit: met, met late, overdue, still open."""
    office = (t.entries.c.bound == "office") & (t.entries.c.kind == "deadline")
    status, due = t.entries.c.status, t.entries.c.due_at
    named = {
        "met": status == "met",
        "met_late": status == "met_late",
        "overdue": (status == "open") & (due < now),
        "open": (status == "open") & (due >= now),
    }
    sums = [sa.func.sum(sa.case((test, 1), else_=0)).label(name) for name, test in named.items()]
    query = (
        sa.select(t.cases.c.unit_id, *sums)
        .join(t.cases, t.cases.c.id == t.entries.c.case_id)
        .where(office, t.cases.c.unit_id.is_not(None))
        .group_by(t.cases.c.unit_id)
    )
    rows = (await tx.execute(query)).mappings()
    return {row["unit_id"]: {name: int(row[name] or 0) for name in named} for row in rows}


async def registered_before(tx: Tx, moment: datetime) -> list[int]:
    """Cases that were opened by then and have got no further than being registered."""
    waits = (t.cases.c.status == "registered") & (t.cases.c.opened_at <= moment)
    return list((await tx.execute(sa.select(t.cases.c.id).where(waits).order_by(t.cases.c.id))).scalars())


async def sponsored_by(tx: Tx, person_id: int) -> list[int]:
    """Cases under way that a leader carries."""
    ended = [status.value for status in ENDED]
    mine = (t.cases.c.sponsor_id == person_id) & t.cases.c.status.not_in(ended)
    return list((await tx.execute(sa.select(t.cases.c.id).where(mine).order_by(t.cases.c.id))).scalars())


async def taking_long(tx: Tx, *, opened_before: datetime, due_before: datetime) -> list[int]:
    """Cases under way that are old, were reopened, or have an answer that is long overdue; a first sieve."""
    ended = [status.value for status in ENDED]
    reopened = sa.select(t.facts.c.case_id).where(t.facts.c.event == "reopen", t.facts.c.voided_at.is_(None))
    late = sa.select(t.entries.c.case_id).where(
        t.entries.c.milestone == "handle", t.entries.c.status == "open", t.entries.c.due_at < due_before
    )
    query = sa.select(t.cases.c.id).where(
        t.cases.c.status.not_in(ended),
        (t.cases.c.opened_at < opened_before) | t.cases.c.id.in_(reopened) | t.cases.c.id.in_(late),
    )
    return list((await tx.execute(query.order_by(t.cases.c.id))).scalars())


async def texts_heard(tx: Tx, case_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Texts about the cases that residents may have received: case, resident, when it left, what it said."""
    return await _TEXTS_HEARD.rows(tx, ids=list(case_ids), states=[state.value for state in HEARD])


_TEXTS_HEARD = Prepared(
    sa.select(
        t.reminders.c.case_id,
        t.reminders.c.resident_id,
        t.attempts.c.token,
        t.attempts.c.started_at,
        t.attempts.c.sealed,
    )
    .join(t.attempts, t.attempts.c.reminder_id == t.reminders.c.id)
    .where(
        t.reminders.c.case_id.in_(each("ids")),
        t.reminders.c.resident_id.is_not(None),
        t.reminders.c.state.in_(each("states")),
        t.attempts.c.sealed.is_not(None),
    )
    .order_by(t.reminders.c.case_id, t.attempts.c.started_at)
)
