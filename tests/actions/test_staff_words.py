"""What a colleague reads is true of the case: what is due when, how late it is, and what helps."""

from reminder.actions import cases
from reminder.runtime import Runtime
from tests.actions.acting import act, after, chat
from tests.office import STAFF, a_case, actor


def to(rt: Runtime, who: str) -> list[str]:
    return [r.text for r in chat(rt).ledger if r.message.to == str(STAFF[who].chat)]


async def assigned_to_wang(rt: Runtime, **more: object) -> int:
    case_id: int = (await a_case(rt, handler=None, **more)).row.case.id  # type: ignore[arg-type]
    await act(rt, "lin", cases.assign, case_id, handler_id=(await actor(rt, "chen")).id)
    await after(rt, minutes=1)
    await act(rt, "lin", cases.assign, case_id, handler_id=(await actor(rt, "wang")).id)
    await after(rt, minutes=1)
    return case_id


async def test_a_new_ordinary_case_names_the_day_the_person_is_told_who_handles_it(rt: Runtime) -> None:
    await assigned_to_wang(rt)
    zh = [t for t in to(rt, "chen") if "新事项" in t][-1]
    en = [t for t in to(rt, "wang") if "New case" in t][-1]
    # Registered on Monday 23 November: talk within three working days, tell within five.
    assert "11月26日前请先和群众通个话，11月30日前告诉群众由谁办、怎么办。" in zh
    assert "by 26 November; tell them who handles it and how by 30 November." in en


async def test_a_new_case_that_is_owed_an_answer_names_the_answers_day(rt: Runtime) -> None:
    await a_case(rt)
    await after(rt, minutes=1)
    zh = [t for t in to(rt, "chen") if "新事项" in t][-1]
    assert "2027年1月22日前书面答复。" in zh


async def test_a_new_urgent_case_names_its_first_limit_with_the_hour(rt: Runtime) -> None:
    await assigned_to_wang(rt, protocol="urgent", category="utilities")
    en = [t for t in to(rt, "wang") if "New case" in t][-1]
    assert "by Mon 23 Nov, 11 am; the written answer is due by 30 November." in en
