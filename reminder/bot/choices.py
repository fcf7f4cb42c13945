"""How is one thing chosen from several? Each option is a command line, kept here and not in the button."""

from collections.abc import Sequence

from reminder.bot.answers import Card
from reminder.bot.heard import Tap
from reminder.bot.turn import Turn, rows
from reminder.domain.errors import Stale
from reminder.domain.messages import Button


async def offer(turn: Turn, text: str, options: Sequence[tuple[str, str]], width: int = 1) -> Card:
    """(label, command line without the slash) each. The button carries a number, never what it means."""
    nonce = turn.heard.letter
    await turn.ask("pick", {"nonce": nonce, "options": [line for _, line in options]})
    buttons: list[Button] = [
        turn.button(label[:60], "opt", nonce, index, "d") for index, (label, _) in enumerate(options)
    ]
    return Card(text=text, buttons=rows(buttons, width))


async def chosen(turn: Turn, tap: Tap) -> str:
    """The command line of the option; Stale once the question is answered, replaced or forgotten."""
    asked = await turn.asked("pick")
    if asked is None or asked["nonce"] != tap.id or tap.rev >= len(asked["options"]):
        raise Stale("bot.already_answered")
    await turn.ask_no_more()
    return str(asked["options"][tap.rev])


async def want(turn: Turn, line: str, text: str) -> Card:
    """Ask for the rest of a command: what is written next is put behind the line."""
    await turn.ask("line", {"line": line, "nonce": turn.heard.letter})
    cancel = turn.button(turn.word("button.cancel"), "no", turn.heard.letter, origin="d")
    return Card(text=text, buttons=((cancel,),))
