"""`make prove`: how often was the office killed, where, and what did it cost the people it writes to?"""

import argparse
import asyncio
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.proofs.deaths import Outcome, death
from tests.proofs.errand_deaths import Errand
from tests.proofs.places import ERRANDS, MORNING, PLACES, of
from tests.proofs.rivals import rivalry
from tests.proofs.scenarios import SCENARIOS
from tests.proofs.simulation import quiet, years
from tests.proofs.survey import survey

PROOFS = ("kills", "errands", "boundaries", "rivals", "simulation")

FURTHEST = 6
"""The n-th time a place is passed is drawn from 1 to here, or to the last time it was found to be passed."""


class Report:
    """Deaths per place, and everything that went wrong."""

    def __init__(self) -> None:
        self.deaths: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.lost = self.twice = self.unlabelled = self.stuck = 0
        self.faults: list[str] = []

    def add(self, found: Outcome) -> None:
        if not found.died:
            self.missed[found.place] += 1
            return
        self.deaths[found.place] += 1
        self.lost += len(found.lost)
        self.twice += len(found.twice)
        self.unlabelled += len(found.unlabelled)
        self.stuck += len(found.stuck)
        self.faults += found.faults

    def write(self) -> None:
        for place in PLACES:
            say(f"{place:28} {self.deaths[place]:5} deaths")
        say(f"{'all':28} {self.deaths.total():5} deaths at {len(self.deaths)} places")
        say(f"lost {self.lost}, texts twice {self.twice}, unlabelled repeats {self.unlabelled},"
            f" stuck {self.stuck}, faults in all {len(self.faults)}")  # fmt: skip


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the report is the product


async def kills(report: Report, folder: Path, args: argparse.Namespace, places: list[str]) -> None:
    at_once = asyncio.Semaphore(args.at_once)

    async def of_place(place: str) -> None:
        async def once(n: int, nth: int) -> Outcome:
            return await death(folder / f"{place}-{n}", place, nth, at_once=at_once)

        await _often(report, place, args, once)

    await asyncio.gather(*map(of_place, places))


async def errands(report: Report, folder: Path, args: argparse.Namespace, names: list[str]) -> None:
    for name in names:
        errand = Errand(name, folder / name)
        await errand.built()
        for place in of(name):

            async def once(_n: int, nth: int, place: str = place, errand: Errand = errand) -> Outcome:
                return await errand.death(place, nth)

            await _often(report, place, args, once)


async def _often(
    report: Report, place: str, args: argparse.Namespace, once: Callable[[int, int], Awaitable[Outcome]]
) -> None:
    """`args.times` deaths there; a time that never came is drawn again, nearer."""
    dice = random.Random(f"{args.seed}:{place}")
    furthest, died, tries = FURTHEST, 0, 0
    while died < args.times and tries < args.times + FURTHEST:
        nth = dice.randint(1, furthest)
        found = await once(tries, nth)
        tries += 1
        died += found.died
        report.add(found)
        if not found.died:
            if nth == 1:
                break
            furthest = nth - 1
    if not died:
        report.faults.append(f"{place} was never passed")


async def boundaries(report: Report, folder: Path, args: argparse.Namespace) -> None:
    total: Counter[str] = Counter()
    for scenario in SCENARIOS:
        found = await survey(
            scenario, folder / f"s{len(total)}-{total['all']}", seed=args.seed, double=args.times
        )
        total.update(all=found.boundaries, deaths=found.deaths, second=found.second)
        report.faults += found.faults
        say(f"{scenario.name:52} {found.boundaries:6} boundaries, {found.deaths:4} deaths,"
            f" {found.second:4} second deaths, {len(found.faults)} faults")  # fmt: skip
    say(f"{len(SCENARIOS)} scenarios, {total['all']} boundaries, {total['deaths']} different deaths,"
        f" {total['second']} second deaths")  # fmt: skip


async def rivals(report: Report, folder: Path, args: argparse.Namespace) -> None:
    dice = random.Random(args.seed)
    stops = 0
    for n in range(args.times):
        found = await rivalry(folder / f"rivals-{n}", 2 + n % 7, dice)
        stops += found.stops
        report.faults += found.faults
    say(f"{args.times} mornings of two to eight offices on one database, {stops} stops of 0-120 s")


def simulation(report: Report, folder: Path, args: argparse.Namespace) -> None:
    """Last, because it silences the log; it has its own loop, one for each office."""
    quiet()
    found = years(args.seed, args.years, float("inf"), folder)
    found.write()
    report.faults += found.breaks


async def run(args: argparse.Namespace, report: Report) -> None:
    say(f"seed {args.seed}, {args.times} times, {args.years} years, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} processors, Python {platform.python_version()}")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="prove-") as made:
        folder = Path(made)
        wanted = set(args.only or PROOFS)
        places = [p for p in args.place or of(MORNING) if PLACES[p].scenario == MORNING]
        if "boundaries" in wanted:
            await boundaries(report, folder, args)
        if "rivals" in wanted:
            await rivals(report, folder, args)
        if "errands" in wanted:
            await errands(report, folder, args, list(ERRANDS))
        if "kills" in wanted:
            await kills(report, folder, args, places)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs", description=__doc__)
    parser.add_argument("--times", type=int, default=25, help="deaths at each place")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=4, help="mornings beside each other")
    parser.add_argument("--only", action="append", choices=PROOFS)
    parser.add_argument("--years", type=int, default=5, help="office-years of the simulation")
    parser.add_argument("--place", action="append", choices=of(MORNING), help="only kills here")
    args, report, began = parser.parse_args(), Report(), time.monotonic()
    asyncio.run(run(args, report))
    report.write()
    if "simulation" in (args.only or PROOFS):
        with tempfile.TemporaryDirectory(prefix="prove-") as made:
            simulation(report, Path(made), args)
    say(f"{time.monotonic() - began:.0f} s")
    for fault in report.faults:
        say(f"FAULT {fault}")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
