"""What do a million who wait cost: the claim, the delay, an idle hour, a start, and a burst beside them?

`python -m bench wait`, on SQLite.
"""

import asyncio
import json
import shutil
import statistics
import time
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench import waiting_peers
from bench.crashing import counted, sent, spawn
from bench.firing import folder
from bench.kit import Row
from bench.replanning import START
from bench.stage import TEN, file_url, matters, offset, plan, stage, wait_for_later
from jobs.remind import remind
from reminder.clock import ManualClock
from reminder.domain.people import Channel, Sender
from reminder.store import holds
from reminder.store.database import Database

TEXTS = Sender(channel=Channel.SMS)

EVERY = timedelta(milliseconds=5)
"""Two hundred a second."""


async def build(url: str, pending: int, due: int) -> None:
    """So many who wait, and texts of `due` cases written and due at one instant, from ten past on."""
    clock = ManualClock(START)
    async with stage(url, clock=clock) as (rt, _):
        made = await matters(rt, due)
        await wait_for_later(rt, pending)
        await plan(rt, made)
        clock.advance(TEN)
        await remind(rt)


async def looked(db: Database, since: datetime | None = None, rounds: int = 300) -> float:
    """Median milliseconds to find the next 32 that may go, and to leave them."""
    taken = []
    for _ in range(rounds):
        async with db.write() as tx:
            begun = time.perf_counter()
            found = await holds.ready(tx, START + 3 * TEN, 32, TEXTS, since=since)
            taken.append(time.perf_counter() - begun)
            assert len(found) == 32
    return statistics.median(taken) * 1000


async def claims(url: str) -> float:
    db = Database(url)
    try:
        return await looked(db)
    finally:
        await db.close()


async def staggered(url: str) -> None:
    """What is due at one instant falls due one by one instead, from five seconds after now on."""
    begin = START + TEN + timedelta(seconds=8)
    db = Database(url)
    async with db.write() as tx:
        rows = await holds.ready(tx, START + 3 * TEN, 1_000_000, TEXTS)
        moments = [
            {"after": (begin + n * EVERY).replace(tzinfo=None).isoformat(" ", "microseconds"), "id": row.id}
            for n, row in enumerate(rows)
        ]
        change = sa.text("UPDATE reminders SET send_after = :after, due_at = :after WHERE id = :id")
        await tx.execute(change, moments)
    await db.close()


async def delays(url: str) -> list[float]:
    """Milliseconds from due to accepted, in order."""
    db = Database(url)
    async with db.read() as tx:
        delay = "(julianday(sent_at) - julianday(due_at)) * 86400000"
        query = sa.text(f"SELECT {delay} FROM reminders WHERE sent_at > ''")
        found = sorted(float(row[0]) for row in await tx.execute(query))
    await db.close()
    return found


def watched(
    url: str, place: Path, *, enough: int, seconds: float
) -> tuple[list[dict[str, float]], float, list[str]]:
    """Serve until `enough` have left or the time is up.

    Returns the worker's reports, the seconds to its first message, and its ledger.
    """
    ledger, report = place / "ledger", place / "report"
    for old in (ledger, report):
        old.unlink(missing_ok=True)
    shift, begun, first = offset().total_seconds(), time.monotonic(), 0.0
    process = spawn("bench.worker", url, str(ledger), str(shift), str(report))
    while time.monotonic() - begun < seconds and process.poll() is None:
        found = ledger.stat().st_size if ledger.exists() else 0
        if found and not first:
            first = time.monotonic() - begun
        if enough and found and len(sent(ledger)) >= enough:
            time.sleep(1.2)  # its last report
            break
        time.sleep(0.01 if not first else 0.2)
    process.kill()
    process.wait()
    lines = report.read_text().splitlines() if report.exists() else []
    return [json.loads(line) for line in lines], first, sent(ledger)


def _copy(source: Path, name: str) -> Path:
    place = source / name
    place.mkdir()
    shutil.copy(source / "bench.db", place / "bench.db")
    return place


FIRST_MINUTE = 70
"""Seconds after which what is done once a day has been done."""


def _idle(few: Path, source: Path, n: int, seconds: int, after: int) -> list[Row]:
    found, _, _ = watched(file_url(source), source, enough=0, seconds=after + seconds)
    worked = found[-1]["cpu"] - found[after]["cpu"]
    share = 100 * worked / (len(found) - 1 - after)
    beside, _, _ = watched(file_url(few), few, enough=0, seconds=after + 5)
    return [
        Row(work=f"idle, {n:,} waiting", ours=share, unit="% of a core", goal=0.3, less=True),
        Row(
            work=f"idle, {n:,} waiting: memory",
            ours=max(report["memory"] for report in found),
            unit="MB",
            peer="with 10,000",
            theirs=max(report["memory"] for report in beside),
            goal=1.1,
            less=True,
        ),
    ]


def _start(place: Path, n: int) -> list[Row]:
    _, first, _ = watched(file_url(place), place, enough=1, seconds=60)
    what = f"start with {n:,} waiting: first message"
    return [Row(work=what, ours=first, unit="s, imports too", goal=1, less=True)]


def _delay(place: Path, n: int, due: int) -> list[Row]:
    asyncio.run(staggered(file_url(place)))
    found, _, ledger = watched(file_url(place), place, enough=due, seconds=due / 40)
    known = asyncio.run(delays(file_url(place)))
    busy = [report for report in found if 0 < report["sent"] < len(ledger)]
    worked = (busy[-1]["cpu"] - busy[0]["cpu"]) / max(len(busy) - 1, 1) * 100
    what = f"due → accepted at 200/s, {n:,} waiting"
    return [
        Row(work=f"{what}: p50", ours=known[len(known) // 2], unit="ms", goal=10, less=True),
        Row(work=f"{what}: p99", ours=known[len(known) * 99 // 100], unit="ms", goal=50, less=True),
        Row(work=f"{what}: CPU", ours=worked, unit="% of a core", goal=10, less=True),
    ]


def _burst(place: Path, due: int, seconds: float) -> list[Row]:
    found, _, ledger = watched(file_url(place), place, enough=due, seconds=seconds)
    lost, twice = counted(due, ledger)
    grown = max(report["memory"] for report in found) - found[0]["memory"]
    what = f"{due:,} due at one instant"
    return [
        Row(work=f"{what}: dropped", ours=lost, unit="", goal=0, less=True),
        Row(work=f"{what}: twice", ours=twice, unit="", goal=0, less=True),
        Row(work=f"{what}: memory grows by", ours=grown, unit="MB", goal=60, less=True),
    ]


def rows(*, full: bool = False) -> list[Row]:
    many, due = (1_000_000, 100_000) if full else (1_000_000, 4_000)
    found: list[Row] = []
    with folder() as few, folder() as place:
        asyncio.run(build(file_url(few), 10_000, 64))
        asyncio.run(build(file_url(place), many, 64))
        found.append(_claim(few, place, 10_000, many))
        found += _start(_copy(place, "start"), many)
        if full:
            with folder() as most:
                asyncio.run(build(file_url(most), 10_000_000, 64))
                found.append(_claim(few, most, 10_000, 10_000_000))
        for one in (few, place):
            asyncio.run(_emptied(file_url(one)))
        found += _idle(few, place, many, *((60, FIRST_MINUTE) if full else (20, 3)))
    with folder() as place:
        asyncio.run(build(file_url(place), 100_000, 4_000))
        found += _delay(place, 100_000, 4_000)
    with folder() as place:
        asyncio.run(build(file_url(place), 100_000, due))
        found += _burst(place, due, 3600 if full else 120)
    return found + waiting_peers.rows(full=full)


async def _emptied(url: str) -> None:
    """What was due is not to be sent while we watch it idle."""
    db = Database(url)
    async with db.write() as tx:
        await tx.execute(sa.text("DELETE FROM reminders WHERE send_after < '2026-12-31'"))
    await db.close()


def _claim(few: Path, place: Path, less: int, more: int) -> Row:
    base = asyncio.run(claims(file_url(few)))
    return Row(
        work=f"to find what may go, {more:,} waiting",
        ours=asyncio.run(claims(file_url(place))),
        unit="ms",
        peer=f"with {less:,}",
        theirs=base,
        goal=1.5,
        less=True,
    )
