"""What does a cadre of the demo do about an item of the day's list, as the lines they write?"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reminder.actions.digests import Item, Section
from reminder.demo.people import matters
from reminder.domain.cases import Status
from reminder.domain.entries import Entry
from reminder.domain.people import Person, Role, Staff
from reminder.domain.protocols import Bound, EntryKind
from reminder.domain.tasks import FORM_TASK_FORCE
from reminder.domain.workdays import WorkCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """A line somebody writes; where the office asks back which one is meant, the buttons they tap then."""

    line: str
    taps: Sequence[str] = ()
    """Beginnings of the data of the buttons tapped one after the other."""
    ends: str = ""
    """What the data of the last one ends in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What somebody sees who goes through their list."""

    person: Person
    staff: Staff
    today: date
    calendar: WorkCalendar
    lang: str
    rng: random.Random
    open_of: Mapping[int, Sequence[Entry]]
    """Open entries by case."""

    def says(self, key: str) -> str:
        found: str = matters()["says"][self.lang][key]
        return found

    def day(self, number: int) -> str:
        """So many working days on, as people write it."""
        return self.calendar.add_working(self.today, number).isoformat()

    def leader(self) -> str:
        return self.rng.choice(self.staff.holding(Role.SPONSOR)).name

    def chance(self, of: float) -> bool:
        return self.rng.random() < of

    def awaits(self, item: Item, milestone: str) -> bool:
        """Whether the case has an open one of these already."""
        return any(e.milestone == milestone for e in self.open_of.get(item.row.case.id, ()))


def doing(view: View, item: Item) -> Doing | None:
    """What they do about it today; nothing where it can wait."""
    if item.entry.kind is EntryKind.TASK:
        return _task(view, item)
    if item.entry.kind is EntryKind.VISIT:
        return _visit(view, item)
    status, key = Status(item.row.status), item.entry.milestone
    if item.entry.bound is Bound.NONE or (status is Status.REFERRED and key in _SIGNED_FIRST):
        return None
    if status is Status.REGISTERED and key in _ACCEPTS:
        return _accept(view, item)
    special = _SPECIAL.get(key)
    if special is not None:
        return special(view, item)
    return _usual(view, item)


def _usual(view: View, item: Item) -> Doing:
    return _line(view, item, _LINES.get(item.entry.milestone, "/done {no} {checked}"))


def _line(view: View, item: Item, line: str) -> Doing:
    matter = matters()["matter"].get(item.row.case.category) or matters()["matter"]["welfare"]
    words = {**matters()["says"][view.lang], **{k: v[view.lang] for k, v in matter.items() if k != "unit"}}
    said = line.format(no=item.row.case.number, **words)
    taps = (f"v1:done:{item.entry.id}:",) if line.startswith("/done") else ()
    return Doing(line=said, taps=taps)


def _task(view: View, item: Item) -> Doing:
    what = item.entry.detail.get("what")
    if what == "tell_resident":
        return _line(view, item, "/told {no} {talk}")
    if what in _WISHES and (item.row.status not in _WORKED or item.row.handler_id == view.person.id):
        return _line(view, item, "/done {no} {checked}")  # decided by what has happened since
    if what == "approve_extension":
        return _line(view, item, "/extend {no} 30 {more_time}")
    if what == "approve_deferral":
        return _line(view, item, f"/defer {{no}} {view.day(20)} {{not_yet}} | {{waits_for}}")
    if what == FORM_TASK_FORCE and (head := view.staff.head(item.row.unit_id)) is not None:
        return _line(view, item, f"/taskforce {{no}} {head.name} | {head.name}, {view.person.name}")
    return _line(view, item, "/done {no} {checked}")


def _visit(view: View, item: Item) -> Doing | None:
    """It is made on its day, or a day late; where the resident wants another day, one is found."""
    entry, no = item.entry, item.row.case.number
    if item.section is Section.WAITING:
        return Doing(line=f"/move {no} {view.day(2)} 10:00", taps=(f"v1:keep:{entry.id}:",))
    if item.section not in {Section.MEETING, Section.OVERDUE}:
        return None
    outcome = view.rng.choices(["holds", "partly", "not_solved"], weights=[90, 5, 5])[0]
    taps = (f"v1:how:{entry.id}:", f"v1:vo:{entry.id}:")
    return Doing(line=f"/visited {no} {outcome}", taps=taps, ends=outcome)


def _accept(view: View, item: Item) -> Doing:
    """Without a handler it is given to one first; now and then it belongs elsewhere or has another route."""
    if item.row.handler_id is None:
        near = [p for p in view.staff.holding(Role.HANDLER) if p.unit_id == item.row.unit_id]
        name = view.rng.choice(near).name if near else view.person.name
        return _line(view, item, f"/assign {{no}} {name}")
    if item.row.protocol == "ordinary" and view.chance(0.08):
        return _line(view, item, "/guide {no} {route}")
    if item.row.protocol == "ordinary" and view.chance(0.15) and item.entry.milestone == "first_contact":
        unit = view.staff.units[item.row.unit_id or 0]
        others = [u for u in view.staff.units.values() if u.kind == "department" and u.id != unit.id]
        return _line(view, item, f"/refer {{no}} {view.rng.choice(others).name} {{moved_on}}")
    return _usual(view, item) if view.chance(0.3) else _line(view, item, "/accept {no}")


def _sign(view: View, item: Item) -> Doing:
    return _line(view, item, "/object {no} {not_ours}" if view.chance(0.15) else "/ack {no}")


def _answer(view: View, item: Item) -> Doing:
    """Answered; or more time is asked for, or it cannot be done yet, or not granted."""
    ordinary = item.row.protocol in {"ordinary", "major"} and item.row.status in _WORKED
    if ordinary and item.entry.milestone == "handle" and view.chance(0.1):
        return _line(view, item, "/extend {no} 30 {more_time}")
    if ordinary and view.chance(0.08):
        return _line(view, item, f"/defer {{no}} {view.day(20)} {{not_yet}} | {{waits_for}}")
    if view.chance(0.08):
        return _line(view, item, "/answer {no} not_upheld {refusal} | {rule}")
    return _line(view, item, "/answer {no} upheld {result}")


def _close(view: View, item: Item) -> Doing:
    """Now and then the resident asks for a review instead; whoever was never spoken to is, before."""
    if view.chance(0.2):
        return _line(view, item, "/contact {no} {talk}")
    return _line(view, item, "/review {no}" if view.chance(0.05) else "/close {no}")


def _looked(view: View, item: Item) -> Doing:
    again = f"/defer {{no}} {view.day(25)} {{not_yet}} | {{waits_for}}"
    return _line(view, item, again if view.chance(0.2) else "/resume {no}")


def _reviewed(view: View, item: Item) -> Doing:
    return _line(view, item, f"/reviewed {{no}} {'again' if view.chance(0.25) else 'stands'} {{review}}")


def _sponsor(view: View, item: Item) -> Doing:
    return _line(view, item, f"/sponsor {{no}} {view.leader()}")


def _invite(view: View, item: Item) -> Doing | None:
    if view.awaits(item, "invited_meeting"):
        return None
    return _line(view, item, f"/meet {{no}} {view.day(3)} 14:30 | {{town_hall}} | {view.leader()}")


def _site(view: View, item: Item) -> Doing | None:
    if view.awaits(item, "outreach"):
        return None
    place = item.row.case.place
    return _line(view, item, f"/outreach {{no}} {view.day(4)} 09:00 | {place} | {view.leader()}")


def _joint(view: View, item: Item) -> Doing | None:
    if view.awaits(item, "joint_review"):
        return None
    secretary = view.staff.holding(Role.SUPERVISION)[0].name
    return _line(view, item, f"/joint {{no}} {view.day(3)} 09:00 | {{county_hall}} | {secretary}")


_WORKED = frozenset({Status.ACCEPTED, Status.IN_PROGRESS})
_WISHES = frozenset({"approve_extension", "approve_deferral"})
_SIGNED_FIRST = frozenset({"notify", "refer", "sign", "sign_danger"})
"""What can only be done once the unit a case was passed to has signed for it."""

_ACCEPTS = _SIGNED_FIRST | {"first_contact", "contact", "fix", "next_step"}
"""What a registered case owes at first: being taken on ends most of it."""

_SPECIAL: Mapping[str, Callable[[View, Item], Doing | None]] = {
    "ack": _sign,
    "handle": _answer,
    "handle_again": _answer,
    "answer_inquiry": _answer,
    "ledger_due": _answer,
    "close": _close,
    "look_again": _looked,
    "reexam": _reviewed,
    "review2": _reviewed,
    "sponsor": _sponsor,
    "invite": _invite,
    "site": _site,
    "joint1": _joint,
    "joint_next": _joint,
}
_CONTACTS = ("first_contact", "contact", "progress", "plan_again", "explain", "cb1", "tell_joint")
_LINES: Mapping[str, str] = {
    **dict.fromkeys(_CONTACTS, "/contact {no} {talk}"),
    "half": "/note {no} {note}",
    "notify": "/accept {no}",
    "sign": "/accept {no}",
    "sign_danger": "/accept {no}",
    "refer": "/accept {no}",
    "serve": "/served {no} {how}",
    "commitment": "/kept {no} {road_kept}",
    "order": "/statement {no} {looked_again}",
    "order_outcome": "/outcome {no} explained {checked}",
    "plan": "/done {no} {plan}",
    "minutes": "/done {no} {minutes}",
    "decision_note": "/done {no} {minutes}",
    "lowscore": "/done {no} {listened}",
    "lessons": "/done {no} {lessons}",
}
"""What a cadre writes for a milestone; for those not here that it is done."""
