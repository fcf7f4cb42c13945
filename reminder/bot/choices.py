"""How is a choice offered when the options are commands? Each button runs one, in the words of its author."""

from collections.abc import Mapping, Sequence
from typing import Any

from reminder.bot.answers import Card
from reminder.bot.heard import Tap
from reminder.bot.turn import Turn, rows
from reminder.domain.errors import Stale
from reminder.domain.messages import Button
from reminder.longtext import clip

LABEL = 32
"""Characters of a label a phone shows in a row of its own."""

PAGE = 8
"""Options on a page."""


async def offer(turn: Turn, text: str, options: Sequence[tuple[str, str]], width: int = 1) -> Card:
    """(label, command line without the slash) each. The button carries a number, never what it means.

    More than a page of them are leafed through.
    """
    asked = {
        "nonce": turn.heard.letter,
        "options": [line for _, line in options],
        "labels": [clip(label, LABEL if width == 1 else LABEL // 2) for label, _ in options],
        "text": text,
        "width": width,
    }
    await turn.ask("pick", asked)
    return _page(turn, asked, 0)


def _page(turn: Turn, asked: Mapping[str, Any], page: int) -> Card:
    labels, nonce = asked["labels"], int(asked["nonce"])
    pages = max(1, -(-len(labels) // PAGE))
    first = min(page, pages - 1) * PAGE
    buttons: list[Button] = [
        turn.button(label, "opt", nonce, first + index, "d")
        for index, label in enumerate(labels[first : first + PAGE])
    ]
    keyboard = rows(buttons, int(asked["width"]))
    if pages > 1:
        here = first // PAGE
        back, on = (here - 1) % pages, (here + 1) % pages
        keyboard = (
            *keyboard,
            (
                turn.button("‹", "leaf", nonce, back, "d"),
                turn.button(f"{here + 1}/{pages}", "nop"),
                turn.button("›", "leaf", nonce, on, "d"),
            ),
        )
    return Card(text=str(asked["text"]), buttons=keyboard)


async def leafed(turn: Turn, tap: Tap) -> Card:
    """Another page of the same question; Stale once it is over."""
    asked = await turn.asked("pick")
    if asked is None or asked["nonce"] != tap.id:
        raise Stale("bot.already_answered")
    return _page(turn, asked, tap.rev)


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
