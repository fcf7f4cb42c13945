"""A few named values of this database: instance, schema, watermarks."""

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared


async def get(tx: Tx, key: str) -> str | None:
    value: str | None = await _GET.scalar(tx, key=key)
    return value


_GET = Prepared(sa.select(t.meta.c.value).where(t.meta.c.key == sa.bindparam("key")))


async def put(tx: Tx, key: str, value: str) -> None:
    await tx.execute(sa.delete(t.meta).where(t.meta.c.key == key))
    await tx.execute(sa.insert(t.meta).values(key=key, value=value))
