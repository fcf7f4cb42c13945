"""A case stays on the protocol it started with, whatever becomes of the file, until somebody moves it."""

from datetime import date

import sqlalchemy as sa

from reminder.actions import cases, versions
from reminder.actions.check import violations
from reminder.domain.protocol_files import read_protocols, sources
from reminder.runtime import Runtime
from reminder.store import protocol_versions
from tests.actions.acting import act, broken, entry, execute
from tests.actions.protocols import files, put, restarted
from tests.office import a_case, read

HANDLE = put("ordinary.toml", 'limit = "60 cal"\nextension', 'limit = "45 cal"\nextension')
PROGRESS = put("ordinary.toml", 'limit = "20 cal"', 'limit = "9 cal"')


async def due(rt: Runtime, case_id: int, key: str = "handle") -> date:
    found: date = (await entry(rt, case_id, key)).due_on
    return found


async def test_editing_a_file_leaves_a_live_case_alone_and_holds_for_new_ones(rt: Runtime) -> None:
    rt = await restarted(rt)
    old = (await a_case(rt)).row.case.id
    before = await due(rt, old)
    rt = await restarted(rt, HANDLE)
    assert await broken(rt) == []
    await act(rt, "chen", cases.contact, old)  # whatever happens to it, it is replanned as it began
    assert await due(rt, old) == before == date(2027, 1, 22)
    new = (await a_case(rt)).row.case.id
    assert await due(rt, new) == date(2027, 1, 7)
    assert await broken(rt) == []


async def test_what_a_file_includes_is_kept_with_it(rt: Runtime) -> None:
    rt = await restarted(rt)
    plan = await a_case(rt)
    key, version = plan.row.protocol_held
    kept = await read(rt, lambda tx: protocol_versions.texts(tx, (key, version)))
    assert kept is not None
    assert set(kept) == {"ordinary.toml", "common.toml"}
    assert read_protocols(kept, kinds=None, calendars=None)[key].version == version


async def test_a_case_outlives_its_file(rt: Runtime) -> None:
    rt = await restarted(rt)
    case_id = (await a_case(rt, protocol="errand", accepted=False)).row.case.id
    rt = await restarted(rt, lambda texts: texts.pop("errand.toml") and None)
    assert "errand" not in rt.desk.protocols
    assert await broken(rt) == []
    await act(rt, "chen", cases.contact, case_id)


async def test_a_version_nobody_kept_is_found_by_the_check_and_crashes_nothing(rt: Runtime) -> None:
    rt = await restarted(rt)
    case_id = (await a_case(rt)).row.case.id
    await execute(rt, "DELETE FROM protocol_versions")
    rt = await restarted(rt, HANDLE)
    found = await broken(rt)
    assert "protocol_version_unreadable" in {one.rule for one in found}
    await act(rt, "chen", cases.contact, case_id)


async def test_a_version_whose_files_cannot_be_read_any_more_is_a_finding_too(rt: Runtime) -> None:
    rt = await restarted(rt)
    await a_case(rt)
    await execute(rt, 'UPDATE protocol_versions SET texts = \'{"ordinary.toml": "= nonsense"}\'')
    rt = await restarted(rt, HANDLE)
    assert "protocol_version_unreadable" in {one.rule for one in await broken(rt)}


async def test_a_version_another_process_brought_in_is_read_when_it_is_met(rt: Runtime) -> None:
    older = await restarted(rt)
    newer = await restarted(rt, HANDLE)
    case_id = (await a_case(newer)).row.case.id
    await act(older, "chen", cases.contact, case_id)
    assert await due(older, case_id) == date(2027, 1, 7)
    assert await read(older, lambda tx: violations(tx, older.desk)) == []


async def test_a_second_start_writes_nothing(rt: Runtime) -> None:
    rt = await restarted(rt)
    count = sa.text("SELECT count(*), max(since) FROM protocol_versions")

    async def kept() -> tuple[int, str]:
        async with rt.db.read() as tx:
            n, since = (await tx.execute(count)).one()
            return n, since

    before = await kept()
    assert before[0] == len(rt.desk.protocols)
    await versions.at_start(rt.db, rt.desk)
    assert await kept() == before


def test_every_delivered_protocol_can_be_read_from_the_files_kept_for_it() -> None:
    texts = files()
    every = read_protocols(texts, kinds=None, calendars=None)
    for key, protocol in every.items():
        assert read_protocols(sources(texts)[key], kinds=None, calendars=None)[key] == protocol
