"""Many cases follow a change of the calendar: read by the hundred, written by the score."""

from collections.abc import Callable, Mapping, Sequence

from reminder.actions.calendar_change import follow
from reminder.actions.desk import Desk
from reminder.actions.replan import NOTHING, Standing, behind
from reminder.failpoints import failpoint
from reminder.store import cases
from reminder.store.database import Database

BATCH = 200
"""Cases read at once. Most follow no change of the calendar, and cost no transaction."""

TOGETHER = 25
"""Cases written in one transaction: few enough that a cadre who writes meanwhile hardly waits."""


def _unheard(_looked_at: int) -> None:
    pass


async def replan_all(
    db: Database,
    desk: Desk,
    case_ids: Sequence[int],
    said: Callable[[int], None] = _unheard,
    *,
    shown: Mapping[int, Standing] = NOTHING,
) -> int:
    """Replan the cases whose entries do not follow from their facts any more; returns how many those were.

    `said` hears after each batch how many cases have been looked at. Broken off, it may simply run again.
    `shown` are cases as somebody has just read them: known to change, and not reckoned a second time.
    """
    changed = 0
    for start in range(0, len(case_ids), BATCH):
        batch = case_ids[start : start + BATCH]
        late = {case_id: shown[case_id] for case_id in batch if case_id in shown}
        if unseen := [case_id for case_id in batch if case_id not in late]:
            async with db.read() as tx:
                late |= await behind(tx, desk, await cases.many(tx, unseen))
        ids = sorted(late)
        for first in range(0, len(ids), TOGETHER):
            async with db.write() as tx:
                changed += len(await follow(tx, desk, ids[first : first + TOGETHER], late))
            failpoint("calendar.after_case")
        said(start + len(batch))
    return changed
