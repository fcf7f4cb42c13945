"""How many reminders a second are planned, fall due, and leave with their outcome kept, beside others?

`python -m bench fire`. Timed is the path of an entry that is due: written as a row, claimed on what the
database says then, rendered, given to a provider that does nothing, its answer kept; all of it on the disk.
A peer's time is that of keeping a job and calling a function. What comes before is timed by itself: planning
the five entries of a case that has just been registered, 25 cases in a transaction.
"""

import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import raw
from bench.kit import Row, python
from bench.replanning import START
from bench.stage import TEN, file_url, matters, plan, stage, wait_for_later
from jobs.dispatch import dispatch
from jobs.remind import remind
from reminder.clock import ManualClock
from tests.postgres import Server, server


@dataclass(frozen=True, kw_only=True)
class Fired:
    """Seconds, and microseconds of this process's CPU for one message, from claim to outcome."""

    n: int
    planned: float
    written: float
    sent: float
    cpu: float

    @property
    def both(self) -> float:
        return self.n / (self.planned + self.written + self.sent)

    @property
    def fired(self) -> float:
        return self.n / (self.written + self.sent)


async def ours(url: str, n: int, *, pending: int = 0, profile: cProfile.Profile | None = None) -> Fired:
    clock = ManualClock(START)
    async with stage(url, clock=clock) as (rt, sms):
        made = await matters(rt, n)
        if pending:
            await wait_for_later(rt, pending)
        begun = time.perf_counter()
        await plan(rt, made)
        planned = time.perf_counter()
        clock.advance(TEN)  # past the half minute in which a deed can be taken back
        assert await remind(rt) == n
        written, worked = time.perf_counter(), time.process_time()
        # The rows of what has only just fallen due wait for that half minute once more.
        clock.advance(TEN)
        sent_from = time.perf_counter()
        if profile is not None:
            profile.enable()
        while sms.count < n and await dispatch(rt):
            pass  # a tick has its limit of rounds
        if profile is not None:
            profile.disable()
        ends, worked = time.perf_counter(), time.process_time() - worked
        assert sms.count == n, (sms.count, n)
    return Fired(
        n=n, planned=planned - begun, written=written - planned, sent=ends - sent_from, cpu=worked / n * 1e6
    )


Peers = dict[str, tuple[str, float | None]]
"""By name: what it is called, and how many times it we are to be."""


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def _compared(where: str, n: int, found: Fired, limit: float, peers: Peers, base: Server | None) -> list[Row]:
    rows = []
    for name, (called, goal) in peers.items():
        with folder() as place:
            url = f"sqlite:///{place / 'peer.db'}" if base is None else base.url(base.create())
            theirs = python("bench.peers", "rate", name, str(n), "" if name == "jobqueue" else url)
        rows.append(
            Row(
                work=f"{where}, {n:,} fired",
                ours=found.fired,
                unit="/s",
                peer=called,
                theirs=theirs and theirs["both"],
                limit=limit,
                goal=goal,
            )
        )
    return rows


SQLITE_PEERS: Peers = {
    "apscheduler": ("APScheduler's store", 15),
    "jobqueue": ("PTB's JobQueue, in memory", None),
}
POSTGRES_PEERS: Peers = {
    "apscheduler": ("APScheduler's store", 25),
    "procrastinate": ("Procrastinate", 25),
    "pgqueuer": ("PgQueuer", 1.5),
}
CPU_GOAL = 80


def _on_sqlite(sizes: tuple[int, ...], pending: int) -> list[Row]:
    rows: list[Row] = []
    with folder() as place:
        beside = asyncio.run(ours(file_url(place), sizes[0], pending=pending))
    for n in sizes:
        with folder() as place:
            found = asyncio.run(ours(file_url(place), n))
            limit = raw.sqlite(place, n)
        rows += _compared("SQLite", n, found, limit, SQLITE_PEERS, None)
        if n == beside.n:
            rows += _rest("SQLite", found, beside, pending)
    return rows


def _on_postgres(base: Server, sizes: tuple[int, ...], pending: int) -> list[Row]:
    rows: list[Row] = []
    beside = asyncio.run(ours(base.url(base.create()), sizes[0], pending=pending))
    for n in sizes:
        found = asyncio.run(ours(base.url(base.create()), n))
        limit = raw.postgres(base.url(base.create()), n)
        rows += _compared("PostgreSQL", n, found, limit, POSTGRES_PEERS, base)
        if n == beside.n:
            rows += _rest("PostgreSQL", found, beside, pending)
    return rows


def _rest(where: str, found: Fired, beside: Fired, pending: int) -> list[Row]:
    n = found.n
    return [
        Row(
            work=f"{where}, {n:,} fired with {pending:,} waiting",
            ours=beside.fired,
            unit="/s",
            peer="with none",
            theirs=found.fired,
            goal=0.7,
        ),
        Row(work=f"{where}: planning alone, five entries a case", ours=n / found.planned, unit="cases/s"),
        Row(work=f"{where}: planned and fired", ours=found.both, unit="/s"),
        Row(work=f"{where}: entry → row alone", ours=n / found.written, unit="/s"),
        Row(
            work=f"{where}: claim, render, outcome: CPU",
            ours=found.cpu,
            unit="µs/message",
            goal=CPU_GOAL,
            less=True,
        ),
    ]


def rows(*, full: bool = False) -> list[Row]:
    sizes = (10_000, 1_000, 100_000) if full else (1_000, 10_000)
    pending = 1_000_000 if full else 100_000
    found = _on_sqlite(sizes, pending)
    with server(durable=True) as base:
        if base is None:
            print("  no PostgreSQL on this machine: left out")
            return found
        return found + _on_postgres(base, sizes if full else sizes[:1], pending)


def main() -> None:
    """`python -m bench.firing N [profile]`: the seconds it takes; where they go, by function."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    profile = cProfile.Profile() if "profile" in sys.argv else None
    with folder() as place:
        print(asyncio.run(ours(file_url(place), n, profile=profile)))
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
