"""What each kind of message says: its values, from fresh facts, by kind."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from reminder.actions.casework_words import CASEWORK
from reminder.actions.late_words import how_late, time_left
from reminder.actions.scene import CaseScene, Scene
from reminder.domain.cases import Event
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.said_dates import say_date, say_short_date, say_slot, say_time, say_weekday_date
from reminder.domain.workdays import local_day

Values = dict[str, Any]


def values(scene: Scene) -> Values:
    """Values by placeholder name. One that nobody has is left out, and the render says so."""
    found = _common(scene)
    if scene.case is not None:
        found |= _of_case(scene, scene.case)
    if scene.case is not None and scene.entry is not None:
        found |= _of_entry(scene, scene.case, scene.entry)
        special = _SPECIAL.get(scene.reminder.kind) or CASEWORK.get(scene.reminder.kind)
        if special is not None:
            found |= special(scene, scene.case, scene.entry)
    return found | _said(scene)


def _common(scene: Scene) -> Values:
    name = scene.resident.name if scene.resident is not None else ""
    return {"name": name, "phone": scene.office.phone}


def _of_case(scene: Scene, case: CaseScene) -> Values:
    words = scene.desk.templates
    unit = case.staff.units.get(case.row.unit_id or 0)
    person = case.responsible
    intake = case.staff.people.get(case.row.case.first_contact_id or 0)
    place = words.word("confidential", scene.lang) if case.row.case.confidential else case.row.case.place
    category = f"category.{case.row.case.category}"
    return {
        "no": case.row.case.number,
        "unit": unit.name if unit else scene.office.name,
        "staff": person.name if person else scene.office.name,
        "handler": person.name if person else "",
        "intake": intake.name if intake else scene.office.name,
        "place": place or (unit.name if unit else ""),
        "category": words.word(category if words.has_word(category) else "category.other", scene.lang),
        "days": scene.office.review_days,
        "review_body": scene.office.review_body.get(scene.lang, scene.office.name),
    }


def _of_entry(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    found: Values = {"what": case.what(entry, scene.lang)}
    if (day := entry.promise_on or entry.due_on) is not None:
        found |= {"date": _day(scene, day), "due": _day(scene, day)}
    if entry.starts_at is not None:
        zone = scene.office.zone
        start = entry.starts_at.astimezone(zone)
        # A text has room for one segment: residents read when it starts, staff the whole slot.
        whole = scene.resident is None and entry.ends_at is not None
        end = entry.ends_at.astimezone(zone).time() if whole and entry.ends_at else None
        weekday = say_weekday_date(start.date(), scene.lang, _today(scene))
        found |= {"date": weekday, "new": weekday, "time": say_time(start.time(), end, scene.lang)}
    return found


def _said(scene: Scene) -> Values:
    """What the anchoring fact or the direct message brought along; keys of words are turned into words."""
    found: Values = {}
    source: dict[str, Any] = dict(scene.entry.detail) if scene.entry is not None else {}
    for name, value in (source | dict(scene.reminder.detail)).items():
        if isinstance(value, str) and value.startswith("word:"):
            no = scene.case.row.case.number if scene.case is not None else ""
            score = str(scene.reminder.detail.get("score", ""))
            found[name] = scene.desk.templates.word(
                value.removeprefix("word:"), scene.lang, no=no, score=score
            )
        elif name.endswith("_on") and isinstance(value, str):
            found[name.removesuffix("_on")] = _day(scene, date.fromisoformat(value))
        elif name in _FREE:
            found[name] = value
    return found


_FREE = frozenset(
    {"progress", "next", "reason", "result", "score", "state", "alt", "meaning", "suggested_next"}
    | {
        "path",
        "approver",
        "text",
        "sender",
        "n",
        "m",
        "no_list",
        "promises",
        "staff",
        "lines",
        "said",
        "year",
    }
    | {"received", "closed", "on_time", "were_due", "visited", "visits_due", "bounced", "undelivered"}
    | {"provisional", "since", "back"}
)
"""Fields of a fact that a person wrote for this very message."""


def _today(scene: Scene) -> date:
    return local_day(scene.now, scene.office.zone)


def _day(scene: Scene, day: date) -> str:
    return say_date(day, scene.lang, _today(scene))


def _promise_of(scene: Scene, case: CaseScene, *milestones: str) -> Values:
    entry = next((e for m in milestones if (e := case.open_of(m)) is not None), None) or case.next_owed()
    day = (entry.promise_on or entry.due_on) if entry is not None else None
    return {"date": _day(scene, day)} if day is not None else {}


def _received(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    """Even if the case was accepted meanwhile, the first text keeps the date of the notice of receipt."""
    notify = case.latest("notify")
    if notify is not None and notify.promise_on is not None:
        return {"date": _day(scene, notify.promise_on)}
    return _promise_of(scene, case)


def _accepted(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    owed = case.next_owed()
    day = (owed.promise_on or owed.due_on) if owed is not None else None
    return {"date": _day(scene, day)} if day is not None else {}


def _progress(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    return _promise_of(scene, case, "progress")


def _answered(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    return _promise_of(scene, case, "serve")


def _low_score(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    return _promise_of(scene, case, "lowscore")


def _return_visit(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    closed = case.past.last(Event.CLOSE)
    starts = entry.starts_at or scene.now
    days = (starts - closed.at).days if closed is not None else 0
    return {"months": period(days, scene)}


def period(days: int, scene: Scene) -> str:
    """About how long ago, in the words [period]: days, weeks or months."""
    words = scene.desk.templates
    if days >= 28:
        months = max(1, round(days / 30.4))
        return words.word("period.month" if months == 1 else "period.months", scene.lang, n=months)
    return words.word("period.days", scene.lang, n=max(1, days))


def _moved(scene: Scene, _case: CaseScene, entry: Entry) -> Values:
    """When they last heard it would be, and when it is now; what has not changed is not said twice."""
    slot = _last_heard(scene)
    if slot is None:
        return {}
    old_at, _, old_place = slot.partition("|")
    old, new = _local(scene, datetime.fromisoformat(old_at)), entry.starts_at
    if new is None or not entry.is_open:
        return {"old": _slot(scene, old)}
    if scene.resident is not None:
        return _moved_for_resident(scene, old, _local(scene, new), old_place, entry.place)
    end = _local(scene, entry.ends_at) if entry.ends_at is not None else None
    return {"old": _slot(scene, old), "new": _slot(scene, _local(scene, new), end)}


def _moved_for_resident(scene: Scene, old: datetime, new: datetime, old_place: str, place: str) -> Values:
    """One segment holds one weekday and one or two times, no more."""
    lang, today, words = scene.lang, _today(scene), scene.desk.templates.word
    day = say_short_date(old.date(), lang, new.date(), today)
    if old.date() != new.date():
        return {"old": day, "new": _slot(scene, new)}
    day = f"{day}{'' if lang == 'zh' else ', '}{say_time(old.time(), None, lang)}"
    if old != new or old_place == place:
        return {"old": day, "new": words("moved.same_day", lang, time=say_time(new.time(), None, lang))}
    return {"old": day, "new": place or words("moved.home", lang)}


def _last_heard(scene: Scene) -> str | None:
    """The slot this recipient was last told."""
    heard = [t.slot for t in scene.told if t.recipient == scene.reminder.recipient and t.slot]
    return heard[-1] if heard else None


def _local(scene: Scene, moment: datetime) -> datetime:
    return moment.astimezone(scene.office.zone)


def _slot(scene: Scene, start: datetime, end: datetime | None = None) -> str:
    last = end.time() if end is not None else None
    return say_slot(start.date(), start.time(), last, scene.lang, _today(scene))


def _new_case(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    """When to speak to the person, and what they then wait for: the answer, or who handles it."""
    answer = case.answer_owed()
    entry = answer or case.latest("notify") or case.next_owed()
    first = case.latest("first_contact", "contact", "sign") or entry
    return {
        "first_contact_by": _by(scene, first) if first is not None else "",
        "due": _by(scene, entry) if entry is not None else "",
        "goal": scene.desk.templates.word(f"goal.{'answer' if answer else 'tell'}", scene.lang),
    }


def _by(scene: Scene, entry: Entry) -> str:
    """The day somebody was promised; for what runs in hours, the moment."""
    if entry.promise_on is None and entry.due_at is not None:
        return _slot(scene, _local(scene, entry.due_at))
    day = entry.promise_on or entry.due_on
    return _day(scene, day) if day is not None else ""


def _near(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    """How much time is left, and what helps where it is not enough: more of it, or a word why."""
    words, due, office = scene.desk.templates, entry.due_at, scene.office
    milestone = case.milestone(entry)
    day = entry.promise_on or entry.due_on
    asked = any(f.event is Event.EXTEND for f in case.past.about(entry.key))
    more = milestone is not None and milestone.extension is not None and not asked
    by = office.calendar.add_working(day, -1) if more and day is not None else None
    if by is not None and by > _today(scene):
        otherwise = words.word("near.extend", scene.lang, day=_day(scene, by))
    else:
        otherwise = words.word("near.reason", scene.lang, no=case.row.case.number)
    return {
        "due": _by(scene, entry),
        "left": time_left(words, due, scene.now, scene.lang) if due is not None else "",
        "otherwise": otherwise,
    }


def _late(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    reasons = [f for f in case.past.all(Event.NOTE) if f.value.get("why")]
    why = str(reasons[-1].value["why"]) if reasons else scene.desk.templates.word("nothing_yet", scene.lang)
    return {
        "late": how_late(scene.desk.templates, entry, scene.office, scene.now, scene.lang),
        "why": why,
        "leader": scene.person.name if scene.person else "",
    }


def _visit_tomorrow(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    """What was promised and what helps at the door: a line each, where there is something to say."""
    words = scene.desk.templates.word
    promises = [f for f in case.past.all(Event.NOTE, Event.CONTACT) if f.value.get("promise")]
    promise = str(promises[-1].value["promise"]) if promises else ""
    needs = words("separator", scene.lang).join(scene.needs)
    confirmed = "confirmed" if entry.status is EntryStatus.CONFIRMED else "unconfirmed"
    return {
        "last_promise": words("card.promise", scene.lang, said=promise) + "\n" if promise.strip() else "",
        "needs": words("card.needs", scene.lang, needs=needs) + "\n" if needs.strip() else "",
        "confirmed": words(f"card.{confirmed}", scene.lang),
    }


_SPECIAL: Mapping[str, Callable[[Scene, CaseScene, Entry], Values]] = {
    "received": _received,
    "accepted": _accepted,
    "progress": _progress,
    "reply_issued": _answered,
    "not_upheld": _answered,
    "reopened": _progress,
    "low_score": _low_score,
    "low_score_alert": _low_score,
    "return_visit": _return_visit,
    "visit_moved": _moved,
    "visit_cancelled": _moved,
    "staff_visit_moved": _moved,
    "staff_visit_cancelled": _moved,
    "new_case": _new_case,
    "escalation": _late,
    "overdue": _late,
    "deadline_near": _near,
    "staff_visit_tomorrow": _visit_tomorrow,
}
