"""Nothing is acknowledged that is not kept, nobody unknown gets in; an office that falls behind says so."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from jobs.heartbeat import heartbeat
from jobs.inbox import read_inbox
from jobs.reconcile import reconcile
from reminder.bot.hook import set_right
from reminder.domain.messages import NotSent, Unknown
from reminder.domain.people import Channel
from reminder.runtime import Runtime, Web
from reminder.store import inbox, residents
from reminder.web.app import web
from reminder.web.metrics import metrics
from reminder.web.telegram import BODY_BYTES, HEADER
from tests.actions.acting import after, chat, moment, rows, sms, tasks, until
from tests.office import LI, a_case, clock_of, read

PATH, SECRET = "/telegram/0123456789abcdef", "the-secret-of-the-hook"
URL = "https://office.example"


@pytest.fixture
def hooked(rt: Runtime) -> Runtime:
    return replace(rt, web=Web(public_url=URL, hook_path=PATH, hook_secret=SECRET))


def client(app: Any) -> httpx.AsyncClient:
    carrier = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=carrier, base_url=URL)


def update(number: int = 7, text: str = "/today") -> dict[str, Any]:
    who = {"id": 700004, "is_bot": False, "first_name": "C"}
    there = {"id": 700004, "type": "private"}
    message = {"message_id": number, "date": 1, "chat": there, "from": who, "text": text}
    return {"update_id": number, "message": message}


async def post(rt: Runtime, content: bytes, secret: str = SECRET) -> int:
    async with client(web(rt)) as door:
        return (await door.post(PATH, content=content, headers={HEADER: secret})).status_code


# --- Telegram's webhook --------------------------------------------------------------------------


async def test_an_update_that_is_posted_is_kept_before_it_is_acknowledged_and_answered_once(
    hooked: Runtime,
) -> None:
    body = json.dumps(update()).encode()
    assert [await post(hooked, body) for _ in range(3)] == [200, 200, 200]
    assert len(await read(hooked, lambda tx: inbox.waiting(tx, hooked.desk.sealer, 9))) == 1
    assert await read_inbox(hooked) == 1
    assert len([row for row in chat(hooked).ledger if row.message.to == "700004"]) == 1


@pytest.mark.parametrize("secret", ["", "x", SECRET + "x", SECRET[:-1], "\x7f"])
@pytest.mark.failure(15)
async def test_without_the_secret_nothing_is_read(hooked: Runtime, secret: str) -> None:
    assert await post(hooked, json.dumps(update()).encode(), secret) == 403
    assert await read(hooked, lambda tx: inbox.waiting(tx, hooked.desk.sealer, 9)) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"update_id": "7"}', b'{"update_id": -1}', b'{"update_id": 9e99}', b"[" * 100_000],
)
async def test_what_is_no_update_is_not_kept(hooked: Runtime, body: bytes) -> None:
    assert await post(hooked, body) == 400
    assert await read(hooked, lambda tx: inbox.waiting(tx, hooked.desk.sealer, 9)) == []


async def test_a_body_without_end_is_not_read_to_its_end(hooked: Runtime) -> None:
    long = json.dumps(update(text="x" * BODY_BYTES)).encode()
    assert await post(hooked, long) == 400


@pytest.mark.failure(2)
async def test_while_the_database_cannot_be_written_the_provider_is_asked_to_try_again(
    hooked: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hooked.db.close()
    monkeypatch.setattr(type(hooked.db), "write", lambda _self: (_ for _ in ()).throw(OSError("disk full")))
    assert await post(hooked, json.dumps(update()).encode()) == 503


async def test_an_office_that_asks_for_updates_has_no_such_door(rt: Runtime) -> None:
    assert await post(rt, b"{}") == 404


@pytest.mark.failure(37)
async def test_the_address_is_put_right_whoever_changed_it(hooked: Runtime) -> None:
    port = chat(hooked)
    await set_right(hooked, None, URL + PATH)
    assert (port.hook_url, port.hook_secret) == (URL + PATH, SECRET)
    port.hook_url = "https://elsewhere.example/"
    await set_right(hooked, None, URL + PATH)
    assert port.hook_url == URL + PATH
    await set_right(hooked, None, "")
    assert port.hook_url == ""


# --- health ----------------------------------------------------------------------------------------


async def ready(rt: Runtime) -> tuple[int, list[str]]:
    async with client(web(rt)) as door:
        answer = await door.get("/readyz")
    return answer.status_code, answer.json()["why"]


async def test_ready_means_the_heart_beats_and_nothing_waits_long(rt: Runtime) -> None:
    status, why = await ready(rt)
    assert (status, len(why)) == (503, 1)
    await heartbeat(rt)
    assert await ready(rt) == (200, [])
    clock_of(rt).advance(timedelta(minutes=1))
    status, why = await ready(rt)
    assert status == 503
    assert "timetable" in why[0]


@pytest.mark.failure(36)
async def test_work_that_waits_for_minutes_makes_the_office_not_ready(rt: Runtime) -> None:
    await a_case(rt)
    clock_of(rt).advance(timedelta(minutes=10))
    await heartbeat(rt)
    status, why = await ready(rt)
    assert status == 503
    assert "waiting" in why[0]
    await after(rt, minutes=0)
    await heartbeat(rt)
    assert (await ready(rt))[0] == 200


async def test_a_database_that_cannot_be_read_is_an_answer_too(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(rt.db), "read", lambda _self: (_ for _ in ()).throw(OSError("gone")))
    assert await ready(rt) == (503, ["the database cannot be read"])
    async with client(web(rt)) as door:
        assert (await door.get("/livez")).status_code == 200


@pytest.mark.failure(36)
async def test_the_watcher_hears_once_a_minute_and_nothing_while_we_fall_behind(rt: Runtime) -> None:
    heard: list[int] = []

    async def watcher() -> None:
        heard.append(1)

    watched = replace(rt, watcher=watcher)
    await heartbeat(watched)
    await heartbeat(watched)
    assert len(heard) == 1
    await a_case(rt)
    clock_of(rt).advance(timedelta(minutes=10))
    await heartbeat(watched)
    assert len(heard) == 1
    await after(rt, minutes=0)
    await heartbeat(watched)
    assert len(heard) == 2


@pytest.mark.failure(33)
async def test_meters_are_numbers_about_nobody(rt: Runtime) -> None:
    await a_case(rt)
    await after(rt, minutes=5)
    await heartbeat(rt)
    async with client(metrics(rt)) as door:
        said = (await door.get("/metrics")).text
    assert 'reminder_calls_total{channel="sms",outcome="accepted"} 2.0' in said
    assert "reminder_lag_seconds 0.0" in said
    assert "reminder_ready 1.0" in said
    assert "reminder_cases_under_way 1.0" in said
    assert 'reminder_breaker{channel="sms"} 0.0' in said
    for canary in (LI[-7:], "李", "河湾", "陈立文"):
        assert canary not in said


async def test_a_provider_that_is_down_shows_in_the_meters(rt: Runtime) -> None:
    for _ in range(20):
        rt.valves[Channel.SMS].heard(LI, NotSent(reason="connect"), rt.clock.now())
    async with client(metrics(rt)) as door:
        said = (await door.get("/metrics")).text
    assert 'reminder_breaker{channel="sms"} 2.0' in said
    assert 'reminder_breaker{channel="telegram"} 0.0' in said


# --- the provider's books ----------------------------------------------------------------------------


async def test_books_that_agree_are_worth_no_message(rt: Runtime) -> None:
    await a_case(rt)
    await until(rt, moment("2026-11-24", "09:00"))
    assert len(sms(rt).ledger) == 2
    assert await rows(rt, "reconciled") == []


@pytest.mark.failure(39)
async def test_what_stands_in_one_book_alone_is_told_to_the_admin_once(rt: Runtime) -> None:
    await a_case(rt)
    await after(rt, minutes=5)
    ghost = replace_id(sms(rt).ledger[0], "SMghost")
    sms(rt).ledger[0] = ghost
    await until(rt, moment("2026-11-24", "09:00"))
    (row,) = await rows(rt, "reconciled")
    assert (row.detail["n"], row.detail["m"]) == (1, 1)
    await reconcile(rt)
    assert len(await rows(rt, "reconciled")) == 1


def replace_id(row: Any, provider_id: str) -> Any:
    return replace(row, provider_id=provider_id)


async def test_a_log_that_cannot_be_read_is_read_later(rt: Runtime) -> None:
    await a_case(rt)
    await after(rt, minutes=5)
    sms(rt).ledger.clear()
    sms(rt).blind = Unknown(reason="deadline")
    await until(rt, moment("2026-11-24", "09:00"))
    assert await rows(rt, "reconciled") == []
    sms(rt).blind = None
    assert await reconcile(rt) == 1


async def test_a_status_whose_callback_was_lost_has_its_effect_the_next_day(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await after(rt, minutes=5)
    (row,) = await rows(rt, "accepted")
    sms(rt).fates[row.provider_id] = ("undelivered", "21610")
    await until(rt, moment("2026-11-24", "09:00"))
    (row,) = await rows(rt, "accepted")
    assert row.state.value == "undelivered"
    held = await read(rt, lambda tx: residents.phones(tx, rt.desk.sealer, [row.resident_id or 0]))
    assert [phone.opted_out for phone in held[row.resident_id or 0]] == [True]
    assert "accepted" in [task["kind"] for task in await tasks(rt, case_id)]
