"""Cases taken over from elsewhere look forward only: what was due before today reminds nobody now."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from reminder.actions.desk import Desk
from reminder.domain.entries import Entry
from reminder.domain.planning import next_step_at
from reminder.store import cases, entries
from reminder.store.cases import CaseRow
from reminder.store.database import Tx


async def future_only(tx: Tx, desk: Desk) -> None:
    """Set the agenda of all cases to the steps later than now."""
    ids = await cases.ids(tx)
    rows, kept = await cases.many(tx, ids), await entries.of(tx, ids)
    await look_ahead(tx, desk, [(rows[case_id], kept[case_id]) for case_id in ids])


async def look_ahead(tx: Tx, desk: Desk, read: Iterable[tuple[CaseRow, Mapping[str, Entry]]]) -> None:
    """The same for cases at hand with all their entries."""
    now = desk.clock.now()
    agenda: dict[int, datetime | None] = {}
    for row, kept in read:
        protocol = desk.protocol_of(row)
        office = desk.office_for(protocol)
        for entry in kept.values():
            agenda[entry.id] = next_step_at(entry, protocol.milestone(entry.milestone), office, after=now)
    await entries.set_agenda(tx, agenda)
