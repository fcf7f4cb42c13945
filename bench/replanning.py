"""What does replanning cost, one case and all open ones after new holidays (python -m bench.replanning N)?"""

import asyncio
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from bench.planning import START, desk_at, facts
from reminder.actions.calendars import marked
from reminder.actions.desk import Desk
from reminder.actions.people import ensure_admin
from reminder.actions.replan import replan
from reminder.actions.replan_all import replan_all
from reminder.clock import ManualClock
from reminder.domain.workdays import DayMark, MarkKind
from reminder.store import cases
from reminder.store.database import Database
from reminder.store.migrations import migrate

NOW = START + timedelta(hours=500)
SHUT = [date(2026, 4, 27) + timedelta(days=n) for n in range(50)]
"""Seven weeks that become holidays: the worst case, for no open case keeps all its dates."""


async def open_cases(db: Database, desk: Desk, count: int) -> list[int]:
    """Cases with five facts each, not yet planned."""
    protocol = desk.protocol("ordinary")
    made = []
    async with db.write() as tx:
        admin = await ensure_admin(tx, desk)
        for number in range(count):
            values = {"number": f"26{number:05d}0", "handler_id": admin, "opened_at": START}
            case_id = await cases.insert(
                tx, protocol=protocol.key, protocol_version=protocol.version, **values
            )
            await cases.add_facts(tx, case_id, facts(number))
            made.append(case_id)
    return made


async def each_in_its_own(db: Database, desk: Desk, ids: list[int]) -> tuple[float, float]:
    """Milliseconds of CPU and of waiting per case."""
    cpu, wall = time.process_time(), time.perf_counter()
    for case_id in ids:
        async with db.write() as tx:
            await replan(tx, desk, case_id)
    return 1000 * (time.process_time() - cpu) / len(ids), 1000 * (time.perf_counter() - wall) / len(ids)


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    desk = desk_at(ManualClock(NOW))
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}")
        await migrate(db)
        made = await open_cases(db, desk, count)
        sample = made[:300]
        await each_in_its_own(db, desk, sample)
        cpu, wall = await each_in_its_own(db, desk, sample)
        print(f"one case, nothing changed: {cpu:.2f} ms CPU, {wall:.2f} ms with its transaction")
        shut = marked(desk, {day: DayMark(kind=MarkKind.REST) for day in SHUT})
        for word, at in (
            ("first entries", desk),
            ("nothing changed", desk),
            ("holidays", shut),
        ):
            begun, busy = time.perf_counter(), time.process_time()
            changed = await replan_all(db, at, made)
            seconds, busy = time.perf_counter() - begun, time.process_time() - busy
            print(f"{count} open cases, {word}: {seconds:.1f} s ({busy:.1f} s CPU), {changed} changed")
        await db.close()


if __name__ == "__main__":
    asyncio.run(main())
