"""What the phones received, line by line: the sandbox's ledger joined with our rows on the provider's id."""

from datetime import datetime
from typing import Any

from reminder.demo.stage import Stage
from reminder.store import cases, people, reminders


async def lines_of(stage: Stage) -> list[dict[str, Any]]:
    """One object per message a phone received, in order; edits of a message are not messages."""
    async with stage.rt.db.read() as tx:
        sent = await reminders.some(tx, limit=1_000_000)
        staff = await people.staff(tx)
        numbers = {i: row.case.number for i, row in (await cases.many(tx, await cases.ids(tx))).items()}
    ours: dict[str, tuple[str, str | None]] = {}
    for reminder in sent:
        number = numbers.get(reminder.case_id or 0)
        person = staff.people.get(reminder.person_id or 0)
        key = f"{person.chat_id}:{reminder.provider_id}" if person is not None else reminder.provider_id
        ours[key] = (reminder.kind, number)
    zone = stage.rt.desk.office.zone
    found = []
    for row in stage.world.ledger():
        if row["type"] not in {"message", "document", "photo"}:
            continue
        kind, case = ours.get(row["id"], ("answer", None))
        at = datetime.fromisoformat(row["at"]).astimezone(zone).isoformat()
        about = {"at": at, "channel": row["channel"], "to": row["to"], "text": row["text"]}
        found.append(about | {"kind": kind, "case": case})
    return found
