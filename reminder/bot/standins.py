"""Who stands in for whom, who looks after which village, and what oversight counts, by chat?"""

from datetime import date

from reminder.actions import oversight, standins
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import leading_when
from reminder.bot.choices import want
from reminder.bot.named import parts, person_first
from reminder.bot.turn import Turn
from reminder.domain.dates import say_day
from reminder.domain.errors import Refused


async def leave(turn: Turn, args: str) -> Answer:
    """`/leave DATE | DATE | deputy [| who]`: away from a day to another; the deputy gets the messages."""
    first, last, deputy, who, *_ = [*parts(args), "", ""]
    if not deputy:
        return Answer(cards=(await want(turn, "leave", turn.word("ask.leave")),))
    person = person_first(turn, who)[0] if who else turn.person
    stand_in, _ = person_first(turn, deputy)
    from_on, to_on = _day(turn, first), _day(turn, last)
    await standins.leave(turn.tx, turn.desk, turn.by, person.id, stand_in.id, from_on, to_on)
    days = {"first": say_day(from_on, turn.lang, turn.today), "last": say_day(to_on, turn.lang, turn.today)}
    return says(turn.word("bot.on_leave", name=person.name, deputy=stand_in.name, **days))


async def back(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/back`: back earlier than said."""
    ended = await standins.back(turn.tx, turn.desk, turn.by)
    return says(turn.word("bot.back" if ended else "bot.not_away"))


async def post(turn: Turn, args: str) -> Answer:
    """`/post VILLAGE | person [| date]`: who looks after a village, from a day on."""
    place, who, day, *_ = parts(args)
    if not place or not who:
        return Answer(cards=(await want(turn, "post", turn.word("ask.post")),))
    person, _ = person_first(turn, who)
    from_on = _day(turn, day) if day else turn.today
    moved = await standins.post(turn.tx, turn.desk, turn.by, place, person.id, from_on)
    said = turn.word(
        "bot.posted",
        place=place[:40],
        name=person.name,
        day=say_day(from_on, turn.lang, turn.today),
        n=moved,
    )
    return says(said)


async def hand_over(turn: Turn, args: str) -> Answer:
    """`/handover person | person`: all open cases of one become the other's."""
    old, new, *_ = parts(args)
    if not old or not new:
        return Answer(cards=(await want(turn, "handover", turn.word("ask.handover")),))
    giver, _ = person_first(turn, old)
    taker, _ = person_first(turn, new)
    moved = await standins.hand_over(turn.tx, turn.desk, turn.by, giver.id, taker.id)
    return says(turn.word("bot.handed_over", n=moved, old=giver.name, new=taker.name))


async def counts(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/counts`: deadlines met, met late, overdue and open, per unit."""
    found = await oversight.counts(turn.tx, turn.desk, turn.by)
    lines = [
        turn.word(
            "bot.counts_line",
            unit=one.unit,
            met=one.met,
            late=one.met_late,
            overdue=one.overdue,
            open=one.open,
            due=one.met + one.met_late + one.overdue,
        )
        for one in found
    ]
    return says("\n".join([turn.word("bot.counts_head"), *(lines or [turn.word("none")])]))


async def signals(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/signals`: what the timestamps say, for supervision to look into."""
    found = await oversight.signalled(turn.tx, turn.desk, turn.by)
    separator = turn.word("separator")
    lines = [f"· {no} {separator.join(turn.word(f'signal.{one}') for one in said)}" for no, said in found]
    return says("\n".join([turn.word("bot.signals_head", n=len(found)), *(lines or [turn.word("none")])]))


def _day(turn: Turn, said: str) -> date:
    when, rest = leading_when(turn, said)
    if when is None or rest:
        raise Refused("date.unreadable")
    return when.day
