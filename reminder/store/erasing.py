"""How do names, numbers and words leave the database, while counts and dates stay?"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.seal import Sealer

GONE = "—"
"""Stands where a name was."""


async def people_of(tx: Tx, case_id: int) -> list[int]:
    """Residents of the case who are in no other case that still has its words."""
    here = sa.select(t.parties.c.resident_id).where(t.parties.c.case_id == case_id)
    elsewhere = (
        sa.select(t.parties.c.resident_id)
        .join(t.cases, t.cases.c.id == t.parties.c.case_id)
        .where(t.cases.c.id != case_id, t.cases.c.status != "erased")
    )
    found = t.residents.c.id.in_(here) & t.residents.c.id.not_in(elsewhere)
    return list(
        (await tx.execute(sa.select(t.residents.c.id).where(found).order_by(t.residents.c.id))).scalars()
    )


async def strip_people(tx: Tx, ids: Sequence[int], new_id: Callable[[], str]) -> list[int]:
    """Take names and numbers away; the phones nobody else holds are returned, stripped as well."""
    blank = {"name": GONE, "place": "", "needs": "", "reach_by": "", "contacted": False, "wants_texts": False}
    await tx.execute(sa.update(t.residents).where(t.residents.c.id.in_(ids)).values(**blank))
    held = sa.select(t.holders.c.phone_id).where(t.holders.c.resident_id.in_(ids))
    phones = list((await tx.execute(held)).scalars())
    await tx.execute(sa.delete(t.holders).where(t.holders.c.resident_id.in_(ids)))
    still = set(
        (await tx.execute(sa.select(t.holders.c.phone_id).where(t.holders.c.phone_id.in_(phones)))).scalars()
    )
    alone = [phone_id for phone_id in phones if phone_id not in still]
    for phone_id in alone:
        values = {"sealed": b"", "blind": f"gone-{new_id()}", "last4": "", "texts": False}
        await tx.execute(sa.update(t.phones).where(t.phones.c.id == phone_id).values(**values))
    return alone


async def strip_case(tx: Tx, case_id: int, kept: Collection[str]) -> None:
    """Take the words out of a case; of each fact only the fields named in `kept` stay."""
    await tx.execute(sa.update(t.cases).where(t.cases.c.id == case_id).values(request="", place=""))
    rows = (
        await tx.execute(sa.select(t.facts.c.id, t.facts.c.value).where(t.facts.c.case_id == case_id))
    ).all()
    for fact_id, value in rows:
        left = {name: one for name, one in (value or {}).items() if name in kept}
        if left != value:
            await tx.execute(sa.update(t.facts).where(t.facts.c.id == fact_id).values(value=left))
    blank: Mapping[str, Any] = {"detail": {}, "place": ""}
    await tx.execute(sa.update(t.entries).where(t.entries.c.case_id == case_id).values(**blank))
    about = t.reminders.c.case_id == case_id
    await tx.execute(sa.update(t.reminders).where(about).values(detail={}))
    sent = sa.select(t.reminders.c.id).where(about)
    await tx.execute(sa.update(t.attempts).where(t.attempts.c.reminder_id.in_(sent)).values(sealed=None))


async def strip_letters(tx: Tx, sealer: Sealer, numbers: Collection[str]) -> None:
    """Empty what came in from these numbers and has not been emptied by age."""
    texts = sa.select(t.inbox).where(t.inbox.c.source == "sms", t.inbox.c.state != "received")
    for row in (await tx.execute(texts)).mappings().all():
        content = json.loads(sealer.open(row["sealed"], bound_to=f"inbox|sealed|{row['uid']}"))
        if content.get("from") in numbers:
            await _empty(tx, sealer, row)


async def empty_letters(tx: Tx, sealer: Sealer, before: datetime, limit: int = 500) -> int:
    """Empty what was dealt with before a moment; that it came, and when, stays."""
    old = (t.inbox.c.state.in_(["processed", "ignored"])) & (t.inbox.c.processed_at < before)
    query = sa.select(t.inbox).where(old, t.inbox.c.error != GONE).order_by(t.inbox.c.id).limit(limit)
    rows = (await tx.execute(query)).mappings().all()
    for row in rows:
        await _empty(tx, sealer, row)
    return len(rows)


async def _empty(tx: Tx, sealer: Sealer, row: Mapping[Any, Any]) -> None:
    blank = sealer.seal("{}", bound_to=f"inbox|sealed|{row['uid']}")
    query = sa.update(t.inbox).where(t.inbox.c.id == row["id"])
    await tx.execute(query.values(sealed=blank, error=GONE))
