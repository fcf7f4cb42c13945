"""The program's own timetable on a database, with a provider that does nothing: python -m bench.worker.

`URL LEDGER OFFSET [REPORT]`: serves until it is killed; OFFSET seconds move its clock. Every second it writes
how much memory and CPU it has taken to REPORT.
"""

import asyncio
import sys
import time
from datetime import timedelta
from pathlib import Path

from bench.kit import memory, say
from bench.stage import Shifted, stage
from jobs.timetable import TIMETABLE
from reminder.app import scheduled


async def main() -> None:
    url, ledger, offset, *report = sys.argv[1:]
    clock = Shifted(timedelta(seconds=float(offset)))
    async with stage(url, clock=clock, ledger=Path(ledger)) as (rt, sms):
        _, scheduler = scheduled(rt, TIMETABLE)
        scheduler.start()
        while True:
            if report:
                found = {"memory": memory(), "cpu": time.process_time(), "sent": sms.count}
                say(Path(report[0]), found)
            await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main())
