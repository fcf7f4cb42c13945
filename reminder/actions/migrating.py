"""What would another protocol change about a case, exactly, and how is it put under it?"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from reminder.actions import record
from reminder.actions.cases import complete_if_over
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.preview import Coming, texts_of
from reminder.actions.promises import Heard, heard, says_day
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import CaseScene, read_case
from reminder.domain.cases import ENDED, Event, Fact, history
from reminder.domain.entries import Entry, Wanted
from reminder.domain.errors import Refused
from reminder.domain.planning import Difference, Told
from reminder.domain.protocols import EntryKind, Protocol
from reminder.domain.wanted import wanted
from reminder.store import cases, overview, reminders
from reminder.store.database import Database, Tx, taken_back

AHEAD = timedelta(days=14)
"""How far a change of the messages to come is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One date of a case before and after; None where there is none."""

    key: str
    names: tuple[tuple[str, str], ...]
    """(language, what it is), as its own protocol says it."""
    old: str | None
    new: str | None
    promised: bool = False
    """Whether a text that may have reached a resident named the old date."""

    def what(self, lang: str) -> str:
        return dict(self.names).get(lang, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a protocol would do to a case. Days are ISO; notices, which have none, are left out."""

    case_id: int
    number: str
    old: tuple[str, str]
    """Key and version."""
    new: tuple[str, str]
    kept: tuple[Shift, ...]
    moved: tuple[Shift, ...]
    begun: tuple[Shift, ...]
    void: tuple[Shift, ...]
    told: tuple[Coming, ...]
    """Messages of the next days that go only because of it."""
    begins: tuple[str, ...]

    @property
    def promised(self) -> int:
        """Dates told to residents that would fall away."""
        return sum(1 for shift in self.void if shift.promised)

    @property
    def sign(self) -> str:
        """Same difference, same sign: so that what was shown is what is done."""
        shifts = [[s.key, s.old, s.new] for part in (self.moved, self.begun, self.void) for s in part]
        told = [[c.recipient_name, c.kind, c.text] for c in self.told]
        text = json.dumps([self.number, self.old, self.new, shifts, told, self.begins], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def sign_of(changes: Sequence[Change]) -> str:
    """The sign of many differences together."""
    return hashlib.sha256("".join(change.sign for change in changes).encode()).hexdigest()[:16]


def protocol_named(desk: Desk, key: str) -> Protocol:
    """The protocol of today under a key; Refused with the known ones."""
    found = desk.protocols.get(key)
    if found is None:
        raise Refused("protocol.unknown", protocol=key[:40], known=", ".join(sorted(desk.protocols)))
    return found


async def behind(tx: Tx, desk: Desk, key: str) -> list[int]:
    """Cases under way that are under an older version of a protocol."""
    newest = protocol_named(desk, key).version
    ids = await overview.cases_under_way(tx)
    rows = await cases.many(tx, ids)
    return [i for i in ids if rows[i].protocol == key and rows[i].protocol_held[1] != newest]


async def would_change(tx: Tx, desk: Desk, by: Actor, case_id: int, key: str) -> Change:
    """The difference, found by doing it and taking it back. Refused where there would be none to make."""
    scene, value = await _ready(tx, desk, by, case_id, key)
    before = await texts_of(tx, desk, case_id, until=scene.now + AHEAD)
    async with taken_back(tx):
        plan = await _put(tx, desk, by, case_id, value)
        after = await texts_of(tx, desk, case_id, until=scene.now + AHEAD)
    named = await _named_dates(tx, scene)
    return _change(scene, plan, value, named, [one for one in after if one not in before])


async def change(
    tx: Tx, desk: Desk, by: Actor, case_id: int, key: str, *, promised: int, shown: str | None = None
) -> Plan:
    """Put the case under the protocol of today under this key.

    `promised` repeats how many dates told to residents fall away; `shown` is the sign of the difference
    somebody agreed to. Refused, and nothing changed, where either is not as it would be now.
    """
    found = await would_change(tx, desk, by, case_id, key)
    if shown is not None and shown != found.sign:
        raise Refused("protocol.changed_since", no=found.number)
    if promised != found.promised:
        raise Refused("protocol.promises", n=found.promised)
    _, value = await _ready(tx, desk, by, case_id, key)
    return await complete_if_over(tx, desk, await _put(tx, desk, by, case_id, value))


async def _ready(tx: Tx, desk: Desk, by: Actor, case_id: int, key: str) -> tuple[CaseScene, dict[str, Any]]:
    """The case as it stands, locked, and what the fact will say."""
    await permit(tx, by, "protocol", case_id)
    await cases.lock(tx, case_id)
    scene = await read_case(tx, desk, case_id)
    number, protocol = scene.row.case.number, protocol_named(desk, key)
    if scene.past.status in ENDED:
        raise Refused("protocol.case_ended", no=number)
    if scene.row.protocol_held == (protocol.key, protocol.version):
        raise Refused("protocol.same", no=number)
    value = protocol.as_fact
    if scene.row.protocol == key:
        value["again"] = "yes"
    return scene, value | {"begins": begins(scene, protocol, value)}


def begins(scene: CaseScene, protocol: Protocol, value: Mapping[str, Any]) -> list[str]:
    """Keys of what the case has not had so far: under the other protocol it is owed from then on."""
    fact = Fact(event=Event.PROTOCOL, at=scene.now, recorded_at=scene.now, value=value)
    past = history([*scene.past.facts, fact], direct_answer=scene.row.case.direct_answer)
    should = wanted(past, protocol, scene.desk.office_for(protocol))
    return sorted(key for key in should if key not in scene.entries)


async def _put(tx: Tx, desk: Desk, by: Actor, case_id: int, value: dict[str, Any]) -> Plan:
    if await record.record(tx, desk, by, case_id, Event.PROTOCOL, value=value) is None:
        raise Refused("deed.repeated")
    return await replan(tx, desk, case_id)


# --- the difference as people read it -----------------------------------------------------------


def _change(
    scene: CaseScene,
    plan: Plan,
    value: dict[str, Any],
    named: dict[str, bool],
    told: Sequence[Coming],
) -> Change:
    made, desk = plan.change, scene.desk
    after = replace(scene, row=plan.row, past=plan.past, entries=plan.entries)

    def shift(old: Entry | None, new: Wanted | None) -> Shift:
        one = new or old
        assert one is not None
        view = after if new is not None else scene
        entry = view.entries[one.key]
        names = tuple((lang, view.what(entry, lang)) for lang in desk.templates.languages)
        promised = old is not None and named.get(old.key, False)
        return Shift(key=one.key, names=names, old=_day(old), new=_day(new), promised=promised)

    was = scene.entries
    moved = [e for e in made.moved if e.is_open and was[e.key].is_open]
    again = [e for e in made.moved if e.is_open and not was[e.key].is_open]
    gone = [*made.void, *(e for e in (*made.changed, *made.moved) if not e.is_open)]
    return Change(
        case_id=scene.row.case.id,
        number=scene.row.case.number,
        old=scene.row.protocol_held,
        new=(str(value["key"]), str(value["version"])),
        kept=tuple(
            shift(e, plan.entries[k]) for k, e in was.items() if _counts(e) and k not in _touched(made)
        ),
        moved=tuple(shift(was[e.key], e) for e in moved if _shown(e)),
        begun=tuple(shift(None, e) for e in (*again, *made.new) if _counts(e)),
        void=tuple(shift(was[e.key], None) for e in gone if _counts(was[e.key])),
        told=tuple(told),
        begins=tuple(str(key) for key in value["begins"]),
    )


def _touched(made: Difference) -> set[str]:
    gone = [e for e in made.changed if not e.is_open]
    return {e.key for e in (*made.moved, *made.void, *gone)}


def _shown(entry: Wanted) -> bool:
    return entry.kind is not EntryKind.NOTICE


def _counts(entry: Wanted) -> bool:
    return entry.is_open and _shown(entry)


def _day(entry: Wanted | None) -> str | None:
    if entry is None:
        return None
    day = entry.promise_on or entry.due_on
    return day.isoformat() if day is not None else None


async def _named_dates(tx: Tx, scene: CaseScene) -> dict[str, bool]:
    """By key of an open entry, whether a text that may have reached a resident of the case names its date.

    A visit's slot is kept with the message; for every other date the texts themselves are read.
    """
    open_ones = [entry for entry in scene.entries.values() if _counts(entry)]
    told = await reminders.told(tx, [entry.id for entry in open_ones])
    texts = (await heard(tx, scene.desk, [scene.row.case.id]))[scene.row.case.id]
    return {entry.key: _named(entry, told.get(entry.id, []), texts, scene) for entry in open_ones}


def _named(entry: Entry, told: Sequence[Told], texts: Sequence[Heard], scene: CaseScene) -> bool:
    if any(one.recipient.startswith("resident:") for one in told):
        return True
    days = {day for day in (entry.promise_on, entry.due_on) if day is not None}
    languages = scene.desk.templates.languages
    return any(says_day(one.text, day, one.left_on, languages) for one in texts for day in days)


# --- many cases ---------------------------------------------------------------------------------


async def would_migrate(db: Database, desk: Desk, by: Actor, key: str) -> list[Change]:
    """What each case under way would get from the newest version of its protocol, case by case."""
    async with db.read() as tx:
        await permit(tx, by, "protocol")
        ids = await behind(tx, desk, key)
    found = []
    for case_id in ids:
        async with db.write() as tx:
            found.append(await would_change(tx, desk, by, case_id, key))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """How many cases moved, and why others (by number) stayed as they were."""

    done: int
    left: tuple[tuple[str, Refused], ...]


async def migrate(
    db: Database, desk: Desk, by: Actor, key: str, changes: Sequence[Change], *, promised: int
) -> Migrated:
    """Put every case of the list under the newest version, one transaction each.

    `promised` repeats how many dates told to residents fall away in all. A case whose difference is no
    longer the one in the list stays as it is.
    """
    if promised != sum(change.promised for change in changes):
        raise Refused("protocol.promises", n=sum(change.promised for change in changes))
    done, left = 0, []
    for one in changes:
        try:
            async with db.write() as tx:
                actor = _for_case(by, one.case_id)
                await change(tx, desk, actor, one.case_id, key, promised=one.promised, shown=one.sign)
            done += 1
        except Refused as refused:
            left.append((one.number, refused))
    return Migrated(done=done, left=tuple(left))


def _for_case(by: Actor, case_id: int) -> Actor:
    """The same actor in one of many deeds: each has its own source, so that each is done once."""
    return Actor(person=by.person, source=f"{by.source}:{case_id}" if by.source is not None else None)
