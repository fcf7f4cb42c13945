"""What would a queue, a body and appended outcomes bring over one row a message, in SQL alone?

`python -m bench layout`, and only when it is named. Both layouts lie in one database and take turns, on the
same messages: their rows written, claimed in batches with intent and sealed words, their outcomes written,
each batch a durable transaction. Ours are the functions of `reminder/store` on its own tables, the other
is `bench/split.py`. They come as they do with us, written when they fall due, behind so many that have gone;
and in any order, among so many that wait.
"""

import asyncio
import gc
import os
import secrets
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import split
from bench.firing import folder
from bench.kit import Row, kept, said
from bench.layouts import CASES, ENTRIES, LOOK, ORDERS, Layout, Order, Ours, Spent, Split, row_of
from bench.planning import START
from bench.restart import worked
from bench.stage import file_url
from reminder.floors import MARGIN
from reminder.store import tables as t
from reminder.store.database import Database
from reminder.store.departures import Departure
from reminder.store.holds import BEGINNING
from reminder.store.migrations import migrate
from tests.postgres import Server, server

N, ROUNDS = 10_000, 5
"""Messages of one round of one layout."""

SEALED = 300
"""Bytes of a message's words."""

BATCHES = (256, 500)
WRITTEN = 500
"""Rows that one transaction writes: so many entries fall due in it at the most."""

PHASES = ("insert", "claim and intent", "outcome")


# One round


@dataclass(frozen=True, kw_only=True)
class Place:
    """A database, how its log is put away, what has been written to it, and its server's CPU so far."""

    db: Database
    settle: Callable[[], None]
    wrote: Callable[[], Awaitable[int]]
    busy: Callable[[], Awaitable[float]]


async def write(db: Database, layout: Layout, rows: Sequence[Mapping[str, Any]], spent: Spent) -> None:
    for first in range(0, len(rows), WRITTEN):
        with spent.on("insert"):
            async with db.write() as tx:
                await layout.add_all(tx, rows[first : first + WRITTEN])


async def send(db: Database, layout: Layout, batch: int, spent: Spent) -> None:
    """So many as there are in `spent`, earliest first."""
    words = [(_token(), os.urandom(SEALED)) for _ in range(spent.n)]
    since = BEGINNING
    while words:
        with spent.on("claim and intent"):
            async with db.write() as tx:
                first, found = await layout.ready(tx, min(batch, len(words)), since)
                leaving = [
                    Departure(reminder_id=one.id, token=token, n=1, told={}, sealed=sealed)
                    for one, (token, sealed) in zip(found, words, strict=False)
                ]
                await layout.leave(tx, leaving)
        with spent.on("outcome"):
            async with db.write() as tx:
                await layout.taken_on(tx, leaving, spent)
        del words[: len(leaving)]
        if not db.sqlite:
            since = first - MARGIN


def _token() -> str:
    """As `Desk.new_attempt` makes it."""
    return f"{time.time_ns() // 1_000_000:011x}-{secrets.token_urlsafe(24)}"


async def round_of(
    place: Place, layout: Layout, rows: Sequence[Mapping[str, Any]], batch: int, *, gone: int | None = None
) -> Spent:
    """Write the rows, and send as many, or `gone`, of what is ready then."""
    spent = Spent(n=len(rows) if gone is None else gone or 1)
    place.settle()
    gc.collect()
    busy, before = await place.busy(), await place.wrote()
    await write(place.db, layout, rows, spent)
    between = await place.wrote()
    if gone != 0:
        await send(place.db, layout, batch, spent)
    spent.wrote = {
        "insert": (between - before) / spent.n,
        "sent": (await place.wrote() - between) / spent.n,
    }
    spent.server = (await place.busy() - busy) / spent.n * 1e6
    return spent


# All rounds


Found = dict[tuple[int, str], list[Spent]]
"""Rounds by batch and layout."""


async def measured(place: Place, order: Order, before: int) -> Found:
    layouts: list[Layout] = [Ours(), Split()]
    await migrate(place.db)
    await split.create(place.db)
    await office(place.db)
    for first in range(0, before, N):
        rows = [row_of(order, n) for n in range(first, min(before, first + N))]
        for layout in layouts:
            await round_of(place, layout, rows, 2_000, gone=len(rows) if order.gone else 0)
    if not place.db.sqlite:
        async with place.db.writer.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(sa.text("VACUUM ANALYZE"))
    found: Found = {}
    done = before
    for _ in range(ROUNDS):
        for batch in BATCHES:
            rows = [row_of(order, n) for n in range(done, done + N)]
            for layout in layouts:
                found.setdefault((batch, layout.called), []).append(
                    await round_of(place, layout, rows, batch)
                )
            done += N
        layouts.reverse()
    sent = ROUNDS * len(BATCHES) * N + (before if order.gone else 0)
    await agree(place.db, sent=sent, waiting=done - sent)
    return found


async def office(db: Database) -> None:
    """What the rows refer to: cases with entries, and a resident with a number each."""
    numbers = range(1, CASES + 1)
    async with db.write() as tx:
        cases = [{"id": n, "number": f"26{n:06d}0", "opened_at": START} for n in numbers]
        await tx.execute(sa.insert(t.cases), cases)
        await tx.execute(sa.insert(t.residents), [{"id": n, "name": f"R{n}"} for n in numbers])
        phones = [{"id": n, "uid": f"u{n}", "sealed": b"", "blind": f"b{n}"} for n in numbers]
        await tx.execute(sa.insert(t.phones), phones)
        entries = [
            {"id": (n - 1) * ENTRIES + k, "case_id": n, "key": f"later:{k}", "since": START, "detail": {}}
            | {"anchor_at": START}
            for n in numbers
            for k in range(1, ENTRIES + 1)
        ]
        await tx.execute(sa.insert(t.entries), entries)


async def agree(db: Database, *, sent: int, waiting: int) -> None:
    """Both have sent the same, each once, and what they have not sent waits."""
    async with db.read() as tx:
        ours, theirs = [list((await tx.execute(sa.text(query))).scalars()) for query in _SENT]
        left = [(await tx.execute(sa.text(query))).scalar_one() for query in _LEFT]
    if len(ours) != sent or sorted(ours) != sorted(theirs) or len(set(ours)) != sent:
        raise RuntimeError(f"of {sent:,} ours has sent {len(ours):,}, the other {len(theirs):,}, or others")
    if left != [waiting, waiting]:
        raise RuntimeError(f"not {waiting:,} wait, but {left}")


_SENT = (
    "SELECT r.key FROM reminders r JOIN attempts a ON a.token = r.token AND a.reminder_id = r.id "
    "WHERE r.state = 'sent' AND a.outcome = 'accepted' AND a.provider_id = r.provider_id",
    "SELECT b.key FROM split_body b JOIN split_outcomes o ON o.reminder_id = b.id "
    "JOIN split_intents i ON i.token = o.token AND i.reminder_id = b.id WHERE o.state = 'sent'",
)
_LEFT = (
    "SELECT count(*) FROM reminders WHERE state = 'planned'",
    "SELECT count(*) FROM split_queue WHERE lease_until IS NULL",
)


# Places


def on_sqlite(order: Order, before: int) -> Found:
    async def wrote() -> int:
        return _handed_over()

    async def busy() -> float:
        return 0.0

    async def run(file: Path) -> Found:
        def settle() -> None:
            raw = sqlite3.connect(file / "bench.db")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()

        db = Database(file_url(file))
        try:
            place = Place(db=db, settle=settle, wrote=wrote, busy=busy)
            return await measured(place, order, before)
        finally:
            await db.close()

    with folder() as file:
        return asyncio.run(run(file))


def _handed_over() -> int:
    """Bytes this process gave to `write`: into the log, and from it into the file."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(told["wchar"])


def on_postgres(base: Server, order: Order, before: int) -> Found:
    async def run() -> Found:
        db = Database(base.url(base.create()))

        async def asked(what: str) -> int:
            async with db.write() as tx:
                return int((await tx.execute(sa.text(f"SELECT {what}"))).scalar_one())

        async def wrote() -> int:
            return await asked("pg_current_wal_lsn() - '0/0'::pg_lsn")

        async def busy() -> float:
            return worked(await asked("pg_backend_pid()"))

        try:
            place = Place(db=db, settle=lambda: _checkpoint(base), wrote=wrote, busy=busy)
            return await measured(place, order, before)
        finally:
            await db.close()

    return asyncio.run(run())


def _checkpoint(base: Server) -> None:
    """Each round begins behind one, so that each writes the pages it touches into the log as a whole once."""
    base.sql("CHECKPOINT")


# Figures


Of = Callable[[Spent], float]


def middle(rounds: Sequence[Spent], of: Of) -> float:
    return statistics.median(map(of, rounds))


def compared(where: str, order: Order, before: int, found: Found) -> list[Row]:
    rows: list[Row] = []
    for batch in BATCHES:
        sides = found[batch, "ours"], found[batch, "split"]
        what = f"{where}, {order.called}, by {batch}"
        figures = [*(_each_phase(what, *sides) if batch == BATCHES[0] else []), *_in_all(what, *sides)]
        rows += [*figures, *_saved(where, what, *sides)]
    state = "gone" if order.gone else "waiting"
    rows[-1] = replace(rows[-1], note=f"{before:,} {state}. {rows[-1].note}")
    return rows


def _row(what: str, unit: str, ours: Sequence[Spent], theirs: Sequence[Spent], of: Of) -> Row:
    return Row(
        work=what, ours=middle(ours, of), unit=unit, peer="split", theirs=middle(theirs, of), less=True
    )


def _each_phase(what: str, ours: Sequence[Spent], theirs: Sequence[Spent]) -> Iterator[Row]:
    for phase in PHASES:
        yield _row(f"{what}: {phase}", "µs", ours, theirs, lambda one, phase=phase: one.wall[phase])
        yield _row(f"{what}: {phase}, CPU", "µs", ours, theirs, lambda one, phase=phase: one.cpu[phase])
    look = middle(ours, lambda one: one.cpu[LOOK])
    yield Row(work=f"{what}: {LOOK}, a part of outcome, CPU", ours=look, unit="µs")
    yield _row(f"{what}: insert, written", "bytes", ours, theirs, lambda one: one.wrote["insert"])


def _in_all(what: str, ours: Sequence[Spent], theirs: Sequence[Spent]) -> Iterator[Row]:
    def row(name: str, unit: str, of: Of) -> Row:
        return _row(f"{what}: {name}", unit, ours, theirs, of)

    yield row("claim to outcome, written", "bytes", lambda one: one.wrote["sent"])
    yield row("in all", "µs", lambda one: sum(one.wall[phase] for phase in PHASES))
    yield row("in all, CPU", "µs", lambda one: sum(one.cpu[phase] for phase in PHASES))
    if any(one.server for one in ours):
        yield row("in all, CPU of the server", "µs", lambda one: one.server)


def _saved(where: str, what: str, ours: Sequence[Spent], theirs: Sequence[Spent]) -> list[Row]:
    """How much of a message's whole way from claim to outcome, as the bench `fire` has last found it."""
    held = kept().get("fire", {"rows": []})["rows"]
    whole = next((row["ours"] for row in held if row["work"] == f"{where}: {WAY}"), None)
    if whole is None:
        return []

    def way(one: Spent) -> float:
        return one.cpu["claim and intent"] + one.cpu["outcome"]

    with_ours, with_theirs = middle(ours, way), middle(theirs, way)
    note = f"claim to outcome {said(with_ours)} and {said(with_theirs)} µs of {said(whole)}"
    share = 100 * (with_ours - with_theirs) / whole
    return [Row(work=f"{what}: CPU the other would save", ours=share, unit="% of the way", note=note)]


WAY = "claim, render, outcome: CPU"


def rows(*, full: bool = False) -> list[Row]:
    before = 1_000_000 if full else 300_000
    found: list[Row] = []
    for order in ORDERS:
        found += compared("SQLite", order, before, on_sqlite(order, before))
    with server(durable=True) as base:
        if base is None:
            print("  no PostgreSQL on this machine: left out")
            return found
        for order in ORDERS:
            found += compared("PostgreSQL", order, before, on_postgres(base, order, before))
    return found
