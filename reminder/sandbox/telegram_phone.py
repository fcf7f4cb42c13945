"""What can the owner of a Telegram phone do, and which update does the bot hear of it?"""

from collections.abc import Mapping
from typing import Any

from reminder.sandbox.bodies import Upload
from reminder.sandbox.ledger import Row
from reminder.sandbox.stage import ControlError
from reminder.sandbox.telegram import BotApi
from reminder.sandbox.telegram_chats import Chat, Held
from reminder.sandbox.telegram_text import Json, commands_in

_BARS = {
    "blocked": "Forbidden: bot was blocked by the user",
    "deactivated": "Forbidden: user is deactivated",
    "kicked": "Forbidden: bot was kicked from the supergroup chat",
}


def register(bot: BotApi, facts: Mapping[str, Any]) -> Chat:
    """Add or rename a phone; what an earlier run's ledger holds of its chat comes back."""
    chat_id = int(facts["id"])
    known = bot.chats.get(chat_id)
    chat = Chat(
        id=chat_id,
        name=str(facts.get("name") or chat_id),
        lang=str(facts.get("lang") or "en"),
        label=str(facts.get("label") or ""),
        username=facts.get("username"),
        number=facts.get("number"),
        started=bool(facts.get("started")) or chat_id < 0,
    )
    if known:
        known.name, known.lang, known.label = chat.name, chat.lang, chat.label
        known.started = known.started or chat.started
        chat = known
    else:
        bot.chats[chat_id] = chat
        _recall(bot, chat)
    bot.stage.feed.tell("phone", chat.card)
    return chat


def write(bot: BotApi, user: int, text: str, *, chat: int | None = None) -> Json:
    """Type and send; `/start` also presses the Start button, and a deep link is `/start <code>`."""
    where = bot.chat(chat or user)
    if text.split(maxsplit=1)[:1] == ["/start"]:
        if not where.started:
            where.started = True
            bot.stage.feed.tell("phone", where.card)
        if where.barred:
            bar(bot, user, on=False)
    _check_open(where)
    entities = commands_in(text)
    return _say(bot, user, where, {"text": text} | ({"entities": entities} if entities else {}), "write")


def send_file(bot: BotApi, user: int, upload: Upload, *, caption: str = "") -> Json:
    where = bot.chat(user)
    _check_open(where)
    file_id = bot.keep_file(upload)
    document = bot.file_facts(file_id, upload) | {"file_name": upload.name, "mime_type": upload.mime}
    return _say(bot, user, where, {"document": document} | ({"caption": caption} if caption else {}), "file")


def share_contact(bot: BotApi, user: int) -> Json:
    """Press the button that shares the owner's own number."""
    where = bot.chat(user)
    _check_open(where)
    contact = {"phone_number": where.number or "", "first_name": where.name, "user_id": where.id}
    return _say(bot, user, where, {"contact": contact}, "contact")


def press(
    bot: BotApi, user: int, message_id: int, button: str, *, chat: int | None = None, anyway: bool = False
) -> Json:
    """Tap an inline button, by data or label; `anyway` taps one that has since been edited away."""
    where = bot.chat(chat or user)
    _check_open(where)
    held = where.held(message_id)
    if held is None:
        raise ControlError(f"there is no message {message_id} on this phone")
    data = _data_of(held, button) or (button if anyway else None)
    if data is None:
        raise ControlError(f"message {message_id} has no button {button!r}")
    query_id = str(int(bot.stage.ids.hex32("query")[:15], 16))
    query = {
        "id": query_id,
        "from": bot.chat(user).user(),
        "message": held.api,
        "chat_instance": str(int(bot.stage.ids.digest(f"chat:{where.id}")[:15], 16)),
        "data": data,
    }
    bot.queries[query_id] = (bot.stage.now(), where)
    facts = {"message": f"{where.id}:{message_id}", "text": button, "data": data}
    return bot.updates.add("callback_query", query, _row(bot, where, "press", facts))


def press_key(bot: BotApi, user: int, label: str) -> Json:
    """Tap a key of the keyboard shown instead of letters: it sends its label, or shares the contact."""
    where = bot.chat(user)
    keys = [key for row in where.keyboard or [] for key in row if key["text"] == label]
    if not keys:
        raise ControlError(f"the keyboard has no key {label!r}")
    return share_contact(bot, user) if keys[0].get("request_contact") else write(bot, user, label)


def bar(bot: BotApi, user: int, *, on: bool = True, why: str = "blocked") -> Json:
    """Block or unblock the bot (the bot hears of it); `deactivated` and `kicked` come without news."""
    if why not in _BARS:
        raise ControlError(f"why must be one of {', '.join(_BARS)}")
    where = bot.chat(user)
    was = bool(where.barred)
    where.barred = _BARS[why] if on else ""
    bot.stage.feed.tell("phone", where.card)
    if why != "blocked" or was == on:
        return {}
    states: list[Json] = [
        {"status": "member", "user": bot.me},
        {"status": "kicked", "user": bot.me, "until_date": 0},
    ]
    old, new = states if on else states[::-1]
    change = {
        "chat": where.api(),
        "from": where.user(),
        "date": int(bot.stage.now().timestamp()),
        "old_chat_member": old,
        "new_chat_member": new,
    }
    return bot.updates.add("my_chat_member", change, _row(bot, where, "block" if on else "unblock", {}))


def _say(bot: BotApi, user: int, where: Chat, body: Json, kind: str) -> Json:
    api = bot.put(where, bot.chat(user).user(), body)
    said = body.get("text") or body.get("caption") or ""
    facts = {"message": f"{where.id}:{api['message_id']}", "text": said}
    return bot.updates.add("message", api, _row(bot, where, kind, facts))


def _row(bot: BotApi, where: Chat, kind: str, facts: Json) -> Row:
    return {"at": bot.stage.at(), "channel": "telegram", "to": str(where.id), "type": kind, **facts}


def _check_open(where: Chat) -> None:
    if not where.started:
        raise ControlError(f"{where.name} has not pressed Start yet")
    if where.barred:
        raise ControlError(f"{where.name} has blocked the bot")


def _data_of(held: Held, button: str) -> str | None:
    rows = (held.api.get("reply_markup") or {}).get("inline_keyboard") or []
    for key in (key for row in rows for key in row if "callback_data" in key):
        if button in (key["callback_data"], key["text"]):
            return str(key["callback_data"])
    return None


def _recall(bot: BotApi, chat: Chat) -> None:
    """Messages of an earlier run, so that their ids are never given twice and their buttons still work."""
    for row in bot.stage.ledger.earlier:
        reference = str(row.get("message") or row["id"])
        if (
            row["channel"] != "telegram"
            or row["to"] != str(chat.id)
            or not reference.startswith(f"{chat.id}:")
        ):
            continue
        message_id = int(reference.rpartition(":")[2])
        chat.started = True
        chat.last_message_id = max(chat.last_message_id, message_id)
        _replay(bot, chat, message_id, row)


def _replay(bot: BotApi, chat: Chat, message_id: int, row: Row) -> None:
    match row["type"]:
        case "delete":
            chat.messages.pop(message_id, None)
        case "pin" if message_id in chat.messages:
            chat.pinned.append(message_id)
        case "unpin" if message_id in chat.pinned:
            chat.pinned.remove(message_id)
        case "message" | "edit" | "write" | "document" | "photo" | "file":
            date = (
                chat.messages[message_id].api["date"]
                if message_id in chat.messages
                else bot.seconds(row["at"])
            )
            api: Json = {
                "message_id": message_id,
                "from": chat.user() if row["by"] == "phone" else bot.me,
                "chat": chat.api(),
                "date": date,
                "text": row["text"] or row.get("file", ""),
            }
            if row.get("buttons"):
                api["reply_markup"] = {"inline_keyboard": row["buttons"]}
            chat.messages[message_id] = Held(api=api, silent=bool(row.get("silent")))
