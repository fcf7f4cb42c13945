"""Several machines: one archives a case's old messages while another takes the case up. Who sees what?"""

import asyncio
from pathlib import Path

from reminder.actions import cases
from reminder.runtime import Runtime
from reminder.store import archive, reminders
from reminder.store import cases as stored
from tests.actions.acting import completed, in_turn, settle
from tests.office import Elsewhere, a_case, office, read
from tests.postgres import Server


async def of_case(rt: Runtime, case_id: int) -> list[int]:
    return [row.id for row in await read(rt, reminders.some) if row.case_id == case_id]


async def test_a_case_that_is_being_changed_is_left_for_another_day(
    tmp_path: Path, postgres_server: Server
) -> None:
    async with office(tmp_path, place=Elsewhere(postgres_server).place) as rt:
        case_id = await completed(rt)
        await a_case(rt, phones=("+12025550199",))
        await settle(rt)
        ids = await of_case(rt, case_id)
        async with rt.db.write() as busy:
            await stored.lock(busy, case_id)
            async with rt.db.write() as tx:
                assert await archive.put_away(tx, ids) == 0
        assert await of_case(rt, case_id) == ids
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, ids) > 0


async def test_who_takes_it_up_meanwhile_waits_and_has_all_its_messages(
    tmp_path: Path, postgres_server: Server
) -> None:
    async with office(tmp_path, place=Elsewhere(postgres_server).place) as rt:
        case_id = await completed(rt)
        await a_case(rt, phones=("+12025550199",))
        await settle(rt)
        ids = await of_case(rt, case_id)
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, ids) > 0
            reopened = asyncio.create_task(in_turn(rt, "chen", cases.reopen, case_id, "又塌了"))
            await asyncio.sleep(0.3)
            assert not reopened.done()
        assert (await reopened).row.status == "in_progress"
        assert set(ids) <= set(await of_case(rt, case_id))
        async with rt.db.write() as tx:
            assert await archive.put_away(tx, ids) == 0
