"""A double, late, replayed or foreign tap has no second effect and gets no error text."""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reminder.bot.heard import Tap, read_tap
from reminder.bot.taps import ACTS
from reminder.channels.memory import MemoryChat
from reminder.domain.messages import CALLBACK_BYTES
from reminder.domain.policy import POLICY
from reminder.runtime import Runtime
from tests.office import STAFF, a_case, hear, office, pass_time, read

TAPS = 1000
EFFECTS = ("done", "keep", "vkeep", "na", "vo", "agree", "undo", "go", "yes", "opt")
"""Acts that may change something."""

NEUTRAL = ("refused.undo.", "refused.date.past")
"""Sentences that only say it is too late."""


@dataclass
class Chats:
    """Everybody's chat in memory, and every button that was ever shown."""

    rt: Runtime
    rng: random.Random
    number: int = 0
    seen: list[tuple[int, str, str]] = field(default_factory=list)
    """(whose chat, message, data)."""

    @property
    def port(self) -> MemoryChat:
        assert isinstance(self.rt.chat, MemoryChat)
        return self.rt.chat

    async def say(self, who: str, text: str) -> None:
        self.number += 1
        sender = {"id": STAFF[who].chat, "is_bot": False, "first_name": who}
        chat = {"id": sender["id"], "type": "private"}
        message = {"message_id": 9_000 + self.number, "from": sender, "chat": chat, "text": text}
        await hear(self.rt, {"update_id": self.number, "message": message})
        self.look()

    def tap(self, user: int, chat: int, message: str, data: str) -> dict[str, Any]:
        self.number += 1
        query = {
            "id": f"q{self.number}",
            "from": {"id": user, "is_bot": False, "first_name": "x"},
            "message": {
                "message_id": int(message),
                "chat": {"id": chat, "type": "private"},
                "text": "as shown",
            },
            "data": data,
        }
        return {"update_id": self.number, "callback_query": query}

    async def press(self, update: dict[str, Any]) -> list[str]:
        """Everything that was said in answer: toasts, new messages and edited ones."""
        before = {e.provider_id: e.text for e in self.port.ledger}
        answers = len(self.port.answers)
        await hear(self.rt, update)
        self.look()
        said = [text for _, text in self.port.answers[answers:]]
        return said + [e.text for e in self.port.ledger if before.get(e.provider_id) != e.text]

    def look(self) -> None:
        known = set(self.seen)
        for entry in self.port.ledger:
            for row in entry.buttons:
                for button in row:
                    one = (int(entry.message.to), entry.provider_id, button.data)
                    if one not in known:
                        self.seen.append(one)


async def state(rt: Runtime) -> tuple[int, int, int]:
    """Facts recorded, facts taken back, cases: what any effect of a tap must change."""

    async def count(tx: Any) -> tuple[int, int, int]:
        row = (await tx.execute(sa.text("SELECT count(*), count(voided_at) FROM facts"))).one()
        return (row[0], row[1], (await tx.execute(sa.text("SELECT count(*) FROM cases"))).scalar_one())

    return await read(rt, count)


def error_texts(rt: Runtime) -> list[re.Pattern[str]]:
    """Every refusal of both catalogues, whatever its values are."""
    found = []
    for lang in ("zh", "en"):
        for key, placed in rt.desk.templates.words(lang).items():
            if key.startswith("refused.") and not key.startswith(NEUTRAL):
                pieces = [re.escape(piece) for piece in placed.text.pieces[::2]]
                found.append(re.compile(".*?".join(pieces), re.S))
    return found


async def scene(chats: Chats) -> None:
    """Two cases of one handler, one of another, visits, cards and questions: plenty to tap."""
    for handler in ("chen", "chen", "wang"):
        no = (await a_case(chats.rt, handler=handler)).row.case.number
        await chats.say(handler, f"/visit {no} {'11月23日下午3点' if handler == 'chen' else 'tomorrow 3pm'}")
        keep = next(data for _, _, data in reversed(chats.seen) if ":vkeep:" in data)
        await chats.press(chats.tap(STAFF[handler].chat, STAFF[handler].chat, "1", keep))
        for line in (f"/case {no}", "/today", "/week", f"/move {no}", f"/visited {no}", f"/answer {no}"):
            await chats.say(handler, line)


@pytest.mark.parametrize("seed", [1])
@pytest.mark.failure(29)
async def test_a_thousand_wild_taps_never_act_twice_and_never_scold(tmp_path: Path, seed: int) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(seed))
        await scene(chats)
        errors, spent, effects, kinds = error_texts(rt), set[tuple[str, int, int, str]](), 0, set[str]()
        old: list[dict[str, Any]] = []
        for _ in range(TAPS):
            kind = chats.rng.choice(["fresh", "fresh", "double", "replay", "late", "foreign", "forged"])
            kinds.add(kind)
            if kind in {"double", "replay"} and not old:
                continue
            update = _update(chats, kind, old)
            data = update["callback_query"]["data"]
            tap = read_tap(data)
            key = (tap.act, tap.id, tap.rev, tap.rest) if tap is not None else ("", 0, 0, "")
            if kind == "late":
                pass_time(rt, seconds=31)
            before = await state(rt)
            said = await chats.press(update)
            changed = await state(rt) != before
            assert not (changed and kind in {"replay", "foreign", "forged"}), (kind, data)
            assert not (changed and key in spent), (kind, data)
            assert not (changed and key[0] not in EFFECTS), data
            if kind == "replay":
                assert said == []
            if kind in {"replay", "foreign", "forged"} or key in spent:
                wrong = [text for text in said if any(e.fullmatch(text) for e in errors)]
                assert wrong == [], (kind, data)
            if changed:
                effects += 1
                spent = set() if key[0] == "undo" else spent | {key}
            old.append(update)
        assert kinds == {"fresh", "double", "replay", "late", "foreign", "forged"}
        assert effects >= 8, "too little happened for this to prove anything"
        answered = {one for one, _ in chats.port.answers}
        assert len(answered) >= TAPS // 2


def _update(chats: Chats, kind: str, old: list[dict[str, Any]]) -> dict[str, Any]:
    if kind == "replay":
        return chats.rng.choice(old[-5:])
    if kind == "double":
        query = old[-1]["callback_query"]
        user = query["from"]["id"]
        message = str(query["message"]["message_id"])
        return chats.tap(user, query["message"]["chat"]["id"], message, query["data"])
    chat, message, data = chats.rng.choice(chats.seen)
    user = chat
    if kind == "foreign":
        user = chats.rng.choice([STAFF["stone"].chat, STAFF["tang"].chat, 999])
        data = data if not data.startswith(_OWN) else "v1:done:1:1"
    if kind == "forged":
        data = chats.rng.choice(_FORGED)
    return chats.tap(user, user, message, data)


_OWN = ("v1:opt:", "v1:no:", "v1:yes:", "v1:newp:")
"""Answers to a question: these reach only the question of whoever taps."""

_FORGED = (
    *(
        "",
        "v1",
        "v1:done",
        "v1:done:x:1",
        "v2:done:1:1",
        "v1:done:999999:1",
        "v1:drop:1:1",
        "v1:done:1:1:zz:;--",
    ),
    *("v1:keep:1:1:d:20261301", "v1:keep:1:1:d:", "v1:na:1:1:d:shot", "v1:vo:1:1:d:holds", "v1:page:0:0:x"),
    *("v1:go:1:0:c:import", "v1:go:999:0:c:close", "v1:undo:999999:0", "v1:yes:1:0:d", "v1:opt:1:0:d"),
    *("v1:apply:1:0:d", "v1:cal:1:1:d:999999", "v1:vkeep:1:99:d:20261202", "v1:more:0:0", "x" * 64),
)


@pytest.mark.failure(19)
async def test_the_late_one_of_two_colleagues_hears_who_was_faster_and_when(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        no = (await a_case(rt)).row.case.number
        for who in ("chen", "lin"):
            await chats.say(who, f"/case {no}")
        for who in ("chen", "lin"):
            me = STAFF[who].chat
            message, data = next((m, d) for c, m, d in chats.seen if c == me and d.startswith("v1:done:"))
            pass_time(rt, minutes=3)
            said = await chats.press(chats.tap(me, me, message, data))
        assert said[0] == f"{no} 这一步陈立文在09:03已经办了。"


async def test_a_button_of_a_moved_visit_says_where_it_went(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        no = (await a_case(rt)).row.case.number
        for line in (f"/visit {no} 11月25日上午9点",):
            await chats.say("chen", line)
        me = STAFF["chen"].chat
        await chats.press(chats.tap(me, me, "1", next(d for *_, d in chats.seen if ":vkeep:" in d)))
        await chats.say("chen", f"/visited {no}")
        stale = next(d for *_, d in chats.seen if ":vo:" in d)
        await chats.say("chen", f"/move {no} 11月26日上午9点")
        await chats.press(chats.tap(me, me, "1", next(d for *_, d in reversed(chats.seen) if ":keep:" in d)))
        said = await chats.press(chats.tap(me, me, "2", stale))
        assert said[0] == f"{no} 已经改到周四 11月26日（3天后）了。"


@pytest.mark.failure(26)
def test_the_longest_button_fits_and_reads_back() -> None:
    longest = max(ACTS, key=len)
    for origin, rest in (("w20261231.0123456789", ""), ("d", "20261231T0900-1100"), ("c", "")):
        tap = Tap(act=longest, id=2**31, rev=9999, origin=origin, rest=rest)
        assert len(tap.data().encode()) <= CALLBACK_BYTES
        assert read_tap(tap.data()) == tap


@pytest.mark.failure(29)
def test_every_act_rests_on_a_row_of_the_policy_table() -> None:
    assert {act.action for act in ACTS.values()} <= set(POLICY)


@pytest.mark.failure(31)
async def test_in_a_group_the_bot_says_nothing_and_does_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        no = (await a_case(rt)).row.case.number
        sender = {"id": STAFF["chen"].chat, "is_bot": False, "first_name": "x"}
        group = {"id": -100, "type": "supergroup"}
        before = await state(rt)
        message = {"message_id": 1, "from": sender, "chat": group, "text": f"/note {no} 看过了"}
        await hear(rt, {"update_id": 1, "message": message})
        query = {
            "id": "q",
            "from": sender,
            "message": {"message_id": 1, "chat": group},
            "data": "v1:done:1:1",
        }
        await hear(rt, {"update_id": 2, "callback_query": query})
        assert await state(rt) == before
        assert chats.port.ledger == []
        assert chats.port.answers == [("q", "")]


@pytest.mark.failure(29)
async def test_a_colleague_who_lost_the_role_cannot_use_a_button_drawn_before(tmp_path: Path) -> None:
    from reminder.store import people
    from tests.office import person, write

    async with office(tmp_path) as rt:
        chats = Chats(rt, random.Random(0))
        no = (await a_case(rt)).row.case.number
        await chats.say("chen", f"/case {no}")
        chen = await person(rt, "chen")
        await write(rt, lambda tx: people.set_roles(tx, chen.id, []))
        before = await state(rt)
        for chat, message, data in list(chats.seen):
            said = await chats.press(chats.tap(chat, chat, message, data))
            assert said == ["这里没有可以点的了，什么都没有改。最新情况请看 /today"]
        assert await state(rt) == before
