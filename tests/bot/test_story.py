"""A working day by chat, over HTTP: joining, the day's list, moving, undoing, taking in a matter."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.digest import refresh_digests
from jobs.dispatch import dispatch
from jobs.remind import remind
from reminder.actions import people as joining
from reminder.actions.preview import texts_of
from reminder.store import cases, entries, reminders
from reminder.valves import Turns
from tests.actions.acting import rows
from tests.bot.phones import Phones, phones
from tests.office import LI, a_case, actor, pass_time, person, read, write


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Phones]:
    async with phones(tmp_path) as made:
        yield made


async def facts(chat: Phones, case_id: int) -> list[str]:
    found = await read(chat.rt, lambda tx: cases.facts(tx, [case_id]))
    return [fact.event.value for fact in found[case_id]]


async def texts(chat: Phones, case_id: int) -> list[str]:
    until = chat.rt.clock.now() + timedelta(days=14)
    found = await read(chat.rt, lambda tx: texts_of(tx, chat.rt.desk, case_id, until=until))
    return [one.kind for one in found if one.segments]


async def slot(chat: Phones, case_id: int, key: str = "visit") -> str:
    found = await read(chat.rt, lambda tx: entries.of(tx, [case_id]))
    starts = found[case_id][key].starts_at
    assert starts is not None
    return f"{starts.astimezone(chat.rt.desk.office.zone):%m-%d %H:%M}"


async def test_somebody_joins_once_by_a_link_and_gets_their_own_menu(tmp_path: Path) -> None:
    async with phones(tmp_path, enrolled=False) as chat:
        admin, chen = await actor(chat.rt, "he"), await person(chat.rt, "chen")
        made = await write(
            chat.rt, lambda tx: joining.invite(tx, chat.rt.desk, admin, chen.id, bot_name="reminder_bot")
        )
        await chat.write("chen", "/start wrong-code")
        assert "什么都没有改" in chat.last("chen")
        await chat.write("chen", f"/start {made.code}")
        shown = [api["text"] for api in chat.shown("chen")][-2:]
        assert shown[0].startswith("陈立文，您好")
        assert "早上好" in shown[1]
        menu = chat.world.telegram.commands
        assert "today" in repr(menu)
        assert "import" not in repr(menu)
        await chat.write("stone", f"/start {made.code}")
        assert "什么都没有改" in chat.last("stone")
        assert (await person(chat.rt, "stone")).chat_id is None


async def test_a_stranger_hears_one_neutral_line_and_not_for_ever(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    for _ in range(5):
        await chat.write("stranger", f"/case {no}")
    told = [api["text"] for api in chat.shown("stranger")]
    assert len(told) == 3
    assert len(set(told)) == 1
    assert no not in told[0]


async def test_a_visit_is_echoed_with_its_weekday_and_the_text_before_it_is_kept(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    before = await facts(chat, case_id)
    await chat.write("chen", f"/visit {no} 下周三上午9点 河湾村委会")
    echo = chat.last("chen")
    assert "周三 12月2日（9天后） 上午9-11点，对吗？" in echo
    assert "李女士将在09:00:30收到短信：“【青麓民情】李女士您好，陈立文想12月2日" in echo
    assert await facts(chat, case_id) == before
    await chat.press("chen", "对")
    assert await facts(chat, case_id) == [*before, "propose"]
    assert await slot(chat, case_id) == "12-02 09:00"
    place = (await read(chat.rt, lambda tx: entries.of(tx, [case_id])))[case_id]["visit"].place
    assert place == "河湾村委会"


async def test_what_is_undone_within_the_window_never_goes_out(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    pass_time(chat.rt, minutes=5)
    await chat.write("chen", f"/visit {no} 12月2日上午9点")
    await chat.press("chen", "对")
    assert "visit_offer" in await texts(chat, case_id)
    pass_time(chat.rt, seconds=29)
    await chat.press("chen", "↩ 撤回")
    assert "visit_offer" not in await texts(chat, case_id)
    assert "撤回了" in chat.last("chen")
    assert chat.labels("chen") == []


async def test_after_the_window_undo_says_so_and_changes_nothing(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    await chat.write("chen", f"/note {no} 到现场看过了")
    assert chat.labels("chen") == ["↩ 撤回（09:00:30前）"]
    pass_time(chat.rt, seconds=30)
    before = await facts(chat, case_id)
    toast = await chat.press("chen", "↩ 撤回")
    assert toast
    assert await facts(chat, case_id) == before
    assert chat.labels("chen") == []


async def test_move_takes_two_taps_to_a_chip_and_four_to_any_date(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    await chat.write("chen", f"/visit {no} 12月2日上午9点")
    await chat.press("chen", "对")
    pass_time(chat.rt, days=9, minutes=10)  # the day itself: the visit stands in the digest
    await chat.write("chen", "/today")
    assert "① 今天见面 1" in chat.last("chen")
    await chat.press("chen", chat.data("chen", "📅"))
    await chat.press("chen", chat.data("chen", "明天上午"))
    assert "周四 12月3日（明天）" in chat.last("chen")
    assert "对吗" in chat.last("chen")
    await chat.press("chen", "改")
    await chat.press("chen", "📅 其他日子")
    await chat.press("chen", "16")
    assert "12月16日" in chat.last("chen")
    assert await slot(chat, case_id) == "12-02 09:00"
    await chat.press("chen", "对")
    assert await slot(chat, case_id) == "12-16 09:00"


async def test_the_calendar_marks_rest_days_and_shows_how_full_a_day_is(chat: Phones) -> None:
    for _ in range(2):
        no = (await a_case(chat.rt)).row.case.number
        await chat.write("chen", f"/visit {no} 11月25日上午9点")
        await chat.press("chen", "对")
    await chat.write("chen", f"/move {no}")
    await chat.press("chen", "📅 其他日子")
    labels = chat.labels("chen")
    assert "25 ·2" in labels
    assert "26" in labels
    assert "(28)" in labels
    assert "·" not in "".join(label for label in labels if label != "25 ·2")
    assert not {"16", "20"} & set(labels), "weeks that are over need no rows"
    assert "28" not in labels
    rows = chat.shown("chen")[-1]["reply_markup"]["inline_keyboard"]
    assert {len(row) for row in rows[1:]} == {7}


async def test_a_rest_day_is_said_and_the_next_working_day_offered(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", f"/visit {no} 11月29日上午9点")
    assert "周日 11月29日（6天后）是休息日" in chat.last("chen")
    await chat.press("chen", "11月30日周一")
    assert "周一 11月30日" in chat.last("chen")
    assert "对吗" in chat.last("chen")


async def test_words_answer_the_question_for_a_day_and_unread_ones_keep_it_open(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    await chat.write("chen", f"/visit {plan.row.case.number}")
    await chat.write("chen", "等他有空")
    assert "没看懂" in chat.last("chen")
    assert chat.labels("chen") == ["先不改"]
    await chat.write("chen", "下周三上午9点")
    assert "周三 12月2日" in chat.last("chen")


async def test_done_on_the_digest_redraws_it_in_place_and_undo_brings_the_item_back(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    pass_time(chat.rt, days=3)
    await chat.write("chen", "/today")
    messages = len(chat.shown("chen"))
    assert "1. " in chat.last("chen")
    await chat.press("chen", chat.data("chen", "✅"))
    assert "contact" in await facts(chat, plan.row.case.id)
    digest = chat.shown("chen")[messages - 1]
    assert "✓" in digest["text"]
    assert "1. " not in digest["text"]
    undo = digest["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    await chat.press("chen", undo, message=int(digest["message_id"]))
    assert "contact" not in await facts(chat, plan.row.case.id)
    assert "1. " in chat.shown("chen")[messages - 1]["text"]


async def test_the_morning_message_is_not_redrawn_again_after_a_tap_drew_it(chat: Phones) -> None:
    await a_case(chat.rt)
    pass_time(chat.rt, days=3, minutes=-45)
    for job in (remind, dispatch, dispatch, refresh_digests):
        await job(chat.rt)
    digest = next(api for api in chat.shown("chen") if "早上好" in api["text"])
    await chat.press("chen", chat.data("chen", "✅"), message=int(digest["message_id"]))
    before = len([row for row in chat.ledger() if row["type"] == "edit"])
    await refresh_digests(chat.rt)
    assert len([row for row in chat.ledger() if row["type"] == "edit"]) == before
    pass_time(chat.rt, seconds=31)
    await refresh_digests(chat.rt)
    assert len([row for row in chat.ledger() if row["type"] == "edit"]) == before + 1


async def test_of_two_machines_each_goes_on_where_the_other_one_looked_last(chat: Phones) -> None:
    """Else every change of machine would draw every list anew."""
    no = (await a_case(chat.rt)).row.case.number
    pass_time(chat.rt, days=3, minutes=-45)
    one, two = (replace(chat.rt, turns=Turns(me=name), memo={}) for name in ("one", "two"))
    for job in (remind, dispatch, dispatch):
        await job(chat.rt)
    assert await refresh_digests(one)
    assert not await refresh_digests(two)
    sent = next(row for row in await rows(chat.rt, "digest") if row.person_id == 4)
    drawn_otherwise = {**sent.detail, "hash": "of another list"}
    await write(chat.rt, lambda tx: reminders.update(tx, sent.id, detail=drawn_otherwise))
    for machine in (one, two, one):
        assert not await refresh_digests(machine)
    await chat.write("chen", f"/contact {no} 电话里说清了")
    assert await refresh_digests(two) == 1
    assert not await refresh_digests(one)


async def test_cannot_reach_asks_for_a_reason_and_sets_the_next_try(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    no = plan.row.case.number
    await chat.write("chen", f"/visit {no} 11月23日下午3点")
    await chat.press("chen", "对")
    await chat.write("chen", "/today")
    await chat.press("chen", chat.data("chen", "📵"))
    assert chat.labels("chen") == ["没人接、没人在", "人在外地", "号码不对", "群众说不用来"]
    await chat.press("chen", "没人接、没人在")
    assert "下次：周一 11月30日（7天后）" in chat.last("chen")


async def test_who_wants_no_visit_is_not_asked_again(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    await chat.write("chen", f"/visit {plan.row.case.number} 11月23日下午3点")
    await chat.press("chen", "对")
    await chat.write("chen", "/today")
    await chat.press("chen", chat.data("chen", "📵"))
    await chat.press("chen", "群众说不用来")
    assert (await facts(chat, plan.row.case.id))[-1] == "decline"
    assert "visit_offer" not in await texts(chat, plan.row.case.id)


async def test_a_matter_is_taken_in_by_five_answers_and_said_back(chat: Phones) -> None:
    for line in ("/new 土地 河湾村", "赵大爷", "202-555-0143", "田埂塌了"):
        await chat.write("chen", line)
    await chat.press("chen", "普通事项")
    said = chat.last("chen")
    no = re.findall(r"编号(\d{8})", said)[0]
    assert "普通事项，土地道路，河湾村" in said
    assert "赵大爷将在09:00:30收到短信" in said
    await chat.write("chen", f"/case {no}")
    assert "赵大爷 ****0143" in chat.last("chen")
    assert "承办：陈立文" in chat.last("chen")
    await chat.press("chen", "↩ 撤回")
    row = await read(chat.rt, lambda tx: cases.by_number(tx, no))
    assert row is not None
    assert row.status == "void"


async def test_an_unreadable_number_is_asked_again_and_nothing_is_lost(chat: Phones) -> None:
    for line in ("/new", "赵大爷", "12"):
        await chat.write("chen", line)
    assert "什么都没有改" in chat.last("chen")
    for line in ("没有", "河湾村", "田埂塌了", "普通事项"):
        await chat.write("chen", line)
    assert "登记好了" in chat.last("chen")


async def test_a_refusal_names_its_rule_step_by_step(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    no = plan.row.case.number
    await chat.write("chen", f"/answer {no}")
    await chat.press("chen", "不能支持")
    await chat.write("chen", "地块在红线外")
    assert "answer" not in await facts(chat, plan.row.case.id)
    await chat.write("chen", "土地管理法第四十五条")
    assert (await facts(chat, plan.row.case.id))[-1] == "answer"
    assert "收到短信" in chat.last("chen")


async def test_a_step_out_of_order_is_refused_with_the_button_that_helps(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", f"/close {no}")
    assert "什么都没有改" in chat.last("chen")
    assert chat.labels("chen") == ["答复"]
    await chat.press("chen", "答复")
    assert "支持" in chat.labels("chen")


async def test_a_date_in_the_past_is_echoed_before_a_delivery_is_kept(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    no = plan.row.case.number
    await chat.write("chen", f"/answer {no} 支持 路修好了")
    pass_time(chat.rt, days=1)
    await chat.write("chen", f"/served {no} 昨天 当面交给本人")
    assert "周一 11月23日（昨天），对吗" in chat.last("chen")
    assert "served" not in await facts(chat, plan.row.case.id)
    await chat.press("chen", "对，就这样")
    assert (await facts(chat, plan.row.case.id))[-1] == "served"


async def test_a_colleague_elsewhere_learns_nothing_not_even_that_the_case_exists(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("stone", f"/case {no}")
    hidden = chat.last("stone")
    await chat.write("stone", "/case 26000029")
    assert chat.last("stone") == hidden


async def test_english_colleagues_read_english(chat: Phones) -> None:
    no = (await a_case(chat.rt, handler="wang")).row.case.number
    await chat.write("wang", f"/note {no} went to see the field")
    assert chat.last("wang") == f"Noted: {no}, note.\nNo text goes to the resident."
    await chat.write("wang", "/lang zh")
    await chat.write("wang", "/today")
    assert "早上好" in chat.last("wang")


async def test_unknown_words_offer_two_commands_and_never_a_wall(chat: Phones) -> None:
    await chat.write("chen", "/tody")
    assert len(chat.labels("chen")) == 2
    assert chat.labels("chen")[0].startswith("/today")
    await chat.press("chen", chat.labels("chen")[0])
    assert "早上好" in chat.last("chen")


async def test_a_number_alone_opens_the_case(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", no)
    assert chat.last("chen").startswith(no)


async def test_phones_are_shown_by_their_last_digits_only(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("chen", f"/case {no}")
    assert "****0142" in chat.last("chen")
    assert LI[1:] not in chat.last("chen")


async def test_words_that_make_a_text_too_long_are_refused_with_how_much_to_take_out(chat: Phones) -> None:
    """Otherwise the text dies on the way, and the resident hears nothing until somebody rings."""
    plan = await a_case(chat.rt)
    case_id, no = plan.row.case.id, plan.row.case.number
    before = await facts(chat, case_id)
    await chat.write("chen", f"/note {no} 看过现场 | {'路面已经量好尺寸' * 12} | 下周施工队进场")
    assert "短信太长" in chat.last("chen")
    assert "什么都没有发，也没有改" in chat.last("chen")
    assert await facts(chat, case_id) == before
    await chat.write("chen", f"/note {no} 看过现场 | 路面已量好尺寸 | 下周施工队进场")
    assert "路面已量好尺寸。下一步下周施工队进场" in chat.last("chen")
