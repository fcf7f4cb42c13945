"""Whose turn is it? One row for each shard: its owner, its end, what has left lately.

The database's clock decides, so that machines need not agree about the time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from reminder.store.database import Tx

Ages = Mapping[str, Sequence[float]]
"""Seconds since the last messages to each chat left; under "" those of the whole shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """`fence` is another number after somebody else has had the turn; `ages` is what all have sent lately."""

    fence: int
    ages: Ages


async def take(tx: Tx, name: str, owner: str, seconds: float) -> Turn | None:
    """Have the turn, or have it for longer; None while it is another's. Locks the row until the commit."""
    given = {"name": name, "owner": owner, "seconds": seconds}
    row = (await tx.execute(_TAKE, given)).first()
    if row is None and (await tx.execute(_MAKE, {"name": name})).rowcount:
        row = (await tx.execute(_TAKE, given)).first()
    if row is None:
        return None
    now = float(row.now)
    return Turn(
        fence=row.fence, ages={chat: [now - at for at in times] for chat, times in row.left_at.items()}
    )


_MAKE = sa.text("INSERT INTO queue.turns (name) VALUES (:name) ON CONFLICT DO NOTHING")
_TAKE = sa.text("""
    WITH free AS (
        SELECT name FROM queue.turns
        WHERE name = :name AND (owner = :owner OR until <= clock_timestamp())
        FOR UPDATE SKIP LOCKED
    )
    UPDATE queue.turns AS turn SET
        fence = fence + CASE WHEN owner = :owner THEN 0 ELSE 1 END,
        owner = :owner,
        until = clock_timestamp() + CAST(:seconds AS float) * interval '1 second'
    FROM free WHERE turn.name = free.name
    RETURNING fence, left_at, extract(epoch FROM clock_timestamp()) AS now
""")


async def keep(tx: Tx, name: str, owner: str, ages: Ages) -> None:
    """Write down, in the transaction that took the turn, what leaves now."""
    row = (await tx.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())"))).scalar_one()
    left = {chat: [float(row) - age for age in found] for chat, found in ages.items()}
    query = sa.text(
        "UPDATE queue.turns SET left_at = CAST(:left AS jsonb) WHERE name = :name AND owner = :owner"
    )
    await tx.execute(query, {"left": json.dumps(left), "name": name, "owner": owner})


async def give_back(tx: Tx, name: str, owner: str) -> None:
    """The next may have it at once."""
    query = sa.text("UPDATE queue.turns SET until = clock_timestamp() WHERE name = :name AND owner = :owner")
    await tx.execute(query, {"name": name, "owner": owner})
