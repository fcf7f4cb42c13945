"""What should be true before residents get texts: one list, each point with its remedy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from reminder.actions.desk import Desk
from reminder.actions.oversight import unreached
from reminder.channels.base import ChatPort, SmsPort
from reminder.domain.people import Channel, Role, Staff
from reminder.domain.reminders import HEARD
from reminder.domain.workdays import local_day
from reminder.store import backups, overview, people
from reminder.store.database import Database

RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    done: bool
    said: str


async def ticks(
    db: Database, desk: Desk, copies: Path, *, chat: ChatPort | None, sms: SmsPort | None
) -> list[Tick]:
    """In the order in which an office would do them. Reads only."""
    async with db.read() as tx:
        staff, states = await people.staff(tx), await overview.states_of(tx, Channel.SMS.value)
        rungs = await unreached(tx, desk)
    bot = await chat.me() if chat is not None else None
    log = await sms.inbound(desk.clock.now()) if sms is not None else None
    heard = bool(set(states) & {state.value for state in HEARD})
    today = local_day(desk.clock.now(), desk.office.zone)
    known = desk.office.calendar.is_confirmed(date(today.year, 12, 31))
    return [
        Tick(done=isinstance(bot, dict), said="the bot answers (telegram.token)"),
        Tick(done=isinstance(log, list), said="the SMS account answers (twilio.*)"),
        *_people(staff),
        Tick(done=heard, said="a text has reached a number of the team (reminder members add)"),
        Tick(done=not rungs, said="every rung of the ladder reaches somebody (reminder check)"),
        Tick(done=known, said=f"rest days of {today.year} are known (reminder calendar check)"),
        _copied(copies, desk),
    ]


def _people(staff: Staff) -> Iterator[Tick]:
    admins = [p for p in staff.holding(Role.ADMIN) if p.chat_id is not None]
    yield Tick(done=bool(admins), said="an admin has joined (reminder first-admin)")
    waiting = [p for p in staff.people.values() if p.active and p.chat_id is None]
    yield Tick(done=bool(staff.people) and not waiting, said="every colleague has joined (/people, /invite)")


def _copied(copies: Path, desk: Desk) -> Tick:
    newest, now = backups.newest(copies), desk.clock.now().timestamp()
    fresh = newest is not None and now - newest.stat().st_mtime < RECENT.total_seconds()
    return Tick(done=fresh, said="a copy of the last seven days is kept (reminder backup create)")
