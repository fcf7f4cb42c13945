"""Years of a small office in virtual time, in one thread, while everything around it goes wrong.

The program is the real one: its jobs, its file, its webhooks. The clock, the people and the faults come from
a seed; the same seed plays the same story. The judge is what the world outside received.

    python -m tests.proofs.simulation --years 5 --seed 1
"""

import argparse
import hashlib
import heapq
import itertools
import logging
import os
import platform
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic, process_time
from typing import Any, ClassVar

import sqlalchemy as sa
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.guarding import begin
from jobs.heartbeat import heartbeat
from jobs.inbound import fetch_missed
from jobs.timetable import TIMETABLE
from reminder.actions import away, holding
from reminder.actions.check import violations
from reminder.actions.digests import DIGEST
from reminder.actions.overview import MOST, overview
from reminder.bot.polling import fetch
from reminder.clock import ManualClock
from reminder.domain.messages import Declined, Outgoing, Refusal
from reminder.domain.people import Channel
from reminder.domain.planning import MOVED, OFF
from reminder.domain.reminders import TERMINAL, State
from reminder.domain.storms import JUMP
from reminder.domain.workdays import at, local_day
from reminder.runtime import Runtime, Web
from reminder.store import cases, inbox, people, reminders
from reminder.store import overview as looked_up
from reminder.store import tables as t
from reminder.store.database import Database, Tx
from reminder.store.reminders import Reminder
from reminder.valves import Guard
from reminder.web.app import web
from tests.actions.acting import next_at
from tests.flows.random_office import ALLOWED, RandomOffice, fresh
from tests.flows.test_random_office import BODIES, OF_ENTRIES, ONWARD, PHONES, WHO, History, Played
from tests.office import STAFF, START, ZONE, desk, protocols
from tests.proofs.boundaries import _Database
from tests.proofs.faults import DOWN, FAULTS, Died, StormyChat, StormySms, Weather
from tests.proofs.outside import ACCOUNT, AUTH, URL, Outside
from tests.proofs.owed import SOON, UNHEARD, owed, untold
from tests.proofs.survey import marks

BEAT = timedelta(minutes=25)
"""A running process is never silent for as long as counts as being away."""

ROUNDS = 400
OPEN = 4
"""Cases under way at most: a small office."""

STUCK = timedelta(hours=3)
"""What waits for longer with nothing to wait for is stuck."""

STOPS, STARTS = {"STOP", "退订"}, {"START"}
AT_ONCE = (DIGEST, away.KIND, *holding.ASKS)
HOUR = timedelta(hours=1)
LATE = time(23, 50)


class OfficeClock(ManualClock):
    """The office's own: `wrong` by so much. What sets it, or passes time on it, does so to the true time."""

    def __init__(self, true: ManualClock) -> None:
        super().__init__(true.now())
        self.true, self.wrong = true, timedelta(0)

    def now(self) -> datetime:
        return self.true.now() + self.wrong

    def monotonic(self) -> float:
        return self.true.monotonic()

    def set(self, moment: datetime) -> None:
        self.true.set(moment)

    def advance(self, delta: timedelta) -> None:
        self.true.advance(delta)


class _File(_Database):
    """Whoever finds the file locked is told at once: nobody else's patience is to be slept through."""

    def _engine(self, *, read_only: bool) -> AsyncEngine:
        engine = super()._engine(read_only=read_only)

        @event.listens_for(engine.sync_engine, "connect")
        def _(raw: Any, _record: object) -> None:
            cursor = raw.cursor()
            cursor.execute("PRAGMA busy_timeout=0")
            cursor.close()

        return engine


@dataclass(frozen=True, kw_only=True)
class Left:
    """A message at the moment it left: the row it belongs to, and the true time."""

    token: str
    row: Reminder
    at: datetime
    urgent: bool
    text: str


class StormyOffice(RandomOffice):
    """The random office in the weather: its file, clock and channels, and what was seen to leave."""

    lacks: ClassVar[frozenset[str]] = frozenset()
    """Faults that its kind of database cannot be made to have."""

    def __init__(self, template: Path, path: Path, seed: str, only: Collection[str] | None) -> None:
        self.weather = Weather.of(seed, only)
        self.weather.enabled -= self.lacks
        self.start = START + timedelta(days=random.Random(f"{seed}:start").randrange(365))
        numbers = itertools.count(1)
        self.new_id = lambda: f"s{next(numbers):08d}-{'x' * 16}"
        self.left: dict[str, Left] = {}
        self.answering = False
        """What somebody typed or tapped is being answered: such an answer is no reminder."""
        self.stopped: set[str] = set()
        """Numbers whose STOP the office has dealt with, as the world knows."""
        super().__init__(template, path)

    def _outside(self) -> None:
        self.true = ManualClock(self.start)
        self.clock: OfficeClock = OfficeClock(self.true)
        shared: dict[str, Any] = {"now": self.true.now, "weather": self.weather, "leaving": self.leaving}
        shared["boundary"] = self.weather.boundary
        self.world = Outside(clock=self.true, sms=StormySms(**shared), chat=StormyChat(**shared))
        self.sms, self.chat = self.world.sms, self.world.chat

    async def _open(self) -> Runtime:
        return Runtime(
            db=self._database(),
            desk=replace(desk(self.clock), new_id=self.new_id),
            chat=self.world.chat,
            sms=self.world.sms,
            web=Web(public_url=URL, twilio_tokens=(AUTH,), twilio_account=ACCOUNT),
            bot_names={None: "reminder_bot"},
            concurrency=1,
            guard=Guard(),
            elsewhere=self._elsewhere,
        )

    @classmethod
    def fresh(cls, folder: Path) -> Path:
        """What each begins as a copy of."""
        return fresh(folder)

    def _database(self) -> Database:
        return _File(self.path, self.weather.boundary)

    @asynccontextmanager
    async def befallen(self, name: str) -> AsyncIterator[None]:
        """While this, or nothing, befalls the database as a whole."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            if name == "database locked":
                other.execute("BEGIN IMMEDIATE")
            if name == "disk full":
                await self._narrow(full=True)
            yield
        if name == "disk full":
            await self._narrow(full=False)

    async def _narrow(self, *, full: bool) -> None:
        """Let the file grow to no more pages than it has: SQLite itself then says that the disk is full."""
        async with self.rt.db.write() as tx:
            has = (await tx.exec_driver_sql("PRAGMA page_count")).scalar()
            pages = has if full else 2**30
            await tx.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    async def _elsewhere(self) -> datetime | None:
        """The provider's clock is right, and answers when the provider does."""
        out = self.weather.until.get("chat away for hours", self.true.now()) > self.true.now()
        return None if out else self.true.now()

    async def leaving(self, message: Outgoing) -> None:
        """I-3, I-6 and I-9 at the very moment, by the world's knowledge and by the true time."""
        with self.weather.calm():
            async with self.rt.db.read() as tx:
                row = await reminders.by_token(tx, message.token)
                case = (await cases.many(tx, [row.case_id])).get(row.case_id) if row and row.case_id else None
            if row is None:
                assert self.answering, ("nobody meant to send this", message.text)
                return
            await self.watch(message)
        now = self.true.now()
        if message.to in self.world.chat.refused:
            self.weather.fired["chat blocked"] += 1
        on_the_spot = row.entry_id is None and row.kind != DIGEST
        assert row.due_at <= now + JUMP or on_the_spot, ("early by the true time", row.due_at, now, row.key)
        reply = row.key.startswith("reply:")
        assert message.to not in self.stopped or reply, ("after STOP", row.key)
        urgent = case is not None and self.rt.desk.protocol_of(case).urgent
        self.left[message.token] = Left(
            token=message.token, row=row, at=now, urgent=urgent, text=message.text
        )


@dataclass(kw_only=True)
class Counts:
    """What was played, by one seed or by many."""

    days: int = 0
    cases: int = 0
    texts: int = 0
    chats: int = 0
    outages: int = 0
    ended: int = 0
    """Reminders that were over, each accounted for (I-7)."""
    steps: int = 0
    """Moments at which somebody was owed something, each found among the reminders (I-7)."""
    rungs: int = 0
    """Of those: rungs over what is late (I-19)."""
    fired: Counter[str] = field(default_factory=Counter)
    breaks: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Story(Counts):
    """What one seed came to."""

    seed: str
    transcript: str = ""
    """SHA-256 of everything that phones received, when, and of every fault."""

    def vacuous(self) -> list[str]:
        """A run without a fault or without a message proves nothing."""
        found = [] if self.fired.total() else ["no fault fired"]
        return found + ([] if self.texts and self.chats else ["nothing was sent"])


class Simulation(History):
    """One office, one seed, day after day."""

    office: StormyOffice

    def __init__(
        self,
        template: Path,
        path: Path,
        seed: str,
        only: Collection[str] | None = None,
        kind: type[StormyOffice] = StormyOffice,
    ) -> None:
        super().__init__(kind(template, path, seed, only), Played())
        self.seed, self.dice = seed, random.Random(f"{seed}:people")
        self.weather, self.world = self.office.weather, self.office.world
        self.heap: list[tuple[datetime, int, bool, Callable[[], None]]] = []
        """What is to happen: when, in which order, whether the program is needed for it, what."""
        self.order = itertools.count()
        self.true = self.office.true
        self.down_until: datetime | None = None
        self.gone_since = self.true.now()
        self.back: list[datetime] = []
        """When the office came back from having been down."""
        self.idle: list[tuple[datetime, datetime]] = []
        """When nothing could be decided: nobody was there, or nobody could believe the clock."""
        self.judged_to = self.true.now()
        """Until when everything owed has been looked for."""
        self.ended: set[int] = set()
        self.read: dict[date, datetime] = {}
        """When an administrator last read of a day what had gone wrong on it, and what stood there."""
        self.listed: set[int] = set()
        self.steps = self.rungs = 0
        self.beaten, self.beats, self.wait = self.true.now(), 0, timedelta(0)
        self.next: datetime | None = None
        """When something falls due next, by the office's clock."""
        self.again = self.true.now()
        self.posted = 0
        self.pending: dict[str, tuple[str, str, datetime]] = {}
        """Texts the office has not been seen to deal with: number, words and when, by the provider's id."""
        self.told: dict[str, list[str]] = {}
        """Attempts the world received something of, by the key of their reminder."""
        self.judged = [0, 0]
        self.since = self.office.start
        self.lines = hashlib.sha256()
        self.most_work = 0
        """Statements, commits and calls of the busiest tick."""
        self._begin()

    # --- time ------------------------------------------------------------------------------------------

    def play(self, days: int) -> Story:
        """So many days, or until something that must hold does not."""
        story = Story(seed=self.seed, fired=self.weather.fired)
        try:
            for _ in range(days):
                self._plan_day()
                self.work_for(timedelta(days=1))
                if self.down_until is None:
                    self.run(self._judge())
                story.days += 1
        except AssertionError as broken:
            story.breaks.append(f"seed {self.seed}, day {story.days}: {str(broken)[:1500]}")
        story.texts, story.chats = len(self.world.sms.ledger), len(self.world.chat.ledger)
        story.ended, story.steps, story.rungs = len(self.ended), self.steps, self.rungs
        story.cases, story.outages = len(self.run(self._ids())), len(self.back)
        self.lines.update(repr(sorted(self.weather.fired.items())).encode())
        story.transcript = self.lines.hexdigest()
        return story

    def work_for(self, span: timedelta) -> None:
        """Time passes, and whatever has been planned happens."""
        self._until(self.true.now() + span)

    def _at(self, moment: datetime, what: Callable[[], None], *, office: bool = True) -> None:
        heapq.heappush(self.heap, (moment, next(self.order), office, what))

    def _until(self, end: datetime) -> None:
        while self.true.now() < end:
            now = self.true.now()
            first = self.heap[0][0] if self.heap else end
            if self.down_until is not None:
                self.true.set(max(now, min(first, self.down_until, end)))
                if self.true.now() >= self.down_until:
                    self._come_back()
            else:
                self.true.set(max(now, min(first, self._due() or end, self.beaten + BEAT, end)))
            came = self._what_comes()
            if self.down_until is not None:
                continue
            if came or ((due := self._due()) is not None and due <= self.true.now()):
                self._works()
            elif self.true.now() >= self.beaten + BEAT:
                self._alive(self._beat)

    def _due(self) -> datetime | None:
        """By the true time, when something falls due next.

        What is due and does not go is asked about less and less often.
        """
        if self.next is None:
            return None
        with suppress(OverflowError):
            return max(self.next - self.office.clock.wrong, self.again)
        return None

    def _what_comes(self) -> bool:
        came = False
        while self.heap and self.heap[0][0] <= self.true.now():
            _, _, office, what = heapq.heappop(self.heap)
            if office and self.down_until is not None:
                continue
            what()
            came = True
        return came

    def _works(self) -> None:
        self._alive(self._rest)
        self.next = self.run(next_at(self.office.rt))
        stays = self.next is not None and self.next <= self.office.clock.now()
        self.wait = min(max(self.wait * 2, timedelta(seconds=5)), BEAT) if stays else timedelta(0)
        self.again = self.true.now() + self.wait

    def _alive(self, work: Callable[[], Awaitable[None]]) -> None:
        """Let the process work; if it dies, another one takes over."""
        for _ in range(5):
            try:
                self.run(work())
            except Died:
                self._begin()
                work = self._rest
            else:
                return
        raise AssertionError("it dies again and again")

    def _begin(self) -> None:
        """A new process on the same file, with nothing of the old one's memory."""
        for _ in range(5):
            self.run(self.office.rt.db.close())
            self.office.rt = self.run(self.office._open())
            try:
                self.run(self._hurt(lambda: begin(self.office.rt)))
            except Died:
                continue
            return
        raise AssertionError("it dies again and again")

    def _come_back(self) -> None:
        self.down_until = None
        self.idle.append((self.gone_since, self.true.now()))
        self.back.append(self.true.now())
        self.world.posts.clear()  # the provider has given up long ago
        self._begin()
        self._works()

    # --- the process -----------------------------------------------------------------------------------

    async def _hurt(self, work: Callable[[], Awaitable[Any]]) -> int:
        """One piece of the program's work. What the database does to it, its scheduler would log."""
        try:
            with self.weather.stormy():
                return int(await work() or 0)
        except BaseException as error:
            kinds = list(_leaves(error))
            if any(isinstance(kind, Died) for kind in kinds):
                raise Died from None
            wrong = [kind for kind in kinds if not isinstance(kind, DBAPIError | sqlite3.Error)]
            if wrong:
                raise wrong[0] from None
            said = str(kinds[0])
            name = "database locked" if "lock" in said else "disk full" if "full" in said else ""
            if name:
                self.weather.fired[name] += 1
            return 1

    async def _rest(self) -> None:
        """Webhooks, updates and jobs until nothing more is to be done at this instant."""
        name = self.weather.gather()
        async with self.office.befallen(name):
            before = self.weather.passed
            done = await self._round()
            self.most_work = max(self.most_work, self.weather.passed - before)
        for _ in range(ROUNDS):
            if not done:
                break
            done = await self._round()
        else:
            raise AssertionError("the jobs never come to rest")
        await self._hurt(lambda: heartbeat(self.office.rt))
        self.beaten = self.true.now()
        self._send_receipts()

    async def _round(self) -> int:
        rt, world = self.office.rt, self.world
        done = await self._hurt(lambda: world.post(web(rt))) if world.posts else 0
        await self._dealt_with()
        done += await self._hurt(lambda: fetch(rt, timedelta(0)))
        for job in TIMETABLE:
            self.office.answering = job.name == "inbox"
            if job.name != "sweep":
                done += await self._hurt(lambda job=job: job.run(rt))  # type: ignore[misc]
        self.office.answering = False
        return done

    async def _beat(self) -> None:
        """Nothing is due: the heart beats, and now and then somebody is asked whether anything came in."""
        rt = self.office.rt
        self.beaten, self.beats = self.true.now(), self.beats + 1
        await self._hurt(lambda: heartbeat(rt))
        if self.beats % 4 == 0:
            came = await self._hurt(lambda: fetch(rt, timedelta(0)))
            if came + await self._hurt(lambda: fetch_missed(rt)):
                self.next = rt.clock.now()

    # --- people ----------------------------------------------------------------------------------------

    def _checked(self, what: str, *, done: bool = True) -> None:
        """What must hold is asked once a day."""
        self.played.steps += 1
        self.played.deeds[what] += done

    def _plan_day(self) -> None:
        dice, now = self.dice, self.true.now()
        office = self.office.rt.desk.office
        if office.calendar.is_working(local_day(now, ZONE)):
            for _ in range(dice.choice((0, 1, 1, 2, 3))):
                self._at(now + timedelta(hours=dice.uniform(0, 8)), self._somebody_acts)
            for _ in range(dice.choice((0, 1, 1, 2))):
                self._at(now + timedelta(hours=dice.uniform(0, 8)), self._somebody_types)
            if dice.random() < 0.2:
                self._at(now + timedelta(hours=dice.uniform(0, 8)), self._somebody_comes)
            for hours in (1, 6):
                self._at(now + timedelta(hours=hours), self._somebody_looks)
        self._at(at(local_day(now, ZONE), LATE, ZONE), lambda: self.run(self._reads_the_day()))
        if dice.random() < 0.3:
            self._at(now + timedelta(hours=dice.uniform(0, 24)), self._somebody_texts, office=False)
        self._plan_weather(now)

    def _somebody_acts(self) -> None:
        ids, under_way = self.run(self._ids()), self.run(self._under_way())
        if not ids:
            return
        one = self.dice.choice(under_way if under_way and self.dice.random() < 0.9 else ids)
        which, way, turn = ids.index(one), self.dice.randrange(61), self.dice.randrange(201)
        way -= way % 4 == 3  # nobody sleeps for an hour between two clicks
        what = self.dice.choices(("onward", "about_entry", "deed"), (5, 4, 1))[0]
        if what == "about_entry":
            self.act(OF_ENTRIES[turn % len(OF_ENTRIES)], "zhou", which, way)
        elif what == "deed":
            self.deed(which, way, turn)
        else:
            names = ONWARD[self.run(self._status(which))]
            self.act(names[turn % len(names)], "zhou", which, way)

    async def _under_way(self) -> list[int]:
        async with self.office.rt.db.read() as tx:
            return await looked_up.cases_under_way(tx)

    def _somebody_types(self) -> None:
        who, tap = self.dice.choice(WHO), self.dice.random() < 0.6
        own = str(STAFF[who].chat)
        last = next((r for r in reversed(self.world.chat.ledger) if r.message.to == own and r.buttons), None)
        if tap and last is not None:
            self.world.tap(who, self.dice.randrange(sum(map(len, last.buttons))))
        else:
            self.world.say(who, self.dice.choice(("/today", "/week", "/overdue", "/help", "/new", "abc")))

    def _somebody_comes(self) -> None:
        if len(self.run(self._under_way())) < OPEN:
            keys = sorted(protocols())
            handler = self.dice.choice(("chen", "wang", "", "lin"))
            phone, way = self.dice.randrange(len(PHONES)), self.dice.randrange(61)
            self.run(self._take_in(self.dice.choice(keys), handler, phone=phone, way=way))
            self._checked("take_in")

    def _somebody_looks(self) -> None:
        """An administrator who is asked whether all is well says so when it is."""
        if not self.office.clock.wrong and self.run(self._held()):
            self.world.say("he", "/go")

    async def _reads_the_day(self) -> None:
        """An administrator reads late in the evening what did not go as it should have that day."""
        async with self.office.rt.db.read() as tx:
            found = await overview(tx, self.office.rt.desk, limit=MOST)
        self.listed |= {row.id for _, row in found.trouble}
        now = self.office.clock.now()
        self.read[local_day(now, ZONE)] = now

    async def _held(self) -> bool:
        async with self.office.rt.db.read() as tx:
            return await holding.held(tx) is not None

    def _somebody_texts(self) -> None:
        number, body = self.dice.choice(PHONES), self.dice.choice(BODIES)
        self.world.text(number, body, lost=self.weather.happens("text lost"))
        self.pending[self.world.sms.inbox[-1].provider_id] = (number, body, self.true.now())
        if self.world.posts and self.weather.happens("text doubled"):
            self.world.posts.append(self.world.posts[-1])

    async def _dealt_with(self) -> None:
        """Whose STOP or START the office has read by now; what was said is the world's to know."""
        if not self.pending:
            return
        kept = (t.inbox.c.source == "sms") & t.inbox.c.external_id.in_(list(self.pending))
        query = sa.select(t.inbox.c.external_id).where(kept, t.inbox.c.state == "processed")
        async with self.office.rt.db.read() as tx:
            read = (await tx.execute(query.order_by(t.inbox.c.id))).scalars().all()
        for sid in read:
            number, body, _ = self.pending.pop(sid)
            self.office.stopped -= {number} if body in STARTS else set()
            self.office.stopped |= {number} if body in STOPS else set()

    # --- the weather -----------------------------------------------------------------------------------

    def _plan_weather(self, now: datetime) -> None:
        weather, dice = self.weather, self.weather.dice

        def sometime(name: str, what: Callable[[], None], *, office: bool = False) -> None:
            if weather.strikes(name):
                self._at(now + timedelta(hours=dice.uniform(0, 24)), what, office=office)

        for name in ("chat away for hours", "texts away for hours", "log blind for hours"):
            sometime(name, lambda name=name: self._for_hours(name))  # type: ignore[misc]
        sometime("chat blocked", self._blocks)
        sometime("clock ahead", lambda: self._sets_clock("clock ahead", 1))
        sometime("clock behind", lambda: self._sets_clock("clock behind", -1))
        for name in DOWN:
            sometime(name, lambda name=name: self._goes_down(name), office=True)  # type: ignore[misc]
        sometime("started anew", self._starts_anew, office=True)

    def _for_hours(self, name: str) -> None:
        self.weather.until[name] = self.true.now() + timedelta(hours=self.weather.dice.uniform(0.5, 12))

    def _blocks(self) -> None:
        who = self.weather.dice.choice([key for key in STAFF if key != "he"])
        chat = str(STAFF[who].chat)
        self.world.chat.refused[chat] = Declined(reason=Refusal.BLOCKED, code="blocked")
        after = self.true.now() + timedelta(days=self.weather.dice.uniform(0.1, 6))
        self._at(after, lambda: self._unblocks(chat), office=False)

    def _unblocks(self, chat: str) -> None:
        self.world.chat.refused.pop(chat, None)
        self._at(self.true.now(), lambda: self.run(self._joins(int(chat))))

    async def _joins(self, chat: int) -> None:
        key = next(key for key, who in STAFF.items() if who.chat == chat)
        async with self.office.rt.db.write() as tx:
            await people.update(tx, self.staff[key].id, chat_id=chat)

    def _sets_clock(self, name: str, sign: int) -> None:
        dice = self.weather.dice
        self.office.clock.wrong = sign * timedelta(seconds=3600 ** dice.random())
        self.weather.fired[name] += 1
        mended = self.true.now() + timedelta(minutes=10 * 144 ** dice.random())
        self.idle.append((self.true.now() - HOUR, mended + HOUR))
        self._at(mended, self._mends_clock, office=False)

    def _mends_clock(self) -> None:
        self.office.clock.wrong = timedelta(0)

    def _goes_down(self, name: str) -> None:
        if self.down_until is not None:
            return
        shortest, longest = DOWN[name]
        self.gone_since = self.true.now()
        self.down_until = self.gone_since + shortest * (longest / shortest) ** self.weather.dice.random()
        self.weather.fired[name] += 1
        self.run(self.office.rt.db.close())

    def _starts_anew(self) -> None:
        self.weather.fired["started anew"] += 1
        self._begin()

    def _send_receipts(self) -> None:
        """The provider tells how far each text has come, sooner or later, in order or not."""
        weather, sms = self.weather, self.world.sms
        for row in sms.ledger[self.posted :]:
            bad = weather.happens("not delivered")
            last, code = ("undelivered", "30005") if bad else ("delivered", "")
            sms.fates[row.provider_id] = (last, code)
            told = [("sent", "", 2.0), (last, code, 20.0)]
            if weather.happens("receipts out of order"):
                told.reverse()
            if weather.happens("receipt lost"):
                del told[weather.dice.randrange(2)]
            if weather.happens("receipt doubled"):
                told.append(told[-1])
            late = weather.dice.uniform(0, 80 * 3600) if weather.happens("receipt late") else 0.0
            for n, (status, code, seconds) in enumerate(told):
                form = {"MessageSid": row.provider_id, "MessageStatus": status, "AccountSid": ACCOUNT}
                form |= {"ErrorCode": code} if code else {}
                post = (f"/twilio/status?m={row.message.token}", form)
                when = self.true.now() + timedelta(seconds=max(seconds, 2.0 + n) + late)
                self._at(when, lambda post=post: self.world.posts.append(post), office=False)  # type: ignore[misc]
        self.posted = len(sms.ledger)

    # --- what must hold --------------------------------------------------------------------------------

    async def _judge(self) -> None:
        self._repeats()
        self._storms()
        self._conserved()
        async with self.office.rt.db.read() as tx:
            moving = await reminders.some(
                tx, t.reminders.c.state.in_(["planned", "sending", "uncertain"]), limit=MOST
            )
            ended = await reminders.some(tx, t.reminders.c.ended_at >= self.since - 3 * HOUR, limit=MOST)
            letters = await inbox.waiting(tx, self.office.rt.desk.sealer, 5)
            dead = await looked_up.letters(tx, "dead")
            found = await violations(tx, self.office.rt.desk)
            unheard_of = await untold(tx, ended, self.told)
            hold = await holding.held(tx)
            if self.office.clock.wrong or (hold is not None and hold.why == "jump"):
                # By a clock that nobody believes nothing falls due, and what should have is not written.
                found = [one for one in found if one.rule != "reminder_unwritten"]
                self.idle.append((self.judged_to, self.true.now() + HOUR))
            else:
                await self._owed(tx)
        self._unstuck(moving, hold)
        for row in ended:
            self._accounted(row)
        assert not unheard_of, ("nobody tells it otherwise", unheard_of[0].key, unheard_of[0].state)
        up_since = max([self.office.start, *self.back[-1:]])
        unheard = [
            at for _, _, at in self.pending.values() if max(at, up_since) < self.true.now() - 26 * HOUR
        ]
        assert not unheard, ("never heard of", unheard)
        assert not found, ("check", found)
        assert not letters, "a letter nobody dealt with"
        assert not dead, "a letter nobody could deal with"
        self.since = self.office.clock.now()

    def _repeats(self) -> None:
        """I-2: a text at most once, a chat message twice at most, and then with its mark."""
        for n, ledger in enumerate((self.world.sms.ledger, self.world.chat.ledger)):
            for entry in ledger[self.judged[n] :]:
                seen = (entry.at.isoformat(), entry.message.to, entry.message.text, entry.provider_id)
                self.lines.update(repr(seen).encode())
                left = self.office.left.get(entry.message.token)
                if left is None:
                    continue
                attempts = self.told.setdefault(left.row.key, [])
                if entry.message.token in attempts:
                    continue
                attempts.append(entry.message.token)
                once = entry.message.channel is Channel.SMS or left.row.kind == DIGEST
                assert len(attempts) <= (1 if once else 2), ("twice", left.row.key, left.row.kind)
                assert len(attempts) == 1 or left.text.startswith(marks()), ("unmarked", left.row.key)
            self.judged[n] = len(ledger)

    def _storms(self) -> None:
        """I-8: one digest a person and day; after a time away one summary, and at most one late message."""
        digests, late = Counter[tuple[str, date]](), Counter[tuple[datetime, str, str]]()
        for left in self.office.left.values():
            row = left.row
            if left.at < self.since - 26 * HOUR or row.channel == Channel.SMS:
                continue
            if left.token != (self.told.get(row.key) or [""])[0]:
                continue
            if row.kind == DIGEST:
                digests[row.recipient, local_day(left.at, ZONE)] += 1
            at_once = left.urgent or row.repeated or row.step in {MOVED, OFF} or row.kind in holding.ASKS
            for back in self.back[-5:]:
                if back <= left.at < back + HOUR and row.due_at < back and not at_once:
                    what = row.kind if row.kind in AT_ONCE else ""
                    late[back, row.recipient, what] += 1
        assert max(digests.values(), default=0) <= 1, ("two digests", digests.most_common(1))
        assert max(late.values(), default=0) <= 1, ("a storm", late.most_common(1))

    def _unstuck(self, moving: list[Reminder], hold: holding.Hold | None) -> None:
        """I-4: what could have gone or been found out is not left lying."""
        now = self.office.clock.now()
        unbelieved = hold is not None and hold.why == "jump"
        for row in moving:
            if row.state is State.PLANNED:
                stuck = not hold and not self.office.rt.stopped() and row.send_after < now - STUCK
            else:
                waits = unbelieved and row.kind not in holding.ASKS
                stuck = not waits and row.lease_until is not None and row.lease_until < now - STUCK
            assert not stuck, ("stuck", row.key, row.state, row.send_after)

    def _accounted(self, row: Reminder) -> None:
        """I-7: the world has a copy, or the row says why not and stands where somebody reads it."""
        self.ended.add(row.id)
        if row.state is State.MERGED:
            assert row.digest_id is not None, ("merged into nothing", row.key)
        elif row.state in {State.SENT, State.DELIVERED, State.UNDELIVERED}:
            assert row.key in self.told, ("said to be sent", row.key, row.state)
        else:
            assert row.state in TERMINAL, row
            self._reported(row)
            assert row.reason or row.key in self.told, ("lost without a reason", row.key, row.state)

    def _reported(self, row: Reminder) -> None:
        """I-7: what a colleague did not get stands in what the administrators read of that day."""
        assert row.ended_at is not None
        read = self.read.get(local_day(row.ended_at, ZONE))
        if row.state not in UNHEARD | {State.UNKNOWN} or read is None or row.ended_at > read:
            return
        assert row.id in self.listed, ("in no report", row.key, row.state, row.reason)

    async def _owed(self, tx: Tx) -> None:
        """I-7 and I-19: whatever fell due was written, and what is late climbed."""
        until = self.office.clock.now() - SOON
        since = max(self.judged_to, self.marked)
        if since >= until:
            return
        found = await owed(tx, self.office.rt.desk, since, until, self._until_somebody)
        assert not found.lost, ("owed and never written", found.lost[:5])
        self.judged_to = until
        self.steps += found.steps
        self.rungs += found.rungs

    def _until_somebody(self, moment: datetime) -> datetime:
        """When somebody could act on what fell due at a moment."""
        return max([moment, *(end for start, end in self.idle if start <= moment <= end)])

    def _conserved(self) -> None:
        for reminder, old, new in self.office.transitions():
            assert (old, new) in ALLOWED, (reminder, old, new)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def quiet() -> None:
    """Every fault is logged; nobody reads it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def simulate(
    template: Path,
    path: Path,
    seed: str,
    days: int,
    *,
    only: Collection[str] | None = None,
    kind: type[StormyOffice] = StormyOffice,
) -> Story:
    """One office of its own through so many days; `only` these faults, instead of what the seed enables."""
    simulation = Simulation(template, path, seed, only, kind)
    try:
        return simulation.play(days)
    finally:
        simulation.office.close()


# --- by the year -----------------------------------------------------------------------------------------


class Report(Counts):
    """Of many seeds."""

    def vacuous(self) -> list[str]:
        """What no seed has met, and must have for anything to be proved."""
        found = [] if self.ended and self.steps else ["nothing was judged"]
        found += [] if self.rungs else ["nothing was late for long enough"]
        return found + ([] if self.outages else ["never down"])

    def add(self, story: Story) -> None:
        self.days += story.days
        self.cases += story.cases
        self.texts += story.texts
        self.chats += story.chats
        self.outages += story.outages
        self.ended += story.ended
        self.steps += story.steps
        self.rungs += story.rungs
        self.fired.update(story.fired)
        self.breaks += story.breaks + [f"seed {story.seed}: {why}" for why in story.vacuous()]

    def write(self) -> None:
        for name in sorted({*FAULTS, *self.fired}):
            say(f"{name:28} {self.fired[name]:8} times")
        say(f"{self.ended} reminders accounted for, {self.steps} times that somebody was owed something,"
            f" {self.rungs} rungs over what is late")  # fmt: skip
        say(f"{self.days / 365:.1f} office-years, {self.cases} cases, {self.texts} texts,"
            f" {self.chats} chat messages, {self.outages} times down, {self.fired.total()} faults fired,"
            f" {len(self.breaks)} breaks")  # fmt: skip


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the report is the product


def years(
    seed: int,
    count: int,
    days: int,
    folder: Path,
    kind: type[StormyOffice] = StormyOffice,
    minutes: float = float("inf"),
) -> Report:
    """The first days of so many office-years, each of a seed of its own, or as many as the minutes allow."""
    report, began, template = Report(), monotonic(), kind.fresh(folder)
    for n in range(count):
        if monotonic() - began > minutes * 60:
            break
        story = simulate(template, folder / "year.db", f"{seed}.{n}", days, kind=kind)
        report.add(story)
        say(f"{story.seed}: {story.days} days, {story.texts} texts, {story.chats} chat messages,"
            f" {story.fired.total()} faults, {len(story.breaks)} breaks")  # fmt: skip
    if not report.days:
        return replace(report, breaks=["not a day was played"])
    return replace(report, breaks=report.breaks + report.vacuous())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.simulation", description=__doc__)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no new year after so long")
    args = parser.parse_args()
    say(f"seed {args.seed}, {args.years} years, {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} processors, Python {platform.python_version()}")  # fmt: skip
    quiet()
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="simulation-") as made:
        report = years(args.seed, args.years, 365, Path(made), minutes=args.minutes)
    report.write()
    took, worked = monotonic() - began, process_time()
    say(f"{took:.0f} s; {worked / max(report.days / 365, 0.01):.0f} s of one processor an office-year")
    for broken in report.breaks:
        say(f"BREAK {broken}")
    return 1 if report.breaks else 0


if __name__ == "__main__":
    sys.exit(main())
