"""Every date of a case says how it was reached, and every message where it is: sent, not sent, to come."""

from collections.abc import Sequence
from datetime import date

import pytest

from reminder.actions import cases, moves
from reminder.actions import entries as visits
from reminder.actions.accounts import Fate
from reminder.actions.derivations import CaseWhy, EntryWhy, why_case
from reminder.actions.digests import DIGEST
from reminder.actions.said_lines import Lines
from reminder.domain.errors import NotFound
from reminder.domain.protocols import ANCHORS
from reminder.runtime import Runtime
from tests.actions.acting import (
    FRIDAY,
    THURSDAY,
    act,
    after,
    dump,
    moment,
    offered,
    rows,
    send_in,
    until,
    visited_case,
)
from tests.office import LI, ZONE, a_case, pass_time, person, templates


async def why(rt: Runtime, case_id: int, lang: str = "en", who: str = "chen") -> CaseWhy:
    return await act(rt, who, why_case, case_id, lang)


async def entry(rt: Runtime, case_id: int, key: str, lang: str = "en") -> EntryWhy:
    return next(one for one in (await why(rt, case_id, lang)).entries if one.key == key)


async def lines(rt: Runtime, case_id: int, key: str, lang: str = "en") -> Sequence[str]:
    return (await entry(rt, case_id, key, lang)).lines


async def test_the_sum_in_the_words_of_the_specification(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    said = await lines(rt, case_id, "handle")
    assert said[0] == "taken up Mon 23 Nov + 60 calendar days = Fri 22 Jan 2027, provisional."
    assert said[1] == "The day after counts as day 1."
    assert "Provisional: the rest days of 2027 are not published yet and may move this." in said
    zh = await lines(rt, case_id, "handle", "zh")
    assert zh[0] == "开始办理11月23日周一 + 60 个自然日 = 2027年1月22日周五，暂定。"
    assert len(zh) == len(said)


async def test_rolled_over_a_rest_day_and_promised_before_it(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    said = await lines(rt, case_id, "progress")
    assert "Sun 2026-12-13 is a rest day, so the deadline moves to Mon 2026-12-14." in said
    assert "Promised for Fri 11 Dec; the limit itself ends Mon 14 Dec." in said


async def test_an_extension_names_who_granted_it_and_why(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "lin", moves.extend, case_id, 20, "等鉴定")
    said = "\n".join(await lines(rt, case_id, "handle"))
    assert (
        "Extended by 20 calendar days, granted by 林国栋 (等鉴定), from Fri 22 Jan 2027 to Thu 11 Feb 2027."
        in said
    )


async def test_a_hearing_is_told_with_its_days(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", cases.answer, case_id, "upheld", "路已修好")
    await act(rt, "chen", cases.served, case_id, "当面")
    await act(rt, "chen", moves.ask_review, case_id)
    pass_time(rt, minutes=1)
    await act(rt, "zhou", moves.suspend, case_id, 10)
    found = await why(rt, case_id)
    said = "\n".join(line for one in found.entries for line in one.lines)
    assert "A hearing took 10 calendar days, which do not count: from " in said


async def test_a_day_people_chose_is_said_to_be_chosen(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "lin", moves.defer, case_id, date(2026, 12, 20), "等资金", "资金到位")
    assert (await lines(rt, case_id, "look_again"))[0] == "deferred Mon 23 Nov: people chose Sun 20 Dec."


async def test_a_visit_tells_who_put_it_where(rt: Runtime) -> None:
    case_id, entry_id = await offered(rt)
    await act(rt, "chen", visits.move, entry_id, FRIDAY)
    said = await lines(rt, case_id, "visit")
    assert any("陈立文: move a visit → Fri 27 Nov." in line for line in said), said
    assert said[-1].startswith("It stands on Fri 27 Nov")


async def test_the_ladder_is_what_then_goes_to_colleagues_and_to_nobody_else(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await after(rt, minutes=5)
    end = moment("2027-02-01", "23:00")
    before = {row.id for row in await rows(rt)}
    foretold = {
        (rung.at, rung.kind, name)
        for one in (await why(rt, case_id)).entries
        for rung in one.ladder
        if rung.kind and rung.at <= end and rung.to != ("the resident",)
        for name in rung.to
    }
    await until(rt, end)
    names = {(await person(rt, who)).id: (await person(rt, who)).name for who in ("chen", "lin", "zhou")}
    went = {
        (row.due_at, row.kind, names.get(row.person_id or 0, ""))
        for row in await rows(rt)
        if row.id not in before
        and row.person_id is not None
        and row.case_id == case_id
        and row.kind != DIGEST
    }
    assert len(foretold) > 5
    assert went == foretold


async def test_rungs_that_fall_on_one_day_are_one(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    found = await entry(rt, case_id, "handle")
    at = [rung.at for rung in found.ladder if not rung.kind]
    assert len(at) == len(set(at))
    assert next(rung.to for rung in found.ladder if rung.step == "T0") == ("陈立文", "林国栋")


async def test_who_stopped_texts_is_told_as_the_reason(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await send_in(rt, LI, "退订")
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await after(rt, minutes=2)
    found = await why(rt, case_id)
    kept_back = [one for one in found.messages if one.fate is Fate.NOT_SENT and one.kind == "visit_offer"]
    assert [one.reason for one in kept_back] == ["the resident takes no texts"]
    told = next(one for one in found.entries if one.key == "visit")
    reasons = {rung.reason for rung in told.ladder if rung.to == ("the resident",)}
    assert reasons <= {"the resident takes no texts", "the resident has not agreed yet"}


async def test_what_waits_says_what_it_waits_for(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await until(rt, moment("2026-11-24", "21:00"))
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, minutes=1)
    coming = [one for one in (await why(rt, case_id)).messages if one.fate is Fate.TO_COME]
    offer = next(one for one in coming if one.kind == "visit_offer")
    assert offer.reason == "texting hours have not begun"
    assert offer.at.astimezone(ZONE).strftime("%d %H:%M") == "25 08:00"
    assert "李女士" in offer.text
    assert offer.to == "the resident"


async def test_every_row_of_the_case_is_accounted_for_once(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    await until(rt, moment("2026-12-16", "12:00"))
    found = await why(rt, case_id)
    mine = [row for row in await rows(rt) if row.case_id == case_id]
    ended = [one for one in found.messages if one.fate is not Fate.TO_COME]
    assert len(ended) == sum(row.state.value != "planned" for row in mine)
    assert {one.fate for one in ended} >= {Fate.SENT, Fate.LISTED}


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_it_is_laid_out_in_both_languages_and_changes_nothing(rt: Runtime, lang: str) -> None:
    case_id, _ = await offered(rt)
    untouched = await dump(rt)
    text = "\n".join(Lines(rt.desk, lang).case(await why(rt, case_id, lang)))
    assert await dump(rt) == untouched
    assert "{" not in text
    assert "李女士" not in text
    assert ("由谁负责：陈立文" if lang == "zh" else "Answers for it: 陈立文") in text


async def test_outside_ones_area_there_is_nothing_to_see(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    with pytest.raises(NotFound):
        await why(rt, case_id, who="stone")


def test_every_anchor_has_its_words() -> None:
    assert [name for name in (*ANCHORS, "task") if not templates().has_word(f"anchor.{name}")] == []
