"""What is written down first? The intent before the call, an update before it is confirmed."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from reminder.bot.polling import fetch
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.domain.messages import Answer, Outgoing, Trouble
from reminder.runtime import Runtime
from reminder.store import inbox
from reminder.store import tables as t
from reminder.store.database import Tx
from tests.actions.acting import after
from tests.office import a_case, office, read, write


async def known(rt: Runtime, token: str) -> bool:
    """Whether anybody else who looks now finds the attempt: it is committed."""
    query = sa.select(t.attempts.c.token).where(t.attempts.c.token == token)
    return (await read(rt, lambda tx: tx.execute(query))).first() is not None


async def free(rt: Runtime) -> bool:
    """Whether somebody else may write meanwhile: no transaction is held over the call."""
    await write(rt, lambda tx: inbox.last_update_id(tx, "telegram"))
    return True


@dataclass(slots=True, kw_only=True)
class WatchedSms(MemorySms):
    """Looks into our books while it is being called."""

    office: list[Runtime] = field(default_factory=list)
    calls: int = 0

    async def send(self, message: Outgoing) -> Answer:
        assert await known(self.office[0], message.token)
        assert await free(self.office[0])
        self.calls += 1
        return await MemorySms.send(self, message)


@dataclass(slots=True, kw_only=True)
class WatchedChat(MemoryChat):
    """Forgets what is confirmed, and looks whether we have kept it."""

    office: list[Runtime] = field(default_factory=list)

    async def updates(self, offset: int | None, wait: timedelta) -> list[dict[str, Any]] | Trouble:
        confirmed = [one for one in self.waiting if offset is not None and one["update_id"] < offset]
        for update in confirmed:
            assert await read(self.office[0], lambda tx, u=update: kept(tx, u["update_id"]))  # type: ignore[misc]
        return await MemoryChat.updates(self, offset, wait)


async def kept(tx: Tx, update_id: int) -> bool:
    query = sa.select(t.inbox.c.id).where(t.inbox.c.external_id == str(update_id))
    return (await tx.execute(query)).first() is not None


async def test_an_intent_is_committed_before_the_call_and_nothing_is_held_during_it(tmp_path: Path) -> None:
    sms = WatchedSms(now=lambda: sms.office[0].clock.now())  # noqa: PLW0108 - filled below
    async with office(tmp_path, sms=sms) as rt:
        sms.office.append(rt)
        await a_case(rt)
        await after(rt, minutes=5)
        assert sms.calls == 2


async def test_an_update_is_kept_before_it_is_confirmed(tmp_path: Path) -> None:
    chat = WatchedChat(now=lambda: chat.office[0].clock.now())  # noqa: PLW0108 - filled below
    async with office(tmp_path, chat=chat) as rt:
        chat.office.append(rt)
        chat.waiting += [{"update_id": number} for number in (5, 6, 7)]
        assert await fetch(rt, timedelta(0)) == 3
        assert await fetch(rt, timedelta(0)) == 0
        assert chat.waiting == []
