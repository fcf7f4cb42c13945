"""What the Twilio adapter makes of everything Twilio and the network can do."""

import asyncio
import logging
import warnings
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from reminder.channels import twilio as adapter
from reminder.channels.base import Found, Inbound
from reminder.channels.twilio import Twilio
from reminder.channels.twilio_errors import (
    FLOOD_PAUSE,
    INBOUND_STATUSES,
    STATUSES,
    TABLE,
    heard,
    receipt,
    verdict,
    words,
)
from reminder.domain.messages import (
    Accepted,
    Answer,
    Declined,
    Delivered,
    Failed,
    NotSent,
    Outgoing,
    Refusal,
    Status,
    Undelivered,
    Unknown,
)
from reminder.domain.people import Channel
from tests.channels.raw import DROP, HANG, TRICKLE, Raw, Reply, Request, nobody, page, told

SID = "AC" + "0" * 32
TOKEN = "canary-auth-token-canary-auth-token"
OFFICE, LI = "+12025550100", "+12025550142"
AMPLE, SHORT = timedelta(seconds=30), timedelta(seconds=1.5)
PATIENCE = 20
AT_ONCE = 64
NOW = datetime(2026, 12, 2, 1, 0, tzinfo=UTC)
BODY = "【平安镇便民】李女士，王敏将于12月2日上午上门。"
MESSAGE = Outgoing(token="att-1_x", channel=Channel.SMS, to=LI, text=BODY)
MADE = {"sid": "SM1", "status": "queued", "num_segments": "2", "error_code": None, "body": BODY}
OK = told(201, MADE)
PATH = f"/2010-04-01/Accounts/{SID}/Messages.json"


def failing(status: int, code: int | None = None) -> Reply:
    return told(status, {"code": code, "message": "no", "more_info": "", "status": status})


def entry(sid: str, **changes: Any) -> dict[str, Any]:
    return {
        "sid": sid,
        "to": LI,
        "from": OFFICE,
        "body": BODY,
        "status": "delivered",
        "direction": "outbound-api",
        "date_created": format_datetime(NOW),
        "date_sent": format_datetime(NOW),
    } | changes


def log(*entries: dict[str, Any], following: str | None = None) -> Reply:
    return told(200, {"messages": list(entries), "next_page_uri": following, "page": 0})


@pytest.fixture
async def sms(raw: Raw) -> AsyncIterator[Twilio]:
    port = made(raw.url)
    yield port
    await port.close()


@pytest.fixture
async def hasty(raw: Raw) -> AsyncIterator[Twilio]:
    port = made(raw.url, deadline=SHORT)
    yield port
    await port.close()


def made(base_url: str, **changes: Any) -> Twilio:
    options: dict[str, Any] = {"account_sid": SID, "auth_token": TOKEN, "sender": OFFICE, "deadline": AMPLE}
    return Twilio(base_url=base_url, **(options | changes))


async def send(port: Twilio, message: Outgoing = MESSAGE) -> Answer:
    async with asyncio.timeout(PATIENCE):
        return await port.send(message)


async def test_a_text_is_sent_once_with_our_account_and_number(raw: Raw, sms: Twilio) -> None:
    raw.always(OK)
    assert await send(sms) == Accepted(provider_id="SM1", segments=2)
    (asked,) = raw.asked
    assert (asked.method, asked.path) == ("POST", PATH)
    assert asked.form == {"To": LI, "From": OFFICE, "Body": BODY}
    assert asked.headers["authorization"] == "Basic " + b64encode(f"{SID}:{TOKEN}".encode()).decode()


async def test_receipts_come_back_with_our_own_id_in_their_address(raw: Raw) -> None:
    raw.always(OK)
    port = made(raw.url, public_url="https://office.example/", sender="MG" + "1" * 32)
    await send(port)
    await port.close()
    form = raw.asked[0].form
    assert form["StatusCallback"] == "https://office.example/twilio/status?m=att-1_x"
    assert form["MessagingServiceSid"] == "MG" + "1" * 32
    assert "From" not in form


@pytest.mark.parametrize(
    ("validity", "period"),
    [
        (timedelta(hours=2), "7200"),
        (timedelta(days=3), "36000"),
        (timedelta(0), "1"),
        (-timedelta(hours=1), "1"),
    ],
)
async def test_a_text_is_not_kept_longer_than_it_is_useful(
    validity: timedelta, period: str, raw: Raw, sms: Twilio
) -> None:
    raw.always(OK)
    await send(sms, Outgoing(token="a", channel=Channel.SMS, to=LI, text="x", validity=validity))
    assert raw.asked[0].form["ValidityPeriod"] == period


@pytest.mark.parametrize(
    "row", [row for row in TABLE.values() if row.code.isdecimal()], ids=lambda row: row.code
)
async def test_every_code_of_the_table_is_understood(row: Any, raw: Raw, sms: Twilio) -> None:
    raw.always(failing(400, int(row.code)))
    expected = (
        NotSent(reason=f"code_{row.code}", retry_after=FLOOD_PAUSE)
        if row.outcome is None
        else Declined(reason=row.outcome, code=row.code)
    )
    assert await send(sms) == expected
    assert len(raw.asked) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (failing(429, 20429), NotSent(reason="http_429", retry_after=FLOOD_PAUSE)),
        (page(429), NotSent(reason="http_429", retry_after=FLOOD_PAUSE)),
        (failing(400, 99999), NotSent(reason="code_99999")),
        (page(400), NotSent(reason="http_400")),
        (failing(401, 77777), Declined(reason=Refusal.CONFIG, code="http_401")),
        (page(403), Declined(reason=Refusal.CONFIG, code="http_403")),
        (failing(404), Declined(reason=Refusal.CONFIG, code="http_404")),
        (
            told(400, {"type": "t", "title": "no", "status": 400, "code": 21610}),
            Declined(reason=Refusal.OPTED_OUT, code="21610"),
        ),
    ],
)
async def test_refusals_without_a_known_code_are_judged_by_their_status(
    reply: Reply, expected: Answer, raw: Raw, sms: Twilio
) -> None:
    raw.always(reply)
    assert await send(sms) == expected


UNSURE = {
    "service unavailable": page(503),
    "server error with a code": failing(500, 21610),
    "gateway timeout": page(504),
    "request timeout": page(408),
    "captive portal": page(200),
    "redirect": Reply(status=302, headers=(("location", "http://login.example/"),)),
    "no content": Reply(status=201),
    "no id": told(201, {"status": "queued"}),
    "a list": told(201, [1]),
    "half a body": Reply(status=201, body=b'{"sid": "SM'),
    "no answer": HANG,
    "closed after reading": DROP,
    "one byte at a time": TRICKLE,
}


@pytest.mark.parametrize("reply", UNSURE.values(), ids=UNSURE)
@pytest.mark.failure(10)
async def test_an_unclear_answer_is_never_taken_for_not_sent_and_never_repeated(
    reply: Reply, raw: Raw, sms: Twilio, hasty: Twilio
) -> None:
    raw.always(reply)
    assert isinstance(await send(hasty if reply in {HANG, TRICKLE} else sms), Unknown)
    assert len(raw.asked) == 1


async def test_a_refused_connection_was_surely_not_sent() -> None:
    port = made(nobody())
    assert await send(port) == NotSent(reason="ClientConnectorError")
    await port.close()


async def test_a_name_that_does_not_resolve_was_surely_not_sent() -> None:
    port = made("http://nowhere.invalid")
    assert isinstance(await send(port), NotSent)
    await port.close()


async def test_a_full_pool_was_surely_not_sent(raw: Raw) -> None:
    raw.always(HANG)
    port = made(raw.url, deadline=SHORT, pool=1)
    first, second = await asyncio.gather(send(port), send(port))
    assert isinstance(first, Unknown)
    assert second == NotSent(reason="ConnectionTimeoutError")
    await port.close()


async def test_as_many_texts_as_may_be_under_way_at_once_wait_for_no_connection(raw: Raw) -> None:
    arrived = asyncio.Event()

    def respond(_request: Request) -> Reply:
        if len(raw.asked) == AT_ONCE:
            arrived.set()
        return HANG

    raw.respond = respond
    port = made(raw.url)
    texts = [asyncio.ensure_future(port.send(MESSAGE)) for _ in range(AT_ONCE)]
    async with asyncio.timeout(PATIENCE):
        await arrived.wait()
    for text in texts:
        text.cancel()
    await asyncio.gather(*texts, return_exceptions=True)
    await port.close()


async def test_text_that_cannot_be_written_is_our_fault_and_not_sent(raw: Raw, sms: Twilio) -> None:
    news = await send(sms, Outgoing(token="a", channel=Channel.SMS, to=LI, text="\ud800"))
    assert news == Declined(reason=Refusal.CONTENT, code="unencodable")
    assert raw.asked == []


async def test_a_machine_with_twilio_settings_of_its_own_does_not_redirect_us(
    raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    raw.always(OK)
    port = made(raw.url)
    assert isinstance(await send(port), Accepted)
    await port.close()


async def test_the_log_tells_our_messages_to_a_number(raw: Raw, sms: Twilio) -> None:
    raw.always(
        log(
            entry("SM1"),
            entry("SM2", body="Sent from your Twilio trial account - " + BODY),
            entry("SM3", body="another text", date_sent=None, status="queued"),
            entry("SM4", date_sent=None, date_created=None, status="scheduled"),
            entry("SM5", date_created=format_datetime(NOW - timedelta(hours=1)), date_sent=None),
            entry("SM6", direction="inbound"),
        )
    )
    found = await sms.find(to=LI, since=NOW + timedelta(milliseconds=700), body=f" {BODY}")
    assert found == [
        Found(provider_id="SM1", sent_at=NOW, status="delivered", body_matches=True),
        Found(provider_id="SM2", sent_at=NOW, status="delivered", body_matches=True),
        Found(provider_id="SM3", sent_at=NOW, status="queued", body_matches=False),
        Found(provider_id="SM4", sent_at=None, status="scheduled", body_matches=True),
    ]
    assert raw.asked[0].query == {"To": LI, "PageSize": "200"}


@pytest.mark.parametrize(
    "changes", [{"sid": None}, {"sid": 5}, {"body": 5}, {"from": ["x"]}, {"to": {"x": 1}}]
)
async def test_a_log_that_cannot_be_read_is_not_taken_for_an_empty_one(
    changes: dict[str, Any], raw: Raw, sms: Twilio
) -> None:
    raw.always(log(entry("SM1") | changes))
    assert await sms.find(to=LI, since=NOW, body=BODY) == Unknown(reason="unreadable_answer")
    assert await sms.inbound(NOW) == Unknown(reason="unreadable_answer")


async def test_a_date_that_cannot_be_read_hides_no_message(raw: Raw, sms: Twilio) -> None:
    raw.always(log(entry("SM1", date_sent="soon", date_created="2026-12-02")))
    found = await sms.find(to=LI, since=NOW, body=BODY)
    assert found == [Found(provider_id="SM1", sent_at=None, status="delivered", body_matches=True)]


async def test_the_log_is_read_over_all_its_pages(raw: Raw, sms: Twilio) -> None:
    def respond(request: Request) -> Reply:
        number = int(request.query.get("Page", "0"))
        following = f"{PATH}?To=%2B12025550142&Page={number + 1}" if number < 2 else None
        return log(entry(f"SM{number}"), following=following)

    raw.respond = respond
    found = await sms.find(to=LI, since=NOW, body=BODY)
    assert isinstance(found, list)
    assert [one.provider_id for one in found] == ["SM0", "SM1", "SM2"]


async def test_a_log_too_long_to_read_is_not_taken_for_complete(
    raw: Raw, sms: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "LOG_LIMIT", 2)
    raw.always(log(entry("SM1"), entry("SM2")))
    assert isinstance(await sms.find(to=LI, since=NOW, body=BODY), list)
    raw.always(log(entry("SM1"), entry("SM2"), entry("SM3")))
    assert await sms.find(to=LI, since=NOW, body=BODY) == Unknown(reason="log_too_long")


@pytest.mark.parametrize(
    "reply", [page(503), page(200), DROP, HANG, TRICKLE, told(200, {}), failing(401, 20003), page(429)]
)
async def test_a_failed_enquiry_is_never_an_empty_one(
    reply: Reply, raw: Raw, sms: Twilio, hasty: Twilio
) -> None:
    raw.always(reply)
    port = hasty if reply in {HANG, TRICKLE} else sms
    async with asyncio.timeout(PATIENCE):
        assert isinstance(await port.find(to=LI, since=NOW, body=BODY), NotSent | Declined | Unknown)
        assert isinstance(await port.inbound(NOW), NotSent | Declined | Unknown)


async def test_an_enquiry_that_breaks_off_on_its_second_page_is_not_taken_for_complete(
    raw: Raw, sms: Twilio
) -> None:
    raw.respond = lambda request: (
        page(503) if request.query.get("Page") else log(entry("SM0"), following=f"{PATH}?Page=1")
    )
    assert isinstance(await sms.find(to=LI, since=NOW, body=BODY), Unknown)


async def test_texts_that_came_while_we_were_down_are_found(raw: Raw, sms: Twilio) -> None:
    raw.always(
        log(
            entry("SM1", direction="inbound", to=OFFICE, body="STOP", **{"from": LI}),
            entry("SM2"),
            entry("SM3", direction="inbound", date_sent=format_datetime(NOW - timedelta(hours=2))),
        )
    )
    assert await sms.inbound(NOW) == [
        Inbound(provider_id="SM1", sender=LI, to=OFFICE, body="STOP", received_at=NOW)
    ]
    assert raw.asked[0].query["To"] == OFFICE
    assert raw.asked[0].query["DateSent>"] == "2026-12-02T00:59:59Z"


async def test_of_an_accounts_log_a_pool_reads_what_is_its_own(raw: Raw) -> None:
    ours, theirs = "MG" + "1" * 32, "MG" + "2" * 32
    port = made(raw.url, sender=ours)
    incoming = [
        entry("SM1", direction="inbound", messaging_service_sid=ours),
        entry("SM2", direction="inbound", messaging_service_sid=theirs),
        entry("SM3", direction="inbound", messaging_service_sid=None),
    ]
    outgoing = [
        entry("SM4", messaging_service_sid=ours),
        entry("SM5", messaging_service_sid=theirs),
        entry("SM6", messaging_service_sid=None),
    ]
    raw.always(log(*incoming, *outgoing))
    heard, sent = await port.inbound(NOW), await port.sent(NOW, NOW + timedelta(hours=1))
    await port.close()
    assert isinstance(heard, list)
    assert isinstance(sent, list)
    assert [one.provider_id for one in heard] == ["SM1", "SM3"]
    assert [one.provider_id for one in sent] == ["SM4"]
    assert all("To" not in asked.query and "From" not in asked.query for asked in raw.asked)


@pytest.mark.failure(33)
async def test_no_number_text_or_token_is_logged(
    raw: Raw, sms: Twilio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for reply in (OK, failing(400, 21610), page(503), DROP):
        raw.always(reply)
        await send(sms)
        await sms.find(to=LI, since=NOW, body=BODY)
    told_ = caplog.text + repr(sms) + repr(vars(sms)) + repr(MESSAGE)
    assert not [secret for secret in (TOKEN, LI, LI[1:], BODY) if secret in told_]


async def test_the_client_library_gives_no_warning(raw: Raw, sms: Twilio) -> None:
    raw.always(OK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(await send(sms), Accepted)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("queued", "", Accepted(provider_id="SM1", status=Status.QUEUED)),
        ("sent", "", Accepted(provider_id="SM1", status=Status.SENT)),
        ("delivered", "", Delivered(provider_id="SM1")),
        ("undelivered", "30005", Undelivered(provider_id="SM1", refusal=Refusal.BAD_ADDRESS, code="30005")),
        ("undelivered", "30008", Undelivered(provider_id="SM1", refusal=None, code="30008")),
        ("failed", "21610", Failed(provider_id="SM1", refusal=Refusal.OPTED_OUT, code="21610")),
        ("failed", "99999", Failed(provider_id="SM1", refusal=None, code="99999")),
        ("canceled", "", Failed(provider_id="SM1", refusal=None, code="canceled")),
        ("received", "", None),
        ("a status of the future", "", None),
    ],
)
def test_a_callback_is_read_by_the_table(status: str, code: str, expected: object) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code, "Unheard": "of"}
    assert receipt(form) == expected


def test_a_callback_without_an_id_is_no_receipt() -> None:
    assert receipt({"MessageStatus": "delivered"}) is None
    assert receipt({}) is None


def test_every_status_of_the_provider_is_in_the_table() -> None:
    from twilio.rest.api.v2010.account.message import MessageInstance  # type: ignore[import-untyped]

    theirs = {word for name, word in vars(MessageInstance.Status).items() if name.isupper()}
    assert theirs == set(STATUSES) | INBOUND_STATUSES
    assert all(heard("SM1", status) is not None for status in STATUSES)


def test_every_row_has_a_source_and_words() -> None:
    assert all(row.source and row.words.startswith("why_") for row in TABLE.values())
    assert all(code == row.code for code, row in TABLE.items())
    assert words("21610") == "why_opted_out"
    assert words("99999") == "why_unknown_code"


@pytest.mark.parametrize("status", [200, 302, 408, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("code", [None, 20429, 21610, 99999])
def test_no_code_makes_an_ambiguous_status_certain(status: int, code: int | None) -> None:
    assert isinstance(verdict(status, code), Unknown)
