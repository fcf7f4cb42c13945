"""An office with something in every drawer, the doors it answers at, and what may never be true of it."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from reminder.actions import cases
from reminder.actions import entries as visits
from reminder.actions.check import violations
from reminder.bot.answers import TOAST
from reminder.channels.memory import MemoryChat
from reminder.domain.messages import CALLBACK_BYTES, Answer, Keyboard, Outgoing
from reminder.domain.people import Person
from reminder.longtext import TELEGRAM_UNITS, telegram_units
from reminder.runtime import Runtime, Web
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.web.app import web
from tests.actions.acting import THURSDAY, act, settle
from tests.office import STAFF, a_case, clock_of, office, person, read

URL = "https://office.example"
PATH, SECRET = "/telegram/0123456789abcdef", "the-secret-of-the-hook"
ACCOUNT, TOKEN = "AC" + "0" * 32, "the-auth-token"
STRANGER = 700099
CAPTION_UNITS = 1024


@dataclass(slots=True, kw_only=True)
class StrictChat(MemoryChat):
    """Refuses loudly what Telegram would refuse: its limits are ours to keep."""

    seen: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Buttons by chat: (message, data)."""

    async def send(self, message: Outgoing) -> Answer:
        _fits(message.text, message.buttons)
        answer = await MemoryChat.send(self, message)
        for row in message.buttons:
            found = self.seen.setdefault(message.to, [])
            found += [(self.ledger[-1].provider_id, button.data) for button in row]
        return answer

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        int(message_id)
        _fits(text, buttons)
        return await MemoryChat.edit(self, chat, message_id, text, buttons)

    async def answer(self, callback_id: str, text: str = "", *, alert: bool = False) -> Answer:
        assert len(text) <= TOAST
        text.encode()
        return await MemoryChat.answer(self, callback_id, text, alert=alert)

    async def send_document(self, chat: str, name: str, content: bytes, caption: str = "") -> Answer:
        assert telegram_units(caption) <= CAPTION_UNITS
        (name + caption).encode()
        return await MemoryChat.send_document(self, chat, name, content, caption)


def _fits(text: str, buttons: Keyboard) -> None:
    text.encode()
    assert 1 <= telegram_units(text.strip()) <= TELEGRAM_UNITS, f"{telegram_units(text)} units"
    for row in buttons:
        for button in row:
            assert 1 <= len(button.data.encode()) <= CALLBACK_BYTES, button.data
            assert button.label.strip(), "a button without a word"


@dataclass
class Fuzzed:
    """The office under attack."""

    rt: Runtime
    staff: Mapping[str, Person]
    numbers: list[str]
    """Of its cases."""
    updates: int = 0

    @property
    def chat(self) -> StrictChat:
        assert isinstance(self.rt.chat, StrictChat)
        return self.rt.chat

    def next_id(self) -> int:
        self.updates += 1
        return self.updates


@asynccontextmanager
async def fuzzed(folder: Path) -> AsyncIterator[Fuzzed]:
    """Everybody enrolled, cases in several states, one of them confidential, texts and digests sent."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    chat = StrictChat(now=lambda: clock_of(held[0]).now())
    held: list[Runtime] = []
    async with office(folder, chat=chat, inline=True) as made:
        hooked = Web(
            public_url=URL,
            twilio_tokens=(TOKEN,),
            twilio_account=ACCOUNT,
            hook_path=PATH,
            hook_secret=SECRET,
        )
        rt = replace(made, web=hooked)
        held.append(rt)
        plans = [await a_case(rt, phones=(f"+1202555014{n}",)) for n in range(4)]
        plans.append(await a_case(rt, phones=("+12025550150",), confidential=True))
        plans.append(await a_case(rt, handler="wang", phones=("+12025550151",), accepted=False))
        first, second, *_ = [plan.row.case.id for plan in plans]
        await act(rt, "chen", visits.propose, first, THURSDAY)
        await act(rt, "chen", cases.note, second, "x", progress="看过现场", next_step="下周再来")
        clock_of(rt).advance(timedelta(minutes=5))
        await settle(rt)
        staff = {key: await person(rt, key) for key in STAFF}
        yield Fuzzed(rt=rt, staff=staff, numbers=[plan.row.case.number for plan in plans])


async def request(
    rt: Runtime, path: str, body: bytes, headers: Mapping[str, str | bytes], *, method: str = "POST"
) -> int:
    """Post to the office as a server would hand it over; the status of the answer."""
    path, _, query = path.partition("?")
    raw = [(k.lower().encode(), v if isinstance(v, bytes) else v.encode()) for k, v in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": raw,
        "server": ("office.example", 443),
        "client": ("192.0.2.1", 1),
        "root_path": "",
    }
    status: list[int] = []
    parts = [body[:100], body[100:]]

    async def receive() -> dict[str, Any]:
        if parts:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    app = rt.memo.setdefault("fuzz.app", web(rt))
    await app(scope, receive, send)  # type: ignore[operator]
    return status[0]


_STATE = sa.select(
    *(
        sa.select(sa.func.count()).select_from(table).scalar_subquery()
        for table in (t.cases, t.facts, t.entries, t.deeds, t.audit, t.reminders, t.opt_outs, t.invites)
    ),
    sa.select(sa.func.total(t.people.c.chat_id)).scalar_subquery(),
    sa.select(sa.func.total(t.cases.c.version)).scalar_subquery(),
)


async def state(rt: Runtime) -> tuple[Any, ...]:
    """What nobody without authority may change."""
    async with rt.db.read() as tx:
        return tuple((await tx.execute(_STATE)).one())


async def deeds_since(rt: Runtime, deed_id: int) -> list[Any]:
    async with rt.db.read() as tx:
        found = await tx.execute(sa.select(t.deeds).where(t.deeds.c.id > deed_id).order_by(t.deeds.c.id))
        return list(found.mappings())


async def letters(rt: Runtime) -> int:
    async with rt.db.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(t.inbox))).scalar_one())


async def sound(rt: Runtime) -> None:
    """No letter and no message died of what was in it, and what must hold of an account holds."""
    letters = await read(rt, lambda tx: _dead(tx, t.inbox))
    assert letters == [], letters
    left = await read(rt, lambda tx: _dead(tx, t.reminders))
    assert left == [], left
    assert await read(rt, lambda tx: violations(tx, rt.desk)) == []


async def _dead(tx: Tx, table: "sa.Table[Any]") -> list[Any]:
    reason = table.c.error if "error" in table.c else table.c.reason
    more = [table.c.kind, table.c.detail, table.c.entry_id] if "kind" in table.c else []
    return list(await tx.execute(sa.select(table.c.id, reason, *more).where(table.c.state == "dead")))
