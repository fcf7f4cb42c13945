"""Nothing leaves the house that people have held back: a copy, a trial, a stop."""

import pytest

from reminder.actions import arming, switches
from reminder.actions import entries as visits
from reminder.actions.arming import Standing
from reminder.domain.errors import Refused
from reminder.domain.switches import Switches, read, written
from reminder.instance import Instance
from reminder.runtime import Runtime
from reminder.store import reminders
from tests.actions.acting import FRIDAY, after, chat, rows, settle, sms, sound, states, tasks, texts
from tests.actions.acting import in_turn as act
from tests.office import LI, a_case, clock_of, pass_time, write
from tests.office import read as seen

OTHER = "+12025550143"


def test_what_is_written_is_read_back() -> None:
    held = Switches(live=False, members=("a",), instance="x").stop("sms", "why").stop("unit:5", "drill")
    assert read(written(held)) == held
    assert held.go("sms").stopped == {"unit:5": "drill"}
    assert read(None) == Switches()


# --- test mode ------------------------------------------------------------------------------------


async def test_in_test_mode_only_the_teams_numbers_get_texts_and_it_says_why(rt: Runtime) -> None:
    await write(rt, lambda tx: switches.set_live(tx, rt.desk, live=False))
    await write(rt, lambda tx: switches.admit(tx, rt.desk, OTHER, member=True))
    first = (await a_case(rt)).row.case.id
    await a_case(rt, phones=(OTHER,))
    await after(rt, minutes=5)
    assert {row.message.to for row in sms(rt).ledger} == {OTHER}
    assert await states(rt, "accepted") == [("suppressed", "test_mode"), ("sent", "")]
    assert await tasks(rt, first) == [], "a trial makes no work"
    assert chat(rt).ledger, "colleagues read theirs"


async def test_what_test_mode_held_back_is_not_sent_when_the_office_goes_live(rt: Runtime) -> None:
    await write(rt, lambda tx: switches.set_live(tx, rt.desk, live=False))
    case_id = (await a_case(rt)).row.case.id
    await after(rt, minutes=5)
    await write(rt, lambda tx: switches.set_live(tx, rt.desk, live=True))
    await after(rt, hours=2)
    assert texts(rt) == []
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, minutes=5)
    assert len(texts(rt)) == 1


# --- stops ----------------------------------------------------------------------------------------


async def test_a_stopped_channel_waits_and_the_other_does_not(rt: Runtime) -> None:
    await act(rt, "he", switches.stop, "sms", "wrong template")
    await a_case(rt)
    await after(rt, minutes=20)
    assert texts(rt) == []
    assert chat(rt).ledger
    await act(rt, "he", switches.go, "sms")
    await after(rt, minutes=1)
    assert len(texts(rt)) == 2


async def test_a_stopped_unit_waits_with_those_below_it_and_others_do_not(rt: Runtime) -> None:
    await act(rt, "he", switches.stop, "柳溪镇", "flood")
    await a_case(rt)
    await a_case(rt, by="stone", handler=None, phones=(OTHER,), accepted=False)
    await after(rt, minutes=30)
    assert {row.message.to for row in sms(rt).ledger} == {OTHER}
    await act(rt, "he", switches.go, "柳溪镇")
    await after(rt, minutes=30)
    assert LI in {row.message.to for row in sms(rt).ledger}


@pytest.mark.parametrize("what", ["all", "sms", "柳溪镇"])
async def test_what_was_of_use_only_meanwhile_ends_as_missed_while_all_is_stopped(
    rt: Runtime, what: str
) -> None:
    case_id = (await a_case(rt)).row.case.id
    await after(rt, minutes=5)
    await act(rt, "he", switches.stop, what, "drill")
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, days=5)
    assert ("missed", "useless") in await states(rt, "visit_offer")
    await sound(rt)


async def test_who_may_not_stop_does_not_and_names_are_checked(rt: Runtime) -> None:
    with pytest.raises(Refused, match=r"person.not_allowed"):
        await act(rt, "chen", switches.stop, "sms", "x")
    with pytest.raises(Refused, match=r"stop.unknown"):
        await act(rt, "he", switches.stop, "fax", "x")
    with pytest.raises(Refused, match=r"stop.not_stopped"):
        await act(rt, "he", switches.go, "sms")
    with pytest.raises(Refused, match=r"case.needs_reason"):
        await act(rt, "he", switches.stop, "sms", " ")


async def settled(rt: Runtime, **delta: float) -> None:
    """Time passes and the jobs run, though nothing of it leaves."""
    await settle(rt)
    pass_time(rt, **delta)
    await settle(rt)


# --- arming ---------------------------------------------------------------------------------------


@pytest.mark.failure(34)
async def test_a_fresh_database_is_armed_and_a_copy_elsewhere_sends_nothing(rt: Runtime) -> None:
    assert await arming.at_start(rt.db, "here", 0) is Standing.FRESH
    rt.desk.instance = "here"
    await a_case(rt)
    await after(rt, minutes=5)
    assert len(texts(rt)) == 2
    rt.desk.instance = "elsewhere"
    assert await arming.at_start(rt.db, "elsewhere", 0) is Standing.ELSEWHERE
    before = len(chat(rt).ledger)
    await a_case(rt, phones=(OTHER,))
    await settled(rt, minutes=30)
    assert len(texts(rt)) == 2
    assert len(chat(rt).ledger) == before


@pytest.mark.failure(34)
async def test_a_database_put_back_is_known_by_what_was_sent_since(rt: Runtime) -> None:
    await arming.at_start(rt.db, "here", 0)
    assert await arming.at_start(rt.db, "here", 0) is Standing.OURS
    assert await arming.at_start(rt.db, "here", 900) is Standing.BEHIND
    rt.desk.instance = "here"
    await a_case(rt)
    await settled(rt, minutes=5)
    assert texts(rt) == []


@pytest.mark.failure(34)
async def test_arming_sends_nothing_overdue_and_leaves_no_news_untold(rt: Runtime) -> None:
    await arming.at_start(rt.db, "elsewhere", 0)
    rt.desk.instance = "here"
    case_id = (await a_case(rt)).row.case.id
    await settled(rt, minutes=30)
    waiting = await seen(rt, lambda tx: arming.catch_up(tx, clock_of(rt).now()))
    assert waiting.due["sms", "accepted"] == 1
    ended = await arming.arm(rt.db, rt.desk, "here", rt.sms)
    assert ended == sum(waiting.due.values())
    await after(rt, hours=1)
    assert texts(rt) == []
    assert {task["why"] for task in await tasks(rt, case_id)} == {"restored"}
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, minutes=5)
    assert len(texts(rt)) == 1, "what falls due from now on goes"
    await sound(rt)


async def test_a_text_that_stands_in_the_providers_log_is_nobodys_task(rt: Runtime) -> None:
    await arming.at_start(rt.db, "here", 0)
    rt.desk.instance = "here"
    case_id = (await a_case(rt)).row.case.id
    await after(rt, minutes=5)
    (sent,) = await rows(rt, "accepted")
    async with rt.db.write() as tx:  # the state of the copy, made a moment before the text left
        await reminders.update(tx, sent.id, state="planned", token=None, attempts=0)
    assert await arming.at_start(rt.db, "here", 9999) is Standing.BEHIND
    await arming.arm(rt.db, rt.desk, "here", rt.sms)
    assert len([row for row in sms(rt).ledger if row.text == texts(rt)[-1].text]) == 1
    assert await tasks(rt, case_id) == []


def test_the_machine_remembers_its_name_and_how_far_it_has_sent(tmp_path) -> None:  # type: ignore[no-untyped-def]
    machine = Instance(tmp_path / "data")
    name = machine.name
    assert Instance(tmp_path / "data").name == name
    machine.sent(7)
    machine.sent(3)
    assert Instance(tmp_path / "data").sent_to == 7
    assert Instance(tmp_path / "other").name != name
