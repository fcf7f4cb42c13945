"""What the world says of a message may come late, twice and in any order, and sends nothing twice."""

from datetime import timedelta
from itertools import permutations

import pytest

from reminder.actions import entries as visits
from reminder.actions.deliveries import BACKOFF, pressed
from reminder.actions.dispatching import claim
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
from reminder.domain.people import Channel, Sender
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import entries, reminders, residents
from tests.actions.acting import (
    FRIDAY,
    THURSDAY,
    act,
    after,
    chat,
    dump,
    entry,
    flying,
    moment,
    offered,
    receipt,
    row_of,
    rows,
    scene,
    send_in,
    settle,
    sms,
    states,
    tasks,
    tell,
    texts,
    until,
    visited_case,
)
from tests.office import LI, STAFF, a_case, clock_of, person, read, write

TAKEN, ARRIVED = Accepted(provider_id="SM9"), Delivered(provider_id="SM9")
RETURNED = Undelivered(provider_id="SM9", refusal=None, code="30005")


# --- receipts in any order -------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([TAKEN, TAKEN, ARRIVED, ARRIVED])))
@pytest.mark.failure(13)
async def test_receipts_may_come_early_twice_and_in_any_order(rt: Runtime, order: tuple[News, ...]) -> None:
    reminder_id, token = await flying(rt)
    await tell(rt, token, *order)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.provider_id) == (State.DELIVERED, "SM9")
    before = await dump(rt, "attempts")
    await tell(rt, token, *order)
    assert await dump(rt, "attempts") == before


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
@pytest.mark.failure(13)
async def test_the_providers_statuses_end_delivered_in_any_order(rt: Runtime, order: tuple[str, ...]) -> None:
    await offered(rt)
    (row,) = await rows(rt, "visit_offer")
    for status in [*order, *order]:
        await receipt(rt, row.provider_id, status, token=row.token or "")
    assert (await row_of(rt, row.id)).state is State.DELIVERED


@pytest.mark.failure(14)
async def test_a_receipt_before_the_answer_and_without_our_mark_is_joined_later(rt: Runtime) -> None:
    reminder_id, token = await flying(rt)
    await receipt(rt, "SM9", "delivered")
    assert (await row_of(rt, reminder_id)).state is State.SENDING
    await tell(rt, token, TAKEN)
    assert (await row_of(rt, reminder_id)).state is State.DELIVERED


@pytest.mark.failure(13)
async def test_delivered_never_goes_back(rt: Runtime) -> None:
    reminder_id, token = await flying(rt)
    late: list[News] = [
        RETURNED,
        Failed(provider_id="SM9", refusal=None, code="30003"),
        Unknown(reason="late"),
    ]
    await tell(rt, token, TAKEN, ARRIVED, *late, NotSent(reason="late"), TAKEN)
    assert (await row_of(rt, reminder_id)).state is State.DELIVERED


@pytest.mark.failure(17)
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
@pytest.mark.failure(18)
async def test_a_refusal_in_a_receipt_is_kept_as_an_opt_out(rt: Runtime, early: bool) -> None:
    _, token = await flying(rt)
    if not early:
        await tell(rt, token, TAKEN)
    await receipt(rt, "SM9", "undelivered", token=token, code="21610")
    assert [state for state, _ in await states(rt, "visit_offer")] == ["undelivered"]
    assert await read(rt, lambda tx: residents.is_out(tx, rt.desk.sealer, LI))


@pytest.mark.failure(39)
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
@pytest.mark.failure(25)
async def test_the_result_of_an_overtaken_attempt_changes_no_state(rt: Runtime, late: News) -> None:
    reminder_id, token = await flying(rt)
    await tell(rt, token, NotSent(reason="refused"))
    clock_of(rt).advance(timedelta(seconds=BACKOFF[0]))
    async with rt.db.write() as tx:
        (again,) = (await claim(tx, rt.desk, Sender(channel=Channel.SMS), 1)).outgoing
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


@pytest.mark.failure(9)
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


@pytest.mark.failure(32)
async def test_a_chat_that_moved_is_written_to_at_its_new_address(rt: Runtime) -> None:
    news = Declined(reason=Refusal.MOVED, code="migrated", address="777777")
    chat(rt).script.append(Mishap(news=news))
    await a_case(rt)
    await settle(rt)
    assert [r.message.to for r in chat(rt).ledger] == ["777777"]
    assert (await person(rt, "chen")).chat_id == 777777


@pytest.mark.failure(16)
async def test_a_person_who_blocked_the_bot_counts_as_not_enrolled(rt: Runtime) -> None:
    chat(rt).script.append(refuse(Refusal.BLOCKED))
    await a_case(rt)
    await settle(rt)
    assert await states(rt, "new_case") == [("failed", "blocked")]
    assert (await person(rt, "chen")).chat_id is None
    await until(rt, moment("2026-11-24", "09:00"))
    assert {s for s in await states(rt, "digest") if s[0] != "merged"} <= {("suppressed", "not_enrolled")}


# --- nobody knows ----------------------------------------------------------------------------


@pytest.mark.failure(1)
async def test_a_text_whose_answer_was_lost_is_found_in_the_providers_log(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    before = len(texts(rt))
    sms(rt).script.append(lose(copies=1))
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=20)
    (row,) = await rows(rt, "visit_offer")
    assert (row.state, row.provider_id, row.attempts) == (State.SENT, texts(rt)[-1].provider_id, 1)
    assert len(texts(rt)) == before + 1


@pytest.mark.failure(1)
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


@pytest.mark.failure(1)
async def test_a_staff_message_nobody_knows_of_is_repeated_once_with_a_mark(rt: Runtime) -> None:
    chat(rt).script.extend([lose(copies=1), lose(copies=1), lose(copies=1)])
    await a_case(rt)
    await after(rt, minutes=30)
    first, second = [r for r in chat(rt).ledger if r.message.to == str(STAFF["chen"].chat)]
    mark = rt.desk.templates.word("repeat_mark", "zh")
    assert mark not in first.text
    assert second.text.startswith(mark)
    assert await states(rt, "new_case") == [("unknown", "unclear")]


@pytest.mark.failure(1)
async def test_a_button_pressed_proves_that_the_message_arrived_and_nothing_is_repeated(rt: Runtime) -> None:
    chat(rt).script.append(lose(copies=1))
    await a_case(rt, accepted=False)
    await settle(rt)
    (arrived,) = [r for r in chat(rt).ledger if r.message.to == str(STAFF["chen"].chat)]
    assert [s[0] for s in await states(rt, "new_case")] == ["uncertain"]
    chen = await person(rt, "chen")
    await write(rt, lambda tx: pressed(tx, rt.desk, chen.id, "77", "another text"))
    assert [s[0] for s in await states(rt, "new_case")] == ["uncertain"]
    await write(rt, lambda tx: pressed(tx, rt.desk, chen.id, arrived.provider_id, arrived.text))
    assert [s[0] for s in await states(rt, "new_case")] == ["sent"]
    await after(rt, minutes=30)
    assert len([r for r in chat(rt).ledger if r.message.to == str(STAFF["chen"].chat)]) == 1


@pytest.mark.failure(1)
async def test_a_digest_nobody_knows_of_is_never_repeated(rt: Runtime) -> None:
    await a_case(rt)
    await until(rt, moment("2026-11-25", "08:00"))
    before = len(chat(rt).ledger)
    chat(rt).script.append(lose(copies=1))
    await until(rt, moment("2026-11-25", "20:00"))
    assert len([r for r in chat(rt).ledger[before:] if "早上好" in r.text]) == 1
    assert ("unknown", "unclear") in await states(rt, "digest")


@pytest.mark.failure(1)
async def test_a_text_whose_sender_died_is_settled_within_a_minute(rt: Runtime) -> None:
    reminder_id, _ = await flying(rt, arrives=True)
    await after(rt, seconds=50)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.attempts) == (State.SENT, 1)


@pytest.mark.failure(1)
async def test_a_sender_that_died_leaves_no_row_in_the_air(rt: Runtime) -> None:
    """Claimed, and then nobody called: after its lease the row is settled like any other unknown."""
    reminder_id, _ = await flying(rt)
    await after(rt, seconds=29)
    assert (await row_of(rt, reminder_id)).state is State.SENDING
    await after(rt, seconds=5)
    assert (await row_of(rt, reminder_id)).state is State.UNCERTAIN, "it may have left: never planned again"
    await after(rt, minutes=9)
    assert (await row_of(rt, reminder_id)).attempts == 1, "the log is asked for ten minutes first"
    await after(rt, minutes=6)
    row = await row_of(rt, reminder_id)
    assert (row.state, row.attempts) == (State.SENT, 2)


@pytest.mark.failure(39)
async def test_delivered_is_not_read_and_closes_nothing(rt: Runtime) -> None:
    """Only what a person did ends a date: the ladder goes on, however many texts a provider says arrived."""
    case_id, entry_id = await offered(rt)
    for row in texts(rt):
        await receipt(rt, row.provider_id, "delivered", token=row.message.token)
    assert not [r for r in await rows(rt) if r.resident_id is not None and r.state is State.SENT]
    await until(rt, moment("2026-11-30", "09:00"))
    found = await scene(rt, case_id)
    visit = next(e for e in found.entries.values() if e.id == entry_id)
    assert visit.is_open
    assert await read(rt, lambda tx: entries.agenda(tx, [entry_id]))
    assert [r for r in await rows(rt) if r.entry_id == entry_id and r.person_id is not None]
