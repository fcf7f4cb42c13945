"""What the messages of the whole casework say: referrals, extensions, reviews, promises and orders."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from reminder.actions.scene import CaseScene, Scene
from reminder.domain.cases import Event
from reminder.domain.entries import Entry
from reminder.domain.said_dates import say_date
from reminder.domain.workdays import local_day

Values = dict[str, Any]


def _day(scene: Scene, day: date | None) -> str:
    return say_date(day, scene.lang, local_day(scene.now, scene.office.zone)) if day is not None else ""


def _promised(scene: Scene, entry: Entry | None) -> str:
    return _day(scene, (entry.promise_on or entry.due_on) if entry is not None else None)


def _referred(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    """The unit it went to, and by when somebody there calls."""
    unit = case.staff.units.get(int(entry.detail.get("unit") or case.row.unit_id or 0))
    by = case.open_of("first_contact") or case.open_of("notify")
    calendar, today = scene.office.calendar, local_day(scene.now, scene.office.zone)
    day = _promised(scene, by) or _day(scene, calendar.add_working(today, 3))
    return {"unit": unit.name if unit else scene.office.name, "date": day}


def _acknowledge(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    sender = case.staff.units.get(case.row.unit_id or 0)
    return {
        "sender": sender.name if sender else scene.office.name,
        "object_by": _promised(scene, case.open_of("object")),
    }


def _extended(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    fact = case.past.last(Event.EXTEND)
    longer = case.entries.get(fact.subject) if fact is not None else None
    return {"date": _promised(scene, longer)}


def _leader(_scene: Scene, case: CaseScene, entry: Entry) -> Values:
    """The leader a meeting or a sponsorship names; before there is one, whoever handles the case."""
    person = case.staff.active(entry.person_id) or case.staff.active(case.row.sponsor_id)
    person = person or case.responsible
    return {"leader": person.name if person is not None else ""}


def _invited(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    return _leader(scene, case, entry) | {"place": entry.place or scene.office.name}


def _commitment(scene: Scene, _case: CaseScene, entry: Entry) -> Values:
    name = scene.person.name if scene.person is not None else ""
    return {"staff": name, "text": str(entry.detail.get("text", ""))[:200]}


def _joint(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    assert entry.due_on is not None
    secretary = case.staff.active(entry.person_id)
    numbers = entry.detail.get("agenda") or [case.row.case.number]
    return {
        "no_list": scene.desk.templates.word("separator", scene.lang).join(numbers),
        "papers_by": _day(scene, scene.office.calendar.add_working(entry.due_on, -2)),
        "secretary": secretary.name if secretary is not None else scene.office.name,
        "place": entry.place or scene.office.name,
    }


def _reception(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    booked = [str(f.value["booked"]) for f in case.past.about(entry.key) if "booked" in f.value]
    separator = scene.desk.templates.word("separator", scene.lang)
    return _leader(scene, case, entry) | {
        "place": entry.place or scene.office.name,
        "no_list": separator.join(booked) or scene.desk.templates.word("none", scene.lang),
    }


CASEWORK: Mapping[str, Callable[[Scene, CaseScene, Entry], Values]] = {
    "referred": _referred,
    "acknowledge": _acknowledge,
    "extension": _extended,
    "sponsored": _leader,
    "invited_meeting": _invited,
    "meeting_tomorrow": _invited,
    "commitment_made": _commitment,
    "joint_review": _joint,
    "reception_duty": _reception,
    "reception_list": _reception,
    "reception_record": _reception,
}
"""Kind of message -> its own values."""
