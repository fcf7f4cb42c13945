"""Do Twilio's own client and validator live with the Messages API as the sandbox speaks it?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.responses import Response
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from reminder.sandbox import World
from reminder.sandbox.twilio import signature
from tests.sandbox.conftest import ACCOUNT, AUTH, LANDLINE, OURS, THEIRS, Clock, Office

# aiohttp 3.14 warns of the way Twilio's client passes its credentials with every call.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
]
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


@pytest.fixture
async def twilio(base: str) -> AsyncIterator[Client]:
    class Here(AsyncTwilioHttpClient):
        async def request(self, method: str, url: str, *args: Any, **named: Any) -> Any:
            parts = urlsplit(url)
            named["timeout"] = 5.0
            return await super().request(method, f"{base}{parts.path}?{parts.query}", *args, **named)

    http = Here()
    yield Client(ACCOUNT, AUTH, http_client=http)
    await http.close()


async def create(twilio: Client, **more: Any) -> Any:
    return await twilio.messages.create_async(**({"to": THEIRS, "from_": OURS, "body": "hello"} | more))


async def test_a_text_is_queued_sent_and_delivered_with_signed_callbacks(
    twilio: Client, world: World, office: Office
) -> None:
    url = f"{office.url}/status?m=42&empty="
    message = await create(twilio, body="您好", status_callback=url)
    assert (message.status, message.num_segments, message.date_sent) == ("queued", "1", None)
    await world.deliver()
    fetched = await twilio.messages(message.sid).fetch_async()
    assert (fetched.status, fetched.body, fetched.direction) == ("delivered", "您好", "outbound-api")
    assert office.statuses() == ["sent", "delivered"]
    for path, form, headers in office.heard:
        assert path == "/status?m=42&empty="
        assert form["MessageSid"] == message.sid
        sign = headers["x-twilio-signature"]
        assert RequestValidator(AUTH).validate(url, form, sign)
        assert not RequestValidator(AUTH).validate(url, form | {"To": OURS}, sign)
    (row,) = world.ledger()
    assert (row["id"], row["to"], row["encoding"], row["segments"]) == (message.sid, THEIRS, "UCS-2", 1)


def test_a_signature_does_not_depend_on_the_order_of_the_form() -> None:
    url, form = (
        "https://office.example/in?b=2&a=1",
        {"To": OURS, "Body": "您好 & co", "ErrorCode": "", "a": "1"},
    )
    assert RequestValidator(AUTH).validate(url, form, signature(AUTH, url, form))
    assert not RequestValidator("another").validate(url, form, signature(AUTH, url, form))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": " "}, 21602),
        ({"To": "nonsense"}, 21211),
        ({"To": "2025550123"}, 21211),
        ({"From": "+12025550177"}, 21606),
        ({"Body": "a" * 1601}, 21617),
        ({"To": LANDLINE}, 21614),
        ({"StatusCallback": "not a url"}, 21609),
        ({"ValidityPeriod": "36001"}, 20001),
        ({"From": "", "MessagingServiceSid": "MG" + "0" * 32}, 21701),
    ],
)
async def test_what_twilio_refuses_is_refused_and_reaches_nobody(
    near: httpx.AsyncClient, world: World, form: dict[str, str], code: int
) -> None:
    answer = await near.post(LIST, data={"To": THEIRS, "From": OURS, "Body": "hello"} | form)
    assert answer.status_code == 400
    body = answer.json()
    assert set(body) == {"code", "message", "more_info", "status"}
    assert (body["code"], body["status"]) == (code, 400)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert world.ledger() == []


@pytest.mark.parametrize("auth", [None, (ACCOUNT, "wrong"), ("AC" + "1" * 32, AUTH)])
async def test_a_stranger_is_refused(near: httpx.AsyncClient, auth: tuple[str, str] | None) -> None:
    bare = httpx.AsyncClient(transport=near._transport, base_url="http://near", auth=auth)
    answer = await bare.post(LIST, data={})
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


async def test_twilios_client_raises_what_it_should(twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await create(twilio, to="+1")
    assert (refused.value.code, refused.value.status) == (21211, 400)
    with pytest.raises(TwilioRestException) as unknown:
        await twilio.messages("SM" + "0" * 32).fetch_async()
    assert (unknown.value.code, unknown.value.status) == (20404, 404)
    assert (await twilio.api.accounts(ACCOUNT).fetch_async()).status == "active"


async def test_stop_bars_this_sender_until_start(twilio: Client, world: World, office: Office) -> None:
    world.configure({"inbound_url": f"{office.url}/inbound"})
    world.reply(THEIRS, " stop ")
    with pytest.raises(TwilioRestException) as refused:
        await create(twilio)
    assert refused.value.code == 21610
    world.reply(THEIRS, "Start")
    await create(twilio)
    await world.deliver()
    assert [form.get("OptOutType") for _, form, _ in office.heard if "Body" in form] == ["STOP", "START"]
    assert [row["type"] for row in world.ledger()] == ["automatic", "automatic", "message"]


async def test_yes_is_an_answer_unless_the_resident_had_opted_out(world: World, office: Office) -> None:
    world.configure({"inbound_url": f"{office.url}/inbound"})
    world.reply(THEIRS, "YES")
    world.reply(THEIRS, "STOP")
    world.reply(THEIRS, "yes")
    await world.deliver()
    assert [form.get("OptOutType") for _, form, _ in office.heard] == [None, "STOP", "START"]


async def test_an_inbound_text_is_signed_and_its_answer_reaches_the_phone(
    world: World, office: Office
) -> None:
    url = f"{office.url}/inbound"
    world.configure({"inbound_url": {OURS: url}})
    office.answers = [
        Response("<Response><Message>谢谢 &amp; 再见</Message></Response>", media_type="text/xml")
    ]
    sid = world.reply(THEIRS, "1")["sid"]
    await world.deliver()
    ((_, form, headers),) = office.heard
    assert RequestValidator(AUTH).validate(url, form, headers["x-twilio-signature"])
    assert (form["MessageSid"], form["From"], form["To"], form["Body"]) == (sid, THEIRS, OURS, "1")
    assert (form["NumMedia"], form["NumSegments"], form["AccountSid"]) == ("0", "1", ACCOUNT)
    assert [row["text"] for row in world.ledger()] == ["谢谢 & 再见"]


async def test_a_callback_refused_is_posted_once_more_and_recorded(
    twilio: Client, world: World, office: Office
) -> None:
    office.answers = [Response(status_code=500), Response(status_code=500), Response(status_code=500)]
    await create(twilio, status_callback=f"{office.url}/status")
    await world.deliver()
    assert office.statuses() == ["sent", "sent", "delivered", "delivered"]
    assert [note["status"] for note in world.stage.courier.attempts] == [500, 500, 500, 200]
    tokens = [headers["i-twilio-idempotency-token"] for _, _, headers in office.heard]
    assert tokens[0] == tokens[1] != tokens[2]


async def test_more_retries_can_be_asked_for_in_the_fragment(
    twilio: Client, world: World, office: Office
) -> None:
    office.answers = [Response(status_code=503)] * 3
    await create(twilio, status_callback=f"{office.url}/status#rc=3&rp=all")
    await world.deliver()
    assert office.statuses() == ["sent"] * 4 + ["delivered"]


async def test_nobody_outside_this_machine_is_ever_called(twilio: Client, world: World) -> None:
    await create(twilio, status_callback="https://reminder.example/status")
    await world.deliver()
    notes = world.stage.courier.attempts
    assert len(notes) == 4
    assert all("nobody outside this machine" in note["error"] for note in notes)


async def test_statuses_come_when_the_sandboxs_clock_says_so(
    twilio: Client, world: World, office: Office, clock: Clock
) -> None:
    world.configure({"callback_delay": 30})
    await create(twilio, status_callback=f"{office.url}/status")
    assert await world.idle()
    assert office.statuses() == []
    assert world.next_at() == clock.now + timedelta(seconds=30)
    for expected in (["sent"], ["sent", "delivered"]):
        clock.move(seconds=30)
        await world.deliver()
        assert office.statuses() == expected


async def test_an_unknown_handset_is_accepted_and_then_undelivered(twilio: Client, world: World) -> None:
    message = await create(twilio, to="+12025550188")
    await world.deliver()
    fetched = await twilio.messages(message.sid).fetch_async()
    assert (fetched.status, fetched.error_code) == ("undelivered", 30005)
    assert world.ledger()[0]["reached"] is False


async def test_lists_are_filtered_and_paged_newest_first(twilio: Client, world: World, clock: Clock) -> None:
    world.add_sms("+12025550124", "Mr Zhou")
    for n in range(5):
        await create(twilio, body=f"day {n}")
        await create(twilio, to="+12025550124", body="other")
        await world.deliver()
        clock.move(days=1)
    start = clock.now - timedelta(days=5)

    async def bodies(**query: Any) -> list[str]:
        return [m.body for m in await twilio.messages.list_async(to=THEIRS, **query)]

    assert await bodies(page_size=2) == [f"day {n}" for n in (4, 3, 2, 1, 0)]
    assert await bodies(date_sent_after=start + timedelta(days=2, seconds=-1)) == ["day 4", "day 3", "day 2"]
    assert await bodies(date_sent_after=start + timedelta(days=2)) == ["day 4", "day 3", "day 2"]
    assert await bodies(date_sent_before=start + timedelta(days=1)) == ["day 1", "day 0"]
    assert await bodies(date_sent=(start + timedelta(days=3)).date()) == ["day 3"]
    assert len(await twilio.messages.list_async(from_=OURS)) == 10
    assert await twilio.messages.list_async(date_sent=date(2020, 1, 1)) == []


async def test_a_page_stays_where_it_was_when_new_texts_arrive(near: httpx.AsyncClient) -> None:
    for n in range(4):
        await near.post(LIST, data={"To": THEIRS, "From": OURS, "Body": f"{n}"})
    first = (await near.get(LIST, params={"PageSize": 2})).json()
    await near.post(LIST, data={"To": THEIRS, "From": OURS, "Body": "new"})
    second = (await near.get(first["next_page_uri"])).json()
    assert [m["body"] for m in first["messages"] + second["messages"]] == ["3", "2", "1", "0"]
    assert second["next_page_uri"] is None


async def test_a_lagging_list_shows_new_texts_later(twilio: Client, world: World, clock: Clock) -> None:
    world.configure({"list_lag": 60})
    await create(twilio)
    assert await twilio.messages.list_async() == []
    clock.move(seconds=60)
    assert len(await twilio.messages.list_async()) == 1


async def test_texts_can_be_redacted_and_deleted(twilio: Client, world: World) -> None:
    message = await create(twilio)
    assert (await twilio.messages(message.sid).update_async(body="")).body == ""
    with pytest.raises(TwilioRestException):
        await twilio.messages(message.sid).update_async(status="canceled")
    assert await twilio.messages(message.sid).delete_async()
    with pytest.raises(TwilioRestException):
        await twilio.messages(message.sid).fetch_async()
    assert world.ledger()[0]["text"] == "hello"


async def test_many_texts_at_once_all_arrive_and_all_are_reported(
    twilio: Client, world: World, office: Office
) -> None:
    url = f"{office.url}/status"
    await asyncio.gather(*(create(twilio, body=str(n), status_callback=url) for n in range(20)))
    assert await world.idle()
    assert len(world.ledger()) == 20
    assert len({form["MessageSid"] for _, form, _ in office.heard}) == 20
    assert len(office.heard) == 40
