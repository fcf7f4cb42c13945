"""Who changed what, when: one hash-chained row for every change. No names, phones or texts."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx, at_the_end
from reminder.store.prepared import Prepared


async def add(
    tx: Tx, *, at: datetime, actor: int | None, action: str, subject: str, detail: Mapping[str, Any]
) -> None:
    """Append a row whose hash covers the row before it.

    On a server one transaction at a time does, at its end: two that follow the same row would part the chain
    for good.
    """

    async def append(tx: Tx) -> None:
        if tx.dialect.name == "postgresql":
            await tx.execute(_ONE_AT_A_TIME)
        previous: str = await _LAST.scalar(tx) or ""
        digest = row_hash(previous, at=at, actor=actor, action=action, subject=subject, detail=detail)
        row = {"at": at, "actor": actor, "action": action, "object": subject, "detail": dict(detail)}
        await _ADD.run(tx, **row, previous=previous, hash=digest)

    await at_the_end(tx, append)


_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(7301946287)")
_LAST = Prepared(sa.select(t.audit.c.hash).order_by(t.audit.c.seq.desc()).limit(1))
_ADD = Prepared(sa.insert(t.audit))


def row_hash(
    previous: str, *, at: datetime, actor: int | None, action: str, subject: str, detail: Mapping[str, Any]
) -> str:
    fields = [previous, at.astimezone(UTC).isoformat(), actor, action, subject, dict(detail)]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


async def broken_at(tx: Tx) -> int | None:
    """The first row whose hash does not follow from the one before; None if the chain holds."""
    previous = ""
    for row in (await tx.execute(sa.select(t.audit).order_by(t.audit.c.seq))).mappings():
        digest = row_hash(
            previous,
            at=row["at"],
            actor=row["actor"],
            action=row["action"],
            subject=row["object"],
            detail=row["detail"],
        )
        if row["previous"] != previous or row["hash"] != digest:
            return int(row["seq"])
        previous = digest
    return None
