"""A working day by chat, over HTTP: enrolment, the day's list, moving, undoing, taking in a matter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.phones import Phones, phones
from tests.office import a_case, pass_time


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Phones]:
    async with phones(tmp_path) as made:
        yield made


async def test_today_shows(chat: Phones) -> None:
    plan = await a_case(chat.rt)
    no = plan.row.case.number
    await chat.write("chen", "/today")
    print(chat.last("chen"), chat.labels("chen"))
    await chat.write("chen", f"/case {no}")
    print(chat.last("chen"), chat.labels("chen"))
    await chat.write("chen", f"/visit {no} 下周三上午9点 河湾村委会")
    print(chat.last("chen"), chat.labels("chen"))
    print(await chat.press("chen", "对"))
    print(chat.last("chen"), chat.labels("chen"))
    await chat.write("chen", f"/move {no}")
    print(chat.last("chen"), chat.labels("chen"))
    print(await chat.press("chen", "📅 其他日子"))
    print(chat.last("chen"), chat.labels("chen"))
    await chat.write("chen", "/help")
    print(chat.last("chen"))
    for line in ("/week", "/overdue", "/new 土地 河湾村", "赵大爷", "202-555-0143", "田埂塌了"):
        await chat.write("chen", line)
        print(chat.last("chen"), chat.labels("chen"))
    await chat.press("chen", "普通事项")
    print(chat.last("chen"), chat.labels("chen"))
    for who, line in (("he", "/people"), ("he", "/invite 5"), ("he", "/status"), ("he", "/protocol show ordinary"), ("he", "/calendar"), ("he", "/calendar add 12月2日 休息 测试"), ("he", "/preview"), ("chen", f"/why {no}"), ("wang", "/help"), ("wang", f"/case {no}"), ("stone", f"/case {no}"), ("chen", "lang"), ("chen", "/note")):
        await chat.write(who, line)
        print(who, line, '->', chat.last(who), chat.labels(who) if 'text' in chat.shown(who)[-1] else '')
    assert 0
