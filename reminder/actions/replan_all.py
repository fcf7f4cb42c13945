"""Many cases follow a change of the calendar: read by the hundred, written one transaction each."""

from collections.abc import Callable, Sequence

from reminder.actions.calendar_change import follow
from reminder.actions.desk import Desk
from reminder.actions.replan import behind, replan
from reminder.failpoints import failpoint
from reminder.store.database import Database

BATCH = 200
"""Cases read at once. Most follow no change of the calendar, and cost no transaction."""


def _unheard(_looked_at: int) -> None:
    pass


async def replan_all(
    db: Database, desk: Desk, case_ids: Sequence[int], said: Callable[[int], None] = _unheard
) -> int:
    """Replan the cases whose entries do not follow from their facts any more; returns how many those were.

    `said` hears after each batch how many cases have been looked at. Broken off, it may simply run again.
    """
    changed = 0
    for start in range(0, len(case_ids), BATCH):
        batch = case_ids[start : start + BATCH]
        async with db.read() as tx:
            late = await behind(tx, desk, batch)
        for case_id, (stood, moves) in late.items():
            async with db.write() as tx:
                if moves:
                    await follow(tx, desk, case_id, stood)
                else:
                    await replan(tx, desk, case_id)
            failpoint("calendar.after_case")
        changed += len(late)
        said(start + len(batch))
    return changed
