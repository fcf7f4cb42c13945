"""Whatever people may put into a case's calendar leaves no message without its words, in any protocol."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from reminder.actions import added
from reminder.store import tables as t
from reminder.store.database import Tx
from tests.actions.acting import after, in_turn, refused, scene, sound
from tests.bot.phones import phones
from tests.office import a_case, actor, office, protocols, read

WORDS = ("one word", "  ")


@pytest.mark.parametrize("protocol", [p.key for p in protocols().values()])
async def test_what_is_put_in_with_no_more_than_it_asks_for_is_told_in_full(
    tmp_path: Path, protocol: str
) -> None:
    async with office(tmp_path) as rt:
        case_id = (await a_case(rt, protocol=protocol)).row.case.id
        possible = added.addable(await scene(rt, case_id), await actor(rt, "he"))
        for milestone in possible:
            for text in WORDS:
                work = in_turn(
                    rt, "he", added.add, case_id, milestone.key, {"day": "2026-12-03", "text": text}
                )
                if text.strip() or not added.says_text(rt.desk, milestone):
                    await work
                else:
                    assert await refused(work) == "added.needs_text"
        for _ in range(30):
            await after(rt, days=1)
        assert await read(rt, _dead) == []
        await sound(rt)


async def _dead(tx: Tx) -> list[tuple[str, str]]:
    found = await tx.execute(
        sa.select(t.reminders.c.kind, t.reminders.c.reason).where(t.reminders.c.state == "dead")
    )
    return [(kind, reason) for kind, reason in found]


async def test_an_order_is_put_in_by_who_may_give_one_however_it_is_written(tmp_path: Path) -> None:
    async with phones(tmp_path) as chat:
        no = (await a_case(chat.rt)).row.case.number
        order = "答复督查单"
        await chat.write("chen", f"/add {no}")
        assert order not in chat.labels("chen")
        await chat.write("chen", f"/add {no} order 快一点")
        assert order not in chat.labels("chen")
        await chat.write("zhou", f"/add {no}")
        await chat.press("zhou", order)
        assert "是什么事" in chat.last("zhou")
        await chat.write("zhou", "期限过半还没有记录")
        plan = await scene(chat.rt, 1)
        assert plan.entries["order"].detail["text"] == "期限过半还没有记录"


async def test_a_promise_without_a_day_or_a_word_is_asked_for_both(tmp_path: Path) -> None:
    async with phones(tmp_path) as chat:
        no = (await a_case(chat.rt)).row.case.number
        await chat.write("lin", f"/add {no}")
        await chat.press("lin", "兑现答应的事")
        assert "哪天" in chat.last("lin")
        await chat.write("lin", "12月3日 | 陈立文")
        assert "是什么事" in chat.last("lin")
        await chat.write("lin", "修好路灯")
        promise = (await scene(chat.rt, 1)).entries["commitment"]
        assert (promise.detail["text"], promise.due_on.isoformat()) == ("修好路灯", "2026-12-03")
        chen = await actor(chat.rt, "chen")
        assert promise.person_id == chen.person.id
