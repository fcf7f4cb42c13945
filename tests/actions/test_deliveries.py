"""What the world says of a message may come late, twice and in any order, and sends nothing twice."""

from datetime import timedelta
from itertools import permutations

import pytest

from jobs.inbox import deal
from jobs.remind import remind
from reminder.actions import entries as visits
from reminder.actions.deliveries import BACKOFF, hear
from reminder.actions.dispatching import claim
from reminder.channels.base import Inbound
from reminder.channels.memory import Mishap, fail_before, lose, refuse
from reminder.domain.messages import (
    Accepted,
    Declined,
    Delivered,
    Failed,
    News,
    NotSent,
    Refusal,
    Undelivered,
    Unknown,
)
from reminder.domain.people import Channel
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import entries, inbox, people, reminders, residents
from reminder.store.reminders import Reminder
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
    moment,
    offered,
    receipt,
    rows,
    send_in,
    settle,
    sms,
    states,
    tasks,
    texts,
    until,
    visited_case,
)
from tests.office import LI, STAFF, a_case, clock_of, person, read, write

STRANGER = "+12025550166"


async def flying(rt: Runtime) -> tuple[int, str]:
    """A visit offer whose call is under way, nobody having answered yet: its row and its attempt."""
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    clock_of(rt).advance(timedelta(seconds=31))
    await remind(rt)
    async with rt.db.write() as tx:
        (outgoing,) = await claim(tx, rt.desk, Channel.SMS, 1)
    (row,) = await rows(rt, "visit_offer")
    assert row.state is State.SENDING
    return row.id, outgoing.token


async def tell(rt: Runtime, token: str, *news: News) -> None:
    for one in news:
        async with rt.db.write() as tx:
            await hear(tx, rt.desk, token, one)


async def row_of(rt: Runtime, reminder_id: int) -> Reminder:
    found = await read(rt, lambda tx: reminders.one(tx, reminder_id))
    assert found is not None
    return found


TAKEN, ARRIVED = Accepted(provider_id="SM9"), Delivered(provider_id="SM9")
RETURNED = Undelivered(provider_id="SM9", refusal=None, code="30005")


# --- receipts in any order -------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([TAKEN, TAKEN, ARRIVED, ARRIVED])))
async def test_receipts_may_come_early_twice_and_in_any_order(rt: Runtime, order: tuple[News, ...]) -> None:
    reminder_id, token = await flying(rt)
    await tell(rt, token, *order)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.provider_id) == (State.DELIVERED, "SM9")
    before = await dump(rt, "attempts")
    await tell(rt, token, *order)
    assert await dump(rt, "attempts") == before


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
async def test_the_providers_statuses_end_delivered_in_any_order(rt: Runtime, order: tuple[str, ...]) -> None:
    await offered(rt)
    (row,) = await rows(rt, "visit_offer")
    for status in [*order, *order]:
        await receipt(rt, row.provider_id, status, token=row.token or "")
    assert (await row_of(rt, row.id)).state is State.DELIVERED


async def test_a_receipt_before_the_answer_and_without_our_mark_is_joined_later(rt: Runtime) -> None:
    reminder_id, token = await flying(rt)
    await receipt(rt, "SM9", "delivered")
    assert (await row_of(rt, reminder_id)).state is State.SENDING
    await tell(rt, token, TAKEN)
    assert (await row_of(rt, reminder_id)).state is State.DELIVERED


async def test_delivered_never_goes_back(rt: Runtime) -> None:
    reminder_id, token = await flying(rt)
    late: list[News] = [
        RETURNED,
        Failed(provider_id="SM9", refusal=None, code="30003"),
        Unknown(reason="late"),
    ]
    await tell(rt, token, TAKEN, ARRIVED, *late, NotSent(reason="late"), TAKEN)
    assert (await row_of(rt, reminder_id)).state is State.DELIVERED


async def test_a_text_given_back_becomes_a_persons_task_and_frees_the_phone(rt: Runtime) -> None:
    reminder_id, token = await flying(rt)
    await tell(rt, token, TAKEN, RETURNED, RETURNED)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.reason) == (State.UNDELIVERED, "30005")
    assert row.case_id is not None
    assert [task["kind"] for task in await tasks(rt, row.case_id)].count("visit_offer") == 1
    await send_in(rt, LI, "1")  # nothing is asked any more
    assert (await entry(rt, row.case_id, "visit")).status.value == "proposed"


@pytest.mark.parametrize("early", [True, False])
async def test_a_refusal_in_a_receipt_is_kept_as_an_opt_out(rt: Runtime, early: bool) -> None:
    _, token = await flying(rt)
    stop = Undelivered(provider_id="SM9", refusal=Refusal.OPTED_OUT, code="21610")
    both: list[News] = [stop, TAKEN] if early else [TAKEN, stop]
    await tell(rt, token, *both)
    assert await read(rt, lambda tx: residents.is_out(tx, rt.desk.sealer, LI))


async def test_a_text_without_any_receipt_is_unknown_after_three_days(rt: Runtime) -> None:
    reminder_id, token = await flying(rt)
    await tell(rt, token, TAKEN)
    await after(rt, hours=71)
    assert (await row_of(rt, reminder_id)).state is State.SENT
    await after(rt, hours=2)
    assert (await row_of(rt, reminder_id)).state is State.UNKNOWN
    await receipt(rt, "SM9", "delivered", token=token)
    assert (await row_of(rt, reminder_id)).state is State.UNKNOWN


# --- attempts that are no longer the current one ---------------------------------------------


@pytest.mark.parametrize(
    "late",
    [TAKEN, NotSent(reason="x"), Unknown(reason="x"), RETURNED, Declined(reason=Refusal.BLOCKED, code="x")],
)
async def test_the_result_of_an_overtaken_attempt_changes_no_state(rt: Runtime, late: News) -> None:
    reminder_id, token = await flying(rt)
    await tell(rt, token, NotSent(reason="refused"))
    clock_of(rt).advance(timedelta(seconds=BACKOFF[0]))
    async with rt.db.write() as tx:
        (again,) = await claim(tx, rt.desk, Channel.SMS, 1)
    assert again.token != token
    await tell(rt, token, late)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.token) == (State.SENDING, again.token)
    await tell(rt, again.token, Accepted(provider_id="SM10"))
    await tell(rt, token, late)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.provider_id) == (State.SENT, "SM10")


async def test_news_of_an_attempt_nobody_made_is_ignored(rt: Runtime) -> None:
    await flying(rt)
    before = await dump(rt)
    await tell(rt, "nobody", TAKEN, ARRIVED, NotSent(reason="x"))
    assert await dump(rt) == before


# --- certainly not sent ----------------------------------------------------------------------


async def test_what_certainly_did_not_go_is_tried_again_a_bounded_number_of_times(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    before = len(texts(rt))
    sms(rt).script.extend([fail_before()] * 50)
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, hours=3)
    (row,) = await rows(rt, "visit_offer")
    assert (row.state, row.attempts) == (State.FAILED, len(BACKOFF) + 1)
    assert len(texts(rt)) == before
    assert "visit_offer" in [task["kind"] for task in await tasks(rt, case_id)]


async def test_a_provider_that_asks_for_patience_is_given_it(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    sms(rt).script.append(fail_before(retry_after=timedelta(minutes=7)))
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, seconds=31)
    (row,) = await rows(rt, "visit_offer")
    assert row.send_after - clock_of(rt).now() > timedelta(minutes=6)
    await after(rt, minutes=8)
    assert await states(rt, "visit_offer") == [("sent", "")]


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (Refusal.BAD_ADDRESS, State.FAILED),
        (Refusal.UNREACHABLE, State.FAILED),
        (Refusal.CONTENT, State.FAILED),
        (Refusal.BLOCKED, State.FAILED),
        (Refusal.OPTED_OUT, State.FAILED),
        (Refusal.CONFIG, State.PLANNED),
    ],
)
async def test_each_refusal_ends_or_keeps_the_text(rt: Runtime, refusal: Refusal, state: State) -> None:
    case_id = await visited_case(rt)
    sms(rt).script.append(refuse(refusal, "c"))
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, minutes=1)
    (row,) = await rows(rt, "visit_offer")
    assert (row.state, row.reason) == (state, "c")
    named = [task["kind"] for task in await tasks(rt, case_id)]
    assert named.count("visit_offer") == (state is State.FAILED)
    out = await read(rt, lambda tx: residents.is_out(tx, rt.desk.sealer, LI))
    assert out is (refusal is Refusal.OPTED_OUT)


async def test_a_chat_that_moved_is_written_to_at_its_new_address(rt: Runtime) -> None:
    news = Declined(reason=Refusal.MOVED, code="migrated", address="777777")
    chat(rt).script.append(Mishap(news=news))
    await a_case(rt)
    await settle(rt)
    assert [r.message.to for r in chat(rt).ledger] == ["777777"]
    assert (await person(rt, "chen")).chat_id == 777777


async def test_a_person_who_blocked_the_bot_counts_as_not_enrolled(rt: Runtime) -> None:
    chat(rt).script.append(refuse(Refusal.BLOCKED))
    await a_case(rt)
    await settle(rt)
    assert await states(rt, "new_case") == [("failed", "blocked")]
    assert (await person(rt, "chen")).chat_id is None
    await until(rt, moment("2026-11-24", "09:00"))
    assert {s for s in await states(rt, "digest") if s[0] != "merged"} <= {("suppressed", "not_enrolled")}


# --- nobody knows ----------------------------------------------------------------------------


async def test_a_text_whose_answer_was_lost_is_found_in_the_providers_log(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    before = len(texts(rt))
    sms(rt).script.append(lose(copies=1))
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=20)
    (row,) = await rows(rt, "visit_offer")
    assert (row.state, row.provider_id, row.attempts) == (State.SENT, texts(rt)[-1].provider_id, 1)
    assert len(texts(rt)) == before + 1


async def test_a_text_absent_from_the_log_goes_once_more_after_ten_minutes_and_not_again(
    rt: Runtime,
) -> None:
    case_id = await visited_case(rt)
    before = len(texts(rt))
    sms(rt).script.extend([lose(), lose()])
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    tokens: set[str | None] = set()
    for _ in range(6):
        await after(rt, minutes=5)
        tokens.add((await rows(rt, "visit_offer"))[0].token)
    (row,) = await rows(rt, "visit_offer")
    assert (row.state, row.attempts, row.repeated, len(tokens)) == (State.UNKNOWN, 2, True, 2)
    assert len(texts(rt)) == before
    assert "visit_offer" in [task["kind"] for task in await tasks(rt, case_id)]
    attempts = await read(rt, lambda tx: reminders.attempts(tx, row.id))
    assert attempts[1]["started_at"] - attempts[0]["started_at"] >= timedelta(minutes=10)


async def test_the_second_attempt_of_a_text_may_succeed_and_is_answered_as_one(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    sms(rt).script.append(lose())
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=20)
    assert [s[0] for s in await states(rt, "visit_offer")] == ["sent"]
    await send_in(rt, LI, "1")
    assert (await entry(rt, case_id, "visit")).status.value == "confirmed"


async def test_while_the_log_cannot_be_read_nothing_is_sent_again(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    before = len(texts(rt))
    sms(rt).script.append(lose(copies=1))
    sms(rt).blind = Unknown(reason="down")
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=30)
    assert await states(rt, "visit_offer") == [("unknown", "provider_log_unavailable")]
    assert len(texts(rt)) == before + 1
    assert "visit_offer" in [task["kind"] for task in await tasks(rt, case_id)]


async def test_a_text_of_no_more_use_is_not_sent_a_second_time(rt: Runtime) -> None:
    _, visit = await offered(rt)
    await send_in(rt, LI, "1")
    await until(rt, moment("2026-11-25", "15:59"))
    sms(rt).script.append(lose())
    clock_of(rt).set(moment("2026-11-25", "19:59:50"))
    await settle(rt)
    assert [s[0] for s in await states(rt, "visit_tomorrow")] == ["uncertain"]
    clock_of(rt).set(moment("2026-11-26", "00:05"))
    await after(rt, minutes=30)
    assert [s[0] for s in await states(rt, "visit_tomorrow")] == ["unknown"]
    assert visit


async def test_a_staff_message_nobody_knows_of_is_repeated_once_with_a_mark(rt: Runtime) -> None:
    chat(rt).script.extend([lose(copies=1), lose(copies=1), lose(copies=1)])
    await a_case(rt)
    await after(rt, minutes=30)
    first, second = [r for r in chat(rt).ledger if r.message.to == str(STAFF["chen"].chat)]
    mark = rt.desk.templates.word("repeat_mark", "zh")
    assert mark not in first.text
    assert second.text.startswith(mark)
    assert await states(rt, "new_case") == [("unknown", "unclear")]


async def test_a_digest_nobody_knows_of_is_never_repeated(rt: Runtime) -> None:
    await a_case(rt)
    await until(rt, moment("2026-11-25", "08:00"))
    before = len(chat(rt).ledger)
    chat(rt).script.append(lose(copies=1))
    await until(rt, moment("2026-11-25", "20:00"))
    assert len([r for r in chat(rt).ledger[before:] if "早上好" in r.text]) == 1
    assert ("unknown", "unclear") in await states(rt, "digest")


async def test_a_sender_that_died_leaves_no_row_in_the_air(rt: Runtime) -> None:
    """Claimed, and then nobody called: after its lease the row is settled like any other unknown."""
    reminder_id, _ = await flying(rt)
    await after(rt, seconds=29)
    assert (await row_of(rt, reminder_id)).state is State.SENDING
    await after(rt, minutes=15)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.attempts) == (State.SENT, 2)


# --- what residents write --------------------------------------------------------------------


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
    assert len(texts(rt, STRANGER)) == 4


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
