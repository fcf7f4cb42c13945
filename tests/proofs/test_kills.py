"""Killed at any named place and started again, the office loses nothing and sends no text twice.

The short form of `make prove`: every place that the morning passes, five times, each in a morning of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from reminder.app import AlreadyRunningError, only_one
from tests.proofs.deaths import Outcome, death, judged
from tests.proofs.morning import Morning, chats, live, morning, start, texts
from tests.proofs.office_process import keep
from tests.proofs.places import MORNING, of

pytestmark = pytest.mark.kill

AT_ONCE = 8
"""Mornings beside each other: most of one is waiting."""

TIMES = 5
table: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _print_table(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(table))  # noqa: T201 - the table is what a run of these tests is for


@pytest.fixture(scope="module")
async def dying(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[[str], "asyncio.Task[list[Outcome]]"]]:
    """The deaths that the chosen tests ask about, a few at a time: most of a morning is waiting."""
    folder, at_once = tmp_path_factory.mktemp("deaths"), asyncio.Semaphore(AT_ONCE)
    chosen = [item.callspec.params["place"] for item in request.session.items if "dying" in item.fixturenames]  # type: ignore[attr-defined]

    async def deaths(place: str) -> list[Outcome]:
        runs = (death(folder / f"{place}-{n}", place, 1, at_once=at_once) for n in range(TIMES))
        return list(await asyncio.gather(*runs))

    tasks = {place: asyncio.create_task(deaths(place)) for place in chosen}
    yield tasks.__getitem__
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("place", of(MORNING))
@pytest.mark.failure(1)
async def test_a_kill_at_a_named_place_loses_nothing_and_doubles_nothing(
    dying: Callable[[str], "asyncio.Task[list[Outcome]]"], place: str
) -> None:
    found = await dying(place)
    assert [one.nth for one in found if not one.died] == [], f"{place} was not passed in every morning"
    assert [fault for one in found for fault in one.faults] == []
    counts = ", ".join(sorted({one.counts for one in found}))
    table.append(f"{place:28} killed {len(found)}x  nothing lost, nothing doubled  ({counts})")


async def _sound(run: Morning) -> None:
    assert (await judged(run, "", 0)).faults == []


@pytest.mark.parametrize("channel", ["sms", "telegram"])
@pytest.mark.failure(1)
async def test_a_kill_while_the_provider_has_it_and_we_wait_for_the_answer(
    tmp_path: Path, channel: str
) -> None:
    async with morning(tmp_path) as run:
        run.world.chaos({"channel": channel, "kind": "lose", "how": "hang", "times": 1})
        received = texts if channel == "sms" else chats
        process = start(run)
        await live(run, process, over=lambda: bool(received(run)))
        process.kill()
        await process.end()
        again = start(run)
        try:
            assert await live(run, again)
            await _sound(run)
        finally:
            await again.end()
    table.append(f"{'in the call, ' + channel:28} killed 1x  nothing lost, nothing doubled")


async def test_a_morning_without_a_death_is_what_the_others_are_compared_with(tmp_path: Path) -> None:
    async with morning(tmp_path) as run:
        process = start(run)
        try:
            assert await live(run, process)
            await _sound(run)
            assert len(texts(run)) == 4  # two offers, one receipt, one piece of progress
        finally:
            said = await process.end()
        assert process.died == 0, said[-2000:]


async def test_killed_again_while_recovering_is_no_different(tmp_path: Path) -> None:
    async with morning(tmp_path) as run:
        for place in (
            "call.sms.after_answer",
            "settle.before_commit",
            "remind.before_commit",
            "claim.after_commit",
        ):
            process = start(run, place)
            done = await live(run, process)
            await process.end()
            if done:
                break
        again = start(run)
        try:
            assert await live(run, again)
            await _sound(run)
        finally:
            await again.end()


@pytest.mark.failure(24)
async def test_a_second_office_on_the_same_file_is_refused(tmp_path: Path) -> None:
    async with morning(tmp_path) as run:
        first = start(run)
        await live(run, first, over=lambda: bool(texts(run)))
        with pytest.raises(AlreadyRunningError, match="already running"):
            keep(run.order)
        second = start(run)
        while second.died is None:  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.05)
        assert second.died != 0
        assert "already running" in await second.end()
        await first.end()
        with only_one(Path(run.order.file)):
            pass
