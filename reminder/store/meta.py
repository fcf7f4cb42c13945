"""A few named values of this database: instance, schema, watermarks."""

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx


async def get(tx: Tx, key: str) -> str | None:
    value: str | None = (await tx.execute(_GET, {"key": key})).scalar()
    return value


_GET = sa.select(t.meta.c.value).where(t.meta.c.key == sa.bindparam("key"))
"""Built once: it is asked in nearly every transaction."""


async def put(tx: Tx, key: str, value: str) -> None:
    await tx.execute(sa.delete(t.meta).where(t.meta.c.key == key))
    await tx.execute(sa.insert(t.meta).values(key=key, value=value))
