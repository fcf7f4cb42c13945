"""What does one field of a Bot API request say, given that forms carry everything as text?"""

import json
from typing import Any

from reminder.sandbox.bodies import Upload
from reminder.sandbox.telegram_text import bad


class Fields:
    """The parameters of one call; complex ones may come as JSON text, as the Bot API allows."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw

    def text(self, name: str) -> str | None:
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, Upload):
            return value.content.decode(errors="replace")
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str) -> int | None:
        raw = self.text(name)
        if raw is None or raw == "":
            return None
        try:
            return int(raw)
        except ValueError:
            raise bad(f'can\'t parse field "{name}": an Integer is expected') from None

    def needed_integer(self, name: str) -> int:
        value = self.integer(name)
        if value is None:
            raise bad("message identifier is not specified" if name == "message_id" else f"{name} is empty")
        return value

    def flag(self, name: str) -> bool:
        return (self.text(name) or "").lower() in ("true", "1", "yes")

    def value(self, name: str) -> Any:
        raw = self._raw.get(name)
        if not isinstance(raw, str):
            return raw
        if not raw:
            return None
        try:
            return json.loads(raw)
        except ValueError:
            raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def decoded(self) -> dict[str, Any]:
        """Flags and lists of a call that passes them on together."""
        names = ("secret_token", "max_connections")
        kept: dict[str, Any] = {name: self.text(name) for name in names if name in self._raw}
        if "max_connections" in kept:
            kept["max_connections"] = self.integer("max_connections")
        return kept | {
            "drop_pending_updates": self.flag("drop_pending_updates"),
            "allowed_updates": self.value("allowed_updates"),
        }

    def upload(self, name: str) -> Upload | str:
        """A file in the request itself, `attach://` another part of it, or the id of one already there."""
        given = self._raw.get(name)
        if isinstance(given, str) and given.startswith("attach://"):
            given = self._raw.get(given.removeprefix("attach://"))
        if not given:
            raise bad(f"there is no {name} in the request")
        return given if isinstance(given, Upload) else str(given)
