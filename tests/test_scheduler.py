"""Does a tick that comes late still come, once, and does a failing one leave the next alone?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from reminder.scheduler import TOGETHER, Scheduler


@asynccontextmanager
async def running(tick: Callable[[], Awaitable[object]]) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler([("job", tick, timedelta(minutes=10))])
    scheduler.start()
    try:
        yield scheduler
    finally:
        await scheduler.stop()


async def overdue(scheduler: Scheduler, late: timedelta) -> None:
    """The machine slept: the tick was due so long ago."""
    scheduler._engine.modify_job("job", next_run_time=datetime.now(UTC) - late)
    scheduler._engine.wakeup()
    for _ in range(20):
        await asyncio.sleep(0.01)


async def test_a_tick_an_hour_late_comes_once() -> None:
    ticks: list[int] = []

    async def tick() -> None:
        ticks.append(1)

    async with running(tick) as scheduler:
        await overdue(scheduler, timedelta(hours=1))
        assert len(ticks) == 1


@pytest.mark.failure(36)
async def test_a_tick_that_fails_is_followed_by_the_next() -> None:
    ticks: list[int] = []

    async def tick() -> None:
        ticks.append(1)
        raise ValueError("this tick")

    async with running(tick) as scheduler:
        await overdue(scheduler, timedelta(seconds=30))
        await overdue(scheduler, timedelta(seconds=30))
        assert len(ticks) == 2


async def test_woken_while_it_runs_it_runs_once_more_and_never_beside_itself() -> None:
    ticks: list[str] = []
    go = asyncio.Event()

    async def tick() -> None:
        ticks.append("begin")
        await go.wait()
        ticks.append("end")

    async with running(tick) as scheduler:
        for _ in range(5):
            scheduler.wake("job")
            await asyncio.sleep(0)
        assert ticks == ["begin"]
        go.set()
        await scheduler.stop()
        assert ticks == ["begin", "end", "begin", "end"]


async def test_what_ticks_every_second_begins_at_the_start_and_what_is_rare_does_not() -> None:
    ticks: list[str] = []

    async def often() -> None:
        ticks.append("often")

    async def rarely() -> None:
        ticks.append("rarely")

    scheduler = Scheduler([("often", often, timedelta(seconds=1)), ("rarely", rarely, timedelta(hours=24))])
    scheduler.start()
    await asyncio.sleep(0)
    assert ticks == ["often"]
    await scheduler.stop()


async def known(found: int, *delays: float | None) -> int:
    """How often a job of every ten minutes runs that finds so much, and then knows such delays."""
    ticks: list[int] = []
    left = list(delays)

    async def tick() -> int:
        ticks.append(1)
        return found

    async def delay() -> float | None:
        return left.pop(0) if left else None

    scheduler = Scheduler([("job", tick, timedelta(minutes=10))], delays={"job": delay})
    scheduler.start()
    try:
        scheduler.wake("job")
        await asyncio.sleep(0.4)
    finally:
        await scheduler.stop()
    return len(ticks)


async def test_what_is_known_to_come_is_dealt_with_at_its_moment_not_at_the_next_period() -> None:
    assert await known(0, 0.05, 0.05) == 3
    assert await known(0, 3600.0) == 1
    assert await known(0) == 1


async def test_what_a_tick_left_lying_is_looked_at_once_more_then_waits_unless_it_was_busy() -> None:
    """It may have fallen due between the look and the question when there will be more."""
    assert await known(0, -5.0, -5.0, -5.0) == 2
    assert await known(0, -0.001, 0.05, -0.001) == 4
    assert await known(7, -5.0, -5.0) == 3


async def test_what_comes_within_a_moment_is_dealt_with_together() -> None:
    assert await known(7, *[0.0] * 1000) <= 0.4 / TOGETHER + 2
