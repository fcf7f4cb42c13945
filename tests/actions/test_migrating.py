"""Putting a case under another protocol: the difference shown first is the difference made."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from reminder.actions import cases, migrating
from reminder.actions import entries as deeds
from reminder.actions.migrating import Change
from reminder.domain.cases import Event
from reminder.domain.errors import Refused
from reminder.runtime import Runtime
from reminder.store import cases as stored
from reminder.store import entries
from tests.actions.acting import act, after, broken, dump, entry, execute, rows
from tests.actions.protocols import put, restarted
from tests.actions.test_versions import HANDLE
from tests.office import a_case, actor, pass_time, person, read

RENAMED = put("ordinary.toml", 'key = "handle"', 'key = "decide"')
GREETING = """
[[milestone]]
key = "greeting"
kind = "notice"
what = { zh = "问候", en = "Greeting" }
anchor = "received"
resident = ["now received"]
basis = "test"

[[milestone]]
key = "tidy"
kind = "deadline"
what = { zh = "整理", en = "Tidy up" }
anchor = "received"
limit = "20 cal"
met_by = ["answer"]
remind = ["handler T-7 T-3 T0"]
basis = "test"
"""


def longer(texts: dict[str, str]) -> None:
    texts["ordinary.toml"] += GREETING


async def would(rt: Runtime, case_id: int, key: str = "ordinary") -> Change:
    return await act(rt, "he", migrating.would_change, case_id, key)


async def change(rt: Runtime, case_id: int, key: str = "ordinary", promised: int = 0, **more: Any) -> Any:
    return await act(rt, "he", migrating.change, case_id, key, promised=promised, **more)


async def days(rt: Runtime, case_id: int) -> Mapping[str, str]:
    found = (await read(rt, lambda tx: entries.of(tx, [case_id])))[case_id]
    return {k: str(e.promise_on or e.due_on) for k, e in found.items() if e.is_open and e.kind != "notice"}


async def old_case(rt: Runtime, edit: Any, **more: Any) -> tuple[Runtime, int]:
    """A case that began before the edit."""
    rt = await restarted(rt)
    case_id: int = (await a_case(rt, **more)).row.case.id
    return await restarted(rt, edit), case_id


EDITS = {"shorter": HANDLE, "renamed": RENAMED, "longer": longer}


@pytest.mark.parametrize("name", EDITS)
async def test_the_difference_shown_is_exactly_the_one_applied(rt: Runtime, name: str) -> None:
    rt, case_id = await old_case(rt, EDITS[name])
    before, untouched = await days(rt, case_id), await dump(rt)
    shown = await would(rt, case_id)
    assert await dump(rt) == untouched, "looking changes nothing"
    await change(rt, case_id, promised=shown.promised, shown=shown.sign)
    now = await days(rt, case_id)
    assert {s.key: s.old for s in (*shown.kept, *shown.moved, *shown.void)} == before
    assert {s.key: s.new for s in (*shown.kept, *shown.moved, *shown.begun)} == now
    assert all(s.old == s.new for s in shown.kept)
    assert await broken(rt) == []


async def test_a_shorter_limit_moves_one_date_and_keeps_the_others(rt: Runtime) -> None:
    rt, case_id = await old_case(rt, HANDLE)
    shown = await would(rt, case_id)
    assert [(s.key, s.old, s.new) for s in shown.moved] == [("handle", "2027-01-22", "2027-01-07")]
    assert shown.moved[0].what("en") == "Decide and answer in writing"
    assert not shown.begun
    assert not shown.void
    assert {s.key for s in shown.kept} >= {"half", "progress"}


async def test_a_promised_date_that_would_fall_away_is_counted_and_its_number_must_be_repeated(
    rt: Runtime,
) -> None:
    rt, case_id = await old_case(rt, RENAMED)
    assert (await would(rt, case_id)).promised == 0, "nobody has been told yet"
    await after(rt, minutes=2)
    (text,) = [r for r in await rows(rt, "accepted") if r.resident_id is not None]
    assert text.sent_at is not None
    shown = await would(rt, case_id)
    assert [(s.key, s.promised) for s in shown.void] == [("handle", True)]
    assert shown.promised == 1
    untouched = await dump(rt)
    for said in (0, 2):
        with pytest.raises(Refused) as refused:
            await change(rt, case_id, promised=said)
        assert (refused.value.key, refused.value.values) == ("protocol.promises", {"n": 1})
    assert await dump(rt) == untouched
    await change(rt, case_id, promised=1)
    assert "decide" in await days(rt, case_id)


async def test_undo_gives_the_old_protocol_and_its_dates_back(rt: Runtime) -> None:
    rt, case_id = await old_case(rt, HANDLE)
    before = await days(rt, case_id)
    held = (await read(rt, lambda tx: stored.many(tx, [case_id])))[case_id].protocol_held
    await change(rt, case_id)
    assert (await days(rt, case_id)) != before
    he = await person(rt, "he")
    deed = await read(rt, lambda tx: stored.last_deed(tx, he.id))
    assert deed is not None
    await act(rt, "he", deeds.undo, deed["id"])
    assert await days(rt, case_id) == before
    assert (await read(rt, lambda tx: stored.many(tx, [case_id])))[case_id].protocol_held == held
    assert await broken(rt) == []


async def test_what_a_new_notice_would_have_said_long_ago_is_not_said_now(rt: Runtime) -> None:
    rt, case_id = await old_case(rt, longer)
    await after(rt, days=7)
    seen = len(await rows(rt, "received"))
    shown = await would(rt, case_id)
    assert [s.key for s in shown.begun] == ["tidy"]
    await change(rt, case_id)
    await after(rt, days=1)
    assert len(await rows(rt, "received")) == seen
    tidy = await entry(rt, case_id, "tidy")
    assert tidy.due_on == date(2026, 12, 14)
    assert tidy.since.date() == date(2026, 11, 30), "owed from the change on, counted from the receipt"


async def test_another_protocol_is_a_change_and_its_newer_version_no_second_one(rt: Runtime) -> None:
    rt = await restarted(rt)
    case_id = (await a_case(rt)).row.case.id
    await change(rt, case_id, "major")
    assert "report_up" in await days(rt, case_id)
    rt = await restarted(rt, put("major.toml", 'limit = "3 wd"', 'limit = "4 wd"'))
    pass_time(rt, minutes=1)
    await change(rt, case_id, "major")
    now = await days(rt, case_id)
    assert (now["report_up"], now["sponsor"]) == ("2026-11-24", "2026-11-27")
    assert not {"report_up.2", "sponsor.2"} & set(now)


async def test_migrating_moves_every_case_behind_and_no_other(rt: Runtime) -> None:
    rt, first = await old_case(rt, HANDLE)
    new = (await a_case(rt)).row.case.id
    urgent = (await a_case(rt, protocol="urgent")).row.case.id
    he = await actor(rt, "he")
    changes = await migrating.would_migrate(rt.db, rt.desk, he, "ordinary")
    assert [one.case_id for one in changes] == [first]
    others = {i: await days(rt, i) for i in (new, urgent)}
    done = await migrating.migrate(rt.db, rt.desk, he, "ordinary", changes, promised=0)
    assert (done.done, done.left) == (1, ())
    assert (await days(rt, first))["handle"] == "2027-01-07"
    assert {i: await days(rt, i) for i in (new, urgent)} == others
    assert await migrating.would_migrate(rt.db, rt.desk, he, "ordinary") == []
    assert await broken(rt) == []


async def test_a_case_that_changed_meanwhile_is_left_and_the_others_go(rt: Runtime) -> None:
    rt, first = await old_case(rt, lambda _files: None)
    second = (await a_case(rt, phones=("+12025550143",))).row.case.id
    rt = await restarted(rt, HANDLE)
    he = await actor(rt, "he")
    changes = await migrating.would_migrate(rt.db, rt.desk, he, "ordinary")
    await act(rt, "chen", cases.answer, first, "upheld", "路已修好")
    done = await migrating.migrate(rt.db, rt.desk, he, "ordinary", changes, promised=0)
    assert done.done == 1
    assert [refused.key for _, refused in done.left] == ["protocol.changed_since"]
    assert (await days(rt, second))["handle"] == "2027-01-07"


async def test_the_number_of_broken_promises_is_asked_for_over_all_cases(rt: Runtime) -> None:
    rt, _ = await old_case(rt, RENAMED)
    await after(rt, minutes=2)
    he = await actor(rt, "he")
    changes = await migrating.would_migrate(rt.db, rt.desk, he, "ordinary")
    untouched = await dump(rt)
    with pytest.raises(Refused) as refused:
        await migrating.migrate(rt.db, rt.desk, he, "ordinary", changes, promised=0)
    assert refused.value.values == {"n": 1}
    assert await dump(rt) == untouched
    assert (await migrating.migrate(rt.db, rt.desk, he, "ordinary", changes, promised=1)).done == 1


async def test_what_changed_since_it_was_shown_is_not_done(rt: Runtime) -> None:
    rt, case_id = await old_case(rt, HANDLE)
    shown = await would(rt, case_id)
    await act(rt, "chen", cases.answer, case_id, "upheld", "路已修好")
    with pytest.raises(Refused) as refused:
        await change(rt, case_id, shown=shown.sign)
    assert refused.value.key == "protocol.changed_since"


async def test_the_same_an_unknown_and_an_ended_one_are_refused(rt: Runtime) -> None:
    rt = await restarted(rt)
    case_id = (await a_case(rt)).row.case.id
    for key, word in (("ordinary", "protocol.same"), ("nothing", "protocol.unknown")):
        with pytest.raises(Refused) as refused:
            await would(rt, case_id, key)
        assert refused.value.key == word
    await act(rt, "chen", cases.withdraw, case_id, "不办了")
    with pytest.raises(Refused) as refused:
        await would(rt, case_id, "urgent")
    assert refused.value.key == "protocol.case_ended"


async def test_only_an_admin_may(rt: Runtime) -> None:
    rt, case_id = await old_case(rt, HANDLE)
    with pytest.raises(Refused) as refused:
        await act(rt, "chen", migrating.change, case_id, "ordinary", promised=0)
    assert refused.value.key == "person.not_allowed"
    facts = (await read(rt, lambda tx: stored.facts(tx, [case_id])))[case_id]
    assert not [fact for fact in facts if fact.event is Event.PROTOCOL]


async def test_a_purged_text_does_not_stop_the_counting(rt: Runtime) -> None:
    rt, case_id = await old_case(rt, RENAMED)
    await after(rt, minutes=2)
    await execute(rt, "UPDATE attempts SET sealed = NULL")
    assert (await would(rt, case_id)).promised == 0
