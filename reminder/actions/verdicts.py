"""May this message leave now? Judged on a scene that was just read; nothing is asked or written here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reminder.actions.reminding import barred
from reminder.actions.scene import Scene
from reminder.domain.cases import ENDED, Event, History
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.people import Channel
from reminder.domain.planning import MOVED, OFF, OFFERS
from reminder.domain.protocols import EntryKind
from reminder.domain.reminders import Reason, State
from reminder.domain.switches import Switches
from reminder.kinds import Kind
from reminder.store import holds
from reminder.store.reminders import WAITING

PAUSED = timedelta(hours=1)
"""How long a text waits before it is looked at again whether the case's texts are still on hold."""

STOPPED = timedelta(minutes=10)
"""How long a message that is stopped waits before it is looked at again."""


@dataclass(frozen=True, slots=True)
class Ends:
    """It must not go any more."""

    state: State
    reason: Reason


@dataclass(frozen=True, slots=True)
class Waits:
    """It may not go before then."""

    until: datetime
    reason: str = ""


Verdict = Ends | Waits | None
"""None: it may go."""


def verdict(scene: Scene, kind: Kind, switches: Switches) -> Verdict:
    return _restrained(scene, switches) or _ended(scene) or _waits(scene, kind)


def _restrained(scene: Scene, now: Switches) -> Verdict:
    """It waits for its unit, unless it is of no more use, or ends in test mode, as the switches stand."""
    reminder = scene.reminder
    of_use = reminder.useless_at is None or scene.now < reminder.useless_at
    if scene.case is not None and now.stopped and of_use:
        chain = scene.case.staff.chain(scene.case.row.unit_id)
        if now.holds_unit(unit.id for unit in chain):
            return Waits(scene.now + STOPPED, holds.STOPPED)
    if now.live or scene.phone is None or scene.desk.sealer.blind(scene.phone.number) in now.members:
        return None
    return Ends(State.SUPPRESSED, Reason.TEST_MODE)


def _ended(scene: Scene) -> Ends | None:
    reminder, case, person = scene.reminder, scene.case, scene.person
    if reminder.useless_at is not None and reminder.useless_at <= scene.now:
        return Ends(State.MISSED, Reason.USELESS)
    if scene.entry is not None and (ended := _of_entry(scene, scene.entry)) is not None:
        return ended
    if person is not None and (person.chat_id is None or not person.active):
        return Ends(State.SUPPRESSED, Reason.NOT_ENROLLED)
    if case is not None and scene.resident is not None and not _is_reply(scene):
        reason = barred(case.row, scene.resident, scene.phone)
        if reason is not None:
            return Ends(State.SUPPRESSED, reason)
    return _capped(scene)


def _of_entry(scene: Scene, entry: Entry) -> Ends | None:
    """What has become of the entry since the reminder fell due."""
    reminder = scene.reminder
    off = reminder.step == OFF
    if entry.kind is EntryKind.NOTICE:
        return _of_notice(scene, entry)
    if entry.revision != reminder.revision:
        return Ends(State.SUPERSEDED, Reason.SUPERSEDED)
    if entry.is_open == off:
        return Ends(State.CANCELLED, Reason.UNDONE if off else Reason.SUBJECT_CLOSED)
    if reminder.kind == "visit_tomorrow" and entry.status is not EntryStatus.CONFIRMED:
        return Ends(State.SUPPRESSED, Reason.NOT_CONFIRMED)
    if reminder.kind in OFFERS and reminder.step != MOVED and entry.status is not EntryStatus.PROPOSED:
        return Ends(State.SUPPRESSED, Reason.SUPERSEDED)
    return None


def _of_notice(scene: Scene, entry: Entry) -> Ends | None:
    if entry.status is EntryStatus.CANCELLED:
        return Ends(State.CANCELLED, Reason.UNDONE)
    if scene.case is not None and scene.resident is not None and _overtaken(scene.case.past, entry):
        return Ends(State.CANCELLED, Reason.SUBJECT_CLOSED)
    return None


def _overtaken(past: History, entry: Entry) -> bool:
    """A matter that ended otherwise than by its answer: its resident hears of that end, if of anything.

    Whoever took it back hears nothing more, and of a joined case the other one speaks.
    """
    if past.status not in ENDED:
        return False
    end = past.last(Event.GUIDE, Event.WITHDRAW, Event.MERGE, Event.CONCLUDE, Event.ERASE)
    silent = end is not None and end.event in {Event.WITHDRAW, Event.MERGE, Event.ERASE}
    return silent or (end is not None and entry.anchor_at < end.at)


def _capped(scene: Scene) -> Ends | None:
    """At most so many texts per phone and local day.

    A correction goes in any case: a wrong date costs its reader more than one text too many.
    """
    counted = not _is_reply(scene) and scene.reminder.step not in {MOVED, OFF}
    if scene.reminder.channel != Channel.SMS or not counted:
        return None
    if scene.phone is None:
        return Ends(State.SUPPRESSED, Reason.NO_PHONE)
    if scene.had.today >= scene.office.daily_cap:
        return Ends(State.SUPPRESSED, Reason.DAILY_CAP)
    return None


def _waits(scene: Scene, kind: Kind) -> Waits | None:
    """A text may have to wait: for the undo window, texting hours, or the phone's open question."""
    reminder, office = scene.reminder, scene.office
    if reminder.channel != Channel.SMS:
        return None
    if scene.case is not None and not _is_reply(scene):
        done = [fact.recorded_at for fact in scene.case.past.facts if fact.by is not None]
        settled = max(done, default=scene.now - office.undo) + office.undo
        if settled > scene.now:
            return Waits(settled)
        if scene.case.row.paused:
            return Waits(scene.now + PAUSED)
    if not kind.urgent and not office.texting.is_open(scene.now, office.zone):
        return Waits(office.texting.next_open(scene.now, office.zone))
    asked = scene.had.asked
    if kind.question is None or asked is None or not office.sms_replies or asked.reminder_id == reminder.id:
        return None
    return Waits(min(asked.expires_at, reminder.useless_at or asked.expires_at), WAITING)


def _is_reply(scene: Scene) -> bool:
    """The answer to somebody's own text."""
    return scene.reminder.key.startswith("reply:")
