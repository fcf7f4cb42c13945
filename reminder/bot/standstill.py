"""What does `/status` say first when something does not leave, and why it does not?"""

from reminder.actions import holding
from reminder.bot.turn import Turn
from reminder.domain.breakers import Position
from reminder.domain.people import parted
from reminder.domain.said_dates import say_time
from reminder.longtext import clip


async def standstill(turn: Turn) -> list[str]:
    """A line for a hold, and one for each sender whose provider fails; nothing while all is well."""
    found = await holding.held(turn.tx)
    lines = [] if found is None else [turn.word(f"hold.{found.why}", n=found.n, most=found.most)]
    for sender, valve in turn.rt.valves.items():
        breaker = valve.breaker
        if breaker.position(turn.rt.clock.now()) is not Position.CLOSED and breaker.until is not None:
            key = "hold.account" if breaker.account else "hold.breaker"
            at = breaker.until.astimezone(turn.desk.office.zone).time()
            said = {"why": clip(breaker.why, 40), "time": say_time(at, None, turn.lang)}
            lines.append(turn.word(key, channel=turn.word(f"channel.{parted(sender)[0]}"), **said))
    return lines
