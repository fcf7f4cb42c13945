"""Things for a person to do, because a message could not do them."""

from collections.abc import Mapping
from typing import Any

from reminder.actions.desk import CLOCKWORK, Actor, Desk
from reminder.actions.record import record
from reminder.actions.replan import replan
from reminder.domain.cases import Event
from reminder.store import reminders
from reminder.store.database import Tx


async def add_task(
    tx: Tx,
    desk: Desk,
    case_id: int,
    value: Mapping[str, Any],
    *,
    subject: str,
    by: Actor = CLOCKWORK,
) -> None:
    """A task, in the digest every working day until done; value["what"] is a key of the [task] words."""
    await record(tx, desk, by, case_id, Event.TASK, subject=subject, value=value, action="task")
    await replan(tx, desk, case_id)


async def tell_otherwise(tx: Tx, desk: Desk, case_id: int, reminder_id: int) -> None:
    """A text that did not, or may not, reach a resident: somebody phones, or brings it on paper."""
    reminder = await reminders.one(tx, reminder_id)
    if reminder is None:
        return
    value = {"what": "tell_resident", "kind": reminder.kind, "why": reminder.reason}
    await add_task(tx, desk, case_id, value, subject=f"tell.{reminder_id}")
