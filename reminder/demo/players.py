"""Who plays the county when nobody is at the page: cadres with their lists, residents who answer."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta
from functools import partial
from typing import Any

from reminder.actions.digests import Item, Section, items_of
from reminder.demo.histories import HANDLERS, WORDS
from reminder.demo.stage import Stage
from reminder.domain.cases import Status
from reminder.domain.people import Person, Role
from reminder.domain.protocols import EntryKind
from reminder.domain.workdays import at
from reminder.store import people

ANSWERS = {
    "visit": (("1", 12), ("2", 2), ("3", 1), ("", 5)),
    "rating": (("5", 7), ("4", 5), ("3", 2), ("2", 1), ("", 5)),
}
"""What residents answer, with weights; an empty answer is silence."""


class Players:
    """Act through the phones only, as people would; what they do follows from the seed."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.rng = random.Random(f"players {seed}")  # noqa: S311 - a play, not a secret
        self.read = 0

    async def plan_day(self, day: date) -> None:
        """Put the day's doings into the clock's plan."""
        office = self.stage.rt.desk.office
        for hour in range(8, 21):
            moment = at(day, time(hour, 41), office.zone)
            self.stage.drive.plan(moment, self._residents_read)
        if not office.calendar.is_working(day):
            return
        async with self.stage.rt.db.read() as tx:
            staff = await people.staff(tx)
        for person in staff.people.values():
            if person.chat_id is None or not person.roles & {Role.HANDLER, Role.INTAKE, Role.UNIT_HEAD}:
                continue
            minutes = 9 * 60 + self.rng.randrange(7 * 60)
            moment = at(day, time(minutes // 60, minutes % 60), office.zone)
            self.stage.drive.plan(moment, partial(self._works, person, day))
        if self.rng.random() < 0.7:
            moment = at(day, time(9 + self.rng.randrange(7), self.rng.randrange(60)), office.zone)
            self.stage.drive.plan(moment, self._somebody_comes)

    async def _works(self, person: Person, day: date) -> None:
        """Go through the list: what is due or late gets done, or a step further; some of it stays."""
        async with self.stage.rt.db.read() as tx:
            items = await items_of(tx, self.stage.rt.desk, person, day=day)
        for number, item in enumerate(items[:6]):
            if item.section is Section.LATER or self.rng.random() < 0.25:
                continue
            moment = self.stage.clock.now() + timedelta(minutes=2 + 3 * number)
            self.stage.drive.plan(moment, partial(self._step, person, item))

    async def _step(self, person: Person, item: Item) -> None:
        """Write the command that fits, or tap Done beside the item in today's list."""
        chat, entry = person.chat_id, item.entry
        assert chat is not None
        status = Status(item.row.status)
        command = _NEXT.get((status, entry.milestone)) or _NEXT.get((status, ""))
        if command is not None and entry.kind is not EntryKind.VISIT:
            says = WORDS[self.stage.lang]
            self.stage.world.write(chat, command.format(no=item.row.case.number, **says))
            return
        wanted = f"v1:done:{entry.id}:{entry.revision}"
        for bubble in self.stage.world.pinned(f"telegram:{chat}"):
            found = {b["callback_data"] for row in bubble["buttons"] for b in row}
            if wanted in found:
                self.stage.world.press(chat, bubble["message_id"], wanted)

    async def _somebody_comes(self) -> None:
        """A new matter at a township's desk, taken in question by question."""
        async with self.stage.rt.db.read() as tx:
            staff = await people.staff(tx)
        index = self.rng.randrange(len(self.stage.cast.townships))
        handler = staff.people[self.stage.cast.people[self.rng.choice(HANDLERS[index])]]
        party = self.rng.choice([n for n in self.stage.cast.neighbours[40:] if n.number])
        protocol = self.rng.choices(["ordinary", "simple", "urgent"], weights=[6, 2, 2])[0]
        assert handler.chat_id is not None
        says = [f"/new {protocol} {party.village}", party.name, party.number, "-"]
        for number, text in enumerate(says):
            moment = self.stage.clock.now() + timedelta(minutes=number)
            self.stage.drive.plan(moment, partial(self._writes, handler.chat_id, text))

    async def _writes(self, chat: int, text: str) -> None:
        self.stage.world.write(chat, text)

    async def _residents_read(self) -> None:
        """Whoever got a question since the last look answers it within the day, or not at all."""
        rows: list[dict[str, Any]] = self.stage.world.ledger(self.read)
        for row in rows:
            self.read = max(self.read, row["seq"])
            kind = _question(row)
            if kind is None:
                continue
            answers, weights = zip(*ANSWERS[kind], strict=True)
            answer = self.rng.choices(answers, weights=weights)[0]
            if answer:
                wait = timedelta(minutes=self.rng.randrange(3, 50))
                act: Callable[[], Awaitable[None]] = partial(self._replies, row["to"], answer)
                self.stage.drive.plan(self.stage.clock.now() + wait, act)

    async def _replies(self, number: str, answer: str) -> None:
        self.stage.world.reply(number, answer)


def _question(row: dict[str, Any]) -> str | None:
    if row["channel"] != "sms":
        return None
    text = row["text"]
    if "5很好" in text or "5 very good" in text:
        return "rating"
    return "visit" if "回1" in text or "Reply 1" in text else None


_NEXT = {
    (Status.REGISTERED, ""): "/accept {no}",
    (Status.REGISTERED, "first_contact"): "/contact {no} {talk}",
    (Status.REGISTERED, "contact"): "/contact {no} {talk}",
    (Status.ACCEPTED, "first_contact"): "/contact {no} {talk}",
    (Status.ACCEPTED, "progress"): "/contact {no} {talk}",
    (Status.IN_PROGRESS, "progress"): "/contact {no} {talk}",
    (Status.IN_PROGRESS, "plan_again"): "/contact {no} {talk}",
    (Status.IN_PROGRESS, "half"): "/note {no} {note}",
    (Status.ACCEPTED, "handle"): "/answer {no} upheld {done}",
    (Status.IN_PROGRESS, "handle"): "/answer {no} upheld {done}",
    (Status.REPLIED, "serve"): "/served {no} {how}",
    (Status.REPLIED, "close"): "/close {no}",
}
"""What a cadre writes for an item: by the case's state and the milestone."""
