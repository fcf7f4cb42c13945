"""What does Twilio say when it refuses? One row per code of its error dictionary: HTTP status, words."""

from typing import Any

_WORDS: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter: {0}"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource {0} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "Invalid 'To' Phone Number: {0}"),
    21408: (
        403,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {0}",
    ),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        "The From phone number {0} is not a valid, SMS-capable inbound phone number or short code for your "
        "account.",
    ),
    21609: (400, "The 'StatusCallback' URL {0} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21701: (400, "The Messaging Service does not exist."),
}
DELIVERY_WORDS = {
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}


class TwilioError(Exception):
    """A refusal; `body` is the JSON Twilio sends with it."""

    def __init__(self, code: int, *values: str, status: int | None = None, words: str | None = None) -> None:
        known_status, known_words = _WORDS.get(code, (400, "Error {0}" if values else "Error"))
        self.status = status or known_status
        self.body: dict[str, Any] = {
            "code": code,
            "message": words or known_words.format(*values),
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": self.status,
        }
        super().__init__(self.body["message"])
