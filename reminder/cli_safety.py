"""What the commands do that decide what may leave the house: arming, trial and live, holds, copies."""

import asyncio
from dataclasses import replace
from pathlib import Path

import typer

from jobs.inbound import fetch_missed
from jobs.inbox import read_inbox
from reminder.actions import arming, golive, switches
from reminder.actions.desk import Actor
from reminder.app import channels_of, only_one, opened, sqlite_file
from reminder.clock import SystemClock
from reminder.domain.errors import ReminderError
from reminder.instance import Instance
from reminder.ledger.phones import read_phones
from reminder.settings import Settings
from reminder.store import backups
from reminder.store import switches as kept
from reminder.store.database import Database
from reminder.store.migrations import migrate


async def arm(settings: Settings, *, approve: bool) -> int:
    """0: armed, or was; 1: shown what waits. Residents' stops are read back before anything else."""
    machine = Instance(settings.data_dir)
    async with opened(settings) as base, channels_of(settings) as channels:
        rt = replace(base, **channels)
        async with rt.db.read() as tx:
            found = await arming.standing(tx, machine.name, machine.sent_to)
            waiting = await arming.catch_up(tx, rt.clock.now())
        if found is arming.Standing.OURS:
            typer.echo("This database is armed for this machine. Nothing was changed.")
            return 0
        typer.echo(arming.explained(found))
        for (channel, kind), n in sorted(waiting.due.items()):
            typer.echo(f"  {n} x {channel}: {kind}")
        if waiting.oldest is not None:
            typer.echo(f"  the oldest was due {waiting.oldest:%Y-%m-%d %H:%M} UTC")
        if not approve:
            typer.echo("None of these will be sent; each becomes a person's task. Arm it with --approve.")
            return 1
        await fetch_missed(rt)
        await read_inbox(rt)
        ended = await arming.arm(rt.db, rt.desk, machine.name, rt.sms)
    typer.echo(f"Armed. {ended} messages that were due before now were ended, none was sent.")
    return 0


async def live(settings: Settings, *, apply: bool, anyway: bool) -> int:
    """0: live; 1: something on the list is open."""
    async with opened(settings) as base, channels_of(settings) as channels:
        rt = replace(base, **channels)
        copies = settings.data_dir / backups.FOLDER
        ticks = await golive.ticks(rt.db, rt.desk, copies, chat=rt.chat, sms=rt.sms)
        for tick in ticks:
            typer.echo(f"[{'x' if tick.done else ' '}] {tick.said}")
        open_ones = [tick for tick in ticks if not tick.done]
        if not apply and not anyway:
            typer.echo("Nothing was changed. Go live with --apply; with open points, --anyway.")
            return 1 if open_ones else 0
        if open_ones and not anyway:
            typer.echo(f"{len(open_ones)} points are open, so it stays in test mode. Nothing was changed.")
            return 1
        async with rt.db.write() as tx:
            await switches.set_live(tx, rt.desk, live=True)
    typer.echo("Live: residents get texts from now on. What test mode held back is not sent again.")
    return 0


async def test_mode(settings: Settings) -> int:
    async with opened(settings) as rt, rt.db.write() as tx:
        await switches.set_live(tx, rt.desk, live=False)
    typer.echo("Test mode: texts go only to the numbers of `reminder members`. Staff chats go on.")
    return 0


async def members(settings: Settings, number: str, *, member: bool) -> int:
    found = read_phones(number, settings.office.phone_regions).numbers
    if len(found) != 1:
        raise ReminderError(f"{number!r} is not one number. Write it like +12025550100. Nothing was changed.")
    async with opened(settings) as rt, rt.db.write() as tx:
        n = await switches.admit(tx, rt.desk, found[0], member=member)
    typer.echo(f"The team's list for test mode has {n} numbers.")
    return 0


async def hold(settings: Settings, name: str, why: str | None) -> int:
    """Stop what `name` means, with why; or let it go again when there is no why."""
    async with opened(settings) as rt, rt.db.write() as tx:
        if why is None:
            await switches.go(tx, rt.desk, Actor(), name)
        else:
            await switches.stop(tx, rt.desk, Actor(), name, why)
        stopped = (await kept.get(tx)).stopped
    typer.echo(f"Stopped now: {', '.join(stopped) or 'nothing'}.")
    return 0


# --- copies ---------------------------------------------------------------------------------------


def create_backup(settings: Settings, to: Path | None) -> None:
    now = SystemClock().now()
    target = to or backups.named(settings.data_dir / backups.FOLDER, now)
    made = backups.create(_file(settings), target, now)
    typer.echo(
        f"{target}: {made.rows['cases']} cases, schema {made.revision}. Keep the key file apart from it."
    )


def verify_backup(copy: Path) -> None:
    found = backups.verify(copy)
    typer.echo(f"{copy} is whole: {found.rows['cases']} cases, made {found.made_at}.")


def restore_backup(settings: Settings, copy: Path) -> None:
    """Refused while the office runs. What comes back is disarmed."""
    database = _file(settings)
    with only_one(database):
        aside = backups.restore(copy, database, SystemClock().now(), lambda file: asyncio.run(_disarm(file)))
    if aside is not None:
        typer.echo(f"What was there is now {aside}.")
    typer.echo("Restored, and disarmed: nothing leaves before `reminder arm` was looked at and approved.")


async def _disarm(file: Path) -> None:
    """Before it takes the place: a restore that breaks off leaves nothing that sends."""
    db = Database(f"sqlite+aiosqlite:///{file}")
    try:
        await migrate(db)
        async with db.write() as tx:
            await kept.put(tx, replace(await kept.get(tx), instance="restored"))
    finally:
        await db.close()


def _file(settings: Settings) -> Path:
    name = sqlite_file(settings.database.url)
    if not name:
        raise ReminderError(
            "This is for a SQLite file. For PostgreSQL use pg_dump and pg_restore; nothing was changed."
        )
    return Path(name)
