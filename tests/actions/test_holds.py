"""A clock that leaps, or far too many messages at once, stop everything until somebody has looked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette

from jobs.dispatch import dispatch, dispatch_sms, dispatch_telegram
from jobs.guarding import begin
from jobs.remind import remind
from jobs.settle import settle
from reminder.actions import health, holding
from reminder.actions.overview import overview
from reminder.channels.memory import lose
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.valves import Guard, new_valves
from reminder.watcher import clock_of as clock_elsewhere
from tests.actions.acting import act, chat, refused, rows, texts
from tests.actions.test_limits import got, post
from tests.office import a_case, clock_of, read
from tests.sandbox.serve import serving as on_a_port


class MachineClock:
    """Both clocks of a machine; `set` is somebody setting the wall clock, `sleep` passes time."""

    def __init__(self, start: datetime) -> None:
        self.wall, self.passed = start.astimezone(UTC), 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed += seconds


async def serving(rt: Runtime, *, elsewhere: timedelta | None = None) -> tuple[Runtime, MachineClock]:
    """The office as `reminder run` has it: guarded, on a machine's clock; another clock differs so much."""
    clock = MachineClock(rt.clock.now())

    async def ask() -> datetime | None:
        return None if elsewhere is None else clock.now() + elsewhere

    desk = replace(rt.desk, clock=clock)
    made = replace(rt, desk=desk, guard=Guard(), elsewhere=ask, valves=new_valves())
    await begin(made)
    return made, clock


def asked(rt: Runtime) -> list[str]:
    return [text.text for text in chat(rt).ledger if text.text.startswith("⏸")]


@pytest.mark.parametrize("wrong", [None, timedelta(hours=-3)])
@pytest.mark.failure(4)
async def test_a_clock_that_leaps_stops_everything_until_somebody_says_go(
    rt: Runtime, wrong: timedelta | None
) -> None:
    office, clock = await serving(rt, elsewhere=wrong)
    await a_case(office)
    await post(office, "chen")
    clock.wall += timedelta(hours=3)
    before = await rows(office)
    for _ in range(3):
        assert await remind(office) == 0
        await dispatch(office)
        clock.move(1)
    assert len(asked(office)) == 1
    assert "180分钟" in asked(office)[0]
    assert got(office, "chen") == []
    assert texts(office) == []
    untouched = [r for r in await rows(office) if r.kind != holding.KIND]
    assert untouched == before  # by a clock that may be wrong nothing ends, moves or falls due
    why = (await health.look(office.db, clock.now())).why
    assert any("/go" in reason for reason in why)
    assert await refused(act(office, "chen", holding.go)) == "person.not_allowed"
    await act(office, "he", holding.go)
    assert await refused(act(office, "he", holding.go)) == "hold.none"
    await remind(office)
    assert await dispatch_telegram(office) >= 1
    assert len(got(office, "chen")) >= 1


@pytest.mark.failure(4)
async def test_a_leap_that_another_clock_confirms_stops_nothing(rt: Runtime) -> None:
    office, clock = await serving(rt, elsewhere=timedelta(seconds=2))
    await post(office, "chen")
    clock.wall += timedelta(minutes=20)
    assert await dispatch_telegram(office) == 1
    assert await read(office, holding.held) is None


async def test_a_hold_for_a_leap_ends_by_itself_once_another_clock_confirms_ours(rt: Runtime) -> None:
    office, clock = await serving(rt, elsewhere=timedelta(hours=-3))
    await post(office, "chen")
    clock.wall += timedelta(hours=3)
    await dispatch_telegram(office)
    assert await read(office, holding.held) is not None

    async def right() -> datetime | None:
        return clock.now()

    mended = replace(office, elsewhere=right)
    await dispatch_telegram(mended)
    assert got(mended, "chen") == []  # asked once a minute, not at each look
    clock.move(60)
    await dispatch_telegram(mended)
    assert len(got(mended, "chen")) == 1


@pytest.mark.failure(4)
async def test_the_question_whether_the_clock_is_right_is_asked_again_if_it_may_not_have_arrived(
    rt: Runtime,
) -> None:
    """And nothing else is: by that clock no other lease has run out."""
    office, clock = await serving(rt)
    await post(office, "chen")
    chat(rt).script += [lose(), lose()]
    await dispatch_telegram(office)
    clock.wall += timedelta(hours=3)
    await dispatch_telegram(office)
    for _ in range(3):
        clock.move(31)
        await settle(office)
        await dispatch_telegram(office)
    assert ["⏸" in row.text for row in chat(rt).ledger] == [True]
    assert "可能是重发" in chat(rt).ledger[0].text
    assert {r.state for r in await rows(office, "gaps")} == {State.UNCERTAIN}


@pytest.mark.failure(4)
async def test_a_clock_moved_by_hand_never_leaps(rt: Runtime) -> None:
    await post(rt, "chen")
    clock_of(rt).advance(timedelta(days=1))
    assert await dispatch(rt) == 1


@pytest.mark.failure(4)
async def test_far_too_many_at_once_wait_for_go_over_a_restart_and_then_all_go(rt: Runtime) -> None:
    office, clock = await serving(rt)
    await post(office, "chen", 51)
    assert await dispatch_telegram(office) == 1  # the question to the admin
    assert "51" in asked(office)[0]
    again, clock = await serving(office)
    for _ in range(3):
        clock.move(60)
        assert await dispatch(again) == 0
    assert len(asked(again)) == 1
    await act(again, "he", holding.go)
    assert await dispatch_telegram(again) == 51
    assert not [r for r in await rows(again) if r.state is State.PLANNED and r.channel == "telegram"]


async def test_fifty_at_once_are_no_storm_and_neither_is_what_is_usual_at_this_hour(rt: Runtime) -> None:
    office, clock = await serving(rt)
    await post(office, "chen", 50)
    assert await dispatch_telegram(office) == 50
    clock.move(86400)
    await post(office, "wang", 200, mark="b")
    assert await dispatch_telegram(office) == 200
    clock.move(86400)
    await post(office, "lin", 1001, mark="c")
    assert await dispatch_telegram(office) == 1
    assert await read(office, holding.held) is not None


async def test_while_all_is_held_what_comes_too_late_ends(rt: Runtime) -> None:
    office, clock = await serving(rt)
    await post(office, "chen", 51)
    await dispatch_telegram(office)
    clock.move(4 * 86400)  # of use for three days
    await dispatch_telegram(office)
    assert {(r.state, r.reason) for r in await rows(office, "gaps")} == {(State.MISSED, "useless")}


async def test_what_ended_badly_today_is_read_today_whenever_it_fell_due(rt: Runtime) -> None:
    """I-7: four days late, it would stand in no list if only what fell due today were looked at."""
    office, clock = await serving(rt)
    await post(office, "chen", 51)
    await dispatch_telegram(office)
    clock.move(4 * 86400)
    await dispatch_telegram(office)
    ended = [row.id for row in await rows(office, "gaps")]
    found = await read(office, lambda tx: overview(tx, office.desk, limit=100))
    assert sorted(row.id for _, row in found.trouble) == ended
    clock.move(86400)
    later = await read(office, lambda tx: overview(tx, office.desk, limit=100))
    assert later.trouble == []


async def test_another_machines_clock_is_read_from_the_date_of_its_answer() -> None:
    async with on_a_port(Starlette()) as url:
        said = await clock_elsewhere(url)()
    assert said is not None
    assert abs(said - datetime.now(UTC)) < timedelta(seconds=5)
    assert await clock_elsewhere("http://127.0.0.1:9/")() is None


async def test_texts_wait_for_go_too(rt: Runtime) -> None:
    office, clock = await serving(rt)
    await a_case(office)
    clock.move(31)
    await remind(office)
    await post(office, "chen", 51)
    assert await dispatch_sms(office) == 0
    assert texts(office) == []
    await act(office, "he", holding.go)
    assert await dispatch_sms(office) >= 1
