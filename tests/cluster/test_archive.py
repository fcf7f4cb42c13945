"""Several machines: one archives a case's old messages while another takes the case up. Who sees what?"""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from jobs.housekeeping import MESSAGES_KEPT, _archive
from reminder.actions import cases
from reminder.runtime import Runtime
from reminder.store import archive, reminders
from reminder.store import cases as stored
from reminder.store import tables as t
from reminder.store.runlock import run_lock
from tests.actions.acting import completed, in_turn, settle
from tests.office import START, Elsewhere, a_case, clock_of, office, read, write
from tests.postgres import Server


async def over(rt: Runtime) -> tuple[int, list[int]]:
    """A case that is over, with its messages; another has something newer."""
    case_id = await completed(rt)
    await a_case(rt, phones=("+12025550199",))
    await settle(rt)
    return case_id, await of_case(rt, case_id)


async def of_case(rt: Runtime, case_id: int) -> list[int]:
    return [row.id for row in await read(rt, reminders.some) if row.case_id == case_id]


async def test_a_case_that_is_being_changed_is_left_for_another_day(
    tmp_path: Path, postgres_server: Server
) -> None:
    async with office(tmp_path, place=Elsewhere(postgres_server).place) as rt:
        case_id, ids = await over(rt)
        async with rt.db.write() as busy:
            await stored.lock(busy, case_id)
            async with rt.db.write() as tx:
                assert await archive.put_away(tx, ids, rt.clock.now()) == 0
        assert await of_case(rt, case_id) == ids
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, ids, rt.clock.now()) > 0


async def test_who_takes_it_up_meanwhile_waits_and_has_all_its_messages(
    tmp_path: Path, postgres_server: Server
) -> None:
    async with office(tmp_path, place=Elsewhere(postgres_server).place) as rt:
        case_id, ids = await over(rt)
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, ids, rt.clock.now()) > 0
            reopened = asyncio.create_task(in_turn(rt, "chen", cases.reopen, case_id, "又塌了"))
            await asyncio.sleep(0.3)
            assert not reopened.done()
        assert (await reopened).row.status == "in_progress"
        assert set(ids) <= set(await of_case(rt, case_id))
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, ids, rt.clock.now()) == 0


async def test_two_cases_told_of_in_the_same_list_may_be_taken_up_at_once(
    tmp_path: Path, postgres_server: Server
) -> None:
    async with office(tmp_path, place=Elsewhere(postgres_server).place) as rt:
        one, other = await of_one_list(rt)
        await all_away(rt)
        async with rt.db.write() as tx:
            await stored.lock(tx, one)
            second = asyncio.create_task(write(rt, lambda tx: stored.lock(tx, other)))
            await asyncio.sleep(0.3)
        await second
        for case_id in (one, other):
            assert any(row.digest_id for row in await read(rt, reminders.some) if row.case_id == case_id)


async def test_no_list_leaves_while_a_line_of_it_comes_back(tmp_path: Path, postgres_server: Server) -> None:
    async with office(tmp_path, place=Elsewhere(postgres_server).place) as rt:
        one, _ = await of_one_list(rt)
        lines = [row.id for row in await read(rt, reminders.some) if row.case_id is not None]
        lists = [row.id for row in await read(rt, reminders.some) if row.case_id is None]
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, lines, rt.clock.now()) > 0
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, lists, rt.clock.now()) > 0
            reopened = asyncio.create_task(in_turn(rt, "chen", cases.reopen, one, "又塌了"))
            await asyncio.sleep(0.3)
            assert not reopened.done()
        assert (await reopened).row.status == "in_progress"
        async with rt.db.write() as busy:
            await archive.bring_back(busy, [one])
            async with rt.db.write() as tx:
                assert await archive.put_away(tx, lists, rt.clock.now()) == 0


async def of_one_list(rt: Runtime) -> tuple[int, int]:
    """Two cases that are over, told of in the same lists."""
    one = await completed(rt)
    other = (await a_case(rt, phones=("+12025550198",))).row.case.id
    lines = [row for row in await read(rt, reminders.some) if row.digest_id]
    async with rt.db.write() as tx:
        told = sa.update(t.reminders).where(t.reminders.c.digest_id > 0)
        await tx.execute(told.values(digest_id=lines[0].digest_id))
        of_other = sa.update(t.reminders).where(t.reminders.c.id == lines[-1].id)
        await tx.execute(of_other.values(case_id=other))
        over = "status = 'completed' WHERE id", "status = 'met' WHERE case_id"
        for table, change in zip(("cases", "entries"), over, strict=True):
            await tx.execute(sa.text(f"UPDATE {table} SET {change} = {other}"))  # noqa: S608
        await tx.execute(sa.text("DELETE FROM agenda"))
    await a_case(rt, phones=("+12025550199",))
    await settle(rt)
    return one, other


async def all_away(rt: Runtime) -> None:
    for _ in range(2):
        ids = [row.id for row in await read(rt, reminders.some)]
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, ids, rt.clock.now()) > 0


async def test_nothing_is_archived_while_an_older_program_keeps_the_calendar_too(
    tmp_path: Path, postgres_server: Server
) -> None:
    """It would take a case up, or erase it, without what is archived of it."""
    async with office(tmp_path, place=Elsewhere(postgres_server).place) as rt:
        await of_one_list(rt)
        clock_of(rt).advance(MESSAGES_KEPT)
        for schema, moved in (("0006", False), ("0008", True)):
            async with run_lock(rt.db, shared=True, schema=schema) as lock:
                assert await lock.kept()
                assert (await _archive(rt, START.date()) > 0) is moved
