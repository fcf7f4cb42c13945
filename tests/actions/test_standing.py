"""Is what a case's entries should be reckoned anew whenever anything it follows from has changed?"""

from dataclasses import replace
from datetime import date
from typing import Any

from reminder.actions import calendar_import, record
from reminder.actions.calendar_change import follow
from reminder.actions.calendars import marked
from reminder.actions.desk import CLOCKWORK
from reminder.actions.replan import Standing, bring_in_line, standing
from reminder.domain.cases import Event
from reminder.domain.workdays import DayMark, MarkKind
from reminder.runtime import Runtime
from reminder.store import cases, entries, people
from reminder.store.database import Tx
from tests.actions.acting import broken
from tests.office import a_case, actor, read

JAN_22, JAN_25 = date(2027, 1, 22), date(2027, 1, 25)
"""Where the limit of an ordinary case of 23 November ends, and where if that is no working day."""


def wrong(stood: Standing) -> Standing:
    """One that would be noticed if it were believed: nothing should be."""
    return replace(stood, should={})


async def stood(rt: Runtime, case_id: int) -> Standing:
    async def look(tx: Tx) -> Standing:
        return (await standing(tx, rt.desk, await cases.many(tx, [case_id])))[case_id]

    return await read(rt, look)


async def believed(rt: Runtime, before: Standing, desk: Any = None) -> bool:
    case_id = before.kept.case.id

    async def look(tx: Tx) -> Standing:
        kept = await cases.many(tx, [case_id])
        return (await standing(tx, desk or rt.desk, kept, {case_id: wrong(before)}))[case_id]

    return not (await read(rt, look)).should


async def test_what_has_not_changed_is_believed(rt: Runtime) -> None:
    before = await stood(rt, (await a_case(rt)).row.case.id)
    assert before.should
    assert await believed(rt, before)


async def test_a_fact_more_is_not_overlooked(rt: Runtime) -> None:
    """A fact alone, before anybody replans: the case's row is still the same."""
    case_id = (await a_case(rt)).row.case.id
    before = await stood(rt, case_id)
    async with rt.db.write() as tx:
        deed = await record.begin(tx, rt.desk, CLOCKWORK, case_id, "note")
        await record.add(tx, rt.desk, CLOCKWORK, case_id, Event.NOTE, deed=deed, value={"text": "x"})
    assert (await stood(rt, case_id)).kept == before.kept
    assert not await believed(rt, before)


async def test_a_fact_taken_back_is_not_overlooked(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    before = await stood(rt, case_id)
    async with rt.db.write() as tx:
        last = await cases.last_deed_of_case(tx, case_id)
        assert last is not None
        await cases.undo_deed(tx, last, rt.clock.now())
    assert not await believed(rt, before)


async def test_another_row_is_not_overlooked(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    before = await stood(rt, case_id)
    async with rt.db.write() as tx:
        await cases.update(tx, case_id, direct_answer=True)
    assert not await believed(rt, before)


async def test_other_days_are_not_overlooked(rt: Runtime) -> None:
    before = await stood(rt, (await a_case(rt)).row.case.id)
    shut = marked(rt.desk, {JAN_22: DayMark(kind=MarkKind.REST)})
    assert not await believed(rt, before, shut)
    assert await believed(rt, before, marked(rt.desk, {})), "the same days, said by another calendar"


async def test_another_version_of_the_protocol_is_not_overlooked(rt: Runtime) -> None:
    before = await stood(rt, (await a_case(rt)).row.case.id)
    key = before.protocol.key
    renewed = replace(rt.desk, protocols={**rt.desk.protocols, key: replace(before.protocol)}, versions={})
    assert not await believed(rt, before, renewed)


async def test_a_deed_between_showing_and_applying_is_followed(rt: Runtime) -> None:
    """Shown for a case that is answered before it is applied: its entries follow the answer and the days."""
    one, other = [(await a_case(rt)).row.case.id for _ in range(2)]
    he = await actor(rt, "he")
    content = b"date,kind,name\n2027-01-22,rest,x\n"
    shown = await calendar_import.try_out(rt, he, "a.csv", content, lang="en")
    assert set(shown.stood) == {one, other}
    async with rt.db.write() as tx:
        deed = await record.begin(tx, rt.desk, CLOCKWORK, one, "withdraw")
        await record.add(tx, rt.desk, CLOCKWORK, one, Event.WITHDRAW, deed=deed)
    assert await calendar_import.apply(rt, he, shown) == 2
    kept = await read(rt, lambda tx: entries.of(tx, [one, other]))
    assert not kept[one]["handle"].is_open
    assert (kept[other]["handle"].due_on, kept[other]["handle"].is_open) == (JAN_25, True)
    assert await broken(rt) == []


async def tried(rt: Runtime, ids: list[int], groups: list[list[int]]) -> tuple[Any, ...]:
    """What following the days in these groups makes of the cases; taken back afterwards."""
    async with rt.db.write() as tx:
        attempt = await tx.begin_nested()
        plans = [await follow(tx, rt.desk, group) for group in groups]
        changed = {case_id for plan in plans for case_id in plan}
        found = changed, await entries.of(tx, ids), await cases.many(tx, ids)
        await attempt.rollback()
    return found


async def test_many_at_once_become_what_each_alone_would(rt: Runtime) -> None:
    """Cases of different kinds, one of which does not change at all."""
    ids = [(await a_case(rt, protocol=key)).row.case.id for key in ("ordinary", "major", "urgent")]
    rt.desk.use_calendars_of(marked(rt.desk, {JAN_22: DayMark(kind=MarkKind.REST)}))
    outcomes = [await tried(rt, ids, groups) for groups in ([ids], [[case_id] for case_id in ids])]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0]


async def test_nothing_to_bring_in_line_writes_nothing(rt: Runtime) -> None:
    before = await stood(rt, (await a_case(rt)).row.case.id)
    case_id = before.kept.case.id
    async with rt.db.write() as tx:
        plans = await bring_in_line(tx, rt.desk, {case_id: before}, await people.staff(tx))
    assert not plans[case_id].change
    assert await stood(rt, case_id) == before
