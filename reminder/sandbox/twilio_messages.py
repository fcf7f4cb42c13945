"""What is one text message, as Twilio's API tells it and as the page draws it?"""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from reminder.sandbox.segments import measure
from reminder.sandbox.twilio_errors import DELIVERY_WORDS

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class SmsPhone:
    number: str
    name: str
    lang: str
    label: str
    landline: bool

    @property
    def phone(self) -> str:
        return f"sms:{self.number}"

    def card(self) -> Json:
        return {
            "phone": self.phone,
            "channel": "sms",
            "number": self.number,
            "name": self.name,
            "lang": self.lang,
            "label": self.label,
            "landline": self.landline,
        }


@dataclass(slots=True, kw_only=True)
class Sms:
    """One Message resource."""

    sid: str
    to: str
    sender: str
    body: str
    direction: str
    status: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    error: int | None = None
    callback: str | None = None
    steps: list[tuple[str, int | None]] = field(default_factory=list)

    @property
    def phone(self) -> str:
        """The phone that shows it, on either end."""
        return f"sms:{self.sender if self.direction == 'inbound' else self.to}"

    def resource(self, account_sid: str) -> Json:
        """As the Messages API tells it; times are RFC 2822, GMT."""
        path = f"/2010-04-01/Accounts/{account_sid}/Messages/{self.sid}"
        return {
            "account_sid": account_sid,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": format_datetime(self.created_at),
            "date_sent": format_datetime(self.sent_at) if self.sent_at else None,
            "date_updated": format_datetime(self.updated_at),
            "direction": self.direction,
            "error_code": self.error,
            "error_message": DELIVERY_WORDS.get(self.error) if self.error else None,
            "from": self.sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": str(measure(self.body).segments),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": self.to,
            "uri": f"{path}.json",
        }

    def bubble(self) -> Json:
        """As the page draws it; times are ISO, UTC."""
        size = measure(self.body)
        return {
            "phone": self.phone,
            "id": self.sid,
            "by": "phone" if self.direction == "inbound" else "office",
            "from": self.sender,
            "at": self.created_at.isoformat().replace("+00:00", "Z"),
            "text": self.body,
            "status": self.status,
            "error": self.error,
            "encoding": size.encoding,
            "units": size.units,
            "segments": size.segments,
            "forced_by": size.forced_by,
        }
