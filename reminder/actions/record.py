"""How a fact gets into a case: with the deed it belongs to, a line in the timeline and one audit row."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reminder.actions.desk import Actor, Desk
from reminder.domain.cases import Event, Fact
from reminder.store import audit, cases
from reminder.store.database import Tx


async def begin(tx: Tx, desk: Desk, by: Actor, case_id: int | None, action: str) -> int | None:
    """A deed that facts belong to and that undo takes back; None if this source has acted before."""
    now = desk.clock.now()
    deed = await cases.add_deed(tx, case_id=case_id, by=by.id, action=action, at=now, source=by.source)
    if deed is not None:
        await audit.add(
            tx, at=now, actor=by.id, action=action, subject=f"case:{case_id}", detail={"deed": deed}
        )
    return deed


async def add(
    tx: Tx,
    desk: Desk,
    by: Actor,
    case_id: int,
    event: Event,
    *,
    deed: int | None,
    subject: str = "",
    value: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """One fact of a deed. `at` is when it was so; it defaults to now."""
    now = desk.clock.now()
    fact = Fact(event=event, at=at or now, recorded_at=now, subject=subject, value=value or {}, by=by.id)
    await add_all(tx, case_id, [fact], deed=deed)


async def add_all(tx: Tx, case_id: int, facts: Sequence[Fact], *, deed: int | None) -> None:
    """The facts of a deed, all by one person and recorded at one moment."""
    await cases.add_facts(tx, case_id, facts, deed)
    lines = [(f.event.value, {"subject": f.subject, "digest": _digest(f.value)}) for f in facts]
    await cases.tell_all(tx, case_id, facts[0].recorded_at, lines, facts[0].by)


async def record(
    tx: Tx,
    desk: Desk,
    by: Actor,
    case_id: int,
    event: Event,
    *,
    subject: str = "",
    value: Mapping[str, Any] | None = None,
    at: datetime | None = None,
    action: str = "",
) -> int | None:
    """A deed of one fact; None, and nothing written, if this source has acted before."""
    deed = await begin(tx, desk, by, case_id, action or event.value)
    if deed is not None:
        await add(tx, desk, by, case_id, event, deed=deed, subject=subject, value=value, at=at)
    return deed


def _digest(value: Mapping[str, Any]) -> str:
    """Proves what a line was about without repeating personal data."""
    return hashlib.sha256(json.dumps(dict(value), sort_keys=True).encode()).hexdigest()[:12]
