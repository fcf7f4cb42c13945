"""What every channel promises, asked of the one in memory and of the real adapters against the sandbox."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from reminder.channels.base import ChatPort, Port, SmsPort
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.channels.telegram import Telegram
from reminder.channels.twilio import Twilio
from reminder.channels.twilio_errors import receipt
from reminder.clock import ManualClock
from reminder.domain.messages import (
    Accepted,
    Answer,
    Button,
    Declined,
    Delivered,
    NotSent,
    Outgoing,
    Status,
    Trouble,
    Unknown,
)
from reminder.domain.people import Channel
from reminder.web.signature import verify
from tests.channels.raw import Raw
from tests.channels.worlds import (
    CHAT,
    LI,
    OFFICE,
    START,
    ChatInMemory,
    ChatInSandbox,
    Place,
    SmsInMemory,
    SmsInSandbox,
    place,
    sandbox,
    twilio_in,
)

SMS = SmsInMemory | SmsInSandbox
CHATS = ChatInMemory | ChatInSandbox


@pytest.fixture(params=["memory-sms", "memory-chat", "sandbox-sms", "sandbox-chat"])
async def anywhere(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with place(request.param) as found:
        yield found


@pytest.fixture(params=["memory-sms", "sandbox-sms"])
async def sms(request: pytest.FixtureRequest) -> AsyncIterator[SMS]:
    async with place(request.param) as found:
        assert isinstance(found, SMS)
        yield found


@pytest.fixture(params=["memory-chat", "sandbox-chat"])
async def chat(request: pytest.FixtureRequest) -> AsyncIterator[CHATS]:
    async with place(request.param) as found:
        assert isinstance(found, CHATS)
        yield found


async def send(
    where: Place, text: str = "周三上午走访", *, to: str = "", buttons: tuple[str, ...] = ()
) -> Answer:
    where.clock.advance(timedelta(seconds=3))
    rows = (tuple(Button(label=label, data=f"v1:{label}") for label in buttons),) if buttons else ()
    message = Outgoing(token="attempt", channel=where.port.name, to=to or where.to, text=text, buttons=rows)
    async with asyncio.timeout(20):
        return await where.port.send(message)


# Every channel


async def test_an_accepted_message_is_in_the_world_once_as_written(anywhere: Place) -> None:
    news = await send(anywhere)
    assert isinstance(news, Accepted)
    assert news.provider_id
    assert anywhere.received() == ["周三上午走访"]


async def test_the_same_message_sent_twice_is_two_messages(anywhere: Place) -> None:
    first, second = await send(anywhere), await send(anywhere)
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.provider_id != second.provider_id
    assert len(anywhere.received()) == 2


async def test_a_refused_message_is_not_in_the_world_and_the_next_one_is(anywhere: Place) -> None:
    anywhere.plan("refused")
    assert isinstance(await send(anywhere), Declined)
    assert anywhere.received() == []
    assert isinstance(await send(anywhere), Accepted)


async def test_a_message_told_as_not_sent_is_not_in_the_world(anywhere: Place) -> None:
    anywhere.plan("flood")
    news = await send(anywhere)
    assert isinstance(news, NotSent)
    assert news.retry_after == timedelta(seconds=5)
    assert anywhere.received() == []


@pytest.mark.parametrize(("mishap", "copies"), [("lost", 1), ("lost_500", 1), ("failed", 0)])
@pytest.mark.failure(10)
async def test_without_an_answer_we_do_not_know_whether_or_not_it_arrived(
    anywhere: Place, mishap: str, copies: int
) -> None:
    anywhere.plan(mishap)
    assert isinstance(await send(anywhere), Unknown)
    assert len(anywhere.received()) == copies


async def test_a_provider_that_sends_twice_is_told_as_one_success(anywhere: Place) -> None:
    anywhere.plan("twice")
    assert isinstance(await send(anywhere), Accepted)
    assert len(anywhere.received()) == 2


def test_every_adapter_has_the_interface_of_its_port() -> None:
    texts: tuple[type[SmsPort], ...] = (Twilio, MemorySms)
    chats: tuple[type[ChatPort], ...] = (Telegram, MemoryChat)
    for port, adapters in ((SmsPort, texts), (ChatPort, chats)):
        for adapter in adapters:
            for name, promised in inspect.getmembers(port, inspect.iscoroutinefunction):
                assert inspect.signature(getattr(adapter, name)) == inspect.signature(promised), name


async def test_the_ports_name_their_channel(anywhere: Place) -> None:
    port: Port = anywhere.port
    assert port.name is (Channel.TELEGRAM if anywhere.to == CHAT else Channel.SMS)


# Text messages


async def test_a_text_whose_answer_was_lost_is_found_in_the_log(sms: SMS) -> None:
    await send(sms, "an earlier text")
    sms.clock.advance(timedelta(minutes=5))
    since = sms.clock.now()
    sms.plan("lost")
    assert isinstance(await send(sms, "【平安镇】周三上门"), Unknown)
    found = await sms.port.find(to=LI, since=since, body="【平安镇】周三上门")
    assert isinstance(found, list)
    assert [(one.body_matches, bool(one.provider_id)) for one in found] == [(True, True)]
    other = await sms.port.find(to=LI, since=START, body="【平安镇】周三上门")
    assert isinstance(other, list)
    assert sorted(one.body_matches for one in other) == [False, True]


async def test_a_text_that_never_left_is_not_found(sms: SMS) -> None:
    sms.plan("failed")
    assert isinstance(await send(sms), Unknown)
    assert await sms.port.find(to=LI, since=START, body="周三上午走访") == []
    await send(sms)
    assert await sms.port.find(to="+12025550177", since=START, body="周三上午走访") == []


async def test_a_text_from_a_resident_is_found_without_a_webhook(sms: SMS) -> None:
    sms.write("早一点")
    sms.clock.advance(timedelta(minutes=5))
    sms.write("STOP")
    heard = await sms.port.inbound(sms.clock.now())
    assert isinstance(heard, list)
    assert [(one.sender, one.to, one.body) for one in heard] == [(LI, OFFICE, "STOP")]
    assert heard[0].received_at == sms.clock.now()


async def test_the_log_of_a_day_holds_all_we_sent_then_and_nothing_they_sent(sms: SMS) -> None:
    first = await send(sms)
    assert isinstance(first, Accepted)
    sms.clock.advance(timedelta(days=1))
    await send(sms)
    sms.write("STOP")
    found = await sms.port.sent(START - timedelta(hours=1), START + timedelta(hours=12))
    assert isinstance(found, list)
    assert [one.provider_id for one in found] == [first.provider_id]
    later = await sms.port.sent(START + timedelta(hours=12), START + timedelta(days=2))
    assert isinstance(later, list)
    assert len(later) == 1


async def test_an_enquiry_that_fails_is_not_an_empty_answer(sms: SMS) -> None:
    await send(sms)
    sms.blind()
    assert isinstance(await sms.port.find(to=LI, since=START, body="x"), Trouble)
    assert isinstance(await sms.port.inbound(START), Trouble)
    assert isinstance(await sms.port.sent(START, START + timedelta(days=1)), Trouble)


async def test_a_receipt_is_signed_carries_our_id_and_is_read(raw: Raw) -> None:
    clock = ManualClock(START)
    async with sandbox(clock) as (world, url):
        port = twilio_in(world, url, public_url=raw.url)
        message = Outgoing(token="attempt_7", channel=Channel.SMS, to=LI, text="周三上门")
        sent = await port.send(message)
        assert isinstance(sent, Accepted)
        for _ in range(3):
            clock.advance(timedelta(minutes=1))
            await world.deliver()
        await port.close()
    heard = []
    for asked in raw.asked:
        form = verify(
            signature=asked.headers["x-twilio-signature"],
            path=asked.path,
            query=asked.raw_query,
            body=asked.body,
            public_url=raw.url,
            tokens=[world.auth_token],
            account_sid=world.account_sid,
        )
        assert asked.path == "/twilio/status"
        assert asked.query == {"m": "attempt_7"}
        heard.append(receipt(form))
    assert heard[-1] == Delivered(provider_id=sent.provider_id)
    assert Accepted(provider_id=sent.provider_id, status=Status.SENT) in heard


# Chats


async def test_an_edit_replaces_text_and_buttons_and_may_be_repeated(chat: CHATS) -> None:
    sent = await send(chat, "今日 3 件", buttons=("完成", "改期"))
    assert isinstance(sent, Accepted)
    assert chat.buttons() == [["完成", "改期"]]
    rows = ((Button(label="撤销", data="v1:undo"),),)
    for _ in range(2):
        assert await chat.port.edit(CHAT, sent.provider_id, "今日 2 件", rows) == sent
    assert chat.received() == ["今日 2 件"]
    assert chat.buttons() == [["撤销"]]


async def test_a_message_can_be_pinned_and_taken_back_and_both_may_be_repeated(chat: CHATS) -> None:
    sent = await send(chat)
    assert isinstance(sent, Accepted)
    for act in (chat.port.pin, chat.port.unpin, chat.port.unpin, chat.port.delete, chat.port.delete):
        assert await act(CHAT, sent.provider_id) == sent
    assert chat.received() == []


async def test_a_message_that_is_gone_cannot_be_edited_or_pinned(chat: CHATS) -> None:
    sent = await send(chat)
    assert isinstance(sent, Accepted)
    await chat.port.delete(CHAT, sent.provider_id)
    for answer in (
        await chat.port.edit(CHAT, sent.provider_id, "x"),
        await chat.port.pin(CHAT, sent.provider_id),
    ):
        assert isinstance(answer, Declined)
        assert answer.code == "gone"


async def test_an_update_is_told_again_until_a_higher_offset_confirms_it(chat: CHATS) -> None:
    chat.write("/today")
    chat.write("好的")
    first = await chat.port.updates(None, timedelta(0))
    again = await chat.port.updates(None, timedelta(0))
    assert isinstance(first, list)
    assert first == again
    assert [update["message"]["text"] for update in first] == ["/today", "好的"]
    rest = await chat.port.updates(first[0]["update_id"] + 1, timedelta(0))
    assert rest == first[1:]
    assert await chat.port.updates(first[1]["update_id"] + 1, timedelta(0)) == []


async def test_the_command_menu_of_a_chat_can_be_set(chat: CHATS) -> None:
    assert isinstance(await chat.port.set_commands(CHAT, "zh", [("today", "今天的事")]), Accepted)


async def test_a_file_can_be_sent(chat: CHATS) -> None:
    chat.clock.advance(timedelta(seconds=3))
    sent = await chat.port.send_document(CHAT, "week.ics", b"BEGIN:VCALENDAR", "本周")
    assert isinstance(sent, Accepted)
    assert sent.provider_id


async def test_a_file_nobody_sent_is_not_fetched(chat: CHATS) -> None:
    assert isinstance(await chat.port.fetch_file("no-such-file", 1000), Declined)


async def test_the_bot_knows_its_own_name(chat: CHATS) -> None:
    who = await chat.port.me()
    assert isinstance(who, dict)
    assert who["username"] == "reminder_bot"


async def test_updates_can_be_posted_instead_of_asked_for_and_back(chat: CHATS) -> None:
    assert isinstance(await chat.port.hook("http://127.0.0.1:9/telegram/x", "a-secret"), Accepted)
    there = await chat.port.hooked()
    assert isinstance(there, dict)
    assert there["url"] == "http://127.0.0.1:9/telegram/x"
    assert isinstance(await chat.port.hook("", ""), Accepted)
    gone = await chat.port.hooked()
    assert isinstance(gone, dict)
    assert gone["url"] == ""
