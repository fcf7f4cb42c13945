"""What admins and supervision hear unasked: last week in counts, gaps by night; nothing when all is well."""

from datetime import date

from jobs.housekeeping import housekeep, sweep
from reminder.actions import cases, entries, moves, standins
from reminder.actions.check import violations
from reminder.runtime import Runtime
from reminder.store import people
from reminder.store import tables as t
from tests.actions.acting import after, chat, moment, rows, scene, send_in, until
from tests.actions.acting import in_turn as act
from tests.office import LI, a_case, person, read, write

WEEK = ("2026-11-30", "09:00")


def _heard(rt: Runtime, to: str) -> list[str]:
    return [row.message.text for row in chat(rt).ledger if row.message.to == to]


async def test_on_monday_last_weeks_counts_come_once_and_name_nobody(rt: Runtime) -> None:
    await a_case(rt)
    await until(rt, moment(*WEEK))
    written = await rows(rt, "weekly")
    assert sorted(row.person_id or 0 for row in written) == sorted(
        [(await person(rt, "he")).id, (await person(rt, "zhou")).id]
    )
    (said,) = [
        r.message.text for r in chat(rt).ledger if r.message.to == "700001" and "上周" in r.message.text
    ]
    # Registering and speaking to the person fell due; one was done.
    assert said == "上周：收1 办结0 按时1/2 回访0/0 退回两次以上0 短信未达0 暂定期限1。"
    await housekeep(rt)
    assert len(await rows(rt, "weekly")) == len(written)


async def test_a_week_without_anything_is_not_worth_a_message(rt: Runtime) -> None:
    await until(rt, moment(*WEEK))
    assert await rows(rt, "weekly") == []


async def test_what_the_nightly_look_finds_reaches_supervision_in_the_morning(rt: Runtime) -> None:
    plan = await a_case(rt)
    assert await sweep(rt) == 0
    assert await rows(rt, "gaps") == []

    async def break_it(tx):  # type: ignore[no-untyped-def]
        await tx.execute(
            t.entries.update().where(t.entries.c.case_id == plan.row.case.id).values(status="met")
        )

    await write(rt, break_it)
    assert await sweep(rt) > 0
    await sweep(rt)
    await until(rt, moment("2026-11-24", "09:00"))
    (said,) = [text for text in _heard(rt, "700002") if "昨夜核查" in text]
    assert f"{plan.row.case.number} 没有下一个日子" in said


async def test_a_rung_nobody_reaches_is_named_by_night(rt: Runtime) -> None:
    await a_case(rt)
    zhou = await person(rt, "zhou")
    await write(rt, lambda tx: people.update(tx, zhou.id, chat_id=None))
    await sweep(rt)
    (row,) = await rows(rt, "gaps")
    assert "督查" in str(row.detail["lines"])


async def test_a_reply_reaches_whoever_stands_in_that_day(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await after(rt, minutes=5)
    chen, wang = await person(rt, "chen"), await person(rt, "wang")
    await act(rt, "chen", standins.leave, chen.id, wang.id, date(2026, 11, 23), date(2026, 11, 24))
    await send_in(rt, LI, "请问什么时候来")
    (row,) = await rows(rt, "resident_replied")
    assert (row.person_id, row.case_id) == (wang.id, case_id)


async def test_moved_to_the_major_protocol_nothing_is_owed_from_before(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await until(rt, moment("2027-01-18", "09:00"))
    await act(rt, "chen", cases.contact, case_id, "spoke")
    before = await scene(rt, case_id)
    await act(rt, "lin", moves.flag, case_id, "collective")
    after_it = await scene(rt, case_id)
    assert after_it.row.protocol == "major"
    fresh = [e for e in after_it.entries.values() if e.key not in before.entries and e.is_open]
    assert fresh
    assert all(e.since >= before.now for e in fresh)
    assert await read(rt, lambda tx: violations(tx, rt.desk)) == []


async def test_an_english_housing_answer_may_take_longer_once_and_the_tenant_is_told(rt: Runtime) -> None:
    plan = await a_case(rt, protocol="ukh", accepted=False)
    case_id = plan.row.case.id
    stage1 = plan.entries["stage1"]
    assert (stage1.nominal_on, stage1.due_on) == (date(2026, 12, 7), date(2026, 12, 7))
    await act(rt, "chen", cases.accept, case_id)
    plan = await act(rt, "lin", moves.extend, case_id, 10, "等专家意见")
    assert plan.entries["stage1"].due_on == date(2026, 12, 21)
    assert "tell_extended" in plan.entries


async def test_a_repair_is_looked_at_again_before_the_next_season(rt: Runtime) -> None:
    plan = await a_case(rt, protocol="urgent")
    case_id = plan.row.case.id
    fix = plan.entries["fix"]
    await act(rt, "chen", cases.contact, case_id, "spoke")
    await act(rt, "chen", entries.done, fix.id, "repaired", revision=fix.revision)
    await act(rt, "chen", cases.answer, case_id, "upheld", "repaired")
    await act(rt, "chen", cases.served, case_id, "brought")
    plan = await act(rt, "chen", cases.close, case_id)
    assert plan.entries["rv2"].nominal_on == date(2027, 5, 10)
