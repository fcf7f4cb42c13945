"""How many cases a second are planned, in memory and durably on SQLite: python -m bench.planning."""

import asyncio
import itertools
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.kit import Row, line
from reminder.actions import cases
from reminder.actions.desk import Actor, Desk
from reminder.actions.people import ensure_admin
from reminder.actions.replan import replan
from reminder.app import new_desk
from reminder.clock import ManualClock
from reminder.domain.cases import Event, Fact, history
from reminder.domain.offices import Office
from reminder.domain.planning import next_step_at, steps
from reminder.domain.wanted import wanted
from reminder.domain.workdays import WorkCalendar
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.store.seal import Sealer

START = datetime(2026, 3, 2, 1, tzinfo=UTC)


def desk_at(clock: ManualClock) -> Desk:
    ids = itertools.count(1)
    return new_desk(
        lambda o: Office(zone=ZoneInfo("Asia/Shanghai"), calendar=o.over("CN"), name="Bench"),
        sealer=Sealer(b"b" * 32),
        clock=clock,
        new_id=lambda: f"bench-{next(ids)}",
    )


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


async def measured(count: int) -> tuple[float, float, float]:
    """Cases a second: in memory, registered, replanned with nothing changed."""
    clock = ManualClock(START)
    with tempfile.TemporaryDirectory() as folder:
        desk = desk_at(clock)
        protocol = desk.protocol("ordinary")
        office = desk.office_for(protocol)
        wanted(history(facts(0)), protocol, office)  # the calendar's tables are built once a year
        begun = time.perf_counter()
        for number in range(count * 5):
            for entry in wanted(history(facts(number)), protocol, office).values():
                milestone = protocol.milestone(entry.milestone)
                steps(entry, milestone, office, until=START + timedelta(days=90))
                next_step_at(entry, milestone, office, after=START)
        pure = count * 5 / (time.perf_counter() - begun)
        db = Database(f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}")
        await migrate(db)
        async with db.write() as tx:
            admin = await ensure_admin(tx, desk)
        made = []
        begun = time.perf_counter()
        for _ in range(count):
            async with db.write() as tx:
                new = cases.NewCase(protocol="ordinary", handler_id=admin)
                made.append((await cases.register(tx, desk, Actor(), new)).row.case.id)
        registered = count / (time.perf_counter() - begun)
        begun = time.perf_counter()
        for case_id in made:
            async with db.write() as tx:
                await replan(tx, desk, case_id)
        replanned = count / (time.perf_counter() - begun)
        await db.close()
    return pure, registered, replanned


def rows(*, full: bool = False) -> list[Row]:
    """Beside the arithmetic of one case: a loop that asks a holiday library about each day."""
    import chinese_calendar  # here, for others begin with this office and not with its rivals

    from bench import workdays

    pure, registered, replanned = asyncio.run(measured(10_000 if full else 1_000))
    found = [
        Row(work="planned in memory: entries, steps, next step", ours=pure, unit="cases/s"),
        Row(work="registered and planned, a transaction each", ours=registered, unit="cases/s", goal=500),
        Row(work="replanned, a transaction each", ours=replanned, unit="cases/s", goal=500),
    ]
    table, loop = workdays.by_table(WorkCalendar()), workdays.by_loop(chinese_calendar.is_workday)
    times = list(workdays.pairs(table, loop, workdays.ANCHORS))
    fast, slow = (1 / statistics.median(column) for column in zip(*times, strict=True))
    arithmetic = Row(
        work="the days of a case: 12 limits with 4 offsets",
        ours=fast,
        unit="cases/s",
        peer="chinesecalendar, day by day",
        theirs=slow,
        goal=1000,
    )
    return [arithmetic, *found]


def main() -> None:
    print(*map(line, rows()), sep="\n")


if __name__ == "__main__":
    main()
