"""Entries whose next reminder has come become reminder rows; the agenda moves on."""

from datetime import datetime

from jobs.guarding import believed
from reminder.actions.reminding import fall_due
from reminder.failpoints import failpoint
from reminder.runtime import Runtime
from reminder.store import entries

BATCH = 500
ROUNDS = 200
"""At most so many batches in one tick; the rest is due at the next."""


async def next_entry(rt: Runtime) -> datetime | None:
    """When the next entry has something to say."""
    async with rt.db.read() as tx:
        return await entries.next_due_at(tx)


async def remind(rt: Runtime) -> int:
    """Returns how many entries were looked at. Run twice, late or beside itself it writes nothing twice."""
    async with rt.db.read() as tx:
        first = await entries.next_due_at(tx)
        if not await believed(tx, rt):
            return 0
    if first is None or first > rt.clock.now():
        return 0
    total = 0
    for _ in range(ROUNDS):
        failpoint("remind.before_begin")
        async with rt.db.write() as tx:
            count = await fall_due(tx, rt.desk, BATCH)
            if count and rt.announce is not None:
                await rt.announce(tx)
            failpoint("remind.before_commit")
        failpoint("remind.after_commit")
        total += count
        if count < BATCH:
            break
    rt.ring()
    return total
