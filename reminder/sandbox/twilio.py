"""What becomes of a text message at Twilio, from the request to the phone and back?"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession

from reminder.sandbox.chaos import Kind
from reminder.sandbox.segments import measure
from reminder.sandbox.stage import ControlError, Stage
from reminder.sandbox.twilio_errors import TwilioError
from reminder.sandbox.twilio_messages import Json, Sms, SmsPhone

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_MAX_BODY = 1600
_KEYWORDS = {  # Twilio's default English opt-out, opt-in and help words: the whole text, any case
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"), "STOP"),
    **dict.fromkeys(("START", "UNSTOP", "YES"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
_AUTOMATIC = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this"
    " number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help."
    " Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


class Twilio:
    """One account with its numbers. Refusals are TwilioError; every accepted text gets a ledger row."""

    def __init__(
        self,
        stage: Stage,
        *,
        account_sid: str,
        auth_token: str,
        numbers: tuple[str, ...],
        inbound: str | None,
        callback_delay: timedelta,
    ) -> None:
        self.stage = stage
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.numbers = numbers
        self.inbound: dict[str, str] = dict.fromkeys(numbers, inbound) if inbound else {}
        """The webhook of each of our numbers."""
        self.callback_delay = callback_delay
        self.list_lag = timedelta(0)
        """How long a new message stays out of the list, as an eventually consistent list may."""
        self.phones: dict[str, SmsPhone] = {}
        self.messages: dict[str, Sms] = {}
        self._of_phone: dict[str, dict[str, Sms]] = {}
        """The same by phone, so that nobody has to go through everybody's."""
        self.opted_out: set[tuple[str, str]] = set()
        """(resident's number, our number)"""

    # The office's side

    def create(self, form: Mapping[str, str]) -> Json:
        """Accept a text. Refuses what is missing, then what is malformed, then who may not be written to."""
        to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
        self._check(to, sender, body, form)
        status, error = self._fate(to)
        now = self.stage.now()
        message = Sms(
            sid="SM" + self.stage.ids.hex32("SM"),
            to=to,
            sender=sender,
            body=body,
            direction="outbound-api",
            status="queued",
            created_at=now,
            updated_at=now,
            callback=form.get("StatusCallback") or None,
            steps=[(status, error)] if status == "failed" else [("sent", None), (status, error)],
        )
        self._keep(message, by="office", kind="message", reached=status == "delivered")
        answer = message.resource(self.account_sid)
        self._owe_step(message)
        return answer

    def _check(self, to: str, sender: str, body: str, form: Mapping[str, str]) -> None:
        if not to:
            raise TwilioError(21604)
        if not sender:
            raise TwilioError(21701 if form.get("MessagingServiceSid") else 21603)
        if not body.strip():
            raise TwilioError(21602)
        if not _NUMBER.fullmatch(to):
            raise TwilioError(21211, f"{to[:-4]}XXXX" if len(to) > 7 else to)
        if sender not in self.numbers:
            raise TwilioError(21606, sender)
        if len(body) > _MAX_BODY:
            raise TwilioError(21617)
        _check_options(form)
        phone = self.phones.get(to)
        if phone and phone.landline:
            raise TwilioError(21614)
        if (to, sender) in self.opted_out:
            raise TwilioError(21610)

    def _fate(self, to: str) -> tuple[str, int | None]:
        """How it ends: a number nobody registered is an unknown handset."""
        fault = self.stage.chaos.strike("sms", frozenset({Kind.UNDELIVER}), method="create", to=to)
        if fault:
            return str(fault.status or "undelivered"), fault.code or 30003
        return ("delivered", None) if to in self.phones else ("undelivered", 30005)

    def fetch(self, sid: str) -> Sms:
        if sid not in self.messages:
            raise TwilioError(20404, f"/2010-04-01/Accounts/{self.account_sid}/Messages/{sid}.json")
        return self.messages[sid]

    def change(self, sid: str, form: Mapping[str, str]) -> Json:
        """Redact (an empty Body) or cancel; nothing here is scheduled, so cancelling is always refused."""
        message = self.fetch(sid)
        if "Status" in form or form.get("Body"):
            raise TwilioError(20001, "Status" if "Status" in form else "Body")
        message.body = ""
        message.updated_at = self.stage.now()
        self.stage.feed.tell("bubble", message.bubble)
        return message.resource(self.account_sid)

    def delete(self, sid: str) -> None:
        message = self.fetch(sid)
        del self.messages[sid], self._of_phone[message.phone][sid]

    def of_phone(self, phone: str) -> list[Sms]:
        """A phone's texts, both ways, oldest first."""
        return list(self._of_phone.get(phone, {}).values())

    # The phone's side

    def register(self, facts: Mapping[str, Any]) -> SmsPhone:
        number = str(facts["number"])
        if not _NUMBER.fullmatch(number):
            raise ControlError(f"{number} is not a phone number in the form +12025550123")
        phone = SmsPhone(
            number=number,
            name=str(facts.get("name") or number),
            lang=str(facts.get("lang") or "en"),
            label=str(facts.get("label") or ""),
            landline=bool(facts.get("landline")),
        )
        is_new = number not in self.phones
        self.phones[number] = phone
        if is_new:
            self._recall(number)
        self.stage.feed.tell("phone", phone.card)
        return phone

    def reply(self, number: str, body: str, to: str | None = None) -> Json:
        """A text from a phone to one of our numbers; by default the one that wrote to it last."""
        if number not in self.phones:
            raise ControlError(f"no SMS phone {number} is registered")
        if not body:
            raise ControlError("a text needs a body")
        ours = to or self._last_sender(number)
        now = self.stage.now()
        message = Sms(
            sid="SM" + self.stage.ids.hex32("SM"),
            to=ours,
            sender=number,
            body=body,
            direction="inbound",
            status="received",
            created_at=now,
            updated_at=now,
            sent_at=now,
        )
        self._keep(message, by="phone", kind="reply", reached=True)
        word = self._hear_keyword(number, ours, body)
        self.stage.courier.owe(lambda session: self._tell_inbound(session, message, word), now)
        return {"sid": message.sid}

    def _hear_keyword(self, number: str, ours: str, body: str) -> str | None:
        word = _KEYWORDS.get(body.strip().upper())
        is_out = (number, ours) in self.opted_out
        if body.strip().upper() == "YES" and not is_out:
            return None
        if word == "STOP":
            self.opted_out.add((number, ours))
        elif word == "START":
            self.opted_out.discard((number, ours))
        if word and not (word == "STOP" and is_out):
            self._say(ours, number, _AUTOMATIC[word], by="provider", kind="automatic")
        return word

    def _last_sender(self, number: str) -> str:
        sent = [m.sender for m in self.of_phone(f"sms:{number}") if m.to == number]
        return sent[-1] if sent else self.numbers[0]

    def _say(self, sender: str, to: str, body: str, *, by: str, kind: str) -> None:
        """A text Twilio sends without an API request."""
        now = self.stage.now()
        message = Sms(
            sid="SM" + self.stage.ids.hex32("SM"),
            to=to,
            sender=sender,
            body=body,
            direction="outbound-reply",
            status="delivered",
            created_at=now,
            updated_at=now,
            sent_at=now,
        )
        self._keep(message, by=by, kind=kind, reached=True)

    def _keep(self, message: Sms, *, by: str, kind: str, reached: bool) -> None:
        self._add(message)
        size = measure(message.body)
        inbound = message.direction == "inbound"
        row = {
            "at": self.stage.at(),
            "by": by,
            "channel": "sms",
            "to": message.sender if inbound else message.to,
            "type": kind,
            "id": message.sid,
            "text": message.body,
            "from": message.sender,
            "ours": message.to if inbound else message.sender,
            "encoding": size.encoding,
            "segments": size.segments,
            "reached": reached,
        }
        self.stage.ledger.add(row)
        self.stage.feed.tell("bubble", message.bubble)

    def _add(self, message: Sms) -> None:
        self.messages[message.sid] = message
        self._of_phone.setdefault(message.phone, {})[message.sid] = message

    def _recall(self, number: str) -> None:
        """Texts of an earlier run; all their steps are over."""
        for row in self.stage.ledger.earlier:
            if row["channel"] == "sms" and row["to"] == number:
                at = datetime.fromisoformat(row["at"])
                inbound = row["by"] == "phone"
                message = Sms(
                    sid=row["id"],
                    to=row["ours"] if inbound else number,
                    sender=row["from"],
                    body=row["text"],
                    direction="inbound" if inbound else "outbound-api",
                    status="received" if inbound else "delivered" if row["reached"] else "undelivered",
                    created_at=at,
                    updated_at=at,
                    sent_at=at,
                )
                self._add(message)

    # What Twilio tells the office

    def _owe_step(self, message: Sms) -> None:
        if message.steps:
            due_at = self.stage.now() + self.callback_delay
            self.stage.courier.owe(lambda session: self._step(session, message), due_at)

    async def _step(self, session: ClientSession, message: Sms) -> None:
        """Move to the next status and tell the StatusCallback, unless a fault loses or doubles the news."""
        message.status, message.error = message.steps.pop(0)
        message.updated_at = self.stage.now()
        message.sent_at = message.sent_at or message.updated_at
        self.stage.feed.tell("bubble", message.bubble)
        self._owe_step(message)
        if not message.callback:
            return
        news = self._callback_fields(message)
        strike = self.stage.chaos.strike
        if strike("sms", frozenset({Kind.LOSE_CALLBACK}), method="create", to=message.to):
            return
        again = strike("sms", frozenset({Kind.REPEAT_CALLBACK}), method="create", to=message.to)
        for _ in range(2 if again else 1):
            await self._post(session, message.callback, news)

    def _callback_fields(self, message: Sms) -> dict[str, str]:
        news = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "From": message.sender,
            "MessageSid": message.sid,
            "MessageStatus": message.status,
            "SmsSid": message.sid,
            "SmsStatus": message.status,
            "To": message.to,
        }
        return news | ({"ErrorCode": str(message.error)} if message.error else {})

    async def _tell_inbound(self, session: ClientSession, message: Sms, word: str | None) -> None:
        url = self.inbound.get(message.to)
        if not url:
            return
        news = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "Body": message.body,
            "From": message.sender,
            "MessageSid": message.sid,
            "NumMedia": "0",
            "NumSegments": str(measure(message.body).segments),
            "SmsMessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "To": message.to,
        } | ({"OptOutType": word} if word else {})
        answer = await self._post(session, url, news)
        if (message.sender, message.to) in self.opted_out:
            return
        for text in re.findall(
            r"<Message[^>]*>(?:\s*<Body>)?(.*?)(?:</Body>\s*)?</Message>", answer or "", re.S
        ):
            self._say(message.to, message.sender, unescape(text).strip(), by="office", kind="message")

    async def _post(self, session: ClientSession, url: str, form: Mapping[str, str]) -> str | None:
        """Signed as Twilio signs; retried once, or as often as the URL's `#rc=` asks (5 at most)."""
        asked = parse_qs(urlsplit(url).fragment).get("rc", ["1"])[0]
        retries = min(int(asked), 5) if asked.isdigit() else 1
        plain = url.partition("#")[0]
        headers = {
            "X-Twilio-Signature": signature(self.auth_token, plain, form),
            "I-Twilio-Idempotency-Token": self.stage.ids.hex32("callback"),
            "User-Agent": "TwilioProxy/1.1",
        }
        return await self.stage.courier.post(session, plain, retries=retries, headers=headers, form=form)


def _check_options(form: Mapping[str, str]) -> None:
    callback = urlsplit(form.get("StatusCallback") or "http://none.given")
    if callback.scheme not in ("http", "https") or not callback.hostname:
        raise TwilioError(21609, form["StatusCallback"])
    validity = form.get("ValidityPeriod", "36000")
    if not validity.isdigit() or not 1 <= int(validity) <= 36000:
        raise TwilioError(20001, "ValidityPeriod")


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Twilio's X-Twilio-Signature: Base64 of HMAC-SHA1 over the URL and the sorted names and values."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), hashlib.sha1)).decode()
