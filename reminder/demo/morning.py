"""What waits for the story's cadre on the first morning: three visits, one thing late, and Ms Li."""

from collections.abc import Sequence
from datetime import timedelta

from reminder.demo.histories import Past, Story
from reminder.demo.people import CADRE, Neighbour, texted
from reminder.demo.standings import LIMIT
from reminder.domain.cases import Event

SPECIAL = (
    ("closed", "urgent", "utilities"),
    ("accepted", "ordinary", "land"),
    ("accepted", "ordinary", "land"),
    ("in_progress", "ordinary", "environment"),
)
"""State, protocol and category of the story's own cases, which are among the two hundred."""


def morning(past: Past) -> Sequence[Story]:
    """In the order of SPECIAL."""
    li = past.cast.neighbours[-1]
    others = [n for n in texted(past.cast) if past.cast.cadres[n.village] == past.cast.people[CADRE]]
    return [
        _li(past, li),
        _agreed(past, others[0], 14),
        _agreed(past, others[1], 16),
        _late(past, others[2]),
    ]


def _story(past: Past, party: Neighbour, protocol: str, category: str) -> Story:
    return Story(past=past, handler=past.person(CADRE), party=party, protocol=protocol, category=category)


def _li(past: Past, li: Neighbour) -> Story:
    """Water was out, was repaired the same day, answered, and closed a week before the first morning."""
    story = _story(past, li, "urgent", "utilities")
    start = past.ago(10, 9)
    story.comes(start).taken_on(start + timedelta(minutes=10))
    story.add(Event.DONE, start + timedelta(hours=4), "fix").talked(start + timedelta(hours=7))
    story.answered(start + timedelta(hours=8)).delivered(start + timedelta(hours=9))
    story.closed(past.on(past.as_of - timedelta(days=7), 11))
    return story.add(Event.CONFIRM, past.on(past.wd(-2), 12), "rv1")


def _agreed(past: Past, party: Neighbour, hour: int) -> Story:
    """A visit on the first morning's afternoon that the resident has agreed to."""
    story = _story(past, party, "ordinary", "land")
    story.comes(past.ago(12, 9)).taken_on(past.ago(11, 10))
    slot = {"day": past.as_of.isoformat(), "start": f"{hour}:00", "end": f"{hour + 1}:30", "mode": "home"}
    asked = past.ago(6, 10)
    story.add(Event.PROPOSE, asked, "visit", place="", **slot)
    return story.add(Event.CONFIRM, asked + timedelta(hours=5), "visit")


def _late(past: Past, party: Neighbour) -> Story:
    """Worked on all along, but the answer was due on the day before."""
    story = _story(past, party, "ordinary", "environment")
    day = past.wd(-1) - LIMIT
    return story.comes(past.on(day, 9)).taken_on(past.on(day, 15)).noted(day)
