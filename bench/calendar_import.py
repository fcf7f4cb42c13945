"""How long does a year of rest days take over all open cases? Run it: python -m bench.calendar_import [n]."""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.planning import desk_at, facts
from reminder.actions import calendar_import
from reminder.actions.desk import Actor
from reminder.actions.people import ensure_admin
from reminder.actions.replan_all import replan_all
from reminder.clock import ManualClock
from reminder.domain.cases import Fact
from reminder.runtime import Runtime
from reminder.store import cases
from reminder.store.database import Database
from reminder.store.migrations import migrate

AUTUMN = timedelta(days=266)
"""From the spring of the planning benchmark to late November: sixty days reach into next year."""

NOW = datetime(2026, 12, 14, 1, tzinfo=UTC)
HOLIDAYS = [date(2027, 1, 1), *(date(2027, 2, 8) + timedelta(days=n) for n in range(4)), date(2027, 10, 1)]


def a_year(*more: date) -> bytes:
    rows = [f"{day.isoformat()},rest,holiday" for day in sorted({*HOLIDAYS, *more})]
    return "\n".join(["date,kind,name", *rows, "2027,confirmed,", ""]).encode()


JANUARY = tuple(date(2027, 1, 18) + timedelta(days=n) for n in range(26))
"""Days on which the limits of these cases end: the worst case, for every one of them moves."""


def later(fact: Fact) -> Fact:
    times = {"at": fact.at + AUTUMN, "recorded_at": fact.recorded_at + AUTUMN}
    return Fact(event=fact.event, subject=fact.subject, value=fact.value, **times)


async def measured(rt: Runtime, word: str, content: bytes) -> None:
    begun, busy = time.perf_counter(), time.process_time()
    shown = await calendar_import.try_out(rt, Actor(), "2027.csv", content, lang="en")
    middle, middle_busy = time.perf_counter(), time.process_time()
    changed = await calendar_import.apply(rt, Actor(), shown)
    ends, ends_busy = time.perf_counter(), time.process_time()
    n = shown.cases
    moved, firm = len(shown.moved), shown.firm
    print(f"{word}: {n} open cases, {moved} dates move, {firm} firm, {changed} cases change")
    parts = {
        "shown": (middle - begun, middle_busy - busy),
        "applied": (ends - middle, ends_busy - middle_busy),
    }
    for part, (wall, cpu) in parts.items():
        each, worked = 1000 * wall / n, 1000 * cpu / n
        print(f"  {part}: {wall:.1f} s ({cpu:.1f} s CPU), {each:.2f} ms a case ({worked:.2f} CPU)")


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with tempfile.TemporaryDirectory() as folder:
        desk = desk_at(ManualClock(NOW))
        rt = Runtime(db=Database(f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"), desk=desk)
        await migrate(rt.db)
        protocol, made = desk.protocol("ordinary"), []
        async with rt.db.write() as tx:
            admin = await ensure_admin(tx, desk)
            for number in range(count):
                values = {"number": f"26{number:05d}0", "handler_id": admin, "opened_at": NOW}
                case_id = await cases.insert(
                    tx, protocol=protocol.key, protocol_version=protocol.version, **values
                )
                await cases.add_facts(tx, case_id, [later(fact) for fact in facts(number)])
                made.append(case_id)
        await replan_all(rt.db, desk, made)
        await measured(rt, "the year as it was thought to be", a_year())
        await measured(rt, "a year that moves every date", a_year(*JANUARY))
        await measured(rt, "the same again", a_year(*JANUARY))
        await rt.db.close()


if __name__ == "__main__":
    asyncio.run(main())
