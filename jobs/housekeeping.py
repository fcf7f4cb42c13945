"""Once in a while: visits without a record, texts without a receipt, cases without a next date."""

from datetime import date, time, timedelta

from jobs.guarding import believed
from reminder.actions import gaps, standins, upkeep, weekly
from reminder.actions.calendar_gap import remind_admins
from reminder.actions.calendars import adopt, behind
from reminder.actions.check import violations
from reminder.actions.entries import missed_by_office
from reminder.actions.oversight import unreached
from reminder.actions.replan_all import replan_all
from reminder.domain.reminders import RECEIPT_WAIT, State
from reminder.domain.workdays import at, local_day
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import archive, calendars, departures, entries, erasing, overview

_NOON = time(12)
_LOOKED = "housekeeping.day"
_ARCHIVED, _ROW = "housekeeping.archived", "housekeeping.row"

LETTERS_KEPT = timedelta(days=30)
"""What people wrote to the bot, word for word, is emptied so long after it was dealt with."""


MESSAGES_KEPT = timedelta(days=400)
"""A message is among those of the day for so long: a year, and the weeks in which one still asks about it."""

BATCHES = 20
"""Of messages, that one round archives at most; the next one goes on."""


async def housekeep(rt: Runtime) -> int:
    """Returns how many things were put right or reported. By a clock that may be wrong nothing is."""
    async with rt.db.read() as tx:
        if not await believed(tx, rt):
            return 0
    done = await _new_calendar(rt) + await _unrecorded_visits(rt) + await _silent_texts(rt)
    today = local_day(rt.clock.now(), rt.desk.office.zone)
    if rt.memo.get(_LOOKED) != today:
        done += await _daily(rt)
        rt.memo[_LOOKED] = today
    return done + await _archive(rt, today)


async def _archive(rt: Runtime, today: date) -> int:
    """Once a day: old messages of what is over leave the tables that are asked all day."""
    if rt.memo.get(_ARCHIVED) == today:
        return 0
    moved, before = 0, rt.clock.now() - MESSAGES_KEPT
    for _ in range(BATCHES):
        after = rt.memo.get(_ROW, 0)
        assert isinstance(after, int)
        async with rt.db.read() as tx:
            if not await archive.known_to_all(tx, rt.db):
                return moved
            found = await archive.old(tx, before, after)
        if found is None:
            rt.memo.update({_ARCHIVED: today, _ROW: 0})
            break
        rt.memo[_ROW] = found.last  # a batch that cannot be moved does not keep the others
        async with rt.db.write() as tx:
            moved += await archive.put_away(tx, found.ids, rt.clock.now())
            failpoint("archive.before_commit")
        failpoint("archive.after_commit")
        if rt.stopping.is_set():
            break
    return moved


async def _daily(rt: Runtime) -> int:
    """Once a day, and again after a restart, which changes nothing more."""
    failpoint("housekeeping.before_day")
    async with rt.db.read() as tx:
        waiting = await upkeep.waiting_long(tx, rt.desk)
        long = await upkeep.taking_long(tx, rt.desk)
    done = 0
    for case_id in waiting:
        async with rt.db.write() as tx:
            done += await upkeep.accept_by_clock(tx, rt.desk, case_id)
    for case_id in long:
        async with rt.db.read() as tx:
            asks = await upkeep.wants(tx, rt.desk, case_id)
        if asks:
            async with rt.db.write() as tx:
                done += await upkeep.suggest_task_force(tx, rt.desk, case_id)
    async with rt.db.write() as tx:
        done += await standins.rotate(tx, rt.desk) + await upkeep.sponsor_cards(tx, rt.desk)
        done += await weekly.report(tx, rt.desk) + await remind_admins(tx, rt.desk)
        await erasing.empty_letters(tx, rt.desk.sealer, rt.clock.now() - LETTERS_KEPT)
        failpoint("housekeeping.before_commit")
    failpoint("housekeeping.after_commit")
    return done


async def _new_calendar(rt: Runtime) -> int:
    """Other days hold, whoever said so: count with them, and let every case under way follow."""
    async with rt.db.read() as tx:
        if not await behind(tx, rt.desk):
            return 0
        await adopt(tx, rt.desk)
        under_way = await overview.cases_under_way(tx)
    changed = await replan_all(rt.db, rt.desk, under_way)
    async with rt.db.write() as tx:
        await calendars.set_followed(tx, rt.desk.calendar_sign)
    return changed


async def _unrecorded_visits(rt: Runtime) -> int:
    """A confirmed visit without a record by noon of the next working day counts as missed by us."""
    now, office = rt.clock.now(), rt.desk.office
    async with rt.db.read() as tx:
        confirmed = await entries.confirmed(tx, before=now)
    count = 0
    for entry in confirmed:
        assert entry.starts_at is not None
        day = office.calendar.add_working(local_day(entry.starts_at, office.zone), 1)
        if now >= at(day, _NOON, office.zone):
            async with rt.db.write() as tx:
                count += (await missed_by_office(tx, rt.desk, entry.id)) is not None
    return count


async def _silent_texts(rt: Runtime) -> int:
    """A text without a receipt for 72 hours is unknown for good; a later receipt is kept beside it."""
    now = rt.clock.now()
    async with rt.db.write() as tx:
        return await departures.end_silent(tx, State.UNKNOWN, sent_before=now - RECEIPT_WAIT, now=now)


async def sweep(rt: Runtime) -> int:
    """Nightly: every open case has a next date and somebody responsible, every rung somebody to reach.

    Else supervision hears of it.
    """
    async with rt.db.read() as tx:
        found, rungs = await violations(tx, rt.desk), await unreached(tx, rt.desk)
    for violation in found:
        log.error("check.violation", rule=violation.rule, case=violation.case)
    if found or rungs:
        async with rt.db.write() as tx:
            await gaps.report(tx, rt.desk, found, rungs)
    return len(found) + len(rungs)
