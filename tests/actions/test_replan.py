"""Our decisions reach the calendar whole: twice is once, order does not matter, nobody keeps a wrong date."""

from collections.abc import Awaitable, Callable
from itertools import permutations
from pathlib import Path

import pytest

from reminder.actions import calendars, cases
from reminder.actions import entries as visits
from reminder.actions.entries import Slot
from reminder.actions.replan import replan
from reminder.domain.errors import Refused
from reminder.domain.workdays import DayMark, MarkKind
from reminder.runtime import Runtime
from reminder.store import cases as case_rows
from tests.actions.acting import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    act,
    after,
    broken,
    closed,
    dump,
    entry,
    moment,
    offered,
    on,
    rows,
    send_in,
    settle,
    sms,
    states,
    texts,
    until,
    visited_case,
)
from tests.office import LI, a_case, actor, office, write

ZHAO = "+12025550143"
Office = Callable[..., Awaitable[Runtime]]


# --- twice is once, and in any order ---------------------------------------------------------


async def test_planning_again_changes_not_one_row(rt: Runtime) -> None:
    case_id, _ = await offered(rt)
    await act(rt, "chen", cases.note, case_id, "去看过")
    await settle(rt)
    before = await dump(rt)
    for _ in range(3):
        await write(rt, lambda tx: replan(tx, rt.desk, case_id))
    await settle(rt)
    assert await dump(rt) == before


async def test_the_same_edits_in_any_order_give_the_same_plan(tmp_path: Path) -> None:
    plans = []
    for number, order in enumerate(permutations(("note", "contact", "visit", "assign"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with office(folder) as rt:
            case_id = (await a_case(rt)).row.case.id
            for name in order:
                await _edit(rt, name, case_id)
            found = await dump(rt)
            names = [n for n in found if n in {"agenda", "entries"}]
            plans.append(sorted(_without_ids(row) for n in names for row in found[n]))
    assert all(plan == plans[0] for plan in plans)


async def _edit(rt: Runtime, name: str, case_id: int) -> None:
    if name == "note":
        await act(rt, "lin", cases.note, case_id, "n")
    elif name == "contact":
        await act(rt, "lin", cases.contact, case_id, "t")
    elif name == "visit":
        await act(rt, "lin", visits.propose, case_id, THURSDAY)
    else:
        await act(rt, "lin", cases.assign, case_id, handler_id=(await actor(rt, "wang")).id)


def _without_ids(row: str) -> str:
    """A row of entries or agenda without the numbers that only tell the order of insertion."""
    return ",".join(part for part in row.strip("()").split(",") if not part.strip().isdigit())


# --- the last date a person heard is true, or a correction is waiting ------------------------


async def test_whoever_was_offered_a_day_hears_of_the_new_one(rt: Runtime) -> None:
    _, visit = await offered(rt)
    await act(rt, "chen", visits.move, visit, FRIDAY)
    await after(rt, minutes=1)
    assert "11月27日" in texts(rt)[-1].text
    assert "，26日的上门" in texts(rt)[-1].text  # what it was before
    assert await states(rt, "visit_moved") == [("sent", "")]


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ([FRIDAY, MONDAY], ["11月30日"]),
        ([FRIDAY, THURSDAY], []),
        ([FRIDAY, MONDAY, THURSDAY], []),
        ([FRIDAY, THURSDAY, FRIDAY], ["11月27日"]),
    ],
)
@pytest.mark.failure(20)
async def test_after_quick_moves_only_the_last_day_is_told_and_only_if_it_differs(
    rt: Runtime, path: list[Slot], heard: list[str]
) -> None:
    _, visit = await offered(rt)
    before = len(texts(rt))
    for slot in path:
        await act(rt, "chen", visits.move, visit, slot)
        await after(rt, seconds=5)
    await after(rt, minutes=2)
    new = [row.text for row in texts(rt)[before:]]
    assert len(new) == len(heard)
    assert all(day in text for day, text in zip(heard, new, strict=True))
    assert not await broken(rt)


async def test_moved_away_told_and_moved_back_is_told_again_in_spite_of_the_daily_cap(rt: Runtime) -> None:
    _, visit = await offered(rt)
    for slot, day in ((FRIDAY, "11月27日"), (MONDAY, "11月30日"), (THURSDAY, "11月26日")):
        await act(rt, "chen", visits.move, visit, slot)
        await after(rt, minutes=2)
        told = texts(rt)[-1].text
        assert day in told.split("改")[-1] or day in told
    assert len([r for r in await rows(rt, "visit_moved") if r.state.value == "sent"]) == 3


@pytest.mark.failure(20)
async def test_a_move_while_the_old_offer_is_on_its_way_is_corrected_as_well(rt: Runtime) -> None:
    from reminder.channels.memory import lose

    case_id = await visited_case(rt)
    sms(rt).script.append(lose(copies=1))
    visit = (await act(rt, "chen", visits.propose, case_id, THURSDAY)).entries["visit"].id
    await after(rt, seconds=31)
    assert await states(rt, "visit_offer") == [("uncertain", "unclear")]
    await act(rt, "chen", visits.move, visit, FRIDAY)
    await after(rt, minutes=15)
    assert "11月27日" in texts(rt)[-1].text


async def test_an_offer_that_never_left_needs_no_correction_but_a_new_offer(rt: Runtime) -> None:
    """The handler has been told of the first date, the resident has not: she gets the offer, not silence."""
    case_id = await visited_case(rt)
    await until(rt, moment("2026-11-24", "15:59:45"))
    visit = (await act(rt, "chen", visits.propose, case_id, Slot(day=on("2026-11-25")))).entries["visit"].id
    await until(rt, moment("2026-11-24", "16:00"))
    assert "11月25日" not in texts(rt)[-1].text
    assert ("sent", "") in await states(rt, "staff_visit_tomorrow")
    await act(rt, "chen", visits.move, visit, FRIDAY)
    await after(rt, minutes=2)
    assert "11月27日" in texts(rt)[-1].text


async def test_a_confirmed_visit_that_is_moved_asks_again_and_is_not_announced_unconfirmed(
    rt: Runtime,
) -> None:
    _, visit = await offered(rt)
    await send_in(rt, LI, "1")
    await act(rt, "chen", visits.move, visit, FRIDAY)
    await until(rt, moment("2026-11-26", "20:00"))
    assert ("suppressed", "not_confirmed") in await states(rt, "visit_tomorrow")
    assert not [t for t in texts(rt) if "明天" in t.text]


async def test_a_holiday_entered_late_moves_a_visit_and_whoever_knew_its_day_is_told(rt: Runtime) -> None:
    case_id = await closed(rt)
    await act(rt, "chen", visits.visited, (await entry(rt, case_id, "rv1")).id, "holds")
    await until(rt, moment("2026-12-22", "09:00"))
    assert (await entry(rt, case_id, "rv2")).due_on == on("2026-12-24")
    assert await states(rt, "return_visit") == [("sent", "")]
    rest = DayMark(kind=MarkKind.REST, name="停电")
    rt.desk.use_calendars_of(calendars.marked(rt.desk, {on("2026-12-24"): rest}))
    await write(rt, lambda tx: replan(tx, rt.desk, case_id))
    assert (await entry(rt, case_id, "rv2")).due_on == on("2026-12-25")
    await after(rt, minutes=5)
    assert "12月25日" in texts(rt)[-1].text
    assert [s[0] for s in await states(rt, "visit_moved")] == ["sent"]
    assert not await broken(rt)


async def test_a_visit_called_off_is_called_off_to_whoever_knew_of_it(rt: Runtime) -> None:
    case_id, _ = await offered(rt)
    await act(rt, "chen", cases.withdraw, case_id, "不用了")
    assert await states(rt, "visit_cancelled") == []
    await after(rt, minutes=1)
    assert await states(rt, "visit_cancelled") == [("sent", "")]


@pytest.mark.failure(20)
async def test_an_offer_still_waiting_is_not_sent_once_the_visit_is_agreed_by_telephone(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await until(rt, moment("2026-11-24", "22:00"))
    visit = (await act(rt, "chen", visits.propose, case_id, FRIDAY)).entries["visit"].id
    await after(rt, minutes=5)
    assert await states(rt, "visit_offer") == [("planned", "")]
    await act(rt, "chen", visits.confirm, visit)
    await until(rt, moment("2026-11-25", "09:00"))
    assert await states(rt, "visit_offer") == [("suppressed", "superseded")]


# --- undo ------------------------------------------------------------------------------------


async def test_undo_takes_back_the_visit_with_its_unsent_text(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    before = len(texts(rt))
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, seconds=29)
    await act(rt, "chen", visits.undo, await last_deed(rt))
    await after(rt, hours=3)
    assert len(texts(rt)) == before
    assert (await entry(rt, case_id, "visit")).status.value == "cancelled"
    assert not await broken(rt)


async def last_deed(rt: Runtime) -> int:
    by = (await actor(rt, "chen")).id
    assert by is not None
    deed = await write(rt, lambda tx: case_rows.last_deed(tx, by))
    assert deed is not None
    return int(deed["id"])


@pytest.mark.parametrize("second", [0, 1, 15, 29])
async def test_no_text_leaves_while_what_caused_it_can_be_undone(rt: Runtime, second: int) -> None:
    """Also a cancellation, and a text that was due anyhow in that half minute."""
    case_id, visit = await offered(rt)
    await send_in(rt, LI, "1")
    await until(rt, moment("2026-11-25", "15:59:55"))
    await act(rt, "chen", cases.withdraw, case_id, "不用了")
    before = len(texts(rt))
    await after(rt, seconds=second)
    assert len(texts(rt)) == before
    await act(rt, "chen", visits.undo, await last_deed(rt))
    await after(rt, hours=1)
    new = [t.text for t in texts(rt)[before:]]
    assert not [t for t in new if "取消" in t]
    assert (await entry(rt, case_id, "visit")).status.value == "confirmed"
    assert len([t for t in new if "明天" in t]) == 1  # the announcement that was owed anyhow
    assert visit == (await entry(rt, case_id, "visit")).id


async def test_a_text_due_anyhow_waits_until_what_it_says_can_no_longer_be_undone(rt: Runtime) -> None:
    """Agreed by telephone ten seconds before the announcement is due, taken back ten seconds after."""
    _, visit = await offered(rt)
    await until(rt, moment("2026-11-25", "15:59:50"))
    await act(rt, "chen", visits.confirm, visit)
    await until(rt, moment("2026-11-25", "16:00:10"))
    await act(rt, "chen", visits.undo, await last_deed(rt))
    await after(rt, hours=1)
    assert await states(rt, "visit_tomorrow") == [("suppressed", "not_confirmed")]


async def test_what_waited_for_the_morning_still_goes_after_a_deed_and_its_undoing(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await until(rt, moment("2026-11-24", "22:00"))
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, minutes=5)
    await act(rt, "chen", cases.withdraw, case_id, "不用了")
    await after(rt, seconds=10)
    await act(rt, "chen", visits.undo, await last_deed(rt))
    await until(rt, moment("2026-11-25", "09:00"))
    assert "11月27日" in texts(rt)[-1].text
    assert ("sent", "") in await states(rt, "visit_offer")


async def test_undo_is_refused_when_the_text_may_have_gone(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, seconds=30)
    assert "11月26日" in texts(rt)[-1].text
    with pytest.raises(Refused, match=r"undo\.too_late"):
        await act(rt, "chen", visits.undo, await last_deed(rt))


async def test_a_deed_undone_and_done_again_tells_the_resident_once(rt: Runtime) -> None:
    case_id = (await a_case(rt, accepted=False)).row.case.id
    when = rt.clock.now()
    await act(rt, "chen", cases.accept, case_id, at=when)
    await act(rt, "chen", visits.undo, await last_deed(rt))
    await act(rt, "chen", cases.accept, case_id, at=when)
    await after(rt, minutes=2)
    assert [s for s in await states(rt, "accepted") if s[0] == "sent"] == [("sent", "")]


# --- refusals --------------------------------------------------------------------------------


async def test_closing_is_refused_in_words_until_everything_is_there(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    catalogue = rt.desk.templates

    async def refused() -> str:
        with pytest.raises(Refused) as caught:
            await act(rt, "chen", cases.close, case_id)
        for lang in ("zh", "en"):
            assert catalogue.refusal(caught.value, lang) != caught.value.key
        return caught.value.key

    assert await refused() == "case.not_answered"
    await act(rt, "chen", cases.answer, case_id, "upheld", "路已修好")
    assert await refused() == "case.not_served"
    await act(rt, "chen", cases.served, case_id, "当面")
    assert await refused() == "case.no_contact"
    await act(rt, "chen", cases.contact, case_id)
    await act(rt, "chen", cases.close, case_id)


async def test_closing_without_return_visits_takes_the_residents_waiver(rt: Runtime) -> None:
    case_id = (await a_case(rt, protocol="ukh")).row.case.id
    await act(rt, "chen", cases.contact, case_id)
    await act(rt, "chen", cases.answer, case_id, "upheld", "mended")
    await act(rt, "chen", cases.served, case_id, "by hand")
    with pytest.raises(Refused, match=r"case\.no_series"):
        await act(rt, "chen", cases.close, case_id)
    plan = await act(rt, "chen", cases.close, case_id, "she wants no visit")
    assert plan.row.status == "completed"


async def test_a_refused_deed_leaves_no_trace(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    before = await dump(rt)
    for attempt in (
        act(rt, "chen", cases.close, case_id),
        act(rt, "chen", cases.served, case_id, "当面"),
        act(rt, "chen", cases.answer, case_id, "not_upheld", "不符合规定"),
        act(rt, "stone", cases.note, case_id, "not mine"),
        act(rt, "chen", visits.propose, case_id, Slot(day=on("2026-11-20"))),
    ):
        with pytest.raises(Refused):
            await attempt
    assert await dump(rt) == before


# --- the end of a case -----------------------------------------------------------------------


async def test_a_last_visit_solved_completes_the_case_and_one_half_solved_does_not(rt: Runtime) -> None:
    case_id = await closed(rt)
    for key in ("rv1", "rv2"):
        await act(rt, "chen", visits.visited, (await entry(rt, case_id, key)).id, "holds")
    plan = await act(rt, "chen", visits.visited, (await entry(rt, case_id, "rv3")).id, "partly")
    assert plan.row.status == "closed"
    assert plan.entries["next_step"].is_open
    assert not await broken(rt)
    await after(rt, minutes=1)
    plan = await act(rt, "chen", visits.done, plan.entries["next_step"].id, "她说不必再来")
    assert plan.row.status == "completed"
    assert not await broken(rt)


async def test_what_returns_after_closing_reopens_the_case_and_ends_its_visits(rt: Runtime) -> None:
    case_id = await closed(rt)
    plan = await act(rt, "chen", visits.visited, (await entry(rt, case_id, "rv1")).id, "not_solved", "又塌了")
    assert plan.row.status == "in_progress"
    assert plan.entries["handle.2"].is_open
    assert not plan.entries["rv2"].is_open
    assert not await broken(rt)


async def test_the_urgent_measure_can_be_ticked_off_although_an_answer_would_meet_it_too(rt: Runtime) -> None:
    case_id = (await a_case(rt, protocol="urgent")).row.case.id
    plan = await act(rt, "chen", visits.done, (await entry(rt, case_id, "fix")).id, "先接了临时水管")
    assert plan.entries["fix"].status.value == "met"
    assert plan.entries["cb1"].is_open
