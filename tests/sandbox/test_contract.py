"""Do the sandbox's answers, and our client libraries' questions, follow the providers' own descriptions?

The descriptions (Bot API as JSON, Twilio's OpenAPI) are looked for in a `data` folder beside the repository.
"""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    MenuButtonCommands,
    ReplyKeyboardMarkup,
    ReplyParameters,
)

from reminder.sandbox import World, app_of
from reminder.sandbox.bodies import Upload, _decode
from tests.sandbox.conftest import ACCOUNT, OURS, THEIRS, TOKEN, WANG
from tests.sandbox.serve import serving
from tests.sandbox.test_telegram import PNG

Json = dict[str, Any]


def description(name: str) -> Json:
    places = sorted(Path(__file__).parents[3].glob(f"*/data/{name}"))
    if not places:
        pytest.skip(f"no {name} beside the repository: answers were not checked against it")
    found: Json = json.loads(places[0].read_text("utf-8"))
    return found


class Tap:
    """Keeps what is asked and answered under /bot."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.calls: list[tuple[str, Json, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/bot"):
            return await self._app(scope, receive, send)
        asked, answered = bytearray(), bytearray()

        async def heard() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def said(message: Message) -> None:
            answered.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, heard, said)
        kind = dict(scope["headers"]).get(b"content-type", b"").decode()
        fields = _decode(bytes(asked), kind) if asked else {}
        self.calls.append((scope["path"].rpartition("/")[2], fields, json.loads(answered)["result"]))
        return None


async def an_office_day(bot: Bot, world: World) -> None:
    """Every method the office may use, each with every option it may use."""
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("Done", callback_data="d", style="success")]])
    await bot.send_message(
        WANG, "<b>one</b>", parse_mode="HTML", reply_markup=keys, disable_notification=True
    )
    await bot.send_message(WANG, "two", reply_parameters=ReplyParameters(1), disable_web_page_preview=True)
    share = KeyboardButton("Share my number", request_contact=True)
    await bot.send_message(WANG, "three", reply_markup=ReplyKeyboardMarkup([[share]], one_time_keyboard=True))
    await bot.edit_message_text("one again", WANG, 1, reply_markup=keys)
    await bot.edit_message_reply_markup(WANG, 1)
    await bot.pin_chat_message(WANG, 1, disable_notification=True)
    await bot.get_chat(WANG)
    await bot.unpin_chat_message(WANG, 1)
    await bot.set_message_reaction(WANG, 1, "👍")
    await bot.send_document(WANG, b"a,b", filename="a.csv", caption="<i>list</i>", parse_mode="HTML")
    await bot.send_photo(WANG, PNG, caption="chart")
    await bot.send_chat_action(WANG, "typing")
    await bot.delete_message(WANG, 2)
    scope = BotCommandScopeChat(WANG)
    await bot.set_my_commands([BotCommand("today", "Today")], scope=scope, language_code="zh")
    await bot.set_chat_menu_button(WANG, MenuButtonCommands())
    world.write(WANG, "/case 26000124")
    world.press_key(WANG, "Share my number")
    world.send_file(WANG, "ledger.csv", b"1,2")
    await bot.edit_message_reply_markup(WANG, 1, reply_markup=keys)
    world.press(WANG, 1, "Done")
    world.block(WANG)
    world.block(WANG, on=False)
    updates = await bot.get_updates(offset=0, limit=100, allowed_updates=["message", "callback_query"])
    updates += await bot.get_updates()
    query = next(u.callback_query for u in updates if u.callback_query)
    await bot.answer_callback_query(query.id, "Noted", show_alert=True)
    document = next(u.message.document for u in updates if u.message and u.message.document)
    await (await bot.get_file(document)).download_as_bytearray()
    await bot.set_webhook("https://office.example/x", secret_token="s", allowed_updates=["message"])
    await bot.get_webhook_info()
    await bot.delete_webhook(drop_pending_updates=True)


USED = set(
    "getMe getUpdates setWebhook deleteWebhook getWebhookInfo sendMessage editMessageText "  # noqa: SIM905
    "answerCallbackQuery "
    "editMessageReplyMarkup deleteMessage pinChatMessage unpinChatMessage setMyCommands setChatMenuButton "
    "sendDocument sendPhoto sendChatAction getChat setMessageReaction getFile".split()
)


async def test_every_bot_api_call_and_answer_follows_the_description(world: World) -> None:
    spec = description("telegram-bot-api.min.json")
    tap = Tap(app_of(world))
    async with serving(tap) as base, Bot(TOKEN, f"{base}/bot", f"{base}/file/bot") as bot:
        await an_office_day(bot, world)
    assert {method for method, _, _ in tap.calls} == USED
    faults = [fault for call in tap.calls for fault in faults_of_call(spec, *call)]
    assert faults == []


def faults_of_call(spec: Json, method: str, fields: Json, result: Any) -> list[str]:
    described = spec["methods"][method]
    known = {field["name"]: field for field in described.get("fields", [])}
    faults = [
        f"{method}: unknown field {name}"
        for name in fields
        if name not in known and not attached(fields, name)
    ]
    faults += [
        f"{method}: {name} is missing" for name, f in known.items() if f["required"] and name not in fields
    ]
    return faults + faults_of(spec, described["returns"], result, method)


def attached(fields: Json, name: str) -> bool:
    return isinstance(fields[name], Upload) and any(value == f"attach://{name}" for value in fields.values())


def faults_of(spec: Json, types: list[str], value: Any, place: str) -> list[str]:
    """Nothing if the value fits one of the types, else what is wrong with it as the last of them."""
    faults: list[str] = []
    for name in types:
        faults = faults_of_type(spec, name, value, place)
        if not faults:
            return []
    return faults


PLAIN = {"Integer": int, "String": str, "Boolean": bool, "Float": float}


def faults_of_type(spec: Json, name: str, value: Any, place: str) -> list[str]:
    if name.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{place}: {value!r} is no array"]
        inner = [name.removeprefix("Array of ")]
        return [f for n, item in enumerate(value) for f in faults_of(spec, inner, item, f"{place}[{n}]")]
    if name in PLAIN:
        fits = isinstance(value, PLAIN[name]) and (name == "Boolean" or not isinstance(value, bool))
        return [] if fits else [f"{place}: {value!r} is no {name}"]
    described = spec["types"][name]
    if described.get("subtypes"):
        return faults_of(spec, described["subtypes"], value, place)
    if not isinstance(value, dict):
        return [f"{place}: {value!r} is no {name}"]
    known = {field["name"]: field for field in described.get("fields", [])}
    faults = [f"{place}.{key} is not in {name}" for key in value if key not in known]
    faults += [f"{place}.{key} is missing" for key, f in known.items() if f["required"] and key not in value]
    for key in set(value) & set(known):
        faults += faults_of(spec, known[key]["types"], value[key], f"{place}.{key}")
    return faults


async def test_the_bot_api_check_itself_notices_a_slip() -> None:
    spec = description("telegram-bot-api.min.json")
    good = {"file_id": "a", "file_unique_id": "b", "file_path": "c"}
    assert faults_of_call(spec, "getFile", {"file_id": "a"}, good) == []
    assert faults_of_call(spec, "getFile", {"file": "a"}, good) == [
        "getFile: unknown field file",
        "getFile: file_id is missing",
    ]
    assert faults_of_call(spec, "getFile", {"file_id": "a"}, good | {"file_size": "12"}) != []
    assert faults_of_call(spec, "getFile", {"file_id": "a"}, {"file_id": "a"}) != []


async def test_every_twilio_answer_follows_the_description(near: httpx.AsyncClient, world: World) -> None:
    spec = description("twilio-messages.openapi.json")
    schemas = spec["components"]["schemas"]
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
    form = {"To": THEIRS, "From": OURS, "Body": "您好", "StatusCallback": "http://127.0.0.1:9/x"}
    created = (await near.post(f"{path}.json", data=form)).json()
    await near.post(f"{path}.json", data=form | {"To": "+12025550188"})
    world.reply(THEIRS, "1")
    listed = (await near.get(f"{path}.json", params={"PageSize": 2})).json()
    page = spec["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]["responses"]["200"]
    assert set(listed) == set(page["content"]["application/json"]["schema"]["properties"])
    fetched = (await near.get(f"{path}/{created['sid']}.json")).json()
    for resource in [created, fetched, *listed["messages"]]:
        described = schemas["api.v2010.account.message"]["properties"]
        assert set(resource) == set(described)
        for name, value in resource.items():
            check_schema(schemas, described[name], value, name)


def check_schema(schemas: Json, schema: Json, value: Any, place: str) -> None:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if value is None:
        assert schema.get("nullable"), place
        return
    kinds = {"string": str, "integer": int, "object": dict}
    assert isinstance(value, kinds[schema["type"]]), place
    assert value in schema.get("enum", [value]), place
    assert not schema.get("pattern") or re.match(schema["pattern"], str(value)), place
