"""After something was done: what was noted, the very text a resident will get and when, and a way back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from reminder.actions import entries
from reminder.actions.preview import Coming, texts_of
from reminder.actions.replan import Plan
from reminder.bot.answers import Card
from reminder.bot.turn import Turn
from reminder.domain.dates import say_weekday_date
from reminder.domain.errors import NotFound, Refused
from reminder.domain.people import Channel
from reminder.store import cases
from reminder.store.database import taken_back

AHEAD = timedelta(days=14)
"""How far a change of the texts to come is shown."""

SHOWN = 3
"""Texts shown in full; the others are told by number and stand under /why."""


async def deed(turn: Turn, case_id: int | None, work: Callable[[], Awaitable[Plan]], said: str) -> Card:
    """Do it, and say so: `said` first, then what changes for the resident, with Undo.

    `case_id` is None where the work makes the case. `said` may hold "{no}".
    """
    before = await _texts(turn, case_id) if case_id is not None else []
    plan = await work()
    after = await _texts(turn, plan.row.case.id)
    _sayable(before, after)
    change = changed(turn, before, after)
    lines = [said.replace("{no}", plan.row.case.number), *(change or [turn.word("bot.no_text")])]
    done = await cases.last_deed(turn.tx, turn.person.id)
    assert done is not None
    until = (done["at"] + turn.desk.office.undo).astimezone(turn.desk.office.zone)
    label = turn.word("button.undo_until", undo=turn.word("button.undo"), time=f"{until:%H:%M:%S}")
    undo = turn.button(label, "undo", int(done["id"]), origin="d")
    return Card(text="\n".join(lines), buttons=((undo,),), news=bool(change))


async def foreseen(turn: Turn, case_id: int, work: Callable[[], Awaitable[Plan]]) -> list[str]:
    """What would change for the resident, in words. Tried and taken back; raises what the work would."""
    before = await _texts(turn, case_id)
    async with taken_back(turn.tx):
        await work()
        after = await _texts(turn, case_id)
        _sayable(before, after)
    return changed(turn, before, after) or [turn.word("bot.no_text")]


async def undo(turn: Turn, deed_id: int) -> Card:
    """Take it back. NotFound for another person's deed, Refused when the window has passed."""
    known = await cases.deed(turn.tx, deed_id)
    if known is None or known["case_id"] is None:
        raise NotFound("not_found")
    plan = await entries.undo(turn.tx, turn.desk, turn.by, deed_id)
    return Card(text=turn.word("bot.undone", no=plan.row.case.number))


async def _texts(turn: Turn, case_id: int) -> list[Coming]:
    found = await texts_of(turn.tx, turn.desk, case_id, until=turn.rt.clock.now() + AHEAD)
    return [one for one in found if one.channel is Channel.SMS]


def _sayable(before: Sequence[Coming], after: Sequence[Coming]) -> None:
    """Refused, and so not done at all, where somebody's own words make a text longer than any can be."""
    for one in after:
        if isinstance(one.fault, Refused) and one.fault.key == "sms.too_long" and one not in before:
            raise one.fault


def changed(turn: Turn, before: Sequence[Coming], after: Sequence[Coming]) -> list[str]:
    """Texts that come anew, word for word, and those that will not go any more."""
    new = [one for one in after if one not in before]
    gone = [one for one in before if one not in after]
    kinds = {one.kind for one in new}
    lines = [
        turn.word("bot.text_goes", who=one.recipient_name, time=say_moment(turn, one.at), text=one.text)
        for one in new[:SHOWN]
    ]
    if len(new) > SHOWN:
        lines.append(turn.word("bot.texts_more", n=len(new) - SHOWN))
    lines += [
        turn.word("bot.text_off", gist=turn.word(f"gist.{one.kind}"), time=say_moment(turn, one.at))
        for one in gone
        if one.kind not in kinds and turn.desk.templates.has_word(f"gist.{one.kind}")
    ]
    return lines


def say_moment(turn: Turn, moment: datetime) -> str:
    """ "10:30" today, "12月2日周三 10:30" on another day; office time."""
    local = moment.astimezone(turn.desk.office.zone)
    hour = f"{local:%H:%M}" if not local.second else f"{local:%H:%M:%S}"
    if local.date() == turn.today:
        return hour
    return f"{say_weekday_date(local.date(), turn.lang, turn.today)} {hour}"
