"""How late is a message when providers are slow, and when one of them hangs? `python -m bench steady`.

On SQLite. Ten thousand open cases; five messages a second, texts and chat messages by turns, fall due one by
one; each call takes 0 to 400 ms. Late is the time from due to accepted. Then the same with texts that never
end before their deadline.
"""

import asyncio
import random
import statistics
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench.firing import folder
from bench.kit import SEED, Row
from bench.replanning import START
from bench.stage import TEN, Shifted, file_url, matters, offset, plan, stage
from jobs.remind import remind
from jobs.timetable import TIMETABLE
from reminder.actions.direct import tell
from reminder.app import scheduled
from reminder.channels.base import DEADLINE
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.clock import ManualClock
from reminder.domain import rates
from reminder.domain.messages import Answer, Outgoing, Unknown
from reminder.domain.people import Channel
from reminder.runtime import Runtime
from reminder.store import people
from reminder.store.database import Tx
from reminder.valves import new_valves

OPEN = 10_000
EVERY = timedelta(milliseconds=400)
"""Of each channel; the two take turns."""

SLOWEST = 0.4
PEOPLE = 40
TEXTS = 20
"""A second: what a sender pool of ordinary size carries."""

_DICE = random.Random(SEED)


@dataclass(slots=True, kw_only=True)
class SlowChat(MemoryChat):
    """A provider that takes its time."""

    async def send(self, message: Outgoing) -> Answer:
        await asyncio.sleep(_DICE.uniform(0, SLOWEST))
        return await MemoryChat.send(self, message)


@dataclass(slots=True, kw_only=True)
class SlowSms(MemorySms):
    """As `SlowChat`; one that hangs answers nothing until our deadline cuts it off."""

    hangs: bool = False
    begun: set[str] = field(default_factory=set)

    async def send(self, message: Outgoing) -> Answer:
        self.begun.add(message.token)
        if self.hangs:
            await asyncio.sleep(DEADLINE.total_seconds())
            return Unknown(reason="timeout")
        await asyncio.sleep(_DICE.uniform(0, SLOWEST))
        return await MemorySms.send(self, message)


async def late(place: Path, seconds: int, *, hangs: bool = False) -> dict[str, list[float]]:
    """Seconds from due to accepted, in order, by channel."""
    url, n = file_url(place), int(timedelta(seconds=seconds) / EVERY)
    async with stage(url, clock=ManualClock(START)) as (rt, _):
        made = await matters(rt, OPEN)
        await plan(rt, made)
        moved = replace(rt, desk=replace(rt.desk, clock=ManualClock(START + TEN)))
        await remind(moved)
    clock = Shifted(offset())
    async with stage(url, clock=clock) as (base, _):
        begin = clock.now() + timedelta(seconds=3)
        sms = SlowSms(now=clock.now, hangs=hangs)
        valves = new_valves({Channel.TELEGRAM: rates.TELEGRAM, Channel.SMS: rates.of_texts(TEXTS)})
        rt = replace(base, chat=SlowChat(now=clock.now), sms=sms, valves=valves)
        async with rt.db.write() as tx:
            await _put(tx, rt, begin, n)
        await _serve(rt, seconds + 8)
        if hangs and not sms.begun:
            raise AssertionError("without texts that hang this proves nothing")
        async with rt.db.read() as tx:
            return {channel.value: await _delays(tx, channel, n) for channel in Channel}


async def _put(tx: Tx, rt: Runtime, begin: datetime, n: int) -> None:
    """`n` texts and `n` messages, one by one; the other cases' texts wait until next year."""
    await tx.execute(sa.text("UPDATE reminders SET send_after = '2027-01-04 01:00:00.000000'"))
    ids = [row[0] for row in await tx.execute(sa.text(f"SELECT id FROM reminders ORDER BY id LIMIT {n}"))]
    due = [begin + k * EVERY for k in range(n)]
    moments = [{"at": _text(at), "id": row} for at, row in zip(due, ids, strict=True)]
    await tx.execute(sa.text("UPDATE reminders SET send_after = :at, due_at = :at WHERE id = :id"), moments)
    unit = await people.add_unit(tx, name="U", kind="township", parent_id=None)
    readers = [
        await people.add_person(tx, name=f"P{k}", unit_id=unit, roles=(), chat_id=10_000 + k)
        for k in range(PEOPLE)
    ]
    staff = await people.staff(tx)
    for k, at in enumerate(due):
        detail = {"n": 1, "lines": str(k)}
        reader = staff.people[readers[k % PEOPLE]]
        await tell(tx, rt.desk, reader, "gaps", key=f"steady:{k}", at=at + EVERY / 2, detail=detail)


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


async def _serve(rt: Runtime, seconds: float) -> None:
    rt, scheduler = scheduled(rt, TIMETABLE)
    scheduler.start()
    await asyncio.sleep(seconds)
    rt.stopping.set()
    await scheduler.stop()


async def _delays(tx: Tx, channel: Channel, n: int) -> list[float]:
    """One that never left is later than any."""
    delay = "(julianday(sent_at) - julianday(due_at)) * 86400"
    query = sa.text(f"SELECT {delay} FROM reminders WHERE sent_at > '' AND channel = :channel")
    found = sorted(float(row[0]) for row in await tx.execute(query, {"channel": channel.value}))
    return found + [float("inf")] * (n - len(found))


def p99(found: list[float]) -> float:
    return statistics.quantiles(found, n=100)[98]


def rows(*, full: bool = False) -> list[Row]:
    seconds = 300 if full else 25
    with folder() as place:
        usual = asyncio.run(late(place, seconds))
    with folder() as place:
        apart = asyncio.run(late(place, seconds, hangs=True))
    what = f"{OPEN:,} open, 5 messages/s for {seconds} s, calls of 0-400 ms"
    every = sorted(usual["telegram"] + usual["sms"])
    return [
        Row(work=f"{what}: late, p50", ours=every[len(every) // 2], unit="s", less=True),
        Row(work=f"{what}: late, p99", ours=p99(every), unit="s", goal=5, less=True),
        Row(
            work=f"{what}, every text hangs: Telegram late, p99",
            ours=p99(apart["telegram"]),
            unit="s",
            peer="none hangs",
            theirs=p99(usual["telegram"]),
            goal=1.1,
            less=True,
        ),
    ]
