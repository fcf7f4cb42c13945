"""Broken promises are found by recomputing every case from its facts, and an office in order has none."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from reminder.runtime import Runtime
from tests.actions.acting import (
    broken,
    execute,
    offered,
)
from tests.office import a_case, write

ZHAO = "+12025550143"
Office = Callable[..., Awaitable[Runtime]]


SEEDED = {
    "plan_out_of_date": "UPDATE entries SET due_on = '2030-01-01' WHERE key = 'handle'",
    "status_out_of_date": "UPDATE cases SET status = 'closed'",
    "nobody_responsible": "UPDATE cases SET responsible_id = NULL",
    "no_next_date": "UPDATE entries SET status = 'met' WHERE kind = 'deadline'",
    "protocol_missing": "UPDATE cases SET protocol = 'gone'",
}


async def test_an_office_in_order_has_no_violations(rt: Runtime) -> None:
    await offered(rt)
    await a_case(rt, protocol="urgent")
    await a_case(rt, protocol="visits-uk", accepted=False)
    assert await broken(rt) == []


@pytest.mark.parametrize("rule", SEEDED)
async def test_the_check_finds_every_broken_promise(rt: Runtime, rule: str) -> None:
    await a_case(rt)
    await execute(rt, SEEDED[rule])
    assert rule in {violation.rule for violation in await broken(rt)}


async def test_the_check_finds_an_entry_that_was_deleted(rt: Runtime) -> None:
    await a_case(rt)
    gone = "(SELECT id FROM entries WHERE key = 'handle')"
    await execute(rt, f"DELETE FROM agenda WHERE entry_id IN {gone}")  # noqa: S608
    await execute(rt, "DELETE FROM entries WHERE key = 'handle'")
    assert {violation.rule for violation in await broken(rt)} == {"plan_out_of_date"}


async def test_the_check_finds_a_line_of_the_account_that_was_changed(rt: Runtime) -> None:
    await a_case(rt)
    await execute(rt, "DROP TRIGGER IF EXISTS audit_no_update")
    triggers = await write(rt, _triggers)
    for name in triggers:
        await execute(rt, f'DROP TRIGGER "{name}"')
    await execute(rt, "UPDATE audit SET actor = 99 WHERE seq = 1")
    assert {violation.rule for violation in await broken(rt)} == {"audit_chain_broken"}


async def _triggers(tx: Any) -> list[str]:
    found = await tx.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    return list(found.scalars())
