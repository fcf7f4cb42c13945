"""What the random office found: each fault once more, by name, so that it stays away."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from reminder.actions import added, cases, entries, files, migrating, moves, upkeep
from reminder.actions.scene import read_case
from reminder.channels.memory import refuse
from reminder.domain.cases import Event, Status
from reminder.domain.errors import Refused
from reminder.domain.messages import Refusal
from reminder.runtime import Runtime
from reminder.store import residents
from tests.actions.acting import act as at_once
from tests.actions.acting import after, closed, entry, send_in, settle, sms, states, texts, visited_case
from tests.office import LI, a_case, pass_time, person, read, write


async def act(rt: Runtime, who: str, action: Any, *args: Any, **kwargs: Any) -> Any:
    pass_time(rt, seconds=1)
    return await at_once(rt, who, action, *args, **kwargs)


async def refused(work: Awaitable[Any]) -> str:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.key


async def test_a_strangers_text_whose_answer_is_refused_for_an_old_stop_stops_nothing_else(
    rt: Runtime,
) -> None:
    """The provider knows of a stop from a number that no resident holds: the dispatcher went down with it."""
    stranger = "+12025550177"
    sms(rt).script.append(refuse(Refusal.OPTED_OUT, "21610"))
    await send_in(rt, stranger, "你好")
    assert await states(rt, "unknown_sender") == [("failed", "21610")]
    assert await read(rt, lambda tx: residents.is_out(tx, rt.desk.sealer, stranger))
    await a_case(rt)
    await after(rt, minutes=2)
    assert texts(rt, LI)


async def test_a_residents_case_is_no_file_to_be_finished(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    assert await refused(act(rt, "chen", files.finish, case_id, "over")) == "file.finish"


async def test_a_promise_broken_while_the_case_is_at_work_is_noted_and_takes_nothing_up_again(
    rt: Runtime,
) -> None:
    case_id = await visited_case(rt)
    chen = await person(rt, "chen")
    value = {"day": "2026-12-01", "person": chen.id, "text": "涵洞"}
    await act(rt, "chen", added.add, case_id, "commitment", value)
    plan = await act(rt, "chen", added.broken, case_id, "commitment", "等材料")
    assert plan.past.all(Event.REOPEN) == []
    assert plan.past.facts[-1].value["why"] == "等材料"
    await act(rt, "chen", cases.withdraw, case_id, "算了")
    late = act(rt, "chen", added.broken, case_id, "commitment", "等材料")
    assert await refused(late) == "case.wrong_state"


async def test_a_case_moved_to_another_protocol_is_answered_as_that_one_allows(rt: Runtime) -> None:
    simple = (await a_case(rt, protocol="simple", accepted=False)).row.case.id
    ordinary = (await a_case(rt, accepted=False)).row.case.id
    await act(rt, "he", migrating.change, simple, "ordinary", promised=0)
    await act(rt, "he", migrating.change, ordinary, "simple", promised=0)
    assert await refused(act(rt, "chen", cases.answer, simple, "upheld", "r")) == "case.wrong_state"
    plan = await act(rt, "chen", cases.answer, ordinary, "upheld", "r")
    assert plan.past.status is Status.REPLIED


async def test_whoever_was_shown_another_way_hears_of_that_and_not_of_the_registration(rt: Runtime) -> None:
    case_id = (await a_case(rt, accepted=False)).row.case.id
    await act(rt, "chen", moves.guide, case_id, "法院")
    await settle(rt)
    await after(rt, minutes=2)
    assert await states(rt, "received") == [("cancelled", "subject_closed")]
    assert [state for state, _ in await states(rt, "other_route")] == ["sent"]
    await act(rt, "he", moves.archive, case_id)


async def test_a_case_signed_for_after_its_fifteen_days_is_accepted_by_the_clock_once(rt: Runtime) -> None:
    """Acceptance entered beside the signature counted as before it, and so not at all; each night again."""
    case_id = (await a_case(rt, accepted=False)).row.case.id
    stone = await person(rt, "stone")
    await act(rt, "chen", moves.refer, case_id, stone.unit_id)
    pass_time(rt, days=16)
    await act(rt, "zhou", moves.acknowledge, case_id)
    pass_time(rt, hours=1)
    assert await write(rt, lambda tx: upkeep.accept_by_clock(tx, rt.desk, case_id))
    held = await read(rt, lambda tx: read_case(tx, rt.desk, case_id))
    assert held.past.status is Status.ACCEPTED
    assert not await write(rt, lambda tx: upkeep.accept_by_clock(tx, rt.desk, case_id))


async def test_a_dispute_closed_with_two_sides_is_visited_on_both(rt: Runtime) -> None:
    parties = (
        cases.NewParty(name="李女士", phones=(LI,)),
        cases.NewParty(name="赵先生", phones=("+12025550143",), role="counterpart"),
    )
    chen = await person(rt, "chen")
    new = cases.NewCase(protocol="major", parties=parties, unit_id=chen.unit_id, handler_id=chen.id)
    case_id = (await act(rt, "yang", cases.register, new)).row.case.id
    await act(rt, "chen", cases.accept, case_id)
    await act(rt, "chen", cases.contact, case_id)
    await act(rt, "chen", cases.answer, case_id, "upheld", "路已修好")
    await act(rt, "chen", cases.served, case_id, "当面")
    plan = await act(rt, "chen", cases.close, case_id)
    assert {"rv1", "rv1_other", "rv5_other"} <= plan.entries.keys()


async def test_what_is_asked_of_a_case_under_way_is_not_asked_of_one_that_has_ended(rt: Runtime) -> None:
    case_id = await closed(rt)
    for key in ("rv1", "rv2", "rv3"):
        await act(rt, "chen", entries.decline, (await entry(rt, case_id, key)).id)
    zhou = await person(rt, "zhou")
    for late in (
        act(rt, "lin", moves.flag, case_id, "major"),
        act(rt, "lin", moves.sponsor, case_id, zhou.id),
        act(rt, "lin", moves.pause, case_id, "r"),
        act(rt, "chen", cases.set_fact, case_id, "ledger_day", rt.clock.now() - timedelta(hours=1)),
    ):
        assert await refused(late) == "case.wrong_state"
