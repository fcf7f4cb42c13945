"""What a resident writes in their own words is read by a person, and confirmed where it changes something."""

import logging

import pytest

from reminder.actions.digests import items_of, line
from reminder.actions.replies import ANSWERS_PER_HOUR
from reminder.actions.scene import read_case
from reminder.domain.protocols import EntryKind
from reminder.runtime import Runtime
from tests.actions.acting import after, chat, on, rows, send_in, tasks, texts, visited_case
from tests.office import LI, STAFF, person, read

MARKET = "那天我要赶集，改天再说"


async def listed(rt: Runtime) -> list[str]:
    """Lines of Chen's lists that are about tasks."""
    chen = await person(rt, "chen")
    found = await read(rt, lambda tx: items_of(tx, rt.desk, chen))
    tasks = [i for i in found if i.entry.kind is EntryKind.TASK]
    return [line(rt.desk, item, "zh", on("2026-11-24")) for item in tasks]


def to_chen(rt: Runtime) -> list[str]:
    return [r.text for r in chat(rt).ledger if r.message.to == str(STAFF["chen"].chat)]


async def test_the_handler_reads_what_the_resident_wrote_at_once_and_in_every_list(
    rt: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    case_id = await visited_case(rt)
    await send_in(rt, LI, MARKET)
    assert f"“{MARKET}”" in to_chen(rt)[-1]
    assert f"“{MARKET}”" in (await listed(rt))[0]
    scene = await read(rt, lambda tx: read_case(tx, rt.desk, case_id))
    (task,) = [e for e in scene.entries.values() if e.kind is EntryKind.TASK and e.is_open]
    assert f"“{MARKET}”" in scene.what(task, "zh")
    assert f"“{MARKET}”" in scene.what(task, "en")
    assert MARKET not in caplog.text


async def test_different_words_are_two_tasks_that_can_be_told_apart_the_same_words_one(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    for words in (MARKET, "水又停了", MARKET):
        await send_in(rt, LI, words, sid=f"SM{len(await rows(rt))}")
        await after(rt, minutes=1)
    assert [t["said"] for t in await tasks(rt, case_id)] == [MARKET, "水又停了"]
    assert len(set(await listed(rt))) == 2
    assert len([t for t in to_chen(rt) if MARKET in t]) == 2  # each time they hear of it


async def test_a_text_is_shown_without_its_invisible_signs_and_shortened(rt: Runtime) -> None:
    await visited_case(rt)
    await send_in(rt, LI, "路\u202e坏了\x07\n" + "好" * 150)
    (shown,) = await listed(rt)
    assert "路坏了 好" in shown
    assert len(shown) < 120
    assert not [c for text in (shown, to_chen(rt)[-1]) for c in text if c in "\u202e\x07"]


async def test_a_confidential_case_shows_its_number_alone(rt: Runtime) -> None:
    await visited_case(rt, confidential=True)
    await send_in(rt, LI, MARKET)
    (row,) = await rows(rt, "resident_replied")
    assert row.state.value == "sent"
    assert not [text for text in to_chen(rt) if "赶集" in text]
    assert not [text for text in await listed(rt) if "赶集" in text]


async def test_a_stop_and_a_start_are_confirmed_however_much_was_answered_before(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    number = (await read(rt, lambda tx: read_case(tx, rt.desk, case_id))).row.case.number
    for n in range(5):
        await send_in(rt, LI, number, sid=f"SMq{n}")
    assert len(await rows(rt, "status_answer")) == ANSWERS_PER_HOUR
    before = len(texts(rt, LI))
    await send_in(rt, LI, "TD")
    await after(rt, minutes=1)
    await send_in(rt, LI, "START")
    await after(rt, minutes=1)
    kinds = [r.kind for r in await rows(rt, "opt_out_ok", "opt_in_ok") if r.state.value == "sent"]
    assert kinds == ["opt_out_ok", "opt_in_ok"]
    assert len(texts(rt, LI)) == before + 2


async def test_a_change_is_confirmed_once(rt: Runtime) -> None:
    await visited_case(rt)
    for n, word in enumerate(("TD", "TD", "START", "START", "TD")):
        await send_in(rt, LI, word, sid=f"SMs{n}")
        await after(rt, minutes=1)
    kinds = [r.kind for r in await rows(rt, "opt_out_ok", "opt_in_ok") if r.state.value == "sent"]
    assert kinds == ["opt_out_ok", "opt_in_ok", "opt_out_ok"]
