"""Does every fault do exactly what it says, as often as it says?"""

from typing import Any

import httpx
import pytest
from starlette.responses import Response
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from reminder.sandbox import ChaosError, World
from tests.sandbox.conftest import ACCOUNT, OURS, THEIRS, TOKEN, WANG, Office

LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


async def text(http: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await http.post(LIST, data={"To": THEIRS, "From": OURS, "Body": "hello"} | more)


def fired(world: World) -> dict[str, int]:
    counts: dict[str, int] = world.chaos_state()["fired"]
    return counts


@pytest.mark.parametrize(
    ("fault", "error", "arrived"),
    [
        ({"kind": "refuse"}, BadRequest, 0),
        ({"kind": "refuse", "status": 403, "description": "Forbidden: user is deactivated"}, Forbidden, 0),
        ({"kind": "blocked"}, Forbidden, 0),
        ({"kind": "flood", "retry_after": 7}, RetryAfter, 0),
        ({"kind": "fail"}, NetworkError, 0),
        ({"kind": "fail", "how": "500"}, TelegramError, 0),
        ({"kind": "fail", "how": "502"}, NetworkError, 0),
        ({"kind": "lose"}, NetworkError, 1),
        ({"kind": "lose", "how": "500"}, TelegramError, 1),
        ({"kind": "lose", "how": "garbage"}, TelegramError, 1),
        ({"kind": "lose", "how": "hang"}, TimedOut, 1),
        ({"kind": "twice"}, None, 2),
        ({"kind": "delay", "ms": 1}, None, 1),
    ],
)
async def test_a_telegram_fault_strikes_once_and_the_ledger_knows_the_truth(
    bot: Bot, world: World, fault: dict[str, Any], error: type[Exception] | None, arrived: int
) -> None:
    world.chaos({"channel": "telegram", **fault})
    if error:
        with pytest.raises(error) as raised:
            await bot.send_message(WANG, "hello", read_timeout=0.3)
        if fault["kind"] == "flood":
            assert raised.value.retry_after.total_seconds() == 7  # type: ignore[attr-defined]
        if fault.get("how", "drop") == "drop" and fault["kind"] in ("fail", "lose"):
            assert isinstance(raised.value.__cause__, httpx.RemoteProtocolError | httpx.ReadError)
    else:
        await bot.send_message(WANG, "hello")
    assert len(world.ledger()) == arrived
    assert fired(world) == {f"telegram.{fault['kind']}": 1}
    await bot.send_message(WANG, "again")
    assert len(world.ledger()) == arrived + 1


@pytest.mark.parametrize(
    ("fault", "status", "arrived"),
    [
        ({"kind": "refuse", "code": 21408, "status": 403}, 403, 0),
        ({"kind": "refuse", "status": 503}, 503, 0),
        ({"kind": "flood"}, 429, 0),
        ({"kind": "fail", "how": "500"}, 500, 0),
        ({"kind": "lose", "how": "500"}, 500, 1),
        ({"kind": "twice"}, 201, 2),
    ],
)
async def test_an_sms_fault_strikes_once_and_the_ledger_knows_the_truth(
    http: httpx.AsyncClient, world: World, fault: dict[str, Any], status: int, arrived: int
) -> None:
    world.chaos({"channel": "sms", **fault})
    assert (await text(http)).status_code == status
    assert len(world.ledger()) == arrived
    assert (await text(http)).status_code == 201


async def test_a_lost_answer_still_brings_its_callbacks(
    http: httpx.AsyncClient, world: World, office: Office
) -> None:
    world.chaos({"channel": "sms", "kind": "lose", "how": "drop"})
    with pytest.raises(httpx.RemoteProtocolError):
        await text(http, StatusCallback=f"{office.url}/status?m=1")
    assert await world.idle()
    assert office.statuses() == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ({"kind": "undeliver"}, ["sent", "undelivered"]),
        ({"kind": "undeliver", "status": "failed", "code": 30008}, ["failed"]),
        ({"kind": "lose_callback"}, ["delivered"]),
        ({"kind": "repeat_callback"}, ["sent", "sent", "delivered"]),
    ],
)
async def test_delivery_and_callbacks_go_wrong_as_asked(
    http: httpx.AsyncClient, world: World, office: Office, fault: dict[str, Any], statuses: list[str]
) -> None:
    world.chaos({"channel": "sms", **fault})
    await text(http, StatusCallback=f"{office.url}/status")
    await world.deliver()
    assert office.statuses() == statuses
    codes = [form.get("ErrorCode") for _, form, _ in office.heard][-1]
    expected = {"undelivered": "30003", "failed": "30008"}.get(statuses[-1])
    assert codes == expected


async def test_times_probability_and_addressee_are_obeyed(near: httpx.AsyncClient, world: World) -> None:
    world.chaos({"channel": "sms", "kind": "refuse", "times": 2, "to": "+12025550124"})
    world.chaos({"channel": "sms", "kind": "flood", "probability": 0.0})
    assert [(await text(near)).status_code for _ in range(3)] == [201] * 3
    assert [(await text(near, To="+12025550124")).status_code for _ in range(3)] == [400, 400, 201]
    world.chaos({"clear": True})
    world.chaos({"channel": "sms", "kind": "flood", "probability": 0.5})
    struck = [(await text(near)).status_code for _ in range(40)].count(429)
    assert 5 < struck < 35


async def test_a_fault_may_name_its_methods(near: httpx.AsyncClient, world: World) -> None:
    world.chaos({"channel": "sms", "kind": "refuse", "status": 500, "on": ["list"]})
    assert (await text(near)).status_code == 201
    assert (await near.get(LIST)).status_code == 500
    world.chaos({"channel": "telegram", "kind": "refuse", "status": 401, "on": ["getMe"]})
    assert (await near.get(f"/bot{TOKEN}/getMe")).status_code == 401


async def test_a_refusal_of_the_api_is_told_even_if_its_answer_was_to_be_lost(
    near: httpx.AsyncClient, world: World
) -> None:
    for channel in ("sms", "telegram"):
        world.chaos({"channel": channel, "kind": "lose", "how": "500"})
    assert (await text(near, To="nonsense")).json()["code"] == 21211
    refused = await near.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": WANG, "text": ""})
    assert refused.json()["error_code"] == 400


@pytest.mark.parametrize(
    "wish",
    [
        {"channel": "fax", "kind": "flood"},
        {"channel": "sms", "kind": "earthquake"},
        {"channel": "sms", "kind": "fail", "how": "loudly"},
        {"channel": "sms", "kind": "fail", "times": "many"},
        {"channel": "sms", "kind": "fail", "probability": 2},
        {"channel": "sms", "kind": "fail", "on": "create"},
        {"channel": "sms", "kind": "fail", "colour": "red"},
    ],
)
async def test_a_fault_nobody_can_plan_is_refused_in_words(
    near: httpx.AsyncClient, world: World, wish: dict[str, Any]
) -> None:
    with pytest.raises(ChaosError):
        world.chaos(wish)
    answer = await near.post("/sim/chaos", json=wish)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert world.chaos_state()["planned"] == []


async def test_an_office_that_is_down_does_not_stop_the_others(
    http: httpx.AsyncClient, world: World, office: Office
) -> None:
    office.answers = [Response(status_code=500)] * 4
    await text(http, StatusCallback=f"{office.url}/a")
    await text(http, StatusCallback="http://127.0.0.1:9/b")
    await text(http, StatusCallback=f"{office.url}/c")
    assert await world.idle()
    assert [path for path, _, _ in office.heard].count("/c") == 2
