"""The morning of the proofs on PostgreSQL, kept by several workers; the phones judge."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from reminder.clock import ManualClock
from reminder.runtime import Runtime
from reminder.sandbox import app_of
from reminder.store import cases as stored
from reminder.store.database import Database
from tests import office as offices
from tests.office import desk, furnish, read
from tests.ports import free_port
from tests.postgres import Server
from tests.proofs import morning as mornings
from tests.proofs.deaths import judged
from tests.proofs.morning import MONDAY, Morning, Process, live, prepared
from tests.proofs.office_process import Order
from tests.sandbox.serve import serving

RATE = 60.0
"""The engine ticks once a real second: a minute of the office."""

Trouble = Callable[[Morning, list[Process]], Awaitable[None]]
"""What happens to the workers, of whom there may be more in the end."""


class Kept:
    """Where an office is prepared: in a new database that stays."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.name = ""

    @asynccontextmanager
    async def place(self, _folder: Path, enrolled: bool) -> AsyncIterator[str]:
        self.name = self._server.create()
        await furnish(self._server.url(self.name), enrolled)
        yield self._server.url(self.name)


@asynccontextmanager
async def morning(server: Server, folder: Path) -> AsyncIterator[Morning]:
    """Prepared anew, and the world it meets."""
    before, offices.elsewhere = offices.elsewhere, Kept(server)  # type: ignore[assignment]
    try:
        await prepared(folder)
        database = server.url(offices.elsewhere.name)  # type: ignore[union-attr]
    finally:
        offices.elsewhere = before
    rt = Runtime(db=Database(database), desk=desk(ManualClock(MONDAY)))
    try:
        ids = await read(rt, stored.ids)
        number = (await read(rt, lambda tx: stored.many(tx, ids[:1])))[ids[0]].case.number
        order = Order(
            folder=str(folder),
            url="",
            port=free_port(),
            start=MONDAY.isoformat(),
            began=time.time(),
            rate=RATE,
            locked=False,
            database=database,
        )
        world = mornings.world_of(order)
        async with serving(app_of(world), before_stop=world.close) as url:
            yield Morning(rt=rt, world=world, order=replace(order, url=url), case_ids=ids, number=number)
    finally:
        await rt.db.close()


async def whole(run: Morning, workers: list[Process], trouble: Trouble) -> list[str]:
    """The faults of a morning with this trouble in it."""
    beside = asyncio.create_task(trouble(run, workers))
    try:
        while True:
            alive = [process for process in workers if process.died is None]
            troubled = not beside.done()  # asked before the look: what it let go last must be seen to the end
            try:
                over = await live(run, *alive)
            except SQLAlchemyError:
                continue  # the server is away
            if over and not troubled:
                break
            await asyncio.sleep(0.1)
        await beside
        return (await judged(run, "workers", 1)).faults
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
        for process in workers:
            await process.end()
