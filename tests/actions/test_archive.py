"""Old messages move out of the way: which, what is still told of them, and do they come back when needed?"""

import functools
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from jobs.housekeeping import MESSAGES_KEPT, housekeep
from reminder.actions import cases, erasure, explain, moves
from reminder.actions import entries as visits
from reminder.actions.derivations import why_case
from reminder.actions.entries import Slot
from reminder.runtime import Runtime
from reminder.store import archive, reminders
from reminder.store import tables as t
from reminder.store.prepared import Prepared
from tests.actions.acting import (
    act,
    after,
    broken,
    clock_of,
    closed,
    completed,
    entry,
    execute,
    in_turn,
    receipt,
    rows,
    settle,
)
from tests.office import LI, a_case, actor, read, write

LIVE = ("reminders", "attempts", "receipts", "questions")


async def held(rt: Runtime, prefix: str = "") -> dict[str, list[str]]:
    """Every message, with all that belongs to it, of the day or (`archived_`) of long ago."""
    async with rt.db.read() as tx:
        return {
            name: sorted(map(repr, (await tx.execute(sa.select(t.metadata.tables[prefix + name]))).all()))
            for name in LIVE
        }


async def count(rt: Runtime, table: str, where: str = "true") -> int:
    async with rt.db.read() as tx:
        query = sa.text(f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608 - a test's own
        return int((await tx.execute(query)).scalar_one())


async def long_after(rt: Runtime) -> None:
    """So much later that all is old; another case has begun, and its resident has been asked something."""
    clock_of(rt).advance(MESSAGES_KEPT + timedelta(days=30))
    await ask(rt, "+12025550199")


async def ask(rt: Runtime, number: str) -> None:
    """Somebody has a new case, and is offered a visit."""
    other = (await a_case(rt, phones=(number,))).row.case.id
    await in_turn(rt, "chen", cases.contact, other)
    await after(rt, days=1)
    day = clock_of(rt).now().date() + timedelta(days=7)
    await in_turn(rt, "chen", visits.propose, other, Slot(day=day))
    await after(rt, days=2)
    assert await count(rt, "questions", f"case_id = {other}") == 1


async def put_away(rt: Runtime) -> int:
    """All that may be, whatever its age; lists go after their lines."""
    moved = 0
    for _ in range(2):
        ids = [row.id for row in await rows(rt)]
        moved += await write(rt, functools.partial(archive.put_away, ids=ids, now=rt.clock.now()))
    return moved


async def test_of_a_case_that_is_over_they_move_and_all_that_belongs_to_them(rt: Runtime) -> None:
    case_id = await completed(rt)
    before = await held(rt)
    assert all(before[name] for name in ("reminders", "attempts", "questions"))
    await long_after(rt)
    assert await count(rt, "reminders", f"case_id = {case_id}") == 0
    gone, left = await held(rt, "archived_"), await held(rt)
    for name in LIVE:
        assert not set(gone[name]) & set(left[name])
    assert len(gone["questions"]) == len(before["questions"]) == 1
    lost = set(before["reminders"]) - set(gone["reminders"]) - set(left["reminders"])
    assert [row for row in lost if "'planned'" not in row] == []
    assert len(gone["attempts"]) >= len(before["attempts"]) - 1
    assert not await broken(rt)


async def test_what_it_was_and_why_is_told_as_before(rt: Runtime) -> None:
    case_id = await completed(rt)
    (text,) = [row for row in await rows(rt, "reply_issued") if row.channel == "sms"]
    chen = await actor(rt, "chen")

    async def told() -> Any:
        async with rt.db.read() as tx:
            case = await why_case(tx, rt.desk, chen, case_id, "zh")
            return case, await explain.why(tx, rt.desk, text.provider_id, "zh")

    clock_of(rt).advance(timedelta(days=30))
    await a_case(rt, phones=("+12025550199",))
    await settle(rt)
    before = await told()
    assert await put_away(rt) > 10
    assert await read(rt, lambda tx: reminders.one(tx, text.id)) is None
    assert await told() == before


async def test_taken_up_again_the_case_has_all_its_messages(rt: Runtime) -> None:
    case_id = await completed(rt)
    of_case = f"case_id = {case_id}"
    before = await held(rt)
    await long_after(rt)
    between = await count(rt, "archived_reminders", of_case)
    assert between > 5
    plan = await in_turn(rt, "chen", cases.reopen, case_id, "又塌了")
    assert plan.row.status == "in_progress"
    assert await count(rt, "archived_reminders", of_case) == 0
    assert await count(rt, "reminders", of_case) >= between
    now = await held(rt)
    assert len(now["questions"]) == len(before["questions"]) + 1
    mine = await read(rt, lambda tx: reminders.some(tx, t.reminders.c.case_id == case_id))
    lists = {row.digest_id for row in mine} - {None}
    assert lists
    assert lists <= {row.id for row in await rows(rt)}
    await settle(rt)
    assert await count(rt, "archived_reminders", of_case) == 0
    assert not await broken(rt)


@pytest.mark.parametrize("taken_up", ["reopened", "erased"])
async def test_the_same_person_may_be_asked_something_else_meanwhile(rt: Runtime, taken_up: str) -> None:
    """What they never answered is no open question any more when it comes back."""
    case_id = await completed(rt)
    assert await count(rt, "questions", "ended_at IS NULL") == 1
    if taken_up == "erased":
        await act(rt, "he", moves.archive, case_id)
    await long_after(rt)
    assert await count(rt, "archived_questions") == 1
    await ask(rt, LI)
    assert await count(rt, "questions", "ended_at IS NULL") == 2
    if taken_up == "erased":
        await act(rt, "he", erasure.erase, case_id)
    else:
        await in_turn(rt, "chen", cases.reopen, case_id, "又塌了")
    assert await count(rt, "questions") == 3


async def test_a_question_that_is_open_still_keeps_its_message(rt: Runtime) -> None:
    await completed(rt)
    await a_case(rt, phones=("+12025550199",))
    await execute(rt, "UPDATE questions SET expires_at = '2099-01-01 00:00:00'")
    await settle(rt)
    asked = "id IN (SELECT reminder_id FROM questions WHERE ended_at IS NULL)"
    assert await count(rt, "reminders", asked) == 1
    await execute(
        rt,
        "INSERT INTO questions SELECT 99, phone_id, resident_id, case_id, entry_id, NULL, kind, "
        "digits, asked_at, expires_at, expires_at, answer FROM questions",
    )
    await put_away(rt)
    assert await count(rt, "archived_reminders") > 5
    assert await count(rt, "reminders", asked) == 1


async def test_a_case_under_way_keeps_all_however_old(rt: Runtime) -> None:
    case_id = await closed(rt)
    await after(rt, minutes=10)
    n = len(await rows(rt, "reply_issued"))
    await long_after(rt)
    assert len(await rows(rt, "reply_issued")) == n
    assert await count(rt, "archived_reminders", f"case_id = {case_id}") == 0


@pytest.mark.parametrize("which", ["open", "expected", "status"])
async def test_a_case_that_still_has_a_date_keeps_them(rt: Runtime, which: str) -> None:
    """As one whose care visits go on after the last answer."""
    case_id = await completed(rt)
    visit = await entry(rt, case_id, "rv1")
    if which == "open":
        await execute(rt, f"UPDATE entries SET status = 'open' WHERE id = {visit.id}")  # noqa: S608
    elif which == "status":
        await execute(rt, "UPDATE cases SET status = 'in_progress'")
    else:
        later = clock_of(rt).now() + 2 * MESSAGES_KEPT
        async with rt.db.write() as tx:
            await tx.execute(sa.insert(t.agenda).values(due_at=later, entry_id=visit.id))
    assert await put_away(rt) > 0
    assert await count(rt, "archived_reminders", f"case_id = {case_id}") == 0


async def test_erased_afterwards_no_word_of_it_is_anywhere(rt: Runtime) -> None:
    case_id = await completed(rt)
    await act(rt, "he", moves.archive, case_id)
    await long_after(rt)
    assert await count(rt, "archived_attempts", "sealed IS NOT NULL") > 0
    await act(rt, "he", erasure.erase, case_id)
    theirs = f"reminder_id IN (SELECT id FROM reminders WHERE case_id = {case_id})"  # noqa: S608
    assert await count(rt, "attempts", theirs) > 0
    assert await count(rt, "attempts", f"{theirs} AND sealed IS NOT NULL") == 0
    clock_of(rt).advance(timedelta(days=1))
    await settle(rt)
    assert await count(rt, "archived_attempts") > 0
    assert await count(rt, "archived_attempts", "sealed IS NOT NULL") == 0


async def test_words_about_no_case_go_when_they_are_archived(rt: Runtime) -> None:
    await completed(rt)
    lists = "reminder_id IN (SELECT id FROM {}reminders WHERE case_id IS NULL)"
    assert await count(rt, "attempts", lists.format("") + " AND sealed IS NOT NULL") > 0
    await long_after(rt)
    assert await count(rt, "archived_attempts", lists.format("archived_")) > 0
    assert await count(rt, "archived_attempts", lists.format("archived_") + " AND sealed IS NOT NULL") == 0


async def test_a_list_stays_for_as_long_as_a_line_of_it(rt: Runtime) -> None:
    """A case under way was told in it."""
    done = await completed(rt)
    listed = [row for row in await rows(rt) if row.digest_id is not None]
    stays = next(row for row in listed if row.case_id == done)
    other = (await a_case(rt, phones=("+12025550198",))).row.case.id
    await execute(rt, f"UPDATE reminders SET case_id = {other} WHERE id = {stays.id}")  # noqa: S608
    await long_after(rt)
    clock_of(rt).advance(timedelta(days=1))
    await settle(rt)
    kept = {row.id for row in await rows(rt)}
    assert {stays.id, stays.digest_id} <= kept
    gone = {row.digest_id for row in listed} - {stays.digest_id}
    assert gone
    assert not gone & kept


async def test_no_number_is_given_out_twice(rt: Runtime) -> None:
    """SQLite gives out the number after the highest there is: if that one left, it would come again."""
    await completed(rt)
    newest = max(row.id for row in await rows(rt))
    last = await count(rt, "questions")
    await execute(rt, "UPDATE reminders SET state = 'cancelled', reason = 'x' WHERE state = 'planned'")
    await put_away(rt)
    assert max(row.id for row in await rows(rt)) == newest
    assert await count(rt, "questions") == last == 1


async def test_what_is_not_over_stays(rt: Runtime) -> None:
    case_id = await completed(rt)
    await a_case(rt, phones=("+12025550199",))
    await settle(rt)
    one, other = (row.id for row in (await rows(rt, "reply_issued", "overdue")) if row.case_id == case_id)
    await execute(rt, f"UPDATE reminders SET state = 'uncertain' WHERE id = {one}")  # noqa: S608
    await execute(rt, f"UPDATE reminders SET state = 'sent', channel = 'sms' WHERE id = {other}")  # noqa: S608
    await put_away(rt)
    left = [row.id for row in await rows(rt) if row.case_id == case_id and row.kind != "closed_rating"]
    assert left == sorted([one, other])


async def test_receipts_go_and_come_with_their_text_and_late_ones_are_kept(rt: Runtime) -> None:
    case_id = await completed(rt)
    (text,) = [row for row in await rows(rt, "reply_issued") if row.channel == "sms"]
    of_text = f"provider_id = '{text.provider_id}'"
    await receipt(rt, text.provider_id, "delivered", token=text.token or "")
    await receipt(rt, text.provider_id, "sent")
    await execute(rt, f"UPDATE receipts SET token = '' WHERE {of_text} AND status = 'sent'")  # noqa: S608
    await long_after(rt)
    assert await count(rt, "receipts", of_text) == 0
    assert await count(rt, "archived_receipts", of_text) == 2
    kept = await read(rt, lambda tx: archive.of_case(tx, case_id))
    await receipt(rt, text.provider_id, "undelivered", token=text.token or "")
    again = "SELECT * FROM archived_receipts WHERE status = 'delivered'"
    await execute(rt, f"INSERT INTO receipts {again}")
    assert await read(rt, lambda tx: archive.of_case(tx, case_id)) == kept
    await in_turn(rt, "chen", cases.reopen, case_id, "又塌了")
    assert await count(rt, "receipts", of_text) == 3
    assert await count(rt, "archived_receipts", of_text) == 0
    assert await count(rt, "cases", "has_archive") == 0


async def test_a_round_is_short_and_the_next_one_goes_on(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await completed(rt)
    monkeypatch.setattr("jobs.housekeeping.BATCHES", 1)
    monkeypatch.setattr("reminder.store.archive._NEXT", Prepared(archive._NEXT._statement.limit(4)))
    clock_of(rt).advance(MESSAGES_KEPT + timedelta(days=30))
    await a_case(rt, phones=("+12025550199",))
    await execute(rt, "DELETE FROM agenda")
    moved = []
    for _ in range(9):
        before = await count(rt, "archived_reminders")
        await housekeep(rt)
        moved.append(await count(rt, "archived_reminders") - before)
    assert sum(moved) > 8
    assert max(moved) <= 4
    assert moved[-1] == 0
