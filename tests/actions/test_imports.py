"""A ledger's rows are written a few together; what one of them cannot be costs no other its place."""

from dataclasses import replace
from pathlib import Path

import pytest

from reminder.actions import imports
from reminder.domain.errors import Refused
from reminder.runtime import Runtime
from reminder.store import cases, entries
from reminder.store import imports as kept
from tests.actions.acting import dump
from tests.office import actor, office, read

MANY = imports.TOGETHER + 5
LEDGER = "\n".join(
    ["序号,登记时间,信访人,联系电话,住址,主要诉求,承办人,是否办结"]
    + [
        f"{n},2026-9-{n % 28 + 1},居民{n},1.3E+10,柳溪镇,第{n}件请求,,{'是' if n % 3 == 0 else '否'}"
        for n in range(MANY)
    ]
).encode()


async def tried(rt: Runtime) -> imports.Import:
    return await imports.try_out(rt, await actor(rt, "he"), "old.csv", LEDGER)


async def applied(rt: Runtime, found: imports.Import) -> imports.Import:
    return await imports.apply(rt, await actor(rt, "he"), found)


async def test_a_row_that_cannot_be_written_loses_only_itself(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        found = await tried(rt)
        bad = found.reading.records[3]
        records = tuple(replace(r, received_on=None) if r is bad else r for r in found.reading.records)
        done = await applied(rt, replace(found, reading=replace(found.reading, records=records)))
        assert [place for place, fate in done.outcomes.items() if fate == "failed"] == [(bad.sheet, bad.row)]
        assert set(await read(rt, kept.rows)) == {r.key for r in records if r.key != bad.key}
        again = await tried(rt)
        assert again.counts == {"new": 1, "changed": 0, "same": MANY - 1}
        await applied(rt, again)
        assert len(await read(rt, cases.ids)) == MANY


async def test_doing_it_twice_does_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        found = await tried(rt)
        await applied(rt, found)
        before = await dump(rt)
        await applied(rt, found)
        assert await dump(rt) == before


async def test_nothing_reminds_of_what_was_due_before(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        await applied(rt, await tried(rt))
        ids = await read(rt, cases.ids)
        found = await read(rt, lambda tx: entries.of(tx, ids))
        kept = [entry.id for of_case in found.values() for entry in of_case.values()]
        ahead = await read(rt, lambda tx: entries.agenda(tx, kept))
        assert ahead
        assert all(at > rt.desk.clock.now() for at in ahead.values())


async def test_whoever_may_not_import_writes_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        found = await tried(rt)
        with pytest.raises(Refused):
            await imports.try_out(rt, await actor(rt, "chen"), "old.csv", LEDGER)
        done = await imports.apply(rt, await actor(rt, "chen"), found)
        assert set(done.outcomes.values()) == {"failed"}
        assert await read(rt, cases.ids) == []
