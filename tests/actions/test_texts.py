"""Who gets which text when: nobody against their will, at night, too late, or about two things at once."""

from collections.abc import Awaitable, Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reminder.actions import cases
from reminder.actions import entries as visits
from reminder.actions.cases import NewParty
from reminder.actions.entries import Slot
from reminder.actions.reminding import fall_due
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import cases as cases_stored
from reminder.store import residents
from reminder.store import tables as t
from reminder.store.database import Tx
from tests.actions.acting import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    act,
    after,
    broken,
    chat,
    closed,
    entry,
    execute,
    moment,
    offered,
    on,
    rows,
    send_in,
    settle,
    sms,
    states,
    tasks,
    texts,
    until,
    visited_case,
)
from tests.office import LI, STAFF, a_case, actor, clock_of, office, person, write

Office = Callable[..., Awaitable[Runtime]]

ZHAO = "+12025550143"


# --- who gets no text ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"confidential": True}, "confidential"),
        ({"phones": ()}, "no_phone"),
        ({"imported": True, "accepted": False}, "no_consent"),
    ],
)
async def test_a_text_that_may_not_go_becomes_a_persons_task(
    rt: Runtime, more: dict[str, Any], reason: str
) -> None:
    case_id = (await a_case(rt, **more)).row.case.id
    await after(rt, minutes=1)
    if "accepted" in more:
        await act(rt, "chen", cases.accept, case_id)
        await after(rt, minutes=1)
    assert texts(rt) == []
    assert await states(rt, "accepted") == [("suppressed", reason)]
    assert "accepted" in [task["kind"] for task in await tasks(rt, case_id)]


@pytest.mark.failure(18)
async def test_after_a_stop_nothing_goes_and_the_news_is_told_by_a_person(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await send_in(rt, LI, "退订")
    before = len(texts(rt))
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=5)
    assert len(texts(rt)) == before
    assert await states(rt, "visit_offer") == [("suppressed", "opted_out")]
    assert "visit_offer" in [task["kind"] for task in await tasks(rt, case_id)]


@pytest.mark.failure(18)
async def test_a_stop_between_planning_and_sending_is_heeded(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, seconds=10)
    await send_in(rt, LI, "0")
    await after(rt, minutes=5)
    assert await states(rt, "visit_offer") == [("suppressed", "opted_out")]


async def test_at_most_two_texts_a_day_reach_a_phone_and_the_third_is_told_by_a_person(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=5)
    assert len(texts(rt, LI)) == 2
    assert ("suppressed", "daily_cap") in await states(rt)
    assert len(await tasks(rt, case_id)) == 1


async def test_a_matter_taken_back_in_the_night_is_not_answered_in_the_morning(tmp_path: Path) -> None:
    async with office(tmp_path, start=moment("2026-11-23", "23:00")) as rt:
        case_id = (await a_case(rt)).row.case.id
        await after(rt, minutes=5)
        await act(rt, "chen", cases.withdraw, case_id, "不用了")
        await until(rt, moment("2026-11-24", "12:00"))
        assert texts(rt) == []
        assert ("cancelled", "subject_closed") in await states(rt, "accepted")


# --- hours and questions ---------------------------------------------------------------------


async def test_what_is_registered_at_night_is_told_at_eight(tmp_path: Path) -> None:
    async with office(tmp_path, start=moment("2026-11-23", "23:00")) as rt:
        await a_case(rt)
        await until(rt, moment("2026-11-24", "07:59"))
        assert texts(rt) == []
        await until(rt, moment("2026-11-24", "08:01"))
        assert [row.at for row in texts(rt)] == [moment("2026-11-24", "08:00")] * 2


async def test_a_shared_phone_is_asked_one_thing_at_a_time(rt: Runtime) -> None:
    first = await visited_case(rt)
    second = (await a_case(rt)).row.case.id
    await until(rt, moment("2026-11-25", "09:00"))
    await act(rt, "chen", visits.propose, first, FRIDAY)
    await act(rt, "chen", visits.propose, second, MONDAY)
    await after(rt, minutes=10)
    assert [s[0] for s in await states(rt, "visit_offer")] == ["sent", "planned"]
    assert "11月27日" in texts(rt, LI)[-1].text
    await send_in(rt, LI, "1")
    assert (await entry(rt, first, "visit")).status.value == "confirmed"
    await after(rt, minutes=1)
    assert "11月30日" in texts(rt, LI)[-1].text
    await send_in(rt, LI, "3")
    assert (await entry(rt, second, "visit")).status.value == "declined"
    assert (await entry(rt, first, "visit")).status.value == "confirmed"


async def test_a_question_set_free_at_night_is_asked_in_the_morning(rt: Runtime) -> None:
    first = await visited_case(rt)
    second = (await a_case(rt)).row.case.id
    await until(rt, moment("2026-11-25", "09:00"))
    await act(rt, "chen", visits.propose, first, FRIDAY)
    await act(rt, "chen", visits.propose, second, MONDAY)
    await until(rt, moment("2026-11-25", "22:00"))
    await send_in(rt, LI, "1")
    await after(rt, minutes=5)
    assert "11月27日" in texts(rt, LI)[-1].text
    await until(rt, moment("2026-11-26", "08:01"))
    assert (texts(rt, LI)[-1].at, "11月30日" in texts(rt, LI)[-1].text) == (
        moment("2026-11-26", "08:00"),
        True,
    )


async def test_an_offer_behind_another_question_ends_in_a_task_when_its_time_is_up(rt: Runtime) -> None:
    first = await visited_case(rt)
    second = (await a_case(rt)).row.case.id
    await until(rt, moment("2026-11-25", "09:00"))
    await act(rt, "chen", visits.propose, first, Slot(day=on("2026-12-10")))
    await act(rt, "chen", visits.propose, second, FRIDAY)
    await until(rt, moment("2026-11-27", "09:01"))
    assert list(await states(rt, "visit_offer"))[-1] == ("missed", "useless")
    assert "visit_offer" in [task["kind"] for task in await tasks(rt, second)]


async def test_a_question_whose_sending_failed_is_asked_again_and_does_not_wait_for_itself(
    rt: Runtime,
) -> None:
    from reminder.channels.memory import fail_before

    case_id = await visited_case(rt)
    sms(rt).script.extend([fail_before(), fail_before()])
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=5)
    assert await states(rt, "visit_offer") == [("sent", "")]
    await send_in(rt, LI, "1")
    assert (await entry(rt, case_id, "visit")).status.value == "confirmed"


# --- too late, and all at once ---------------------------------------------------------------


@pytest.mark.parametrize("hours", [1, 4, 7.9, 8.1, 15, 16, 17, 24, 72])
async def test_nobody_reads_tomorrow_on_the_day_itself(rt: Runtime, hours: float) -> None:
    """The announcement of a visit on Thursday is due on Wednesday at four; we are down from before that."""
    case_id, visit = await offered(rt)
    await send_in(rt, LI, "1")
    await until(rt, moment("2026-11-25", "15:59"))
    rt.clock.advance(timedelta(hours=hours))  # type: ignore[attr-defined]
    await settle(rt)
    await after(rt, hours=20)
    told = [row for row in texts(rt) if "明天" in row.text]
    assert all(row.at < moment("2026-11-26") for row in told)
    if not told:
        assert await states(rt, "visit_tomorrow") == [("missed", "useless")]
        assert "visit_tomorrow" in [task["kind"] for task in await tasks(rt, case_id)]
    else:
        assert hours < 8
    assert visit


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_person_gets_one_digest_a_day_however_much_there_is(rt: Runtime, *, at_once: bool) -> None:
    for _ in range(3):
        case_id = (await a_case(rt)).row.case.id
        await act(rt, "chen", visits.propose, case_id, THURSDAY)
    if at_once:
        await until(rt, moment("2026-11-27", "18:00"))
    else:
        clock_of(rt).set(moment("2026-11-25", "18:00"))
        while await write(rt, lambda tx: fall_due(tx, rt.desk, 1)):
            pass
    digests = [r for r in await rows(rt, "digest") if r.state.value != "merged"]
    per_day = {(r.person_id, r.detail["day"]) for r in digests}
    assert len(per_day) == len(digests)
    merged = [r for r in await rows(rt, "digest") if r.state.value == "merged"]
    assert len(merged) > len(digests)
    assert all(r.digest_id in {d.id for d in digests} for r in merged)


@pytest.mark.failure(8)
async def test_after_three_days_down_everybody_gets_one_digest(rt: Runtime) -> None:
    for _ in range(4):
        await a_case(rt)
    await after(rt, minutes=5)
    before = len(chat(rt).ledger)
    rt.clock.set(moment("2026-12-01", "09:30"))  # type: ignore[attr-defined]
    await settle(rt)
    new = chat(rt).ledger[before:]
    digests = [r.message.to for r in new if "早上好" in r.text]
    assert len(digests) == len(set(digests))
    assert str(STAFF["chen"].chat) in digests
    assert not await broken(rt)


async def test_a_push_that_fell_due_while_nobody_looked_is_not_lost_by_a_change(rt: Runtime) -> None:
    """The clock passes an escalation; before the jobs run, somebody touches the entry."""
    case_id = await closed(rt)
    await until(rt, moment("2026-12-01", "09:00"))
    visit = await entry(rt, case_id, "rv1")
    rt.clock.set(moment("2026-12-02", "12:30"))  # type: ignore[attr-defined]
    await act(rt, "chen", visits.confirm, visit.id)
    await settle(rt)
    assert ("sent", "") in await states(rt, "visit_no_record")


async def test_a_digest_waits_for_a_working_day(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        await a_case(rt)
        await until(rt, moment("2026-11-26", "07:00"))  # a Thursday; down until Saturday
        rt.clock.set(moment("2026-11-28", "10:00"))  # type: ignore[attr-defined]
        before = len(chat(rt).ledger)
        await until(rt, moment("2026-11-29", "23:00"))
        assert not [r for r in chat(rt).ledger[before:] if "早上好" in r.text]
        await until(rt, moment("2026-11-30", "09:00"))
        assert [r for r in chat(rt).ledger[before:] if "早上好" in r.text]


async def test_two_people_of_one_case_hear_each_on_their_own_phone(rt: Runtime) -> None:
    parties = (
        NewParty(name="李女士", phones=(LI,)),
        NewParty(name="赵先生", phones=(ZHAO,), role="counterpart"),
    )
    new = cases.NewCase(
        protocol="ordinary", parties=parties, place="河湾村", handler_id=(await actor(rt, "chen")).id
    )
    await act(rt, "yang", cases.register, new)
    await after(rt, minutes=1)
    assert sorted(row.message.to for row in texts(rt)) == [LI, ZHAO]


async def test_progress_written_for_the_resident_reaches_the_resident_and_a_plain_note_does_not(
    rt: Runtime,
) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", cases.note, case_id, "去看过了")
    await after(rt, minutes=2)
    assert await states(rt, "progress") == []
    await act(rt, "chen", cases.note, case_id, "测过了", progress="测量做完了", next_step="张榜公布")
    await after(rt, minutes=2)
    assert await states(rt, "progress") == [("sent", "")]
    assert "测量做完了。下一步张榜公布，12月14日前再告诉您" in texts(rt)[-1].text


# --- one that is broken holds up no other ----------------------------------------------------


@pytest.mark.failure(12)
async def test_a_number_that_cannot_be_read_any_more_holds_up_no_other(rt: Runtime) -> None:
    first = (await a_case(rt)).row.case.id
    await a_case(rt, phones=(ZHAO,))
    spoilt = sa.update(t.phones).values(sealed=b"\1").where(t.phones.c.last4 == "0142")
    await write(rt, lambda tx: tx.execute(spoilt))
    await after(rt, minutes=2)
    assert {row.message.to for row in texts(rt)} == {ZHAO}
    assert set(await states(rt, "accepted")) == {("suppressed", "no_phone"), ("sent", "")}
    assert "accepted" in [task["kind"] for task in await tasks(rt, first)]


@pytest.mark.failure(12)
async def test_a_text_that_cannot_be_written_is_dead_and_those_behind_it_go(rt: Runtime) -> None:
    first = (await a_case(rt)).row.case.id
    await a_case(rt, phones=(ZHAO,))
    await execute(rt, """UPDATE entries SET detail = '{"x_on": "no day"}' WHERE case_id = 1""")
    await after(rt, minutes=2)
    dead = [r for r in await rows(rt) if r.state is State.DEAD and r.resident_id is not None]
    assert [r.reason for r in dead] == ["ValueError"]  # nothing of what was read is repeated in the reason
    assert len(texts(rt, ZHAO)) == 2
    assert dead[0].kind in [task["kind"] for task in await tasks(rt, first)]


@pytest.mark.failure(12)
async def test_a_case_whose_protocol_is_gone_holds_up_no_other(rt: Runtime) -> None:
    await a_case(rt, accepted=False)
    await a_case(rt, phones=(ZHAO,), accepted=False)
    await execute(rt, "UPDATE cases SET protocol = 'gone' WHERE id = 1")
    await after(rt, minutes=2)
    assert {row.message.to for row in texts(rt)} == {ZHAO}
    assert [v.rule for v in await broken(rt)] == ["protocol_missing"]


async def test_everybody_who_heard_an_old_day_is_told_the_new_one(rt: Runtime) -> None:
    """Handler and both residents, each on their own: none of the corrections stands for the others."""
    plan = await a_case(rt)
    case_id = plan.row.case.id
    second = "+12025550144"

    async def join(tx: Tx) -> None:
        other = await residents.add(tx, name="罗先生", lang="zh", contacted=True, can_read=True)
        await residents.give_phone(tx, rt.desk.sealer, other, second)
        await cases_stored.add_party(tx, case_id, other)

    await write(rt, join)
    await until(rt, moment("2026-11-24", "09:00"))
    plan = await act(rt, "chen", visits.propose, case_id, visits.Slot(day=FRIDAY.day, start=time(16)))
    visit = plan.entries["visit"]
    await until(rt, moment("2026-11-26", "16:30"))  # the handler's card for tomorrow has gone
    await act(rt, "lin", visits.move, visit.id, visits.Slot(day=FRIDAY.day, start=time(11)))
    await after(rt, minutes=5)
    moved = {r.recipient for r in await rows(rt, "visit_moved", "staff_visit_moved") if r.sent_at}
    chen = await person(rt, "chen")
    assert moved == {"resident:1", "resident:2", f"person:{chen.id}"}
    for number in (LI, second):
        assert "11月27日下午4点的上门要改到当天上午11点" in texts(rt, number)[-1].message.text
