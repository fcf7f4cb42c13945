"""Mechanisms of the office that are rows of data over the one calendar, each played once."""

from datetime import date

from reminder.actions import added, cases, entries, moves, standins, upkeep
from reminder.actions.replan import replan
from reminder.domain.entries import EntryStatus
from reminder.domain.protocols import Bound
from reminder.runtime import Runtime
from reminder.store import cases as stored
from reminder.store import people, residents
from tests.actions.acting import after, chat, execute, moment, rows, scene, sound, tasks, texts, until
from tests.actions.acting import in_turn as act
from tests.office import LI, a_case, clock_of, person, read, write


async def a_major_case(rt: Runtime) -> int:
    case_id: int = (await a_case(rt)).row.case.id
    await until(rt, moment("2026-11-24", "09:00"))  # the first day's two texts fill the daily cap
    await act(rt, "lin", moves.flag, case_id, "major")
    zhou = await person(rt, "zhou")
    await act(rt, "lin", moves.sponsor, case_id, zhou.id)
    return case_id


async def test_an_invited_resident_reads_who_where_and_when_and_is_reminded_the_day_before(
    rt: Runtime,
) -> None:
    case_id = await a_major_case(rt)
    zhou = await person(rt, "zhou")
    value = {"day": "2026-12-02", "start": "09:00", "end": "10:00", "place": "镇政府二楼", "person": zhou.id}
    plan = await act(rt, "lin", added.add, case_id, "invited_meeting", value)
    await until(rt, moment("2026-11-25", "09:00"))
    await after(rt, hours=2)
    offer = next(t.message.text for t in reversed(texts(rt, LI)) if "当面谈" in t.message.text)
    assert "周敏" in offer
    assert "镇政府二楼" in offer
    await act(rt, "chen", entries.confirm, plan.entries["invited_meeting"].id)
    await until(rt, moment("2026-12-01", "17:00"))
    assert "明天" in texts(rt, LI)[-1].message.text
    plan = await act(rt, "lin", entries.visited, plan.entries["invited_meeting"].id, "holds", "came")
    assert plan.entries["invite"].status is EntryStatus.MET


async def test_after_going_there_with_the_file_the_decision_is_written_down_within_a_working_day(
    rt: Runtime,
) -> None:
    case_id = await a_major_case(rt)
    zhou = await person(rt, "zhou")
    value = {"day": "2026-12-04", "place": "河湾村", "person": zhou.id}
    plan = await act(rt, "lin", added.add, case_id, "outreach", value)
    await until(rt, moment("2026-12-04", "12:00"))
    plan = await act(rt, "lin", entries.visited, plan.entries["outreach"].id, "holds", "measured")
    assert plan.entries["site"].status is EntryStatus.MET
    assert plan.entries["decision_note"].due_on == date(2026, 12, 7)
    await sound(rt)


async def test_only_what_the_resident_heard_counts_as_progress(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    assert plan.entries["progress"].due_on == date(2026, 12, 14)  # 20 days on a Sunday roll
    await after(rt, days=3)
    plan = await act(rt, "chen", cases.note, case_id, "measured the field")
    assert plan.entries["progress"].is_open
    plan = await act(
        rt, "chen", cases.note, case_id, "told them", progress="测量做完了", next_step="张榜公布"
    )
    assert plan.entries["progress"].status is EntryStatus.MET
    assert plan.entries["progress+2"].nominal_on == date(2026, 12, 16)
    await after(rt, minutes=2)
    assert "测量做完了" in texts(rt, LI)[-1].message.text
    await sound(rt)


async def test_supervision_is_asked_once_about_a_case_that_takes_long_and_the_team_meets_every_fortnight(
    rt: Runtime,
) -> None:
    case_id = await a_major_case(rt)
    assert not await read(rt, lambda tx: upkeep.wants(tx, rt.desk, case_id))
    clock_of(rt).set(moment("2027-11-25", "09:00"))
    assert await write(rt, lambda tx: upkeep.suggest_task_force(tx, rt.desk, case_id))
    assert not await write(rt, lambda tx: upkeep.suggest_task_force(tx, rt.desk, case_id))
    assert "form_task_force" in [t["what"] for t in await tasks(rt, case_id)]
    zhou, chen = await person(rt, "zhou"), await person(rt, "chen")
    team = {"person": zhou.id, "people": [zhou.id, chen.id]}
    plan = await act(rt, "lin", added.add, case_id, "task_force", team)
    first = plan.entries["task_force"]
    assert "form_task_force" not in [t["what"] for t in await tasks(rt, case_id)]
    assert first.nominal_on == date(2027, 12, 9)
    plan = await act(rt, "zhou", entries.done, first.id, "met")
    assert plan.entries["task_force+2"].is_open


async def test_an_errand_is_filed_fetched_told_and_handed_over(rt: Runtime) -> None:
    plan = await a_case(rt, protocol="errand", accepted=False)
    case_id = plan.row.case.id
    await until(rt, moment("2026-11-24", "09:00"))
    plan = await act(rt, "chen", entries.done, plan.entries["filed"].id)
    assert plan.entries["collected"].is_open
    plan = await act(rt, "chen", entries.done, plan.entries["collected"].id)
    assert plan.entries["handed"].is_open
    await after(rt, minutes=2)
    assert "办好了" in texts(rt, LI)[-1].message.text
    plan = await act(rt, "chen", entries.done, plan.entries["handed"].id)
    assert plan.entries["handed"].status is EntryStatus.MET
    await act(rt, "chen", cases.contact, case_id, "handed over")
    plan = await act(rt, "chen", cases.answer, case_id, "upheld", "certificate issued")
    assert plan.past.status.value == "replied"
    await sound(rt)


async def test_help_from_above_is_offered_and_binds_nobody(rt: Runtime) -> None:
    plan = await a_case(rt)
    offer = plan.entries["offer_up"]
    assert offer.bound is Bound.NONE
    assert offer.nominal_on == date(2026, 12, 13)
    await until(rt, moment("2026-12-31", "12:00"))
    assert [r for r in await rows(rt, "escalation") if r.entry_id == offer.id] == []


async def test_how_people_are_reached_is_kept_as_a_practical_preference(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    await act(rt, "chen", added.reach_by, case_id, "agent", "方言，耳背")
    there = list((await scene(rt, case_id)).sides)
    found = await read(rt, lambda tx: residents.many(tx, there))
    assert [(r.reach_by, r.needs) for r in found.values()] == [("agent", "方言，耳背")]
    await act(rt, "chen", entries.propose, case_id, entries.Slot(day=date(2026, 11, 27)))
    await until(rt, moment("2026-11-26", "17:00"))
    assert [row for row in chat(rt).ledger if "方言，耳背" in row.message.text]


async def test_an_agreement_gives_the_parties_thirty_days_and_each_promise_its_owner(rt: Runtime) -> None:
    case_id = await a_major_case(rt)
    plan = await act(rt, "lin", added.add, case_id, "agreement", {"text": "equal rate, culvert, gates"})
    window = plan.entries["agreement"]
    assert (window.nominal_on, window.bound) == (date(2026, 12, 24), Bound.NONE)
    chen = await person(rt, "chen")
    value = {"day": "2026-12-18", "person": chen.id, "text": "涵洞"}
    plan = await act(rt, "lin", added.add, case_id, "commitment", value)
    assert plan.entries["commitment"].keeps_case_alive
    await sound(rt)


async def test_a_broken_promise_takes_a_closed_case_up_again_and_lessons_are_written_at_the_end(
    rt: Runtime,
) -> None:
    case_id = await a_major_case(rt)
    chen = await person(rt, "chen")
    value = {"day": "2026-12-18", "person": chen.id, "text": "田埂口"}
    await act(rt, "lin", added.add, case_id, "commitment", value)
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", cases.answer, case_id, "upheld", "路修通了")
    await act(rt, "chen", cases.served, case_id, "in person")
    plan = await act(rt, "chen", cases.close, case_id)
    assert plan.entries["rv1"].due_on == date(2026, 12, 1)
    assert "rv1_other" not in plan.entries
    plan = await act(rt, "lin", added.broken, case_id, "commitment", "gate not built")
    assert plan.past.status.value == "in_progress"
    assert not plan.entries["rv1"].is_open
    await sound(rt)


async def test_a_case_that_was_only_received_is_registered_with_done(rt: Runtime) -> None:
    plan = await a_case(rt, accepted=False)
    case_id = plan.row.case.id
    await execute(rt, "UPDATE facts SET voided_at = recorded_at WHERE event = 'register'")
    plan = await write(rt, lambda tx: replan(tx, rt.desk, case_id))
    assert plan.past.status.value == "received"
    plan = await act(rt, "yang", entries.done, plan.entries["reg"].id)
    assert plan.past.status.value == "registered"
    assert plan.entries["reg"].status is EntryStatus.MET
    await sound(rt)


async def test_a_case_taken_in_as_major_owes_a_sponsor_from_that_moment(rt: Runtime) -> None:
    plan = await a_case(rt, protocol="major")
    assert plan.entries["sponsor"].due_on == date(2026, 11, 26)
    assert plan.entries["joint1"].is_open
    await sound(rt)


async def test_return_visits_go_to_both_sides_where_there_are_two(rt: Runtime) -> None:
    case_id = await a_major_case(rt)
    other = await write(rt, lambda tx: residents.add(tx, name="对方"))
    await write(rt, lambda tx: stored.add_party(tx, case_id, other, "counterpart"))
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", cases.answer, case_id, "upheld", "路修通了")
    await act(rt, "chen", cases.served, case_id, "in person")
    plan = await act(rt, "chen", cases.close, case_id)
    assert plan.entries["rv1_other"].due_on == plan.entries["rv1"].due_on
    await sound(rt)


async def test_while_it_is_reviewed_nothing_asks_for_its_closing(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", cases.answer, case_id, "upheld", "路修通了")
    plan = await act(rt, "chen", cases.served, case_id, "in person")
    assert plan.entries["close"].is_open
    plan = await act(rt, "chen", moves.ask_review, case_id)
    assert not plan.entries["close"].is_open
    plan = await act(rt, "zhou", moves.review_result, case_id, True, "well founded")
    assert any(entry.keeps_case_alive for entry in plan.entries.values()), "it still has a next date"
    await sound(rt)


async def test_a_villages_agent_and_its_cadre_stand_beside_each_other(rt: Runtime) -> None:
    chen, wang, tang = [await person(rt, key) for key in ("chen", "wang", "tang")]
    for who in (chen, tang, wang):
        await act(rt, "zhou", standins.post, "白水", who.id, date(2026, 11, 23))
    staff = await read(rt, people.staff)
    held = {p.person_id: p.to_on for p in staff.postings if p.place == "白水"}
    assert held == {chen.id: date(2026, 11, 22), tang.id: None, wang.id: None}
    assert staff.posted("白水", date(2026, 11, 23)) == wang
