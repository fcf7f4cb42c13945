"""Why a message went out, in the reader's language alone: rule, basis, what it waited for, what it costs."""

from datetime import timedelta
from pathlib import Path

import pytest

from reminder.actions import entries as visits
from reminder.actions.accounts import messages_of
from reminder.actions.explain import Why, why
from reminder.actions.scene import read_case
from reminder.actions.step_words import basis_in, step_in_words
from reminder.runtime import Runtime
from reminder.store import reminders
from reminder.store.database import Tx
from tests.actions.acting import THURSDAY, act, after, moment, offered, rows, send_in, until, visited_case
from tests.office import LI, STAFF, a_case, office, read, templates, write


async def explained(rt: Runtime, kind: str, lang: str) -> Why:
    row = (await rows(rt, kind))[-1]
    chat = f"{STAFF['chen'].chat}:" if row.person_id is not None else ""
    found = await read(rt, lambda tx: why(tx, rt.desk, f"{chat}{row.provider_id}", lang))
    assert found is not None
    return found


async def test_a_text_at_once_waited_for_the_undo_window_and_says_so_in_one_language(rt: Runtime) -> None:
    await a_case(rt)
    await after(rt, minutes=2)
    zh, en = [(await explained(rt, "received", lang)).lines for lang in ("zh", "en")]
    assert zh[0] == "规则：告诉群众已登记，马上。依据：《信访工作条例》(2022) 第二十二条"
    assert en[0] == (
        "Rule: Tell the person it is registered, at once. Basis: Petition Work Regulations 2022, art. 22"
    )
    assert zh[2] == "等到 11月23日周一 09:00:30 才发：在那之前还可以撤回。"
    assert en[2] == "Held until Mon 23 Nov 09:00:30: until then it could be taken back."
    assert "费用：按2条计费。" in zh
    assert "Cost: 2 parts, each one billed." in en


async def test_a_text_that_fell_due_at_night_waited_for_texting_hours(tmp_path: Path) -> None:
    async with office(tmp_path, start=moment("2026-11-23", "23:00")) as rt:
        await a_case(rt)
        await until(rt, moment("2026-11-24", "09:00"))
        lines = (await explained(rt, "received", "en")).lines
        assert lines[2] == "Held until Tue 24 Nov 08:00:00: it fell due outside texting hours."


async def test_a_text_behind_an_open_question_says_that_something_came_first(rt: Runtime) -> None:
    first = await visited_case(rt)
    second = (await a_case(rt)).row.case.id
    await until(rt, moment("2026-11-25", "09:00"))
    await act(rt, "chen", visits.propose, first, THURSDAY)
    await act(rt, "chen", visits.propose, second, THURSDAY)
    await after(rt, minutes=10)
    await send_in(rt, LI, "1")
    await after(rt, minutes=2)
    assert [r.state.value for r in await rows(rt, "visit_offer")] == ["sent", "sent"]
    lines = (await explained(rt, "visit_offer", "en")).lines
    assert lines[2].endswith(": something else to this phone came first.")


async def test_a_message_to_staff_before_a_visit_names_its_moment(rt: Runtime) -> None:
    await offered(rt)
    await until(rt, moment("2026-11-25", "16:05"))
    assert "1 working day before" in (await explained(rt, "staff_visit_tomorrow", "en")).lines[0]
    assert "，提前1 个工作日。" in (await explained(rt, "staff_visit_tomorrow", "zh")).lines[0]


@pytest.mark.parametrize(
    ("key", "zh", "en"),
    [
        ("now", "马上", "at once"),
        ("moved", "马上", "at once"),
        ("T0@15:00:handler", "当天", "on the day"),
        ("T-3:handler", "提前3 个自然日", "3 calendar days before"),
        ("T+1wd:unit_head/statutory", "过后1 个工作日", "1 working day after"),
        ("weekly-2026-11-30:top", "以后每周一次", "then every week"),
    ],
)
def test_every_moment_has_words(key: str, zh: str, en: str) -> None:
    assert step_in_words(templates(), key, "zh") == zh
    assert step_in_words(templates(), key, "en") == en


def test_a_basis_is_told_in_the_readers_half_and_whole_if_written_once() -> None:
    both = "本单位约定，可改 · house rule, may be changed"
    assert (basis_in(both, "zh"), basis_in(both, "en")) == ("本单位约定，可改", "house rule, may be changed")
    assert basis_in("Housing code 4.1", "zh") == "Housing code 4.1"


async def test_of_a_case_that_has_been_late_for_years_the_last_message_is_told_as_well(rt: Runtime) -> None:
    made = await a_case(rt)

    async def every_day(tx: Tx) -> None:
        for n in range(1200):
            at = rt.clock.now() - timedelta(days=1200 - n)
            values = {"state": "merged", "ended_at": at, "send_after": at, "due_at": at, "kind": "digest"}
            await reminders.add(tx, key=f"daily:{n}", case_id=made.row.case.id, channel="telegram", **values)

    await write(rt, every_day)
    scene = await read(rt, lambda tx: read_case(tx, rt.desk, made.row.case.id))
    told = await read(rt, lambda tx: messages_of(tx, scene, "en"))
    assert rt.clock.now() - timedelta(days=1) in [message.at for message in told]
