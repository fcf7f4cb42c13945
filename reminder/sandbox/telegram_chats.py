"""What is in one Telegram chat, and what does its phone show?"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reminder.sandbox.telegram_text import ApiError, Json


@dataclass(slots=True, kw_only=True)
class Held:
    """A message as the Bot API tells it, and what it never tells."""

    api: Json
    silent: bool = False
    reaction: str = ""
    gone: bool = False


@dataclass(slots=True, kw_only=True)
class Chat:
    """A private chat with a registered phone, or a group (negative id)."""

    id: int
    name: str
    lang: str
    label: str
    username: str | None
    number: str | None
    started: bool
    barred: str = ""
    """Empty, or the words of the 403 that every call about this chat gets."""
    last_message_id: int = 0
    messages: dict[int, Held] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    keyboard: list[list[Json]] | None = None
    """The keyboard shown instead of letters, until removed."""
    sent_at: deque[datetime] = field(default_factory=deque)

    @property
    def phone(self) -> str:
        return f"telegram:{self.id}"

    def user(self) -> Json:
        person: Json = {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": self.lang}
        return person | ({"username": self.username} if self.username else {})

    def api(self) -> Json:
        if self.id < 0:
            return {"id": self.id, "type": "supergroup", "title": self.name}
        named = {"id": self.id, "type": "private", "first_name": self.name}
        return named | ({"username": self.username} if self.username else {})

    def held(self, message_id: int | None) -> Held | None:
        message = self.messages.get(message_id) if message_id is not None else None
        return None if message is None or message.gone else message

    def check_reachable(self) -> None:
        if not self.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        if self.barred:
            raise ApiError(403, self.barred)

    def card(self) -> Json:
        """What the page and /sim/phones show of the owner."""
        return {
            "phone": self.phone,
            "channel": "telegram",
            "user": self.id,
            "name": self.name,
            "lang": self.lang,
            "label": self.label,
            "started": self.started,
            "blocked": bool(self.barred),
            "keyboard": self.keyboard,
        }

    def bubble(self, message_id: int) -> Json:
        """One message as the page draws it; times are ISO, UTC."""
        held = self.messages[message_id]
        api = held.api
        rows = (api.get("reply_markup") or {}).get("inline_keyboard") or []
        return {
            "phone": self.phone,
            "id": f"{self.id}:{message_id}",
            "message_id": message_id,
            "by": "office" if api["from"]["is_bot"] else "phone",
            "at": _iso(api["date"]),
            "text": api.get("text") or api.get("caption") or api.get("contact", {}).get("phone_number", ""),
            "entities": api.get("entities") or api.get("caption_entities") or [],
            "buttons": rows,
            "edited": _iso(api["edit_date"]) if "edit_date" in api else None,
            "pinned": message_id in self.pinned,
            "silent": held.silent,
            "reaction": held.reaction,
            "file": api.get("document"),
            "photo": api["photo"][-1] if "photo" in api else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Telegram's limits in the sandbox's own time; 0 switches one off."""

    per_chat_seconds: float = 1.0
    """Bots FAQ: not more than one message per second in one chat."""
    overall_per_second: int = 30
    group_per_minute: int = 20
    query_seconds: int = 300
    """How long a pressed button may wait for its answer. Telegram publishes no number."""

    @classmethod
    def off(cls) -> "Limits":
        return cls(per_chat_seconds=0, overall_per_second=0, group_per_minute=0)


def check_pace(chat: Chat, overall: deque[datetime], limits: Limits, now: datetime) -> None:
    """Raise 429 if a message now would be too many; otherwise count it."""
    waits = [
        _wait(chat.sent_at, 1, limits.per_chat_seconds, now),
        _wait(overall, limits.overall_per_second, 1, now),
    ]
    if chat.id < 0:
        waits.append(_wait(chat.sent_at, limits.group_per_minute, 60, now))
    longest = max(waits)
    if longest > 0:
        seconds = max(1, -int(-longest // 1))
        raise ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
    for times in (chat.sent_at, overall):
        times.append(now)
        while times[0] < now - timedelta(minutes=1):
            times.popleft()


def _wait(times: "deque[datetime]", count: int, seconds: float, now: datetime) -> float:
    if not count or not seconds or len(times) < count:
        return 0
    return min(seconds, seconds - (now - times[-count]).total_seconds())


def _iso(timestamp: Any) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")
