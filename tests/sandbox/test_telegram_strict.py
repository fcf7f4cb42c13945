"""Does the sandbox refuse what Telegram refuses, in Telegram's words?"""

from typing import Any

import httpx
import pytest

from reminder.sandbox import World
from tests.sandbox.conftest import TOKEN, WANG


def key(**fields: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "Go", **fields}]]}


def wrong(markup: Any) -> dict[str, Any]:
    return {"chat_id": WANG, "text": "a", "reply_markup": markup}


def html(text: str) -> dict[str, Any]:
    return {"chat_id": WANG, "text": text, "parse_mode": "HTML"}


HTML = {"parse_mode": "HTML"}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("sendMessage", {"chat_id": 5, "text": "a"}, "chat not found"),
    ("sendMessage", {"text": "a"}, "chat_id is empty"),
    ("sendMessage", {"chat_id": WANG, "text": " \n "}, "message text is empty"),
    ("sendMessage", {"chat_id": WANG}, "message text is empty"),
    ("sendMessage", {"chat_id": WANG, "text": "字" * 4097}, "message is too long"),
    ("sendMessage", {"chat_id": WANG, "text": "😀" * 2049}, "message is too long"),
    ("sendMessage", wrong(key(callback_data="x" * 65)), "BUTTON_DATA_INVALID"),
    ("sendMessage", wrong(key(callback_data="办" * 22)), "BUTTON_DATA_INVALID"),
    ("sendMessage", wrong(key(callback_data="")), "BUTTON_DATA_INVALID"),
    ("sendMessage", wrong(key()), "Text buttons are unallowed"),
    ("sendMessage", wrong(key(callback_data="x", url="https://a.example")), "exactly one"),
    ("sendMessage", wrong(key(url="javascript:1")), "Unsupported URL protocol"),
    ("sendMessage", wrong(key(callback_data="x", style="pink")), "BUTTON_STYLE_INVALID"),
    ("sendMessage", wrong("{oops"), "can't parse reply markup JSON object"),
    ("sendMessage", {"chat_id": WANG, "text": "a", "reply_parameters": {"message_id": 7}}, "not found"),
    ("sendMessage", html("<b>a"), "Can't find end tag corresponding to start tag \"b\""),
    ("sendMessage", html("a < b"), 'Unsupported start tag "" at byte offset 2'),
    ("sendMessage", html("李<div>a</div>"), 'Unsupported start tag "div" at byte offset 3'),
    ("sendMessage", html("<b>a</i>"), 'expected "</b>", found "</i>"'),
    ("sendMessage", html("a</b>"), "Unexpected end tag"),
    ("sendMessage", {"chat_id": WANG, "text": "a", "parse_mode": "MarkdownV2"}, "unsupported parse_mode"),
    ("editMessageText", {"chat_id": WANG, "message_id": 99, "text": "a"}, "message to edit not found"),
    ("editMessageText", {"chat_id": WANG, "text": "a"}, "message identifier is not specified"),
    ("editMessageText", {"chat_id": WANG, "message_id": "x", "text": "a"}, "an Integer is expected"),
    ("deleteMessage", {"chat_id": WANG, "message_id": 99}, "message to delete not found"),
    ("pinChatMessage", {"chat_id": WANG, "message_id": 99}, "message to pin not found"),
    ("answerCallbackQuery", {"callback_query_id": "1"}, "query is too old"),
    ("sendChatAction", {"chat_id": WANG, "action": "dancing"}, "wrong parameter action"),
    ("setMyCommands", {"commands": [{"command": "Today", "description": "x"}]}, "BOT_COMMAND_INVALID"),
    ("setMyCommands", {"commands": [{"command": "today", "description": ""}]}, "COMMAND_DESCRIPTION_INVALID"),
    ("setMyCommands", {"commands": [], "scope": {"type": "planet"}}, "can't parse BotCommandScope"),
    ("setWebhook", {"url": "http://elsewhere.example/x"}, "An HTTPS URL must be provided"),
    ("setWebhook", {"url": "https://elsewhere.example/x", "secret_token": "a b"}, "unallowed characters"),
    ("getFile", {"file_id": "nothing"}, "wrong file_id"),
    ("sendDocument", {"chat_id": WANG, "document": "nothing"}, "wrong file identifier"),
    ("sendDocument", {"chat_id": WANG}, "there is no document in the request"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "fields", "words"), REFUSED)
async def test_what_telegram_refuses_is_refused_and_reaches_nobody(
    near: httpx.AsyncClient, world: World, method: str, fields: dict[str, Any], words: str
) -> None:
    answer = await near.post(f"/bot{TOKEN}/{method}", json=fields)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["ok"], body["error_code"]) == (False, 400)
    assert body["description"].startswith("Bad Request: ")
    assert words in body["description"]
    assert world.ledger() == []


ACCEPTED: list[tuple[dict[str, Any], str]] = [
    ({"text": "字" * 4096}, "字" * 4096),
    ({"text": "😀" * 2048}, "😀" * 2048),
    ({"text": "<b>" + "字" * 4096 + "</b>", **HTML}, "字" * 4096),
    ({"text": "  a &lt;b&gt; &amp; &#x41; ", **HTML}, "a <b> & A"),
    ({"text": "a < b & c"}, "a < b & c"),
    ({"text": "a", "reply_markup": key(callback_data="x" * 64)}, "a"),
]


@pytest.mark.parametrize(("fields", "text"), ACCEPTED)
async def test_what_telegram_accepts_at_its_limits_is_accepted(
    near: httpx.AsyncClient, fields: dict[str, Any], text: str
) -> None:
    answer = await near.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": WANG, **fields})
    assert answer.json()["result"]["text"] == text


async def test_entities_count_in_utf16_units_and_survive_trimming(near: httpx.AsyncClient) -> None:
    fields = html(" 😀<b>好<i>的</i></b> ")
    result = (await near.post(f"/bot{TOKEN}/sendMessage", json=fields)).json()["result"]
    assert result["text"] == "😀好的"
    assert [(e["type"], e["offset"], e["length"]) for e in result["entities"]] == [
        ("bold", 2, 2),
        ("italic", 3, 1),
    ]


async def test_forms_queries_and_json_say_the_same(near: httpx.AsyncClient, world: World) -> None:
    fields = {"chat_id": str(WANG), "text": "同一句"}
    await near.post(f"/bot{TOKEN}/sendMessage", data=fields)
    await near.get(f"/bot{TOKEN}/sendMessage", params=fields)
    await near.post(f"/bot{TOKEN}/sendmessage", json=fields)
    await near.post(f"/bot{TOKEN}/sendMessage", files={k: (None, v) for k, v in fields.items()})
    assert [row["text"] for row in world.ledger()] == ["同一句"] * 4


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"/bot{TOKEN}/noSuchMethod", 404), ("/bot1:x/getMe", 401), ("/botnonsense/getMe", 404)],
)
async def test_unknown_methods_and_tokens_are_refused(
    near: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await near.post(path)
    assert (answer.status_code, answer.json()["error_code"]) == (status, status)


async def test_a_body_nobody_can_read_is_a_400(near: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    answer = await near.post(f"/bot{TOKEN}/sendMessage", content=b"{oops", headers=headers)
    assert answer.status_code == 400
