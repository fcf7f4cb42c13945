"""A whole scenario: a death at every boundary, each survived; sampled, a second one in the recovery."""

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.office import templates
from tests.proofs.boundaries import Reference, Remains, Scenario, judged, reference_of, walk
from tests.proofs.morning import FILES, MONDAY
from tests.proofs.outside import Outside


@dataclass(kw_only=True)
class Survey:
    name: str
    boundaries: int = 0
    """Statements, commits, calls, effects and replies that one run passes."""
    deaths: int = 0
    """Different remains that were taken up."""
    second: int = 0
    """Deaths in a recovery that were taken up."""
    sent: int = 0
    faults: list[str] = field(default_factory=list)


def marks() -> tuple[str, ...]:
    return tuple(templates().word("repeat_mark", lang) for lang in templates().languages)


async def survey(
    scenario: Scenario, folder: Path, *, seed: int = 1, double: int = 0, begin: int = 0
) -> Survey:
    """Deaths from the act number `begin` on.

    `double` recoveries, chosen by `seed`, are broken off themselves at three of their boundaries.
    """
    dice = random.Random(f"{seed}:{scenario.name}")
    main = folder / "main"
    main.mkdir(parents=True)
    await FILES.copy_to(main)
    _fold(main / "reminder.db")
    first = await walk(scenario, main, Outside.at(MONDAY), began=MONDAY, keep=True, seed=seed, begin=begin)
    assert first.world is not None
    assert first.rt is not None
    found = Survey(name=scenario.name, boundaries=first.passed)
    found.sent = len(first.world.sms.ledger) + len(first.world.chat.ledger)
    reference = await reference_of(first)
    found.faults = [f"without a death: {x}" for x in await judged(first, reference, marks())]
    await first.rt.db.close()
    twice = set(dice.sample(range(len(first.found)), min(double, len(first.found))))
    for n, remains in enumerate(first.found):
        again = await _recovered(found, scenario, remains, reference, keep=n in twice, seed=seed)
        found.deaths += 1
        for second in dice.sample(again, min(3, len(again))):
            second.where = f"{remains.where}, then {second.where}"
            await _recovered(found, scenario, second, reference, seed=seed)
            found.second += 1
        shutil.rmtree(remains.folder)
    shutil.rmtree(folder)
    return found


async def _recovered(
    found: Survey,
    scenario: Scenario,
    remains: Remains,
    reference: Reference,
    *,
    seed: int,
    keep: bool = False,
) -> list[Remains]:
    again = await walk(
        scenario, remains.folder, remains.world, began=MONDAY, step=remains.step, keep=keep, seed=seed
    )
    assert again.rt is not None
    faults = await judged(again, reference, marks())
    await again.rt.db.close()
    found.faults += [f"{scenario.name}, death at {remains.where}: {fault}" for fault in faults]
    return again.found


def _fold(file: Path) -> None:
    """Everything into the one file, so that the run's own log of writes begins empty."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
