"""Weeks of a small office in any weather, the same twice; wrong clocks; zones whose clocks change."""

import sqlite3
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from reminder.actions.away import KIND
from reminder.actions.calendars import mark_day
from reminder.actions.digests import DIGEST
from reminder.domain.workdays import DayMark, Hours, MarkKind, at, local_day
from reminder.store import people, reminders
from tests.actions.acting import act, rows, texts, until
from tests.domain.test_wallclock import transitions
from tests.flows.random_office import fresh
from tests.flows.test_random_office import PHONES
from tests.office import LI, a_case, office, person, write
from tests.proofs.faults import CALLS, DOWN, FAULTS, FORMS, Weather
from tests.proofs.simulation import Report, Simulation, Story, quiet, simulate

WEEKS = 3
SEEDS = ("b", "c")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    quiet()
    return fresh(tmp_path_factory.mktemp("simulated"))


def test_in_any_weather_what_must_hold_holds_on_every_day(template: Path, tmp_path: Path) -> None:
    """I-2 to I-9 and I-19: no text twice, no unmarked repeat, no loss that nobody reads of, nothing early, no
    storm; what is late climbs."""
    played = Report()
    for seed in SEEDS:
        played.add(simulate(template, tmp_path / "year.db", seed, 7 * WEEKS))
    assert played.breaks + played.vacuous() == []
    assert played.fired.total() >= 5 * 7 * WEEKS * len(SEEDS) / 2
    assert len(played.fired) >= len(FAULTS) / 2
    assert DOWN.keys() & played.fired.keys()


def test_the_same_seed_plays_the_same_story_to_the_byte(template: Path, tmp_path: Path) -> None:
    one, again = (simulate(template, tmp_path / f"{n}.db", "same", 8) for n in range(2))
    other = simulate(template, tmp_path / "other.db", "other", 3)
    assert one.transcript == again.transcript
    assert one.fired == again.fired
    assert one.transcript != other.transcript


def test_a_run_without_a_fault_or_without_a_message_counts_as_failed(template: Path, tmp_path: Path) -> None:
    fine = simulate(template, tmp_path / "fine.db", "fine", 14, only=())
    assert fine.breaks == []
    assert fine.vacuous() == ["no fault fired"]
    assert Story(seed="-", fired=Counter({"chat blocked": 1})).vacuous() == ["nothing was sent"]
    assert Report().vacuous() == ["nothing was judged", "nothing was late for long enough", "never down"]


def test_a_reminder_that_was_never_written_and_a_text_nobody_tells_otherwise_are_missed(
    template: Path, tmp_path: Path
) -> None:
    """What the judge of I-7 and I-19 must see, taken out of an office in which all is well."""
    simulation = Simulation(template, tmp_path / "x.db", "fine", only=())
    try:
        for n, key in enumerate(("ordinary", "major", "urgent")):
            simulation.run(simulation._take_in(key, "chen", phone=n, way=4))
        simulation.world.text(PHONES[0], "STOP")
        assert simulation.play(14).breaks == []
        assert _misses(simulation, "") == ""
        hidden = "UPDATE facts SET subject = 'x' || subject WHERE event = 'task'"
        assert "tells it otherwise" in _misses(simulation, hidden)
        shown = "UPDATE facts SET subject = substr(subject, 2) WHERE event = 'task'"
        assert _misses(simulation, shown) == ""
        rungs = "UPDATE reminders SET step = '-', kind = '-' WHERE step LIKE 'T+%'"
        assert "never written" in _misses(simulation, rungs)
    finally:
        simulation.office.close()


def _misses(simulation: Simulation, harm: str) -> str:
    """What is missed of all these weeks once the harm is done."""
    simulation.judged_to = simulation.since = simulation.office.start
    with sqlite3.connect(simulation.office.path) as db:
        db.execute(harm or "SELECT 1")
    db.close()
    try:
        simulation.run(simulation._judge())
    except AssertionError as missed:
        return str(missed)
    return ""


def test_each_call_fails_in_each_form_and_each_seed_knows_only_a_part() -> None:
    assert {f"{call}: {form}" for call in CALLS for form in FORMS} <= FAULTS.keys()
    enabled = [Weather.of(str(seed)).enabled for seed in range(30)]
    assert all(0 < len(part) < len(FAULTS) for part in enabled)
    assert set().union(*enabled) == FAULTS.keys()


# --- a clock that is wrong ---------------------------------------------------------------------------------

STEPS = {
    "1 s": timedelta(seconds=1),
    "1 h": timedelta(hours=1),
    "1 d": timedelta(days=1),
    "1 y": timedelta(days=365),
    "10 y": timedelta(days=3652),
}


def _told(template: Path, path: Path, wrong: timedelta) -> tuple[set[str], int, int]:
    """What left in some days with a morning by a wrong clock in their middle; the busiest tick before it, and
    of all."""
    simulation = Simulation(template, path, "clock", only=())
    try:
        for n, key in enumerate(("ordinary", "major", "urgent")):
            simulation.run(simulation._take_in(key, "chen", phone=n, way=4))
            simulation.act("accept", "chen", n, 4)
            simulation.act("propose", "chen", n, 4)
        before = simulation.play(3)
        usual = simulation.most_work
        simulation.work_for(timedelta(hours=22))
        simulation.office.clock.wrong = wrong
        simulation.work_for(timedelta(hours=5))
        simulation.office.clock.wrong = timedelta(0)
        simulation.work_for(timedelta(hours=21))
        after = simulation.play(4)
        assert before.breaks + after.breaks == []
        rows = [left.row for left in simulation.office.left.values()]
        assert len(rows) == len({row.key for row in rows})
        summed_up = simulation.run(_summed_up(simulation))
        told = {row.key for row in rows if row.entry_id or row.kind == DIGEST}
        return told | summed_up, usual, simulation.most_work
    finally:
        simulation.office.close()


async def _summed_up(simulation: Simulation) -> set[str]:
    """What was told in the summary after a time in which nothing left."""
    async with simulation.office.rt.db.read() as tx:
        rows = await reminders.some(tx)
    summaries = {row.id for row in rows if row.kind == KIND and row.key in simulation.told}
    return {row.key for row in rows if row.entry_id and row.digest_id in summaries}


@pytest.fixture(scope="module")
def right(template: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return _told(template, tmp_path_factory.mktemp("right") / "x.db", timedelta(0))[0]


@pytest.mark.parametrize("ahead", [1, -1])
@pytest.mark.parametrize("step", STEPS)
def test_a_clock_set_wrong_and_right_again_sends_the_same_nothing_early_and_nothing_twice(
    template: Path, tmp_path: Path, right: set[str], step: str, ahead: int
) -> None:
    """And the work of one tick does not grow with the step."""
    told, usual, most = _told(template, tmp_path / "x.db", ahead * STEPS[step])
    assert len(right) > 5
    assert told - right == right - told == set()
    assert most <= 2 * usual


# --- zones whose clocks change -----------------------------------------------------------------------------

WALLS = (time(0), time(2, 15), time(8, 10))
NAMES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})


def test_each_local_day_has_one_digest_and_one_opening_in_every_zone_at_every_transition() -> None:
    """I-11, 2020 to 2037: the moment is of that day and not before its hour; texts may go once a day."""
    seen, clocks = 0, set()
    for name in NAMES:
        zone = ZoneInfo(name)
        clock = tuple((moment, moment.astimezone(zone).utcoffset()) for moment in transitions(zone))
        if clock in clocks:
            continue  # another name of a clock that has been looked at
        clocks.add(clock)
        for moment, _ in clock:
            around = local_day(moment, zone)
            days = [around + timedelta(days=n) for n in (-1, 0, 1, 2)]
            for wall in WALLS:
                found = [at(day, wall, zone) for day in days]
                assert [local_day(one, zone) for one in found] == days, (name, wall)
                assert all(one.astimezone(zone).time() >= wall for one in found), (name, wall)
                assert all(a < b for a, b in pairwise(found)), (name, wall)
                seen += len(found)
            for hours in (Hours(start=time(8), end=time(20)), Hours(start=time(2, 15), end=time(8, 10))):
                opens = [at(day, hours.start, zone) for day in days]
                shuts = [at(day, hours.end, zone) for day in days]
                assert [hours.next_open(shut, zone) for shut in shuts[:-1]] == opens[1:], (name, hours)
                assert not any(hours.is_open(shut, zone) for shut in shuts), (name, hours)
    assert len(clocks) >= 50
    assert seen > 10_000


CHANGES = {
    "a gap of half an hour": ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    "half an hour twice": ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, 0, tzinfo=UTC)),
    "a gap": ("Europe/Berlin", datetime(2027, 3, 28, 1, tzinfo=UTC)),
    "an hour twice": ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "a gap over there": ("America/New_York", datetime(2027, 3, 14, 7, tzinfo=UTC)),
    "an hour twice over there": ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "the last change of all": ("Pacific/Apia", datetime(2021, 4, 3, 14, tzinfo=UTC)),
    "no change": ("Asia/Shanghai", datetime(2027, 3, 28, 1, tzinfo=UTC)),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_running_office_lives_through_a_change_of_its_clocks(tmp_path: Path, change: str) -> None:
    """Each day one digest, at the first 02:15 or after the gap; no text in the night; nothing twice."""
    name, moment = CHANGES[change]
    zone = ZoneInfo(name)
    first = local_day(moment, zone) - timedelta(days=3)
    start = at(first, time(9), zone)
    async with office(tmp_path, zone=zone, digest_at=time(2, 15), start=start, inline=True) as rt:
        chen = await person(rt, "chen")
        await write(rt, lambda tx: people.update(tx, chen.id, digest_at="02:15"))
        for n in range(10):  # clocks change on Sundays
            work = DayMark(kind=MarkKind.WORK, name="-")
            await act(rt, "he", mark_day, first + timedelta(days=n), work)
        for phone, protocol in ((LI, "major"), ("+12025550143", "urgent"), ("+12025550144", "ordinary")):
            await a_case(rt, protocol=protocol, phones=(phone,))
        await until(rt, start + timedelta(days=6))
        sent = [r for r in await rows(rt, DIGEST) if r.sent_at is not None and r.person_id == chen.id]
        moments = [r.sent_at.astimezone(zone) for r in sent if r.sent_at is not None]
        assert len({one.date() for one in moments}) == len(moments) >= 3
        assert local_day(moment, zone) in {one.date() for one in moments}
        assert all(time(2, 15) <= one.time() < time(3, 30) and one.fold == 0 for one in moments)
        assert all(8 <= row.at.astimezone(zone).hour < 20 for row in texts(rt))
        assert len(texts(rt)) > 2
        received = [(row.message.to, row.text) for row in texts(rt)]
        assert len(received) == len(set(received))
