"""How does a colleague get a message that no entry calls for: one row under one key, however often asked?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reminder.actions.desk import Desk
from reminder.domain.people import Channel, Person
from reminder.domain.reminders import Reason, State, useless_at
from reminder.store import reminders
from reminder.store.database import Tx


async def tell(
    tx: Tx,
    desk: Desk,
    person: Person,
    kind: str,
    *,
    key: str,
    at: datetime,
    detail: Mapping[str, Any],
    case_id: int | None = None,
) -> bool:
    """Whether it is new. To somebody who has not joined it ends at once, with that reason.

    How long it is of use stands in kinds.toml.
    """
    enrolled = person.chat_id is not None
    zone = desk.office.zone
    added = await reminders.add(
        tx,
        key=key,
        case_id=case_id,
        person_id=person.id,
        channel=Channel.TELEGRAM.value,
        kind=kind,
        due_at=at,
        send_after=at,
        useless_at=useless_at(desk.kind(kind).useless_after, due_at=at, starts_at=None, zone=zone),
        state=(State.PLANNED if enrolled else State.SUPPRESSED).value,
        reason="" if enrolled else Reason.NOT_ENROLLED.value,
        ended_at=None if enrolled else desk.clock.now(),
        detail=dict(detail),
    )
    return added is not None
