"""What the Telegram adapter makes of everything the Bot API and the network can do."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from reminder.channels.telegram import ALLOWED_UPDATES, Telegram
from reminder.channels.telegram_errors import FIXED, FLOOD_PAUSE, TABLE, words
from reminder.domain.messages import (
    Accepted,
    Answer,
    Button,
    Declined,
    NotSent,
    Outgoing,
    Refusal,
    Style,
    Trouble,
    Unknown,
)
from reminder.domain.people import Channel
from tests.channels.raw import DROP, HANG, TRICKLE, Raw, Reply, nobody, page, told

CANARY = "4242424242:AAF-canary_canary_canary_canary_cana"
AMPLE, SHORT = timedelta(seconds=30), timedelta(seconds=1.5)
PATIENCE = 20
MESSAGE = Outgoing(token="a1", channel=Channel.TELEGRAM, to="1001", text="周三上午 9 点走访 <b> & co")
SENT = {"message_id": 7, "date": 1_790_000_000, "chat": {"id": 1001, "type": "private"}, "text": "x"}
OK = told(200, {"ok": True, "result": SENT})
DONE = told(200, {"ok": True, "result": True})


def failing(status: int, description: str, **parameters: object) -> Reply:
    content: dict[str, object] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        content["parameters"] = parameters
    return told(status, content)


@pytest.fixture
async def bot(raw: Raw) -> AsyncIterator[Telegram]:
    port = Telegram(token=CANARY, base_url=raw.url, deadline=AMPLE, pool=4)
    yield port
    await port.close()


@pytest.fixture
async def hasty(raw: Raw) -> AsyncIterator[Telegram]:
    port = Telegram(token=CANARY, base_url=raw.url, deadline=SHORT)
    yield port
    await port.close()


async def send(port: Telegram) -> Answer:
    async with asyncio.timeout(PATIENCE):
        return await port.send(MESSAGE)


@pytest.mark.failure(31)
async def test_a_message_is_sent_as_plain_protected_text_without_preview(raw: Raw, bot: Telegram) -> None:
    raw.always(OK)
    assert await send(bot) == Accepted(provider_id="7")
    (asked,) = raw.asked
    assert asked.path == f"/bot{CANARY}/sendMessage"
    assert asked.form["text"] == MESSAGE.text
    assert asked.form["chat_id"] == "1001"
    assert "parse_mode" not in asked.form
    assert asked.form["protect_content"] == "true"
    assert json.loads(asked.form["link_preview_options"]) == {"is_disabled": True}


async def test_buttons_and_silence_arrive_as_asked(raw: Raw, bot: Telegram) -> None:
    raw.always(OK)
    rows = (
        (Button(label="✅ 完成", data="v1:done:1", style=Style.SUCCESS),),
        (Button(label="…", data="v1:more:1"),),
    )
    message = Outgoing(token="a", channel=Channel.TELEGRAM, to="-1001", text="x", buttons=rows, silent=True)
    await bot.send(message)
    form = raw.asked[0].form
    assert form["disable_notification"] == "true"
    assert json.loads(form["reply_markup"])["inline_keyboard"] == [
        [{"text": "✅ 完成", "callback_data": "v1:done:1", "style": "success"}],
        [{"text": "…", "callback_data": "v1:more:1"}],
    ]


async def test_an_address_that_is_no_chat_id_is_refused_without_asking_anybody(
    raw: Raw, bot: Telegram
) -> None:
    for to in ("@somebody", "12 34", "", "+12025550100", "１００１"):
        told_ = await bot.send(Outgoing(token="a", channel=Channel.TELEGRAM, to=to, text="x"))
        assert told_ == Declined(reason=Refusal.BAD_ADDRESS, code="not_numeric")
    assert raw.asked == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.pattern)
async def test_every_sentence_of_the_table_is_understood_in_any_case(
    row: Any, raw: Raw, bot: Telegram
) -> None:
    status = 403 if "bot" in row.pattern or "deactivated" in row.pattern else 400
    for sentence in (row.pattern, row.pattern.upper()):
        raw.always(failing(status, f"Bad Request: {sentence} or so"))
        assert await send(bot) == Declined(reason=row.outcome, code=row.code)


SURELY_NOT = [
    (failing(429, "Too Many Requests: retry after 17", retry_after=17), timedelta(seconds=17)),
    (failing(429, "Too Many Requests"), FLOOD_PAUSE),
    (failing(400, "Bad Request: something nobody has seen before"), None),
    (page(400), None),
    (page(403), None),
]


@pytest.mark.parametrize(("reply", "pause"), SURELY_NOT)
@pytest.mark.failure(9)
async def test_what_was_surely_not_processed_may_be_tried_again(
    reply: Reply, pause: timedelta | None, raw: Raw, bot: Telegram
) -> None:
    raw.always(reply)
    news = await send(bot)
    assert isinstance(news, NotSent)
    assert news.retry_after == pause


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (failing(401, "Unauthorized"), Declined(reason=Refusal.CONFIG, code="token")),
        (failing(404, "Not Found"), Declined(reason=Refusal.CONFIG, code="token")),
        (
            failing(409, "Conflict: terminated by other getUpdates"),
            Declined(reason=Refusal.CONFIG, code="second_poller"),
        ),
        (failing(403, "Forbidden: a new reason"), Declined(reason=Refusal.BLOCKED, code="forbidden")),
        (
            failing(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100777),
            Declined(reason=Refusal.MOVED, code="migrated", address="-100777"),
        ),
    ],
)
async def test_refusals_told_by_the_kind_of_error(
    reply: Reply, expected: Declined, raw: Raw, bot: Telegram
) -> None:
    raw.always(reply)
    assert await send(bot) == expected


UNSURE = {
    "bad gateway page": page(502),
    "server error": failing(500, "Internal Server Error"),
    "timeout of theirs": failing(504, "Gateway Timeout"),
    "too large": failing(413, "Request Entity Too Large"),
    "captive portal": page(200),
    "redirect": Reply(status=302, headers=(("location", "http://login.example/"),)),
    "ok without a result": told(200, {"ok": True}),
    "a list": told(200, [1]),
    "an error that is a list": told(500, [1]),
    "a plain true": DONE,
    "a number": told(200, {"ok": True, "result": 7}),
    "a result of another shape": told(200, {"ok": True, "result": {}}),
    "a date in milliseconds": told(200, {"ok": True, "result": SENT | {"date": 1_790_000_000_000}}),
    "half a body": Reply(body=b'{"ok":true,"res'),
    "an empty body": Reply(),
    "no answer": HANG,
    "closed after reading": DROP,
    "one byte at a time": TRICKLE,
}


@pytest.mark.parametrize("reply", UNSURE.values(), ids=UNSURE)
@pytest.mark.failure(10)
async def test_an_unclear_answer_is_never_taken_for_not_sent(
    reply: Reply, raw: Raw, bot: Telegram, hasty: Telegram
) -> None:
    raw.always(reply)
    assert isinstance(await send(hasty if reply in {HANG, TRICKLE} else bot), Unknown)
    assert len(raw.asked) == 1


async def test_a_refused_connection_was_surely_not_sent() -> None:
    port = Telegram(token=CANARY, base_url=nobody(), deadline=AMPLE)
    assert await send(port) == NotSent(reason="ClientConnectorError")
    await port.close()


async def test_the_proxy_of_the_machine_is_used_unless_the_address_is_exempt(
    raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.always(OK)
    monkeypatch.setenv("http_proxy", raw.url)
    monkeypatch.setenv("no_proxy", "")
    far = Telegram(token=CANARY, base_url="http://api.telegram.invalid", deadline=AMPLE)
    assert await send(far) == Accepted(provider_id="7")
    await far.close()
    assert raw.asked[0].headers["host"] == "api.telegram.invalid"
    monkeypatch.setenv("no_proxy", "api.telegram.invalid")
    direct = Telegram(token=CANARY, base_url="http://api.telegram.invalid", deadline=AMPLE)
    assert isinstance(await send(direct), NotSent)
    await direct.close()
    assert len(raw.asked) == 1


async def test_a_full_pool_was_surely_not_sent(raw: Raw) -> None:
    raw.always(HANG)
    port = Telegram(token=CANARY, base_url=raw.url, deadline=SHORT, pool=1)
    first, second = await asyncio.gather(send(port), send(port))
    assert (first, second) == (Unknown(reason="deadline"), NotSent(reason="PoolTimeout"))
    await port.close()


@pytest.mark.failure(27)
async def test_text_that_cannot_be_written_is_our_fault_and_not_sent(raw: Raw, bot: Telegram) -> None:
    news = await bot.send(Outgoing(token="a", channel=Channel.TELEGRAM, to="1", text="\ud800"))
    assert news == Declined(reason=Refusal.CONTENT, code="unencodable")
    assert raw.asked == []


async def test_an_edit_that_changes_nothing_is_a_success(raw: Raw, bot: Telegram) -> None:
    raw.always(failing(400, "Bad Request: message is not modified: specified new content is the same"))
    assert await bot.edit("1001", "7", "same") == Accepted(provider_id="7")
    raw.always(failing(400, "Bad Request: message to edit not found"))
    assert await bot.edit("1001", "7", "gone") == Declined(reason=Refusal.CONTENT, code="gone")


async def test_taking_back_what_is_gone_is_a_success(raw: Raw, bot: Telegram) -> None:
    raw.always(failing(400, "Bad Request: message to delete not found"))
    assert await bot.delete("1001", "7") == Accepted(provider_id="7")
    raw.always(failing(400, "Bad Request: message can't be deleted for everyone"))
    assert await bot.delete("1001", "7") == Declined(reason=Refusal.CONTENT, code="fixed")
    raw.always(failing(400, "Bad Request: message to unpin not found"))
    assert await bot.unpin("1001", "7") == Accepted(provider_id="7")


async def test_pins_are_silent_and_answers_are_cut_to_what_telegram_takes(raw: Raw, bot: Telegram) -> None:
    raw.always(DONE)
    await bot.pin("1001", "7")
    await bot.answer("cb1", "长" * 500, alert=True)
    await bot.answer("cb2")
    pinned, answered, bare = (request.form for request in raw.asked)
    assert pinned["disable_notification"] == "true"
    assert answered["text"] == "长" * 200
    assert answered["show_alert"] == "true"
    assert "text" not in bare


async def test_commands_are_set_for_one_chat_and_language(raw: Raw, bot: Telegram) -> None:
    raw.always(DONE)
    await bot.set_commands("1001", "zh", [("today", "今天")])
    form = raw.asked[0].form
    assert json.loads(form["scope"]) == {"type": "chat", "chat_id": 1001}
    assert json.loads(form["commands"]) == [{"command": "today", "description": "今天"}]
    assert form["language_code"] == "zh"


async def test_a_document_travels_with_its_name(raw: Raw, bot: Telegram) -> None:
    raw.always(OK)
    assert await bot.send_document("1001", "week.ics", b"BEGIN:VCALENDAR", "本周") == Accepted(
        provider_id="7"
    )
    assert b'filename="week.ics"' in raw.asked[0].body
    assert b"BEGIN:VCALENDAR" in raw.asked[0].body


async def test_a_file_above_the_limit_is_not_taken(raw: Raw, bot: Telegram) -> None:
    sizes = {"file_size": 5}

    def respond(request: Any) -> Reply:
        if "/file/" in request.path:
            return Reply(body=b"12345", kind="text/csv")
        return told(
            200,
            {
                "ok": True,
                "result": {"file_id": "f", "file_unique_id": "u", "file_path": "docs/a b.csv", **sizes},
            },
        )

    raw.respond = respond
    assert await bot.fetch_file("f", 5) == b"12345"
    assert raw.asked[-1].path == f"/file/bot{CANARY}/docs/a%20b.csv"
    assert await bot.fetch_file("f", 4) == Declined(reason=Refusal.CONTENT, code="too_big")
    assert len(raw.asked) == 3
    sizes.clear()  # a server that does not tell the size
    assert await bot.fetch_file("f", 4) == Declined(reason=Refusal.CONTENT, code="too_big")


async def test_updates_come_as_they_were_received(raw: Raw, bot: Telegram) -> None:
    update = {"update_id": 5, "message": {"of_the_future": [1, {"a": None}], "date": "never"}}
    raw.always(told(200, {"ok": True, "result": [update]}))
    assert await bot.updates(5, timedelta(0)) == [update]
    assert raw.asked[0].query == {
        "offset": "5",
        "timeout": "0",
        "allowed_updates": json.dumps(ALLOWED_UPDATES),
    }


async def test_waiting_for_updates_may_outlast_the_deadline_of_a_message(raw: Raw, hasty: Telegram) -> None:
    arrived = asyncio.Event()

    async def later() -> None:
        await asyncio.sleep(SHORT.total_seconds() * 1.3)
        arrived.set()

    # A long poll: the answer comes after the deadline of a message has passed.
    task = asyncio.ensure_future(later())
    serve = raw.serve

    async def slow(reader: Any, writer: Any) -> None:
        await arrived.wait()
        await serve(reader, writer)

    raw.serve = slow  # type: ignore[method-assign]
    raw.always(told(200, {"ok": True, "result": []}))
    assert await hasty.updates(None, timedelta(seconds=20)) == []
    await task


@pytest.mark.parametrize(
    "reply",
    [
        page(200),
        told(200, {"ok": True, "result": {}}),
        told(200, {"ok": True, "result": [1]}),
        page(502),
        DROP,
    ],
)
async def test_a_failed_fetch_of_updates_is_never_an_empty_one(reply: Reply, raw: Raw, bot: Telegram) -> None:
    raw.always(reply)
    assert isinstance(await bot.updates(1, timedelta(0)), Trouble)


@pytest.mark.failure(37)
async def test_a_second_poller_is_told_as_a_fault_of_the_configuration(raw: Raw, bot: Telegram) -> None:
    raw.always(failing(409, "Conflict: terminated by other getUpdates request"))
    assert await bot.updates(1, timedelta(0)) == Declined(reason=Refusal.CONFIG, code="second_poller")


async def test_me_tells_who_the_bot_is(raw: Raw, bot: Telegram) -> None:
    who = {"id": 1, "is_bot": True, "first_name": "Office", "username": "office_bot"}
    raw.always(told(200, {"ok": True, "result": who}))
    answer = await bot.me()
    assert isinstance(answer, dict)
    assert answer | who == answer


@pytest.mark.parametrize("result", [True, False, None, 7, [], {}, "x", [1]])
async def test_no_answer_of_another_shape_gets_past_the_adapter(
    result: object, raw: Raw, bot: Telegram
) -> None:
    raw.always(told(200, {"ok": True, "result": result}))
    assert isinstance(await bot.me(), Unknown)
    assert isinstance(await bot.fetch_file("f", 9), Unknown)
    assert isinstance(await bot.send_document("1001", "n", b"x"), Unknown)
    assert isinstance(await bot.edit("1001", "7", "x"), Accepted | Unknown)


@pytest.mark.failure(33)
async def test_the_token_is_in_no_log_no_error_and_no_repr(
    raw: Raw, bot: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    for name in ("telegram", "aiohttp", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)

    def echo(request: Any) -> Reply:
        """An error page that quotes the address it was asked for."""
        return Reply(status=404, body=f"<pre>Cannot POST {request.path}</pre>".encode(), kind="text/html")

    raw.respond = echo
    seen.append(repr(await send(bot)))
    for reply in (OK, failing(401, "Unauthorized"), DROP, page(200)):
        raw.always(reply)
        seen.append(repr(await send(bot)))
        seen.append(repr(await bot.updates(1, timedelta(0))))
    lost = Telegram(token=CANARY, base_url=nobody(), deadline=AMPLE)
    seen.append(repr(await send(lost)))
    await lost.close()
    seen += [repr(bot), repr(bot.bot), str(bot.bot), repr(vars(bot)), repr(bot.bot.request)]
    whole = caplog.text + "".join(seen)
    assert "telegram.Bot" in whole
    assert all(CANARY in request.path for request in raw.asked)
    assert CANARY not in whole
    assert CANARY.partition(":")[2] not in whole


def test_every_row_has_a_source_and_words_and_every_code_one_meaning() -> None:
    rows = TABLE + FIXED
    assert all(row.source and row.words.startswith("why_") for row in rows)
    meanings: dict[str, set[tuple[Refusal | None, str]]] = {}
    for row in rows:
        meanings.setdefault(row.code, set()).add((row.outcome, row.words))
    assert all(len(found) == 1 for found in meanings.values())
    assert words("blocked") == "why_blocked"
    assert words("never heard of") == "why_unknown_code"


def test_no_row_hides_one_below_it() -> None:
    for place, row in enumerate(TABLE):
        assert not [above.pattern for above in TABLE[:place] if above.pattern in row.pattern]
