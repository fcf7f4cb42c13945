"""Does a local time happen once and when it should, and do hours open and close with it, in every zone?"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.entries import EntryStatus, Wanted
from reminder.domain.offices import Office
from reminder.domain.people import Role
from reminder.domain.planning import steps
from reminder.domain.protocol_steps import staff_lines
from reminder.domain.protocols import Bound, EntryKind, Milestone
from reminder.domain.workdays import Hours, WorkCalendar, at, local_day

D = date.fromisoformat


@cache
def transitions(zone: ZoneInfo) -> tuple[datetime, ...]:
    return tuple(_transitions(zone))


def _transitions(zone: ZoneInfo) -> Iterator[datetime]:
    """Every instant of 2020-2037 at which the zone changes its offset, to the second."""
    step = timedelta(days=12)
    left = datetime(2020, 1, 1, tzinfo=UTC)
    while left.year < 2038:
        right = left + step
        if left.astimezone(zone).utcoffset() != right.astimezone(zone).utcoffset():
            low, high = left, right
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                middle = middle.replace(microsecond=0)
                changed = middle.astimezone(zone).utcoffset() != low.astimezone(zone).utcoffset()
                low, high = (low, middle) if changed else (middle, high)
            yield high
        left = right


def walls_around(instant: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    offset = (instant - timedelta(seconds=1)).astimezone(zone).utcoffset()
    wall = (instant + offset).replace(tzinfo=None)
    for minutes in (-90, -60, -30, -15, -1, 0, 1, 15, 29, 30, 59, 60, 90):
        yield wall + timedelta(minutes=minutes)


@pytest.mark.failure(6)
def test_a_skipped_time_moves_by_the_gap_and_a_doubled_one_is_the_first_in_every_zone():
    gaps = folds = 0
    for key in sorted(available_timezones() - {"localtime", "posixrules", "Factory"}):
        zone = ZoneInfo(key)
        for instant in transitions(zone):
            old = (instant - timedelta(seconds=1)).astimezone(zone).utcoffset()
            new = instant.astimezone(zone).utcoffset()
            for wall in walls_around(instant, zone):
                guesses = [(wall - offset).replace(tzinfo=UTC) for offset in (old, new)]
                real = [g for g in guesses if g.astimezone(zone).replace(tzinfo=None) == wall]
                expected = min(real) if real else guesses[0]
                found = at(wall.date(), wall.time(), zone)
                assert found == expected, (key, wall)
                if not real:
                    gaps += 1
                    assert found.astimezone(zone).replace(tzinfo=None) == wall + (new - old)
                folds += len(set(real)) == 2
    assert gaps > 5000
    assert folds > 5000


OFFSETS = ["T-3", "T-1@02:30!", "T-1@00:00!", "T0@03:00", "T+1@01:45", "T+2wd@23:59"]


def a_deadline(day: date, zone: ZoneInfo) -> Wanted:
    known = at(day - timedelta(days=20), time(12), zone)
    days = {"nominal_on": day, "due_on": day, "promise_on": day}
    about = {"kind": EntryKind.DEADLINE, "status": EntryStatus.OPEN, "bound": Bound.OFFICE}
    return Wanted(key="k", milestone="k", since=known, anchor_at=known, **about, **days)


@pytest.mark.failure(6)
def test_each_offset_of_a_day_is_one_instant_of_that_day_in_every_zone_at_every_transition():
    """I-11: a reminder at an hour the clocks skip or show twice goes once."""
    lines = staff_lines([f"handler {offset} !due_today" for offset in OFFSETS], Role.HANDLER)
    assert not lines.wrong
    planned = tuple(step for _, step in lines.steps)
    milestone = Milestone(
        key="k", kind=EntryKind.DEADLINE, words={}, anchor="received", limit=None, steps=planned
    )
    calendar, seen, apart = WorkCalendar(code="CN"), 0, 0
    clocks: set[tuple[datetime, ...]] = set()
    for key in sorted(available_timezones() - {"localtime", "posixrules", "Factory"}):
        zone = ZoneInfo(key)
        walls = tuple(instant.astimezone(zone).replace(tzinfo=None) for instant in transitions(zone))
        if (clock := (*transitions(zone), *walls)) in clocks:
            continue  # another name of a clock that has been looked at
        clocks.add(clock)
        office = Office(zone=zone, calendar=calendar)
        for instant in transitions(zone):
            around = local_day(instant, zone)
            before: dict[str, datetime] = {}
            for days in range(-1, 3):
                due = around + timedelta(days=days)
                entry = a_deadline(due, zone)
                found = steps(entry, milestone, office, until=entry.since + timedelta(days=45))
                told = {s.key: s.at for s in found if s.kind is not None}
                assert len(told) == len([s for s in found if s.kind is not None]) == len(OFFSETS), (key, due)
                for name, moment in told.items():
                    if name.startswith("T-1@"):
                        there = moment.astimezone(zone)
                        assert there.date() == due - timedelta(days=1), (key, due, name)
                        asked = time.fromisoformat(name[4:9])
                        apart += there.time() != asked
                        assert there.time() >= asked, (key, due, name)
                    assert before.get(name, entry.since) <= moment
                exact = [name for name in told if name.startswith("T-1@")]
                assert all(before[name] < told[name] for name in exact if name in before), (key, due)
                before, seen = told, seen + len(told)
    assert seen > 25_000
    assert apart > 500


@pytest.mark.failure(6)
def test_lord_howe_moves_by_half_an_hour():
    zone = ZoneInfo("Australia/Lord_Howe")
    found = at(D("2026-10-04"), time(2, 15), zone).astimezone(zone)
    assert found.replace(tzinfo=None) == datetime(2026, 10, 4, 2, 45)  # noqa: DTZ001


@pytest.mark.failure(6)
def test_a_day_that_apia_skipped_happens_on_the_next():
    zone = ZoneInfo("Pacific/Apia")
    assert local_day(at(D("2011-12-30"), time(10), zone), zone) == D("2011-12-31")
    assert at(D("2011-12-30"), time(10), zone) == at(D("2011-12-31"), time(10), zone)


def test_the_local_day_is_the_day_of_the_people_there():
    instant = datetime(2026, 3, 1, 17, tzinfo=UTC)
    assert local_day(instant, ZoneInfo("Asia/Shanghai")) == D("2026-03-02")
    assert local_day(instant, ZoneInfo("America/New_York")) == D("2026-03-01")


def test_instants_without_a_zone_and_wall_times_with_one_are_bugs():
    with pytest.raises(ValueError, match="needs a zone"):
        local_day(datetime(2026, 3, 1), ZoneInfo("UTC"))  # noqa: DTZ001
    with pytest.raises(ValueError, match="no zone"):
        at(D("2026-03-01"), time(8, tzinfo=UTC), ZoneInfo("UTC"))
    with pytest.raises(ValueError, match="neither"):
        Hours(start=time(8), end=time(8))


def test_texting_hours_open_at_their_start_and_close_at_their_end():
    hours, zone = Hours(start=time(8), end=time(20)), ZoneInfo("Asia/Shanghai")

    def local(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=zone)

    assert [hours.is_open(local(f"2026-03-02T{t}"), zone) for t in ("07:59", "08:00", "19:59", "20:00")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert hours.next_open(local("2026-03-02T12:00"), zone) == local("2026-03-02T12:00")
    assert hours.next_open(local("2026-03-02T06:00"), zone) == local("2026-03-02T08:00")
    assert hours.next_open(local("2026-03-02T20:00"), zone) == local("2026-03-03T08:00")


def test_hours_may_cross_midnight():
    hours, zone = Hours(start=time(22), end=time(6)), ZoneInfo("Asia/Shanghai")
    opens = [hours.is_open(at(D("2026-03-02"), time(h), zone), zone) for h in (5, 6, 21, 22)]
    assert opens == [True, False, False, True]


@settings(deadline=None)
@given(
    key=st.sampled_from(
        ["Australia/Lord_Howe", "Pacific/Apia", "America/New_York", "Africa/Casablanca", "UTC"]
    ),
    instant=st.datetimes(datetime(2011, 12, 20), datetime(2012, 1, 10), timezones=st.just(UTC))  # noqa: DTZ001
    | st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 10), timezones=st.just(UTC)),  # noqa: DTZ001
    start=st.times(),
    end=st.times(),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(key, instant, start, end):
    if start == end:
        return
    hours, zone = Hours(start=start, end=end), ZoneInfo(key)
    found = hours.next_open(instant, zone)
    assert found >= instant
    assert hours.is_open(found, zone)
    if found > instant:
        assert not hours.is_open(instant, zone)
        assert not hours.is_open(instant + (found - instant) / 2, zone)
        assert not hours.is_open(found - timedelta(microseconds=1), zone)
