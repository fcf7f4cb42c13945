"""Do the provider's books and ours agree about yesterday: in ours not theirs, in theirs not ours?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from reminder.actions.calendar_change import next_morning
from reminder.actions.desk import Desk
from reminder.actions.direct import tell
from reminder.channels.base import Found
from reminder.domain.people import Role
from reminder.domain.workdays import at, local_day
from reminder.logs import log
from reminder.store import overview, people
from reminder.store.database import Tx

KIND = "reconciled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Provider ids of one day: those we believe sent and they know nothing of, and the reverse."""

    ours_alone: Sequence[str]
    theirs_alone: Sequence[str]


def day_before(desk: Desk) -> tuple[datetime, datetime]:
    """Yesterday, from local midnight to local midnight."""
    zone = desk.office.zone
    today = at(local_day(desk.clock.now(), zone), time.min, zone)
    return at(local_day(today - timedelta(hours=12), zone), time.min, zone), today


async def compare(tx: Tx, found: Sequence[Found], since: datetime, until: datetime) -> Difference:
    """Both ways. What was sent within an hour of either midnight may stand on another day in their books."""
    theirs = {one.provider_id for one in found}
    edge = timedelta(hours=1)
    near = set(await overview.accepted_between(tx, since - edge, until + edge))
    sure = set(await overview.accepted_between(tx, since + edge, until - edge))
    inside = {one.provider_id for one in found if one.sent_at and since + edge <= one.sent_at < until - edge}
    return Difference(ours_alone=sorted(sure - theirs), theirs_alone=sorted(inside - near))


async def report(tx: Tx, desk: Desk, found: Difference, since: datetime) -> int:
    """Nothing when the books agree; else admins read the counts, and the log the provider's ids."""
    if not found.ours_alone and not found.theirs_alone:
        return 0
    log.warning("books.differ", ours=len(found.ours_alone), theirs=len(found.theirs_alone))
    day = local_day(since, desk.office.zone)
    detail = {"date_on": day.isoformat(), "n": len(found.ours_alone), "m": len(found.theirs_alone)}
    written = 0
    for person in (await people.staff(tx)).holding(Role.ADMIN):
        key = f"{KIND}:{person.id}:{day.isoformat()}"
        written += await tell(tx, desk, person, KIND, key=key, at=next_morning(desk, person), detail=detail)
    return written
