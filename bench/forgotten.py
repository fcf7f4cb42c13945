"""What does a transaction that somebody has forgotten cost whoever looks for what may leave?

`python -m bench forgotten`, on PostgreSQL, which keeps what has left in its index for as long as that one is
open. `reminder/floors.py` begins the look behind it.
"""

import asyncio

import sqlalchemy as sa

from bench.kit import Row
from bench.replanning import START
from bench.stage import TEN
from bench.waiting import TEXTS, build, looked
from reminder.floors import MARGIN
from reminder.store import holds
from reminder.store.database import Database
from tests.postgres import server

FELL_DUE = START - TEN
"""When all that is gone did."""


async def measured(url: str, n: int) -> tuple[float, float, float]:
    """With none; with one, from where the last look found something; with one, from the beginning."""
    await build(url, n, 64)
    db = Database(url)
    async with db.write() as tx:
        due = "UPDATE reminders SET send_after = :at WHERE key LIKE 'later-%'"
        await tx.execute(sa.text(due), {"at": FELL_DUE})
    async with db.write() as tx:
        first = (await holds.ready(tx, START + 3 * TEN, n + 64, TEXTS))[-64].send_after
    async with db.read() as forgotten:
        await forgotten.execute(sa.text("SELECT count(*) FROM reminders"))
        async with db.write() as tx:
            await tx.execute(sa.text("UPDATE reminders SET state = 'sent' WHERE key LIKE 'later-%'"))
        behind, whole = await looked(db, first - MARGIN), await looked(db, rounds=30)
    await vacuumed(db)
    none = await looked(db)
    await db.close()
    return none, behind, whole


async def vacuumed(db: Database) -> None:
    async with db.writer.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(sa.text("VACUUM ANALYZE reminders"))


def rows(*, full: bool = False) -> list[Row]:
    n = 1_000_000 if full else 100_000
    with server(durable=True) as base:
        if base is None:
            print("  no PostgreSQL on this machine: left out")
            return []
        none, behind, whole = asyncio.run(measured(base.url(base.create()), n))
    what = f"PostgreSQL, to find what may go, {n:,} gone since a forgotten transaction began"
    against = {"unit": "ms", "peer": "none forgotten", "theirs": none, "less": True}
    return [
        Row(work=what, ours=behind, goal=1.2, **against),
        Row(work=f"{what}, every fifth second", ours=whole, **against),
    ]
