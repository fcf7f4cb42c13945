"""We were down: what do people hear when we are back, so that a morning's messages become one for each?"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from reminder.actions.desk import Desk
from reminder.actions.digests import DIGEST
from reminder.actions.direct import tell
from reminder.actions.holding import ASKS
from reminder.actions.scene import Scene, read_scene
from reminder.domain.people import Person, Role
from reminder.domain.planning import MOVED, OFF
from reminder.domain.reminders import State
from reminder.domain.said_dates import say_slot
from reminder.domain.storms import was_away
from reminder.logs import log
from reminder.store import cases, entries, holds, meta, people, reminders
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

KIND = "away"
LINES = 40
"""Lines of one summary; beyond them only their number, and the way to the whole list."""

NUMBERS = 20
"""Case numbers named of messages that came too late."""

GATHERING = timedelta(minutes=5)
"""Longer than it takes to see what fell due; after it we speak of what we have seen."""

TAPS_KEPT = timedelta(hours=24)
"""Telegram keeps what people tapped and wrote no longer than this (Bot API, "Getting updates")."""

ONE_BY_ONE = (DIGEST, *ASKS)
"""Kinds that nobody gets more than one of, and that are never summed up."""

_PULSE, _KEY = "pulse", "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """From the last sign of life to the first look after it. `told` once everybody has their summary."""

    since: str
    back: str
    told: bool = False


async def last(tx: Tx) -> Away | None:
    """The last time we were away."""
    kept = await meta.get(tx, _KEY)
    return Away(**json.loads(kept)) if kept else None


async def back_at(tx: Tx) -> datetime | None:
    """When we were back from it."""
    found = await last(tx)
    return datetime.fromisoformat(found.back) if found is not None else None


async def notice(tx: Tx, now: datetime) -> bool:
    """Write down that we were away, if the last sign of life is old; whoever looks first does it.

    A second gap before the first was spoken of makes one long one.
    """
    kept = await meta.get(tx, _PULSE)
    sign = datetime.fromisoformat(kept) if kept else None
    if sign is None or not was_away(sign, now):
        return False
    before = await last(tx)
    since = before.since if before is not None and not before.told else sign.isoformat()
    await meta.put(tx, _KEY, json.dumps(asdict(Away(since=since, back=now.isoformat()))))
    await meta.put(tx, _PULSE, now.isoformat())
    log.warning("office.was_away", since=since, back=now.isoformat())
    return True


async def gathering(tx: Tx) -> Away | None:
    """The time away that nobody has heard of yet."""
    found = await last(tx)
    return found if found is not None and not found.told else None


async def complete(tx: Tx, found: Away, now: datetime) -> bool:
    """Whether all that fell due meanwhile has been seen, or we have looked for long enough."""
    due = await entries.next_due_at(tx)
    return due is None or due > now or now - datetime.fromisoformat(found.back) > GATHERING


async def sum_up(tx: Tx, desk: Desk, found: Away) -> int:
    """One message for each colleague with several that are late; administrators hear in any case.

    Everybody does after so long that their taps may be lost. What may still be acted on at once goes by
    itself: urgent matters, and corrections of what was told. A single late message goes as it is.
    Returns how many summaries were written.
    """
    back = datetime.fromisoformat(found.back)
    staff, missed = await people.staff(tx), await holds.expired_since(tx, back)
    by_person: dict[int, list[tuple[Reminder, Scene]]] = {}
    for reminder in await holds.overslept(tx, back, but=(*ONE_BY_ONE, KIND)):
        scene = await _scene(tx, desk, reminder)
        if reminder.person_id is not None and scene is not None and not _at_once(scene):
            by_person.setdefault(reminder.person_id, []).append((reminder, scene))
    written = 0
    admins = {person.id for person in staff.holding(Role.ADMIN)}
    unheard = staff.people if _taps_lost(found) else ()
    for person_id in sorted({*admins, *by_person, *unheard}):
        person, mine = staff.people[person_id], by_person.get(person_id, [])
        if person_id in admins or person_id in unheard or len(mine) > 1:
            too_late = missed if person_id in admins else []
            written += await _to_one(tx, desk, person, found, mine, too_late)
    await meta.put(tx, _KEY, json.dumps(asdict(Away(since=found.since, back=found.back, told=True))))
    return written


async def _scene(tx: Tx, desk: Desk, reminder: Reminder) -> Scene | None:
    """None for one that cannot be read: the claim deals with it."""
    row = (await cases.many(tx, [reminder.case_id])).get(reminder.case_id) if reminder.case_id else None
    if row is not None and not desk.knows(row):
        return None
    return await read_scene(tx, desk, reminder)


def _at_once(scene: Scene) -> bool:
    urgent = scene.case is not None and scene.case.protocol.urgent
    return urgent or scene.reminder.repeated or scene.reminder.step in {MOVED, OFF}


async def _to_one(
    tx: Tx,
    desk: Desk,
    person: Person,
    found: Away,
    mine: list[tuple[Reminder, Scene]],
    too_late: list[Reminder],
) -> int:
    key = f"{KIND}:{person.id}:{found.since}"
    lines = [_line(desk, person, reminder, scene) for reminder, scene in mine]
    lines = list(dict.fromkeys(lines))
    word = desk.templates.word
    if len(lines) > LINES:
        lines = [*lines[:LINES], word("away.more", person.lang, n=len(lines) - LINES)]
    if too_late:
        lines.append(await _too_late(tx, desk, person, too_late))
    if _taps_lost(found):
        lines = [word("away.taps", person.lang), *lines]
    detail = {
        "since": _moment(desk, person, found.since),
        "back": _moment(desk, person, found.back),
        "lines": "".join(f"\n· {line}" for line in lines or [word("away.nothing", person.lang)]),
    }
    now = desk.clock.now()
    if not await tell(tx, desk, person, KIND, key=key, at=now, detail=detail):
        return 0
    summary = await reminders.by_key(tx, key)
    for reminder, _ in mine:
        merged = {"digest_id": summary.id if summary is not None else None, "ended_at": now}
        await reminders.move(tx, reminder.id, State.PLANNED, State.MERGED, **merged)
    return 1


def _taps_lost(found: Away) -> bool:
    return datetime.fromisoformat(found.back) - datetime.fromisoformat(found.since) > TAPS_KEPT


def _line(desk: Desk, person: Person, reminder: Reminder, scene: Scene) -> str:
    """Number, what it is about, and the matter's own words; never a resident's name."""
    known, word = desk.templates.has_word, desk.templates.word
    gist = f"gist.{reminder.kind}"
    parts = [word(gist if known(gist) else "bot.staff_message", person.lang)]
    if scene.case is not None:
        parts.insert(0, scene.case.row.case.number)
        if scene.entry is not None:
            parts.append(scene.case.what(scene.entry, person.lang))
    return " · ".join(parts)


async def _too_late(tx: Tx, desk: Desk, person: Person, missed: list[Reminder]) -> str:
    ids = sorted({reminder.case_id for reminder in missed if reminder.case_id is not None})
    word = desk.templates.word
    numbers = [row.case.number for row in (await cases.many(tx, ids)).values()]
    named = word("separator", person.lang).join(numbers[:NUMBERS]) + ("…" if len(numbers) > NUMBERS else "")
    texts = sum(reminder.resident_id is not None for reminder in missed)
    return word("away.too_late", person.lang, n=len(missed), m=texts, no_list=named or "—")


def _moment(desk: Desk, person: Person, moment: str) -> str:
    zone = desk.office.zone
    here, today = datetime.fromisoformat(moment).astimezone(zone), desk.clock.now().astimezone(zone).date()
    return say_slot(here.date(), here.time(), None, person.lang, today)
