"""The day's task messages stay true: pinned once sent, edited in place when something changed."""

from reminder.actions.digests import digest_of
from reminder.actions.reminding import DIGEST
from reminder.domain.messages import Accepted
from reminder.domain.people import Person
from reminder.domain.reminders import State
from reminder.domain.workdays import local_day
from reminder.runtime import Runtime
from reminder.store import cases, people, reminders
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

_SEEN = "digest.seen"


async def refresh_digests(rt: Runtime) -> int:
    """Pin new digests and redraw those whose content has changed. Returns how many calls were made."""
    if rt.chat is None:
        return 0
    async with rt.db.read() as tx:
        mark = await cases.watermark(tx)
        window = rt.clock.now() - rt.desk.office.undo
        fresh_deeds = await cases.deeds_since(tx, window)
        seen = (mark, tuple(sorted(fresh_deeds)))
        today = await _today(rt, tx)
        unpinned = any(not r.detail.get("pinned") for r in today)
        if rt.memo.get(_SEEN) == seen and not unpinned:
            return 0
        staff = await people.staff(tx)
    calls = 0
    for reminder in today:
        person = staff.active(reminder.person_id)
        if person is not None and person.chat_id is not None:
            calls += await _refresh(rt, reminder, person)
    rt.memo[_SEEN] = seen
    return calls


async def _today(rt: Runtime, tx: Tx) -> list[Reminder]:
    day = local_day(rt.clock.now(), rt.desk.office.zone)
    return await reminders.digests(tx, DIGEST, day.isoformat(), State.SENT)


async def _refresh(rt: Runtime, reminder: Reminder, person: Person) -> int:
    assert rt.chat is not None
    chat, now = str(person.chat_id), rt.clock.now()
    day = local_day(now, rt.desk.office.zone)
    async with rt.db.read() as tx:
        deed = await cases.last_deed(tx, person.id)
        recent = deed is not None and now - deed["at"] < rt.desk.office.undo
        undo = deed["id"] if deed is not None and recent and deed["case_id"] is not None else None
        digest = await digest_of(tx, rt.desk, person, day=day, undo=undo)
    calls, detail = 0, dict(reminder.detail)
    if not detail.get("pinned"):
        calls += 1
        await rt.chat.pin(chat, reminder.provider_id)
        detail["pinned"] = True
        await _unpin_older(rt, reminder, chat)
    if detail.get("hash") != digest.hash:
        calls += 1
        answer = await rt.chat.edit(chat, reminder.provider_id, digest.text, digest.buttons)
        if isinstance(answer, Accepted):
            detail["hash"] = digest.hash
    if detail != reminder.detail:
        async with rt.db.write() as tx:
            await reminders.update(tx, reminder.id, detail=detail)
    return calls


async def _unpin_older(rt: Runtime, reminder: Reminder, chat: str) -> None:
    assert rt.chat is not None
    async with rt.db.read() as tx:
        older = await reminders.last_before(tx, reminder, DIGEST)
    if older is not None and older.provider_id:
        await rt.chat.unpin(chat, older.provider_id)
