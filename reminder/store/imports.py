"""Which row of which ledger became which case, so that a ledger can come again and again."""

from datetime import datetime

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared


async def rows(tx: Tx) -> dict[str, tuple[int, str]]:
    """Key of a row -> (case, hash of what the row said)."""
    query = sa.select(t.import_rows.c.row_key, t.import_rows.c.case_id, t.import_rows.c.row_hash)
    return {key: (case_id, digest) for key, case_id, digest in await tx.execute(query)}


async def case_of(tx: Tx, key: str) -> tuple[int, str] | None:
    row = await _CASE_OF.row(tx, key=key)
    return (row["case_id"], row["row_hash"]) if row is not None else None


_CASE_OF = Prepared(
    sa.select(t.import_rows.c.case_id, t.import_rows.c.row_hash).where(
        t.import_rows.c.row_key == sa.bindparam("key")
    )
)


async def keep(tx: Tx, key: str, case_id: int, row_hash: str, at: datetime) -> None:
    """A row not known, or forgotten just now."""
    await _KEEP.run(tx, row_key=key, case_id=case_id, row_hash=row_hash, at=at)


async def forget(tx: Tx, key: str) -> None:
    await _FORGET.run(tx, key=key)


_FORGET = Prepared(sa.delete(t.import_rows).where(t.import_rows.c.row_key == sa.bindparam("key")))
_KEEP = Prepared(sa.insert(t.import_rows))
