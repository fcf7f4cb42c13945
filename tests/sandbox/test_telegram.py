"""Does the real client library live with the Bot API as the sandbox speaks it?"""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import Response
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter

from reminder.sandbox import ControlError, World
from tests.sandbox.conftest import LI, TOKEN, WANG, Clock, Office

KEYS = InlineKeyboardMarkup([[InlineKeyboardButton("Done", callback_data="v1:done:7", style="success")]])
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x03\x00\x00\x00\x02\x08\x02\x00\x00\x00"
    b"\x12\x16\xf1M\x00\x00\x00\x0cIDATx\x9cc\xf8\xff\xff?\x03\x03\x00\x00\x00\x00\x00\x00\x00"
)


async def test_a_message_with_buttons_reaches_the_phone_and_the_ledger(bot: Bot, world: World) -> None:
    sent = await bot.send_message(WANG, "<b>Case 7</b> & co"[:13], parse_mode="HTML", reply_markup=KEYS)
    assert (sent.message_id, sent.text, sent.chat.id) == (1, "Case 7", WANG)
    assert sent.entities[0].type == "bold"
    assert sent.date == world.now()
    (row,) = world.ledger()
    assert (row["type"], row["to"], row["id"], row["text"]) == ("message", str(WANG), f"{WANG}:1", "Case 7")
    assert row["buttons"][0][0]["callback_data"] == "v1:done:7"


async def test_a_press_is_told_to_the_poller_and_answered_once_in_time(
    bot: Bot, world: World, clock: Clock
) -> None:
    await bot.send_message(WANG, "Case 7", reply_markup=KEYS)
    world.press(WANG, 1, "Done")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "v1:done:7"
    assert update.callback_query.from_user.id == WANG
    assert not world.state()["idle"]
    await bot.answer_callback_query(update.callback_query.id, "Noted")
    assert world.ledger()[-1]["type"] == "answer"
    assert await bot.get_updates(offset=update.update_id + 1) == ()
    assert world.state()["idle"]
    clock.move(minutes=6)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(update.callback_query.id)


async def test_only_buttons_on_the_screen_can_be_pressed_unless_the_screen_is_stale(
    bot: Bot, world: World
) -> None:
    await bot.send_message(WANG, "Case 7", reply_markup=KEYS)
    await bot.edit_message_text("Case 7: done", WANG, 1)
    with pytest.raises(ControlError, match="no button"):
        world.press(WANG, 1, "v1:done:7")
    world.press(WANG, 1, "v1:done:7", anyway=True)
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "v1:done:7"


async def test_a_start_link_opens_the_chat_and_arrives_as_a_command(bot: Bot, world: World) -> None:
    with pytest.raises(Forbidden, match="can't initiate"):
        await bot.send_message(LI, "hello")
    world.write(LI, "/start code_42")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.parse_entities(["bot_command"]) == {update.message.entities[0]: "/start"}
    await bot.send_message(LI, "welcome")


@pytest.mark.failure(16)
async def test_a_blocked_bot_hears_of_it_and_may_not_write(bot: Bot, world: World) -> None:
    world.block(WANG)
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(WANG, "hello")
    world.block(WANG, on=False)
    left, back = await bot.get_updates()
    assert left.my_chat_member is not None
    assert back.my_chat_member is not None
    assert left.my_chat_member.new_chat_member.status == "kicked"
    assert back.my_chat_member.new_chat_member.status == "member"
    await bot.send_message(WANG, "good to see you again")


async def test_edits_pins_and_deletions_follow_telegrams_rules(bot: Bot, world: World, clock: Clock) -> None:
    await bot.send_message(WANG, "one", reply_markup=KEYS)
    await bot.pin_chat_message(WANG, 1, disable_notification=True)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("one", WANG, 1, reply_markup=KEYS)
    edited: Any = await bot.edit_message_text("two", WANG, 1)
    assert edited.reply_markup is None
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("two", WANG, 9)
    chat: Any = await bot.get_chat(WANG)
    assert chat.pinned_message.text == "two"
    await bot.unpin_chat_message(WANG)
    with pytest.raises(BadRequest, match="Message to unpin not found"):
        await bot.unpin_chat_message(WANG)
    clock.move(hours=49)
    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(WANG, 1)
    kinds = [row["type"] for row in world.ledger()]
    assert kinds == ["message", "pin", "edit", "unpin"]


async def test_files_travel_both_ways(bot: Bot, world: World) -> None:
    sent: Any = await bot.send_document(WANG, b"a,b\r\n\r\n1,2\r\n", filename="台账.csv", caption="for you")
    assert sent.document.file_name == "台账.csv"
    assert sent.document.file_size == 12
    picture = await bot.send_photo(WANG, PNG)
    assert (picture.photo[-1].width, picture.photo[-1].height) == (3, 2)
    with pytest.raises(BadRequest, match=r"(?i)image_process_failed"):
        await bot.send_photo(WANG, b"no picture")
    world.send_file(WANG, "ledger.xlsx", b"\x00\r\n--x", mime="application/vnd.ms-excel")
    (update,) = await bot.get_updates()
    heard: Any = update.message
    file = await bot.get_file(heard.document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"\x00\r\n--x"


@pytest.mark.failure(37)
async def test_a_newer_poller_ends_the_older_one_with_409(bot: Bot, world: World) -> None:
    older = asyncio.create_task(bot.get_updates(timeout=10))
    while world.telegram.updates._poller == 0:  # noqa: ASYNC110 - nothing tells that a poll has begun
        await asyncio.sleep(0.01)
    async with Bot(TOKEN, base_url=bot.base_url.removesuffix(TOKEN)) as second:
        newer = asyncio.create_task(second.get_updates(timeout=10))
        with pytest.raises(Conflict, match="terminated by other getUpdates"):
            await older
        world.write(WANG, "hello")
        assert [u.message.text for u in await newer if u.message] == ["hello"]


async def test_updates_are_unconfirmed_until_a_later_offset(bot: Bot, world: World) -> None:
    first = world.write(WANG, "one")["update_id"]
    world.write(WANG, "two")
    assert [u.update_id for u in await bot.get_updates(limit=1)] == [first]
    assert world.state()["updates"] == 2
    assert [u.update_id for u in await bot.get_updates(offset=first + 1)] == [first + 1]
    assert world.state()["updates"] == 1
    assert not await world.idle(timeout=0.01)
    await bot.get_updates(offset=first + 2)
    assert await world.idle()


async def test_a_webhook_gets_each_update_in_order_until_it_answers_2xx(
    bot: Bot, world: World, office: Office, clock: Clock
) -> None:
    await bot.set_webhook(f"{office.url}/hook", secret_token="s3cret", allowed_updates=["message"])
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    office.answers = [Response(status_code=503)] * 3
    world.write(WANG, "one")
    await world.deliver()
    info = await bot.get_webhook_info()
    assert info.pending_update_count == 1
    assert info.last_error_message == "Wrong response: 503"
    assert world.next_at() is not None
    clock.move(minutes=1)
    world.write(WANG, "two")
    assert await world.idle()
    updates: list[Any] = [Update.de_json(json.loads(body), bot) for body in office.bodies]
    told = [update.message.text for update in updates]
    assert told == ["one", "one", "one", "one", "two"]
    assert office.heard[0][2]["x-telegram-bot-api-secret-token"] == "s3cret"
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_kinds_never_asked_for_do_not_wait(bot: Bot, world: World) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    world.write(WANG, "nobody listens")
    assert world.state()["idle"]


@pytest.mark.failure(40)
async def test_a_wrong_token_is_refused(base: str) -> None:
    with pytest.raises(InvalidToken):
        async with Bot("110201543:another", base_url=f"{base}/bot"):
            pass


async def test_the_pace_is_limited_in_the_sandboxs_own_time(bot: Bot, world: World, clock: Clock) -> None:
    world.configure({"limits": {"per_chat_seconds": 1.0}})
    await bot.send_message(WANG, "one")
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(WANG, "two")
    assert refused.value.retry_after == timedelta(seconds=1)
    clock.move(seconds=1)
    await bot.send_message(WANG, "two")
    assert len(world.ledger()) == 2


async def test_one_overall_limit_binds_all_chats(bot: Bot, world: World, clock: Clock) -> None:
    world.configure({"limits": {"per_chat_seconds": 0, "overall_per_second": 3}})
    for _ in range(3):
        await bot.send_message(WANG, "hello")
    with pytest.raises(RetryAfter):
        await bot.send_message(WANG, "hello")
    clock.move(seconds=1)
    await bot.send_message(WANG, "hello")
