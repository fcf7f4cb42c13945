"""Which updates wait for the bot, and how does it get them: by asking, or at its webhook?"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession

from reminder.sandbox.courier import is_loopback
from reminder.sandbox.feed import Bell
from reminder.sandbox.ledger import Row
from reminder.sandbox.stage import Stage
from reminder.sandbox.telegram_text import ApiError, Json, bad

_NEVER_UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_KEPT = timedelta(hours=24)
"""Bot API: updates are stored until the bot receives them, but not longer than 24 hours."""
_FIRST_UPDATE = 700_000_000
_CONFLICT = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)


class Updates:
    """The queue of one bot; an update leaves it when a later offset or a 2xx webhook answer confirms it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._waiting: list[tuple[datetime, Json]] = []
        self._arrived = Bell()
        self._poller = 0
        self._allowed: list[str] = []
        self._hook: Json = {"url": ""}
        self._is_errand_owed = False

    def add(self, kind: str, content: Json, row: Row) -> Json:
        """Number the update, write its row into the ledger, and let it wait if the bot asked for its kind."""
        update = {"update_id": _FIRST_UPDATE + self._stage.ids.number("update"), kind: content}
        self._stage.ledger.add({**row, "by": "phone", "id": f"update:{update['update_id']}"})
        if kind in self._allowed or (not self._allowed and kind not in _NEVER_UNASKED):
            self._waiting.append((self._stage.now(), update))
            self._arrived.ring()
            self._owe()
        return update

    def unconfirmed(self) -> int:
        return len(self._waiting)

    async def get(self, *, offset: int, limit: int, seconds: int, allowed: list[str] | None) -> list[Json]:
        """Long poll; `seconds` are real. A newer poll ends an older one with 409, as Telegram does."""
        if self._hook["url"]:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete"
                " the webhook first",
            )
        if allowed is not None:
            self._allowed = allowed
        self._poller += 1
        me = self._poller
        self._arrived.ring()
        self._confirm(offset)
        if not self._waiting and seconds > 0:
            await self._arrived.wait(seconds)
        if me != self._poller:
            raise ApiError(409, _CONFLICT)
        return [update for _, update in self._waiting[: limit if 1 <= limit <= 100 else 100]]

    def _confirm(self, offset: int) -> None:
        oldest = self._stage.now() - _KEPT
        before = len(self._waiting)
        self._waiting = [pair for pair in self._waiting if pair[0] >= oldest]
        if offset < 0:
            self._waiting = self._waiting[offset:]
        else:
            self._waiting = [pair for pair in self._waiting if pair[1]["update_id"] >= offset]
        if len(self._waiting) != before:
            self._stage.changed.ring()

    def release(self) -> None:
        """End every long poll now, with what there is."""
        self._arrived.ring()

    def set_hook(self, url: str, given: Mapping[str, Any]) -> None:
        """Bot API setWebhook: HTTPS, except for this machine, as a local Bot API server allows."""
        parts = urlsplit(url)
        if url and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        secret = str(given.get("secret_token") or "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
            raise bad("secret token contains unallowed characters")
        if given.get("drop_pending_updates"):
            self._waiting.clear()
            self._stage.changed.ring()
        if given.get("allowed_updates") is not None:
            self._allowed = list(given["allowed_updates"])
        self._hook = {"url": url, "secret": secret, "max_connections": given.get("max_connections") or 40}
        self._poller += 1
        self._arrived.ring()
        self._owe()

    def hook_info(self) -> Json:
        info: Json = {
            "url": self._hook["url"],
            "has_custom_certificate": False,
            "pending_update_count": len(self._waiting),
        }
        if self._hook["url"]:
            info["max_connections"] = self._hook["max_connections"]
        for name in ("last_error_date", "last_error_message"):
            if name in self._hook:
                info[name] = self._hook[name]
        if self._allowed:
            info["allowed_updates"] = self._allowed
        return info

    def _owe(self, wait: timedelta = timedelta(0)) -> None:
        if self._hook["url"] and self._waiting and not self._is_errand_owed:
            self._is_errand_owed = True
            self._stage.courier.owe(self._deliver, self._stage.now() + wait)

    async def _deliver(self, session: ClientSession) -> None:
        """Post updates in order; after three refusals in a row try again a minute (of our clock) later."""
        self._is_errand_owed = False
        headers = {"Content-Type": "application/json"}
        if self._hook.get("secret"):
            headers["X-Telegram-Bot-Api-Secret-Token"] = self._hook["secret"]
        while self._waiting and self._hook["url"]:
            pair = self._waiting[0]
            courier = self._stage.courier
            done = await courier.post(session, self._hook["url"], retries=2, headers=headers, json=pair[1])
            if done is None:
                note = courier.attempts[-1]
                self._hook["last_error_date"] = int(self._stage.now().timestamp())
                self._hook["last_error_message"] = str(
                    note.get("error") or f"Wrong response: {note['status']}"
                )
                self._owe(timedelta(minutes=1))
                return
            if pair in self._waiting:
                self._waiting.remove(pair)
            self._stage.changed.ring()
