"""What a colleague reads is true of the case: what is due when, how late it is, and what helps."""

import re

import pytest

from reminder.actions import added, cases
from reminder.actions.late_words import days_late
from reminder.actions.scene import read_case
from reminder.bot.commands import COMMANDS
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import residents
from tests.actions.acting import act, after, chat, moment, offered, rows, send_in, texts, until, visited_case
from tests.office import LI, ROOT, STAFF, a_case, actor, read, templates, write


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


async def test_an_urgent_case_late_by_hours_says_hours(rt: Runtime) -> None:
    """The first limit of 24 hours ends on Saturday at nine; the top hears of it on Sunday."""
    await until(rt, moment("2026-11-27", "09:00"))
    await a_case(rt, protocol="urgent", category="utilities")
    await until(rt, moment("2026-11-29", "10:00"))
    (zh,) = [t for t in to(rt, "zhou") if "已超" in t]
    assert "已超24小时" in zh
    assert "0个工作日" not in zh


async def test_what_missed_its_promised_day_alone_is_late_since_then(rt: Runtime) -> None:
    await a_case(rt, accepted=False)
    await until(rt, moment("2026-12-03", "12:00"))
    said = [t for t in to(rt, "zhou") if "告知收到" in t and "已超" in t]
    assert "已超3个工作日" in said[-1]


async def test_every_command_that_a_message_names_exists() -> None:
    named = {
        command
        for path in (ROOT / "templates" / "messages").rglob("*.txt")
        for command in re.findall(r"(?<![\w/])/([a-z]+)", path.read_text("utf-8"))
    }
    assert "note" in named
    assert named <= set(COMMANDS)


@pytest.mark.parametrize(("needs", "shown"), [("", False), ("请带方言翻译", True)])
async def test_the_card_before_a_visit_has_a_line_for_needs_only_if_there_are_any(
    rt: Runtime, needs: str, shown: bool
) -> None:
    await offered(rt)
    await write(rt, lambda tx: residents.update(tx, 1, needs=needs))
    await until(rt, moment("2026-11-25", "16:05"))
    card = next(t for t in to(rt, "chen") if "到河湾村上门" in t)
    assert ("需要：请带方言翻译\n" in card) is shown
    assert ("需要" in card) is shown
    assert "上次答应" not in card
    assert "没有" not in card
    assert "\n\n" not in card


async def test_a_withdrawn_case_reads_right_to_staff_and_to_the_resident(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    number = (await read(rt, lambda tx: read_case(tx, rt.desk, case_id))).row.case.number
    await act(rt, "chen", cases.withdraw, case_id, "不用了")
    await send_in(rt, LI, number)
    assert f"{number}号：已撤回" in texts(rt, LI)[-1].text
    for lang, wrong in (("zh", "您"), ("en", "your")):
        assert wrong not in rt.desk.templates.word("status.withdrawn", lang)


@pytest.mark.parametrize(("days", "said"), [(1, "1 working day late"), (3, "3 working days late")])
def test_lateness_in_a_list_reads_as_a_phrase(days: int, said: str) -> None:
    late = days_late(templates(), days, "en")
    assert templates().word("digest.line.overdue", "en", no="1", what="x", late=late) == f"1 x, {said}"


async def test_an_urgent_matter_says_the_hours_that_are_left_and_what_helps(rt: Runtime) -> None:
    """Twelve hours before the limit of 24; the day before this message could not be written at all."""
    plan = await a_case(rt, protocol="urgent")
    await after(rt, hours=12, minutes=5)
    (said,) = [text for text in to(rt, "chen") if "还有12小时" in text]
    assert f"/reason {plan.row.case.number}" in said
    assert [r.reason for r in await rows(rt) if r.state is State.DEAD] == []


async def test_a_joint_review_without_an_agenda_is_about_its_own_case(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    people = [(await actor(rt, who)).id for who in ("chen", "lin")]
    value = {"day": "2026-12-10", "person": people[1], "people": people, "place": "县里"}
    await act(rt, "lin", added.add, case_id, "joint_review", value)
    await until(rt, moment("2026-12-10", "08:00"))
    assert [text for text in to(rt, "chen") if "会审" in text and no in text and "材料" in text]
    assert [r.reason for r in await rows(rt) if r.state is State.DEAD] == []
