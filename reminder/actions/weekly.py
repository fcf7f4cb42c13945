"""What do admins and supervision read on Monday: last week in counts, never about a person?"""

from datetime import time, timedelta

from reminder.actions.desk import Desk
from reminder.actions.direct import tell
from reminder.domain.people import Role
from reminder.domain.workdays import at, local_day
from reminder.store import overview, people, weekly
from reminder.store.database import Tx

KIND = "weekly"
MONDAY, AT = 0, time(8, 30)


async def report(tx: Tx, desk: Desk) -> int:
    """On a Monday, once for each, unless nothing happened; how many were written."""
    zone, now = desk.office.zone, desk.clock.now()
    today = local_day(now, zone)
    if today.weekday() != MONDAY:
        return 0
    until = at(today, time.min, zone)
    counts = dict(await weekly.week(tx, until - timedelta(days=7), until))
    if not any(counts.values()):
        return 0
    counts["provisional"] = await overview.provisional(tx)
    staff, written = await people.staff(tx), 0
    starts = max(at(today, AT, zone), now)
    readers = {p.id: p for role in (Role.ADMIN, Role.SUPERVISION) for p in staff.holding(role)}
    for person in readers.values():
        key = f"{KIND}:{person.id}:{today.isoformat()}"
        written += await tell(tx, desk, person, KIND, key=key, at=starts, detail=counts)
    return written
