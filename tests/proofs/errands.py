"""Work that a person starts and that takes many steps: broken off and done again, is the end the same?"""

import asyncio
import importlib
import os
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command

from jobs.remind import remind
from reminder import failpoints
from reminder.actions import arming, calendar_import, cases, erasure, imports, moves
from reminder.actions.desk import Actor
from reminder.channels.memory import MemorySms
from reminder.cli_safety import _disarm
from reminder.clock import ManualClock
from reminder.domain.cases import Status
from reminder.instance import Instance
from reminder.runtime import Runtime
from reminder.store import backups
from reminder.store import cases as stored
from reminder.store.database import Database
from reminder.store.migrations import config, migrate, revisions
from tests.actions.acting import act
from tests.office import a_case, actor, desk, pass_time, read
from tests.proofs.morning import MONDAY, mould

FILES = Path(__file__).parents[1]
LATER = MONDAY + timedelta(minutes=30)
OLD = "0001"
Work = Callable[[Path], Awaitable[None]]


def _office(folder: Path) -> Runtime:
    made = desk(ManualClock(LATER))
    return Runtime(
        db=Database(f"sqlite+aiosqlite:///{folder}/reminder.db"), desk=made, sms=MemorySms(now=made.clock.now)
    )


# --- what is done, once or again -----------------------------------------------------------------------


async def _import(folder: Path) -> None:
    rt = _office(folder)
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


async def _calendar(folder: Path) -> None:
    rt = _office(folder)
    by = Actor(person=(await actor(rt, "he")).person)
    content = (FILES / "calendar_files/2027.csv").read_bytes()
    await calendar_import.apply(rt, by, await calendar_import.try_out(rt, by, "2027.csv", content, lang="zh"))
    await rt.db.close()


async def _erase(folder: Path) -> None:
    rt = _office(folder)
    (case_id,) = (await read(rt, stored.ids))[-1:]
    if (await read(rt, lambda tx: stored.many(tx, [case_id])))[case_id].status is not Status.ERASED:
        await act(rt, "he", erasure.erase, case_id)
    await rt.db.close()


async def _arm(folder: Path) -> None:
    rt, machine = _office(folder), Instance(folder)
    found = await read(rt, lambda tx: arming.standing(tx, machine.name, machine.sent_to))
    if found is not arming.Standing.OURS:
        await arming.arm(rt.db, rt.desk, machine.name, rt.sms)
    await rt.db.close()


async def _backup(folder: Path) -> None:
    target = folder / "copy.db"
    if not target.exists():
        backups.create(folder / "reminder.db", target, LATER)
    backups.verify(target)


async def _restore(folder: Path) -> None:
    def prepare(file: Path) -> None:
        asyncio.run(_disarm(file))

    database = folder / "reminder.db"
    await asyncio.to_thread(backups.restore, folder / "old.db", database, LATER, prepare)


async def _migrate(folder: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{folder}/reminder.db")
    await migrate(db)
    await db.close()


async def _instance(folder: Path) -> None:
    machine = Instance(folder / "fresh")
    assert machine.name
    machine.sent(7)


WORK: Mapping[str, Work] = {
    "import": _import,
    "calendar": _calendar,
    "erase": _erase,
    "arm": _arm,
    "backup": _backup,
    "restore": _restore,
    "migrate": _migrate,
    "instance": _instance,
}


# --- what it begins with ---------------------------------------------------------------------------------


async def prepare(name: str, folder: Path) -> None:
    """The folder before that piece of work."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    if name == "migrate":
        await _old_schema(folder)
        return
    await mould.copy_to(folder)
    rt = _office(folder)
    if name == "erase":
        case_id = (await a_case(rt, phones=("+12025550146",))).row.case.id
        await act(rt, "chen", cases.contact, case_id, "谈过")
        pass_time(rt, seconds=1)
        await act(rt, "chen", cases.withdraw, case_id, "自己修好了")
        pass_time(rt, seconds=1)
        await act(rt, "he", moves.archive, case_id)
    elif name == "arm":
        (folder / "instance").write_text("another\n", "ascii")
        await remind(rt)
    elif name == "restore":
        backups.create(folder / "reminder.db", folder / "old.db", MONDAY)
        await a_case(rt, phones=("+12025550146",))
    await rt.db.close()


async def _old_schema(folder: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{folder}/reminder.db")
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


def forked(name: str, folder: str, failpoint: str, said: str) -> None:
    os.environ["REMINDER_FAILPOINT"] = failpoint
    importlib.reload(failpoints)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout.flush()
    asyncio.run(WORK[name](Path(folder)))


# --- what it ends with --------------------------------------------------------------------------------

_SAME = {
    "cases": "number, status, protocol, responsible_id",
    "entries": "case_id, milestone, kind, due_on, status, revision",
    "reminders": "kind, case_id, person_id, resident_id, state, reason, due_at",
    "facts": "case_id, event",
    "audit": "action, object",
    "residents": "id",
    "opt_outs": "id",
    "meta": "key",
}
"""Columns that two runs of the same work agree in; ids of rows and sealed words may differ."""


def state(folder: Path) -> dict[str, Any]:
    """What must be the same however often the work was broken off."""
    found: dict[str, Any] = {}
    for name in ("fresh/instance", "fresh/sent-to"):
        if (folder / name).exists():
            found[name] = len((folder / name).read_text("ascii").strip())
    if (folder / "copy.db").exists():
        found["copy"] = dict(backups.verify(folder / "copy.db").rows)
    with closing(sqlite3.connect(folder / "reminder.db")) as connection:
        found["whole"] = connection.execute("PRAGMA integrity_check").fetchone()[0]
        found["revision"] = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in names.fetchall():
            columns = _SAME.get(table, "count(*)") if found["revision"] == revisions()[-1] else "count(*)"
            found[table] = sorted(map(repr, connection.execute(f"SELECT {columns} FROM {table}")))  # noqa: S608
        if "meta" in found:
            found["armed"] = [
                row[0] for row in connection.execute("SELECT value FROM meta WHERE key = 'switches'")
            ]
    return found


def between(name: str, folder: Path) -> list[str]:
    """What already holds while the work lies broken off."""
    with closing(sqlite3.connect(folder / "reminder.db")) as connection:
        faults = [] if connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok" else ["not whole"]
        if name == "restore":
            n = connection.execute("SELECT count(*) FROM cases").fetchone()[0]
            (held,) = connection.execute("SELECT value FROM meta WHERE key = 'switches'").fetchone()
            if n == 4 and "restored" not in held:
                faults.append("an old state that may send")
            if n not in {4, 5}:
                faults.append(f"{n} cases")
    if name == "instance" and (folder / "fresh/instance").exists() and not Instance(folder / "fresh").name:
        faults.append("a machine without a name")
    return faults


def clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
