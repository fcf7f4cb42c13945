"""Work that a person starts and that takes many steps: broken off and done again, is the end the same?"""

import asyncio
import importlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import command

from jobs.housekeeping import MESSAGES_KEPT, housekeep
from jobs.remind import remind
from reminder import failpoints
from reminder.actions import arming, calendar_import, cases, erasure, imports, moves
from reminder.actions.desk import Actor
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.cli_safety import _disarm
from reminder.clock import ManualClock
from reminder.domain.cases import Status
from reminder.instance import Instance
from reminder.runtime import Runtime
from reminder.store import backups, reminders
from reminder.store import cases as stored
from reminder.store.database import Database
from reminder.store.migrations import config, migrate, revisions
from tests.actions.acting import act, completed
from tests.office import a_case, actor, desk, pass_time, read
from tests.proofs.morning import MONDAY
from tests.proofs.moulds import Mould

FILES = Path(__file__).parents[1]
LATER = MONDAY + timedelta(minutes=30)
OLD = "0001"


@dataclass(frozen=True, slots=True)
class Where:
    """One copy of the office: its folder, and the address of its database."""

    folder: Path
    url: str


Work = Callable[[Where], Awaitable[None]]


def _office(at: Where) -> Runtime:
    made = desk(ManualClock(LATER))
    return Runtime(db=Database(at.url), desk=made, sms=MemorySms(now=made.clock.now))


# --- what is done, once or again -----------------------------------------------------------------------


async def _import(at: Where) -> None:
    rt = _office(at)
    by = Actor(person=(await actor(rt, "he")).person)
    found = await imports.try_out(rt, by, "sample.csv", _ledger())
    await imports.apply(rt, by, found)
    await rt.db.close()


def _ledger() -> bytes:
    """Enough rows for three transactions, the last of them not full, and one that waits for an answer."""
    header, first, second, asks = (FILES / "ledger/sample.csv").read_text("utf-8").splitlines()
    lines = [header, asks]
    for n in range(imports.TOGETHER * 5 // 2):
        number, day, _, *rest = (first, second)[n % 2].split(",")
        lines.append(",".join((f"{number}-{n}", day, f"居民{n}", *rest)))
    return "\n".join(lines).encode()


async def _calendar(at: Where) -> None:
    rt = _office(at)
    by = Actor(person=(await actor(rt, "he")).person)
    content = (FILES / "calendar_files/2027.csv").read_bytes()
    await calendar_import.apply(rt, by, await calendar_import.try_out(rt, by, "2027.csv", content, lang="zh"))
    await rt.db.close()


async def _erase(at: Where) -> None:
    rt = _office(at)
    (case_id,) = (await read(rt, stored.ids))[-1:]
    if (await read(rt, lambda tx: stored.many(tx, [case_id])))[case_id].status is not Status.ERASED:
        await act(rt, "he", erasure.erase, case_id)
    await rt.db.close()


async def _archive(at: Where) -> None:
    """The messages of a case that is over go; then somebody takes the case up, and they come back."""
    rt = _office(at)
    pass_time(rt, days=30 + MESSAGES_KEPT.days)
    await housekeep(rt)
    (case_id,) = (await read(rt, stored.ids))[-1:]
    if (await read(rt, lambda tx: stored.many(tx, [case_id])))[case_id].status == Status.COMPLETED:
        await act(rt, "chen", cases.reopen, case_id, "又坏了")
    await rt.db.close()


async def _arm(at: Where) -> None:
    rt, machine = _office(at), Instance(at.folder)
    found = await read(rt, lambda tx: arming.standing(tx, machine.name, machine.sent_to))
    if found is not arming.Standing.OURS:
        await arming.arm(rt.db, rt.desk, machine.name, rt.sms)
    await rt.db.close()


async def _backup(at: Where) -> None:
    target = at.folder / "copy.db"
    if not target.exists():
        backups.create(at.folder / "reminder.db", target, LATER)
    backups.verify(target)


async def _restore(at: Where) -> None:
    def prepare(file: Path) -> None:
        asyncio.run(_disarm(file))

    database = at.folder / "reminder.db"
    await asyncio.to_thread(backups.restore, at.folder / "old.db", database, LATER, prepare)


async def _migrate(at: Where) -> None:
    db = Database(at.url)
    await migrate(db)
    await db.close()


async def _instance(at: Where) -> None:
    machine = Instance(at.folder / "fresh")
    assert machine.name
    machine.sent(7)


WORK: Mapping[str, Work] = {
    "import": _import,
    "calendar": _calendar,
    "archive": _archive,
    "erase": _erase,
    "arm": _arm,
    "backup": _backup,
    "restore": _restore,
    "migrate": _migrate,
    "instance": _instance,
}


# --- what it begins with ---------------------------------------------------------------------------------


async def prepare(name: str, folder: Path, mould: Mould) -> Where:
    """The office before that piece of work."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    if name == "migrate":
        at = Where(folder, await mould.empty(folder))
        await _old_schema(at)
        return at
    at = Where(folder, await mould.copy_to(folder))
    rt = _office(at)
    if name == "erase":
        case_id = (await a_case(rt, phones=("+12025550146",))).row.case.id
        await act(rt, "chen", cases.contact, case_id, "谈过")
        pass_time(rt, seconds=1)
        await act(rt, "chen", cases.withdraw, case_id, "自己修好了")
        pass_time(rt, seconds=1)
        await act(rt, "he", moves.archive, case_id)
    elif name == "archive":
        other_ids = replace(rt.desk, new_id=lambda: uuid4().hex)  # the office has used the first ones
        whole = replace(rt, desk=other_ids, chat=MemoryChat(now=rt.clock.now))
        await completed(whole, phones=("+12025550146",))
        (folder / "messages").write_text(str(len(await read(rt, reminders.some))), "ascii")
    elif name == "arm":
        (folder / "instance").write_text("another\n", "ascii")
        await remind(rt)
    elif name == "restore":
        backups.create(folder / "reminder.db", folder / "old.db", MONDAY)
        await a_case(rt, phones=("+12025550146",))
    await rt.db.close()
    return at


async def _old_schema(at: Where) -> None:
    db = Database(at.url)
    await migrate(db)
    async with db.write() as tx:
        await tx.run_sync(lambda sync: command.downgrade(config(sync), OLD))
        await tx.execute(
            sa.text(
                "INSERT INTO audit (at, action, object, detail, previous, hash) "
                "VALUES ('2026-08-03 10:00:00', 'opened', 'case 1', '{}', '', '00')"
            )
        )
    await db.close()


# --- in a process of its own -------------------------------------------------------------------------------


def forked(name: str, at: Where, failpoint: str, said: str) -> None:
    os.environ["REMINDER_FAILPOINT"] = failpoint
    importlib.reload(failpoints)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout.flush()
    asyncio.run(WORK[name](at))


# --- what it ends with --------------------------------------------------------------------------------

_CASE = "(SELECT number FROM cases c WHERE c.id = case_id)"
_RESIDENT = "(SELECT count(*) FROM residents r WHERE r.id <= resident_id)"
_SAME = {
    "cases": "number, status, protocol, responsible_id",
    "entries": f"{_CASE}, milestone, kind, due_on, status, revision",
    "reminders": f"kind, {_CASE}, person_id, {_RESIDENT}, state, reason, due_at",
    "facts": f"{_CASE}, event",
    "audit": "action, coalesce((SELECT number FROM cases c WHERE object = 'case:' || c.id), object)",
    "meta": "key",
}
"""Columns that two runs of the same work agree in; ids of rows and sealed words may differ.

A server does not give out again the id of a row that was never committed.
"""


def state(at: Where) -> dict[str, Any]:
    """What must be the same however often the work was broken off."""
    found: dict[str, Any] = {}
    for name in ("fresh/instance", "fresh/sent-to"):
        if (at.folder / name).exists():
            found[name] = len((at.folder / name).read_text("ascii").strip())
    if (at.folder / "copy.db").exists():
        found["copy"] = dict(backups.verify(at.folder / "copy.db").rows)
    with _looked_into(at) as connection:
        found["whole"] = _whole(connection)
        found["revision"] = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        for table in sa.inspect(connection).get_table_names():
            columns = _SAME.get(table, "count(*)") if found["revision"] == revisions()[-1] else "count(*)"
            rows = connection.exec_driver_sql(f"SELECT {columns} FROM {table}")  # noqa: S608
            found[table] = sorted(map(repr, rows))
        if "meta" in found:
            query = "SELECT value FROM meta WHERE key = 'switches'"
            found["armed"] = connection.exec_driver_sql(query).scalars().all()
    return found


@contextmanager
def _looked_into(at: Where) -> Iterator[sa.Connection]:
    engine = sa.create_engine(at.url.replace("+aiosqlite", ""))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _whole(connection: sa.Connection) -> bool:
    """As far as the database itself can tell; a server repairs itself."""
    if connection.dialect.name != "sqlite":
        return True
    return bool(connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok")


def between(name: str, at: Where) -> list[str]:
    """What already holds while the work lies broken off."""
    with _looked_into(at) as connection:
        faults = [] if _whole(connection) else ["not whole"]
        if name == "archive":
            places = ("reminders", "archived_reminders")
            rows = [connection.exec_driver_sql(f"SELECT id FROM {place}").scalars() for place in places]  # noqa: S608
            live, old = map(set, rows)
            if live & old:
                faults.append("messages in both places")
            if len(live | old) < int((at.folder / "messages").read_text("ascii")):
                faults.append("messages in neither place")
        if name == "restore":
            n = connection.exec_driver_sql("SELECT count(*) FROM cases").scalar_one()
            held = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'switches'").scalar_one()
            if n == 4 and "restored" not in held:
                faults.append("an old state that may send")
            if n not in {4, 5}:
                faults.append(f"{n} cases")
    fresh = at.folder / "fresh"
    if name == "instance" and (fresh / "instance").exists() and not Instance(fresh).name:
        faults.append("a machine without a name")
    return faults
