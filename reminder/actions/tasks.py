"""Things for a person to do, because a message could not do them."""

from collections.abc import Mapping
from typing import Any

from reminder.actions.desk import CLOCKWORK, Actor, Desk
from reminder.actions.record import record
from reminder.actions.replan import replan
from reminder.domain.cases import Event
from reminder.domain.people import Role
from reminder.store import reminders, residents
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
    value |= await _by(tx, reminder.resident_id)
    await add_task(tx, desk, case_id, value, subject=f"tell.{reminder_id}")


async def _by(tx: Tx, resident_id: int | None) -> dict[str, str]:
    """How the resident asked to hear; through the village's agent, it is the agent's to do."""
    if resident_id is None:
        return {}
    by = (await residents.many(tx, [resident_id]))[resident_id].reach_by
    if by in {"", "sms"}:
        return {}
    return {"by": by, "role": Role.AGENT.value} if by == "agent" else {"by": by}
