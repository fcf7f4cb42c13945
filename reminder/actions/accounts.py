"""What was said about a case, what was not and why, and what is still to be said?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reminder.actions.preview import texts_of
from reminder.actions.scene import CaseScene
from reminder.domain.people import Channel
from reminder.domain.reminders import HEARD, State
from reminder.longtext import clip
from reminder.store import overview
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

AHEAD = timedelta(days=60)
"""How far messages to come are told one by one; what lies beyond stands in each entry's ladder."""


class Fate(StrEnum):
    """What became of a message."""

    SENT = "sent"
    LISTED = "listed"
    """Told in its reader's daily list."""
    NOT_SENT = "not_sent"
    TO_COME = "to_come"


_FATES = dict.fromkeys(HEARD, Fate.SENT) | {State.MERGED: Fate.LISTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message about the case. `state` and `reason` are in words; `text` is there while it is to come."""

    fate: Fate
    at: datetime
    to: str
    channel: str
    kind: str
    what: str
    state: str
    reason: str = ""
    text: str = ""


async def messages_of(tx: Tx, scene: CaseScene, lang: str) -> tuple[Message, ...]:
    """Sent, not sent, to come; each by time. Names of colleagues; residents go unnamed."""
    rows = await overview.reminders_of(tx, scene.row.case.id)
    ended = [_row(scene, row, lang) for row in rows if row.state is not State.PLANNED]
    waiting = {(max(row.send_after, scene.now), row.kind): row for row in rows if row.state is State.PLANNED}
    coming = []
    for one in await texts_of(tx, scene.desk, scene.row.case.id, until=scene.now + AHEAD):
        row = waiting.get((one.at, one.kind))
        word = scene.desk.templates.word
        coming.append(
            Message(
                fate=Fate.TO_COME,
                at=one.at,
                to=word("bot.resident", lang) if one.channel is Channel.SMS else one.recipient_name,
                channel=one.channel.value,
                kind=one.kind,
                what=_what(scene, one.kind, lang, clip(one.text.partition("\n")[0], 60)),
                state=word(f"delivery.{State.PLANNED}" if row is not None else "fate.not_due", lang),
                reason=_waits(scene, row, lang) if row is not None else "",
                text=one.text,
            )
        )
    order = list(Fate)
    return tuple(sorted([*ended, *coming], key=lambda m: (order.index(m.fate), m.at, m.kind, m.to)))


def _what(scene: CaseScene, kind: str, lang: str, about: str) -> str:
    """The gist of a kind of message, as far as it has one; else what it is about."""
    templates = scene.desk.templates
    key = f"gist.{kind}"
    return templates.word(key, lang) if templates.has_word(key) else about or templates.word("none", lang)


def _row(scene: CaseScene, row: Reminder, lang: str) -> Message:
    templates = scene.desk.templates
    person = scene.staff.people.get(row.person_id or 0)
    entry = next((e for e in scene.entries.values() if e.id == row.entry_id), None)
    reason = f"why.{row.reason}"
    said = templates.word(reason, lang) if templates.has_word(reason) else clip(row.reason, 60)
    return Message(
        fate=_FATES.get(row.state, Fate.NOT_SENT),
        at=row.sent_at or row.ended_at or row.send_after,
        to=person.name if person is not None else templates.word("bot.resident", lang),
        channel=row.channel,
        kind=row.kind,
        what=_what(scene, row.kind, lang, scene.what(entry, lang) if entry is not None else ""),
        state=templates.word(f"delivery.{row.state}", lang),
        reason=said,
    )


def _waits(scene: CaseScene, row: Reminder, lang: str) -> str:
    """Why a message that fell due has not gone."""
    word, known = scene.desk.templates.word, scene.desk.templates.has_word
    if scene.past.paused and row.channel == Channel.SMS:
        return word("why.paused", lang)
    if row.reason:
        key = f"waits.{row.reason}"
        return word(key if known(key) else "waits.other", lang)
    if row.attempts:
        return word("waits.retry", lang, n=row.attempts)
    if row.send_after <= row.due_at:
        return word("waits.turn", lang)
    held = row.send_after - row.due_at <= scene.office.undo
    return word("waits.undo" if held else "waits.hours", lang)
