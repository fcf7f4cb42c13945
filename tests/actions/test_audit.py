"""Every deed leaves one line in the account, whoever did it, and the account follows from its beginning."""

import pytest
import sqlalchemy as sa

from reminder.actions import cases, switches
from reminder.actions import entries as visits
from reminder.domain.errors import Refused
from reminder.runtime import Runtime
from reminder.store import audit
from reminder.store import tables as t
from reminder.store.database import Tx
from tests.actions.acting import THURSDAY, act, after
from tests.office import a_case, person, read


async def account(tx: Tx) -> tuple[list[tuple[int, int | None, str]], list[tuple[int, int | None, str]]]:
    """Deeds, and lines about deeds: number, who, what."""
    deeds = (await tx.execute(sa.select(t.deeds.c.id, t.deeds.c.by, t.deeds.c.action))).all()
    lines = (await tx.execute(sa.select(t.audit.c.detail, t.audit.c.actor, t.audit.c.action))).all()
    told = [(line.detail["deed"], line.actor, line.action) for line in lines if "deed" in line.detail]
    return [(deed.id, deed.by, deed.action) for deed in deeds], told


async def test_one_line_for_every_deed_by_whom_it_was(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "chen", cases.note, case_id, "x")
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await act(rt, "he", switches.stop, "sms", "the contract has ended")
    with pytest.raises(Refused):
        await act(rt, "tang", switches.stop, "all", "not hers to stop")
    await after(rt, minutes=10)
    deeds, told = await read(rt, account)
    assert told == deeds
    chen = (await person(rt, "chen")).id
    assert [who for _, who, _ in told].count(chen) == 3  # accepted, noted, proposed
    assert await read(rt, audit.broken_at) is None
