"""A clock that was wrong for a while, noticed or not: nothing goes twice, is overlooked or ends too early."""

from datetime import timedelta

import pytest

from jobs.dispatch import dispatch_sms, dispatch_telegram
from jobs.housekeeping import housekeep
from jobs.inbound import EVERY, fetch_missed
from jobs.remind import remind
from jobs.settle import settle
from reminder.actions import entries as visits
from reminder.actions import holding
from reminder.channels.base import Inbound
from reminder.channels.memory import lose
from reminder.domain.entries import EntryStatus
from reminder.domain.messages import NotSent
from reminder.domain.reminders import State
from reminder.domain.storms import JUMP
from reminder.runtime import Runtime
from reminder.valves import Valve
from tests.actions.acting import THURSDAY, act, entry, row_of, rows, sms, texts, visited_case
from tests.actions.test_holds import MachineClock, serving
from tests.actions.test_limits import got, post
from tests.office import LI, read


async def _lost_offer(rt: Runtime, *, ahead: timedelta) -> tuple[Runtime, MachineClock, int]:
    """A visit offer that reached the phone and whose answer was lost, by a clock so much ahead of the
    provider's."""
    case_id = await visited_case(rt)
    office, clock = await serving(rt, elsewhere=-ahead if ahead else None)
    clock.wall += ahead
    sms(rt).now = lambda: clock.wall - ahead
    await act(office, "chen", visits.propose, case_id, THURSDAY)
    clock.move(31)
    await remind(office)
    sms(rt).script.append(lose(copies=1))
    await dispatch_sms(office)
    (row,) = await rows(office, "visit_offer")
    assert row.state is State.UNCERTAIN
    return office, clock, row.id


async def _minutes(office: Runtime, clock: MachineClock, minutes: float) -> None:
    for _ in range(int(minutes * 4)):
        clock.move(15)
        await settle(office)
        await dispatch_sms(office)


async def test_a_text_is_found_in_the_log_of_a_provider_whose_clock_is_behind_ours(rt: Runtime) -> None:
    """By as much as nobody notices."""
    office, clock, row_id = await _lost_offer(rt, ahead=JUMP - timedelta(seconds=5))
    before = len(texts(office))
    await _minutes(office, clock, 20)
    assert (await row_of(office, row_id)).state is State.SENT
    assert len(texts(office)) == before


async def test_nothing_is_settled_by_a_clock_that_has_leapt(rt: Runtime) -> None:
    """Ten minutes of looking for a text are over at once by a leap; nobody has looked for ten minutes."""
    office, clock, row_id = await _lost_offer(rt, ahead=timedelta(0))
    before, blind = len(texts(office)), sms(rt).blind
    sms(rt).blind = NotSent(reason="ConnectTimeout")
    clock.wall += timedelta(hours=3)
    sms(rt).now = lambda: clock.wall - timedelta(hours=3)
    await _minutes(office, clock, 1)
    assert (await row_of(office, row_id)).state is State.UNCERTAIN
    assert await read(office, holding.held) is not None
    clock.wall -= timedelta(hours=3)
    sms(rt).blind, sms(rt).now = blind, lambda: clock.wall
    clock.move(60)
    await act(office, "he", holding.go)
    await _minutes(office, clock, 20)
    assert (await row_of(office, row_id)).state is State.SENT
    assert len(texts(office)) == before


async def test_a_text_whose_webhook_was_lost_is_found_after_the_clock_was_set_back(rt: Runtime) -> None:
    office, clock = await serving(rt)
    for ahead in (timedelta(hours=1), timedelta(days=3650)):
        clock.wall += ahead
        await fetch_missed(office)
        clock.wall -= ahead
        sid = f"SM{ahead.days}"
        text = Inbound(provider_id=sid, sender=LI, to="", body="STOP", received_at=clock.now())
        sms(rt).inbox.append(text)
        clock.move(EVERY.total_seconds() + 60)
        assert await fetch_missed(office) == 1


async def test_no_visit_counts_as_missed_by_a_clock_that_has_leapt(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    plan = await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await act(rt, "chen", visits.confirm, plan.entries["visit"].id)
    office, clock = await serving(rt)
    await housekeep(office)
    clock.wall += timedelta(days=365)
    assert await housekeep(office) == 0
    await dispatch_telegram(office)
    assert await housekeep(office) == 0
    assert (await entry(office, case_id, "visit")).status is EntryStatus.CONFIRMED


async def test_a_provider_left_alone_by_a_wrong_clock_is_asked_again_by_the_right_one(rt: Runtime) -> None:
    office, clock = await serving(rt)
    await post(office, "chen")
    valve: Valve = next(v for name, v in office.valves.items() if name == "telegram")
    for _ in range(5):
        valve.heard("1", NotSent(reason="ConnectTimeout"), clock.now() + timedelta(days=3650))
    await dispatch_telegram(office)
    assert len(got(office, "chen")) == 1


@pytest.mark.parametrize(("wrong", "got_it"), [(timedelta(hours=3), False), (timedelta(hours=-3), True)])
async def test_an_office_that_starts_by_a_clock_that_is_ahead_sends_nothing_before_it_is_right(
    rt: Runtime, wrong: timedelta, got_it: bool
) -> None:
    """One that is behind sends nothing too early by itself."""
    await post(rt, "chen")
    office, _ = await serving(rt, elsewhere=-wrong)
    assert await remind(office) == 0
    await dispatch_telegram(office)
    assert bool(got(office, "chen")) is got_it
    held = await read(office, holding.held)
    assert (held is None) is got_it
