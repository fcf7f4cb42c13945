"""The last second before a message leaves: is it still wanted, and in what words? Then the intent is kept."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from reminder.actions.deliveries import LEASE
from reminder.actions.desk import Desk
from reminder.actions.digests import DIGEST, digest_of
from reminder.actions.reminding import NEEDS_A_PERSON, barred
from reminder.actions.repeating import too_often
from reminder.actions.replan import release
from reminder.actions.scene import Scene, read_scene
from reminder.actions.switches import put_on_hold, restrained
from reminder.actions.tasks import tell_otherwise
from reminder.actions.wording import values
from reminder.domain.cases import ENDED, Event, History
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.errors import ReminderError
from reminder.domain.messages import Keyboard, Outgoing
from reminder.domain.people import Channel
from reminder.domain.planning import MOVED, OFF, OFFERS, slot_of
from reminder.domain.protocols import EntryKind
from reminder.domain.reminders import Reason, State
from reminder.domain.switches import Switches
from reminder.domain.workdays import Hours, at, local_day
from reminder.failpoints import failpoint
from reminder.kinds import Kind
from reminder.segments import sms
from reminder.store import cases, holds, inbox, reminders
from reminder.store import switches as held
from reminder.store.database import Tx
from reminder.store.reminders import WAITING, Reminder

QUESTION_LIFE = timedelta(days=7)
"""An open question ends at its answer, at the visit's start, or after so long."""

RINGING = Hours(start=time(7, 30), end=time(20))
"""When a message may ring on a colleague's phone; at other times it comes silently."""

PAUSED = timedelta(hours=1)
"""How long a text waits before it is looked at again whether the case's texts are still on hold."""

MIN_VALIDITY = timedelta(minutes=15)
MAX_VALIDITY = timedelta(hours=10)


async def claim(tx: Tx, desk: Desk, channel: Channel, limit: int, **some: Sequence[Any]) -> list[Outgoing]:
    """Take up to `limit` reminders that are to go now, at most one per recipient; their intent is in `tx`.

    `some` as in `holds.ready`: chats that are left alone now, kinds that alone go.

    Everything is decided on what the database says now. Whatever must not go ends here, with its reason.
    """
    found: list[Outgoing] = []
    taken: set[str] = set()
    switches = await held.get(tx)
    if not switches.armed(desk.instance):
        return []
    if switches.holds(channel.value):
        await end_late(tx, desk, channel)
        await put_on_hold(tx, desk, channel)
        return []
    failpoint("claim.before_select")
    for reminder in await holds.ready(tx, desk.clock.now(), limit * 4, channel.value, **some):
        if len(found) == limit:
            break
        if reminder.recipient in taken:
            continue
        outgoing = await _claim_one(tx, desk, reminder, switches)
        if outgoing is not None:
            found.append(outgoing)
            taken.add(reminder.recipient)
    failpoint("claim.before_commit")
    return found


async def as_written(tx: Tx, desk: Desk, reminder: Reminder) -> str:
    """The text as it would leave now; empty where it cannot be written."""
    try:
        scene = await read_scene(tx, desk, reminder)
        found = await _composed(tx, scene, desk.kind(reminder.kind))
    except ReminderError:
        return ""
    return found[0] if found is not None else ""


async def _claim_one(tx: Tx, desk: Desk, reminder: Reminder, switches: Switches) -> Outgoing | None:
    try:
        scene = await read_scene(tx, desk, reminder)
        kind = desk.kind(reminder.kind)
        if await restrained(tx, scene, switches) or await _ended(tx, scene) or await _waits(tx, scene, kind):
            return None
        composed = await _composed(tx, scene, kind)
    except SQLAlchemyError:
        raise
    except Exception as error:  # whatever is wrong with this one, those behind it go
        await _dead(tx, desk, reminder, error)
        return None
    if composed is None:
        await _nothing_left(tx, scene)
        return None
    if await too_often(tx, scene, composed[0]):
        await _end(tx, scene, State.SUPPRESSED, Reason.REPEAT_BREAKER)
        return None
    return await _intend(tx, scene, kind, *composed)


async def _nothing_left(tx: Tx, scene: Scene) -> None:
    """All that this digest was to tell has been done meanwhile."""
    ended = {"reason": Reason.SUBJECT_CLOSED.value, "ended_at": scene.now}
    await reminders.move(tx, scene.reminder.id, State.PLANNED, State.CANCELLED, **ended)


async def _ended(tx: Tx, scene: Scene) -> bool:
    """Whether it must not go any more; if so it has got its terminal state and reason."""
    reminder = scene.reminder
    state, reason = _verdict(scene)
    # A correction goes in any case: a wrong date costs its reader more than one text too many.
    counted = not reminder.key.startswith("reply:") and reminder.step not in {MOVED, OFF}
    if state is None and reminder.channel == Channel.SMS and counted:
        state, reason = await _capped(tx, scene)
    if state is None:
        return False
    assert reason is not None
    await _end(tx, scene, state, reason)
    return True


async def end_late(tx: Tx, desk: Desk, channel: Channel) -> int:
    """Messages that would come too late end, although nothing is being claimed; returns how many."""
    late = await holds.of_no_more_use(tx, desk.clock.now(), channel.value)
    for reminder in late:
        try:
            await _end(tx, await read_scene(tx, desk, reminder), State.MISSED, Reason.USELESS)
        except SQLAlchemyError:
            raise
        except Exception as error:  # as in `claim`: one that cannot be read stops no other
            await _dead(tx, desk, reminder, error)
    return len(late)


async def _end(tx: Tx, scene: Scene, state: State, reason: Reason) -> None:
    reminder, now = scene.reminder, scene.now
    await reminders.move(
        tx, reminder.id, State.PLANNED, state, reason=reason.value, ended_at=now, lease_until=None
    )
    await _unasked(tx, reminder, now)
    if reason in NEEDS_A_PERSON and reminder.resident_id is not None and reminder.case_id is not None:
        await tell_otherwise(tx, scene.desk, reminder.case_id, reminder.id)


async def _unasked(tx: Tx, reminder: Reminder, now: datetime) -> None:
    """A question whose text ends unsent, after an attempt that failed, holds up no other."""
    for question_id in await inbox.questions_of_reminder(tx, reminder.id):
        await release(tx, question_id, now)


def _verdict(scene: Scene) -> tuple[State | None, Reason | None]:
    reminder, case, person = scene.reminder, scene.case, scene.person
    if reminder.useless_at is not None and reminder.useless_at <= scene.now:
        return State.MISSED, Reason.USELESS
    state, reason = (None, None) if scene.entry is None else _of_entry(scene, scene.entry)
    if state is not None:
        return state, reason
    if person is not None and (person.chat_id is None or not person.active):
        return State.SUPPRESSED, Reason.NOT_ENROLLED
    if case is not None and scene.resident is not None and not reminder.key.startswith("reply:"):
        reason = barred(case.row, scene.resident, scene.phone)
        return (State.SUPPRESSED, reason) if reason is not None else (None, None)
    return None, None


def _of_entry(scene: Scene, entry: Entry) -> tuple[State | None, Reason | None]:
    """What has become of the entry since the reminder fell due."""
    reminder = scene.reminder
    off = reminder.step == OFF
    if entry.kind is EntryKind.NOTICE:
        return _of_notice(scene, entry)
    if entry.revision != reminder.revision:
        return State.SUPERSEDED, Reason.SUPERSEDED
    if entry.is_open == off:
        return State.CANCELLED, Reason.UNDONE if off else Reason.SUBJECT_CLOSED
    if reminder.kind == "visit_tomorrow" and entry.status is not EntryStatus.CONFIRMED:
        return State.SUPPRESSED, Reason.NOT_CONFIRMED
    if reminder.kind in OFFERS and reminder.step != MOVED and entry.status is not EntryStatus.PROPOSED:
        return State.SUPPRESSED, Reason.SUPERSEDED
    return None, None


def _of_notice(scene: Scene, entry: Entry) -> tuple[State | None, Reason | None]:
    if entry.status is EntryStatus.CANCELLED:
        return State.CANCELLED, Reason.UNDONE
    if scene.case is not None and scene.resident is not None and _overtaken(scene.case.past, entry):
        return State.CANCELLED, Reason.SUBJECT_CLOSED
    return None, None


def _overtaken(past: History, entry: Entry) -> bool:
    """A matter that ended otherwise than by its answer: its resident hears of that end, if of anything.

    Whoever took it back hears nothing more, and of a joined case the other one speaks.
    """
    if past.status not in ENDED:
        return False
    end = past.last(Event.GUIDE, Event.WITHDRAW, Event.MERGE, Event.CONCLUDE, Event.ERASE)
    silent = end is not None and end.event in {Event.WITHDRAW, Event.MERGE, Event.ERASE}
    return silent or (end is not None and entry.anchor_at < end.at)


async def _capped(tx: Tx, scene: Scene) -> tuple[State | None, Reason | None]:
    """At most so many texts per phone and local day."""
    phone = scene.phone
    if phone is None:
        return State.SUPPRESSED, Reason.NO_PHONE
    zone = scene.office.zone
    midnight = at(local_day(scene.now, zone), time.min, zone)
    sent = await reminders.texts_since(tx, phone.id, midnight)
    if len(sent) >= scene.office.daily_cap:
        return State.SUPPRESSED, Reason.DAILY_CAP
    return None, None


async def _waits(tx: Tx, scene: Scene, kind: Kind) -> bool:
    """Whether it only has to wait: for the undo window, texting hours, or the phone's open question."""
    reminder, office = scene.reminder, scene.office
    if reminder.channel != Channel.SMS:
        return False
    if scene.case is not None and not reminder.key.startswith("reply:"):
        done = [fact.recorded_at for fact in scene.case.past.facts if fact.by is not None]
        settled = max(done, default=scene.now - office.undo) + office.undo
        if settled > scene.now:
            await reminders.postpone(tx, reminder.id, settled)
            return True
    if scene.case is not None and scene.case.row.paused and not reminder.key.startswith("reply:"):
        await reminders.postpone(tx, reminder.id, scene.now + PAUSED)
        return True
    if not kind.urgent and not office.texting.is_open(scene.now, office.zone):
        later = office.texting.next_open(scene.now, office.zone)
        await reminders.postpone(tx, reminder.id, later)
        return True
    if kind.question is None or scene.phone is None or not office.sms_replies:
        return False
    asked = await inbox.open_question(tx, scene.phone.id, scene.now)
    if asked is None or asked.reminder_id == reminder.id:
        return False
    until = min(asked.expires_at, reminder.useless_at or asked.expires_at)
    await reminders.postpone(tx, reminder.id, until, reason=WAITING)
    return True


async def _composed(tx: Tx, scene: Scene, kind: Kind) -> tuple[str, Keyboard] | None:
    reminder, desk = scene.reminder, scene.desk
    if reminder.kind == DIGEST:
        assert scene.person is not None
        day = local_day(scene.now, desk.office.zone)
        digest = await digest_of(tx, desk, scene.person, day=day)
        if digest.empty:
            return None
        await reminders.update(tx, reminder.id, detail={**reminder.detail, "hash": digest.hash})
        return digest.text, digest.buttons
    name = kind.name
    if kind.question is not None and not scene.office.sms_replies and kind.one_way:
        name = kind.one_way
    text = desk.templates.text(name, reminder.channel, scene.lang, values(scene))
    if reminder.channel == Channel.SMS:
        signature = scene.office.signature(scene.lang)
        return sms(text, scene.lang, signature, provider_adds=scene.office.sms_adds_signature), ()
    mark = desk.templates.word("repeat_mark", scene.lang) if reminder.repeated else ""
    return (f"{mark}\n{text}" if mark else text), ()


async def _dead(tx: Tx, desk: Desk, reminder: Reminder, error: Exception) -> None:
    """This one cannot be written; the others go. A person finds it in the digest and in /status."""
    now = desk.clock.now()
    said = f":{error}" if isinstance(error, ReminderError) else ""  # another error may quote personal data
    reason = f"{type(error).__name__}{said}"[:200]
    await reminders.move(tx, reminder.id, State.PLANNED, State.DEAD, reason=reason, ended_at=now)
    await cases.tell(tx, reminder.case_id, now, "dead", kind=reminder.kind)
    await _unasked(tx, reminder, now)
    row = (await cases.many(tx, [reminder.case_id])).get(reminder.case_id) if reminder.case_id else None
    if reminder.resident_id is not None and row is not None and desk.knows(row):
        await tell_otherwise(tx, desk, row.case.id, reminder.id)


async def _intend(tx: Tx, scene: Scene, kind: Kind, text: str, buttons: Keyboard) -> Outgoing | None:
    """Write down that we are about to send, and what: before the call, so that a crash leaves a trace."""
    reminder, desk, now = scene.reminder, scene.desk, scene.now
    token = desk.new_id()
    entry = scene.entry
    meets = entry is not None and entry.kind in {EntryKind.VISIT, EntryKind.MEETING}
    told = {"slot": slot_of(entry)} if entry is not None and meets else {}
    await reminders.move(
        tx,
        reminder.id,
        State.PLANNED,
        State.SENDING,
        token=token,
        lease_until=now + LEASE,
        attempts=reminder.attempts + 1,
        told=told,
        reason="",
    )
    sealed = desk.sealed_text(token, text)
    await reminders.add_attempt(
        tx, token=token, reminder_id=reminder.id, started_at=now, n=reminder.attempts + 1, sealed=sealed
    )
    failpoint("claim.after_intent")
    if kind.question is not None and scene.office.sms_replies:
        await _ask(tx, scene, kind)
    to = scene.phone.number if scene.phone is not None else str(scene.person.chat_id) if scene.person else ""
    return Outgoing(
        token=token,
        channel=Channel(reminder.channel),
        to=to,
        text=text,
        buttons=buttons,
        silent=not kind.push or _quiet(scene),
        validity=_validity(scene),
    )


def _quiet(scene: Scene) -> bool:
    """In the evening and on rest days nothing rings at a colleague's, unless the matter is urgent."""
    if scene.case is not None and scene.case.protocol.urgent:
        return False
    office, now = scene.desk.office, scene.now
    resting = not office.calendar.is_working(local_day(now, office.zone))
    return resting or not RINGING.is_open(now, office.zone)


async def _ask(tx: Tx, scene: Scene, kind: Kind) -> None:
    reminder, entry = scene.reminder, scene.entry
    assert reminder.phone_id is not None
    ends = scene.now + QUESTION_LIFE
    if entry is not None and entry.starts_at is not None:
        ends = min(ends, entry.starts_at)
    open_one = await inbox.open_question(tx, reminder.phone_id, scene.now)
    if open_one is not None and open_one.reminder_id == reminder.id:
        return  # a second attempt at the same question
    try:
        await inbox.ask(
            tx,
            now=scene.now,
            phone_id=reminder.phone_id,
            resident_id=reminder.resident_id,
            case_id=reminder.case_id,
            entry_id=entry.id if entry is not None else None,
            reminder_id=reminder.id,
            kind=kind.question.value if kind.question is not None else "",
            digits=kind.digits,
            expires_at=ends,
        )
    except IntegrityError as error:  # the unique index is the guard; `_waits` should have seen it
        raise AssertionError("a second open question on one phone") from error


def _validity(scene: Scene) -> timedelta | None:
    """How long the provider may keep trying a text: its useful life, within the provider's bounds."""
    useless = scene.reminder.useless_at
    if scene.reminder.channel != Channel.SMS or useless is None:
        return None
    return min(max(useless - scene.now, MIN_VALIDITY), MAX_VALIDITY)
