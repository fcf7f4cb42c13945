"""What is lost, and what goes twice, when the process is killed in the middle, or starts 30 s late?

`python -m bench crash`. A burst is due; the worker is killed with SIGKILL after a third of it has left, and
started again. Ours is then given until its lease and the provider's log have told it of what was under way.
"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.firing import folder
from bench.kit import ROOT, Row, python, surroundings
from bench.replanning import START
from bench.stage import TEN, file_url, matters, plan, stage
from jobs.dispatch import dispatch
from jobs.remind import remind
from jobs.settle import settle
from reminder.clock import ManualClock
from tests.postgres import Server, server

LATE = 30.0
SOON = 6.0
"""Seconds to put everything in and to start, before it is due; and before we wonder at silence."""

QUIET = 4.0
"""Seconds without a message after which we take it that none will come."""

RETRIES = {"procrastinate": 8.0, "pgqueuer": 36.0}
"""Seconds of silence after which a peer takes up nothing more of what a dead worker had claimed."""


def sent(ledger: Path) -> list[str]:
    return [line.split()[0] for line in ledger.read_text().splitlines()] if ledger.exists() else []


def spawn(*arguments: str) -> "subprocess.Popen[bytes]":
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=surroundings(), stdout=quiet, stderr=quiet
    )


def killed_when(
    process: "subprocess.Popen[bytes]", ledger: Path, n: int, *, quiet: float = QUIET, seconds: float = 240
) -> None:
    """Kill it when `n` have left, or nothing has for some seconds."""
    known, since, ends = len(sent(ledger)), time.monotonic() + SOON, time.monotonic() + seconds
    while time.monotonic() < ends and process.poll() is None:
        found = len(sent(ledger))
        if found >= n:
            break
        if found != known:
            known, since = found, time.monotonic()
        elif time.monotonic() - since > quiet:
            break
        time.sleep(0.01)
    process.kill()
    process.wait()


def offset() -> float:
    """Moves the worker's clock to ten minutes past the moment at which all is due."""
    return (START + 2 * TEN + timedelta(seconds=LATE) - datetime.now(UTC)).total_seconds()


async def written(url: str, n: int) -> None:
    """A burst of ours: planned, and due."""
    clock = ManualClock(START)
    async with stage(url, clock=clock) as (rt, _):
        await plan(rt, await matters(rt, n))


async def finish(url: str, ledger: Path) -> None:
    """The lease and the provider's log have their say, on a clock that moves at once."""
    clock = ManualClock(START + timedelta(hours=1))
    async with stage(url, clock=clock, ledger=ledger) as (rt, _):
        for _ in range(4):
            await remind(rt)
            await settle(rt)
            while await dispatch(rt):
                pass
            clock.advance(TEN)


def ours(url: str, n: int, *, killed: bool) -> list[str]:
    with folder() as place:
        ledger = place / "ledger"
        asyncio.run(written(url, n))
        for most in (n // 3, n) if killed else (n,):
            killed_when(spawn("bench.worker", url, str(ledger), str(offset())), ledger, most)
        asyncio.run(finish(url, ledger))
        return sent(ledger)


def theirs(name: str, url: str, n: int, *, killed: bool) -> list[str] | None:
    with folder() as place:
        ledger = place / "ledger"
        url = url or f"sqlite:///{place / 'peer.db'}"
        if python("bench.peers", "put", name, str(n), url, str(-SOON if killed else LATE)) is None:
            return None
        for most in (n // 3, 10 * n) if killed else (n,):
            worker = spawn("bench.peers", "work", name, url, str(ledger))
            killed_when(worker, ledger, most, quiet=RETRIES.get(name, QUIET))
        return sent(ledger)


def counted(n: int, found: list[str]) -> tuple[int, int]:
    """How many were lost, how many went more often than once."""
    times = Counter(found)
    return n - len(times), sum(count - 1 for count in times.values())


def _rows(where: str, n: int, *, killed: bool, url: str, peers: dict[str, str]) -> list[Row]:
    what = "killed in the middle" if killed else f"started {LATE:.0f} s late"
    lost, twice = counted(n, ours(url, n, killed=killed))
    note = []
    for name, at in peers.items():
        found = theirs(name, at, n, killed=killed)
        if found is not None:
            away, again = counted(n, found)
            note.append(f"{name} lost {away:,}, repeated {again:,}")
    beside = f"of {n:,}; beside it " + ("; ".join(note) or "nobody")
    return [
        Row(work=f"{where}, {what}: lost", ours=lost, unit="", goal=0, less=True, note=beside),
        Row(work=f"{where}, {what}: twice", ours=twice, unit="", goal=0, less=True),
    ]


def rows(*, full: bool = False) -> list[Row]:
    n = 10_000 if full else 1_000
    found: list[Row] = []
    for killed in (True, False):
        with folder() as place:
            found += _rows("SQLite", n, killed=killed, url=file_url(place), peers={"apscheduler": ""})
    with server(durable=True) as base:
        if base is not None:
            found += _on_postgres(base, n)
    return found


def _on_postgres(base: Server, n: int) -> list[Row]:
    found = []
    for killed in (True, False):
        peers = {name: base.url(base.create()) for name in ("apscheduler", "procrastinate", "pgqueuer")}
        url = base.url(base.create())
        found += _rows("PostgreSQL", n, killed=killed, url=url, peers=peers)
    return found
