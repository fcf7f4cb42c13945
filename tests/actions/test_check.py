"""Broken promises are found by recomputing every case from its facts, and an office in order has none."""

from collections.abc import Awaitable, Callable

import pytest

from reminder.runtime import Runtime
from tests.actions.acting import (
    after,
    broken,
    execute,
    moment,
    offered,
    rows,
    settle,
    until,
)
from tests.office import a_case, clock_of

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
    await execute(rt, f"DROP TRIGGER {'audit_no_update' if rt.db.sqlite else 'audit_append_only ON audit'}")
    await execute(rt, "UPDATE audit SET actor = 99 WHERE seq = 1")
    assert {violation.rule for violation in await broken(rt)} == {"audit_chain_broken"}


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        ("state = 'sending', lease_until = '2026-11-23 01:00:00'", "message_unclear"),
        ("state = 'uncertain', lease_until = '2026-11-23 01:00:00'", "message_unclear"),
        ("state = 'planned', useless_at = '2026-11-23 01:00:00'", "message_too_late"),
        ("state = 'sent', sent_at = '2026-11-20 01:00:00'", "text_without_news"),
        ("state = 'dead', reason = 'MissingValue'", "message_unmade"),
        ("state = 'missed', reason = ''", "message_unexplained"),
    ],
)
async def test_the_check_finds_a_message_that_hangs_or_was_lost(rt: Runtime, spoil: str, rule: str) -> None:
    """I-4 and I-7 of the specification, as questions to the database."""
    plan = await a_case(rt)
    await until(rt, moment("2026-11-24", "12:00"))
    assert await broken(rt) == []
    [text] = await rows(rt, "new_case" if rule == "message_unmade" else "received")
    await execute(rt, f"UPDATE reminders SET {spoil} WHERE id = {text.id}")  # noqa: S608 - a test's own words
    (found,) = await broken(rt)
    assert (found.rule, found.case) == (rule, plan.row.case.number)


async def test_the_check_finds_that_nobody_was_reminded(rt: Runtime) -> None:
    """An office that stands still, or a job that fails for ever, is found by whoever asks."""
    plan = await a_case(rt)
    await until(rt, moment("2026-11-24", "12:00"))
    clock_of(rt).set(moment("2026-11-25", "20:00"))
    assert {(v.rule, v.case) for v in await broken(rt)} == {("reminder_unwritten", plan.row.case.number)}
    await settle(rt)
    await after(rt, minutes=10)
    assert await broken(rt) == []
