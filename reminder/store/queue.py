"""The engine's queue inside our database: laid by a migration, asked to run a job within our transactions."""

import asyncio
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from reminder.bundled import folder
from reminder.store.database import Tx

if TYPE_CHECKING:
    from pgqueuer.ports.driver import Driver
    from pgqueuer.queries import Queries

ENGINE = "1.6.0"
"""The version of PgQueuer whose tables `alembic/queue.sql` holds; another one may read them otherwise."""

SCHEMA = "queue"
KEPT = "1 day"
"""How long the engine's log of finished jobs is kept."""

FREE = f"""
    UPDATE {SCHEMA}.pgqueuer_schedules SET status = 'queued'
    WHERE status = 'picked' AND heartbeat < now() - CAST(%(silent)s AS interval)
"""  # noqa: S608 - constants
"""For the driver: ticks of workers that have been silent for so long may be anybody's."""

_WHOLE = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics", "turns")


def statements() -> list[str]:
    """What makes the schema, in order."""
    text = (folder("alembic") / "queue.sql").read_text("utf-8")
    return [part.strip() for part in text.split("\n--;\n")]


async def lay_anew(tx: Tx) -> None:
    """Drop it and make it again. What waited in it is asked for again by the next ticks."""
    await tx.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    for statement in statements():
        await tx.exec_driver_sql(statement)


async def laid(tx: Tx) -> str:
    """The engine's version it was laid for; empty if it, or a part of it, is missing."""
    there = sa.text("SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(CAST(:names AS text[])) name")
    if not (await tx.execute(there, {"names": [f"{SCHEMA}.{name}" for name in _WHOLE]})).scalar():
        return ""
    query = sa.text("SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')")
    found = (await tx.execute(query, {"schema": SCHEMA})).scalar() or ""
    return str(found).removeprefix("pgqueuer ")


async def ask(tx: Tx, *names: str) -> None:
    """Each of these jobs runs once this commits, on any machine, unless it waits or runs already."""
    raw: Any = (await tx.get_raw_connection()).driver_connection
    count = len(names)
    await queries_of(_Within(raw)).enqueue(
        list(names), [None] * count, [0] * count, dedupe_key=list(names), on_conflict="skip"
    )


async def forget_done(tx: Tx) -> None:
    """The engine never deletes from its log."""
    where = f"WHERE created < now() - interval '{KEPT}'"
    await tx.exec_driver_sql(f"DELETE FROM {SCHEMA}.pgqueuer_log {where}")  # noqa: S608 - constants
    await tx.exec_driver_sql(f"DELETE FROM {SCHEMA}.pgqueuer_statistics {where}")  # noqa: S608


def queries_of(driver: "Driver") -> "Queries":
    """The engine's statements over our schema, whatever the environment says about it."""
    from pgqueuer.adapters.persistence import qb
    from pgqueuer.domain.settings import DBSettings
    from pgqueuer.queries import Queries

    ours = DBSettings(db_schema=SCHEMA)
    return Queries(
        driver,
        qbe=qb.QueryBuilderEnvironment(settings=ours),
        qbq=qb.QueryQueueBuilder(settings=ours),
        qbs=qb.QuerySchedulerBuilder(settings=ours),
    )


class _Within:
    """The engine's driver over a connection in the middle of our transaction; its own refuses one."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.shutdown = asyncio.Event()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        from psycopg import AsyncRawCursor
        from psycopg.rows import dict_row

        cursor: Any = AsyncRawCursor(self._connection, row_factory=dict_row)
        await cursor.execute(query, args or None)
        found: list[dict[str, object]] = await cursor.fetchall()
        return found

    async def execute(self, query: str, *args: object) -> str:
        raise NotImplementedError

    async def notify(self, channel: str, payload: str) -> None:
        raise NotImplementedError

    async def add_listener(self, channel: str, callback: Any) -> None:
        raise NotImplementedError

    @property
    def tm(self) -> Any:
        raise NotImplementedError

    async def __aenter__(self) -> "_Within":
        return self

    async def __aexit__(self, *_: object) -> None:
        return
