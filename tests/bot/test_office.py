"""What admins do by chat, over HTTP: invites with QR, the calendar, ledgers, how the office stands."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from jobs.housekeeping import housekeep
from jobs.remind import remind
from reminder.domain.messages import Declined, NotSent, Refusal
from reminder.domain.people import Channel
from reminder.domain.workdays import MarkKind
from reminder.kinds import Audience
from reminder.store import calendars, cases, entries, people
from reminder.valves import Valve
from tests.bot.phones import Phones, phones
from tests.office import STAFF, a_case, pass_time, person, read, templates, write


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Phones]:
    async with phones(tmp_path) as made:
        yield made


async def test_an_invite_comes_as_link_and_picture_and_lets_its_person_in(chat: Phones) -> None:
    chen = await person(chat.rt, "chen")
    await write(chat.rt, lambda tx: people.update(tx, chen.id, chat_id=None))
    await chat.write("chen", "/today")
    assert "工作人员" in chat.last("chen")
    await chat.write("he", "/invite")
    await chat.press("he", "陈立文")
    said = next(api["text"] for api in chat.shown("he") if "t.me" in api.get("text", ""))
    code = said.partition("start=")[2].split()[0]
    assert len(code) <= 64
    picture = chat.shown("he")[-1]["document"]
    assert picture["file_name"] == f"invite-{chen.id}.png"
    await chat.write("chen", f"/start {code}")
    assert (await person(chat.rt, "chen")).chat_id == STAFF["chen"].chat


async def test_buttons_carry_no_numbers_of_people(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    await chat.write("lin", f"/assign {plan.row.case.number}")
    assert all(":" in data and data.split(":")[1] in {"opt", "no"} for data in chat.datas("lin"))
    label = next(label for label in chat.labels("lin") if label.startswith("Wang Min"))
    await chat.press("lin", label)
    row = (await read(chat.rt, lambda tx: entries.of(tx, [plan.row.case.id])))[plan.row.case.id]
    assert row
    await chat.write("wang", f"/case {plan.row.case.number}")
    assert "handler: Wang Min" in chat.last("wang")


async def test_marking_a_day_asks_first_and_says_how_many_dates_would_move(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    kept = await read(chat.rt, lambda tx: entries.of(tx, [plan.row.case.id]))
    await chat.write("he", "/calendar add 11月26日 休息 赶集")
    assert "周四 11月26日（3天后） 标为休息，1个没办完的日子会跟着变。对吗？" in chat.last("he")
    assert await read(chat.rt, lambda tx: entries.of(tx, [plan.row.case.id])) == kept
    assert await read(chat.rt, calendars.marks) == {}
    await chat.press("he", "对，就这样")
    marks = await read(chat.rt, calendars.marks)
    assert marks[date(2026, 11, 26)].kind is MarkKind.REST
    await housekeep(chat.rt)
    now = await read(chat.rt, lambda tx: entries.of(tx, [plan.row.case.id]))
    assert now != kept, "the cases follow the marked day"
    await chat.write("he", "/calendar list")
    assert "赶集" in chat.last("he")


async def test_an_old_yes_does_nothing_once_the_question_has_changed(chat: Phones) -> None:
    await chat.write("he", "/calendar add 11月26日 休息")
    first = chat.data("he", "对，就这样")
    message = int(chat.shown("he")[-1]["message_id"])
    await chat.write("he", "/calendar add 11月27日 休息")
    toast = await chat.press("he", first, message=message)
    assert "已经答过" in toast
    assert await read(chat.rt, calendars.marks) == {}


async def test_status_tells_who_has_not_joined(chat: Phones) -> None:
    stone = await person(chat.rt, "stone")
    await write(chat.rt, lambda tx: people.update(tx, stone.id, chat_id=None))
    await chat.write("he", "/status")
    assert "还没接通的：石磊" in chat.last("he")


async def test_status_says_first_what_does_not_leave_and_why(chat: Phones) -> None:
    """A provider that does not answer, an account refused, a stop, test mode: each in one line, then gone."""
    now, sms = chat.rt.clock.now(), chat.rt.valves[Channel.SMS]
    for _ in range(20):
        sms.heard("+12025550142", NotSent(reason="connect"), now)
    chat.rt.valves[Channel.TELEGRAM].heard("1", Declined(reason=Refusal.CONFIG, code="401"), now)
    await chat.write("he", "/stop 柳溪镇 | 演练")
    await chat.write("he", "/status")
    said = chat.last("he")
    assert "短信：服务商没有回应" in said
    assert "Telegram）：服务商不受理我们的账号" in said
    assert "柳溪镇" in said
    assert "演练" in said
    for channel in (Channel.SMS, Channel.TELEGRAM):
        chat.rt.valves[channel] = Valve()
    await chat.write("he", "/go 柳溪镇")
    await chat.write("he", "/status")
    assert "服务商" not in chat.last("he")
    assert "演练" not in chat.last("he")


async def test_a_new_colleague_is_added_with_unit_and_role(chat: Phones) -> None:
    await chat.write("he", "/people add 苗春 柳溪镇 承办人,代办员")
    assert "苗春已加入柳溪镇" in chat.last("he")
    await chat.write("he", "/people add 苗春 无名乡 承办人")
    assert "什么都没有改" in chat.last("he")


async def test_preview_names_no_resident(chat: Phones) -> None:
    await a_case(chat.rt)
    await chat.write("he", "/preview 3")
    assert "→ 群众" in chat.last("he")
    assert "李女士" not in chat.last("he")


def test_every_kind_of_staff_message_is_called_by_its_own_name() -> None:
    words = templates()
    for lang in words.languages:
        said = [
            words.word(f"gist.{k.name}", lang) for k in words.kinds.values() if k.audience is Audience.STAFF
        ]
        assert len(set(said)) == len(said) > 10
        assert words.word("bot.staff_message", lang) not in said


async def test_preview_and_why_say_what_a_message_to_staff_is_about(chat: Phones) -> None:
    no = (await a_case(chat.rt)).row.case.number
    await chat.write("he", "/preview 60")
    assert "新件 → 陈立文" in chat.last("he")
    assert "超期提醒 → 林国栋" in chat.last("he")
    pass_time(chat.rt, days=60)
    await remind(chat.rt)
    await chat.write("he", f"/why {no}")
    said = chat.last("he")
    assert any("超期提醒" in line and "林国栋" in line for line in said.splitlines())


LEDGER = (Path(__file__).parents[1] / "ledger" / "sample.csv").read_bytes()


async def count(chat: Phones) -> int:
    return len(await read(chat.rt, cases.ids))


@pytest.mark.failure(21)
async def test_a_ledger_is_tried_out_first_and_applied_once(chat: Phones) -> None:
    await chat.write("he", "/import")
    await chat.send_file("he", "台账.csv", LEDGER)
    assert await count(chat) == 0
    apply, message = chat.data("he", "导入"), chat.message_with("he", "导入")
    assert chat.shown("he")[-1]["document"]["file_size"] > 0
    await chat.press("he", "导入")
    assert any("已写入台账：新增 2" in api.get("text", "") for api in chat.shown("he"))
    applied = await count(chat)
    assert applied == 2  # the third row waits for an answer
    toast = await chat.press("he", apply, message=message, anyway=True)
    assert "已经答过" in toast
    assert await count(chat) == applied


async def test_a_ledger_left_alone_changes_nothing(chat: Phones) -> None:
    await chat.send_file("he", "台账.csv", LEDGER)
    await chat.press("he", "先不改")
    assert await count(chat) == 0


async def test_a_ledger_from_somebody_who_may_not_import_is_not_even_fetched(chat: Phones) -> None:
    await chat.send_file("chen", "台账.csv", LEDGER)
    assert "什么都没有改" in chat.last("chen")
    await chat.send_file("stranger", "台账.csv", LEDGER)
    assert "office's own staff" in chat.last("stranger")
    for who in ("chen", "stranger"):
        assert len(chat.shown(who)) == 1
    assert await count(chat) == 0


async def test_an_unreadable_ledger_gets_its_sentence(chat: Phones) -> None:
    await chat.send_file("he", "台账.csv", b"")
    assert "台账.csv 是空的" in chat.last("he")


async def test_a_real_office_is_set_up_from_the_chat(chat: Phones) -> None:
    await chat.write("he", "/people unit Land Office 部门 属于 青麓县")
    assert "已添加Land Office（部门），上级：青麓县" in chat.last("he")
    for line in (
        "/people add Ann Frost | Land Office | handler, unit head",
        "/people add Bo Long, Land Office, handler",
        "/people add Cy de Wit Land Office handler",
    ):
        await chat.write("he", line)
        assert "已加入Land Office" in chat.last("he"), line
    await chat.write("he", "/people head Land Office Ann Frost")
    assert "Ann Frost现在负责Land Office" in chat.last("he")
    staff = await read(chat.rt, people.staff)
    unit = next(u for u in staff.units.values() if u.name == "Land Office")
    mine = {p.name: p for p in staff.people.values() if p.unit_id == unit.id}
    assert set(mine) == {"Ann Frost", "Bo Long", "Cy de Wit"}
    assert unit.head_id == mine["Ann Frost"].id
    assert staff.units[unit.parent_id or 0].name == "青麓县"
    await chat.write("he", "/people")
    assert "Land Office" in chat.last("he")
    assert "/people unit" in chat.last("he")


@pytest.mark.parametrize(
    "line", ["unit 新局", "unit 新局 星球", "unit 柳溪镇 乡镇", "head 柳溪镇 火星人", "add 甲 乙"]
)
async def test_a_set_up_that_does_not_fit_changes_nothing(chat: Phones, line: str) -> None:
    before = await read(chat.rt, people.staff)
    await chat.write("he", f"/people {line}")
    assert "什么都没有改" in chat.last("he")
    assert await read(chat.rt, people.staff) == before


async def test_only_admins_make_units(chat: Phones) -> None:
    await chat.write("lin", "/people unit 新局 部门")
    assert "什么都没有改" in chat.last("lin")
    assert "新局" not in {u.name for u in (await read(chat.rt, people.staff)).units.values()}


async def test_an_invite_for_nobody_says_so(chat: Phones) -> None:
    await chat.write("he", "/invite 火星人")
    assert "没有找到“火星人”" in chat.last("he")


def all_labels(chat: Phones) -> list[str]:
    return [label for n in range(len(chat.shown("he"))) for label in chat.labels("he", n)]


async def test_a_ledgers_questions_are_answered_by_taps_and_count_when_it_is_applied(chat: Phones) -> None:
    await chat.send_file("he", "台账.csv", LEDGER)
    assert any(api.get("text", "").startswith("问题 1/") for api in chat.shown("he"))
    while not (dates := [x for x in all_labels(chat) if x.startswith("2026-11-03")]):
        await chat.press("he", "以后再说")
    old, message = chat.data("he", dates[0]), chat.message_with("he", dates[0])
    await chat.press("he", dates[0])
    while "以后再说" in all_labels(chat):
        await chat.press("he", "以后再说")
    await chat.press("he", "导入")
    assert await count(chat) == 3
    assert any("已写入台账：新增 3" in api.get("text", "") for api in chat.shown("he"))
    assert "已经答过" in await chat.press("he", old, message=message, anyway=True)
    await chat.send_file("he", "台账.csv", LEDGER)
    assert any(api.get("text", "").startswith("问题 1/") for api in chat.shown("he")[-3:])


YEAR = (Path(__file__).parents[1] / "calendar_files" / "2027.ics").read_bytes()


async def test_a_year_of_rest_days_is_shown_first_and_applied_once(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    await chat.write("he", "/calendar import")
    assert "holiday-cn" in chat.last("he")
    await chat.send_file("he", "2027.ics", YEAR)
    shown = next(api["text"] for api in chat.shown("he") if "2027.ics" in api.get("text", ""))
    assert "2027年的安排是完整的" in shown
    assert "不再暂定的 1 个" in shown
    assert await read(chat.rt, calendars.years) == {}
    await chat.press("he", "导入")
    assert set(await read(chat.rt, calendars.years)) == {2027}
    kept = (await read(chat.rt, lambda tx: entries.of(tx, [plan.row.case.id])))[plan.row.case.id]
    assert not kept["handle"].provisional
    await chat.send_file("he", "2027.ics", YEAR)
    assert "都已经知道了" in chat.last("he")


async def test_a_calendar_that_changed_meanwhile_is_shown_again(chat: Phones) -> None:
    await chat.send_file("he", "2027.ics", YEAR)
    await a_case(chat.rt)
    await chat.press("he", "导入")
    assert "什么都没有改" in chat.last("he")
    assert await read(chat.rt, calendars.years) == {}


async def test_a_faulty_calendar_names_every_place(chat: Phones) -> None:
    await chat.send_file("he", "a.csv", b"date,kind,name\n2027-02-30,rest,x\n2027-03-01,off,y\n")
    assert "a.csv，第 2 行" in chat.last("he")
    assert "a.csv，第 3 行" in chat.last("he")
    assert "什么都没有改" in chat.last("he")
