"""What would Telegram refuse in a text, a keyboard or a command, and in which words?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

MAX_TEXT, MAX_CAPTION, MAX_ANSWER = 4096, 1024, 200
"""UTF-16 units after entities are parsed; Bot API, sendMessage, sendDocument, answerCallbackQuery."""
MAX_DATA_BYTES, MAX_BUTTONS = 64, 100

_TOKEN = re.compile(r"<(/?)([a-zA-Z0-9-]*)([^<>]*)>|&(#x?[0-9a-fA-F]+|lt|gt|amp|quot);|<")
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(?:\s*=\s*"([^"]*)"|\s*=\s*'([^']*)'|\s*=\s*([^\s"'>]+))?""")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_TAGS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("tg-spoiler", "span"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w+)?(?!\w)")
_ACTIONS = frozenset(
    {
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    }
)
_STYLES = frozenset({"danger", "success", "primary"})
_SCOPES = frozenset({"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}) | {
    "chat",
    "chat_administrators",
    "chat_member",
}


class ApiError(Exception):
    """What the Bot API answers instead of a result."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad(what: str) -> ApiError:
    return ApiError(400, f"Bad Request: {what}")


def length(text: str) -> int:
    """UTF-16 units, Telegram's unit for lengths and offsets."""
    return len(text.encode("utf-16-le")) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    text: str
    entities: list[Json]


def formatted(raw: str, mode: str | None, entities: list[Json] | None) -> Text:
    """Parse and trim as Telegram does. Markdown is not read here and says so, rather than be misread."""
    if not mode:
        return _trimmed(raw, list(entities or []))
    if mode.lower() != "html":
        raise bad("unsupported parse_mode (this sandbox reads HTML and entities only)")
    return _trimmed(*_parse_html(raw))


def checked_text(text: Text) -> Text:
    if not text.text:
        raise bad("message text is empty")
    if length(text.text) > MAX_TEXT:
        raise bad("message is too long")
    return text


def checked_caption(text: Text) -> Text:
    if length(text.text) > MAX_CAPTION:
        raise bad("message caption is too long")
    return text


def commands_in(text: str) -> list[Json]:
    """The `bot_command` entities a client's text carries."""
    return [
        {"type": "bot_command", "offset": length(text[: hit.start()]), "length": length(hit[0])}
        for hit in _COMMAND.finditer(text)
    ]


def _trimmed(text: str, entities: list[Json]) -> Text:
    lead = length(text) - length(text.lstrip())
    kept = text.strip()
    room = length(kept)
    moved = []
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] + entity["length"] - lead, room)
        if end > start:
            moved.append({**entity, "offset": start, "length": end - start})
    return Text(text=kept, entities=sorted(moved, key=lambda e: (e["offset"], -e["length"])))


def _parse_html(raw: str) -> tuple[str, list[Json]]:
    out: list[str] = []
    entities: list[Json] = []
    open_tags: list[tuple[str, int, str]] = []
    at, units = 0, 0
    for token in _TOKEN.finditer(raw):
        piece = raw[at : token.start()]
        at = token.end()
        out.append(piece)
        units += length(piece)
        byte = len(raw[: token.start()].encode())
        if token[4] is not None:
            character = _character(token[4])
            out.append(character)
            units += length(character)
        elif token[1] is None:
            raise bad(f'can\'t parse entities: Unsupported start tag "" at byte offset {byte}')
        elif token[1]:
            entities += _closed(open_tags, token[2].lower(), units, byte)
        else:
            open_tags.append(_opened(token[2].lower(), token[3], units, byte))
    if open_tags:
        raise bad(
            f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1][0]}\""
        )
    out.append(raw[at:])
    return "".join(out), entities


def _opened(tag: str, attributes: str, units: int, byte: int) -> tuple[str, int, str]:
    if tag not in _TAGS or (tag == "span" and "tg-spoiler" not in attributes):
        raise bad(f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {byte}')
    return tag, units, attributes


def _closed(open_tags: list[tuple[str, int, str]], tag: str, units: int, byte: int) -> list[Json]:
    if not open_tags:
        raise bad(f"can't parse entities: Unexpected end tag at byte offset {byte}")
    opened, start, attributes = open_tags.pop()
    if tag not in ("", opened):
        raise bad(
            f"can't parse entities: Unmatched end tag at byte offset {byte}, "
            f'expected "</{opened}>", found "</{tag}>"'
        )
    entity: Json = {"type": _TAGS[opened], "offset": start, "length": units - start}
    given = {k.lower(): a or b or c for k, a, b, c in _ATTRIBUTE.findall(attributes)}
    if opened == "a":
        if not given.get("href"):
            return []
        entity["url"] = given["href"]
    elif opened == "tg-time":
        entity |= {"unix_time": int(given.get("unix", "0"))}
        if given.get("format"):
            entity["date_time_format"] = given["format"]
    elif opened == "tg-emoji":
        entity["custom_emoji_id"] = given.get("emoji-id", "")
    return [entity] if units > start else []


def _character(reference: str) -> str:
    if not reference.startswith("#"):
        return _NAMED[reference]
    digits = reference[1:]
    code = int(digits[1:], 16) if digits[:1] in "xX" else int(digits)
    if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        raise bad("can't parse entities: unsupported character reference")
    return chr(code)


def inline_rows(markup: Any) -> list[list[Json]] | None:
    """The checked rows of an inline keyboard, None for an empty one."""
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad('object expected as reply markup with "inline_keyboard" as an Array of Array')
    kept = [[_checked_button(button) for button in row] for row in rows if row]
    if sum(map(len, kept)) > MAX_BUTTONS:
        raise bad("reply markup is too long")
    return kept or None


def _checked_button(button: Any) -> Json:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    actions = _ACTIONS & set(button)
    if not actions:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad("can't parse inline keyboard button: exactly one of the optional fields must be used")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= MAX_DATA_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button and urlsplit(str(button["url"])).scheme not in ("http", "https", "tg"):
        raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Unsupported URL protocol")
    if button.get("style", "primary") not in _STYLES:
        raise bad("BUTTON_STYLE_INVALID")
    return button


def reply_rows(markup: Mapping[str, Any]) -> list[list[Json]]:
    """Rows of a keyboard shown instead of letters; plain strings become buttons."""
    rows = markup.get("keyboard")
    if not isinstance(rows, list) or not rows:
        raise bad("object expected as reply markup")
    return [[b if isinstance(b, dict) else {"text": str(b)} for b in row] for row in rows]


def checked_commands(commands: Any) -> list[Json]:
    if not isinstance(commands, list) or len(commands) > 100:
        raise bad("can't parse commands: expected an Array of BotCommand, 100 at most")
    for item in commands:
        if not isinstance(item, dict) or not re.fullmatch(r"[a-z0-9_]{1,32}", str(item.get("command", ""))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= length(str(item.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


def checked_scope(scope: Any) -> Json:
    kept: Json = scope or {"type": "default"}
    if not isinstance(kept, dict) or kept.get("type") not in _SCOPES:
        raise bad("can't parse BotCommandScope: unsupported type specified")
    if kept["type"].startswith("chat") and "chat_id" not in kept:
        raise bad("can't parse BotCommandScope: chat not found")
    return kept
