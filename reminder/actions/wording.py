"""What each kind of message says: its values, from fresh facts, by kind."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from reminder.actions.casework_words import CASEWORK
from reminder.actions.scene import CaseScene, Scene
from reminder.domain.cases import Event
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.said_dates import say_date, say_slot, say_time, say_weekday_date
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
    """From which slot to which. On the same day the hours alone tell them apart."""
    recipient = scene.reminder.recipient
    heard = [t.slot for t in scene.told if t.recipient == recipient and t.slot]
    if not heard:
        return {}
    lang, today = scene.lang, _today(scene)
    old = _slot_start(heard[-1], scene)
    new = entry.starts_at.astimezone(scene.office.zone) if entry.starts_at is not None else None
    if new is None or not isinstance(old, datetime):
        return {"old": say_weekday_date(_as_day(old), lang, today)}
    if old.date() == new.date():
        hour = say_time(new.time(), None, lang)
        return {
            "old": _short_slot(old, lang, today),
            "new": hour if scene.resident else _slot(new, lang, today),
        }
    # A text has room for one weekday: that of the day to come.
    before = say_date(old.date(), lang, today) if scene.resident else _slot(old, lang, today)
    return {"old": before, "new": _slot(new, lang, today)}


def _cancelled(scene: Scene, _case: CaseScene, _entry: Entry) -> Values:
    recipient = scene.reminder.recipient
    heard = [t.slot for t in scene.told if t.recipient == recipient and t.slot]
    if not heard:
        return {}
    return {"old": say_weekday_date(_as_day(_slot_start(heard[-1], scene)), scene.lang, _today(scene))}


def _slot(moment: datetime, lang: str, today: date) -> str:
    return say_slot(moment.date(), moment.time(), None, lang, today)


def _short_slot(moment: datetime, lang: str, today: date) -> str:
    """Day and hour without the weekday: "12月2日下午4点", "2 December, 4 pm"."""
    gap = "" if lang == "zh" else ", "
    return f"{say_date(moment.date(), lang, today)}{gap}{say_time(moment.time(), None, lang)}"


def _as_day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


def _slot_start(slot: str, scene: Scene) -> date:
    """The local start that a message named, or its day alone."""
    when = slot.partition("|")[0]
    if "T" in when:
        return datetime.fromisoformat(when).astimezone(scene.office.zone)
    return date.fromisoformat(when)


def _new_case(scene: Scene, case: CaseScene, _entry: Entry) -> Values:
    contact = case.latest("first_contact", "contact", "sign")
    owed = case.next_owed()
    first = contact or owed
    by = (first.promise_on or first.due_on) if first is not None else None
    answer = case.answer_owed() or case.latest("notify") or owed
    due = (answer.promise_on or answer.due_on) if answer is not None else by
    return {
        "first_contact_by": _day(scene, by) if by else "",
        "due": _day(scene, due) if due else "",
        "goal": scene.desk.templates.word(f"goal.{'answer' if case.answer_owed() else 'tell'}", scene.lang),
    }


def _late(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    base = entry.due_on or entry.promise_on
    calendar = scene.office.calendar
    k = calendar.working_between(base, _today(scene)) if base is not None and base < _today(scene) else 0
    reasons = [f for f in case.past.all(Event.NOTE) if f.value.get("why")]
    why = str(reasons[-1].value["why"]) if reasons else scene.desk.templates.word("nothing_yet", scene.lang)
    return {
        "late": _how_late(scene, entry, k),
        "why": why,
        "leader": scene.person.name if scene.person else "",
    }


def _how_late(scene: Scene, entry: Entry, days: int) -> str:
    """Working days, or hours where the limit runs by the clock: "3 working days", "2小时"."""
    words = scene.desk.templates.word
    if days:
        return words("late.day" if days == 1 else "late.days", scene.lang, n=days)
    hours = int((scene.now - entry.due_at).total_seconds() // 3600) if entry.due_at is not None else 0
    if hours < 1:
        return words("late.just", scene.lang)
    return words("late.hour" if hours == 1 else "late.hours", scene.lang, n=hours)


def _visit_tomorrow(scene: Scene, case: CaseScene, entry: Entry) -> Values:
    words = scene.desk.templates
    promises = [f for f in case.past.all(Event.NOTE, Event.CONTACT) if f.value.get("promise")]
    separator, needs = words.word("separator", scene.lang), scene.needs
    none = words.word("none", scene.lang)
    confirmed = "confirmed" if entry.status is EntryStatus.CONFIRMED else "unconfirmed"
    return {
        "last_promise": str(promises[-1].value["promise"]) if promises else none,
        "needs": separator.join(needs) or none,
        "confirmed": words.word(f"card.{confirmed}", scene.lang),
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
    "visit_cancelled": _cancelled,
    "staff_visit_moved": _moved,
    "new_case": _new_case,
    "escalation": _late,
    "overdue": _late,
    "staff_visit_tomorrow": _visit_tomorrow,
}
