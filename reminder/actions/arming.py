"""May this machine send from this database, and what is owed before a copy of it may?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reminder.actions.desk import Actor, Desk
from reminder.actions.dispatching import as_written
from reminder.actions.record import begin
from reminder.actions.tasks import tell_otherwise
from reminder.channels.base import SmsPort
from reminder.domain.people import Channel
from reminder.domain.reminders import Reason, State
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.store import overview, reminders, switches
from reminder.store.database import Database, Tx
from reminder.store.reminders import Reminder


class Standing(StrEnum):
    """What a database is to this machine."""

    FRESH = "fresh"
    """Nobody has sent from it."""
    OURS = "ours"
    ELSEWHERE = "elsewhere"
    """It was armed for another machine: a copy, or the machine's data folder is a new one."""
    BEHIND = "behind"
    """We have sent more than it knows of: an older state was put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """What would go at once if it were armed, by channel and kind."""

    due: Mapping[tuple[str, str], int]
    oldest: datetime | None


async def standing(tx: Tx, instance: str, sent_to: int) -> Standing:
    """`sent_to` is the highest row this machine remembers to have sent, outside the database."""
    known = await switches.get(tx)
    newest = await overview.newest(tx)
    if newest < sent_to:
        return Standing.BEHIND
    if known.instance == instance:
        return Standing.OURS
    return Standing.FRESH if not known.instance and newest == 0 else Standing.ELSEWHERE


async def at_start(db: Database, instance: str, sent_to: int) -> Standing:
    """A fresh database becomes ours; one that is not ours is disarmed and stays so until a person says."""
    async with db.write() as tx:
        found = await standing(tx, instance, sent_to)
        now = await switches.get(tx)
        if found is Standing.FRESH:
            await switches.put(tx, replace(now, instance=instance))
        elif found is Standing.BEHIND and now.instance == instance:
            await switches.put(tx, replace(now, instance=""))
    if found in {Standing.ELSEWHERE, Standing.BEHIND}:
        log.warning("disarmed", reason=found.value)
    return found


async def catch_up(tx: Tx, now: datetime) -> CatchUp:
    waiting = await overview.overdue(tx, now)
    due: dict[tuple[str, str], int] = {}
    for row in waiting:
        due[row.channel, row.kind] = due.get((row.channel, row.kind), 0) + 1
    return CatchUp(due=due, oldest=min((row.due_at for row in waiting), default=None))


async def arm(db: Database, desk: Desk, instance: str, sms: SmsPort | None) -> int:
    """Arm it for this machine. Nothing that was due before now is sent by itself; how many rows that ended.

    A text that stands in the provider's log was sent, before the copy was made or after. All others become
    a person's task, so nobody is texted twice and nobody forgotten. Stops are read back by the inbox first.
    """
    async with db.read() as tx:
        waiting = await overview.overdue(tx, desk.clock.now())
    found = {row.id: await _log_of(db, desk, sms, row) for row in waiting}
    failpoint("arm.before_begin")
    async with db.write() as tx:
        for row in waiting:
            await _end(tx, desk, row, sent=found[row.id])
            failpoint("arm.after_row")
        await switches.put(tx, replace(await switches.get(tx), instance=instance))
        await begin(tx, desk, Actor(), None, "arm")
        failpoint("arm.before_commit")
    failpoint("arm.after_commit")
    return len(waiting)


async def _log_of(db: Database, desk: Desk, sms: SmsPort | None, row: Reminder) -> bool:
    """Whether the provider has this very text from us to that number since it fell due."""
    if sms is None or row.channel != Channel.SMS.value or row.phone_id is None:
        return False
    async with db.read() as tx:
        number, text = await reminders.number_of(tx, desk.sealer, row), await as_written(tx, desk, row)
    found = await sms.find(to=number, since=row.due_at, body=text) if text else []
    return isinstance(found, list) and any(one.body_matches for one in found)


async def _end(tx: Tx, desk: Desk, row: Reminder, *, sent: bool) -> None:
    now = desk.clock.now()
    ended = {"reason": Reason.RESTORED.value, "ended_at": now}
    await reminders.move(tx, row.id, State.PLANNED, State.MISSED, **ended)
    if row.resident_id is not None and row.case_id is not None and not sent:
        await tell_otherwise(tx, desk, row.case_id, row.id)


def explained(found: Standing) -> str:
    """In a sentence, why it is not armed."""
    return {
        Standing.FRESH: "Nothing has been sent from this database yet; the next start arms it.",
        Standing.OURS: "This database is armed for this machine.",
        Standing.ELSEWHERE: "This database was armed for another machine: nothing leaves from here. Due now:",
        Standing.BEHIND: "This machine has sent more than this database knows of: it is older. Due now:",
    }[found]
