"""One morning with a death in it: what did the phones receive, and is the office whole again?"""

import asyncio
import functools
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.office import STAFF
from tests.proofs.morning import (
    IN_A_FILE,
    Morning,
    Process,
    Setting,
    account,
    chats,
    doubled,
    live,
    lost,
    morning,
    start,
    started,
    texts,
)
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
    """What one run came to. `died` False: this place was not passed so often; those before it were."""

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


async def death(
    folder: Path,
    place: str,
    nth: int = 1,
    *,
    at_once: asyncio.Semaphore,
    setting: Setting = IN_A_FILE,
    then: Sequence[str] = (),
) -> Outcome:
    """A morning in which the process is killed when it passes `place` for the n-th time, and begun again.

    Whoever goes on is killed at the places of `then`, one after the other. Of several workers whoever passes
    the place is killed, and the others take over.
    """
    async with at_once:
        try:
            async with morning(folder, setting) as run:
                return await _death(run, (f"{place}#{nth}", *then))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def _death(run: Morning, failpoints: Sequence[str]) -> Outcome:
    names = [failpoint.partition("#")[0] for failpoint in failpoints]
    also = {word for name in names for word in PLACES[name].also.split()}
    weather(run, names, also)
    hooked = "hook" in also
    crew = alive = started(run, failpoints[0], hooked=hooked)
    try:
        for failpoint, following in zip(failpoints, (*failpoints[1:], ""), strict=True):
            place, _, nth = failpoint.partition("#")
            outcome = functools.partial(Outcome, place=place, nth=int(nth or 1))
            if await live(run, *alive) and not await _dies_later(alive):
                return replace(await judged(run, place, int(nth or 1)), died=False)
            alive = await _left(alive)
            if fallen := [process for process in crew if process.died not in {None, -9}]:
                return outcome(wrong=[f"ended with {fallen[0].died}: {(await fallen[0].end())[-2000:]}"])
            if not alive:
                alive = [start(run, following, hooked=hooked)]
                crew = [*crew, *alive]
        if await live(run, *alive):
            return await judged(run, place, int(nth or 1))
        said = [(await process.end())[-2000:] for process in alive if process.died is not None]
        return outcome(wrong=[f"who took over ended: {said}"])
    except AssertionError as error:  # not over in time
        return outcome(stuck=[str(error)])
    finally:
        for process in crew:
            await process.end()


async def _left(crew: list[Process]) -> list[Process]:
    """Those who live, and die no more; one that passed the place as well before it heard of that is dead."""
    if len(crew) > 1:
        for process in crew:
            process.spare()
        await asyncio.sleep(0.2)
    return [process for process in crew if process.died is None]


async def _dies_later(crew: list[Process]) -> bool:
    """What is over for the phones need not be over in the office: some jobs look again only now and then."""
    until = time.time() + LATER
    while all(one.died is None for one in crew) and time.time() < until:  # noqa: ASYNC110 - other processes
        await asyncio.sleep(0.05)
    return any(one.died is not None for one in crew)


def weather(run: Morning, places: Sequence[str], also: Collection[str]) -> None:
    """What goes wrong in the world outside."""
    run.later = "later" in also
    if "deaf" in also:
        to = str(STAFF["wang"].chat)
        run.world.chaos({"channel": "telegram", "kind": "fail", "how": "drop", "times": 3, "to": to})
    for kind in sorted({"lose", "fail"} & set(also)):
        for channel in ("sms", "telegram"):
            run.world.chaos({"channel": channel, "kind": kind, "how": "drop", "times": 2})
    if any(place.startswith("settle.") and place != "settle.before_commit" for place in places):
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
