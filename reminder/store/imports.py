"""Which row of which ledger became which case, so that a ledger can come again and again."""

from datetime import datetime

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx


async def rows(tx: Tx) -> dict[str, tuple[int, str]]:
    """Key of a row -> (case, hash of what the row said)."""
    query = sa.select(t.import_rows.c.row_key, t.import_rows.c.case_id, t.import_rows.c.row_hash)
    return {key: (case_id, digest) for key, case_id, digest in await tx.execute(query)}


async def case_of(tx: Tx, key: str) -> tuple[int, str] | None:
    query = sa.select(t.import_rows.c.case_id, t.import_rows.c.row_hash)
    row = (await tx.execute(query.where(t.import_rows.c.row_key == key))).first()
    return (row[0], row[1]) if row is not None else None


async def keep(tx: Tx, key: str, case_id: int, row_hash: str, at: datetime) -> None:
    await tx.execute(sa.delete(t.import_rows).where(t.import_rows.c.row_key == key))
    values = {"row_key": key, "case_id": case_id, "row_hash": row_hash, "at": at}
    await tx.execute(sa.insert(t.import_rows).values(**values))
