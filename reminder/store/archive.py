"""Old messages of cases that are over: out of the tables asked all day; back when a case is taken up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.domain.cases import ENDED
from reminder.domain.people import Channel
from reminder.domain.protocols import Bound, EntryKind
from reminder.domain.reminders import TERMINAL, State
from reminder.failpoints import failpoint
from reminder.store import runlock
from reminder.store import tables as t
from reminder.store.database import Database, Tx, driver_of
from reminder.store.entries import IS_OPEN
from reminder.store.prepared import Prepared, each
from reminder.store.reminders import Reminder
from reminder.store.types import members

BATCH = 500
"""Messages of one transaction: some hundredths of a second for whoever else wants to write."""

_LIVE = (t.reminders, t.attempts, t.receipts, t.questions)
_ARCHIVED = (t.archived_reminders, t.archived_attempts, t.archived_receipts, t.archived_questions)
_Tables = tuple["sa.Table[Any]", ...]


@dataclass(frozen=True, slots=True)
class Old:
    """Messages that may be old enough, and the last row looked at."""

    ids: Sequence[int]
    last: int


async def old(tx: Tx, before: datetime, after: int) -> Old | None:
    """Of the next rows those that fell due before a moment; None once all that follow are younger.

    A row is written when it falls due, so that their order is that of time but for what was caught up on.
    """
    rows = await _NEXT.rows(tx, after=after)
    ids = [row["id"] for row in rows if row["due_at"] < before]
    return Old(ids, rows[-1]["id"]) if ids else None


_NEXT = Prepared(
    sa.select(t.reminders.c.id, t.reminders.c.due_at)
    .where(t.reminders.c.id > sa.bindparam("after"))
    .order_by(t.reminders.c.id)
    .limit(BATCH)
)


async def known_to_all(tx: Tx, db: Database) -> bool:
    """Whether every program that keeps this calendar brings back what is archived; an older one would not."""
    return db.sqlite or all(keeper.schema >= _SINCE for keeper in await runlock.keepers(tx, db))


_SINCE = "0007"
"""The revision that brought the archive."""


async def put_away(tx: Tx, ids: Sequence[int], now: datetime) -> int:
    """Move those of these messages that are over and whose case, if they are about one, is over too.

    Such a case has ended, owes nothing and has nothing to remind of; one that somebody is just changing is
    left for another day. A list of tasks goes after the last line that it told.
    """
    if not await _alone(tx):
        return 0
    of_case = {row["id"]: row["case_id"] for row in await _OVER.rows(tx, ids=list(ids), now=now)}
    about = sorted({case_id for case_id in of_case.values() if case_id is not None})
    cases = set(await _CASES.scalars(tx, ids=about)) if about else set()
    moving = [row for row, case_id in of_case.items() if case_id is None or case_id in cases]
    if not moving:
        return 0
    # One nobody answered ends only when its phone is asked anew: archived open, it would be a second one.
    asked = t.questions.c.reminder_id.in_(moving) & t.questions.c.ended_at.is_(None)
    await tx.execute(sa.update(t.questions).where(asked).values(ended_at=t.questions.c.expires_at))
    await _move(tx, _LIVE, _ARCHIVED, moving)
    touched = sorted({of_case[row] for row in moving} - {None})
    await tx.execute(sa.update(t.cases).where(t.cases.c.id.in_(touched)).values(has_archive=True))
    # Words about no case (a list of long ago, an answer to a command): no erasure of a case would reach them.
    alone = [row for row in moving if of_case[row] is None]
    words = sa.update(t.archived_attempts).where(t.archived_attempts.c.reminder_id.in_(alone))
    await tx.execute(words.values(sealed=None))
    return len(moving)


_LOCK = 7_301_946_287
"""PostgreSQL's: no list leaves while a line of it comes back."""


async def _alone(tx: Tx) -> bool:
    """Whether nothing is just coming back; nothing does until the transaction ends. It is not waited for."""
    if driver_of(tx) is not None:
        return True
    return bool((await tx.execute(sa.text(f"SELECT pg_try_advisory_xact_lock({_LOCK})"))).scalar())


_ANOTHER = t.reminders.alias("another")
_NEWEST = sa.select(sa.func.max(t.reminders.c.id)).scalar_subquery()
_LAST_ASKED = sa.select(sa.func.max(t.questions.c.id)).scalar_subquery()
# The newest row of all stays, for SQLite would give its number out again; so does that of the last question.
_OVER = Prepared(
    sa.select(t.reminders.c.id, t.reminders.c.case_id)
    .where(
        t.reminders.c.id.in_(each("ids")),
        t.reminders.c.state.in_([state.value for state in sorted(TERMINAL)])
        | ((t.reminders.c.state == State.SENT.value) & (t.reminders.c.channel == Channel.TELEGRAM.value)),
        ~sa.exists().where(_ANOTHER.c.digest_id == t.reminders.c.id),
        ~sa.exists().where(
            t.questions.c.reminder_id == t.reminders.c.id,
            (t.questions.c.id == _LAST_ASKED)
            | (t.questions.c.ended_at.is_(None) & (t.questions.c.expires_at > sa.bindparam("now"))),
        ),
        t.reminders.c.id < _NEWEST,
    )
    .order_by(t.reminders.c.id)
)
_OWED = IS_OPEN & (t.entries.c.bound == Bound.OFFICE.value) & (t.entries.c.kind != EntryKind.NOTICE.value)
_CASES = Prepared(
    sa.select(t.cases.c.id)
    .where(
        t.cases.c.id.in_(each("ids")),
        t.cases.c.status.in_([status.value for status in sorted(ENDED)]),
        ~sa.exists().where(t.entries.c.case_id == t.cases.c.id, _OWED),
        ~sa.exists().where(t.entries.c.case_id == t.cases.c.id, t.agenda.c.entry_id == t.entries.c.id),
    )
    .order_by(t.cases.c.id)
    .with_for_update(skip_locked=True, of=t.cases)
)


async def bring_back(tx: Tx, case_ids: Sequence[int]) -> None:
    """All messages of these cases, which this transaction has locked, and the lists that told of them."""
    if driver_of(tx) is None:
        await tx.execute(sa.text(f"SELECT pg_advisory_xact_lock_shared({_LOCK})"))
    rows = t.archived_reminders.c
    mine = rows.case_id.in_(case_ids)
    lists = sa.select(rows.id).where(rows.id.in_(sa.select(rows.digest_id).where(mine))).order_by(rows.id)
    lists = lists.with_for_update()  # another case told of in the same one may be coming back too
    own = sa.select(rows.id).where(mine).order_by(rows.id)
    for query in (lists, own):
        ids = list((await tx.execute(query)).scalars())
        for start in range(0, len(ids), BATCH):
            await _move(tx, _ARCHIVED, _LIVE, ids[start : start + BATCH])
    await tx.execute(sa.update(t.cases).where(t.cases.c.id.in_(case_ids)).values(has_archive=False))


async def _move(tx: Tx, source: _Tables, target: _Tables, ids: Sequence[int]) -> None:
    """These messages with all that belongs to them. What is in the target already stays as it is there."""
    moving = list(zip(source, target, _belonging(source, ids), strict=True))
    for here, there, which in moving:
        rows = sa.select(here).where(which, ~_is_in(there, here))
        await tx.execute(sa.insert(there).from_select(list(here.c.keys()), rows))
    failpoint("archive.after_copy")
    # Only what has arrived: a receipt that comes in between stays, and is found there when the case is back.
    for here, there, which in reversed(moving):
        await tx.execute(sa.delete(here).where(which, _is_in(there, here)))


def _belonging(tables: _Tables, ids: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    reminders, attempts, receipts, questions = tables
    theirs = attempts.c.reminder_id.in_(ids)
    tokens = sa.select(attempts.c.token).where(theirs)
    mine = reminders.c.id.in_(ids)
    named = sa.select(reminders.c.provider_id).where(mine, reminders.c.provider_id != "")
    return [
        mine,
        theirs,
        receipts.c.token.in_(tokens) | receipts.c.provider_id.in_(named),
        questions.c.reminder_id.in_(ids),
    ]


def _is_in(there: "sa.Table[Any]", here: "sa.Table[Any]") -> sa.ColumnElement[bool]:
    same = [there.c[column.name] == column for column in here.primary_key]
    return sa.exists().where(*same).correlate(here)


_COLUMNS = members(t.archived_reminders, state=State)


async def of_case(tx: Tx, case_id: int) -> list[Reminder]:
    """A case's archived messages, oldest first."""
    return await _OF_CASE.made(tx, Reminder, case=case_id)


_OF_CASE = Prepared(
    sa.select(*_COLUMNS)
    .where(t.archived_reminders.c.case_id == sa.bindparam("case"))
    .order_by(t.archived_reminders.c.id)
)


async def by_provider(tx: Tx, channel: Channel, provider_id: str, person_id: int = 0) -> Reminder | None:
    """An archived message by the provider's id; in chat that is unique for a `person_id` only."""
    which = {"channel": channel.value, "provider": provider_id}
    for row in await _BY_PROVIDER.made(tx, Reminder, **which):
        if (row.person_id or 0) == person_id:
            return row
    return None


_BY_PROVIDER = Prepared(
    sa.select(*_COLUMNS)
    .where(t.archived_reminders.c.provider_id == sa.bindparam("provider"))
    .where(t.archived_reminders.c.channel == sa.bindparam("channel"))
    .order_by(t.archived_reminders.c.id)
)


async def attempts(tx: Tx, reminder_id: int) -> list[Mapping[str, Any]]:
    return list(await _ATTEMPTS.rows(tx, reminder=reminder_id))


_ATTEMPTS = Prepared(
    sa.select(t.archived_attempts)
    .where(t.archived_attempts.c.reminder_id == sa.bindparam("reminder"))
    .order_by(t.archived_attempts.c.n)
)
