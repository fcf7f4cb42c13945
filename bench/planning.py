"""How many cases a second are planned, in memory and durably on SQLite: python -m bench.planning."""

import asyncio
import itertools
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from reminder.actions import cases
from reminder.actions.desk import Actor
from reminder.actions.people import ensure_admin
from reminder.actions.replan import replan
from reminder.app import new_desk
from reminder.clock import ManualClock
from reminder.domain.cases import Event, Fact, history
from reminder.domain.offices import Office
from reminder.domain.planning import next_step_at, steps
from reminder.domain.wanted import wanted
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.store.seal import Sealer

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
CASES = 300


def facts(number: int) -> list[Fact]:
    at = START + timedelta(hours=number % 500)
    made = [
        (Event.RECEIVE, {}),
        (Event.REGISTER, {}),
        (Event.CONTACT, {}),
        (Event.ACCEPT, {}),
        (Event.NOTE, {"text": "x"}),
    ]
    return [
        Fact(event=event, at=at + timedelta(minutes=n), recorded_at=at + timedelta(minutes=n), value=value)
        for n, (event, value) in enumerate(made)
    ]


async def main() -> None:
    ids = itertools.count(1)
    clock = ManualClock(START)
    with tempfile.TemporaryDirectory() as folder:
        desk = new_desk(
            lambda o: Office(zone=ZoneInfo("Asia/Shanghai"), calendar=o.over("CN"), name="Bench"),
            sealer=Sealer(b"b" * 32),
            clock=clock,
            new_id=lambda: f"bench-{next(ids)}",
        )
        protocol = desk.protocol("ordinary")
        office = desk.office_for(protocol)
        wanted(history(facts(0)), protocol, office)  # the calendar's tables are built once a year
        begun = time.perf_counter()
        for number in range(CASES * 5):
            for entry in wanted(history(facts(number)), protocol, office).values():
                milestone = protocol.milestone(entry.milestone)
                steps(entry, milestone, office, until=START + timedelta(days=90))
                next_step_at(entry, milestone, office, after=START)
        pure = CASES * 5 / (time.perf_counter() - begun)
        db = Database(f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}")
        await migrate(db)
        async with db.write() as tx:
            admin = await ensure_admin(tx, desk)
        made = []
        begun = time.perf_counter()
        for _ in range(CASES):
            async with db.write() as tx:
                new = cases.NewCase(protocol="ordinary", handler_id=admin)
                made.append((await cases.register(tx, desk, Actor(), new)).row.case.id)
        registered = CASES / (time.perf_counter() - begun)
        begun = time.perf_counter()
        for case_id in made:
            async with db.write() as tx:
                await replan(tx, desk, case_id)
        replanned = CASES / (time.perf_counter() - begun)
        await db.close()
    print(f"planned in memory (entries, steps, next step): {pure:,.0f} cases/s")
    print(f"registered durably, one transaction each:      {registered:,.0f} cases/s")
    print(f"replanned durably, nothing changed:            {replanned:,.0f} cases/s")


if __name__ == "__main__":
    asyncio.run(main())
