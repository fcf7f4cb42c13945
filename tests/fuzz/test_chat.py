"""Whatever is typed or tapped, by whomever, is answered within Telegram's limits and done only by who may."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reminder.actions.desk import Actor
from reminder.actions.guard import sees
from reminder.bot.commands import COMMANDS
from reminder.bot.taps import ACTS
from reminder.domain.people import Staff
from reminder.domain.policy import may
from reminder.store import cases, people
from reminder.store import tables as t
from reminder.store.cases import CaseRow
from reminder.store.database import Tx
from tests.actions.acting import settle
from tests.fuzz import Tally, many, naughty
from tests.fuzz.world import STRANGER, Fuzzed, deeds_since, fuzzed, sound, state
from tests.office import STAFF, clock_of, hear, read

OFFICE = 350
"""Cases of one office; then a new one opens, so that none grows for ever."""

WORDS = (
    "26000001 | 换个说法 | 30",
    "明天",
    "明天 14:30 村部",
    "30 因为要等鉴定",
    "yes",
    "已解决",
    "李女士 | +12025550142 | 修路占地",
    "Wang Min 2026-12-01 2026-12-05",
    "en",
)

GOOD = {
    "new": "ordinary | 李女士 | +12025550142 | 河湾村 | 修路占地",
    "visit": "{no} 明天 14:30 村部",
    "move": "{no} 下周三 9点",
    "visited": "{no} solved",
    "note": "{no} 去看过了 | 看过现场 | 下周再来",
    "reason": "{no} 要等鉴定",
    "contact": "{no} 电话里说清了",
    "answer": "{no} upheld 给予补偿",
    "withdraw": "{no} 自己撤回",
    "refer": "{no} 石门乡",
    "object": "{no} 不归我们管",
    "guide": "{no} 行政复议",
    "extend": "{no} 20 等鉴定",
    "suspend": "{no} 10 听证",
    "defer": "{no} 2027-01-15 等资金",
    "pause": "{no} 老人住院",
    "flag": "{no} 重大",
    "sponsor": "{no} 周敏",
    "merge": "{no} {other}",
    "confidential": "{no} 柳溪镇",
    "add": "{no} hearing 明天",
    "commit": "{no} 2026-12-10 陈立文 | 修好路灯",
    "meet": "{no} 明天 10:00 村部 陈立文",
    "outreach": "{no} 法律援助",
    "joint": "{no} {other} 明天 10:00",
    "agree": "{no} 2026-12-20 | 双方签字",
    "party": "{no} 王先生 | +12025550160",
    "reach": "{no} call",
    "order": "{no} 2026-12-10 查清楚",
    "reception": "15 | 林国栋, 周敏 | 村部",
    "household": "河湾村 | 老张 | 3 | yes",
    "round": "survey | 河湾村 | 明天 | 2026-12-20 | 3",
    "pledges": "今年十件实事",
    "leave": "2026-12-01 2026-12-05 Wang Min",
    "post": "陈立文 河湾村",
    "assign": "{no} 陈立文",
    "invite": "何晓云",
    "calendar": "2027-01-04 work",
    "stop": "sms 合同到期",
    "go": "sms",
    "lang": "en",
    "swap": "{no} 3 4",
    "erase": "{no}",
    "reopen": "{no} 又漏水了",
    "close": "{no}",
}


def proper(rng: random.Random, world: Fuzzed) -> str:
    """A command somebody meant: only then does anything happen."""
    name = rng.choice(list(COMMANDS))
    no, other = rng.choices(world.numbers, k=2)
    said = GOOD.get(name, rng.choice(["{no}", "{no}", "{no} 已解决"]))
    return f"/{name} {said.replace('{no}', no).replace('{other}', other)}"


def line(rng: random.Random, world: Fuzzed) -> str:
    """A command with what it may want, too much of it, or anything else."""
    name = rng.choice([*COMMANDS, "start", "nonsense", naughty.text(rng)[:20]])
    if rng.random() < 0.1:
        return naughty.text(rng)
    if rng.random() < 0.5:
        return proper(rng, world)
    parts = [f"/{name}" + rng.choice(["", "", "", "@reminder_bot", "@other"])]
    if rng.random() < 0.75:
        parts.append(rng.choice(world.numbers))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        parts.append(rng.choice(WORDS) if rng.random() < 0.5 else naughty.text(rng))
    glue = rng.choice([" ", " ", " ", " | ", "\n"])
    return parts[0] + " " + glue.join(parts[1:])


def data(rng: random.Random, world: Fuzzed, chat: str) -> tuple[str, str]:
    """(message, data): a button that was shown, one that was never, or no button at all."""
    known = world.chat.seen.get(chat, [])
    kind = rng.randrange(10)
    if kind < 3 and known:
        return rng.choice(known[-60:])
    anybody = [one for shown in world.chat.seen.values() for one in shown[-40:]]
    if kind == 3 and anybody:
        return rng.choice(anybody)
    message = known[-1][0] if known and rng.random() < 0.8 else str(rng.randrange(10_000))
    if kind == 4:
        return message, naughty.text(rng)
    act = rng.choice([*ACTS, "apply", "x"])
    about = rng.choice([rng.randrange(40), naughty.number(rng)])
    origin = rng.choice(["", "", "c", "d", "wr", "or.3", "w" + str(rng.randrange(99)), "x.y"])
    rest = rng.choice(["", "", "2026-11-26", "2026-11-26.1430", "1", "zzz", "accept", "close", "r5", "-1"])
    return message, f"v1:{act}:{about}:{rng.choice([1, 1, 2, naughty.number(rng)])}:{origin}:{rest}"


def update(rng: random.Random, world: Fuzzed, user: int) -> dict[str, Any]:
    sender = {"id": user, "is_bot": False, "first_name": "x", "language_code": rng.choice(["zh", "en", "xx"])}
    chat = {"id": user, "type": "private"}
    number = world.next_id()
    if rng.random() < 0.5:
        message = {"message_id": number, "from": sender, "chat": chat, "text": line(rng, world)}
        return {"update_id": number, "message": message}
    about, said = data(rng, world, str(user))
    shown = {"message_id": int(about), "chat": chat, "text": "as shown"}
    return {
        "update_id": number,
        "callback_query": {"id": f"q{number}", "from": sender, "message": shown, "data": said},
    }


async def _standing(world: Fuzzed) -> tuple[Staff, dict[int, CaseRow]]:
    async with world.rt.db.read() as tx:
        return await people.staff(tx), await cases.many(tx, range(1, 60))


async def _play(world: Fuzzed, tally: Tally, rng: random.Random) -> None:
    """One update from one colleague; what it did is theirs, and was theirs to do."""
    key = rng.choice(list(STAFF))
    person = world.staff[key]
    staff, rows = await _standing(world)
    last = await state(world.rt)
    newest = await read(world.rt, _newest_deed)
    sent = update(rng, world, STAFF[key].chat)
    answered = len(world.chat.ledger) + len(world.chat.answers) + len(world.chat.documents)
    with tally.case((key, sent)):
        await hear(world.rt, sent)
    after = len(world.chat.ledger) + len(world.chat.answers) + len(world.chat.documents)
    tally.count("answered", after > answered)
    deeds = await deeds_since(world.rt, newest)
    for deed in deeds:
        assert deed["by"] == person.id, (key, sent, deed)
        row = rows.get(deed["case_id"])
        if row is not None:
            assert sees(Actor(person=person), row, staff), (key, sent, deed)
    if not deeds:
        # Facts, entries, opt-outs and cases change by deeds alone; a digest may be planned by a look.
        now = await state(world.rt)
        assert now[:5] == last[:5], (key, sent)
    tally.count("deeds", len(deeds))
    name = str(sent.get("message", {}).get("text", "")).split(" ")[0].removeprefix("/").partition("@")[0]
    if name in COMMANDS and not may(staff.people[person.id], COMMANDS[name].action, staff):
        tally.count("forbidden commands")
        assert not deeds, (key, sent)


async def _newest_deed(tx: Tx) -> int:
    return int((await tx.execute(sa.select(sa.func.coalesce(sa.func.max(t.deeds.c.id), 0)))).scalar_one())


@pytest.mark.failure(27, 28)
async def test_whatever_colleagues_type_and_tap_is_theirs_to_do_and_is_answered(tmp_path: Path) -> None:
    tally = Tally("commands and taps")
    left = many(700)
    while left > 0:
        async with fuzzed(tmp_path / "office") as world:
            for _ in range(min(left, OFFICE)):
                await _play(world, tally, tally.rng)
                if tally.rng.random() < 0.05:
                    clock_of(world.rt).advance(_while(tally.rng))
                left -= 1
            await settle(world.rt)
            clock_of(world.rt).advance(_while(tally.rng))
            await settle(world.rt)
            await sound(world.rt)
    tally.in_time()
    assert tally.counts["deeds"] > 10, "nobody did anything: nothing was tried"


def _while(rng: random.Random) -> timedelta:
    return timedelta(minutes=rng.choice([1, 6, 60, 60 * 24, 60 * 24 * 4]))


@pytest.mark.failure(31)
async def test_strangers_change_nothing(tmp_path: Path) -> None:
    tally = Tally("strangers")
    async with fuzzed(tmp_path / "office") as world:
        before = await state(world.rt)
        for _ in range(many(200)):
            user = STRANGER + tally.rng.randrange(50)
            sent = update(tally.rng, world, user)
            with tally.case(sent):
                await hear(world.rt, sent)
        assert await state(world.rt) == before
        await sound(world.rt)
    tally.in_time()
