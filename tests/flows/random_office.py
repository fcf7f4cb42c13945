"""A real office in which anything may happen: its file, its jobs, and what the outside world received."""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.dispatch import dispatch
from jobs.remind import remind
from jobs.settle import settle
from jobs.timetable import TIMETABLE
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.clock import ManualClock
from reminder.domain.cases import ENDED, Event, Status
from reminder.domain.messages import Answer, Outgoing
from reminder.domain.planning import OFF
from reminder.domain.protocols import EntryKind
from reminder.domain.reminders import MOVES, TERMINAL, State
from reminder.runtime import Runtime
from reminder.store import cases, entries, people, reminders, residents
from reminder.store.database import Database
from reminder.store.migrations import migrate
from tests.actions.acting import next_at
from tests.office import START, _move_in, desk, write

_ENDS = ", ".join(f"'{state}'" for state in sorted(TERMINAL))
_FIXED = ("key", "state", "reason", "due_at", "revision", "token", "sent_at", "ended_at", "told")
_CHANGED = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _FIXED)
WITNESS = f"""
CREATE TABLE witness (id INTEGER PRIMARY KEY, reminder INTEGER, old TEXT, new TEXT);
CREATE TRIGGER written AFTER INSERT ON reminders
  BEGIN INSERT INTO witness (reminder, old, new) VALUES (NEW.id, '', NEW.state); END;
CREATE TRIGGER moved AFTER UPDATE ON reminders WHEN OLD.state IS NOT NEW.state
  BEGIN INSERT INTO witness (reminder, old, new) VALUES (NEW.id, OLD.state, NEW.state); END;
CREATE TRIGGER touched AFTER UPDATE ON reminders WHEN OLD.state IN ({_ENDS}) AND ({_CHANGED})
  BEGIN INSERT INTO witness (reminder, old, new) VALUES (NEW.id, OLD.state, 'changed'); END;
CREATE TRIGGER lost AFTER DELETE ON reminders
  BEGIN INSERT INTO witness (reminder, old, new) VALUES (OLD.id, OLD.state, 'lost'); END;
"""  # noqa: S608 - names of our own
"""Kept by the database itself: every state a reminder was ever in."""


def fresh(folder: Path) -> Path:
    """A migrated file with the staff in it, to be copied: making one takes a second."""
    path = folder / "office.db"
    asyncio.run(_make(path))
    with sqlite3.connect(path) as db:
        db.executescript(WITNESS)
    db.close()
    return path


async def _make(path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{path}", inline=True)
    clock = ManualClock(START)
    try:
        await migrate(db)
        await write(Runtime(db=db, desk=desk(clock)), lambda tx: _move_in(tx, True))
    finally:
        await db.close()


class RandomOffice:
    """One office for one history. Everything is real but the network, the clock and the numbers."""

    def __init__(self, template: Path, path: Path) -> None:
        self.path = path
        self._move_in(template)
        self.loop = asyncio.new_event_loop()
        self._outside()
        self.rt = self.loop.run_until_complete(self._open())
        self.seen = 0
        """How far the witness has been read."""

    def _move_in(self, template: Path) -> None:
        shutil.copyfile(template, self.path)

    def _outside(self) -> None:
        """The clock and the channels, which go on when the program does not."""
        clock = ManualClock(START)
        self.clock: ManualClock = clock
        self.sms: MemorySms = _WatchedSms(now=clock.now, office=self)
        self.chat: MemoryChat = _WatchedChat(now=clock.now, office=self)

    async def _open(self) -> Runtime:
        db = Database(f"sqlite+aiosqlite:///{self.path}", inline=True)
        return Runtime(
            db=db,
            desk=desk(self.clock),
            chat=self.chat,
            sms=self.sms,
            bot_names={None: "reminder_bot"},
            concurrency=1,
        )

    def close(self) -> None:
        self.loop.run_until_complete(self.rt.db.close())
        self.loop.close()
        self.path.unlink()

    async def settle(self) -> None:
        """Every job, until none finds anything to do."""
        await self._rest([job.run for job in TIMETABLE if job.name not in {"sweep", "inbound"}])

    async def _rest(self, jobs: Sequence[Callable[[Runtime], Awaitable[int]]]) -> None:
        for _ in range(60):
            if not sum([await job(self.rt) for job in jobs]):
                return
        raise AssertionError("the jobs never come to rest")

    async def until(self, moment: datetime) -> None:
        """Time passes, and everything leaves when it falls due; the other jobs run at the end."""
        for _ in range(3000):
            await self._rest([remind, dispatch, settle])
            following = await next_at(self.rt)
            if following is None or following > moment:
                break
            self.clock.set(max(following, self.clock.now()))
        self.clock.set(max(self.clock.now(), moment))
        await self.settle()

    async def watch(self, message: Outgoing) -> None:
        """I-3 and I-6, at the very moment a message leaves."""
        now, desk_ = self.clock.now(), self.rt.desk
        async with self.rt.db.read() as tx:
            row = await reminders.by_token(tx, message.token)
            assert row is not None, "nothing leaves without an intent on disk"
            assert row.state is State.SENDING
            assert row.due_at <= now, ("before it was due", row)
            assert row.useless_at is None or now < row.useless_at, ("after it was of use", row)
            case = (await cases.many(tx, [row.case_id])).get(row.case_id) if row.case_id else None
            entry = await entries.one(tx, row.entry_id) if row.entry_id else None
            if entry is not None and entry.kind is not EntryKind.NOTICE:
                assert entry.revision == row.revision, ("of an old date", row, entry)
                assert entry.is_open or row.step == OFF, ("about what has ended", row, entry)
            if row.person_id is not None:
                person = (await people.staff(tx)).active(row.person_id)
                assert person is not None
                return
            office = desk_.office_for(desk_.protocol_of(case)) if case is not None else desk_.office
            reply = row.key.startswith("reply:")
            urgent = desk_.kind(row.kind).urgent
            assert urgent or office.texting.is_open(now, office.zone), ("in quiet hours", row)
            phone = (
                await residents.phone(tx, desk_.sealer, row.phone_id, row.resident_id)
                if row.phone_id
                else None
            )
            assert phone is not None
            assert not phone.opted_out or reply, ("after STOP", row)
            if case is None or reply:
                return
            assert not case.paused, ("while paused", row)
            status = Status(case.status)
            if status in ENDED and row.step != OFF:
                assert entry is not None
                facts = (await cases.facts(tx, [row.case_id]))[row.case_id]
                ends = [f for f in facts if f.event in _ENDS_AT_ONCE]
                assert entry.kind is EntryKind.NOTICE, ("after the end", row, status)
                assert all(f.event in _TOLD_OF and entry.anchor_at >= f.at for f in ends), (row, status)

    def transitions(self) -> list[tuple[int, str, str]]:
        """What the witness has seen since it was last asked."""
        query = f"SELECT id, reminder, old, new FROM witness WHERE id > {self.seen} ORDER BY id"  # noqa: S608
        rows = self._asked(query)
        ((counted,),) = self._asked("SELECT count(*) FROM reminders")
        ((planned,),) = self._asked("SELECT count(*) FROM witness WHERE old = ''")
        assert counted == planned, "a reminder that was planned is in no state"
        self.seen = rows[-1][0] if rows else self.seen
        return [(reminder, old, new) for _, reminder, old, new in rows]

    def _asked(self, query: str) -> list[Any]:
        """What stands in the database, on a connection of our own."""
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(query).fetchall()


_TOLD_OF = {Event.GUIDE, Event.CONCLUDE}
_ENDS_AT_ONCE = _TOLD_OF | {Event.WITHDRAW, Event.MERGE, Event.ERASE}
"""Ends that are no answer; of the first ones, and of nothing before them, the resident is still told."""

BORN = {State.PLANNED.value, State.MERGED.value, State.SUPPRESSED.value, State.MISSED.value}
ALLOWED = {("", new) for new in BORN} | {(a.value, b.value) for a, tos in MOVES.items() for b in tos}


@dataclass(slots=True, kw_only=True)
class _WatchedSms(MemorySms):
    office: RandomOffice

    async def send(self, message: Outgoing) -> Answer:
        await self.office.watch(message)
        return await MemorySms.send(self, message)


@dataclass(slots=True, kw_only=True)
class _WatchedChat(MemoryChat):
    office: RandomOffice

    async def send(self, message: Outgoing) -> Answer:
        await self.office.watch(message)
        return await MemoryChat.send(self, message)
