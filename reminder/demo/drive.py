"""The demo's clock: moves from event to event, and each step returns when everything it set off is done."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta

from jobs.digest import refresh_digests
from jobs.dispatch import dispatch
from jobs.housekeeping import housekeep
from jobs.inbox import read_inbox
from jobs.remind import remind
from jobs.settle import settle
from reminder.bot.polling import fetch
from reminder.clock import ManualClock
from reminder.domain.workdays import at, local_day
from reminder.runtime import Runtime
from reminder.sandbox import World
from reminder.store.moments import moments

_JOBS: dict[str, Callable[[Runtime], Awaitable[int]]] = {
    "inbox": read_inbox,
    "remind": remind,
    "dispatch": dispatch,
    "settle": settle,
}

ROUNDS = 100
"""One moment settles in a few rounds; more than this is a bug, and said."""

NOON = time(12)


class Drive:
    """Owns the virtual clock. One step at a time; a virtual clock steps event by event and never jumps."""

    def __init__(self, rt: Runtime, world: World, clock: ManualClock) -> None:
        self.rt = rt
        self.world = world
        self.clock = clock
        self.busy = asyncio.Lock()
        self._acts: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._count = 0
        self._due: dict[str, datetime | None] = {}
        self._drawn: tuple[date, datetime | None] | None = None
        """Day and end of the oldest undo window when task messages were last looked at."""

    def plan(self, when: datetime, act: Callable[[], Awaitable[None]]) -> None:
        """Let somebody do something at a later moment."""
        self._count += 1
        heapq.heappush(self._acts, (when, self._count, act))

    async def settle(self) -> None:
        """Run jobs, inbox and callbacks until nothing is left to do at this moment."""
        changed = False
        for _ in range(ROUNDS):
            await self.world.deliver()
            done = 0
            if self.world.state()["updates"]:
                done += await fetch(self.rt, timedelta(0))
            done += await self._run_due()
            if done == 0 and (changed or self._drawn != self._as_of()):
                done = await refresh_digests(self.rt)
                changed, self._drawn = False, self._as_of()
            elif done:
                changed = True
            if done == 0 and self.world.state()["idle"]:
                return
        raise RuntimeError("the demo does not come to rest")

    def _as_of(self) -> tuple[date, datetime | None]:
        """What can alter a task message although no job did anything: the day, and an undo button's end."""
        return local_day(self.clock.now(), self.rt.desk.office.zone), self._due.get("undo")

    async def _run_due(self) -> int:
        """Run the jobs that have something to do by now."""
        self._due = await self._moments()
        done = 0
        for name, job in _JOBS.items():
            moment = self._due[name]
            if moment is not None and moment <= self.clock.now():
                done += await job(self.rt)
        return done

    async def _moments(self) -> dict[str, datetime | None]:
        async with self.rt.db.read() as tx:
            return await moments(tx, now=self.clock.now(), undo=self.rt.desk.office.undo)

    async def next_at(self) -> datetime | None:
        """When something will happen next: a reminder, a lease's end, a callback, somebody's act, noon."""
        self._due = await self._moments()
        return self._next()

    def _next(self) -> datetime | None:
        """As of the last look: after `settle` nothing has changed since."""
        acts = self._acts[0][0] if self._acts else None
        coming = [*self._due.values(), self.world.next_at(), acts, self._noon(self.clock.now())]
        return min((m for m in coming if m is not None), default=None)

    def _noon(self, now: datetime) -> datetime:
        zone = self.rt.desk.office.zone
        today = at(local_day(now, zone), NOON, zone)
        return today if now < today else at(local_day(now, zone) + timedelta(days=1), NOON, zone)

    async def to(self, target: datetime) -> None:
        """Go through every event up to the target."""
        async with self.busy:
            await self.settle()
            while (moment := self._next()) is not None and moment <= target:
                await self._at(max(moment, self.clock.now()))
            if target > self.clock.now():
                self.clock.set(target)

    async def _at(self, moment: datetime) -> None:
        self.clock.set(moment)
        while self._acts and self._acts[0][0] <= moment:
            _, _, act = heapq.heappop(self._acts)
            await act()
        zone = self.rt.desk.office.zone
        if moment == at(local_day(moment, zone), NOON, zone) and await housekeep(self.rt):
            self._drawn = None
        await self.settle()

    def _rings(self) -> int:
        """Messages phones have received; an edit rings nowhere."""
        return sum(row["type"] == "message" for row in self.world.ledger())

    async def to_next_ring(self, limit: timedelta = timedelta(days=4)) -> None:
        """Until a phone receives something, or the limit is reached."""
        end = self.clock.now() + limit
        async with self.busy:
            await self.settle()
            before = self._rings()
            while (moment := self._next()) is not None and moment <= end:
                await self._at(max(moment, self.clock.now()))
                if self._rings() > before:
                    return
