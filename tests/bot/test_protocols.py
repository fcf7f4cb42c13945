"""Changing protocols by chat: the difference is read first, and a promise is not broken by a tap."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reminder.store import entries
from tests.actions.acting import after
from tests.actions.protocols import restarted
from tests.actions.test_migrating import RENAMED
from tests.actions.test_versions import HANDLE
from tests.bot.phones import Phones, phones
from tests.office import a_case, read


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Phones]:
    async with phones(tmp_path) as made:
        made.rt = await restarted(made.rt)
        yield made


async def due(chat: Phones, case_id: int, key: str = "handle") -> date | None:
    found = (await read(chat.rt, lambda tx: entries.of(tx, [case_id])))[case_id]
    return found[key].due_on if key in found else None


OLD, NEW = date(2027, 1, 22), date(2027, 1, 7)


async def test_one_case_is_changed_after_its_difference_was_read_and_undone(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    chat.rt = await restarted(chat.rt, HANDLE)
    await chat.write("he", f"/protocol change {no} ordinary")
    assert "改期：作出书面答复，2027年1月22日周五 → 2027年1月7日周四" in chat.last("he")
    assert await due(chat, case_id) == OLD
    await chat.press("he", "对，就这样")
    assert await due(chat, case_id) == NEW
    await chat.press("he", chat.labels("he")[0])
    assert await due(chat, case_id) == OLD


async def test_a_case_without_a_key_is_offered_the_protocols(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("he", f"/protocol change {no}")
    await chat.press(
        "he", next(label for label in chat.labels("he") if "代办件" in label or "errand" in label)
    )
    assert f"{no}：从ordinary" in chat.last("he")


async def test_broken_promises_are_said_and_their_number_has_to_be_written(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    await after(chat.rt, minutes=2)
    chat.rt = await restarted(chat.rt, RENAMED)
    await chat.write("he", f"/protocol change {no} ordinary")
    assert "会有1个答应过群众的日子作废。" in chat.last("he")
    assert "对，就这样" not in chat.labels("he"), "no tap may do it"
    await chat.write("he", "2")
    assert "什么都没有改" in chat.last("he")
    assert await due(chat, case_id, "decide") is None
    await chat.write("he", "1")
    assert await due(chat, case_id, "decide") == OLD


async def test_all_cases_of_a_protocol_move_together_after_one_look(chat: Phones) -> None:
    first = (await a_case(chat.rt)).row.case.id
    second = (await a_case(chat.rt, phones=("+12025550143",))).row.case.id
    await chat.write("he", "/protocol migrate ordinary")
    assert "都已是最新版本" in chat.last("he")
    chat.rt = await restarted(chat.rt, HANDLE)
    await chat.write("he", "/protocol migrate ordinary")
    assert "ordinary：2件还在用旧版本" in chat.last("he")
    assert await due(chat, first) == OLD
    yes = chat.data("he", "对，就这样")
    message = chat.message_with("he", yes)
    await chat.press("he", yes)
    assert "2件已改用ordinary的最新版本" in chat.last("he")
    assert [await due(chat, one) for one in (first, second)] == [NEW, NEW]
    assert "已经答过" in await chat.press("he", yes, message=message, anyway=True)


async def test_a_migration_agreed_to_on_an_older_look_is_not_done(chat: Phones) -> None:
    first = (await a_case(chat.rt)).row.case.id
    chat.rt = await restarted(chat.rt, HANDLE)
    await chat.write("he", "/protocol migrate ordinary")
    older = replace(chat.rt, desk=replace(chat.rt.desk))
    chat.rt = await restarted(chat.rt)  # meanwhile another case of the newer version is not what was shown
    second = (await a_case(chat.rt, phones=("+12025550143",))).row.case.id
    chat.rt = older
    await chat.press("he", "对，就这样")
    assert "什么都没有改" in chat.last("he")
    assert await due(chat, first) == await due(chat, second) == OLD


async def test_what_cannot_be_read_is_answered_in_a_sentence(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    for said in ("/protocol migrate", "/protocol migrate a b", f"/protocol change {no} a b"):
        await chat.write("he", said)
        assert "什么都没有改" in chat.last("he")
    await chat.write("chen", f"/protocol change {no} urgent")
    assert "什么都没有改" in chat.last("chen")


async def test_why_tells_the_reckoning_in_both_languages_and_names_no_resident(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", f"/why {no}")
    said = "\n".join(str(api.get("text", "")) for api in chat.shown("chen"))
    assert "开始办理11月23日周一 + 60 个自然日 = 2027年1月22日周五，暂定。" in said
    assert "由谁负责：陈立文" in said
    assert "李女士" not in said
    no = (await a_case(chat.rt, handler="wang", phones=("+12025550143",))).row.case.number
    await chat.write("wang", f"/why {no}")
    said = "\n".join(str(api.get("text", "")) for api in chat.shown("wang"))
    assert "taken up Mon 23 Nov + 60 calendar days = Fri 22 Jan 2027, provisional." in said
