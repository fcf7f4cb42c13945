"""A few named values of this database: instance, schema, watermarks."""

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, written_once


async def get(tx: Tx, key: str) -> str | None:
    value: str | None = await _GET.scalar(tx, key=key)
    return value


_GET = Prepared(sa.select(t.meta.c.value).where(t.meta.c.key == sa.bindparam("key")))


async def put(tx: Tx, key: str, value: str) -> None:
    """Of two who do so at once the later one counts."""
    if await _NEW(tx.dialect.name).row(tx, key=key, value=value) is None:
        await _PUT.run(tx, which=key, value=value)


_NEW = written_once(t.meta, ["key"], t.meta.c.key)
_PUT = Prepared(sa.update(t.meta).where(t.meta.c.key == sa.bindparam("which")))
