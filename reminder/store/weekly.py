"""What happened in the office between two moments, in numbers? Reads only; names nobody."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.domain.cases import BOUNCED, ENDED
from reminder.store import tables as t
from reminder.store.database import Tx

_BAD = ("undelivered", "failed", "dead", "missed")


async def week(tx: Tx, since: datetime, until: datetime) -> Mapping[str, int]:
    """By the names the weekly message has for them; an interval holds its start, not its end."""
    met, due = await _two(tx, _deadlines(since, until), t.entries.c.status == "met")
    done, visits = await _two(tx, _visits(since, until), t.entries.c.status == "done")
    return {
        "received": await _events(tx, "receive", since, until),
        "closed": await _events(tx, "close", since, until),
        "on_time": met,
        "were_due": due,
        "visited": done,
        "visits_due": visits,
        "bounced": await _bounced(tx),
        "undelivered": await _count(tx, _undelivered(since, until)),
    }


def _within(column: sa.Column[Any], since: datetime, until: datetime) -> Any:
    return (column >= since) & (column < until)


async def _count(tx: Tx, query: sa.Select[Any]) -> int:
    return int((await tx.execute(query)).scalar_one() or 0)


async def _two(tx: Tx, where: Any, test: Any) -> tuple[int, int]:
    """How many entries pass the test, of how many."""
    passed = sa.func.sum(sa.case((test, 1), else_=0))
    row = (await tx.execute(sa.select(passed, sa.func.count()).where(where))).one()
    return int(row[0] or 0), int(row[1])


def _deadlines(since: datetime, until: datetime) -> Any:
    """Office-bound ones that fell due; what a later decision made needless is no deadline any more."""
    office = (t.entries.c.bound == "office") & (t.entries.c.kind == "deadline")
    return office & _within(t.entries.c.due_at, since, until) & (t.entries.c.status != "cancelled")


def _visits(since: datetime, until: datetime) -> Any:
    """Those whose hour came; one that a resident declined was not owed."""
    owed = t.entries.c.status.not_in(["cancelled", "declined", "rescheduled"])
    return (t.entries.c.kind == "visit") & _within(t.entries.c.starts_at, since, until) & owed


async def _events(tx: Tx, event: str, since: datetime, until: datetime) -> int:
    fact = (t.facts.c.event == event) & t.facts.c.voided_at.is_(None)
    counted = sa.select(sa.func.count(sa.distinct(t.facts.c.case_id)))
    return await _count(tx, counted.where(fact, _within(t.facts.c.at, since, until)))


async def _bounced(tx: Tx) -> int:
    """Cases under way that units have objected to twice or more."""
    twice = (
        sa.select(t.facts.c.case_id)
        .where(t.facts.c.event == "object", t.facts.c.voided_at.is_(None))
        .group_by(t.facts.c.case_id)
        .having(sa.func.count() >= BOUNCED)
    )
    under_way = t.cases.c.status.not_in([status.value for status in ENDED])
    return await _count(tx, sa.select(sa.func.count()).where(t.cases.c.id.in_(twice), under_way))


def _undelivered(since: datetime, until: datetime) -> sa.Select[Any]:
    texts = (t.reminders.c.channel == "sms") & t.reminders.c.state.in_(_BAD)
    return sa.select(sa.func.count()).where(texts, _within(t.reminders.c.due_at, since, until))
