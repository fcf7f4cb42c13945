"""What a resident's text does: an answer to our question, a stop, a case number, or a task for a person."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reminder.actions import entries as visits
from reminder.actions import record
from reminder.actions.desk import CLOCKWORK, Desk
from reminder.actions.direct import tell
from reminder.actions.replan import release, replan
from reminder.actions.scene import CaseScene, read_case
from reminder.actions.tasks import add_task
from reminder.actions.whom import reached
from reminder.domain.cases import ENDED, Event
from reminder.domain.errors import ReminderError
from reminder.domain.people import Channel, Role
from reminder.domain.reminders import State
from reminder.domain.replies import QuestionKind, Reply, ReplyKind, read_reply
from reminder.domain.workdays import at, local_day
from reminder.failpoints import failpoint
from reminder.placeholders import clean
from reminder.store import cases, inbox, reminders, residents
from reminder.store.database import Tx
from reminder.store.inbox import Question

_ALWAYS = frozenset({"opt_out_ok", "opt_in_ok"})
"""Whoever says stop, or start again, reads that it was heard, however much they wrote before."""

ANSWERS_PER_HOUR = 4
"""Automatic answers to one phone per hour at most: two machines must not talk to each other for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text somebody sent us. `id` is the letter's, for answering once."""

    id: int
    number: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """A text with what we know of its sender: the cases of everybody who holds the phone."""

    text: Text
    reply: Reply
    phone_id: int | None
    holders: list[int]
    case_ids: list[int]
    question: Question | None


async def hear_text(tx: Tx, desk: Desk, text: Text) -> None:
    """Deal with one inbound text. Opt-outs come before anything else and need no case."""
    heard = await _read(tx, desk, text)
    handler = _BY_KIND.get(heard.reply.kind, _other)
    await handler(tx, desk, heard)


async def _read(tx: Tx, desk: Desk, text: Text) -> _Heard:
    phone_id = await residents.phone_id_of(tx, desk.sealer, text.number)
    holders = await residents.holders_of(tx, phone_id) if phone_id is not None else []
    question = await inbox.open_question(tx, phone_id, desk.clock.now()) if phone_id is not None else None
    kind = QuestionKind(question.kind) if question is not None else None
    allowed = question.digits if question is not None else None
    return _Heard(
        text=text,
        reply=read_reply(text.body, question=kind, allowed=allowed),
        phone_id=phone_id,
        holders=holders,
        case_ids=await cases.of_resident(tx, holders) if holders else [],
        question=question,
    )


async def _stop(tx: Tx, desk: Desk, heard: _Heard) -> None:
    now = desk.clock.now()
    source = "inbound"
    failpoint("optout.before_row")
    if not await residents.opt_out(
        tx, desk.sealer, heard.text.number, sender=desk.sender, source=source, at=now
    ):
        return
    failpoint("optout.after_row")
    if heard.question is not None:
        await release(tx, heard.question.id, now, "stop")
    scene = await _latest(tx, desk, heard)
    if scene is None:
        return
    await _answer(tx, desk, heard, scene, "opt_out_ok", alt="word:alt.letter")
    await _tell_staff(tx, desk, heard, scene, "stop")
    failpoint("optout.after_reply")


async def _start(tx: Tx, desk: Desk, heard: _Heard) -> None:
    """Texts are welcome again; only this explicit word does it."""
    if not await residents.opt_in(tx, desk.sealer, heard.text.number, desk.clock.now()):
        await _other(tx, desk, heard)
        return
    scene = await _latest(tx, desk, heard)
    await _answer(tx, desk, heard, scene, "opt_in_ok")
    if scene is not None:
        await _tell_staff(tx, desk, heard, scene, "start")


async def _visit_answer(tx: Tx, desk: Desk, heard: _Heard) -> None:
    question = heard.question
    assert question is not None
    now = desk.clock.now()
    if question.entry_id is None or not await release(tx, question.id, now, heard.reply.kind.value):
        return
    act = {
        ReplyKind.CONFIRM: visits.confirm,
        ReplyKind.OTHER_DAY: visits.ask_other_day,
        ReplyKind.NO_VISIT: visits.decline,
    }[heard.reply.kind]
    try:
        await act(tx, desk, CLOCKWORK, question.entry_id)
    except ReminderError:
        await _other(tx, desk, heard)  # the visit has ended meanwhile: a person reads what they wrote
        return
    scene = await read_case(tx, desk, question.case_id)
    await _tell_staff(tx, desk, heard, scene, heard.reply.kind.value)


async def _score(tx: Tx, desk: Desk, heard: _Heard) -> None:
    question, score = heard.question, heard.reply.score
    assert question is not None
    if score is None or not await release(tx, question.id, desk.clock.now(), str(score)):
        return
    value = {"score": score}
    await record.record(tx, desk, CLOCKWORK, question.case_id, Event.SCORE, value=value)
    await replan(tx, desk, question.case_id)
    if score > 2:
        scene = await read_case(tx, desk, question.case_id)
        await _tell_staff(tx, desk, heard, scene, "score")


async def _status(tx: Tx, desk: Desk, heard: _Heard) -> None:
    """The state of a case, only to a phone that is on it; anybody else learns nothing."""
    row = await cases.by_number(tx, heard.reply.number or "")
    if row is None or row.case.id not in heard.case_ids:
        await _unknown(tx, desk, heard)
        return
    scene = await read_case(tx, desk, row.case.id)
    owed = scene.next_owed()
    day = owed.promise_on or owed.due_on if owed is not None else None
    state = f"word:status.{scene.past.status}"
    if day is None or scene.past.status in ENDED:
        await _answer(tx, desk, heard, scene, "status_closed", state=state)
    else:
        await _answer(tx, desk, heard, scene, "status_answer", state=state, date_on=day.isoformat())


async def _unknown(tx: Tx, desk: Desk, heard: _Heard) -> None:
    await _answer(tx, desk, heard, None, "unknown_sender")


async def _wrong_number(tx: Tx, desk: Desk, heard: _Heard) -> None:
    """Whoever is rung or written to by mistake hears no more of the case; a person finds the right number."""
    scene = await _latest(tx, desk, heard)
    if scene is not None and heard.phone_id is not None:
        await _hand_over(tx, desk, heard, scene)
        await residents.take_phone(tx, heard.phone_id, sorted(scene.sides))
        if heard.question is not None:
            await release(tx, heard.question.id, desk.clock.now(), heard.reply.kind.value)
    await _unknown(tx, desk, replace(heard, holders=[]))


async def _other(tx: Tx, desk: Desk, heard: _Heard) -> None:
    """Anything else is read by a person; the sender is told so, once a day."""
    scene = await _latest(tx, desk, heard)
    if scene is None:
        await _unknown(tx, desk, heard)
        return
    await _hand_over(tx, desk, heard, scene)
    midnight = _midnight(desk)
    if not await reminders.sent_to_phone(tx, heard.phone_id, "auto_answer", midnight):
        await _answer(tx, desk, heard, scene, "auto_answer")


async def _hand_over(tx: Tx, desk: Desk, heard: _Heard, scene: CaseScene) -> None:
    """A task with what they wrote, and a word to the handler at once."""
    said = clean(heard.reply.text, flat=True)[:200]
    value = {"what": _TASKS.get(heard.reply.kind, "read_reply"), "said": said}
    if not any(e.is_open and dict(e.detail) == value for e in scene.entries.values()):
        await add_task(tx, desk, scene.row.case.id, value, subject=f"text.{heard.text.id}")
    known = heard.reply.kind.value if heard.reply.kind in _TASKS else "other"
    # What was said in confidence stands in the case alone, never in a list or on a lock screen.
    await _tell_staff(tx, desk, heard, scene, known, "" if scene.row.case.confidential else said)


_TASKS: Mapping[ReplyKind, str] = {
    ReplyKind.HELP: "ring_back",
    ReplyKind.WRONG_NUMBER: "check_number",
}

_BY_KIND: Mapping[ReplyKind, Callable[[Tx, Desk, _Heard], Awaitable[None]]] = {
    ReplyKind.STOP: _stop,
    ReplyKind.START: _start,
    ReplyKind.WRONG_NUMBER: _wrong_number,
    ReplyKind.CONFIRM: _visit_answer,
    ReplyKind.OTHER_DAY: _visit_answer,
    ReplyKind.NO_VISIT: _visit_answer,
    ReplyKind.SCORE: _score,
    ReplyKind.CASE_NUMBER: _status,
}


async def _latest(tx: Tx, desk: Desk, heard: _Heard) -> CaseScene | None:
    """The case the text is most likely about: that of the open question, else the newest running one."""
    if heard.question is not None:
        return await read_case(tx, desk, heard.question.case_id)
    scenes = [await read_case(tx, desk, case_id) for case_id in heard.case_ids]
    running = [s for s in scenes if s.past.status not in ENDED]
    return next(iter(running or scenes), None)


def _midnight(desk: Desk) -> datetime:
    zone = desk.office.zone
    return at(local_day(desk.clock.now(), zone), datetime.min.time(), zone)


async def _answer(
    tx: Tx, desk: Desk, heard: _Heard, scene: CaseScene | None, kind: str, **detail: Any
) -> None:
    """One automatic text back, within bounds."""
    now = desk.clock.now()
    phone_id = heard.phone_id or await residents.keep_phone(tx, desk.sealer, heard.text.number)
    recent = await reminders.count_replies(tx, phone_id, now - timedelta(hours=1))
    if kind not in _ALWAYS and recent >= ANSWERS_PER_HOUR:
        return
    await reminders.add(
        tx,
        key=f"reply:{heard.text.id}:{kind}",
        case_id=scene.row.case.id if scene is not None else None,
        resident_id=await _addressee(tx, heard, scene),
        phone_id=phone_id,
        channel=Channel.SMS.value,
        kind=kind,
        due_at=now,
        send_after=now,
        useless_at=now + timedelta(hours=24),
        state=State.PLANNED.value,
        detail=detail,
    )


async def _addressee(tx: Tx, heard: _Heard, scene: CaseScene | None) -> int | None:
    if scene is not None:
        on_case = (await cases.parties(tx, [scene.row.case.id]))[scene.row.case.id]
        return next((r for r in on_case if r in heard.holders), heard.holders[0])
    return next(iter(heard.holders), None)


async def _tell_staff(
    tx: Tx, desk: Desk, heard: _Heard, scene: CaseScene, meaning: str, said: str = ""
) -> None:
    """The person who answers for the case, or stands in today, hears at once what the resident said."""
    row, now = scene.row, desk.clock.now()
    today = local_day(now, desk.office.zone)
    person = next(iter(reached(Role.HANDLER, row, scene.staff, day=today)), None)
    if person is None:
        return
    suggested = f"suggested_next.{meaning}"
    known = desk.templates.has_word(suggested)
    detail = {"meaning": f"word:meaning.{meaning}", "suggested_next": f"word:{suggested}" if known else ""}
    detail["said"] = desk.templates.word("said", person.lang, text=said) if said else ""
    if meaning == "score":
        detail["score"] = str(heard.reply.score)
    key = f"heard:{heard.text.id}:{person.id}"
    await tell(tx, desk, person, "resident_replied", key=key, at=now, detail=detail, case_id=row.case.id)
