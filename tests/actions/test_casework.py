"""The moves of the whole casework: each guard holds, each text goes to whom it should, each date is right."""

from datetime import date, timedelta
from typing import Any

import pytest

from reminder.actions import added, cases, entries, moves, oversight, parties, standins, upkeep
from reminder.actions.cases import NewParty
from reminder.actions.desk import Actor
from reminder.actions.entries import Slot
from reminder.domain.cases import Event
from reminder.domain.errors import NotFound, Refused
from reminder.domain.people import Role
from reminder.runtime import Runtime
from reminder.store import people
from tests.actions.acting import (
    after,
    entry,
    moment,
    refused,
    rows,
    scene,
    settle,
    sound,
    tasks,
    texts,
    until,
)
from tests.actions.acting import in_turn as act
from tests.office import LI, a_case, person, read, write


async def next_day(rt: Runtime) -> None:
    """So that the two texts of the first day do not fill the daily cap."""
    await until(rt, moment("2026-11-24", "09:00"))


async def the_other_unit(rt: Runtime) -> int:
    """石门乡, headed by 石磊."""
    stone = await person(rt, "stone")
    await write(rt, lambda tx: people.set_head(tx, stone.unit_id, stone.id))
    await write(rt, lambda tx: people.set_roles(tx, stone.id, [Role.HANDLER, Role.UNIT_HEAD]))
    return stone.unit_id


# --- from unit to unit --------------------------------------------------------------------------


async def test_a_referred_case_stays_with_its_sender_until_the_other_unit_signs(rt: Runtime) -> None:
    other, stone = await the_other_unit(rt), await person(rt, "stone")
    plan = await a_case(rt, accepted=False)
    case_id, home = plan.row.case.id, plan.row.unit_id
    plan = await act(rt, "lin", moves.refer, case_id, other, "not ours")
    assert (plan.past.status.value, plan.row.unit_id, plan.row.referred_id) == ("referred", home, other)
    assert plan.row.responsible_id == (await person(rt, "chen")).id
    await settle(rt)
    assert [r.person_id for r in await rows(rt, "acknowledge")] == [stone.id]
    assert await rows(rt, "referred") == []
    plan = await act(rt, "stone", moves.acknowledge, case_id)
    assert (plan.past.status.value, plan.row.unit_id, plan.row.handler_id) == ("registered", other, None)
    assert plan.row.responsible_id == stone.id
    await after(rt, minutes=1)
    assert "石门乡" in texts(rt, LI)[-1].message.text
    await sound(rt)


async def test_a_referral_nobody_signs_for_is_told_to_the_resident_once(rt: Runtime) -> None:
    other = await the_other_unit(rt)
    plan = await a_case(rt, accepted=False)
    case_id = plan.row.case.id
    await act(rt, "lin", moves.refer, case_id, other)
    await until(rt, moment("2026-11-25", "11:00"))
    assert len(await rows(rt, "referred")) == 1
    await act(rt, "stone", moves.acknowledge, case_id)
    await after(rt, hours=2)
    assert len(await rows(rt, "referred")) == 1


async def test_the_wrong_unit_objects_within_five_working_days_and_twice_is_seen(rt: Runtime) -> None:
    other = await the_other_unit(rt)
    plan = await a_case(rt, accepted=False)
    case_id = plan.row.case.id
    for _ in range(2):
        await act(rt, "lin", moves.refer, case_id, other)
        assert await refused(act(rt, "stone", moves.object_to, case_id, " ")) == "case.needs_reason"
        plan = await act(rt, "stone", moves.object_to, case_id, "land office")
    assert (plan.past.status.value, plan.past.bounced) == ("registered", 2)
    assert oversight.signals(await scene(rt, case_id)) == ["bounced"]
    await act(rt, "lin", moves.refer, case_id, other)
    await until(rt, moment("2026-12-01", "09:00"))
    assert await refused(act(rt, "stone", moves.object_to, case_id, "late")) == "object.too_late"


async def test_another_route_ends_the_handling_and_somebody_rings_a_week_later(rt: Runtime) -> None:
    plan = await a_case(rt, accepted=False)
    case_id = plan.row.case.id
    plan = await act(rt, "chen", moves.guide, case_id, "劳动仲裁")
    assert plan.past.status.value == "not_accepted"
    assert [k for k, e in plan.entries.items() if e.is_open and e.keeps_case_alive] == ["guided_call"]
    assert plan.entries["guided_call"].due_on == date(2026, 11, 30)
    await after(rt, minutes=1)
    assert "劳动仲裁" in texts(rt, LI)[-1].message.text


# --- more time ----------------------------------------------------------------------------------


async def test_an_extension_is_granted_once_by_another_and_counted_from_the_nominal_end(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    await next_day(rt)
    handle = plan.entries["handle"]
    assert (handle.nominal_on, handle.provisional) == (date(2027, 1, 22), True)
    assert await refused(act(rt, "lin", moves.extend, case_id, 31, "forest permit")) == "extend.days"
    assert await refused(act(rt, "lin", moves.extend, case_id, 20, "")) == "case.needs_reason"
    asked = await act(rt, "chen", moves.extend, case_id, 20, "林地批文未到")
    assert asked.entries["handle"].due_on == handle.due_on
    assert [t["what"] for t in await tasks(rt, case_id)] == ["approve_extension"]
    plan = await act(rt, "lin", moves.extend, case_id, 30, "林地批文未到")
    assert plan.entries["handle"].nominal_on == date(2027, 2, 21)
    await after(rt, minutes=1)
    text = texts(rt, LI)[-1].message.text
    assert "林地批文未到" in text
    assert "林国栋" in text
    assert await refused(act(rt, "lin", moves.extend, case_id, 5, "again")) == "extend.twice"
    await sound(rt)


async def test_an_extension_the_resident_could_not_hear_of_in_time_is_refused(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    due = plan.entries["handle"].due_on
    assert due is not None
    await until(rt, moment(due.isoformat(), "20:30"))
    assert await refused(act(rt, "lin", moves.extend, case_id, 20, "late")) == "extend.too_late"


async def test_a_deferred_case_is_told_why_looked_at_again_and_never_counts_as_closed(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    await next_day(rt)
    day = date(2026, 12, 20)
    assert await refused(act(rt, "lin", moves.defer, case_id, day, "no funds", "")) == "defer.needs_both"
    far = date(2027, 3, 1)
    assert await refused(act(rt, "lin", moves.defer, case_id, far, "r", "c")) == "defer.next_look"
    await act(rt, "chen", moves.defer, case_id, day, "资金未到", "县里下达计划")
    assert [t["what"] for t in await tasks(rt, case_id)] == ["approve_deferral"]
    plan = await act(rt, "lin", moves.defer, case_id, day, "资金未到", "县里下达计划")
    assert plan.past.status.value == "deferred"
    assert plan.entries["look_again"].due_on == day  # a Sunday: the resident was promised that very day
    assert plan.entries["handle"].is_open
    await after(rt, minutes=1)
    assert "12月20日" in texts(rt, LI)[-1].message.text
    again = await act(rt, "lin", moves.defer, case_id, date(2027, 1, 10), "资金未到", "县里下达计划")
    assert again.entries["look_again"].status.value == "met"
    assert again.entries["look_again.2"].due_on == date(2027, 1, 10)
    back = await act(rt, "chen", moves.resume, case_id)
    assert back.past.status.value == "in_progress"
    await sound(rt)


async def test_held_texts_wait_and_no_clock_does(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    await next_day(rt)
    before, due = len(texts(rt, LI)), plan.entries["handle"].due_on
    await act(rt, "lin", moves.pause, case_id, "wrong number, being checked")
    slot = Slot(day=date(2026, 11, 27))
    await act(rt, "chen", entries.propose, case_id, slot)
    await after(rt, hours=3)
    assert len(texts(rt, LI)) == before
    plan = await act(rt, "lin", moves.unpause, case_id)
    assert plan.entries["handle"].due_on == due
    await after(rt, hours=3)
    assert len(texts(rt, LI)) == before + 1


# --- review -------------------------------------------------------------------------------------


async def replied(rt: Runtime) -> int:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", cases.answer, case_id, "not_upheld", "查无依据", rule="条例第三十二条")
    await act(rt, "chen", cases.served, case_id, "in person")
    return case_id


async def test_a_review_goes_up_twice_and_then_is_over_while_help_goes_on(rt: Runtime) -> None:
    case_id = await replied(rt)
    plan = await act(rt, "chen", moves.ask_review, case_id)
    assert plan.past.status.value == "under_review"
    assert plan.entries["reexam"].nominal_on == date(2026, 12, 23)
    assert await refused(act(rt, "chen", moves.review_result, case_id, True, "ok")) == "person.not_allowed"
    plan = await act(rt, "zhou", moves.review_result, case_id, True, "维持原答复")
    assert plan.past.status.value == "replied"
    plan = await act(rt, "chen", moves.ask_review, case_id)
    assert plan.past.status.value == "under_second_review"
    due = plan.entries["review2"].nominal_on
    assert due is not None
    plan = await act(rt, "zhou", moves.suspend, case_id, 12)
    assert plan.entries["review2"].nominal_on == due + timedelta(days=12)
    plan = await act(rt, "zhou", moves.review_result, case_id, True, "维持")
    assert plan.past.status.value == "concluded"
    assert not any(e.keeps_case_alive for e in plan.entries.values())
    assert await refused(act(rt, "chen", moves.ask_review, case_id)) == "case.wrong_state"
    await sound(rt)


async def test_a_review_that_sends_it_back_starts_the_clock_anew(rt: Runtime) -> None:
    case_id = await replied(rt)
    await act(rt, "chen", moves.ask_review, case_id)
    plan = await act(rt, "zhou", moves.review_result, case_id, False, "重新测量")
    assert plan.past.status.value == "in_progress"
    assert plan.entries["handle.2"].is_open
    await sound(rt)


async def test_asking_too_late_needs_a_person_to_decide(rt: Runtime) -> None:
    case_id = await replied(rt)
    await until(rt, moment("2026-12-29", "09:00"))
    assert await refused(act(rt, "chen", moves.ask_review, case_id)) == "review.late"
    plan = await act(rt, "chen", moves.ask_review, case_id, "was in hospital")
    assert plan.past.status.value == "under_review"


# --- who carries it -----------------------------------------------------------------------------


async def test_a_flag_puts_the_head_in_charge_and_undo_takes_everything_back(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    assert await refused(act(rt, "lin", moves.flag, case_id, "troublemaker")) == "flag.unknown"
    plan = await act(rt, "lin", moves.flag, case_id, "collective")
    assert (plan.row.protocol, plan.past.flags) == ("major", {"collective"})
    assert plan.entries["sponsor"].due_on == date(2026, 11, 26)
    assert plan.entries["joint1"].nominal_on == date(2026, 12, 8)
    await settle(rt)
    assert [r.person_id for r in await rows(rt, "major_case")] == [(await person(rt, "zhou")).id]
    await sound(rt)
    lin = await person(rt, "lin")

    async def take_back(tx: Any) -> Any:
        from reminder.store import cases as stored

        deed = await stored.last_deed(tx, lin.id)
        assert deed is not None
        return await entries.undo(tx, rt.desk, Actor(person=lin), deed["id"])

    plan = await write(rt, take_back)
    assert plan.row.protocol == "ordinary"
    assert not plan.entries["sponsor"].is_open
    await sound(rt)


async def test_a_sponsor_is_a_leader_who_is_still_here(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    await next_day(rt)
    await act(rt, "lin", moves.flag, case_id, "repeated")
    chen, zhou = await person(rt, "chen"), await person(rt, "zhou")
    assert await refused(act(rt, "lin", moves.sponsor, case_id, chen.id)) == "sponsor.who"
    plan = await act(rt, "lin", moves.sponsor, case_id, zhou.id)
    assert (plan.row.sponsor_id, plan.entries["sponsor"].status.value) == (zhou.id, "met")
    assert plan.entries["plan"].due_on == date(2026, 12, 8)
    assert plan.entries["site"].nominal_on == date(2026, 12, 14)
    await after(rt, minutes=1)
    assert "周敏" in texts(rt, LI)[-1].message.text
    await write(rt, lambda tx: people.update(tx, zhou.id, active=False))
    assert await refused(act(rt, "lin", moves.sponsor, case_id, zhou.id)) == "sponsor.who"


async def test_a_commitment_reminds_its_owner_and_needs_to_be_shown(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    stone = await person(rt, "stone")
    past = {"day": "2026-11-20", "person": stone.id, "text": "gate"}
    assert await refused(act(rt, "lin", added.add, case_id, "commitment", past)) == "date.past"
    assert await refused(act(rt, "lin", added.add, case_id, "picnic", {})) == "added.unknown"
    value = {"day": "2026-12-20", "person": stone.id, "text": "修好田埂口"}
    plan = await act(rt, "lin", added.add, case_id, "commitment", value)
    made = plan.entries["commitment"]
    assert (made.due_on, made.promise_on, made.person_id) == (
        date(2026, 12, 21),
        date(2026, 12, 18),
        stone.id,
    )
    await settle(rt)
    assert [r.person_id for r in await rows(rt, "commitment_made")] == [stone.id]
    assert await refused(act(rt, "stone", entries.done, made.id, "")) == "entry.needs_text"
    with pytest.raises(NotFound):  # of another township, and not named in this one
        await act(rt, "stone", entries.done, plan.entries["handle"].id, "x")
    plan = await act(rt, "stone", entries.done, made.id, "photo of the gate")
    assert plan.entries["commitment"].status.value == "met"


async def test_one_joint_review_of_two_cases_is_told_to_each_person_once(rt: Runtime) -> None:
    first = (await a_case(rt)).row.case.id
    second = (await a_case(rt, phones=())).row.case.id
    he = await person(rt, "he")
    plans = await act(
        rt,
        "zhou",
        added.joint_review,
        [first, second],
        Slot(day=date(2026, 12, 9)),
        place="county hall",
        secretary_id=he.id,
    )
    assert [p.entries["joint_review"].status.value for p in plans] == ["confirmed", "confirmed"]
    await until(rt, moment("2026-12-02", "12:00"))
    told = await rows(rt, "joint_review")
    assert len(told) == len({r.person_id for r in told}) == 4
    meeting = await entry(rt, first, "joint_review")
    await until(rt, moment("2026-12-09", "12:00"))
    plan = await act(rt, "zhou", entries.done, meeting.id, "survey again; Huang by 20 Dec")
    assert plan.entries["minutes"].due_on == date(2026, 12, 11)
    assert plan.entries["tell_joint"].is_open
    await sound(rt)


async def test_an_order_is_answered_by_the_unit_and_judged_by_a_person(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    with pytest.raises(Refused):
        await act(rt, "chen", cases.allowed, case_id, Event.ERASE)
    plan = await act(rt, "zhou", added.add, case_id, "order", {"text": "half the limit without a note"})
    assert plan.entries["order"].nominal_on == date(2026, 11, 30)
    plan = await act(rt, "lin", entries.done, plan.entries["order"].id, "survey was done, note was forgotten")
    assert plan.entries["order_outcome"].is_open
    plan = await act(rt, "zhou", entries.done, plan.entries["order_outcome"].id, "explained")
    assert plan.entries["order_outcome"].status.value == "met"


async def test_joining_the_same_matter_keeps_the_earlier_receipt_and_the_people(rt: Runtime) -> None:
    early = await a_case(rt, accepted=False)
    await after(rt, days=3)
    late = await a_case(rt, accepted=False, phones=("+12025550143",))
    into, gone = late.row.case.id, early.row.case.id
    assert await refused(act(rt, "lin", moves.merge, gone, gone)) == "merge.itself"
    plan = await act(rt, "lin", moves.merge, gone, into)
    assert plan.past.status.value == "merged"
    assert not any(e.keeps_case_alive for e in plan.entries.values())
    kept = await scene(rt, into)
    assert kept.past.all(Event.RECEIVE)[0].at == early.past.all(Event.RECEIVE)[0].at
    assert len(kept.sides) == 2
    await sound(rt)


# --- absences, villages, the clock ------------------------------------------------------------


async def test_a_deputy_gets_the_messages_and_not_the_duty(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    chen, wang, tang = await person(rt, "chen"), await person(rt, "wang"), await person(rt, "tang")
    day = date(2026, 11, 24)
    week = (day, day + timedelta(days=7))
    assert await refused(act(rt, "stone", standins.leave, chen.id, wang.id, *week)) == "person.not_allowed"
    await write(rt, lambda tx: people.update(tx, tang.id, chat_id=None))
    assert await refused(act(rt, "chen", standins.leave, chen.id, tang.id, *week)) == "leave.deputy"
    await act(rt, "chen", standins.leave, chen.id, wang.id, *week)
    await until(rt, moment("2026-11-26", "12:00"))
    assert {r.person_id for r in await rows(rt, "handover")} == {wang.id}
    digests = {r.person_id for r in await rows(rt, "digest") if r.due_at.date() == date(2026, 11, 26)}
    assert wang.id in digests
    assert chen.id not in digests
    assert (await scene(rt, case_id)).row.responsible_id == chen.id
    assert await act(rt, "chen", standins.back) == 1
    staff = await read(rt, people.staff)
    assert staff.reached(chen, date(2026, 11, 26)) == chen


async def test_a_village_gets_its_cadre_and_hands_over_on_rotation(rt: Runtime) -> None:
    chen, wang = await person(rt, "chen"), await person(rt, "wang")
    await act(rt, "lin", standins.post, "河湾", chen.id, date(2026, 11, 1))
    plan = await a_case(rt, handler=None, accepted=False)
    assert plan.row.handler_id == chen.id
    assert await act(rt, "lin", standins.post, "河湾", wang.id, date(2026, 11, 23)) == 1
    assert (await scene(rt, plan.row.case.id)).row.handler_id == wang.id


async def test_acceptance_cannot_be_put_off(rt: Runtime) -> None:
    plan = await a_case(rt, accepted=False)
    case_id = plan.row.case.id
    await until(rt, moment("2026-12-07", "12:00"))
    assert await write(rt, lambda tx: upkeep.accept_by_clock(tx, rt.desk, case_id)) is False
    await until(rt, moment("2026-12-09", "12:00"))
    now = await scene(rt, case_id)
    assert now.past.status.value == "accepted"
    assert now.entries["handle"].nominal_on == date(2027, 2, 6)
    assert "accepted_by_clock" in [t["what"] for t in await tasks(rt, case_id)]


async def test_a_reason_makes_the_ladder_begin_again(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    contact = plan.entries["first_contact"]
    assert contact.due_on == date(2026, 11, 26)
    plan = await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", cases.answer, case_id, "upheld", "done")
    serve = (await scene(rt, case_id)).entries["serve"]
    assert serve.due_on == date(2026, 11, 26)
    await until(rt, moment("2026-11-30", "12:00"))  # T+2wd: the sponsor's rung would be T+3wd, on 1 December
    await act(rt, "chen", cases.note, case_id, "ill", why="the resident is away until Friday")
    await until(rt, moment("2026-12-02", "12:00"))
    assert [r for r in await rows(rt, "escalation") if r.entry_id == serve.id] == []
    await until(rt, moment("2026-12-03", "12:00"))
    assert [r for r in await rows(rt, "escalation") if r.entry_id == serve.id] != []


async def test_the_self_test_names_rungs_that_nobody_reaches(rt: Runtime) -> None:
    await a_case(rt)
    zhou = await person(rt, "zhou")
    assert "top" not in await read(rt, lambda tx: oversight.unreached(tx, rt.desk))
    await write(rt, lambda tx: people.update(tx, zhou.id, chat_id=None))
    assert {"top", "supervision"} <= set(await read(rt, lambda tx: oversight.unreached(tx, rt.desk)))


async def test_counts_are_of_units_and_name_nobody(rt: Runtime) -> None:
    await a_case(rt)
    found = await act(rt, "zhou", oversight.counts)
    assert [(one.unit, one.overdue) for one in found] == [("柳溪镇", 0)]
    assert found[0].open > 0
    await until(rt, moment("2026-12-10", "12:00"))
    later = await act(rt, "zhou", oversight.counts)
    assert later[0].overdue > 0
    assert Role.HANDLER in (await person(rt, "chen")).roles


async def test_more_people_come_onto_a_case_and_five_at_most_speak_for_a_group(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    for number in range(5):
        one = NewParty(name=f"代表{number}", phones=(f"+1202555015{number}",), role="representative")
        await act(rt, "chen", parties.add, case_id, one)
    sixth = NewParty(name="代表六", role="representative")
    assert await refused(act(rt, "chen", parties.add, case_id, sixth)) == "party.five"
    assert (
        await refused(act(rt, "chen", parties.add, case_id, NewParty(name="x", role="boss"))) == "party.role"
    )
    other = NewParty(name="对方", phones=("+12025550160",), role="counterpart")
    await act(rt, "chen", parties.add, case_id, other)
    await until(rt, moment("2026-11-25", "09:00"))
    await act(rt, "chen", entries.propose, case_id, Slot(day=date(2026, 11, 27)))
    await after(rt, minutes=5)
    told = {row.message.to for row in texts(rt) if "27日" in row.message.text}
    assert {LI, "+12025550150", "+12025550160"} <= told
    await sound(rt)


async def test_a_wish_for_more_time_is_nobodys_task_once_the_case_is_answered(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", moves.extend, case_id, 10, "等材料")
    assert "approve_extension" in [task["what"] for task in await tasks(rt, case_id)]
    await act(rt, "chen", cases.answer, case_id, "upheld", "done")
    assert "approve_extension" not in [task["what"] for task in await tasks(rt, case_id)]
    await sound(rt)


async def test_after_a_review_that_lets_it_stand_closing_falls_due(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", cases.answer, case_id, "upheld", "done")
    await act(rt, "chen", cases.served, case_id, "by hand")
    await act(rt, "chen", moves.ask_review, case_id)
    plan = await act(rt, "zhou", moves.review_result, case_id, True, "stands")
    assert plan.entries["close_reviewed"].due_on == date(2026, 11, 30)
    plan = await act(rt, "chen", cases.close, case_id)
    assert plan.entries["close_reviewed"].status.value == "met"
