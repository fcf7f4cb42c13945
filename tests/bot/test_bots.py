"""An office with two bots: each has its people, its rate and its troubles, and nobody notices which it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.digest import refresh_digests
from jobs.dispatch import dispatch
from jobs.remind import remind
from reminder.actions.direct import tell
from reminder.bot.menu import introduce
from reminder.domain.breakers import Position
from reminder.domain.people import Channel, Sender
from reminder.domain.rates import Rate, Rates
from reminder.domain.reminders import State
from reminder.runtime import Runtime, Web
from reminder.serving import offer
from reminder.store import inbox, people
from reminder.valves import new_valves
from tests.actions.acting import rows
from tests.bot.phones import TOKEN, Phones, bots
from tests.fuzz.world import request
from tests.office import STAFF, a_case, pass_time, person, read, write

SECOND = 2
FIRST, OTHER = (
    Sender(channel=Channel.TELEGRAM, others=(SECOND,)),
    Sender(channel=Channel.TELEGRAM, bot=SECOND, others=(SECOND,)),
)
FEW = {Channel.TELEGRAM: Rates(channel=Rate(most=1, per=3600.0))}


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Phones, ...]]:
    async with bots(tmp_path, {None: TOKEN, SECOND: "2:other"}) as made:
        yield made


async def move(rt: Runtime, who: str, bot: int | None) -> None:
    known = await person(rt, who)
    await write(rt, lambda tx: people.update(tx, known.id, bot=bot))


async def say(rt: Runtime, who: str, words: str) -> None:
    to = await person(rt, who)
    said = {"lines": words}
    await write(rt, lambda tx: tell(tx, rt.desk, to, "held", key=words, at=rt.clock.now(), detail=said))


async def test_who_joins_by_a_bot_is_spoken_to_by_it_and_taps_there(both: tuple[Phones, ...]) -> None:
    first, second = both
    rt = first.rt
    rt.bot_names.clear()
    await introduce(rt)
    await write(rt, lambda tx: people.update(tx, 4, chat_id=None))
    plan = await a_case(rt)
    await first.write("he", "/invite 陈立文")
    link = next(api["text"] for api in reversed(first.shown("he")) if "t.me/" in api.get("text", ""))
    assert "t.me/reminder_too_bot?start=" in link  # the one with the fewest people
    code = link.partition("?start=")[2].split()[0]
    await second.write("chen", f"/start {code}")
    assert (await person(rt, "chen")).bot == SECOND
    assert "陈立文" in second.shown("chen")[0]["text"]
    assert first.shown("chen") == []
    await second.write("chen", f"/visit {plan.row.case.number} 下周三上午9点 河湾村委会")
    await second.press("chen", "对")
    done = [row["type"] for row in second.ledger()]
    assert (done.count("answer"), done.count("edit")) == (1, 1)
    assert first.shown("chen") == []


async def test_a_list_is_sent_pinned_and_redrawn_by_the_persons_own_bot(both: tuple[Phones, ...]) -> None:
    first, second = both
    rt = first.rt
    await move(rt, "chen", SECOND)
    await a_case(rt)
    pass_time(rt, days=9, minutes=10)
    for job in (remind, dispatch, dispatch, refresh_digests):
        await job(rt)
    digest = next(r for r in await rows(rt, "digest") if (r.person_id, r.state) == (4, State.SENT))
    assert digest.provider_id.endswith("@2")
    assert "pin" in {row["type"] for row in second.ledger()}
    no = (await a_case(rt, phones=("+12025550150",))).row.case.number
    await second.write("chen", f"/contact {no} 电话里说清了")
    await refresh_digests(rt)
    assert "edit" in {row["type"] for row in second.ledger()}
    assert first.shown("chen") == []


async def test_updates_of_the_same_number_are_two_things(both: tuple[Phones, ...]) -> None:
    first, second = both
    await move(first.rt, "chen", SECOND)
    await first.write("lin", "/today")
    await second.write("chen", "/today")
    async with first.rt.db.read() as tx:
        ids = [await inbox.last_update_id(tx, sender.key) for sender in (FIRST, OTHER)]
    assert ids[0] == ids[1]
    assert first.last("lin")
    assert second.last("chen")


async def test_each_bears_its_own_rate(both: tuple[Phones, ...]) -> None:
    first, second = both
    rt = first.rt
    rt.valves.update(new_valves(FEW))
    await move(rt, "chen", SECOND)
    for who in ("lin", "chen", "wang"):
        await say(rt, who, f"{who} 一句")
    await dispatch(rt)
    assert first.last("lin").endswith("lin 一句")
    assert second.last("chen").endswith("chen 一句")
    assert first.shown("wang") == []
    pass_time(rt, hours=2)
    await dispatch(rt)
    assert first.last("wang").endswith("wang 一句")


async def test_one_that_is_refused_holds_up_its_own_people_only(both: tuple[Phones, ...]) -> None:
    first, second = both
    rt = first.rt
    await move(rt, "chen", SECOND)
    second.world.bot_token = "2:changed"
    await say(rt, "chen", "陈立文 一句")
    await dispatch(rt)
    assert rt.valve(OTHER).breaker.account
    await say(rt, "lin", "林国栋 一句")
    await dispatch(rt)
    assert first.last("lin").endswith("林国栋 一句")
    assert rt.valve(FIRST).breaker.position(rt.clock.now()) is Position.CLOSED
    second.world.bot_token = "2:other"
    pass_time(rt, minutes=30)
    await dispatch(rt)
    assert second.last("chen").endswith("陈立文 一句")


async def test_messages_of_a_bot_that_is_not_set_up_wait_and_stop_nobody(both: tuple[Phones, ...]) -> None:
    first, second = both
    rt = first.rt
    await move(rt, "chen", 3)
    await say(rt, "chen", "陈立文 一句")
    await dispatch(rt)
    assert rt.valve(FIRST).breaker.position(rt.clock.now()) is Position.CLOSED
    await say(rt, "lin", "林国栋 一句")
    await dispatch(rt)
    assert first.last("lin").endswith("林国栋 一句")
    (waits,) = [row for row in await rows(rt, "held") if row.person_id == 4]
    assert (waits.state, waits.reason) == (State.PLANNED, "no_such_bot")
    await second.write("chen", "/start")  # they press Start at one that is
    assert "today" in repr(second.world.telegram.commands)
    pass_time(rt, hours=1)
    await dispatch(rt)
    assert second.last("chen").endswith("陈立文 一句")


async def test_each_has_its_own_address_for_posts(both: tuple[Phones, ...]) -> None:
    first, second = both
    hooked = Web(public_url="https://o.example", hook_path="/telegram/x", hook_secret="the-secret")
    rt = replace(first.rt, web=hooked)
    sender = {"id": STAFF["lin"].chat, "is_bot": False, "first_name": "x"}
    chat = {"id": STAFF["lin"].chat, "type": "private"}
    message = {"message_id": 5, "from": sender, "chat": chat, "text": "/today"}
    body = json.dumps({"update_id": 77, "message": message}).encode()
    known = {"X-Telegram-Bot-Api-Secret-Token": "the-secret"}
    assert await request(rt, "/telegram/x", body, known) == 200
    assert await request(rt, "/telegram/x/2", body, known) == 200
    assert await request(rt, "/telegram/x/3", body, known) == 404
    assert await request(rt, "/telegram/x/2", body, {}) == 403
    letters = await read(rt, lambda tx: inbox.waiting(tx, rt.desk.sealer, 9))
    assert [letter.source for letter in letters] == ["telegram", "telegram@2"]
    assert second.shown("lin") == []


async def test_a_bot_that_never_says_its_name_keeps_nobodys_menu_back(both: tuple[Phones, ...]) -> None:
    first, second = both
    first.rt.bot_names.clear()
    second.world.bot_token = "2:changed"
    offered = asyncio.create_task(offer(first.rt, menus=True))
    for _ in range(100):
        if len(first.world.telegram.commands) == len(STAFF):
            break
        await asyncio.sleep(0.05)
    assert len(first.world.telegram.commands) == len(STAFF)
    assert first.rt.bot_names == {None: "reminder_bot"}
    assert not offered.done()
    offered.cancel()
    await asyncio.wait([offered])
