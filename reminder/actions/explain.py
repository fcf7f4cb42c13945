"""Why a message was sent, or was not: rule, date, quiet hours, wording, attempts, in a few plain lines."""

from dataclasses import dataclass
from datetime import timedelta

from reminder.actions.desk import Desk
from reminder.actions.scene import CaseScene, Scene, read_scene
from reminder.actions.step_words import basis_in, step_in_words
from reminder.domain.people import Channel
from reminder.domain.said_dates import say_weekday_date
from reminder.segments import segments
from reminder.store import archive, people, reminders
from reminder.store.database import Tx
from reminder.store.reminders import Reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    title: str
    lines: tuple[str, ...]


async def why(tx: Tx, desk: Desk, provider_id: str, lang: str) -> Why | None:
    """By the provider's id: `SM…` for a text, `chat:message` in chat. None if it is no reminder."""
    reminder = await _by_provider(tx, provider_id)
    if reminder is None or lang not in desk.templates.languages:
        return None
    scene = await read_scene(tx, desk, reminder)
    kind = desk.kind(reminder.kind)
    words = desk.templates.word
    zone = desk.office.zone
    due, sent = reminder.due_at.astimezone(zone), reminder.sent_at
    lines = [_rule(scene.case, reminder, lang, desk)]
    lines.append(words("explain.due", lang, at=f"{say_weekday_date(due.date(), lang)} {due:%H:%M}"))
    if reminder.send_after > reminder.due_at:
        lines.append(_held(scene, reminder, lang))
    lines.append(words("explain.template", lang, kind=reminder.kind, key=kind.key))
    if reminder.channel == Channel.SMS:
        lines += await _meter(tx, desk, reminder, lang)
    state = words(f"delivery.{reminder.state}", lang)
    when = sent.astimezone(zone).strftime("%H:%M:%S") if sent is not None else "-"
    lines.append(words("explain.state", lang, state=state, at=when, n=reminder.attempts))
    return Why(title=words("explain.title", lang), lines=tuple(line for line in lines if line))


async def _by_provider(tx: Tx, provider_id: str) -> Reminder | None:
    chat, _, message = provider_id.partition(":")
    if not message:
        text = await reminders.by_provider(tx, Channel.SMS.value, provider_id)
        return text or await archive.by_provider(tx, Channel.SMS, provider_id)
    person = await people.by_chat(tx, int(chat)) if chat.lstrip("-").isdigit() else None
    if person is None:
        return None
    sent = await reminders.of_person(tx, person, message)
    return sent or await archive.by_provider(tx, Channel.TELEGRAM, message, person)


def _rule(case: CaseScene | None, reminder: Reminder, lang: str, desk: Desk) -> str:
    words = desk.templates.word
    entry = None
    if case is not None:
        entry = next((e for e in case.entries.values() if e.id == reminder.entry_id), None)
    if case is None or entry is None:
        return words("explain.digest" if reminder.kind == "digest" else "explain.answer", lang)
    milestone = case.milestone(entry)
    said = {"what": case.what(entry, lang), "step": step_in_words(desk.templates, reminder.step, lang)}
    basis = basis_in(milestone.basis, lang) if milestone is not None else ""
    if not basis:
        return words("explain.rule_alone", lang, **said)
    return words("explain.rule", lang, **said, basis=basis)


def _held(scene: Scene, reminder: Reminder, lang: str) -> str:
    """What it waited for: a texting hour, the end of the undo window, a new attempt, or an open question."""
    office, zone = scene.office, scene.desk.office.zone
    settled = reminder.due_at + office.undo
    if not all(office.texting.is_open(m, zone) for m in (settled, reminder.send_after - _MOMENT)):
        why = "hours"
    elif reminder.attempts > 1:
        why = "retry"
    else:
        undoable = [f.recorded_at for f in scene.case.past.facts] if scene.case is not None else []
        acted = any(moment + office.undo == reminder.send_after for moment in undoable)
        why = "undo" if acted or reminder.send_after <= settled else "question"
    later = reminder.send_after.astimezone(zone)
    return scene.desk.templates.word(
        f"explain.held_{why}", lang, at=f"{say_weekday_date(later.date(), lang)} {later:%H:%M:%S}"
    )


_MOMENT = timedelta(seconds=1)


async def _meter(tx: Tx, desk: Desk, reminder: Reminder, lang: str) -> list[str]:
    """How long the text was, and what it costs in parts: prices are between the office and its provider."""
    attempts = await reminders.attempts(tx, reminder.id) or await archive.attempts(tx, reminder.id)
    if not attempts or attempts[-1]["sealed"] is None:
        return []
    found = segments(desk.text_of(attempts[-1]))
    words = desk.templates.word
    return [
        words("explain.meter", lang, encoding=str(found.encoding), units=found.units),
        words("explain.cost_one" if found.count == 1 else "explain.cost", lang, n=found.count),
    ]
