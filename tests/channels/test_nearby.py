"""Does a bot beside its Bot API in one process say and hear what it would over a network?"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from reminder.channels.telegram import Telegram
from reminder.channels.twilio import Twilio
from reminder.demo.nearby import nearby
from reminder.domain.messages import Accepted, Button, Declined, Outgoing, Refusal
from reminder.domain.people import Channel
from reminder.sandbox import Limits, World, app_of

TOKEN = "12345678:sandbox-secret"
CHAT = 700_000_001
PHONE, SENDER = "+12025550101", "+12025550199"
ACCOUNT, SECRET = "AC" + "0" * 32, "sandbox-secret"


@pytest.fixture
def world() -> World:
    made = World(
        now=lambda: datetime(2026, 11, 23, 1, tzinfo=UTC),
        bot_token=TOKEN,
        account_sid=ACCOUNT,
        auth_token=SECRET,
        numbers=(SENDER,),
        limits=Limits.off(),
    )
    made.add_telegram(CHAT, "Wang Min", started=True)
    return made


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Telegram]:
    telegram = Telegram(token=TOKEN, base_url="http://near", carrier=nearby(app_of(world)))
    yield telegram
    await telegram.close()


def a_message(to: int) -> Outgoing:
    keys = ((Button(label="办了 ✓", data="v1:done:1:1"),),)
    return Outgoing(channel=Channel.TELEGRAM, to=str(to), text="明天 & 后天", buttons=keys, token="t")


async def test_texts_buttons_and_refusals_arrive_as_over_a_network(bot: Telegram, world: World) -> None:
    assert await bot.send(a_message(CHAT)) == Accepted(provider_id="1")
    shown = world.thread(f"telegram:{CHAT}")[0]
    assert shown["text"] == "明天 & 后天"
    assert [b["callback_data"] for row in shown["buttons"] for b in row] == ["v1:done:1:1"]
    refused = await bot.send(a_message(404))
    assert isinstance(refused, Declined)
    assert refused.reason is Refusal.BAD_ADDRESS


async def test_a_file_travels_both_ways(bot: Telegram, world: World) -> None:
    content = bytes(range(256)) * 40
    assert isinstance(await bot.send_document(str(CHAT), "台账.csv", content, "请看"), Accepted)
    assert world.thread(f"telegram:{CHAT}")[0]["file"]["file_name"] == "台账.csv"
    world.send_file(CHAT, "a.csv", content)
    updates = await bot.updates(None, timedelta(0))
    assert isinstance(updates, list)
    file_id = updates[0]["message"]["document"]["file_id"]
    assert await bot.fetch_file(file_id, len(content)) == content


async def test_a_text_and_the_log_it_is_found_in(world: World) -> None:
    world.add_phones({"telegram": [], "sms": [{"number": PHONE, "name": "Zhao Hua"}]})
    sms = Twilio(
        account_sid=ACCOUNT,
        auth_token=SECRET,
        sender=SENDER,
        base_url="http://near",
        carrier=nearby(app_of(world)),
    )
    text = Outgoing(channel=Channel.SMS, to=PHONE, text="明天 & 后天?", token="t")
    sent = await sms.send(text)
    assert isinstance(sent, Accepted)
    found = await sms.find(to=PHONE, since=datetime(2026, 11, 23, tzinfo=UTC), body=text.text)
    assert isinstance(found, list)
    assert [(one.provider_id, one.body_matches) for one in found] == [(sent.provider_id, True)]
    refused = await sms.send(Outgoing(channel=Channel.SMS, to="12", text="x", token="u"))
    assert isinstance(refused, Declined)
    await sms.close()


async def test_a_wrong_token_is_refused(world: World) -> None:
    other = Telegram(token="1:other", base_url="http://near", carrier=nearby(app_of(world)))
    assert not isinstance(await other.send(a_message(CHAT)), Accepted)
    assert not world.thread(f"telegram:{CHAT}")
    await other.close()
