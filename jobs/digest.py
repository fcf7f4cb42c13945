"""The day's task messages stay true: pinned once sent, edited in place when something changed."""

import json
from dataclasses import dataclass
from datetime import datetime

from reminder.actions.desk import Desk
from reminder.actions.digests import DIGEST, digest_key, digest_of
from reminder.actions.whom import reached
from reminder.domain.messages import Accepted
from reminder.domain.people import Person, Role, Staff
from reminder.domain.workdays import local_day
from reminder.failpoints import failpoint
from reminder.runtime import Runtime
from reminder.store import cases, entries, meta, people, reminders
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

_SEEN = "digest.seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """How far the last look came; forgotten at a restart, which only costs one look at everybody.

    Of many machines each goes on from where another one was, which stands in the database.
    """

    fact: int
    at: datetime
    undoable: frozenset[tuple[int, int | None]]

    def kept(self) -> str:
        return json.dumps([self.fact, self.at.isoformat(), sorted(self.undoable, key=str)])


def _seen(kept: str | None) -> _Seen | None:
    if kept is None:
        return None
    fact, at, undoable = json.loads(kept)
    return _Seen(fact=fact, at=datetime.fromisoformat(at), undoable=frozenset(map(tuple, undoable)))


async def refresh_digests(rt: Runtime) -> int:
    """Pin new digests and redraw those whose content has changed. Returns how many calls were made."""
    if rt.chat is None:
        return 0
    now = rt.clock.now()
    async with rt.db.read() as tx:
        seen = rt.memo.get(_SEEN)
        if rt.turns is not None and seen is not None:
            seen = _seen(await meta.get(tx, _SEEN))
        fresh = _Seen(
            fact=await cases.last_fact(tx),
            at=now,
            undoable=frozenset(await cases.deeds_since(tx, now - rt.desk.office.undo)),
        )
        staff = await people.staff(tx)
        today = await _today(rt, tx, staff)
        touched = await _touched(tx, rt.desk, staff, seen, fresh) if isinstance(seen, _Seen) else None
    calls = 0
    for reminder in today:
        person = staff.active(reminder.person_id)
        if person is None or person.chat_id is None:
            continue
        if touched is None or person.id in touched or not reminder.detail.get("pinned"):
            calls += await _refresh(rt, reminder, person)
    rt.memo[_SEEN] = fresh
    if rt.turns is not None:
        async with rt.db.write() as tx:
            await meta.put(tx, _SEEN, fresh.kept())
    return calls


async def _touched(tx: Tx, desk: Desk, staff: Staff, seen: _Seen, fresh: _Seen) -> set[int | None]:
    """Whose list may read differently than at the last look."""
    found = {by for _, by in seen.undoable ^ fresh.undoable}
    changed = await cases.changed_since(tx, seen.fact, seen.at)
    if not changed:
        return found
    rows = await cases.many(tx, changed)
    day = local_day(fresh.at, desk.office.zone)
    for entry in await entries.open_of(tx, changed):
        row = rows[entry.case_id]
        milestone = desk.protocol_of(row).milestone(entry.milestone)
        role = milestone.due_role if milestone is not None else Role.HANDLER
        found |= {person.id for person in reached(role, row, staff, entry, day=day)}
    return found | {row.responsible_id for row in rows.values()}


async def _today(rt: Runtime, tx: Tx, staff: Staff) -> list[Reminder]:
    day = local_day(rt.clock.now(), rt.desk.office.zone)
    reachable = [person.id for person in staff.people.values() if person.active and person.chat_id]
    return await reminders.sent(tx, [digest_key(person_id, day) for person_id in reachable])


async def _refresh(rt: Runtime, reminder: Reminder, person: Person) -> int:
    assert rt.chat is not None
    chat, now = person.chat, rt.clock.now()
    day = local_day(now, rt.desk.office.zone)
    async with rt.db.read() as tx:
        deed = await cases.last_deed(tx, person.id)
        recent = deed is not None and now - deed["at"] < rt.desk.office.undo
        undo = deed["id"] if deed is not None and recent and deed["case_id"] is not None else None
        digest = await digest_of(tx, rt.desk, person, day=day, undo=undo)
    calls, detail = 0, dict(reminder.detail)
    if not detail.get("pinned"):
        calls += 1
        failpoint("digest.before_pin")
        await rt.chat.pin(chat, reminder.provider_id)
        failpoint("digest.after_pin")
        detail["pinned"] = True
        await _unpin_older(rt, reminder, chat)
    if detail.get("hash") != digest.hash:
        calls += 1
        answer = await rt.chat.edit(chat, reminder.provider_id, digest.text, digest.buttons)
        failpoint("digest.after_edit")
        if isinstance(answer, Accepted):
            detail["hash"] = digest.hash
    if detail != reminder.detail:
        async with rt.db.write() as tx:
            await reminders.update(tx, reminder.id, detail=detail)
            failpoint("digest.before_commit")
    return calls


async def _unpin_older(rt: Runtime, reminder: Reminder, chat: str) -> None:
    assert rt.chat is not None
    async with rt.db.read() as tx:
        older = await reminders.last_before(tx, reminder, DIGEST)
    if older is not None and older.provider_id:
        await rt.chat.unpin(chat, older.provider_id)
