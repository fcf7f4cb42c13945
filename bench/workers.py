"""What do further workers add on one PostgreSQL, and what does a message cost the server?

`python -m bench workers`. A burst falls due at one instant; one, two and four workers wait for it: the
cluster's own engine, jobs and turns, with providers that do nothing and no rates. `URL LEDGER OFFSET`, as a
program, is such a worker, until it is killed.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench.crashing import counted, sent, spawn
from bench.firing import folder
from bench.kit import Row
from bench.replanning import START
from bench.restart import worked
from bench.stage import TEN, Null, Shifted, matters, plan, stage
from reminder.actions.direct import tell
from reminder.channels.bots import Bots
from reminder.channels.memory import MemoryChat
from reminder.clock import ManualClock
from reminder.cluster import Cluster
from reminder.domain.messages import Answer, Outgoing
from reminder.runtime import Runtime
from reminder.store import people
from reminder.valves import Turns
from reminder.workers import announcing, conninfo, jobs_of
from tests.postgres import Server, server

SOME_TIME_AFTER = START + 3 * TEN
"""The workers' clock begins past the half minute in which a deed can be taken back."""

FAR = "interval '100 years'"
"""What is to fall due at one instant is put off for so long until then."""

AWAITED = (("agenda", "due_at"), ("reminders", "send_after"))

STARTING = 60.0
"""Seconds the workers may take to start."""

SETTLED = 2.0
"""Seconds of ticks before the burst."""

QUIET = 15.0
"""Seconds without a message after which we take it that none will come; a turn left behind lasts ten."""

CROWDS = (1, 2, 4)
BOTS = (None, 1, 2, 3)


# A worker


@dataclass(slots=True, kw_only=True)
class NullChat(MemoryChat):
    """A bot that takes everything on at once, and tells the same ledger as texts do."""

    null: Null

    async def send(self, message: Outgoing) -> Answer:
        return await self.null.send(message)


async def main() -> None:
    url, ledger, offset = sys.argv[1:]
    clock = Shifted(timedelta(seconds=float(offset)))
    async with stage(url, clock=clock, ledger=Path(ledger), shared=True) as (base, sms):
        bots = Bots({bot: NullChat(now=clock.now, null=sms) for bot in BOTS})
        me = f"{socket.gethostname()} {os.getpid()}"
        rt = announcing(replace(base, chat=bots, turns=Turns(me=me)))
        Cluster(jobs_of(rt), conninfo=conninfo(url), meters=rt.meters).start()
        await asyncio.Event().wait()


# The burst


@dataclass(frozen=True, kw_only=True)
class Office:
    """`chats` of its `n` messages go to colleagues, who are spread over the bots; the others are texts."""

    called: str
    n: int
    chats: int = 0
    why: str


async def build(url: str, office: Office) -> None:
    """Everything planned and put off; texts become rows only when they fall due."""
    async with stage(url, clock=ManualClock(START)) as (rt, _):
        await plan(rt, await matters(rt, office.n - office.chats))
        await _tell(rt, office.chats)
        async with rt.db.write() as tx:
            for table, column in AWAITED:
                put = f"UPDATE {table} SET {column} = {column} + {FAR} WHERE {column} <= :soon"
                await tx.execute(sa.text(put), {"soon": START + TEN})
            await tx.execute(sa.text("ANALYZE"))


async def _tell(rt: Runtime, n: int) -> None:
    """A message to each of `n` colleagues."""
    async with rt.db.write() as tx:
        unit = await people.add_unit(tx, name="U", kind="township", parent_id=None)
        readers = []
        for k in range(n):
            chat = {"chat_id": 10_000 + k, "bot": BOTS[k % len(BOTS)]}
            readers.append(await people.add_person(tx, name=f"P{k}", unit_id=unit, roles=(), **chat))
        staff = await people.staff(tx)
        for k, reader in enumerate(readers):
            about = {"key": f"burst:{k}", "at": START, "detail": {"n": 1, "lines": str(k)}}
            await tell(tx, rt.desk, staff.people[reader], "gaps", **about)  # type: ignore[arg-type]


def fall_due(base: Server, name: str) -> float:
    """All of it, in one transaction. Returns when."""
    puts = (f"UPDATE {t} SET {at} = {at} - {FAR} WHERE {at} > '2100-01-01'" for t, at in AWAITED)
    base.sql(f"BEGIN; {'; '.join(puts)}; COMMIT", name)
    return time.time()


@dataclass(frozen=True, kw_only=True)
class Work:
    """Of the server and of the workers, so far."""

    transactions: int
    statements: int | None
    """None: the server has nothing to count them with."""
    wal: int
    server: float
    workers: float

    def since(self, before: "Work") -> "Work":
        counted = None
        if self.statements is not None and before.statements is not None:
            counted = self.statements - before.statements
        return Work(
            transactions=self.transactions - before.transactions,
            statements=counted,
            wal=self.wal - before.wal,
            server=self.server - before.server,
            workers=self.workers - before.workers,
        )


@dataclass(frozen=True, kw_only=True)
class Burst:
    """What came of one."""

    lost: int
    twice: int
    first: float
    """Seconds from due to the first message."""
    seconds: float
    """From the first message to the last."""
    busiest: float
    """The part of all messages that one worker sent."""
    work: Work


Crowd = list["subprocess.Popen[bytes]"]


@contextmanager
def crowd_of(number: int, url: str, ledger: Path) -> Iterator[Crowd]:
    offset = (SOME_TIME_AFTER - datetime.now(UTC)).total_seconds()
    made = [spawn("bench.workers", url, str(ledger), str(offset)) for _ in range(number)]
    try:
        yield made
    finally:
        for process in made:
            process.kill()
            process.wait()


def fired(base: Server, template: str, office: Office, number: int) -> Burst:
    name = base.copy(template)
    with folder() as place:
        ledger = place / "ledger"
        with crowd_of(number, base.url(name), ledger) as crowd:
            _started(base, name, number)
            before = work(base, name, crowd)
            due = fall_due(base, name)
            _wait(ledger, office.n)
            after = work(base, name, crowd)
            time.sleep(2)  # what goes twice goes now
        lost, twice = counted(office.n, sent(ledger))
        lines = [line.split() for line in ledger.read_text().splitlines()]
    base.drop(name)
    times = sorted(float(line[1]) for line in lines)
    return Burst(
        lost=lost,
        twice=twice,
        first=times[0] - due,
        seconds=times[-1] - times[0],
        busiest=max(Counter(line[2] for line in lines).values()) / len(lines),
        work=after.since(before),
    )


def _started(base: Server, name: str, number: int) -> None:
    """Wait for the engine of each, and then for its first ticks."""
    begun = time.monotonic()
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
    while int(base.sql(query)) < number:
        assert time.monotonic() - begun < STARTING, "a worker does not start"
        time.sleep(0.2)
    time.sleep(SETTLED)


def _wait(ledger: Path, n: int) -> None:
    known, since = 0, time.monotonic()
    while time.monotonic() - since < QUIET:
        found = ledger.read_bytes().count(b"\n") if ledger.exists() else 0
        if found >= n:
            time.sleep(0.5)  # the last results are written
            return
        if found != known:
            known, since = found, time.monotonic()
        time.sleep(0.05)


# What it costs


def counting(base: Server) -> None:
    """Have the server count statements, if it has what counts them."""
    if base.sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'"):
        base.sql("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        base.control("restart", "-m", "fast")
        base.sql("CREATE EXTENSION pg_stat_statements")


def work(base: Server, name: str, crowd: Crowd) -> Work:
    found = base.sql(f"SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{name}'")
    statements = None
    with suppress(RuntimeError):
        query = f"""SELECT sum(calls) FROM pg_stat_statements
                    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = '{name}')"""
        statements = int(base.sql(query))
    return Work(
        transactions=int(found),
        statements=statements,
        wal=int(base.sql("SELECT (pg_current_wal_lsn() - '0/0')::bigint")),
        server=server_cpu(base),
        workers=sum(worked(process.pid) for process in crowd),
    )


def server_cpu(base: Server) -> float:
    """Seconds so far, of those of its processes that have ended too."""
    pid = int((base.data / "postmaster.pid").read_text().split()[0])
    total = 0.0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # it ends just now
            total += worked(int(child))
    ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
    return total + worked(pid) + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")


# The rows


@dataclass(frozen=True, kw_only=True)
class Bursts:
    """Of one office, by the number of workers, some rounds of each; the median counts."""

    office: Office
    by: dict[int, list[Burst]]

    def rate(self, number: int) -> float:
        return self.office.n / self._median(number, lambda one: one.seconds)

    def each(self, number: int, what: Callable[[Work], float]) -> float:
        """Of a message."""
        return self._median(number, lambda one: what(one.work)) / self.office.n

    def cpu(self, number: int) -> float:
        """Microseconds a message, of workers and server."""
        return 1e6 * self.each(number, lambda one: one.workers + one.server)

    def _median(self, number: int, what: Callable[[Burst], float]) -> float:
        return statistics.median(what(one) for one in self.by[number])

    def rows(self) -> list[Row]:
        what = f"PostgreSQL, {self.office.called}"
        every = [one for bursts in self.by.values() for one in bursts]
        against = {"unit": "/s", "peer": "one worker", "theirs": self.rate(1)}
        lost, twice = sum(one.lost for one in every), sum(one.twice for one in every)
        none = {"unit": "", "goal": 0, "less": True}
        first = self._median(1, lambda one: one.first)
        return [
            Row(work=f"{what}: two workers", ours=self.rate(2), **against, goal=1.6, note=self._why()),
            Row(work=f"{what}: four workers", ours=self.rate(4), **against),
            Row(work=f"{what}: lost, in {len(every)} bursts", ours=lost, **none),
            Row(work=f"{what}: twice, in {len(every)} bursts", ours=twice, **none),
            Row(work=f"{what}: from due to the first", ours=first, unit="s"),
            *self._costs(what),
        ]

    def _costs(self, what: str) -> list[Row]:
        found = []
        if self.by[1][0].work.statements is not None:
            statements = self.each(1, lambda one: one.statements or 0)
            found.append(Row(work=f"{what}: statements", ours=statements, unit="a message"))
        for called, unit, of in COSTS:
            found.append(
                Row(work=f"{what}: {called}", ours=self.each(1, of), unit=f"{unit} a message".strip())
            )
        return found

    def _why(self) -> str:
        cores, busiest = os.cpu_count() or 1, self._median(2, lambda one: one.busiest)
        bound = cores * 1e6 / self.cpu(2)
        return (
            f"{self.office.why}; of two workers the busier sent {busiest:.0%}. PostgreSQL is on the same "
            f"{cores} cores, and a message takes {self.cpu(2):,.0f} µs of them, the server's included. That "
            f"is {bound:,.0f} a second at most, {bound / self.rate(1):.2g}× what one worker does"
        )


COSTS: tuple[tuple[str, str, Callable[[Work], float]], ...] = (
    ("transactions", "", lambda one: one.transactions),
    ("the server's CPU", "µs", lambda one: 1e6 * one.server),
    ("the worker's CPU", "µs", lambda one: 1e6 * one.workers),
    ("log written", "KB", lambda one: one.wal / 1000),
)


def rows(*, full: bool = False) -> list[Row]:
    n, rounds = (20_000, 3) if full else (4_000, 2)
    offices = (
        Office(
            called=f"{n:,} texts by one number",
            n=n,
            why="One number is one turn, so one worker at a time sends by it and the others write rows",
        ),
        Office(
            called=f"{n:,} texts and {n:,} by four bots",
            n=2 * n,
            chats=n,
            why="Each bot is a job and texts are another: five to share out",
        ),
    )
    found: list[Row] = []
    with server(durable=True) as base:
        if base is None:
            print("  no PostgreSQL on this machine: left out")
            return found
        counting(base)
        for office in offices:
            template = base.create()
            asyncio.run(build(base.url(template), office))
            by: dict[int, list[Burst]] = {number: [] for number in CROWDS}
            for _ in range(rounds):
                for number, bursts in by.items():
                    bursts.append(fired(base, template, office, number))
            found += Bursts(office=office, by=by).rows()
    return found


if __name__ == "__main__":
    asyncio.run(main())
