"""Killed at any named place and started again, the office loses nothing and sends no text twice."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from reminder.app import AlreadyRunningError, only_one
from tests.flows.killing import Morning, account, chats, doubled, free_port, live, lost, morning, start, texts
from tests.flows.office_process import keep

pytestmark = pytest.mark.kill

WHERE = {
    "remind.before_begin": "",
    "remind.before_commit": "",
    "remind.after_commit": "",
    "claim.before_select": "",
    "claim.before_commit": "",
    "claim.after_commit": "",
    "call.telegram.before": "",
    "call.telegram.after_answer": "",
    "call.sms.before": "",
    "call.sms.after_answer": "",
    "result.after_begin": "",
    "result.before_commit": "",
    "result.after_commit": "",
    "settle.before_commit": "lose",
    "settle.after_list": "lose",
    "webhook.after_verify": "",
    "webhook.before_commit": "",
    "webhook.after_commit": "",
    "inbox.before": "",
    "inbox.before_commit": "",
    "inbox.after": "",
    "poll.after_fetch": "",
    "poll.before_commit": "",
    "poll.after_commit": "",
}
"""Fail-point -> what else goes wrong in that morning."""

SEEDS = (1, 2)
"""The n-th time the place is passed."""

EXPECTED = {
    "kinds": {
        ("visit_offer", "resident:1"): 1,
        ("visit_offer", "resident:2"): 1,
        ("received", "resident:4"): 1,
        ("progress", "resident:3"): 1,
        ("new_case", "person:5"): 1,
        ("digest", "person:4"): 1,
        ("resident_replied", "person:4"): 1,
    },
    "visit": "confirmed",
    "confirmed": 1,
    "notes": 1,
    "violations": [],
    "stuck": [],
}

table: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _print_table(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(table))  # noqa: T201 - the table is what a run of these tests is for


async def _sound(run: Morning) -> None:
    assert await account(run) == EXPECTED
    assert await doubled(run) == []
    assert await lost(run) == []


async def _killed(folder: Path, place: str, chaos: str) -> tuple[int, int] | None:
    """One morning with one death; how many texts and chat messages phones received. None if nobody died."""
    async with morning(folder) as run:
        if chaos:
            for channel in ("sms", "telegram"):
                run.world.chaos({"channel": channel, "kind": chaos, "how": "drop", "times": 2})
        if place.startswith("settle.after_list"):
            # A receipt would settle it first; without any, the provider's log has to be asked.
            run.world.chaos({"channel": "sms", "kind": "lose_callback", "times": 50})
        process = start(run, place)
        if await live(run, process):
            await process.end()
            return None
        said = await process.end()
        assert process.died == -9, said[-2000:]
        again = start(run)
        try:
            assert await live(run, again), (await again.end())[-3000:]
            await _sound(run)
        finally:
            await again.end()
        return len(texts(run)), len(chats(run))


@pytest.mark.parametrize("place", WHERE)
async def test_a_kill_at_a_named_place_loses_nothing_and_doubles_nothing(tmp_path: Path, place: str) -> None:
    folders = {seed: tmp_path / str(seed) for seed in SEEDS}
    for folder in folders.values():
        folder.mkdir()
    found = await asyncio.gather(*(_killed(f, f"{place}#{n}", WHERE[place]) for n, f in folders.items()))
    killed = [counts for counts in found if counts is not None]
    assert killed, f"{place} was never passed"
    counts = ", ".join(f"{sms} texts {chat} chats" for sms, chat in killed)
    table.append(f"{place:28} killed {len(killed)}x  nothing lost, nothing doubled  ({counts})")


@pytest.mark.parametrize("channel", ["sms", "telegram"])
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
        with only_one(run.order.file):
            pass


async def test_two_offices_that_get_past_the_lock_still_send_nothing_twice(tmp_path: Path) -> None:
    async with morning(tmp_path) as run:
        both = [start(run, locked=False), start(run, locked=False, port=free_port())]
        try:
            assert await live(run, *both)
            assert await doubled(run) == []
            assert await lost(run) == []
            assert (await account(run))["kinds"] == EXPECTED["kinds"]
        finally:
            for process in both:
                await process.end()
