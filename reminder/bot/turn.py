"""What one exchange with one person may touch: the transaction, who it is, what was said, their words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from reminder.actions.desk import Actor, Desk
from reminder.bot.answers import Card
from reminder.bot.heard import Heard, Tap
from reminder.domain.messages import Button, Keyboard, Style
from reminder.domain.people import Person, Staff
from reminder.runtime import Runtime
from reminder.store import inbox
from reminder.store.database import Tx

DIALOG_LIFE = timedelta(hours=1)
"""A question of ours that nobody answered for so long is forgotten: later text is not its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Lives as long as its transaction."""

    rt: Runtime
    tx: Tx
    heard: Heard
    person: Person
    staff: Staff

    @property
    def desk(self) -> Desk:
        return self.rt.desk

    @property
    def by(self) -> Actor:
        """The person acting, once for this update however often it is read."""
        return Actor(person=self.person, source=self.heard.source)

    @property
    def lang(self) -> str:
        known = self.desk.templates.languages
        return self.person.lang if self.person.lang in known else self.desk.office.lang

    @property
    def now(self) -> datetime:
        """Wall clock of the office."""
        return self.rt.clock.now().astimezone(self.desk.office.zone)

    @property
    def today(self) -> date:
        return self.now.date()

    def word(self, key: str, /, **values: object) -> str:
        return self.desk.templates.word(key, self.lang, **values)

    def button(
        self,
        label: str,
        act: str,
        about: int = 0,
        rev: int = 0,
        origin: str = "",
        rest: str = "",
        style: Style = Style.PLAIN,
    ) -> Button:
        tap = Tap(act=act, id=about, rev=rev, origin=origin, rest=rest)
        return Button(label=label, data=tap.data(), style=style)

    # --- the question the bot is asking this person -------------------------------------------

    async def ask(self, asks: str, detail: Mapping[str, Any]) -> None:
        """Whatever they write next answers this."""
        await inbox.set_dialog(self.tx, self.heard.user, asks, detail, self.rt.clock.now())

    async def asked(self, *asks: str) -> Mapping[str, Any] | None:
        """The detail of the open question, if it is one of these (of any kind when none is named)."""
        found = await inbox.dialog(self.tx, self.heard.user)
        if found is None or self.rt.clock.now() - found["at"] > DIALOG_LIFE:
            return None
        if asks and found["asks"] not in asks:
            return None
        detail: Mapping[str, Any] = {**found["detail"], "asks": found["asks"]}
        return detail

    async def ask_no_more(self) -> None:
        await inbox.end_dialog(self.tx, self.heard.user)

    async def sure(self, do: str, detail: Mapping[str, Any], text: str) -> Card:
        """Ask before doing it. The button names this very question: an old one does nothing."""
        nonce = self.heard.letter
        await self.ask("sure", {**detail, "do": do, "nonce": nonce})
        yes = self.button(self.word("button.yes"), "yes", nonce, origin="d", style=Style.SUCCESS)
        no = self.button(self.word("button.cancel"), "no", nonce, origin="d")
        return Card(text=text, buttons=((yes, no),))


def rows(buttons: list[Button], width: int = 2) -> Keyboard:
    """Buttons in rows of so many."""
    return tuple(tuple(buttons[i : i + width]) for i in range(0, len(buttons), width))
