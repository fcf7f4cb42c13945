"""Providers' limits are kept, one chat's flood is its own, and a provider that is down is left alone."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.dispatch import dispatch, dispatch_sms, dispatch_telegram
from jobs.remind import remind
from reminder.actions import entries as visits
from reminder.actions.direct import tell
from reminder.channels.memory import Mishap, lose, refuse
from reminder.domain.breakers import OPENS_AFTER, PAUSES, Position
from reminder.domain.messages import NotSent, Refusal
from reminder.domain.people import Channel
from reminder.domain.rates import Rate, Rates
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import cases, people, reminders
from reminder.store import residents as parties
from reminder.valves import new_valves
from tests.actions.acting import (
    FRIDAY,
    act,
    after,
    chat,
    moment,
    rows,
    settle,
    sms,
    tasks,
    texts,
    until,
    visited_case,
)
from tests.office import LI, STAFF, a_case, clock_of, pass_time, person, read, write

WAIT = timedelta(seconds=40)
FLOOD = Mishap(news=NotSent(reason="flood", retry_after=WAIT))


async def post(rt: Runtime, who: str, n: int = 1, mark: str = "") -> None:
    """`n` messages to a colleague, due now."""
    reader, now = await person(rt, who), rt.clock.now()

    async def put(tx: Any) -> None:
        for i in range(n):
            key = f"test:{mark}:{who}:{i}"
            detail = {"n": 1, "lines": f"{mark}{i}"}
            assert await tell(tx, rt.desk, reader, "gaps", key=key, at=now, detail=detail)

    await write(rt, put)


def got(rt: Runtime, who: str) -> list[str]:
    """Last characters of what a colleague's phone has received."""
    return [r.text[-2:] for r in chat(rt).ledger if r.message.to == str(STAFF[who].chat)]


async def waiting(rt: Runtime) -> int:
    return sum(row.state is State.PLANNED for row in await rows(rt))


# --- rates ------------------------------------------------------------------------------------


def limited(rt: Runtime, **rates: Rates) -> None:
    rt.valves.update(new_valves({Channel(name): rate for name, rate in rates.items()}))


@pytest.mark.failure(9)
async def test_one_chat_hears_once_a_second_in_order_and_the_others_do_not_wait(rt: Runtime) -> None:
    limited(rt, telegram=Rates(channel=Rate(most=27, per=1), chat=Rate(most=1, per=1)))
    await post(rt, "chen", 40)
    await post(rt, "wang", 1)
    assert await dispatch_telegram(rt) == 2
    assert (len(got(rt, "chen")), len(got(rt, "wang"))) == (1, 1)
    for second in range(2, 41):
        pass_time(rt, seconds=0.5)
        assert await dispatch_telegram(rt) == 0
        pass_time(rt, seconds=0.5)
        assert await dispatch_telegram(rt) == 1
        assert len(got(rt, "chen")) == second
    assert [int(text.strip("。· ")) for text in got(rt, "chen")] == list(range(40))


async def test_a_group_hears_twenty_times_a_minute(rt: Runtime) -> None:
    limited(rt, telegram=Rates(channel=Rate(most=27, per=1), group=Rate(most=20, per=60)))
    who = await person(rt, "chen")
    await write(rt, lambda tx: people.update(tx, who.id, chat_id=-1001))
    await post(rt, "chen", 25)
    for _ in range(59):
        await dispatch_telegram(rt)
        pass_time(rt, seconds=1)
    assert len(chat(rt).ledger) == 20
    pass_time(rt, seconds=1)
    await dispatch_telegram(rt)
    assert len(chat(rt).ledger) == 25


@pytest.mark.failure(9)
async def test_a_channel_lets_no_more_through_than_its_rate_and_loses_nothing(rt: Runtime) -> None:
    limited(rt, telegram=Rates(channel=Rate(most=3, per=1)))
    for who in STAFF:
        await post(rt, who)
    sent = []
    while await waiting(rt):
        sent.append(await dispatch_telegram(rt))
        pass_time(rt, seconds=1)
    assert sent == [3, 3, 2]


async def test_a_sending_number_carries_one_text_a_second(rt: Runtime) -> None:
    limited(rt, sms=Rates(channel=Rate(most=1, per=1)))
    for n in range(3):
        await a_case(rt, phones=(f"+120255501{n:02}",))
    clock_of(rt).advance(timedelta(seconds=31))
    await remind(rt)
    due = await waiting_texts(rt)
    assert due >= 3
    assert [await dispatch_sms(rt), await dispatch_sms(rt)] == [1, 0]
    pass_time(rt, seconds=1)
    assert await dispatch_sms(rt) == 1


async def waiting_texts(rt: Runtime) -> int:
    return sum(r.state is State.PLANNED and r.channel == "sms" for r in await rows(rt))


async def test_without_rates_an_instant_ends_at_once(rt: Runtime) -> None:
    await post(rt, "chen", 40)
    assert await dispatch(rt) == 40


# --- 429 --------------------------------------------------------------------------------------


@pytest.mark.failure(9)
async def test_a_flood_is_obeyed_for_that_chat_alone(rt: Runtime) -> None:
    await post(rt, "chen", 3)
    await post(rt, "wang", 3)
    chat(rt).script.append(FLOOD)  # the first call is to chen
    await dispatch_telegram(rt)
    assert (len(got(rt, "chen")), len(got(rt, "wang"))) == (0, 3)
    pass_time(rt, seconds=39)
    assert await dispatch_telegram(rt) == 0
    pass_time(rt, seconds=1)
    assert await dispatch_telegram(rt) == 3
    assert [text[-1] for text in got(rt, "chen")] == ["0", "1", "2"]


async def test_three_chats_slowed_down_at_once_mean_the_whole_channel(rt: Runtime) -> None:
    for who in ("chen", "wang", "lin"):
        await post(rt, who)
    chat(rt).script.extend([FLOOD] * 3)
    await dispatch_telegram(rt)
    await post(rt, "he")
    pass_time(rt, seconds=39)
    assert await dispatch_telegram(rt) == 0
    assert got(rt, "he") == []
    pass_time(rt, seconds=1)
    assert await dispatch_telegram(rt) == 4


async def test_a_text_slowed_down_means_the_whole_account(rt: Runtime) -> None:
    await a_case(rt)
    await a_case(rt, phones=("+12025550143",))
    rt.valves[Channel.SMS].heard(LI, NotSent(reason="http_429", retry_after=WAIT), rt.clock.now())
    clock_of(rt).advance(timedelta(seconds=31))
    await remind(rt)
    assert await dispatch_sms(rt) == 0
    pass_time(rt, seconds=9)
    assert await dispatch_sms(rt) >= 2


# --- the breaker ------------------------------------------------------------------------------


@pytest.mark.failure(9)
async def test_after_failures_one_after_another_the_channel_rests_and_one_message_tries(rt: Runtime) -> None:
    rest = 12
    await post(rt, "chen", OPENS_AFTER + rest)
    chat(rt).script.extend([lose()] * (OPENS_AFTER + 1))
    assert await dispatch_telegram(rt) == OPENS_AFTER
    assert rt.valves[Channel.TELEGRAM].breaker.position(rt.clock.now()) is Position.OPEN
    assert "does not answer" in rt.stopped()[0]
    assert await waiting(rt) == rest
    pass_time(rt, seconds=29)
    assert await dispatch_telegram(rt) == 0
    pass_time(rt, seconds=1)
    for who in ("wang", "lin", "he"):
        await post(rt, who)  # the trial is one message, however many wait
    assert await dispatch_telegram(rt) == 1
    assert chat(rt).ledger == []
    pass_time(rt, seconds=PAUSES[1].total_seconds() - 1)
    assert await dispatch_telegram(rt) == 0
    pass_time(rt, seconds=1)
    assert await dispatch_telegram(rt) == rest - 1 + 3
    assert rt.stopped() == []


async def test_while_the_channel_rests_what_comes_too_late_ends_missed_and_is_somebodys_task(
    rt: Runtime,
) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    clock_of(rt).advance(timedelta(seconds=31))
    await remind(rt)
    for _ in range(OPENS_AFTER):
        rt.valves[Channel.SMS].heard(LI, refuse_account(), rt.clock.now())
    before = len(texts(rt))
    sms(rt).refused[LI] = refuse_account()
    await until(rt, moment("2026-11-27", "10:00"))
    (offer,) = [row for row in await rows(rt, "visit_offer") if row.case_id == case_id]
    assert (offer.state, offer.reason) == (State.MISSED, "useless")
    assert len(texts(rt)) == before
    assert "visit_offer" in [task["kind"] for task in await tasks(rt, case_id)]


def refuse_account() -> Any:
    return refuse(Refusal.CONFIG, "20003").news


@pytest.mark.failure(40)
async def test_a_refused_account_stops_the_channel_and_the_admins_hear_once(rt: Runtime) -> None:
    sms(rt).refused[LI] = refuse_account()
    await a_case(rt)
    await until(rt, moment("2026-11-23", "12:00"))
    told = [r.text for r in chat(rt).ledger if "20003" in r.text]
    assert len(told) == 1
    assert "refuses our account (20003)" in rt.stopped()[0]
    assert texts(rt) == []
    del sms(rt).refused[LI]
    await after(rt, minutes=15)
    assert rt.stopped() == []
    assert len(texts(rt)) >= 1


@pytest.mark.failure(11)
async def test_the_other_channel_does_not_care(rt: Runtime) -> None:
    for _ in range(OPENS_AFTER):
        rt.valves[Channel.SMS].heard(LI, lose().news, rt.clock.now())  # type: ignore[arg-type]
    await post(rt, "chen", 3)
    assert await dispatch(rt) == 3


# --- the same words again ---------------------------------------------------------------------


@pytest.mark.parametrize("other", [False, True])
async def test_the_same_words_to_one_number_a_fourth_time_within_a_day_are_stopped(
    rt: Runtime, other: bool
) -> None:
    """Whatever keys a fault of ours may give them. Other words to the same number go."""
    case_id = await visited_case(rt)
    (phone,) = (await read(rt, lambda tx: phones_of(tx, rt, case_id)))[:1]
    before = len(texts(rt))
    kinds = ["opt_in_ok"] * 3 + (["opt_out_ok"] if other else ["opt_in_ok"])

    async def put(tx: Any) -> None:
        for n, kind in enumerate(kinds):
            await reminders.add(
                tx,
                key=f"reply:fault:{n}",  # answers are not counted by the daily cap
                detail={"alt": "书面"},
                case_id=case_id,
                resident_id=phone[0],
                phone_id=phone[1],
                channel="sms",
                kind=kind,
                due_at=rt.clock.now(),
                send_after=rt.clock.now(),
                state="planned",
            )

    await write(rt, put)
    await settle(rt)
    assert len(texts(rt)) == before + (4 if other else 3)
    stopped = [row for row in await rows(rt, *kinds) if row.state is State.SUPPRESSED]
    assert [row.reason for row in stopped] == ([] if other else ["repeat_breaker"])
    assert ("opt_in_ok" in [task["kind"] for task in await tasks(rt, case_id)]) is not other


async def phones_of(tx: Any, rt: Runtime, case_id: int) -> list[tuple[int, int]]:
    (resident,) = (await cases.parties(tx, [case_id]))[case_id]
    held = await parties.phones(tx, rt.desk.sealer, [resident])
    return [(resident, phone.id) for phone in held[resident]]


async def test_the_words_of_yesterday_do_not_count(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    (phone,) = (await read(rt, lambda tx: phones_of(tx, rt, case_id)))[:1]
    before = len(texts(rt))

    async def put(tx: Any, n: int) -> None:
        values = {"resident_id": phone[0], "phone_id": phone[1], "channel": "sms", "kind": "opt_in_ok"}
        now = rt.clock.now()
        await reminders.add(
            tx, key=f"reply:f:{n}", case_id=case_id, due_at=now, send_after=now, state="planned", **values
        )

    for n in range(4):
        await write(rt, lambda tx, n=n: put(tx, n))
        await settle(rt)
        await after(rt, hours=8, minutes=1)
    assert len({(r.at, r.text) for r in texts(rt)[before:]}) >= 4
    assert not [row for row in await rows(rt, "opt_in_ok") if row.state is State.SUPPRESSED]
