"""The last second before a message leaves: is it still wanted, and in what words? Then the intent is kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from reminder.actions.deliveries import LEASE
from reminder.actions.desk import Desk
from reminder.actions.digests import DIGEST, digest_of
from reminder.actions.reminding import NEEDS_A_PERSON
from reminder.actions.repeating import too_often
from reminder.actions.replan import release
from reminder.actions.scene import Scene, read_scene, read_scenes
from reminder.actions.switches import put_on_hold
from reminder.actions.tasks import tell_otherwise
from reminder.actions.verdicts import Ends, Waits, verdict
from reminder.actions.wording import values
from reminder.domain.errors import ReminderError
from reminder.domain.messages import Keyboard, Outgoing
from reminder.domain.people import Channel, Sender
from reminder.domain.planning import slot_of
from reminder.domain.protocols import EntryKind
from reminder.domain.reminders import Reason, State
from reminder.domain.switches import Switches
from reminder.domain.workdays import Hours, local_day
from reminder.failpoints import failpoint
from reminder.kinds import Kind
from reminder.segments import sms
from reminder.store import cases, departures, holds, inbox, reminders
from reminder.store import switches as held
from reminder.store.database import Tx
from reminder.store.departures import Departure
from reminder.store.reminders import Reminder

QUESTION_LIFE = timedelta(days=7)
"""An open question ends at its answer, at the visit's start, or after so long."""

RINGING = Hours(start=time(7, 30), end=time(20))
"""When a message may ring on a colleague's phone; at other times it comes silently."""

SAME_LINE = 64
"""So many rows more than can be taken are looked at, for those that follow another one on its line."""

AGAIN = timedelta(seconds=1)
"""Whatever has to wait is not looked at again before; else a wrong moment would keep us busy for ever."""

MIN_VALIDITY = timedelta(minutes=15)
MAX_VALIDITY = timedelta(hours=10)


@dataclass(slots=True)
class Claimed:
    """What leaves now, and the line of each; `more`: something was judged and something is left to judge.

    `first`: nothing waits from before then; None if nobody looked.
    """

    leaving: list[tuple[Outgoing, str]] = field(default_factory=list)
    looked: int = 0
    more: bool = False
    first: datetime | None = None

    @property
    def outgoing(self) -> list[Outgoing]:
        return [one for one, _ in self.leaving]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """A message in its final words, by an attempt that is not begun yet."""

    scene: Scene
    kind: Kind
    outgoing: Outgoing


async def claim(
    tx: Tx,
    desk: Desk,
    sender: Sender,
    limit: int,
    *,
    busy: Collection[str] = frozenset(),
    since: datetime | None = None,
    **some: Sequence[Any],
) -> Claimed:
    """Take up to `limit` reminders that are to go now, at most one per line; their intent is in `tx`.

    `busy` are lines on which a message is under way: what follows it waits. `since` and
    `some` as in `holds.ready`: chats that are left alone now, kinds that alone go.

    Everything is decided on what the database says now. Whatever must not go ends here, with its reason.
    """
    switches = await held.get(tx)
    if not switches.armed(desk.instance):
        return Claimed()
    if switches.holds(sender.channel.value):
        await end_late(tx, desk, sender.channel)
        await put_on_hold(tx, desk, sender.channel)
        return Claimed()
    failpoint("claim.before_select")
    window = limit + SAME_LINE
    ready = await holds.ready(tx, desk.clock.now(), window, sender, since=since, **some)
    rows = _one_a_line(ready, busy)[:limit]
    found = await _judged(tx, desk, rows, switches)
    found.first = ready[0].send_after if ready else desk.clock.now()
    found.more = found.looked > 0 and (len(ready) > found.looked or len(ready) == window)
    failpoint("claim.before_commit")
    return found


def _one_a_line(rows: Sequence[Reminder], busy: Collection[str]) -> list[Reminder]:
    first: dict[str, Reminder] = {}
    for row in rows:
        if row.line not in busy:
            first.setdefault(row.line, row)
    return list(first.values())


async def _judged(tx: Tx, desk: Desk, rows: Sequence[Reminder], switches: Switches) -> Claimed:
    found, changed = Claimed(), set[int]()
    intents: list[_Intent] = []
    over: list[tuple[Reminder, Scene | Exception, Ends | Exception]] = []
    waits: list[tuple[int, datetime, str]] = []
    for reminder, scene in zip(rows, await _scenes(tx, desk, rows), strict=True):
        if reminder.case_id in changed:
            continue  # what we know of this case will be out of date: the next claim looks again
        found.looked += 1
        judged = await _judge(tx, scene, switches)
        if isinstance(judged, _Intent):
            intents.append(judged)
        elif isinstance(judged, Waits):
            waits.append((reminder.id, max(judged.until, desk.clock.now() + AGAIN), judged.reason))
        else:
            over.append((reminder, scene, judged))
            changed |= {reminder.case_id} if reminder.case_id is not None else set()
    await departures.postpone(tx, waits)
    await _intend(tx, desk, intents)
    # In the order of the cases, which are locked on the way: two who do this never wait for each other.
    for reminder, scene, judged in sorted(over, key=lambda one: one[0].case_id or 0):
        await _over(tx, desk, reminder, scene, judged)
    found.leaving = [(one.outgoing, one.scene.reminder.line) for one in intents]
    return found


async def _over(
    tx: Tx, desk: Desk, reminder: Reminder, scene: Scene | Exception, judged: Ends | Exception
) -> None:
    """It ends, as judged or because it cannot be read or written; those behind it go."""
    try:
        if isinstance(judged, Exception):
            raise judged
        await _end(tx, _read(scene), judged)
    except SQLAlchemyError:
        raise
    except Exception as error:
        await _dead(tx, desk, reminder, error)


async def _scenes(tx: Tx, desk: Desk, rows: Sequence[Reminder]) -> list[Scene | Exception]:
    """Together; if that fails one by one, to know which cannot be read."""
    try:
        return list(await read_scenes(tx, desk, rows))
    except SQLAlchemyError:
        raise
    except Exception as error:
        if len(rows) == 1:
            return [error]
        return [found for row in rows for found in await _scenes(tx, desk, [row])]


def _read(scene: Scene | Exception) -> Scene:
    if isinstance(scene, Exception):
        raise scene
    return scene


async def _judge(tx: Tx, read: Scene | Exception, switches: Switches) -> _Intent | Ends | Waits | Exception:
    try:
        return await _judged_by(tx, _read(read), switches)
    except SQLAlchemyError:
        raise
    except Exception as error:  # whatever is wrong with this one
        return error


async def _judged_by(tx: Tx, scene: Scene, switches: Switches) -> _Intent | Ends | Waits:
    kind = scene.desk.kind(scene.reminder.kind)
    judged = verdict(scene, kind, switches)
    if judged is not None:
        return judged
    composed = await _composed(tx, scene, kind)
    if composed is None:  # all that this digest was to tell has been done meanwhile
        return Ends(State.CANCELLED, Reason.SUBJECT_CLOSED)
    if await too_often(tx, scene, composed[0]):
        return Ends(State.SUPPRESSED, Reason.REPEAT_BREAKER)
    return _Intent(scene=scene, kind=kind, outgoing=_outgoing(scene, kind, *composed))


async def as_written(tx: Tx, desk: Desk, reminder: Reminder) -> str:
    """The text as it would leave now; empty where it cannot be written."""
    try:
        scene = await read_scene(tx, desk, reminder)
        found = await _composed(tx, scene, desk.kind(reminder.kind))
    except ReminderError:
        return ""
    return found[0] if found is not None else ""


async def end_late(tx: Tx, desk: Desk, channel: Channel) -> int:
    """Messages that would come too late end, although nothing is being claimed; returns how many."""
    late = await holds.of_no_more_use(tx, desk.clock.now(), channel.value)
    for reminder in late:
        try:
            await _end(tx, await read_scene(tx, desk, reminder), Ends(State.MISSED, Reason.USELESS))
        except SQLAlchemyError:
            raise
        except Exception as error:  # as in `claim`: one that cannot be read stops no other
            await _dead(tx, desk, reminder, error)
    return len(late)


async def _end(tx: Tx, scene: Scene, how: Ends) -> None:
    reminder, now = scene.reminder, scene.now
    await reminders.move(
        tx, reminder.id, State.PLANNED, how.state, reason=how.reason.value, ended_at=now, lease_until=None
    )
    await _unasked(tx, reminder, now)
    if how.reason in NEEDS_A_PERSON and reminder.resident_id is not None and reminder.case_id is not None:
        await tell_otherwise(tx, scene.desk, reminder.case_id, reminder.id)


async def _unasked(tx: Tx, reminder: Reminder, now: datetime) -> None:
    """A question whose text ends unsent, after an attempt that failed, holds up no other."""
    for question_id in await inbox.questions_of_reminder(tx, reminder.id):
        await release(tx, question_id, now)


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


def _outgoing(scene: Scene, kind: Kind, text: str, buttons: Keyboard) -> Outgoing:
    chat = scene.person.chat if scene.person is not None else ""
    return Outgoing(
        token=scene.desk.new_attempt(),
        channel=Channel(scene.reminder.channel),
        to=scene.phone.number if scene.phone is not None else chat,
        text=text,
        buttons=buttons,
        silent=not kind.push or _quiet(scene),
        validity=_validity(scene),
    )


async def _intend(tx: Tx, desk: Desk, intents: Sequence[_Intent]) -> None:
    """Write down that we are about to send, and what: before the call, so that a crash leaves a trace."""
    if not intents:
        return
    now = desk.clock.now()
    leaving = [_departure(desk, one.scene, one.outgoing) for one in intents]
    await departures.leave(tx, leaving, now=now, lease_until=now + LEASE)
    failpoint("claim.after_intent")
    for one in intents:
        if one.kind.question is not None and one.scene.office.sms_replies:
            await _ask(tx, one.scene, one.kind)


def _departure(desk: Desk, scene: Scene, outgoing: Outgoing) -> Departure:
    entry = scene.entry
    meets = entry is not None and entry.kind in {EntryKind.VISIT, EntryKind.MEETING}
    return Departure(
        reminder_id=scene.reminder.id,
        token=outgoing.token,
        n=scene.reminder.attempts + 1,
        told={"slot": slot_of(entry)} if entry is not None and meets else {},
        sealed=desk.sealed_text(outgoing.token, outgoing.text),
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
    if scene.had.asked is not None and scene.had.asked.reminder_id == reminder.id:
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
    except IntegrityError as error:  # the unique index is the guard; the verdict should have seen it
        raise AssertionError("a second open question on one phone") from error


def _validity(scene: Scene) -> timedelta | None:
    """How long the provider may keep trying a text: its useful life, within the provider's bounds."""
    useless = scene.reminder.useless_at
    if scene.reminder.channel != Channel.SMS or useless is None:
        return None
    return min(max(useless - scene.now, MIN_VALIDITY), MAX_VALIDITY)
