"""How does an answer reach the chat: the tap acknowledged, the message redrawn, new ones sent?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from reminder.bot.heard import Heard
from reminder.domain.messages import Accepted, Keyboard, Outgoing
from reminder.domain.people import Channel, Person
from reminder.longtext import split
from reminder.runtime import Runtime

TOAST = 200
"""Characters an answer to a tap may have (Bot API, answerCallbackQuery)."""

GLANCE = 45
"""A longer one stays until it is tapped away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A message with its buttons."""

    text: str
    buttons: Keyboard = ()
    news: bool = True
    """Whether something changes for a resident: worth a message of its own under a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file handed over."""

    name: str
    content: bytes
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Everything said in reply to one thing heard."""

    toast: str = ""
    redraw: Card | None = None
    """Replaces the message that was tapped; sent as a new one where nothing was."""
    cards: tuple[Card, ...] = ()
    papers: tuple[Paper, ...] = ()
    menu: Person | None = None
    """Whose command menu changes."""
    then: "Callable[[], Awaitable[Answer]] | None" = None
    """Done after the commit, in transactions of its own; what it answers is said too. For long work over
    many cases: a crash in between leaves it undone, and asking again does it."""

    def also(self, **changes: object) -> "Answer":
        return replace(self, **changes)  # type: ignore[arg-type]


def says(text: str, buttons: Keyboard = ()) -> Answer:
    """One card and nothing else."""
    return Answer(cards=(Card(text=text, buttons=buttons),))


async def deliver(rt: Runtime, heard: Heard, answer: Answer) -> None:
    """After the commit. Silent: the person is looking at the chat. What does not arrive is not repeated."""
    assert rt.chat is not None
    if heard.callback:
        toast = answer.toast[:TOAST]
        await rt.chat.answer(heard.callback, toast, alert=len(toast) > GLANCE)
    cards = list(answer.cards)
    if answer.redraw is not None:
        shown = answer.redraw
        done = None
        if heard.message:
            done = await rt.chat.edit(heard.chat, heard.message, shown.text, shown.buttons)
        if not isinstance(done, Accepted) and (not heard.message or getattr(done, "code", "") == "gone"):
            cards.insert(0, shown)
    for card in cards:
        await send(rt, heard.chat, card)
    for paper in answer.papers:
        await rt.chat.send_document(heard.chat, paper.name, paper.content, paper.caption)


async def send(rt: Runtime, chat: str, card: Card) -> None:
    """A card, in parts where it is too long for one message; the buttons stand under the last."""
    assert rt.chat is not None
    parts = split(card.text)
    for number, part in enumerate(parts, 1):
        await rt.chat.send(
            Outgoing(
                token=rt.desk.new_id(),
                channel=Channel.TELEGRAM,
                to=chat,
                text=part,
                buttons=card.buttons if number == len(parts) else (),
                silent=True,
            )
        )
