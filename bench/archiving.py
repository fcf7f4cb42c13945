"""What does it cost to archive old messages, to write beside it, and to take such a case up again?

`python -m bench archive`, on both databases: cases that are over, a hundred messages of 400 days ago each.
"""

import asyncio
import time
from datetime import timedelta

import sqlalchemy as sa

from bench.firing import folder
from bench.kit import Row
from bench.replanning import START
from bench.stage import file_url, matters, numbered, stage
from jobs import housekeeping
from reminder.clock import ManualClock
from reminder.runtime import Runtime
from reminder.store import cases
from reminder.store.database import Database
from tests.postgres import server

EACH = 100
"""Messages of a case, every second of which left."""

_TABLES = ("reminders", "attempts", "receipts", "questions")


async def fill(rt: Runtime, n: int) -> list[int]:
    """Cases that have ended, and `n` messages of theirs in the order they fell due, a case's not together."""
    made = await matters(rt, n // EACH)
    ended = "UPDATE cases SET status = 'archived'"
    words = "zeroblob(300)" if rt.db.sqlite else "decode(repeat('00', 300), 'hex')"
    when = "'2026-03-02 01:00:00.000000'" if rt.db.sqlite else "timestamptz '2026-03-02 01:00Z'"
    old = (
        "INSERT INTO reminders (key, case_id, person_id, channel, kind, state, due_at, send_after, sent_at, "
        f"ended_at, attempts, told, detail) {numbered(rt.db, 0, n - 1)} "
        "SELECT n || '/1/T-1/person-1/telegram', "
        f"{made[0]} + n % {len(made)}, 1, 'telegram', 'digest', "
        "CASE WHEN n % 2 = 0 THEN 'sent' ELSE 'merged' END, "
        f"{when}, {when}, {when}, {when}, 1, '{{}}', '{{}}' FROM s ORDER BY n"
    )
    left = (
        "INSERT INTO attempts (token, reminder_id, started_at, ended_at, outcome, sealed) "
        f"SELECT 'token-of-some-length-' || id, id, {when}, {when}, 'accepted', {words} FROM reminders "
        "WHERE state = 'sent' ORDER BY id"
    )
    newest = (
        "INSERT INTO reminders (key, channel, kind, due_at, send_after, told, detail) "
        f"SELECT 'newest', 'sms', 'received', {when}, {when}, '{{}}', '{{}}'"
    )
    async with rt.db.write() as tx:
        for statement in (ended, old, left, newest):
            await tx.execute(sa.text(statement))
    return made


async def size(db: Database, prefix: str = "") -> int:
    """Bytes of the tables of messages and their indexes."""
    async with db.read() as tx:
        names = [prefix + name for name in _TABLES]
        if not db.sqlite:
            each = "FROM unnest(CAST(:names AS text[])) AS name"
            whole = sa.text(f"SELECT sum(pg_total_relation_size(CAST(name AS regclass))) {each}")
            return int((await tx.execute(whole, {"names": names})).scalar_one())
        pages = sa.text(
            "SELECT coalesce(sum(pgsize - unused), 0) FROM dbstat WHERE name IN "
            "(SELECT name FROM sqlite_master WHERE tbl_name IN :names)"
        ).bindparams(sa.bindparam("names", expanding=True))
        return int((await tx.execute(pages, {"names": names})).scalar_one())


async def others(db: Database, over: asyncio.Event) -> list[float]:
    """Milliseconds in which somebody else writes something small, once every ten, until it is over."""
    taken = []
    while not over.is_set():
        begun = time.perf_counter()
        async with db.write() as tx:
            await tx.execute(sa.text("UPDATE people SET active = true WHERE id = 1"))
        taken.append(1000 * (time.perf_counter() - begun))
        await asyncio.sleep(0.01)
    return sorted(taken)


async def put_away(rt: Runtime) -> float:
    """Messages a second, by the job itself, round after round."""
    moved, begun = 0, time.perf_counter()
    while now := await housekeeping._archive(rt, START.date()):
        moved += now
    return moved / (time.perf_counter() - begun)


async def taken_up(db: Database, case_id: int) -> float:
    """Milliseconds to lock a case, its messages brought back."""
    begun = time.perf_counter()
    async with db.write() as tx:
        await cases.lock(tx, case_id)
    return 1000 * (time.perf_counter() - begun)


async def measured(name: str, url: str, n: int) -> list[Row]:
    clock = ManualClock(START)
    async with stage(url, clock=clock) as (rt, _):
        made = await fill(rt, n)
        clock.advance(housekeeping.MESSAGES_KEPT + timedelta(days=1))
        before, over = await size(rt.db), asyncio.Event()
        beside = asyncio.create_task(others(rt.db, over))
        rate = await put_away(rt)
        over.set()
        waits = await beside
        after = await size(rt.db, "archived_")
        back = [await taken_up(rt.db, case_id) for case_id in made[:20]]
    what = f"{name}, {n:,} old messages archived"
    return [
        Row(work=what, ours=rate, unit="/s"),
        Row(
            work=f"{what}: somebody else's small transaction meanwhile",
            ours=waits[-1],
            unit="ms at most",
            less=True,
            note=f"half of {len(waits)} within {waits[len(waits) // 2]:.1f} ms",
        ),
        Row(
            work=f"{what}: bytes of a message",
            ours=after / n,
            unit="bytes",
            peer="among those of the day",
            theirs=before / n,
            less=True,
        ),
        Row(work=f"{name}, a case of {EACH} archived messages taken up", ours=sorted(back)[10], unit="ms"),
    ]


def rows(*, full: bool = False) -> list[Row]:
    n = 1_000_000 if full else 50_000
    with folder() as place:
        found = asyncio.run(measured("SQLite", file_url(place), n))
    with server(durable=True) as base:
        if base is not None:
            found += asyncio.run(measured("PostgreSQL", base.url(base.create()), n))
    return found
