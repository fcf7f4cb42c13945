"""An office to measure: cases whose residents are owed a text, a provider that does nothing, a clock."""

import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench.planning import START, desk_at
from reminder.actions.people import ensure_admin
from reminder.actions.replan_all import replan_all
from reminder.channels.base import Found, Inbound
from reminder.clock import Clock, ManualClock, SystemClock
from reminder.domain.cases import Event, Fact
from reminder.domain.messages import Accepted, Answer, Outgoing, Trouble
from reminder.domain.people import Channel
from reminder.runtime import Runtime
from reminder.serving import collect_seldom
from reminder.store import cases, residents
from reminder.store.database import Database
from reminder.store.migrations import migrate

TEN = timedelta(minutes=10)


class Shifted(SystemClock):
    """The machine's clock, moved so that it is a working morning whenever somebody measures."""

    def __init__(self, offset: timedelta) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return super().now() + self._offset


def offset() -> timedelta:
    """From now to the morning after the texts fell due."""
    return START + TEN - datetime.now(UTC)


def provider_id(token: str) -> str:
    """In no order, as a provider of texts gives them out."""
    return f"SM{token.partition('-')[2]}"


class Null:
    """An `SmsPort` that takes everything on at once.

    With a ledger it writes each number and moment there, as the outside world would remember it, before it
    answers: what a killed process had sent is seen there. Which process it was stands behind them.
    """

    name = Channel.SMS

    def __init__(self, ledger: Path | None = None) -> None:
        self.count = 0
        self._path = ledger
        self._file = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if ledger else None

    async def send(self, message: Outgoing) -> Answer:
        self.count += 1
        if self._file is not None:
            os.write(self._file, f"{message.to} {time.time():.6f} {os.getpid()}\n".encode())
        return Accepted(provider_id=provider_id(message.token))

    async def find(self, *, to: str, since: datetime, body: str) -> list[Found] | Trouble:  # noqa: ARG002
        lines = self._path.read_text().splitlines() if self._path else []
        return [
            Found(provider_id=f"SM{n}", sent_at=since, status="sent", body_matches=True)
            for n, line in enumerate(lines)
            if line.split()[0] == to
        ]

    async def inbound(self, since: datetime) -> list[Inbound] | Trouble:  # noqa: ARG002
        return []

    async def sent(self, since: datetime, until: datetime) -> list[Found] | Trouble:  # noqa: ARG002
        return []

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def stage(
    url: str, *, clock: Clock | None = None, ledger: Path | None = None, shared: bool = False
) -> AsyncIterator[tuple[Runtime, Null]]:
    """An office on a database, migrated; without the brake on storms, which would ask an administrator."""
    desk = desk_at(clock or ManualClock(START))  # type: ignore[arg-type]
    office = replace(desk.office, phone="202-555-0100")
    desk = replace(desk, office=office, new_id=lambda: secrets.token_urlsafe(24))
    collect_seldom()
    db, sms = Database(url, shared=shared), Null(ledger)
    try:
        await migrate(db)
        yield Runtime(db=db, desk=desk, sms=sms), sms
    finally:
        await db.close()


async def matters(rt: Runtime, n: int) -> list[int]:
    """Cases just registered, each with a resident and a number: what is there before anything is planned."""
    protocol, desk = rt.desk.protocol("ordinary"), rt.desk
    made: list[int] = []
    async with rt.db.write() as tx:
        admin = await ensure_admin(tx, desk)
        for first in range(0, n, 500):
            numbers = range(first, min(first + 500, n))
            people = await residents.add_many(tx, [{"name": f"R{number}"} for number in numbers])
            held = [
                (person, f"+1{number // 10**7 + 202}{number % 10**7:07d}")
                for number, person in zip(numbers, people, strict=True)
            ]
            await residents.give_phones(tx, desk.sealer, held)
            for number, person in zip(numbers, people, strict=True):
                about = {"number": f"26{number:06d}0", "handler_id": admin, "opened_at": START}
                held_by = {"protocol": protocol.key, "protocol_version": protocol.version}
                case_id = await cases.insert(tx, **held_by, **about)
                await cases.add_party(tx, case_id, person)
                facts = [Fact(event=e, at=START, recorded_at=START, value={}) for e in _TAKEN_IN]
                await cases.add_facts(tx, case_id, facts)
                made.append(case_id)
    return made


_TAKEN_IN = (Event.RECEIVE, Event.REGISTER)


async def plan(rt: Runtime, made: list[int]) -> None:
    """Five entries a case with their moments, one text due now; 25 cases in a durable transaction."""
    await replan_all(rt.db, rt.desk, made)


def numbered(db: Database, first: int, last: int) -> str:
    """A table `s` of the numbers `n` from the first to the last, to begin a statement with."""
    if db.sqlite:
        return f"WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last})"
    return f"WITH s(n) AS (SELECT generate_series({first}, {last}))"


async def wait_for_later(rt: Runtime, n: int) -> None:
    """`n` entries on the agenda and `n` planned messages of a case that nobody asks about, all next year.

    Their moments have nothing to do with the order in which they were written.
    """
    (case_id,) = await matters_of_nobody(rt)
    series = numbered(rt.db, 1, n)
    later = (
        "strftime('%Y-%m-%d %H:%M:%S.000000', '2027-03-01', '+' || (n * 7919 % 20000000) || ' seconds')"
        if rt.db.sqlite
        else "timestamptz '2027-03-01 00:00Z' + (n::bigint * 7919 % 20000000) * interval '1 second'"
    )
    when = "'2026-03-02 01:00:00.000000'" if rt.db.sqlite else "timestamptz '2026-03-02 01:00Z'"
    async with rt.db.write() as tx:
        for statement in (
            "INSERT INTO entries (case_id, key, milestone, kind, status, since, anchor_at, detail) "
            f"{series} SELECT {case_id}, 'later:' || n, 'reg', 'deadline', 'open', {when}, {when}, "
            "'{}' FROM s",
            f"INSERT INTO agenda (due_at, entry_id) SELECT {later}, n FROM "
            f"(SELECT id AS n FROM entries WHERE case_id = {case_id}) AS made",
            "INSERT INTO reminders (key, case_id, channel, kind, due_at, send_after, told, detail) "
            f"{series} SELECT 'later:' || n, {case_id}, 'sms', 'received', {later}, {later}, '{{}}', '{{}}' "
            "FROM s",
        ):
            if rt.db.sqlite:
                await tx.exec_driver_sql(statement)
            else:
                await tx.execute(sa.text(statement.replace("later:", "later-")))
        if not rt.db.sqlite:
            await tx.execute(sa.text("ANALYZE"))


async def matters_of_nobody(rt: Runtime) -> list[int]:
    protocol = rt.desk.protocol("ordinary")
    about = {"number": "250000010", "opened_at": START}
    async with rt.db.write() as tx:
        held_by = {"protocol": protocol.key, "protocol_version": protocol.version}
        return [await cases.insert(tx, **held_by, **about)]


def file_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'bench.db'}"
