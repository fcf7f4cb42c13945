"""Does the sandbox keep its own books, for drivers inside the process and over HTTP?"""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reminder.sandbox import ControlError, World, app_of
from tests.sandbox.conftest import ACCOUNT, AUTH, OURS, THEIRS, TOKEN, WANG, Clock

LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


def fresh(clock: Clock, **more: Any) -> World:
    world = World(now=clock, bot_token=TOKEN, account_sid=ACCOUNT, auth_token=AUTH, **more)
    world.add_telegram(WANG, "Wang Min", started=True)
    world.add_sms(THEIRS, "Ms Li")
    return world


async def a_morning(world: World) -> None:
    """A few messages each way."""
    transport = httpx.ASGITransport(app_of(world))
    async with httpx.AsyncClient(base_url="http://near", auth=(ACCOUNT, AUTH), transport=transport) as http:
        keys = {"inline_keyboard": [[{"text": "Done", "callback_data": "d"}]]}
        await http.post(
            f"/bot{TOKEN}/sendMessage", json={"chat_id": WANG, "text": "办", "reply_markup": keys}
        )
        world.press(WANG, 1, "d")
        await http.post(f"/bot{TOKEN}/pinChatMessage", json={"chat_id": WANG, "message_id": 1})
        await http.post(LIST, data={"To": THEIRS, "From": OURS, "Body": "hello"})
        world.reply(THEIRS, "1")
        world.write(WANG, "/today")
        await world.deliver()


async def test_the_same_seed_and_order_give_the_same_transcript_to_the_byte(
    clock: Clock, tmp_path: Path
) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        world = fresh(clock, seed=seed, ledger_path=tmp_path / name)
        await a_morning(world)
        world.close()
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
    assert len(a.splitlines()) == 6


async def test_a_second_run_on_the_same_ledger_goes_on_where_the_first_stopped(
    clock: Clock, tmp_path: Path
) -> None:
    first = fresh(clock, ledger_path=tmp_path / "ledger")
    await a_morning(first)
    first.close()
    whole = (tmp_path / "ledger").read_bytes()
    (tmp_path / "ledger").write_bytes(whole + b'{"seq": 99, "cut sho')
    second = fresh(clock, ledger_path=tmp_path / "ledger")
    assert [b["text"] for b in second.thread(f"telegram:{WANG}")] == ["办", "/today"]
    assert [b["text"] for b in second.thread(f"sms:{THEIRS}")] == ["hello", "1"]
    assert second.thread(f"telegram:{WANG}")[0]["pinned"]
    pressed = second.press(WANG, 1, "Done")
    assert pressed["update_id"] == 700_000_003
    assert second.write(WANG, "again")["message"]["message_id"] == 3
    assert second.reply(THEIRS, "2")["sid"] not in {b["id"] for b in first.thread(f"sms:{THEIRS}")}
    assert [row["seq"] for row in second.ledger(everything=True)] == [7, 8, 9]
    second.close()
    assert (tmp_path / "ledger").read_bytes().startswith(whole + b'{"seq":7,')


async def test_a_phone_shows_its_own_messages_and_no_deleted_one(clock: Clock) -> None:
    world, other = fresh(clock), "+12025550151"
    world.add_sms(other, "Mr Zhao")
    await a_morning(world)
    world.reply(other, "who is this?")
    assert [b["text"] for b in world.thread(f"sms:{other}")] == ["who is this?"]
    first = world.thread(f"sms:{THEIRS}")[0]
    world.sms.delete(first["id"])
    assert [b["text"] for b in world.thread(f"sms:{THEIRS}")] == ["1"]
    assert world.thread("sms:+12025550199") == world.thread("telegram:404") == []
    assert set(world.snapshot()["threads"]) == {f"telegram:{WANG}", f"sms:{THEIRS}", f"sms:{other}"}
    assert [b["text"] for b in world.pinned(f"telegram:{WANG}")] == ["办"]
    assert world.pinned(f"sms:{THEIRS}") == []


async def test_the_ledger_is_on_the_disk_before_anyone_is_answered(clock: Clock, tmp_path: Path) -> None:
    world = fresh(clock, ledger_path=tmp_path / "ledger")
    await a_morning(world)
    rows = [json.loads(line) for line in (tmp_path / "ledger").read_text("utf-8").splitlines()]
    assert rows == world.ledger(everything=True)
    assert [row["by"] for row in rows] == ["office", "phone", "office", "office", "phone", "phone"]
    assert [row["type"] for row in world.ledger()] == ["message", "pin", "message"]
    world.close()


async def test_a_driver_can_do_over_http_what_it_can_do_inside(near: httpx.AsyncClient) -> None:
    phones = {"telegram": [{"id": 8, "name": "Zhao", "started": True}], "sms": [{"number": "+12025550150"}]}
    cards = (await near.post("/sim/phones", json=phones)).json()
    assert cards == (await near.get("/sim/phones")).json()
    assert {card["phone"] for card in cards} >= {"telegram:8", "sms:+12025550150"}
    keys = {"inline_keyboard": [[{"text": "Done", "callback_data": "d"}]]}
    await near.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": 8, "text": "办", "reply_markup": keys})
    acts: list[tuple[str, dict[str, Any]]] = [
        ("press", {"user": 8, "message_id": 1, "label": "Done"}),
        ("press", {"user": 8, "message_id": 1, "data": "d"}),
        ("write", {"user": 8, "text": "/start abc"}),
        ("file", {"user": 8, "name": "a.csv", "content": base64.b64encode(b"1,2").decode()}),
        ("reply", {"number": "+12025550150", "body": "1"}),
        ("block", {"user": 8}),
        ("block", {"user": 8, "on": False}),
    ]
    for name, fields in acts:
        answer = await near.post(f"/sim/{name}", json=fields)
        assert answer.status_code == 200, answer.text
    await near.post("/sim/file", data={"user": "8"}, files={"file": ("b.csv", b"3", "text/csv")})
    lines = (await near.get("/sim/ledger", params={"after": 1, "all": 1})).text.splitlines()
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds == ["press", "press", "write", "file", "reply", "block", "unblock", "file"]
    assert (await near.get("/sim/ledger")).text.count("\n") == 1
    state = (await near.get("/sim/idle")).json()
    assert (state["idle"], state["callbacks"], state["updates"]) == (False, 0, 7)
    assert (await near.post("/sim/reset")).json() == {"ok": True}
    assert (await near.get("/sim/phones")).json() == []
    assert (await near.get("/sim/idle")).json()["idle"]


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("press", {"user": WANG, "message_id": 5, "data": "d"}),
        ("press", {"user": WANG}),
        ("press", {"user": WANG, "key": "no such key"}),
        ("write", {"user": 404, "text": "hello"}),
        ("write", {"user": WANG}),
        ("reply", {"number": "+12025550166", "body": "1"}),
        ("reply", {"number": THEIRS, "body": ""}),
        ("file", {"user": WANG, "name": "a", "content": "not base64!"}),
        ("block", {"user": WANG, "why": "whim"}),
        ("phones", {"telegram": [{"name": "nobody"}]}),
        ("phones", {"sms": [{"number": "12"}]}),
        ("config", {"limits": {"speed": 1}}),
    ],
)
async def test_what_no_phone_can_do_is_a_400_in_words(
    near: httpx.AsyncClient, world: World, act: str, fields: dict[str, Any]
) -> None:
    answer = await near.post(f"/sim/{act}", json=fields)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert world.ledger(everything=True) == []


async def test_a_phone_that_blocked_the_bot_cannot_write_to_it(world: World) -> None:
    world.block(WANG)
    with pytest.raises(ControlError, match="blocked"):
        world.write(WANG, "hello")
    world.write(WANG, "/start")


async def test_a_group_takes_messages_without_pressing_start(near: httpx.AsyncClient, world: World) -> None:
    world.add_telegram(-100200, "Liuxi township")
    answer = await near.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": -100200, "text": "weekly"})
    assert answer.json()["result"]["chat"]["type"] == "supergroup"


@pytest.fixture
async def stream(world: World) -> AsyncIterator[AsyncIterator[str]]:
    stream = world.stage.feed.stream(world.snapshot)
    yield stream
    await stream.aclose()  # type: ignore[attr-defined]


async def test_an_open_page_gets_a_snapshot_and_then_every_event(
    stream: AsyncIterator[str], world: World
) -> None:
    hello = await anext(stream)
    assert "event: snapshot" in hello
    assert "Wang Min" in hello
    world.write(WANG, "早")
    news = await anext(stream)
    kind, data = news.strip().split("\n")
    assert kind == "event: bubble"
    assert json.loads(data.removeprefix("data: "))["text"] == "早"
    world.close()
    assert [event async for event in stream] == []


async def test_news_is_drawn_only_for_who_watches(stream: AsyncIterator[str], world: World) -> None:
    drawn: list[int] = []
    world.stage.feed.tell("bubble", lambda: drawn.append(1))
    assert drawn == []
    await anext(stream)
    world.stage.feed.tell("bubble", lambda: drawn.append(2))
    assert "bubble" in await anext(stream)
    assert drawn == [2]
