"""What does Telegram's Bot API answer, and what does each chat hold afterwards?"""

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from reminder.sandbox.bodies import Upload
from reminder.sandbox.pictures import size_of
from reminder.sandbox.stage import ControlError, Stage
from reminder.sandbox.telegram_chats import Chat, Held, Limits, check_pace
from reminder.sandbox.telegram_fields import Fields
from reminder.sandbox.telegram_text import (
    MAX_ANSWER,
    Json,
    Text,
    bad,
    checked_caption,
    checked_commands,
    checked_scope,
    checked_text,
    formatted,
    inline_rows,
    length,
    reply_rows,
)
from reminder.sandbox.telegram_updates import Updates

_DELETABLE = timedelta(hours=48)
_MAX_FILE, _MAX_PHOTO, _MAX_DOWNLOAD = 50_000_000, 10_000_000, 20_000_000
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
_STALE = "query is too old and response timeout expired or query ID is invalid"
_ACTIONS = frozenset({"typing", "upload_photo", "upload_document", "choose_sticker", "find_location"}) | {
    f"{verb}_{what}" for verb in ("record", "upload") for what in ("video", "voice", "video_note")
}
_EMOJI = frozenset("👍👎❤🔥🥰👏😁🤔🤯😱😢🎉🤩🙏👌👀💯🤝✍🫡🆒🤗")

_NO_GIFTS = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)

Method = Callable[[Fields], Awaitable[Any]]


class BotApi:
    """One bot, its chats, files and updates. Methods raise ApiError; the ledger gets what reaches a phone."""

    def __init__(self, stage: Stage, *, token: str, username: str, limits: Limits) -> None:
        self.stage = stage
        self.token = token
        self.limits = limits
        self.updates = Updates(stage)
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, Upload] = {}
        self.queries: dict[str, tuple[datetime, Chat]] = {}
        """Open callback queries: when pressed, and where."""
        self.commands: dict[str, list[Json]] = {}
        self._overall: deque[datetime] = deque()
        self.me: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": username.removesuffix("_bot").replace("_", " ").title(),
            "username": username,
        }
        self.methods: dict[str, Method] = {
            name.removeprefix("_api_"): getattr(self, name) for name in dir(self) if name.startswith("_api_")
        }

    # Who is there

    async def _api_getme(self, _fields: Fields) -> Json:
        return self.me | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def _api_getchat(self, fields: Fields) -> Json:
        chat = self._chat(fields)
        full: Json = chat.api() | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": _NO_GIFTS,
        }
        return full | ({"pinned_message": chat.messages[chat.pinned[-1]].api} if chat.pinned else {})

    # Updates

    async def _api_getupdates(self, fields: Fields) -> list[Json]:
        return await self.updates.get(
            offset=fields.integer("offset") or 0,
            limit=fields.integer("limit") or 100,
            seconds=min(fields.integer("timeout") or 0, 50),
            allowed=fields.value("allowed_updates"),
        )

    async def _api_setwebhook(self, fields: Fields) -> bool:
        self.updates.set_hook(fields.text("url") or "", fields.decoded())
        return True

    async def _api_deletewebhook(self, fields: Fields) -> bool:
        self.updates.set_hook("", fields.decoded())
        return True

    async def _api_getwebhookinfo(self, _fields: Fields) -> Json:
        return self.updates.hook_info()

    # Messages

    async def _api_sendmessage(self, fields: Fields) -> Json:
        chat = self._chat(fields)
        text = checked_text(self._formatted(fields, "text", "entities"))
        body: Json = {"text": text.text} | ({"entities": text.entities} if text.entities else {})
        preview = fields.value("link_preview_options")
        return self._sent(
            chat, fields, body | ({"link_preview_options": preview} if preview else {}), "message"
        )

    async def _api_senddocument(self, fields: Fields) -> Json:
        chat = self._chat(fields)
        file_id, upload = self._file(fields, "document", _MAX_FILE)
        document = self.file_facts(file_id, upload) | {"file_name": upload.name, "mime_type": upload.mime}
        return self._sent(chat, fields, {"document": document} | self._caption(fields), "document")

    async def _api_sendphoto(self, fields: Fields) -> Json:
        chat = self._chat(fields)
        file_id, upload = self._file(fields, "photo", _MAX_PHOTO)
        width, height = size_of(upload.content)
        photo = self.file_facts(file_id, upload) | {"width": width, "height": height}
        return self._sent(chat, fields, {"photo": [photo]} | self._caption(fields), "photo")

    async def _api_sendchataction(self, fields: Fields) -> bool:
        chat = self._chat(fields)
        if fields.text("action") not in _ACTIONS:
            raise bad("wrong parameter action in request")
        self.stage.feed.tell("action", lambda: {"phone": chat.phone, "action": fields.text("action")})
        return True

    async def _api_editmessagetext(self, fields: Fields) -> Json:
        chat, held, message_id = self._own(fields, "edit")
        if "text" not in held.api:
            raise bad("there is no text in the message to edit")
        text = checked_text(self._formatted(fields, "text", "entities"))
        changed: Json = {"text": text.text, "entities": text.entities or None}
        return self._edited(chat, held, message_id, changed | {"reply_markup": self._inline(fields)})

    async def _api_editmessagereplymarkup(self, fields: Fields) -> Json:
        chat, held, message_id = self._own(fields, "edit")
        return self._edited(chat, held, message_id, {"reply_markup": self._inline(fields)})

    async def _api_deletemessage(self, fields: Fields) -> bool:
        chat = self._chat(fields)
        message_id = fields.needed_integer("message_id")
        held = chat.held(message_id)
        if held is None:
            raise bad("message to delete not found")
        if self.stage.now().timestamp() - held.api["date"] > _DELETABLE.total_seconds():
            raise bad("message can't be deleted for everyone")
        held.gone = True
        if message_id in chat.pinned:
            chat.pinned.remove(message_id)
        self._write(chat, message_id, "delete")
        self.stage.feed.tell("gone", lambda: {"phone": chat.phone, "id": f"{chat.id}:{message_id}"})
        return True

    async def _api_pinchatmessage(self, fields: Fields) -> bool:
        chat = self._chat(fields)
        message_id = fields.needed_integer("message_id")
        if chat.held(message_id) is None:
            raise bad("message to pin not found")
        if message_id in chat.pinned:
            chat.pinned.remove(message_id)
        chat.pinned.append(message_id)
        self._write(chat, message_id, "pin", silent=fields.flag("disable_notification"))
        self.stage.feed.tell("bubble", lambda: chat.bubble(message_id))
        return True

    async def _api_unpinchatmessage(self, fields: Fields) -> bool:
        chat = self._chat(fields)
        message_id = fields.integer("message_id")
        if not chat.pinned or (message_id is not None and message_id not in chat.pinned):
            raise bad("message to unpin not found")
        last = chat.pinned[-1] if message_id is None else message_id
        chat.pinned.remove(last)
        self._write(chat, last, "unpin")
        self.stage.feed.tell("bubble", lambda: chat.bubble(last))
        return True

    async def _api_setmessagereaction(self, fields: Fields) -> bool:
        chat = self._chat(fields)
        message_id = fields.needed_integer("message_id")
        held = chat.held(message_id)
        if held is None:
            raise bad("message to react not found")
        reactions = fields.value("reaction") or []
        if len(reactions) > 1 or any(
            r.get("type") != "emoji" or r.get("emoji") not in _EMOJI for r in reactions
        ):
            raise bad("REACTION_INVALID")
        held.reaction = reactions[0]["emoji"] if reactions else ""
        self._write(chat, message_id, "reaction", text=held.reaction)
        self.stage.feed.tell("bubble", lambda: chat.bubble(message_id))
        return True

    # Buttons and menus

    async def _api_answercallbackquery(self, fields: Fields) -> bool:
        query = self.queries.get(fields.text("callback_query_id") or "")
        if not query or self.stage.now() - query[0] > timedelta(seconds=self.limits.query_seconds):
            raise bad(_STALE)
        chat = query[1]
        text = fields.text("text") or ""
        if length(text) > MAX_ANSWER:
            raise bad("MESSAGE_TOO_LONG")
        if text:
            row = {"id": fields.text("callback_query_id"), "alert": fields.flag("show_alert")}
            self._row(chat, "answer", {"text": text, **row})
            self.stage.feed.tell("toast", lambda: {"phone": chat.phone, "text": text, "alert": row["alert"]})
        return True

    async def _api_setmycommands(self, fields: Fields) -> bool:
        commands = checked_commands(fields.value("commands"))
        self.commands[self._scope_key(fields)] = commands
        self.stage.feed.tell("commands", lambda: self.commands)
        return True

    async def _api_getmycommands(self, fields: Fields) -> list[Json]:
        return self.commands.get(self._scope_key(fields), [])

    async def _api_deletemycommands(self, fields: Fields) -> bool:
        self.commands.pop(self._scope_key(fields), None)
        self.stage.feed.tell("commands", lambda: self.commands)
        return True

    async def _api_setchatmenubutton(self, fields: Fields) -> bool:
        if fields.integer("chat_id") is not None:
            self._chat(fields)
        button = fields.value("menu_button") or {"type": "default"}
        if not isinstance(button, dict) or button.get("type") not in ("commands", "web_app", "default"):
            raise bad("can't parse menu button")
        return True

    # Files

    async def _api_getfile(self, fields: Fields) -> Json:
        file_id = fields.text("file_id") or ""
        upload = self.files.get(file_id)
        if upload is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        if len(upload.content) > _MAX_DOWNLOAD:
            raise bad("file is too big")
        suffix = upload.name.rpartition(".")[2] if "." in upload.name else "bin"
        return self.file_facts(file_id, upload) | {"file_path": f"documents/{file_id}.{suffix}"}

    # What the methods share

    def keep_file(self, upload: Upload) -> str:
        file_id = "BQACAgQAA" + self.stage.ids.hex32("file")
        self.files[file_id] = upload
        return file_id

    def file_facts(self, file_id: str, upload: Upload) -> Json:
        return {
            "file_id": file_id,
            "file_unique_id": "AgAD" + self.stage.ids.digest(file_id)[:12],
            "file_size": len(upload.content),
        }

    def seconds(self, at: str) -> int:
        return int(datetime.fromisoformat(at).timestamp())

    def chat(self, chat_id: int) -> Chat:
        """A registered chat, for the driver; raises ControlError."""
        if chat_id not in self.chats:
            raise ControlError(f"no Telegram phone {chat_id} is registered")
        return self.chats[chat_id]

    def _chat(self, fields: Fields) -> Chat:
        raw = fields.text("chat_id")
        if not raw:
            raise bad("chat_id is empty")
        found = self.chats.get(int(raw)) if raw.lstrip("-").isdigit() else None
        if found is None:
            raise bad("chat not found")
        found.check_reachable()
        return found

    def _own(self, fields: Fields, verb: str) -> tuple[Chat, Held, int]:
        chat = self._chat(fields)
        message_id = fields.needed_integer("message_id")
        held = chat.held(message_id)
        if held is None:
            raise bad(f"message to {verb} not found")
        if not held.api["from"]["is_bot"]:
            raise bad(f"message can't be {verb}ed")
        return chat, held, message_id

    def _formatted(self, fields: Fields, name: str, entities: str) -> Text:
        return formatted(fields.text(name) or "", fields.text("parse_mode"), fields.value(entities))

    def _caption(self, fields: Fields) -> Json:
        caption = checked_caption(self._formatted(fields, "caption", "caption_entities"))
        if not caption.text:
            return {}
        return {"caption": caption.text} | (
            {"caption_entities": caption.entities} if caption.entities else {}
        )

    def _file(self, fields: Fields, name: str, limit: int) -> tuple[str, Upload]:
        given = fields.upload(name)
        if isinstance(given, Upload):
            if not given.content:
                raise bad("file must be non-empty")
            if len(given.content) > limit:
                raise bad("file is too big")
            return self.keep_file(given), given
        if given not in self.files:
            raise bad("wrong file identifier/HTTP URL specified")
        return given, self.files[given]

    def _inline(self, fields: Fields) -> Json | None:
        markup = fields.value("reply_markup")
        rows = inline_rows(markup) if markup else None
        return {"inline_keyboard": rows} if rows else None

    def _markup(self, chat: Chat, fields: Fields) -> Json:
        """Of the four kinds only an inline keyboard comes back in the message."""
        markup = fields.value("reply_markup")
        if markup and ("keyboard" in markup or markup.get("remove_keyboard")):
            chat.keyboard = reply_rows(markup) if "keyboard" in markup else None
            self.stage.feed.tell("phone", chat.card)
        elif markup and "force_reply" not in markup:
            inline = self._inline(fields)
            return {"reply_markup": inline} if inline else {}
        return {}

    def _sent(self, chat: Chat, fields: Fields, body: Json, kind: str) -> Json:
        reply = fields.value("reply_parameters")
        target = chat.held(reply.get("message_id")) if reply else None
        if reply and target is None and not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        if fields.value("reply_markup") and "inline_keyboard" in fields.value("reply_markup"):
            self._inline(fields)
        check_pace(chat, self._overall, self.limits, self.stage.now())
        markup = self._markup(chat, fields)
        quoted = {"reply_to_message": _without_quote(target.api)} if target else {}
        silent = fields.flag("disable_notification")
        api = self.put(chat, self.me, body | quoted | markup, silent=silent)
        self._write(chat, api["message_id"], kind, silent=silent)
        return api

    def put(self, chat: Chat, sender: Json, body: Json, *, silent: bool = False) -> Json:
        """Add a message to a chat and show it; the ledger is the caller's business."""
        chat.last_message_id += 1
        api: Json = {
            "message_id": chat.last_message_id,
            "from": sender,
            "chat": chat.api(),
            "date": int(self.stage.now().timestamp()),
        } | body
        chat.messages[chat.last_message_id] = Held(api=api, silent=silent)
        self.stage.feed.tell("bubble", lambda: chat.bubble(chat.last_message_id))
        return api

    def _edited(self, chat: Chat, held: Held, message_id: int, changed: Json) -> Json:
        new = {k: v for k, v in (held.api | changed).items() if v is not None}
        if {k: v for k, v in new.items() if k != "edit_date"} == {
            k: v for k, v in held.api.items() if k != "edit_date"
        }:
            raise bad(_NOT_MODIFIED)
        held.api = new | {"edit_date": int(self.stage.now().timestamp())}
        self._write(chat, message_id, "edit")
        self.stage.feed.tell("bubble", lambda: chat.bubble(message_id))
        return held.api

    def _write(self, chat: Chat, message_id: int, kind: str, **more: Any) -> None:
        bubble = chat.bubble(message_id)
        facts = {"id": bubble["id"], "text": bubble["text"], "buttons": bubble["buttons"]}
        file = bubble["file"] or bubble["photo"]
        if file:
            facts["file"] = file.get("file_name") or file["file_id"]
        self._row(chat, kind, facts | more)

    def _row(self, chat: Chat, kind: str, facts: Json) -> None:
        to = str(chat.id)
        self.stage.ledger.add(
            {"at": self.stage.at(), "by": "office", "channel": "telegram", "to": to, "type": kind, **facts}
        )

    def _scope_key(self, fields: Fields) -> str:
        scope = checked_scope(fields.value("scope"))
        return f"{scope['type']}:{scope.get('chat_id', '')}:{fields.text('language_code') or ''}"


def _without_quote(api: Json) -> Json:
    return {k: v for k, v in api.items() if k != "reply_to_message"}
