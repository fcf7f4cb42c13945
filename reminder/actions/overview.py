"""How does the whole office stand: what went out today, what failed, who has not joined, what comes next?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from reminder.actions.desk import Desk
from reminder.actions.oversight import Rungs, unreached
from reminder.actions.preview import Coming, texts_of
from reminder.domain.people import Person
from reminder.domain.reminders import State
from reminder.domain.workdays import at, local_day
from reminder.store import cases, entries, people
from reminder.store import overview as looked_up
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

_TROUBLE = (State.FAILED, State.DEAD, State.MISSED, State.UNDELIVERED, State.UNKNOWN)
"""Ends that somebody should look at."""


MOST = 1_000_000
"""Cases looked at where no limit is set; no office has so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Counts are of reminders that fell due since local midnight; trouble is what has ended since."""

    states: Mapping[str, int]
    trouble: Sequence[tuple[str, Reminder]]
    """Case number ("" for none) and row, newest first."""
    dead_letters: int
    waiting_letters: int
    provisional: int
    not_enrolled: Sequence[Person]
    rungs: Rungs
    """Roles nobody can be reached in today."""


async def overview(tx: Tx, desk: Desk, limit: int = 10) -> Overview:
    """Reads only."""
    zone = desk.office.zone
    midnight = at(local_day(desk.clock.now(), zone), time.min, zone)
    states: dict[str, int] = {}
    for (_, state), n in (await looked_up.counts(tx, midnight)).items():
        states[state] = states.get(state, 0) + n
    rows = await looked_up.ended_badly(tx, _TROUBLE, midnight)
    rows = rows[::-1][:limit]
    known = await cases.many(tx, sorted({r.case_id for r in rows if r.case_id is not None}))
    staff = await people.staff(tx)
    return Overview(
        states=states,
        trouble=[(known[r.case_id].case.number if r.case_id in known else "", r) for r in rows],
        dead_letters=await looked_up.letters(tx, "dead"),
        waiting_letters=await looked_up.letters(tx, "received"),
        provisional=await looked_up.provisional(tx),
        not_enrolled=[p for p in staff.people.values() if p.active and p.chat_id is None],
        rungs=await unreached(tx, desk),
    )


async def coming(
    tx: Tx, desk: Desk, until: datetime, *, most_cases: int | None = 200, unit: int | None = None
) -> list[tuple[str, Coming]]:
    """What will go until then, over the cases whose turn comes first: case number and message.

    `unit` keeps it to the cases of that unit and those below it.
    """
    most = most_cases if most_cases is not None else MOST
    due = await entries.due(tx, until, most * 4)
    of = await entries.cases_of(tx, [entry_id for entry_id, _ in due])
    waiting = await looked_up.cases_waiting(tx, until, most)
    ids = list(dict.fromkeys([*waiting, *(of[entry_id] for entry_id, _ in due)]))[:most]
    rows = await cases.many(tx, ids)
    staff = await people.staff(tx)
    found = [
        (rows[case_id].case.number, one)
        for case_id in ids
        if unit is None or staff.within(rows[case_id].unit_id, unit)
        for one in await texts_of(tx, desk, case_id, until=until)
    ]
    return sorted(found, key=lambda pair: (pair[1].at, pair[0]))
