"""Several offices on one database, none held back by the run lock, stopped and let go again."""

import asyncio
import os
import random
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port
from tests.proofs.deaths import judged
from tests.proofs.morning import IN_A_FILE, RATE, Process, Setting, live, morning, start

LONGEST = 120
"""Office seconds for which one of them stands still."""


@dataclass(kw_only=True)
class Rivalry:
    offices: int
    stops: int = 0
    faults: list[str] = field(default_factory=list)


async def rivalry(folder: Path, offices: int, dice: random.Random, setting: Setting = IN_A_FILE) -> Rivalry:
    """One morning of so many offices at once; what the phones received is judged as after a death."""
    found = Rivalry(offices=offices)
    try:
        async with morning(folder, setting) as run:
            rivals = [start(run, locked=False, port=run.order.port if n == 0 else free_port())
                      for n in range(offices)]  # fmt: skip
            stopping = asyncio.create_task(_stop_and_go(found, rivals, dice))
            try:
                if not await live(run, *rivals):
                    said = [(await process.end())[-2000:] for process in rivals if process.died]
                    found.faults.append(f"one of them ended: {said}")
                found.faults += (await judged(run, f"{offices} offices", found.stops)).faults
            finally:
                stopping.cancel()
                await asyncio.gather(stopping, return_exceptions=True)
                for process in rivals:
                    await process.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


async def _stop_and_go(found: Rivalry, rivals: list[Process], dice: random.Random) -> None:
    while True:
        await asyncio.sleep(dice.uniform(0, 0.4))
        one = dice.choice(rivals)
        if one.died is not None or one.pid is None:
            continue
        os.kill(one.pid, signal.SIGSTOP)
        found.stops += 1
        try:
            await asyncio.sleep(dice.uniform(0, LONGEST / RATE))
        finally:
            os.kill(one.pid, signal.SIGCONT)
