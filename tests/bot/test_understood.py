"""What was not understood is said back; nothing typed is dropped in silence."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reminder.store import cases, entries, overview, people
from tests.bot.phones import Phones, phones
from tests.office import a_case, pass_time, person, read, write


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Phones]:
    async with phones(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("2026-02-30", "没有“2026-02-30”这一天"),
        ("2月30日上午9点", "没有“2月30日上午9点”这一天"),
        ("下周三上午25点", "“下周三上午25点”没看懂是哪一天"),
        ("next blursday", "“next blursday”没看懂是哪一天"),
    ],
)
async def test_a_day_that_is_none_is_quoted_by_visit_and_move(chat: Phones, said: str, answer: str) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", f"/visit {no} {said}")
    assert answer in chat.last("chen")
    assert "什么都没有改" in chat.last("chen")
    await chat.write("chen", f"/visit {no} 12月2日上午9点")
    await chat.press("chen", "对")
    await chat.write("chen", f"/move {no} {said}")
    assert answer in chat.last("chen")


@pytest.mark.parametrize("place", ["河湾村委会", "5组老槐树下", "the village hall"])
async def test_a_place_without_a_day_is_asked_for_the_day(chat: Phones, place: str) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", f"/visit {no} {place}")
    assert "定在哪天" in chat.last("chen")


async def test_an_outcome_in_other_words_counts_and_the_reason_is_kept(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    no = plan.row.case.number
    await chat.write("chen", f"/answer {no} 不支持 没有规定")
    assert "依据哪条规定" in chat.last("chen")
    await chat.write("chen", "土地管理法第四十五条")
    found = (await read(chat.rt, lambda tx: cases.facts(tx, [plan.row.case.id])))[plan.row.case.id][-1]
    assert (found.value["outcome"], found.value["reason"]) == ("not_upheld", "没有规定")


async def test_words_that_are_no_outcome_are_kept_as_the_reason(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    await chat.write("chen", f"/answer {plan.row.case.number} 路已经修好了 请放心")
    assert "“路已经修好了 请放心”" in chat.last("chen")
    await chat.press("chen", "支持")
    found = (await read(chat.rt, lambda tx: cases.facts(tx, [plan.row.case.id])))[plan.row.case.id][-1]
    assert (found.value["outcome"], found.value["reason"]) == ("upheld", "路已经修好了 请放心")


async def test_nobody_of_that_name_and_no_number_in_that_word_are_said(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("lin", f"/assign {no} 火星人")
    assert "没有找到叫“火星人”的同事" in chat.last("lin")
    await chat.write("chen", "/case abc")
    assert "“abc”里没有案件编号" in chat.last("chen")
    assert chat.labels("chen")[0].startswith(no)


async def test_preview_takes_days_or_a_case_and_refuses_the_rest(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    other = (await a_case(chat.rt)).row.case.number
    await chat.write("he", f"/preview {no}")
    assert chat.last("he").startswith(f"{no} 今后60天要发的消息")
    assert other not in chat.last("he")
    for nonsense in ("26000377", "0", "61", "下周", "3 天"):
        await chat.write("he", f"/preview {nonsense}")
        assert "什么都没有改" in chat.last("he"), nonsense
    await chat.write("he", "/preview 5")
    assert "今后5天" in chat.last("he")


async def test_assign_offers_the_own_unit_first_and_leafs_through_the_others(chat: Phones) -> None:
    far, lin = (await person(chat.rt, "stone")).unit_id, await person(chat.rt, "lin")
    for n in range(9):
        await write(
            chat.rt,
            lambda tx, n=n: people.add_person(  # type: ignore[misc]
                tx, name=f"新人{n}", unit_id=far if n < 8 else lin.unit_id, roles=[*lin.roles]
            ),
        )
    no = (await a_case(chat.rt)).row.case.number
    pass_time(chat.rt, minutes=1)
    await chat.write("lin", f"/assign {no}")
    first = chat.labels("lin")
    assert first[:4] == ["林国栋", "陈立文", "Wang Min", "新人8"]
    assert first[4] == "石磊 · 石门乡"
    assert first[-3:] == ["‹", "1/2", "›"]
    await chat.press("lin", "›")
    assert chat.labels("lin")[-2] == "2/2"
    await chat.press("lin", "新人7 · 石门乡")
    await chat.write("he", f"/case {no}")
    assert "承办：新人7" in chat.last("he")


async def test_later_today_is_later_than_the_visit_too(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", f"/visit {no} 今天下午4点")
    await chat.press("chen", "对")
    await chat.write("chen", f"/move {no}")
    assert not [label for label in chat.labels("chen") if label.startswith("今天晚些时候")]
    assert any(label.startswith("明天上午") for label in chat.labels("chen"))


async def test_new_offers_the_ways_of_the_own_country_and_the_others_on_wish(chat: Phones) -> None:
    for line in ("/new", "赵大爷", "没有", "河湾村", "田埂塌了"):
        await chat.write("chen", line)
    assert not [label for label in chat.labels("chen") if "英格兰" in label]
    await chat.press("chen", "更多……")
    assert [label for label in chat.labels("chen") if "英格兰" in label]
    await chat.press("chen", "普通事项")
    assert "普通事项" in chat.last("chen")
    assert await read(chat.rt, cases.ids)


async def test_languages_and_facts_are_called_by_their_names(chat: Phones) -> None:
    await chat.write("chen", "/lang klingon")
    assert "English / 中文" in chat.last("chen")
    plan = await a_case(chat.rt, protocol="urgent")
    await chat.write("chen", f"/fact {plan.row.case.number} 什么 今天")
    assert "24小时办不完" in chat.last("chen")
    assert "ledger_day" not in chat.last("chen")
    await chat.write("chen", f"/fact {plan.row.case.number} 24小时办不完 今天")
    assert "对吗" in chat.last("chen")
    await chat.write("chen", "/lang english")
    assert "English" in chat.last("chen")
    assert await read(chat.rt, lambda tx: entries.of(tx, [plan.row.case.id]))


async def test_a_file_of_pledges_is_opened_and_says_how_to_fill_it(chat: Phones) -> None:
    await chat.write("lin", "/pledges 今年十件实事")
    number = (await read(chat.rt, lambda tx: cases.many(tx, [1])))[1].case.number
    assert f"{number} 案卷立好了，逐项列入：/commit {number}" in chat.last("lin")


@pytest.mark.parametrize("command", ["suspend", "swap", "assign"])
async def test_a_number_nobody_has_is_no_number(chat: Phones, command: str) -> None:
    no = (await a_case(chat.rt)).row.case.number
    mark = "#" if command == "assign" else ""
    await chat.write("lin", f"/{command} {no} {mark}x")
    asked = chat.last("lin")
    await chat.write("lin", f"/{command} {no} {mark}{'9' * 4000}")
    assert chat.last("lin")[:6] == asked[:6]
    async with chat.rt.db.read() as tx:
        assert await overview.letters(tx, "dead") == 0
