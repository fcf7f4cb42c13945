"""The office's own files: reception days roll forward and swap, rounds are walkable, pledges are kept."""

from datetime import date
from typing import Any

import pytest

from reminder.actions import added, entries, files
from reminder.actions.scene import read_case
from reminder.domain.errors import Refused
from reminder.runtime import Runtime
from tests.actions.acting import after, moment, refused, rows, sound, texts, until
from tests.actions.acting import in_turn as act
from tests.office import LI, a_case, person, read


async def a_rota(rt: Runtime) -> Any:
    zhou, he = await person(rt, "zhou"), await person(rt, "he")
    return await act(rt, "lin", files.reception, 15, [zhou.id, he.id], "county hall")


async def test_reception_days_roll_over_rest_days_and_leaders_take_turns(rt: Runtime) -> None:
    zhou, he = await person(rt, "zhou"), await person(rt, "he")
    assert (await refused(act(rt, "lin", files.reception, 31, [zhou.id], "hall"))) == "reception.day"
    plan = await a_rota(rt)
    days = [plan.entries["reception" if n == 1 else f"reception.{n}"] for n in range(1, 13)]
    assert [d.due_on for d in days[:3]] == [date(2026, 12, 15), date(2027, 1, 15), date(2027, 2, 15)]
    assert [d.nominal_on for d in days[4:6]] == [date(2027, 4, 15), date(2027, 5, 15)]
    assert days[5].due_on == date(2027, 5, 17)  # the 15th of May 2027 is a Saturday
    assert [d.provisional for d in days[:2]] == [False, True]
    assert [d.person_id for d in days[:3]] == [zhou.id, he.id, zhou.id]
    await sound(rt)


async def test_the_leader_hears_five_working_days_before_and_reads_who_is_booked_the_day_before(
    rt: Runtime,
) -> None:
    plan = await a_rota(rt)
    case = await a_case(rt)
    await until(rt, moment("2026-11-24", "09:00"))  # the first day's two texts fill the daily cap
    await act(rt, "chen", files.book, case.row.case.id, plan.row.case.id)
    await after(rt, minutes=5)
    assert "周敏" in texts(rt, LI)[-1].message.text
    await until(rt, moment("2026-12-08", "12:00"))
    zhou, lin = await person(rt, "zhou"), await person(rt, "lin")
    assert {r.person_id for r in await rows(rt, "reception_duty")} == {zhou.id, lin.id}
    await until(rt, moment("2026-12-14", "12:00"))
    listed = await rows(rt, "reception_list")
    assert [(r.person_id, r.state.value) for r in listed] == [(zhou.id, "sent")]
    scene = await read(rt, lambda tx: read_case(tx, rt.desk, plan.row.case.id))
    assert [f.value.get("booked") for f in scene.past.about("reception")][-1] == case.row.case.number


async def test_swapping_tells_both_leaders_their_new_day(rt: Runtime) -> None:
    plan = await a_rota(rt)
    await until(rt, moment("2026-12-09", "09:00"))
    scene = await read(rt, lambda tx: read_case(tx, rt.desk, plan.row.case.id))
    one, other = scene.entries["reception"], scene.entries["reception.2"]
    plan = await act(rt, "lin", files.swap, one, other)
    assert plan.entries["reception"].due_on == date(2027, 1, 15)
    assert plan.entries["reception.2"].due_on == date(2026, 12, 15)
    await after(rt, minutes=5)
    zhou, he = await person(rt, "zhou"), await person(rt, "he")
    moved = {r.person_id for r in await rows(rt, "staff_visit_moved")}
    assert zhou.id in moved
    await until(rt, moment("2026-12-14", "12:00"))
    told = {r.person_id for r in await rows(rt, "reception_list") if r.state.value == "sent"}
    assert told == {he.id}
    await sound(rt)


async def test_a_round_that_cannot_be_walked_is_refused_with_the_way_out(rt: Runtime) -> None:
    for number in range(9):
        await act(rt, "lin", files.add_household, "河湾", f"{number}户", 3, agreed=number < 2)
    span = {"first": date(2026, 12, 1), "last": date(2026, 12, 3)}
    with pytest.raises(Refused) as no:
        await act(rt, "lin", files.make_round, "survey", "河湾", most=2, **span)
    assert (no.value.key, no.value.values["needed"]) == ("round.too_large", 5)
    plan = await act(rt, "lin", files.make_round, "survey", "河湾", most=3, **span)
    visits = [e for e in plan.entries.values() if e.milestone == "household"]
    per_day = [sum(v.due_on == date(2026, 12, day) for v in visits) for day in (1, 2, 3)]
    assert (len(visits), per_day) == (9, [3, 3, 3])
    care = await act(rt, "lin", files.make_round, "care", "河湾", most=3, **span)
    assert sum(e.milestone == "household" for e in care.entries.values()) == 2
    assert (await refused(act(rt, "lin", files.make_round, "survey", "月亮", most=3, **span))) == (
        "round.nothing"
    )
    await sound(rt)


async def test_care_visits_come_again_after_thirty_days(rt: Runtime) -> None:
    await act(rt, "lin", files.add_household, "河湾", "一户", 3, agreed=True)
    span = {"first": date(2026, 12, 1), "last": date(2026, 12, 1)}
    plan = await act(rt, "lin", files.make_round, "care", "河湾", most=3, **span)
    await until(rt, moment("2026-12-01", "12:00"))
    visit = plan.entries["household"]
    plan = await act(rt, "lin", entries.visited, visit.id, "holds", "well")
    assert plan.entries["household+2"].due_on == date(2026, 12, 31)
    await sound(rt)


async def test_a_file_of_pledges_always_has_a_next_date_and_ends_when_finished(rt: Runtime) -> None:
    plan = await act(rt, "lin", files.open_file, "pledges", "十项承诺", "")
    case_id = plan.row.case.id
    assert plan.entries["monthly_look"].is_open
    chen = await person(rt, "chen")
    value = {"day": "2026-12-30", "person": chen.id, "text": "修好河湾路灯"}
    plan = await act(rt, "lin", added.add, case_id, "commitment", value)
    assert plan.entries["commitment"].person_id == chen.id
    plan = await act(rt, "lin", files.finish, case_id, "all kept")
    assert plan.past.status.value == "completed"
    assert (await refused(act(rt, "lin", files.finish, case_id, "again"))) == "file.finish"
    await sound(rt)
