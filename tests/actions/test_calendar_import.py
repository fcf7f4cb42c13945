"""Importing rest days: what is shown is what happens, promises are kept, colleagues hear of earlier days."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.housekeeping import housekeep
from reminder.actions import calendar_import, record
from reminder.actions import entries as visits
from reminder.actions.calendar_import import Shown
from reminder.actions.calendars import behind, mark_day
from reminder.actions.entries import Slot
from reminder.actions.replan import replan
from reminder.domain.cases import Event
from reminder.domain.errors import Faulty, Refused
from reminder.domain.workdays import DayMark, MarkKind
from reminder.runtime import Runtime
from reminder.store import calendars, entries
from reminder.store import cases as stored
from tests.actions.acting import act, after, broken, chat, dump, moment, rows, settle, until
from tests.office import a_case, actor, clock_of, office, pass_time, person, read

YEAR = (Path(__file__).parents[1] / "calendar_files" / "2027.json").read_bytes()
JAN_22 = date(2027, 1, 22)
"""Sixty days after Monday 23 November: the promise of an ordinary case of that day."""


def csv(*lines: str) -> bytes:
    return ("date,kind,name\n" + "\n".join(lines) + "\n").encode()


def year_with(*lines: str) -> bytes:
    """The whole year of the golden CSV, and some more days."""
    whole = (Path(__file__).parents[1] / "calendar_files" / "2027.csv").read_text("utf-8")
    return (whole + "\n".join(lines) + "\n").encode()


async def try_out(rt: Runtime, content: bytes, name: str = "2027") -> Shown:
    return await calendar_import.try_out(rt, await actor(rt, "he"), name, content, lang="en")


async def apply(rt: Runtime, content: bytes, name: str = "2027") -> tuple[Shown, int]:
    shown = await try_out(rt, content, name)
    return shown, await calendar_import.apply(rt, await actor(rt, "he"), shown)


async def days(rt: Runtime, case_id: int) -> Mapping[str, tuple[Any, ...]]:
    found = (await read(rt, lambda tx: entries.of(tx, [case_id])))[case_id]
    return {
        k: (e.promise_on, e.due_on, e.provisional)
        for k, e in found.items()
        if e.is_open and e.kind != "notice"
    }


async def told_case(rt: Runtime, **more: Any) -> int:
    """A case whose resident has been told by when it is answered."""
    case_id: int = (await a_case(rt, **more)).row.case.id
    await after(rt, hours=1)
    assert [r.state for r in await rows(rt, "accepted")] == ["sent"]
    return case_id


async def test_a_year_takes_the_provisional_mark_and_moves_nothing(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    before = await days(rt, case_id)
    assert before["handle"] == (JAN_22, JAN_22, True)
    untouched = await dump(rt)
    shown = await try_out(rt, YEAR)
    assert await dump(rt) == untouched, "looking changes nothing"
    assert (len(shown.moved), shown.firm, shown.found.confirmed_years) == (0, 1, {2027})
    await apply(rt, YEAR)
    now = await days(rt, case_id)
    assert now == before | {"handle": (JAN_22, JAN_22, False)}
    assert rt.desk.office.calendar.is_confirmed(JAN_22)
    assert await broken(rt) == []


async def test_what_moves_is_exactly_what_was_shown(rt: Runtime) -> None:
    ids = [(await a_case(rt)).row.case.id for _ in range(3)]
    ids.append((await a_case(rt, protocol="major")).row.case.id)
    before = {case_id: await days(rt, case_id) for case_id in ids}
    shown, changed = await apply(rt, year_with("2027-01-22,rest,x", "2026-11-26,rest,y"))
    assert changed == len(ids)
    assert len(shown.moved) > len(ids)
    now = {case_id: await days(rt, case_id) for case_id in ids}
    moved = {(c, k) for c in ids for k in now[c] if now[c][k][:2] != before[c][k][:2]}
    assert moved == {(m.case_id, m.key) for m in shown.moved}
    for move in shown.moved:
        assert move.new in now[move.case_id][move.key]
        assert move.old in before[move.case_id][move.key]
    firm = {(c, k) for c in ids for k in now[c] if before[c][k][2] and not now[c][k][2]}
    assert firm == {(m.case_id, m.key) for m in shown.moves if m.firm}
    assert await broken(rt) == []


async def test_doing_it_again_changes_nothing(rt: Runtime) -> None:
    await told_case(rt)
    content = year_with("2027-01-22,rest,x")
    await apply(rt, content)
    kept = await dump(rt)
    shown, changed = await apply(rt, content)
    assert (shown.is_known, shown.moves, changed) == (True, (), 0)
    assert await dump(rt) == kept


async def test_broken_off_it_is_finished_by_the_next_look(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    days_kept = calendar_import.merged(calendars.Kept(), (await try_out(rt, YEAR)).found)
    async with rt.db.write() as tx:  # the days are kept, and then we die
        for year, marks in days_kept.years.items():
            await calendars.put_year(tx, year, marks)
    assert await read(rt, lambda tx: behind(tx, rt.desk))
    assert (await days(rt, case_id))["handle"][2]
    await housekeep(rt)
    assert not (await days(rt, case_id))["handle"][2]
    assert not await read(rt, lambda tx: behind(tx, rt.desk))


async def test_an_earlier_day_is_told_to_the_colleague_in_the_morning(rt: Runtime) -> None:
    await told_case(rt)
    shown, _ = await apply(rt, csv("2027-01-22,rest,x"))
    chen = await person(rt, "chen")
    assert [(m.key, str(m.old), str(m.new), m.people) for m in shown.moved] == [
        ("handle", "2027-01-22", "2027-01-21", (chen.id,))
    ]
    assert shown.told == {chen.id: chen.name}
    assert shown.residents == 1
    assert not shown.kept, "earlier than promised harms nobody"
    await until(rt, moment("2026-11-24", "08:05"))
    assert [r.state for r in await rows(rt, "dates_earlier")] == ["planned"]
    await until(rt, moment("2026-11-24", "08:15"))
    (said,) = await rows(rt, "dates_earlier")
    assert (said.state, said.person_id) == ("sent", chen.id)
    (text,) = [r.message.text for r in chat(rt).ledger if "提前" in r.message.text]
    assert "1月22日 → " in text
    assert "1月21日" in text
    assert "有1个日子提前" in text


async def test_many_earlier_days_are_one_message(rt: Runtime) -> None:
    for _ in range(12):
        await a_case(rt)
    await apply(rt, csv("2027-01-22,rest,x"))
    (said,) = await rows(rt, "dates_earlier")
    assert said.detail["n"] == 12
    assert str(said.detail["lines"]).count("→") == 10
    assert str(said.detail["lines"]).endswith("…")


async def marked_case(rt: Runtime) -> int:
    """Its promise is 21 January, because the 22nd is thought to be a day off; the resident was told."""
    await act(rt, "he", mark_day, JAN_22, DayMark(kind=MarkKind.REST))
    await housekeep(rt)
    case_id = await told_case(rt)
    assert (await days(rt, case_id))["handle"][:2] == (date(2027, 1, 21), date(2027, 1, 25))
    return case_id


async def test_a_later_day_leaves_the_promise_where_it_was_given(rt: Runtime) -> None:
    case_id = await marked_case(rt)
    shown, _ = await apply(rt, csv("2027-01-22,work,x"))
    assert [(m.key, m.kept, len(m.residents)) for m in shown.moves] == [("handle", True, 1)]
    assert (await days(rt, case_id))["handle"][:2] == (date(2027, 1, 21), JAN_22)
    promised = [f for f in (await facts(rt, case_id)) if f.event is Event.PROMISED]
    assert [(f.subject, f.value) for f in promised] == [("handle", {"day": "2027-01-21"})]
    again, changed = await apply(rt, csv("2027-01-22,work,x"))
    assert (again.moves, changed) == ((), 0)
    assert await broken(rt) == []


async def test_nobody_was_told_so_the_day_moves(rt: Runtime) -> None:
    await act(rt, "he", mark_day, JAN_22, DayMark(kind=MarkKind.REST))
    await housekeep(rt)
    case_id = (await a_case(rt, phones=())).row.case.id
    await after(rt, hours=1)
    shown, _ = await apply(rt, csv("2027-01-22,work,x"))
    assert [(m.key, str(m.old), str(m.new), m.kept) for m in shown.moved] == [
        ("handle", "2027-01-21", "2027-01-22", False)
    ]
    assert (await days(rt, case_id))["handle"][0] == JAN_22
    assert await rows(rt, "dates_earlier") == []


async def test_a_promise_is_remembered_through_several_changes(rt: Runtime) -> None:
    case_id = await told_case(rt)  # told: 22 January
    await apply(rt, csv("2027-01-22,rest,x"))
    assert (await days(rt, case_id))["handle"][0] == date(2027, 1, 21)
    await apply(rt, csv("2027-01-22,work,x", "2027-01-23,work,x"))
    assert (await days(rt, case_id))["handle"][0] == JAN_22, "back to what was promised, and no later"


async def test_an_extension_is_how_a_person_decides_otherwise(rt: Runtime) -> None:
    case_id = await marked_case(rt)
    await apply(rt, csv("2027-01-22,work,x"))
    pass_time(rt, minutes=1)
    await act(rt, "lin", extend, case_id)
    promise = (await days(rt, case_id))["handle"][0]
    assert promise > JAN_22


async def extend(tx: Any, desk: Any, by: Any, case_id: int) -> None:
    await record.record(tx, desk, by, case_id, Event.EXTEND, subject="handle", value={"days": 30})
    await replan(tx, desk, case_id)


async def facts(rt: Runtime, case_id: int) -> list[Any]:
    return (await read(rt, lambda tx: stored.facts(tx, [case_id])))[case_id]


async def test_a_kept_promise_is_no_news_of_the_case(rt: Runtime) -> None:
    """The quiet-case watch counts from what people did, not from a change of holidays."""
    case_id = await marked_case(rt)
    before = await days(rt, case_id)
    await apply(rt, csv("2027-01-22,work,x"))
    now = await days(rt, case_id)
    assert now.keys() == before.keys()


async def test_what_is_by_hand_beats_the_published_year(rt: Runtime) -> None:
    day = date(2027, 3, 30)
    await act(rt, "he", mark_day, day, DayMark(kind=MarkKind.REST, name="三月三"))
    shown, _ = await apply(rt, year_with("2027-03-30,work,x"))
    assert shown.by_hand == 1
    assert not rt.desk.office.calendar.is_working(day)
    assert rt.desk.office.calendar.is_confirmed(day)


async def test_a_second_list_of_a_year_replaces_the_first(rt: Runtime) -> None:
    await apply(rt, year_with("2027-03-30,rest,x"))
    assert not rt.desk.office.calendar.is_working(date(2027, 3, 30))
    await apply(rt, YEAR)
    assert rt.desk.office.calendar.is_working(date(2027, 3, 30))
    assert rt.desk.calendar_of("GB-ENG").is_working(date(2027, 2, 8)), "other countries keep their own days"


async def test_another_process_that_imported_is_noticed(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        case_id = (await a_case(rt)).row.case.id
        other = replace(rt, desk=replace(rt.desk, _offices={}), memo={})
        await apply(other, YEAR)
        assert not rt.desk.office.calendar.is_confirmed(JAN_22)
        await housekeep(rt)
        assert rt.desk.office.calendar.is_confirmed(JAN_22)
        assert not (await days(rt, case_id))["handle"][2]


async def test_a_visit_somebody_was_told_of_stays(rt: Runtime) -> None:
    case_id = await told_case(rt)
    await until(rt, moment("2026-11-24", "09:00"))
    await act(rt, "chen", visits.propose, case_id, Slot(day=date(2026, 12, 3)))
    await after(rt, minutes=1)
    visit = next(k for k in await days(rt, case_id) if k.startswith("visit"))
    before = (await days(rt, case_id))[visit]
    shown, _ = await apply(rt, csv("2026-12-03,rest,x"))
    assert (await days(rt, case_id))[visit] == before
    assert visit not in {m.key for m in shown.moved}


async def test_a_faulty_file_and_somebody_who_may_not_change_nothing(rt: Runtime) -> None:
    untouched = await dump(rt)
    with pytest.raises(Faulty):
        await try_out(rt, b'{"year": 2027, "days": []}')
    with pytest.raises(Refused):
        await calendar_import.try_out(rt, await actor(rt, "chen"), "x", YEAR, lang="zh")
    assert await dump(rt) == untouched


# --- the yearly reminder --------------------------------------------------------------------------


async def gaps(rt: Runtime) -> list[tuple[str, str]]:
    found = await rows(rt, "calendar_gap")
    return [(str(r.send_after.astimezone(clock_of(rt).now().tzinfo))[:16], r.state.value) for r in found]


@pytest.mark.failure(22)
async def test_admins_are_reminded_weekly_from_the_25th_of_october_until_the_year_is_known(
    tmp_path: Path,
) -> None:
    async with office(tmp_path, start=moment("2026-10-22", "09:00")) as rt:
        await until(rt, moment("2026-10-24", "23:00"))
        assert await gaps(rt) == []
        await until_daily(rt, moment("2026-11-12", "12:00"))
        found = await rows(rt, "calendar_gap")
        mornings = [str((r.send_after + timedelta(hours=8)).replace(tzinfo=None)) for r in found]
        assert mornings == ["2026-10-26 08:10:00", "2026-11-02 08:10:00", "2026-11-09 08:10:00"]
        assert {r.state for r in found} == {"sent"}
        assert {r.person_id for r in found} == {(await person(rt, "he")).id}
        text = next(r.message.text for r in chat(rt).ledger if "放假安排还没导入" in r.message.text)
        assert text == "2027年放假安排还没导入，0个期限按暂定日计算。国务院通知公布后请导入：/calendar import"
        await until_daily(rt, moment("2026-11-14", "12:00"))  # a Saturday: Monday's is waiting
        assert [r.state for r in await rows(rt, "calendar_gap")][3:] == ["planned"]
        await apply(rt, YEAR)
        await until_daily(rt, moment("2026-12-20", "12:00"))
        assert [r.state for r in await rows(rt, "calendar_gap")][3:] == ["cancelled"]


async def until_daily(rt: Runtime, end: Any) -> None:
    """Time passes day by day, as it does where jobs tick."""
    while clock_of(rt).now() < end:
        await until(rt, min(end, clock_of(rt).now() + timedelta(hours=8)))


async def test_it_goes_on_in_the_year_itself(tmp_path: Path) -> None:
    async with office(tmp_path, start=moment("2027-01-11", "07:00")) as rt:
        await settle(rt)
        assert [r.detail["year"] for r in await rows(rt, "calendar_gap")] == [2027]
