"""How does a case of the demo reach a state, with everything owed on the way done in time?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from reminder.demo.histories import Past, Story
from reminder.demo.major import majored
from reminder.demo.people import matters
from reminder.domain.cases import Event
from reminder.domain.workdays import local_day

LIMIT, MORE = timedelta(days=60), timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one case is to stand. `number` counts those of its state and protocol."""

    status: str
    protocol: str
    category: str
    number: int
    due: date | None = None
    """The day its answer falls due, where the county's clocks ask for one."""
    extended: bool = False
    bounced: bool = False
    score: int = 0
    opened: date | None = None
    """The day it came in, where the order of numbers asks for one."""

    def spread(self, first: int, step: int, span: int) -> int:
        """A number of days, different for neighbours."""
        return first + self.number * step % span


def stand(story: Story, where: Standing) -> Story:
    """Bring a case where it is to stand."""
    own = _OF_PROTOCOL.get((where.status, where.protocol)) or _OF_STATE[where.status]
    return own(story, where)


# --- coming in -------------------------------------------------------------------------------


def _received(story: Story, where: Standing) -> Story:
    """Came in on the last working day; nobody has written it into the book yet."""
    past = story.past
    moment = past.on(past.wd(-1), 9 + where.number, 7 + 8 * where.number)
    story.add(Event.RECEIVE, moment, track="appeal", danger="no")
    return story.add(Event.ASSIGN, moment, unit=story.handler.unit_id)


def _registered(story: Story, where: Standing) -> Story:
    past = story.past
    back = -1 - where.number % (3 if where.protocol == "simple" else 2)
    story.comes(past.on(past.wd(back), 9 + where.number, 12))
    return story.talked(story.facts[-1].at + timedelta(minutes=20))


def _referred(story: Story, where: Standing) -> Story:
    """Passed on, and waiting for the other unit to sign."""
    past = story.past
    story.comes(past.on(past.wd(-2), 14, 3 * where.number))
    return _passed_on(story, past.on(past.wd(-1), 10 + where.number % 6, 25), department(story))


def department(story: Story) -> int:
    """The unit whose work the matter is."""
    return story.past.cast.units[matters()["matter"][story.category]["unit"]]


def _passed_on(story: Story, moment: datetime, unit: int) -> Story:
    return story.add(Event.REFER, moment, unit=unit, why=story.past.says("moved_on"))


def taken_up(story: Story, day: date, *, bounced: bool = False) -> Story:
    """Accepted on a day, by a cadre of the township or, passed on by its desk, by a department."""
    past = story.past
    if story.handler.unit_id == story.party.township:
        return story.comes(past.on(day, 9)).taken_on(past.on(day, 15))
    calendar = past.rt.desk.office.calendar
    came = past.on(calendar.add_working(day, -5 if bounced else -1), 9)
    story.add(Event.RECEIVE, came, track="appeal", danger="no")
    story.add(Event.ASSIGN, came, unit=story.party.township)
    story.add(Event.REGISTER, came).talked(came + timedelta(minutes=30))
    wrong = [
        unit for name, unit in past.cast.units.items() if name != "county" and unit != story.handler.unit_id
    ]
    for number in range(2 if bounced else 0):
        sent = past.on(calendar.add_working(day, -5 + 2 * number), 11)
        _passed_on(story, sent, wrong[number])
        story.add(Event.OBJECT, sent + timedelta(hours=5), why=past.says("not_ours"))
    _passed_on(story, past.on(calendar.add_working(day, -1), 16), story.handler.unit_id)
    signed = past.on(day, 9)
    story.add(Event.ACKNOWLEDGE, signed, unit=story.handler.unit_id, told="no")
    story.add(
        Event.ASSIGN, signed + timedelta(minutes=10), unit=story.handler.unit_id, handler=story.handler.id
    )
    return story.taken_on(past.on(day, 15))


def _accepted(story: Story, where: Standing) -> Story:
    past = story.past
    return taken_up(story, past.wd(-1 - where.number % 5))


# --- being worked on -------------------------------------------------------------------------


def _in_work(story: Story, where: Standing) -> Story:
    past = story.past
    if where.due is not None:
        day = where.due - LIMIT - (MORE if where.extended else timedelta(0))
    elif where.extended:
        day = past.working(past.as_of - timedelta(days=where.spread(62, 3, 11)))
    else:
        day = past.working(past.as_of - timedelta(days=where.spread(12, 7, 31)))
    taken_up(story, day, bounced=where.bounced).noted(day)
    return _extended(story, day) if where.extended else story


def _extended(story: Story, day: date) -> Story:
    """Granted by the head of the unit some days before the old date."""
    past = story.past
    head = past.staff.head(story.handler.unit_id)
    moment = past.back(day + LIMIT, 6, 11, 40)
    reason, approver = past.says("more_time"), head.name if head is not None else ""
    return story.add(Event.EXTEND, moment, "handle", days=MORE.days, reason=reason, approver=approver)


def _deferred(story: Story, where: Standing) -> Story:
    """Fair, but not yet possible: a reason, what it waits for, and the day of the next look."""
    past = story.past
    day = past.working(past.as_of - timedelta(days=where.spread(20, 5, 23)))
    taken_up(story, day)
    put_off = past.on(past.working(day + timedelta(days=9)), 16)
    looks = past.rt.desk.office.calendar.forward(past.as_of + timedelta(days=where.spread(12, 4, 40)))
    story.add(
        Event.DEFER,
        put_off,
        next_on=looks.isoformat(),
        date_on=looks.isoformat(),
        reason=past.says("not_yet"),
        condition=past.says("waits_for"),
    )
    return story.noted(local_day(put_off, past.rt.desk.office.zone))


def _urgent_in(story: Story, day: date) -> Story:
    """Signed for at once, made to work the same day, and asked whether it does."""
    start = story.past.on(day, 9)
    story.comes(start).taken_on(start + timedelta(minutes=10))
    story.add(Event.DONE, start + timedelta(hours=4), "fix", text=story.matter("note"))
    return story.talked(start + timedelta(hours=7))


def _urgent_accepted(story: Story, _where: Standing) -> Story:
    return _urgent_in(story, story.past.wd(-1))


def _urgent_work(story: Story, where: Standing) -> Story:
    past = story.past
    day = past.wd(-2 - where.number)
    _urgent_in(story, day)
    return story.add(Event.NOTE, past.on(day, 17), text=story.matter("note"))


def _guided(story: Story, where: Standing) -> Story:
    past = story.past
    day = past.working(past.as_of - timedelta(days=where.spread(2, 3, 17)))
    story.comes(past.on(day, 9)).talked(past.on(day, 9, 30))
    story.add(Event.GUIDE, past.on(day, 11), path=past.says("route"))
    return _rung(story)


def _rung(story: Story) -> Story:
    """The call a week later, where its day has passed."""
    start = story.past.on(story.past.as_of, 0)
    for entry in story.visits():
        if entry.ends_at is not None and entry.ends_at < start:
            story.add(Event.VISITED, entry.ends_at, entry.key, outcome="holds")
    return story


# --- answered --------------------------------------------------------------------------------


def _replied(story: Story, where: Standing) -> Story:
    """Half of them still have to be delivered; one could not be granted."""
    past = story.past
    day = past.working(past.as_of - timedelta(days=where.spread(24, 3, 18)))
    taken_up(story, day).noted(day)
    story.facts = [f for f in story.facts if f.at < past.on(past.wd(-2), 0)]
    story.talked(past.on(past.wd(-3), 17))
    outcome = "not_upheld" if where.number == 1 else "partly" if where.number == 3 else "upheld"
    if where.number % 2:
        return story.answered(past.on(past.wd(-1), 15), outcome)
    return story.answered(past.on(past.wd(-2), 11), outcome).delivered(past.on(past.wd(-1), 10))


def _urgent_replied(story: Story, _where: Standing) -> Story:
    past = story.past
    return _urgent_in(story, past.wd(-2)).answered(past.on(past.wd(-1), 11))


def _simple_replied(story: Story, where: Standing) -> Story:
    past = story.past
    story.comes(past.on(past.wd(-3), 9 + where.number)).talked(past.on(past.wd(-3), 11))
    return story.answered(past.on(past.wd(-1), 14 + where.number))


def _to_the_end(story: Story, closing: date) -> Story:
    """From the first day to the closing, by the ways of its protocol."""
    past = story.past
    match story.protocol:
        case "urgent":
            _urgent_in(story, past.working(closing - timedelta(days=2)))
            return (
                story.answered(past.back(closing, 1, 17))
                .delivered(past.back(closing, 1, 18))
                .closed(past.on(closing, 18, 30))
            )
        case "simple":
            track = "inquiry" if story.category == "inquiry" else "appeal"
            start = past.back(closing, 1, 9)
            story.comes(start, track=track).talked(start + timedelta(minutes=15))
            return (
                story.answered(start + timedelta(hours=3))
                .delivered(start + timedelta(hours=4))
                .closed(past.on(closing, 16))
            )
        case _:
            taken_up(story, past.working(closing - timedelta(days=24)))
            story.add(Event.NOTE, past.back(closing, 12, 14), text=story.matter("note"))
            story.talked(past.back(closing, 12, 15))
            return (
                story.answered(past.back(closing, 6, 11))
                .delivered(past.back(closing, 4, 15))
                .closed(past.on(closing, 16))
            )


def _closed(story: Story, where: Standing) -> Story:
    """Return visits are still to come: three months of them, or a week where there is one only."""
    past = story.past
    if where.protocol == "ordinary":
        closing = past.working(past.as_of - timedelta(days=where.spread(12 if where.score else 3, 11, 73)))
        return _to_the_end(story, closing).visited(score=where.score or 4)
    near = [d for d in map(past.wd, range(-4, 0)) if (past.as_of - d).days <= 6] or [past.wd(-1)]
    return _to_the_end(story, near[where.number % len(near)])


def _completed(story: Story, where: Standing) -> Story:
    """The last visit found that it holds."""
    past = story.past
    if where.opened is not None:
        closing = past.working(where.opened + timedelta(days=4))
    elif where.protocol == "ordinary":
        closing = past.working(past.as_of - timedelta(days=where.spread(108, 31, 60)))
    elif where.protocol == "urgent":
        closing = past.working(_last_season(past) - timedelta(days=where.spread(12, 9, 150)))
    else:
        closing = past.working(past.as_of - timedelta(days=where.spread(16, 9, 190)))
    return _to_the_end(story, closing).visited(score=where.score or 5)


def _last_season(past: Past) -> date:
    """The latest day on which urgent repairs were looked at again, some days ago."""
    look = past.rt.desk.protocol("urgent").milestone("rv2")
    before = past.as_of - timedelta(days=5)
    years = (before.year - 1, before.year)
    days = [date.fromisoformat(f"{year}-{day}") for year in years for day in (look.season if look else ())]
    return max(day for day in days if day <= before)


def _under_review(story: Story, where: Standing) -> Story:
    past = story.past
    second = where.status == "under_second_review"
    closing = past.working(past.as_of - timedelta(days=48 if second else 20))
    _to_the_end(story, closing).visited()
    if not second:
        return story.add(Event.REVIEW_REQUEST, past.ago(where.spread(4, 3, 10), 16, 30), late="no", why="")
    story.add(Event.REVIEW_REQUEST, past.ago(36, 17), late="no", why="")
    found = past.says("review")
    story.add(Event.REVIEW_RESULT, past.ago(16, 17), result=found, text=found)
    return story.closed(past.ago(15, 17, 30)).add(Event.SECOND_REVIEW, past.ago(8, 17), late="no", why="")


def _reopened(story: Story, where: Standing) -> Story:
    """It held at the first visit, and then it did not; a new plan has been told."""
    past = story.past
    closing = past.working(past.as_of - timedelta(days=19))
    _to_the_end(story, closing).visited(score=where.score or 3)
    taken = past.on(past.wd(-2), 10)
    story.add(Event.REOPEN, taken, reason_text=past.says("again"))
    if where.protocol == "urgent":
        story.add(Event.DONE, taken + timedelta(hours=3), "fix_again", text=story.matter("note"))
    return story.talked(taken + timedelta(hours=5))


def _major_reopened(story: Story, _where: Standing) -> Story:
    past = story.past
    majored(
        story,
        past.working(past.as_of - timedelta(days=110)),
        closing=past.working(past.as_of - timedelta(days=70)),
    )
    story.visited()
    taken = past.ago(12, 10)
    return story.add(Event.REOPEN, taken, reason_text=past.says("again")).noted(
        past.working(past.as_of - timedelta(days=12)), 5
    )


def _major_work(story: Story, where: Standing) -> Story:
    past = story.past
    return majored(story, past.working(past.as_of - timedelta(days=where.spread(9, 5, 33))))


def _major_closed(story: Story, where: Standing) -> Story:
    past = story.past
    closing = past.working(past.as_of - timedelta(days=where.spread(20, 37, 120)))
    return majored(story, past.working(closing - timedelta(days=50)), closing=closing).visited(score=4)


def _major_completed(story: Story, _where: Standing) -> Story:
    past = story.past
    closing = past.working(past.as_of - timedelta(days=402))
    majored(story, past.working(closing - timedelta(days=50)), closing=closing).visited(score=5)
    moment = past.back(local_day(story.facts[-1].at, past.rt.desk.office.zone), -7, 15)
    return story.add(Event.DONE, moment, "lessons", text=past.says("lessons"))


_OF_STATE: Mapping[str, Callable[[Story, Standing], Story]] = {
    "received": _received,
    "registered": _registered,
    "referred": _referred,
    "accepted": _accepted,
    "in_progress": _in_work,
    "deferred": _deferred,
    "replied": _replied,
    "closed": _closed,
    "completed": _completed,
    "not_accepted": _guided,
    "under_review": _under_review,
    "under_second_review": _under_review,
    "reopened": _reopened,
}
_OF_PROTOCOL: Mapping[tuple[str, str], Callable[[Story, Standing], Story]] = {
    ("accepted", "urgent"): _urgent_accepted,
    ("in_progress", "urgent"): _urgent_work,
    ("replied", "urgent"): _urgent_replied,
    ("replied", "simple"): _simple_replied,
    ("in_progress", "major"): _major_work,
    ("closed", "major"): _major_closed,
    ("completed", "major"): _major_completed,
    ("reopened", "major"): _major_reopened,
}
