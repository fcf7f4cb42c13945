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
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import Server
from tests.postgres import server as new_server
from tests.proofs.deaths import Outcome, death
from tests.proofs.errand_deaths import Errand
from tests.proofs.morning import Setting, prepared
from tests.proofs.moulds import Mould
from tests.proofs.places import ERRANDS, MORNING, PLACES, SENDING, of
from tests.proofs.restarts import restart
from tests.proofs.rivals import rivalry
from tests.proofs.scenarios import SCENARIOS
from tests.proofs.served import ServedOffice
from tests.proofs.simulation import StormyOffice, quiet, years
from tests.proofs.survey import survey

PROOFS = ("boundaries", "rivals", "errands", "kills", "simulation")
ON_POSTGRES = ("rivals", "errands", "kills", "workers", "restarts", "simulation")
WORKERS = 2
"""Of whom one is killed."""

MANY = 4
"""While the server is restarted."""

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


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What all proofs of a run are given. `server`: where the offices are, instead of in files."""

    report: Report
    folder: Path
    args: argparse.Namespace
    mould: Mould
    server: Server | None = None

    @property
    def wanted(self) -> set[str]:
        return set(self.args.only or (ON_POSTGRES if self.server else PROOFS))

    @property
    def places(self) -> list[str]:
        return list(self.args.place or of(MORNING))


async def kills(proof: Proof, places: list[str], workers: int = 0) -> None:
    at_once = asyncio.Semaphore(proof.args.at_once)
    setting = Setting(mould=proof.mould, workers=workers)

    async def of_place(place: str) -> None:
        async def once(n: int, nth: int) -> Outcome:
            return await death(proof.folder / f"{place}-{n}", place, nth, at_once=at_once, setting=setting)

        await _often(proof, place, once)

    await asyncio.gather(*map(of_place, places))


async def workers(proof: Proof) -> None:
    """One of several is killed where it sends, the others take over."""
    await kills(proof, [p for p in proof.places if p.split(".")[0] in SENDING], WORKERS)


async def restarts(proof: Proof) -> None:
    """On a server of its own, one morning after the other."""
    dice = random.Random(proof.args.seed)
    with new_server() as own:
        assert own is not None
        setting = Setting(mould=Mould(prepared, own), workers=MANY)
        for n in range(proof.args.times):
            proof.report.faults += await restart(proof.folder / f"restart-{n}", setting, own, dice)
    say(f"{proof.args.times} mornings of {MANY} workers, one killed, the server restarted at once in each")


async def errands(proof: Proof) -> None:
    for name in ERRANDS:
        places = of(name, file=proof.server is None)
        if not places:
            continue
        errand = Errand(name, proof.folder / name, proof.mould)
        await errand.built()
        for place in places:

            async def once(_n: int, nth: int, place: str = place, errand: Errand = errand) -> Outcome:
                return await errand.death(place, nth)

            await _often(proof, place, once)


async def _often(proof: Proof, place: str, once: Callable[[int, int], Awaitable[Outcome]]) -> None:
    """`args.times` deaths there; a time that never came is drawn again, nearer."""
    args, report = proof.args, proof.report
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


async def boundaries(proof: Proof) -> None:
    report, args = proof.report, proof.args
    total: Counter[str] = Counter()
    for scenario in SCENARIOS:
        found = await survey(
            scenario, proof.folder / f"s{len(total)}-{total['all']}", seed=args.seed, double=args.times
        )
        total.update(all=found.boundaries, deaths=found.deaths, second=found.second)
        report.faults += found.faults
        say(f"{scenario.name:52} {found.boundaries:6} boundaries, {found.deaths:4} deaths,"
            f" {found.second:4} second deaths, {len(found.faults)} faults")  # fmt: skip
    say(f"{len(SCENARIOS)} scenarios, {total['all']} boundaries, {total['deaths']} different deaths,"
        f" {total['second']} second deaths")  # fmt: skip


async def rivals(proof: Proof) -> None:
    dice = random.Random(proof.args.seed)
    stops = 0
    for n in range(proof.args.times):
        found = await rivalry(proof.folder / f"rivals-{n}", 2 + n % 7, dice, Setting(mould=proof.mould))
        stops += found.stops
        proof.report.faults += found.faults
    say(f"{proof.args.times} mornings of two to eight offices on one database, {stops} stops of 0-120 s")


def simulation(proof: Proof) -> None:
    """Last, because it silences the log; it has its own loop, one for each office."""
    quiet()
    kind = StormyOffice
    if proof.server is not None:
        kind, ServedOffice.server = ServedOffice, proof.server
    found = years(proof.args.seed, proof.args.years, proof.args.days, proof.folder, kind)
    found.write()
    proof.report.faults += found.breaks


IN_ONE_LOOP: Mapping[str, Callable[[Proof], Awaitable[None]]] = {
    "boundaries": boundaries,
    "rivals": rivals,
    "errands": errands,
    "kills": lambda proof: kills(proof, proof.places),
    "workers": workers,
    "restarts": restarts,
}


async def run(proof: Proof) -> None:
    for name, prove in IN_ONE_LOOP.items():
        if name in proof.wanted:
            await prove(proof)
    proof.report.write()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs", description=__doc__)
    parser.add_argument("--times", type=int, default=25, help="deaths at each place")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=4, help="mornings beside each other")
    parser.add_argument("--postgres", action="store_true", help="the office on a server of its own")
    parser.add_argument("--only", action="append", choices=sorted({*PROOFS, *ON_POSTGRES}))
    parser.add_argument("--years", type=int, default=5, help="office-years of the simulation")
    parser.add_argument("--days", type=int, default=365, help="of each of these years")
    parser.add_argument("--place", action="append", choices=of(MORNING), help="only kills here")
    args, began = parser.parse_args(), time.monotonic()
    if alien := set(args.only or ()) - set(ON_POSTGRES if args.postgres else PROOFS):
        parser.error(f"{'with' if args.postgres else 'without'} --postgres there is no {', '.join(alien)}")
    say(f"seed {args.seed}, {args.times} times, {args.years} years, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} processors, Python {platform.python_version()}"
        f"{', PostgreSQL' if args.postgres else ''}")  # fmt: skip
    report = Report()
    with (
        tempfile.TemporaryDirectory(prefix="prove-") as made,
        new_server() if args.postgres else nullcontext() as server,
    ):
        if args.postgres and server is None:
            parser.error("this machine has no programs for a PostgreSQL server")
        proof = Proof(
            report=report, folder=Path(made), args=args, mould=Mould(prepared, server), server=server
        )
        asyncio.run(run(proof))
        if "simulation" in proof.wanted:
            simulation(proof)
    say(f"{time.monotonic() - began:.0f} s")
    for fault in report.faults:
        say(f"FAULT {fault}")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
