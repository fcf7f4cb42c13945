"""A provider of texts that never answers, on real sockets, makes no message to a colleague later."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import pytest

from jobs.dispatch import dispatch_sms, dispatch_telegram
from reminder.actions.direct import tell
from reminder.channels.telegram import Telegram
from reminder.channels.twilio import Twilio
from reminder.clock import SystemClock
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.sandbox import Limits, World, app_of
from reminder.scheduler import Scheduler
from reminder.store import reminders, residents
from reminder.store.database import Tx
from tests.office import STAFF, office, person, write
from tests.proofs.office_process import ACCOUNT, AUTH, OURS, TOKEN
from tests.sandbox.serve import serving

MESSAGES = 40
EVERY = 0.05
WHO = ("chen", "wang", "lin", "he")
LATE = 0.5
"""Seconds beyond what it takes without the fault; a call that hangs is cut after fifteen."""


def phones() -> World:
    made = World(
        now=lambda: datetime.now(UTC),
        bot_token=TOKEN,
        account_sid=ACCOUNT,
        auth_token=AUTH,
        numbers=(OURS,),
        limits=Limits.off(),
    )
    for who in STAFF.values():
        made.add_telegram(who.chat, who.name, started=True)
    return made


async def lateness(folder: Path, *, hung: bool) -> tuple[list[float], int]:
    """Seconds from due to sent of each message to a colleague, and how many texts were under way."""
    world = phones()
    async with serving(app_of(world), before_stop=world.close) as url, office(folder) as base:
        chat = Telegram(token=TOKEN, base_url=url)
        sms = Twilio(
            account_sid=ACCOUNT, auth_token=AUTH, sender=OURS, public_url="http://127.0.0.1:9", base_url=url
        )
        desk = replace(base.desk, clock=SystemClock())
        rt = replace(base, chat=chat, sms=sms, desk=desk, concurrency=8)
        if hung:
            world.chaos({"channel": "sms", "kind": "fail", "how": "hang", "times": 1000})
        tick = timedelta(milliseconds=100)
        jobs = [("t", lambda: dispatch_telegram(rt), tick), ("s", lambda: dispatch_sms(rt), tick)]
        scheduler = Scheduler(jobs)
        await write(rt, lambda tx: _texts(tx, rt))
        scheduler.start()
        try:
            return await _run(rt)
        finally:
            await sms.close()  # what hangs ends with its connection
            await scheduler.stop()
            await chat.close()


async def _run(rt: Runtime) -> tuple[list[float], int]:
    readers = [await person(rt, who) for who in WHO]
    for n in range(MESSAGES):
        now = rt.clock.now()

        async def put(tx: Tx, n: int = n, now: datetime = now) -> None:
            detail = {"n": 1, "lines": str(n)}
            await tell(tx, rt.desk, readers[n % 4], "gaps", key=f"apart:{n}", at=now, detail=detail)

        await write(rt, put)
        await asyncio.sleep(EVERY)
    for _ in range(100):
        async with rt.db.read() as tx:
            found = await reminders.some(tx)
        sent = [row for row in found if row.kind == "gaps" and row.sent_at is not None]
        if len(sent) == MESSAGES:
            break
        await asyncio.sleep(0.1)
    flying = sum(row.channel == "sms" and row.state is State.SENDING for row in found)
    return [(row.sent_at - row.due_at).total_seconds() for row in sent if row.sent_at], flying


async def _texts(tx: Tx, rt: Runtime) -> None:
    """More texts than can be under way at once, all due."""
    for n in range(20):
        number = f"+12025550{120 + n}"
        phone = await residents.keep_phone(tx, rt.desk.sealer, number)
        await reminders.add(
            tx,
            key=f"reply:apart:{n}",
            phone_id=phone,
            channel="sms",
            kind="unknown_sender",
            due_at=rt.clock.now(),
            send_after=rt.clock.now(),
            state="planned",
        )


@pytest.mark.failure(11)
async def test_texts_that_hang_make_no_message_to_a_colleague_later(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    usual, _ = await lateness(tmp_path / "a", hung=False)
    apart, flying = await lateness(tmp_path / "b", hung=True)
    assert flying == 8, "without texts that hang this proves nothing"
    assert len(usual) == len(apart) == MESSAGES
    assert quantiles(apart, n=20)[-1] <= quantiles(usual, n=20)[-1] + LATE
