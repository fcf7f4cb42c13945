"""What do others make of many who wait: a start, an idle hour, a burst? Rows for `python -m bench wait`.

Each in a process of its own and alone. What it has planned is in an SQLite file, of PTB's JobQueue nowhere:
whoever starts it adds everything again.
"""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.crashing import counted, sent, spawn
from bench.firing import folder
from bench.kit import Row, python


@dataclass(frozen=True, kw_only=True)
class Peer:
    """How many it is given in the short run: what it takes to plan them all must end in reasonable time."""

    called: str
    why: str
    stored: bool = True
    pending: int = 10_000
    due: int = 4_000
    lead: float = 6.0
    """Seconds in which it has planned those, and has started."""


PEERS = {
    "apscheduler": Peer(called="APScheduler's store", why="by default what is a second late is dropped"),
    "jobqueue": Peer(called="PTB's JobQueue, in memory", why="whoever starts adds all again", stored=False),
    "celery": Peer(
        called="Celery's ETA, broker in SQLite",
        why="its worker takes all that waits into its memory",
        pending=2_000,
        due=1_000,
        lead=10.0,
    ),
}

CALM = 3
"""Reports in which it takes less than a tenth of a core: it has started."""

WATCHED = 5
"""Seconds of it idle."""

STARTING = 2
"""Seconds to start in before the burst."""

QUIET = 5
"""Seconds after the burst without anything fired: nothing more will be."""


@dataclass(kw_only=True)
class Running:
    """One that fires, and what it has told."""

    process: "subprocess.Popen[bytes]"
    begun: float
    ledger: Path
    report: Path

    def reports(self) -> list[dict[str, float]]:
        text = self.report.read_text() if self.report.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def started(name: str, url: str, place: Path, *about: str) -> Running:
    ledger, report = place / "ledger", place / "report"
    for old in (ledger, report):
        old.unlink(missing_ok=True)
    begun = time.monotonic()
    process = spawn("bench.peers", "wait", name, url, *about, str(ledger), str(report))
    return Running(process=process, begun=begun, ledger=ledger, report=report)


def rested(name: str, url: str, place: Path, pending: int, most: float) -> tuple[float, float] | None:
    """Seconds from its start to the one message that was due; then percent of a core while nothing is."""
    running = started(name, url, place, str(pending), "1", str(time.time() - 60))
    try:
        while not sent(running.ledger):
            if time.monotonic() - running.begun > most or running.process.poll() is not None:
                return None
            time.sleep(0.01)
        first = time.monotonic() - running.begun
        while not _calm(found := running.reports()) and time.monotonic() - running.begun < most:
            time.sleep(0.5)
        known = len(found)
        time.sleep(WATCHED + 1)
        found = running.reports()[known - 1 :]
        return first, 100 * (found[-1]["cpu"] - found[0]["cpu"]) / (len(found) - 1)
    finally:
        running.end()


def _calm(found: list[dict[str, float]]) -> bool:
    return len(found) > CALM and found[-1]["cpu"] - found[-1 - CALM]["cpu"] < 0.1 * CALM


def burst(name: str, url: str, place: Path, due: int, lead: float) -> tuple[int, int, float] | None:
    """Of those due at one instant: lost, fired twice; and by how many MB its memory grows."""
    at = time.time() + lead
    about = ("0", str(due), str(at))
    if PEERS[name].stored and python("bench.peers", "fill", name, url, *about) is None:
        return None
    if time.time() > at - STARTING:
        print(f"  {PEERS[name].called}: {due:,} were not planned in time")
        return None
    running = started(name, url, place, *about)
    try:
        known, since = 0, time.time()
        while time.time() - max(since, at) < QUIET and running.process.poll() is None:
            found = len(sent(running.ledger))
            if found != known:
                known, since = found, time.time()
            if found >= due:
                time.sleep(1.2)  # its last report
                break
            time.sleep(0.2)
        if running.process.poll() is not None:
            return None
    finally:
        running.end()
    reports = running.reports()
    grown = max(one["memory"] for one in reports) - reports[0]["memory"]
    return *counted(due, sent(running.ledger)), grown


def rows(*, full: bool = False) -> list[Row]:
    found: list[Row] = []
    found += _one_by_one(20_000 if full else 2_000)
    for name, peer in PEERS.items():
        pending, due = (100_000, 20_000) if full else (peer.pending, peer.due)
        most, lead = (1200.0, 180.0) if full else (60.0, peer.lead)
        found += _at_rest(name, peer, pending, most) + _in_a_burst(name, peer, due, lead)
    return found


def _one_by_one(n: int) -> list[Row]:
    """What has nothing to read and nothing to keep: the least that can be had of Python's loop."""
    late = python("bench.peers", "late", "apscheduler", str(n))
    if late is None:
        return []
    what = "APScheduler in memory, due → called at 200/s"
    units = {"p50": "ms", "p99": "ms", "CPU": "% of a core"}
    return [Row(work=f"{what}: {name}", ours=late[name], unit=unit) for name, unit in units.items()]


def _at_rest(name: str, peer: Peer, pending: int, most: float) -> list[Row]:
    with folder() as place:
        url = f"sqlite:///{place / 'peer.db'}"
        late = (str(pending), "1", str(time.time() - 60))
        if peer.stored and python("bench.peers", "fill", name, url, *late, seconds=most) is None:
            return []
        rest = rested(name, url, place, pending, most)
    if rest is None:
        print(f"  {peer.called} fired nothing within {most:.0f} s")
        return []
    what = f"{peer.called}, {pending:,} waiting"
    return [
        Row(work=f"{what}: start to the first", ours=rest[0], unit="s, imports too", note=peer.why),
        Row(work=f"{what}: idle", ours=rest[1], unit="% of a core"),
    ]


def _in_a_burst(name: str, peer: Peer, due: int, lead: float) -> list[Row]:
    with folder() as place:
        found = burst(name, f"sqlite:///{place / 'peer.db'}", place, due, lead)
    if found is None:
        return []
    lost, twice, grown = found
    what = f"{peer.called}, {due:,} due at one instant"
    return [
        Row(work=f"{what}: dropped", ours=lost, unit=""),
        Row(work=f"{what}: twice", ours=twice, unit=""),
        Row(work=f"{what}: memory grows by", ours=grown, unit="MB"),
    ]
