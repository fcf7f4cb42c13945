"""One morning with a death in it: what did the phones receive, and is the office whole again?"""

import asyncio
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.office import STAFF
from tests.proofs.morning import Morning, Process, account, chats, doubled, live, lost, morning, start, texts
from tests.proofs.places import PLACES

KINDS = {
    ("visit_offer", "resident:1"): 1,
    ("visit_offer", "resident:2"): 1,
    ("received", "resident:4"): 1,
    ("progress", "resident:3"): 1,
    ("opt_out_ok", "resident:2"): 1,
    ("new_case", "person:5"): 1,
    ("digest", "person:4"): 1,
    ("resident_replied", "person:4"): 2,
}
LATER = 8.0
"""Real seconds; twenty minutes of the office."""

EXPECTED: Mapping[str, Any] = {
    "kinds": KINDS,
    "visit": "confirmed",
    "confirmed": 1,
    "notes": 1,
    "violations": [],
    "stuck": [],
}
"""What every morning comes to, however often the process died."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one run came to. `died` False: the place was not passed so often, and nothing was tried."""

    place: str
    nth: int
    died: bool = True
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    """Texts that one phone received twice."""
    unlabelled: list[str] = field(default_factory=list)
    """Chat messages received twice, the second without its mark."""
    stuck: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Whatever else is not as it must be."""
    counts: str = ""

    @property
    def faults(self) -> list[str]:
        named = {"lost": self.lost, "twice": self.twice, "unlabelled": self.unlabelled, "stuck": self.stuck}
        found = [f"{self.place}#{self.nth} {what}: {one}" for what, ones in named.items() for one in ones]
        return found + [f"{self.place}#{self.nth}: {one}" for one in self.wrong]


async def death(folder: Path, place: str, nth: int, *, at_once: asyncio.Semaphore) -> Outcome:
    """A morning in which the process is killed when it passes `place` for the n-th time, and begun again."""
    async with at_once:
        try:
            async with morning(folder) as run:
                return await _death(run, place, nth)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def _death(run: Morning, place: str, nth: int) -> Outcome:
    also = PLACES[place].also.split()
    weather(run, place, also)
    process = start(run, f"{place}#{nth}", hooked="hook" in also)
    passed = not await live(run, process) or await _dies_later(process)
    said = await process.end()
    if not passed:
        return Outcome(place=place, nth=nth, died=False)
    if process.died != -9:
        return Outcome(place=place, nth=nth, wrong=[f"ended with {process.died}: {said[-2000:]}"])
    again = start(run, hooked="hook" in also)
    try:
        if not await live(run, again):
            return Outcome(place=place, nth=nth, wrong=[f"the second ended: {(await again.end())[-2000:]}"])
        return await judged(run, place, nth)
    except AssertionError as error:  # not over in time
        return Outcome(place=place, nth=nth, stuck=[str(error)])
    finally:
        await again.end()


async def _dies_later(process: Process) -> bool:
    """What is over for the phones need not be over in the office: some jobs look again only now and then."""
    until = time.time() + LATER
    while process.died is None and time.time() < until:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.05)
    return process.died is not None


def weather(run: Morning, place: str, also: list[str]) -> None:
    """What goes wrong in the world outside."""
    run.later = "later" in also
    if "deaf" in also:
        to = str(STAFF["wang"].chat)
        run.world.chaos({"channel": "telegram", "kind": "fail", "how": "drop", "times": 3, "to": to})
    for kind in {"lose", "fail"} & set(also):
        for channel in ("sms", "telegram"):
            run.world.chaos({"channel": channel, "kind": kind, "how": "drop", "times": 2})
    if place.startswith("settle.") and place != "settle.before_commit":
        # A receipt would settle it first; without any, the provider's log has to be asked.
        run.world.chaos({"channel": "sms", "kind": "lose_callback", "times": 50})


async def judged(run: Morning, place: str, nth: int) -> Outcome:
    found, heard = await account(run), {row["text"] for row in texts(run)}
    twice = await doubled(run)
    differing = [key for key in EXPECTED if key != "stuck" and found[key] != EXPECTED[key]]
    return Outcome(
        place=place,
        nth=nth,
        lost=await lost(run),
        twice=[text for text in twice if text in heard],
        unlabelled=[text for text in twice if text not in heard],
        stuck=found["stuck"],
        wrong=[f"{key} is {found[key]}" for key in differing],
        counts=f"{len(texts(run))} texts {len(chats(run))} chats",
    )
