"""What a resident writes has its effect once, is heeded before anything else, and tells strangers nothing."""

from datetime import timedelta

import pytest

from jobs.inbox import deal
from jobs.remind import remind
from reminder.actions import entries as visits
from reminder.channels.base import Inbound
from reminder.channels.memory import fail_before
from reminder.domain.messages import (
    Accepted,
    Declined,
    Refusal,
)
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import entries, inbox, people
from tests.actions.acting import (
    FRIDAY,
    THURSDAY,
    act,
    after,
    broken,
    chat,
    closed,
    dump,
    entry,
    flying,
    moment,
    offered,
    row_of,
    rows,
    send_in,
    settle,
    sms,
    sound,
    states,
    tasks,
    tell,
    texts,
    until,
    visited_case,
)
from tests.office import LI, a_case, clock_of, person, read, write

STRANGER = "+12025550166"


TAKEN = Accepted(provider_id="SM9")


async def test_a_letter_read_twice_has_its_effect_once(rt: Runtime) -> None:
    case_id, _ = await offered(rt)
    await send_in(rt, LI, "2", sid="SMin1")
    before = await dump(rt)
    await send_in(rt, LI, "2", sid="SMin1")
    assert await dump(rt) == before
    assert (await entry(rt, case_id, "visit")).note == "other_day"


async def test_a_letter_two_readers_hold_at_once_has_its_effect_once(rt: Runtime) -> None:
    case_id, _ = await offered(rt)
    content = {"from": LI, "to": rt.desk.sender, "body": "什么时候来"}
    at = clock_of(rt).now()
    await write(
        rt,
        lambda tx: inbox.keep(tx, rt.desk.sealer, source="sms", external_id="SMin", content=content, at=at),
    )
    (letter,) = await read(rt, lambda tx: inbox.waiting(tx, rt.desk.sealer, 5))
    await deal(rt, letter)
    before = await dump(rt)
    await deal(rt, letter)
    assert await dump(rt) == before
    assert [task["what"] for task in await tasks(rt, case_id)] == ["read_reply"]


@pytest.mark.failure(18)
async def test_a_text_whose_webhook_was_lost_is_found_in_the_providers_log(rt: Runtime) -> None:
    case_id, _ = await offered(rt)
    lost = Inbound(
        provider_id="SMin7", sender=LI, to=rt.desk.sender, body="1", received_at=clock_of(rt).now()
    )
    sms(rt).inbox.append(lost)
    await after(rt, minutes=1)
    clock_of(rt).advance(timedelta(minutes=6))
    await settle(rt)
    assert (await entry(rt, case_id, "visit")).status.value == "confirmed"
    await send_in(rt, LI, "1", sid="SMin7")  # the webhook after all
    assert await tasks(rt, case_id) == []


@pytest.mark.failure(18)
async def test_a_stop_while_a_text_is_on_its_way_lets_it_arrive_and_no_other(rt: Runtime) -> None:
    reminder_id, token = await flying(rt)
    await send_in(rt, LI, "STOP")
    await tell(rt, token, TAKEN)
    assert (await row_of(rt, reminder_id)).state is State.SENT
    row = await row_of(rt, reminder_id)
    before = len([t for t in texts(rt) if "回0" not in t.text])
    assert row.case_id is not None
    visit = await entry(rt, row.case_id, "visit")
    await act(rt, "chen", visits.move, visit.id, FRIDAY)
    await after(rt, minutes=5)
    assert len([t for t in texts(rt) if "回0" not in t.text]) == before
    assert await states(rt, "visit_moved") == [("suppressed", "opted_out")]
    assert "visit_moved" in [task["kind"] for task in await tasks(rt, row.case_id)]


async def test_a_stop_whose_acknowledgement_is_refused_gives_nobody_a_call_to_make(
    rt: Runtime,
) -> None:
    case_id, _ = await offered(rt)
    sms(rt).refused[LI] = Declined(reason=Refusal.OPTED_OUT, code="21610")
    await send_in(rt, LI, "STOP")
    assert await states(rt, "opt_out_ok") == [("failed", "21610")]
    assert "opt_out_ok" not in [task.get("kind") for task in await tasks(rt, case_id)]


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
async def test_a_score_is_taken_once_and_a_low_one_is_listened_to(rt: Runtime, score: int) -> None:
    case_id = await closed(rt)
    await until(rt, moment("2026-11-25", "09:00"))
    await act(rt, "chen", visits.visited, (await entry(rt, case_id, "rv1")).id, "holds")
    await after(rt, minutes=2)
    assert await states(rt, "closed_rating") == [("sent", "")]
    await send_in(rt, LI, str(score))
    await send_in(rt, LI, "5", sid="again")
    kept = (await read(rt, lambda tx: entries.of(tx, [case_id])))[case_id]
    assert len([e for e in kept.values() if e.milestone == "lowscore"]) == (score <= 2)
    assert not await broken(rt)


async def test_a_case_number_is_answered_only_to_a_phone_of_that_case(rt: Runtime) -> None:
    plan = await a_case(rt)
    number = plan.row.case.number
    await send_in(rt, LI, number)
    assert [r.kind for r in await rows(rt) if r.key.startswith("reply:")] == ["status_answer"]
    await send_in(rt, STRANGER, number, sid="other")
    last = (await rows(rt))[-1]
    assert (last.kind, last.case_id) == ("unknown_sender", None)
    assert number not in texts(rt, STRANGER)[-1].text


async def test_a_machine_that_answers_our_answers_is_not_answered_for_ever(rt: Runtime) -> None:
    for number in range(12):
        await send_in(rt, STRANGER, f"auto {number}", sid=f"a{number}")
    assert len(texts(rt, STRANGER)) == 3, "the same words go three times a day at most"


async def test_who_no_longer_works_here_gets_nothing(rt: Runtime) -> None:
    chen = await person(rt, "chen")
    chat(rt).script.append(fail_before())
    await a_case(rt)
    await settle(rt)
    await write(rt, lambda tx: people.update(tx, chen.id, active=False))
    before = len(chat(rt).ledger)
    await after(rt, hours=1)
    assert not [r for r in chat(rt).ledger[before:] if r.message.to == str(chen.chat_id)]
    assert await states(rt, "new_case") == [("suppressed", "not_enrolled")]


async def test_the_handler_reads_what_a_resident_wrote_and_the_same_words_make_one_task(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id = plan.row.case.id
    for number, text in enumerate(["门口有狗，先打电话", "门口有狗，先打电话", "周五不在家"]):
        await send_in(rt, LI, text, sid=f"w{number}")
    said = [t["said"] for t in await tasks(rt, case_id)]
    assert said == ["门口有狗，先打电话", "周五不在家"]
    pushed = [row.message.text for row in chat(rt).ledger]
    assert [text for text in pushed if "“门口有狗，先打电话”" in text]


async def test_stop_and_start_are_confirmed_however_much_was_written_before(rt: Runtime) -> None:
    await a_case(rt)
    for number, text in enumerate(["a", "b", "c", "d", "e", "f", "0", "订阅"]):
        await send_in(rt, LI, text, sid=f"s{number}")
    kinds = [r.kind for r in await rows(rt) if r.key.startswith("reply:")]
    assert kinds[-2:] == ["opt_out_ok", "opt_in_ok"]


@pytest.mark.failure(17)
async def test_whoever_is_written_to_by_mistake_hears_no_more_of_the_case(rt: Runtime) -> None:
    """R6: the number is unlinked, a person looks for the right one, and nothing names anybody."""
    case_id, _ = await offered(rt)
    before = len(texts(rt))
    await send_in(rt, LI, "打错了")
    (answer,) = texts(rt)[before:]
    assert "没有查到这个号码登记的事项" in answer.text
    assert "李女士" not in answer.text
    assert {"what": "check_number", "said": "打错了"} in await tasks(rt, case_id)
    await act(rt, "chen", visits.confirm, (await entry(rt, case_id, "visit")).id)
    await until(rt, moment("2026-11-27", "12:00"))
    assert texts(rt)[before:] == [answer]
    assert ("suppressed", "no_phone") in await states(rt, "visit_tomorrow")
    await sound(rt)


@pytest.mark.failure(17)
async def test_a_text_on_its_way_to_a_number_given_up_meanwhile_does_not_leave(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    clock_of(rt).advance(timedelta(seconds=31))
    await remind(rt)
    before = len(texts(rt))
    await send_in(rt, LI, "wrong number")
    assert [r.message.text for r in texts(rt)[before:] if "11月26日" in r.message.text] == []
    assert await states(rt, "visit_offer") == [("suppressed", "no_phone")]
    assert "tell_resident" in {task["what"] for task in await tasks(rt, case_id)}
