"""How a text message travels by Twilio: one try, one deadline, and a log that can be asked afterwards."""

import asyncio
import unicodedata
from base64 import b64encode
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from reminder.channels.base import DEADLINE, POOL, Carrier, Found, Inbound
from reminder.channels.moments import watched
from reminder.channels.twilio_errors import heard, verdict
from reminder.domain.messages import Accepted, Answer, Declined, NotSent, Outgoing, Refusal, Trouble, Unknown
from reminder.domain.people import Channel

T = TypeVar("T")

VALIDITY = (timedelta(seconds=1), timedelta(seconds=36_000))
"""Bounds of ValidityPeriod (twilio.com/docs/messaging/api/message-resource)."""
LOG_LIMIT = 1000
"""A longer log of one number is not read to its end; then we say that we do not know."""
PAGE = 200
ENQUIRY_TAKES = 4
"""An enquiry of several pages may take this many times the deadline of one request."""
_UNREADABLE = (TypeError, KeyError, ValueError, AttributeError, IndexError, OverflowError)
"""What the library raises on an answer that is not the JSON it expects."""


def _form(values: Mapping[str, Any] | None) -> str:
    return urlencode(values or {}, doseq=True)


class _Wire:
    """HTTP for the client library: a deadline that holds, no second tries, nothing logged.

    The library's own asynchronous client ignores its timeout, can repeat a request on 5xx (a second text!),
    logs phone numbers and hands `auth` to aiohttp in a deprecated way. With a carrier requests go to it.
    """

    is_async = True

    def __init__(self, deadline: timedelta, pool: int, carrier: Carrier | None) -> None:
        self._carrier = carrier
        self._deadline = deadline
        self._pool = pool
        self._session: Any = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_ignored: Any,
    ) -> Any:
        from twilio.http.response import Response  # type: ignore[import-untyped]

        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
        if self._carrier is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            address = f"{url}?{_form(params)}" if params else url
            status, body = await self._carrier(method.upper(), address, sent, _form(data).encode())
            return Response(status, body.decode("utf-8", "replace"), {})
        async with self._open().request(
            method.upper(),
            url,
            params=params,
            data=data,
            headers=sent,
            allow_redirects=False,
            trace_request_ctx=method,
        ) as answer:
            return Response(answer.status, await answer.text(errors="replace"), answer.headers)

    def _open(self) -> Any:
        """The session, made on first use because it belongs to the running loop."""
        import aiohttp

        if self._session is None:
            whole = self._deadline.total_seconds()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._pool),
                timeout=aiohttp.ClientTimeout(total=whole, connect=min(5.0, whole / 3)),
                trace_configs=watched(_PLACES, of="POST"),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


_PLACES = {
    "on_connection_create_end": "call.sms.connected",
    "on_request_chunk_sent": "call.sms.writing",
    "on_request_end": "call.sms.half_read",
    "on_response_chunk_received": "call.sms.read",
}
"""Of the client's signals, in calls that send."""


class Twilio:
    """Twilio's Messages resource as an `SmsPort`. Close it."""

    name = Channel.SMS

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        public_url: str = "",
        base_url: str = "https://api.twilio.com",
        deadline: timedelta = DEADLINE,
        pool: int = POOL,
        carrier: Carrier | None = None,
    ) -> None:
        """`sender` is an E.164 number or a Messaging Service (MG…). Without `public_url` no receipts come.

        `carrier` takes the requests in place of the network: for an API in our own process.
        """
        from twilio.rest import Client  # type: ignore[import-untyped]

        self._deadline = deadline
        self._from = {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}
        self._sender = sender
        self._public_url = public_url.rstrip("/")
        self._wire = _Wire(deadline, pool, carrier)
        # An empty environment: a TWILIO_EDGE or TWILIO_REGION of the machine would rewrite the host.
        self._client = Client(account_sid, auth_token, http_client=self._wire, environment={"": ""})
        self._client.api.base_url = base_url.rstrip("/")

    async def close(self) -> None:
        await self._wire.close()

    async def send(self, message: Outgoing) -> Answer:
        options: dict[str, Any] = dict(self._from)
        if self._public_url:
            options["status_callback"] = f"{self._public_url}/twilio/status?m={quote(message.token, safe='')}"
        if message.validity is not None:
            period = min(max(message.validity, VALIDITY[0]), VALIDITY[1])
            options["validity_period"] = int(period.total_seconds())
        created = await self._ask(
            self._client.messages.create_async(to=message.to, body=message.text, **options), self._deadline
        )
        return created if isinstance(created, Trouble) else _taken(created)

    async def find(self, *, to: str, since: datetime, body: str) -> list[Found] | Trouble:
        """Our messages to a number since then, read from the provider's log.

        Asked by number only: the log's date filter looks at the date of sending, which a message still in
        the queue does not have, and a message overlooked here would be sent a second time.
        """
        log = await self._log(to=to)
        if isinstance(log, Trouble):
            return log
        wanted = _plain(body)
        return [
            Found(
                provider_id=entry.sid,
                sent_at=_moment(entry),
                status=str(entry.status),
                # A trial account puts a sentence of its own before ours.
                body_matches=_plain(entry.body or "").endswith(wanted),
            )
            for entry in log
            if entry.direction != "inbound" and _since(entry, since)
        ]

    async def inbound(self, since: datetime) -> list[Inbound] | Trouble:
        """Messages to us since then, so that a STOP is heard whose webhook was lost while we were down."""
        filters: dict[str, Any] = {"date_sent_after": since.astimezone(UTC) - timedelta(seconds=1)}
        if "from_" in self._from:
            filters["to"] = self._sender
        log = await self._log(**filters)
        if isinstance(log, Trouble):
            return log
        return [
            Inbound(
                provider_id=entry.sid,
                sender=entry.from_ or "",
                to=entry.to or "",
                body=entry.body or "",
                received_at=_moment(entry),
            )
            for entry in log
            if entry.direction == "inbound"
            and _since(entry, since)
            and self._of_our_pool(entry, unnamed=True)
        ]

    async def sent(self, since: datetime, until: datetime) -> list[Found] | Trouble:
        """Our messages of a time, from the provider's log; more than `LOG_LIMIT` of them is Unknown.

        What the provider answers by itself to STOP ("outbound-reply") is not ours.
        """
        filters: dict[str, Any] = {"date_sent_after": since.astimezone(UTC) - timedelta(seconds=1)}
        filters["date_sent_before"] = until.astimezone(UTC)
        if "from_" in self._from:
            filters["from_"] = self._sender
        log = await self._log(**filters)
        if isinstance(log, Trouble):
            return log
        return [
            Found(
                provider_id=entry.sid,
                sent_at=moment,
                status=str(entry.status),
                body_matches=False,
                code=str(entry.error_code or ""),
            )
            for entry in log
            if entry.direction == "outbound-api"
            and (moment := _moment(entry))
            and since <= moment < until
            and self._of_our_pool(entry)
        ]

    def _of_our_pool(self, entry: Any, *, unnamed: bool = False) -> bool:
        """An account may have other senders; a number's log is asked for by itself, a pool's cannot be.

        `unnamed`: also what names no pool; a STOP that is read twice is better than one unread.
        """
        pool = entry.messaging_service_sid
        return "from_" in self._from or pool == self._sender or (unnamed and pool is None)

    async def _log(self, **filters: Any) -> list[Any] | Trouble:
        log = await self._ask(
            self._client.messages.list_async(limit=LOG_LIMIT + 1, page_size=PAGE, **filters),
            self._deadline * ENQUIRY_TAKES,
        )
        if isinstance(log, Trouble):
            return log
        if not all(_readable(entry) for entry in log):
            return Unknown(reason="unreadable_answer")
        return log if len(log) <= LOG_LIMIT else Unknown(reason="log_too_long")

    async def _ask(self, call: Awaitable[Any], deadline: timedelta) -> Any:
        """Await a call and tell every way it can end as a value."""
        import aiohttp
        from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]

        try:
            async with asyncio.timeout(deadline.total_seconds()):
                return await call
        except TwilioException as error:
            return verdict(*_status_and_code(error))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            return NotSent(reason=type(error).__name__)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Unknown(reason=type(error).__name__)
        except UnicodeEncodeError:
            return Declined(reason=Refusal.CONTENT, code="unencodable")
        except _UNREADABLE:
            return Unknown(reason="unreadable_answer")


def _taken(created: Any) -> Answer:
    """The answer to a create; without an id nothing was said."""
    if not isinstance(created.sid, str) or not created.sid:
        return Unknown(reason="unreadable_answer")
    segments = str(created.num_segments or "")
    news = heard(created.sid, str(created.status))
    return Accepted(
        provider_id=created.sid,
        segments=int(segments) if segments.isdecimal() and int(segments) else None,
        **({"status": news.status} if isinstance(news, Accepted) else {}),
    )


def _status_and_code(error: Any) -> tuple[int, int | None]:
    """From any of the library's errors; that of a page that was refused carries only the response."""
    if hasattr(error, "status"):
        # An answer without a code, such as a proxy's page, carries the status in its place.
        coded = isinstance(error.code, int) and error.code != error.status
        return int(error.status), error.code if coded else None
    response = error.args[1] if len(error.args) > 1 else None
    return int(getattr(response, "status_code", 0)), None


def _readable(entry: Any) -> bool:
    """Whether an entry of the log has an id and its texts are texts."""
    texts = (entry.sid, entry.from_ or "", entry.to or "", entry.body or "")
    return bool(entry.sid) and all(isinstance(text, str) for text in texts)


def _moment(entry: Any) -> datetime | None:
    """When the provider sent it, else when it took it on; aware UTC."""
    moment = entry.date_sent or entry.date_created
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else None


def _since(entry: Any, since: datetime) -> bool:
    """Whether it may be of that time or later; the log counts whole seconds, and no date excludes nothing."""
    moment = _moment(entry)
    return moment is None or moment >= since.replace(microsecond=0)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
