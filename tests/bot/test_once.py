"""Guards that a random walk meets too seldom: one letter read twice, one answer given twice."""

import random
from pathlib import Path

import pytest

from reminder.bot.updates import handle
from reminder.domain.people import Role
from reminder.store import inbox, people
from tests.bot.test_taps import Chats, state
from tests.office import STAFF, a_case, office, person, read, write

ME = STAFF["chen"].chat


def newest(chats: Chats, part: str) -> str:
    return next(data for _, _, data in reversed(chats.seen) if part in data)


async def visit(chats: Chats) -> str:
    """A visit on Wednesday 25 November, kept; the case number."""
    no = (await a_case(chats.rt)).row.case.number
    await chats.say("chen", f"/visit {no} 11月25日上午9点")
    await chats.press(chats.tap(ME, ME, "1", newest(chats, ":vkeep:")))
    return no


@pytest.mark.parametrize("line", ["/note {no} 看过了", "/today"])
@pytest.mark.failure(19)
async def test_a_letter_read_by_two_workers_has_one_effect_and_one_answer(tmp_path: Path, line: str) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        text = line.format(no=(await a_case(rt)).row.case.number)
        sender = {"id": ME, "is_bot": False, "first_name": "x"}
        message = {"message_id": 1, "from": sender, "chat": {"id": ME, "type": "private"}}
        update = {"update_id": 1, "message": {**message, "text": text}}
        now = rt.clock.now()
        await write(
            rt,
            lambda tx: inbox.keep(
                tx, rt.desk.sealer, source="telegram", external_id="1", content=update, at=now
            ),
        )
        (letter,) = await read(rt, lambda tx: inbox.waiting(tx, rt.desk.sealer, 5))
        await handle(rt, letter)
        once, said = await state(rt), len(chats.port.ledger)
        await handle(rt, letter)
        assert await state(rt) == once
        assert len(chats.port.ledger) == said == 1


@pytest.mark.failure(19)
async def test_a_consent_noted_twice_is_one_consent(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        await visit(chats)
        await chats.say("chen", "/week")
        more = newest(chats, "v1:move:").replace(":move:", ":more:")
        await chats.press(chats.tap(ME, ME, "1", more))
        agree = newest(chats, ":agree:")
        await chats.press(chats.tap(ME, ME, "1", agree))
        once = await state(rt)
        said = await chats.press(chats.tap(ME, ME, "1", agree))
        assert await state(rt) == once
        assert "不用再点了" in said[0]


async def test_a_visit_moved_to_where_it_is_stays_untouched(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        no = await visit(chats)
        await chats.say("chen", f"/move {no} 11月26日上午9点")
        keep = newest(chats, ":keep:")
        before = await state(rt)
        same = keep.replace("20261126", "20261125")
        said = await chats.press(chats.tap(ME, ME, "1", same))
        assert await state(rt) == before
        assert "已经改到" in said[0]


async def test_who_may_look_but_not_plan_is_not_even_asked_for_a_day(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        no = await visit(chats)
        await chats.say("chen", f"/case {no}")
        chen = await person(rt, "chen")
        await write(rt, lambda tx: people.set_roles(tx, chen.id, [Role.TOP]))
        said = await chats.press(chats.tap(ME, ME, "1", newest(chats, "v1:move:")))
        assert said == [rt.desk.templates.word("bot.nothing_here", "zh")]
