"""Who plays the county when nobody is at the page: cadres with their lists, residents who answer."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta
from functools import partial
from typing import Any

from reminder.actions.digests import Section, items_of
from reminder.demo.doings import Doing, View, doing
from reminder.demo.people import matters
from reminder.demo.stage import Stage
from reminder.domain.cases import FLAGS
from reminder.domain.people import Person, Role
from reminder.domain.workdays import at
from reminder.store import cases, entries, people

ANSWERS = {
    "visit": (("1", 12), ("2", 2), ("3", 1), ("", 5)),
    "rating": (("5", 7), ("4", 5), ("3", 2), ("2", 1), ("", 5)),
}
"""What residents answer, with weights; an empty answer is silence."""

COMES = {"ordinary": 6, "simple": 2, "urgent": 2, "major": 1}
"""Protocols of new matters, with weights."""

LAST = 12
"""Messages of a chat among which somebody looks for the button they were just offered."""


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
            if person.chat_id is None or person.roles <= {Role.ADMIN}:
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
            items = [
                item
                for item in await items_of(tx, self.stage.rt.desk, person, day=day)
                if item.section is not Section.LATER
            ]
            first = {item.entry.case_id: item for item in reversed(items)}
            todo = [item for item in items if first[item.entry.case_id] is item][:MOST]
            todo = [item for item in todo if self.rng.random() >= STAYS]
            open_of = await entries.open_of(tx, sorted({item.entry.case_id for item in todo}))
            view = View(
                person=person,
                staff=await people.staff(tx),
                today=day,
                calendar=self.stage.rt.desk.office.calendar,
                lang=self.stage.lang,
                rng=self.rng,
                open_of={i.entry.case_id: [e for e in open_of if e.case_id == i.entry.case_id] for i in todo},
            )
        for number, item in enumerate(todo):
            wish = doing(view, item)
            if wish is not None:
                moment = self.stage.clock.now() + timedelta(minutes=2 + 4 * number)
                self.stage.drive.plan(moment, partial(self._does, person, wish))

    async def _does(self, person: Person, wish: Doing) -> None:
        """Write the line; where the office asks back, tap what was meant."""
        assert person.chat_id is not None
        self.stage.world.write(person.chat_id, wish.line)
        self._then(person.chat_id, wish, 0)

    def _then(self, chat: int, wish: Doing, number: int) -> None:
        if number < len(wish.taps):
            moment = self.stage.clock.now() + timedelta(minutes=1)
            self.stage.drive.plan(moment, partial(self._taps, chat, wish, number))

    async def _taps(self, chat: int, wish: Doing, number: int) -> None:
        """The newest button that begins so; none where the line said it all."""
        kept = self.stage.world.telegram.chats[chat]
        ends = wish.ends if number == len(wish.taps) - 1 else ""
        for message_id in reversed([n for n, held in kept.messages.items() if not held.gone][-LAST:]):
            bubble = kept.bubble(message_id)
            if bubble["pinned"]:
                continue
            for button in (b for row in bubble["buttons"] for b in row):
                data = button["callback_data"]
                if data.startswith(wish.taps[number]) and data.endswith(ends):
                    self.stage.world.press(chat, message_id, data)
                    self._then(chat, wish, number + 1)
                    return

    async def _somebody_comes(self) -> None:
        """A new matter at a township's desk or with a village's cadre, taken in question by question."""
        async with self.stage.rt.db.read() as tx:
            staff = await people.staff(tx)
        party = self.rng.choice([n for n in self.stage.cast.neighbours[40:] if n.number])
        desks = [p for p in staff.holding(Role.INTAKE) if p.unit_id == party.township]
        cadre = staff.people[self.stage.cast.cadres[party.village]]
        taker = self.rng.choice([*desks, cadre])
        protocol = self.rng.choices(list(COMES), weights=list(COMES.values()))[0]
        signs = self.rng.random() < 0.5 and protocol == "major" and taker in desks
        mix = matters()["mix"][protocol]
        category = self.rng.choices(list(mix), weights=list(mix.values()))[0]
        request = matters()["matter"][category]["request"][self.stage.lang]
        assert taker.chat_id is not None
        taken = "ordinary" if signs else protocol
        says = [f"/new {taken} {category} {party.village}", party.name, party.number, request]
        for number, text in enumerate(says):
            moment = self.stage.clock.now() + timedelta(minutes=number)
            self.stage.drive.plan(moment, partial(self._writes, taker.chat_id, text))
        if signs:
            moment = self.stage.clock.now() + timedelta(minutes=10)
            self.stage.drive.plan(moment, partial(self._flags, taker))

    async def _flags(self, person: Person) -> None:
        """What they took in last has come before, or comes from many."""
        async with self.stage.rt.db.read() as tx:
            rows = await cases.many(tx, (await cases.ids(tx))[-3:])
        mine = [row for row in rows.values() if row.case.first_contact_id == person.id]
        if mine and person.chat_id is not None:
            self.stage.world.write(person.chat_id, f"/flag {mine[-1].case.number} {self.rng.choice(FLAGS)}")

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


MOST, STAYS = 8, 0.2
"""Items somebody sees to in a day, and how many of them they do not get to."""


def _question(row: dict[str, Any]) -> str | None:
    if row["channel"] != "sms":
        return None
    text = row["text"]
    if "5很好" in text or "5 very good" in text:
        return "rating"
    return "visit" if "回1" in text or "Reply 1" in text else None
