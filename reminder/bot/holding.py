"""How do admins stop what leaves the house, and let it go again, by chat?"""

from reminder.actions import holding, switches
from reminder.bot.answers import Answer, says
from reminder.bot.choices import offer, want
from reminder.bot.named import parts
from reminder.bot.turn import Turn
from reminder.store import switches as kept


async def stop(turn: Turn, args: str) -> Answer:
    """`/stop sms|telegram|all|UNIT | why`: nothing of it leaves until `/go`."""
    name, why, *_ = [*parts(args), ""]
    if not name or not why:
        return Answer(cards=(await want(turn, "stop", turn.word("ask.stop")),))
    await switches.stop(turn.tx, turn.desk, turn.by, name, why)
    return says(turn.word("bot.stopped", name=name, why=why))


async def go(turn: Turn, args: str) -> Answer:
    """`/go`: what was held because too much fell due, or the clock leapt; `/go NAME`: what people stopped."""
    if not args.strip() and await holding.held(turn.tx) is not None:
        found = await holding.go(turn.tx, turn.desk, turn.by)
        return says(turn.word("hold.released", n=found.n))
    stopped = await switches.in_words(turn.tx, await kept.get(turn.tx))
    if not args.strip() and stopped:
        options = [(f"{name} · {why}"[:60], f"go {name}") for name, why in stopped]
        return Answer(cards=(await offer(turn, turn.word("ask.go"), options, 1),))
    await switches.go(turn.tx, turn.desk, turn.by, args)
    return says(turn.word("bot.going", name=args.strip()))


async def held(turn: Turn) -> list[str]:
    """For /status: what is stopped and why, and whether this is test mode."""
    found = await kept.get(turn.tx)
    lines = [turn.word("bot.held", name=n, why=why) for n, why in await switches.in_words(turn.tx, found)]
    if not found.live:
        lines.append(turn.word("bot.test_mode"))
    if not found.armed(turn.desk.instance):
        lines.append(turn.word("bot.disarmed"))
    return lines
