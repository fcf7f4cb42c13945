"""Does the office keep up: is the heart beating, can the database be written, how late is the oldest work?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reminder.actions import holding
from reminder.logs import log
from reminder.store import entries, meta, reminders, switches
from reminder.store.database import Database, Tx

MOST_LAG = timedelta(minutes=2)
"""Work that waits for longer than this means that we do not keep up."""

PULSE_EVERY = timedelta(seconds=10)
DEAD_AFTER = PULSE_EVERY * 4
_PULSE = "pulse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`lag`: how long the oldest work that could be done has waited; `why` is empty when all is well."""

    lag: timedelta
    pulse_at: datetime | None
    why: Sequence[str]

    @property
    def ready(self) -> bool:
        return not self.why


async def beat(tx: Tx, now: datetime) -> None:
    """Write that the timetable runs and the database can be written."""
    await meta.put(tx, _PULSE, now.isoformat())


async def look(db: Database, now: datetime, instance: str = "", stopped: Sequence[str] = ()) -> Health:
    """Reads only; a database that cannot be read is an answer too.

    `instance` is the machine that asks; `stopped` says which channels do not send, and why.
    """
    try:
        async with db.read() as tx:
            held = await switches.get(tx)
            lag, pulse = await lag_of(tx, now), await meta.get(tx, _PULSE)
            hold = await holding.held(tx)
    except Exception as error:  # whatever it is, the answer is that we are not ready
        log.error("health.database", error=type(error).__name__)
        return Health(lag=timedelta(0), pulse_at=None, why=["the database cannot be read"])
    beaten = datetime.fromisoformat(pulse) if pulse else None
    why = list(stopped) if held.armed(instance) else ["this copy is not armed: reminder arm", *stopped]
    if hold is not None:
        why.append(f"sending is held until an administrator answers /go ({hold.why}, {hold.n})")
    if beaten is None or now - beaten > DEAD_AFTER:
        why.append("the timetable stands still, or the database cannot be written")
    if lag > MOST_LAG:
        why.append(f"work has been waiting for {int(lag.total_seconds())} s")
    return Health(lag=lag, pulse_at=beaten, why=why)


async def lag_of(tx: Tx, now: datetime) -> timedelta:
    """How late the oldest due entry, or message that may go, is; what people stopped is not late."""
    waiting = [await entries.next_due_at(tx), await reminders.next_send_at(tx)]
    oldest = min((moment for moment in waiting if moment is not None), default=now)
    return max(now - oldest, timedelta(0))
