"""How does a case go whose ordinary handling failed: flagged, carried by a leader, reviewed jointly?"""

from datetime import date, datetime, time, timedelta
from typing import Any

from reminder.demo.histories import Story
from reminder.domain.cases import Event

MAJOR = "major"
SPONSORS = ("周敏", "段志远", "钟慧")
SECRETARY = "孟晓"


def flagged(story: Story, *signs: str) -> Story:
    """A sign that ordinary handling failed puts the case under the protocol of major matters, once."""
    moment = story.facts[-1].at + timedelta(minutes=10)
    for sign in signs:
        story.add(Event.FLAG, moment, flag=sign)
    protocol = story.past.rt.desk.protocol(MAJOR)
    story.under = MAJOR
    versions = {"key": MAJOR, "version": protocol.version}
    return story.add(Event.PROTOCOL, moment, "", **versions, direct_answer=protocol.direct_answer)


def put_in(story: Story, moment: datetime, key: str, **value: Any) -> Story:
    """What people add to the calendar of a case themselves."""
    return story.add(Event.ADD, moment, key, **value)


def slot(day: date, start: str = "14:30", end: str = "16:30") -> dict[str, str]:
    return {"day": day.isoformat(), "start": start, "end": end}


def joint(story: Story, day: date, key: str, told: date) -> Story:
    """A joint review is called: who comes, where, who writes the minutes."""
    past = story.past
    head = past.staff.head(story.handler.unit_id)
    secretary = past.person(SECRETARY)
    people = {story.handler.id, secretary.id, *(p.id for p in [head] if p is not None)}
    value = {"place": past.says("county_hall"), "person": secretary.id, "people": sorted(people)}
    value["session"] = f"{day.isoformat()}:{story.party.id}"
    return put_in(story, past.on(told, 10), key, **slot(day, "09:00", "11:00"), **value)


def reviewed(story: Story, day: date, key: str, minutes: str) -> Story:
    """It was held; its minutes were written the same day and the people told."""
    past = story.past
    story.add(Event.DONE, past.on(day, 11), key, text=past.says("minutes"))
    story.add(Event.DONE, past.on(day, 16), minutes, text=past.says("minutes"))
    return story.talked(past.on(day, 16, 30))


class _Course:
    """One major case on its way; what lies ahead is put into the calendar but has not happened."""

    def __init__(self, story: Story, day: date, until: date) -> None:
        self.story = story
        self.past = story.past
        self.calendar = story.past.rt.desk.office.calendar
        self.day = day
        self.until = until
        self.leader = SPONSORS[story.party.id % len(SPONSORS)]

    def after(self, days: int) -> date:
        return self.calendar.back(self.day + timedelta(days=days))

    def over(self, day: date) -> bool:
        return day < self.until

    def known(self, day: date) -> bool:
        """Whether what takes place on that day has been called by now: five working days before."""
        called = self.over(self.calendar.add_working(day, -5))
        return called and (self.until == self.past.as_of or self.over(day))

    def done(self, day: date, key: str, words: str) -> None:
        if self.over(day):
            self.story.add(Event.DONE, self.past.on(day, 17), key, text=self.past.says(words))

    def sponsored(self) -> None:
        day = self.calendar.add_working(self.day, 2)
        if self.over(day):
            self.story.add(Event.SPONSOR, self.past.on(day), person=self.past.person(self.leader).id, why="")

    def met(self, day: date, key: str, words: str) -> None:
        """Called five working days before; held on its day."""
        if not self.known(day):
            return
        leader = self.past.person(self.leader).id
        told = max(self.past.on(self.calendar.add_working(day, -5), 11), self.story.facts[-1].at)
        hall = self.past.says("town_hall") if key == "invited_meeting" else self.story.party.village
        put_in(self.story, told, key, **slot(day), place=hall, person=leader)
        self.story.add(Event.CONFIRM, told + timedelta(hours=3), key)
        if self.over(day):
            held = self.past.on(day, 16, 30)
            self.story.add(Event.VISITED, held, key, outcome="holds", text=self.past.says(words))

    def reviews(self) -> None:
        number = 0
        while self.known(day := self.after(14 + 28 * number)):
            suffix = f".{number + 1}" if number else ""
            joint(self.story, day, f"joint_review{suffix}", self.calendar.add_working(day, -5))
            if self.over(day):
                reviewed(self.story, day, f"joint_review{suffix}", f"minutes{suffix}")
            number += 1

    def kept_up(self, until: date) -> None:
        """The people hear something every week; now and then there is a note."""
        day = self.day
        while (day := day + timedelta(days=7)) < until:
            seen = datetime.combine(self.calendar.back(day), time(17, 20), self.past.rt.desk.office.zone)
            self.story.add(Event.NOTE, seen, text=self.story.matter("note"))
            self.story.talked(seen + timedelta(minutes=5))


def majored(story: Story, day: date, *, closing: date | None = None) -> Story:
    """Everything the protocol asks for, on its day, as far as the days have come."""
    past = story.past
    course = _Course(story, day, closing or past.as_of)
    story.comes(past.on(day, 9))
    flagged(story, "repeated" if story.category == "land" else "major").taken_on(past.on(day, 11))
    course.done(course.calendar.add_working(day, 1), "report_up", "reported")
    course.sponsored()
    course.met(course.after(9), "invited_meeting", "met")
    course.done(course.after(12), "plan", "plan")
    course.met(course.after(18), "outreach", "went")
    course.done(course.after(18), "decision_note", "minutes")
    course.reviews()
    course.kept_up(closing - timedelta(days=6) if closing is not None else past.as_of)
    if closing is not None:
        story.answered(past.back(closing, 5, 11)).delivered(past.back(closing, 4, 15))
        story.closed(past.on(closing, 16))
    story.facts.sort(key=lambda fact: fact.order)
    return story
