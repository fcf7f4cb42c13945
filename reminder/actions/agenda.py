"""Cases taken over from elsewhere look forward only: what was due before today reminds nobody now."""

from datetime import datetime

from reminder.actions.desk import Desk
from reminder.domain.planning import next_step_at
from reminder.store import cases, entries
from reminder.store.database import Tx


async def future_only(tx: Tx, desk: Desk, case_ids: list[int] | None = None) -> None:
    """Set the agenda of the cases (default: all) to the steps later than now."""
    now = desk.clock.now()
    ids = case_ids if case_ids is not None else await cases.ids(tx)
    rows = await cases.many(tx, ids)
    agenda: dict[int, datetime | None] = {}
    for case_id, kept in (await entries.of(tx, ids)).items():
        protocol = desk.protocol_of(rows[case_id])
        office = desk.office_for(protocol)
        for entry in kept.values():
            agenda[entry.id] = next_step_at(entry, protocol.milestone(entry.milestone), office, after=now)
    await entries.set_agenda(tx, agenda)
