"""How late something is, in words: working days, or hours where the limit runs by the clock."""

from datetime import datetime

from reminder.domain.entries import Entry
from reminder.domain.offices import Office
from reminder.domain.workdays import local_day
from reminder.render import Templates


def how_late(templates: Templates, entry: Entry, office: Office, now: datetime, lang: str) -> str:
    """ "3 working days", "2小时"; counted from the day missed last, the promised or the statutory one."""
    today = local_day(now, office.zone)
    missed = [day for day in (entry.promise_on, entry.due_on) if day is not None and day < today]
    days = office.calendar.working_between(max(missed), today) if missed else 0
    if days:
        return days_late(templates, days, lang)
    due = entry.starts_at or entry.due_at
    hours = int((now - due).total_seconds() // 3600) if due is not None else 0
    if hours < 1:
        return templates.word("late.just", lang)
    return templates.word("late.hour" if hours == 1 else "late.hours", lang, n=hours)


def time_left(templates: Templates, due: datetime, now: datetime, lang: str) -> str:
    """ "3 days", "12小时": whole days from two on, hours before that."""
    hours = max(int((due - now).total_seconds() // 3600), 1)
    if hours >= 48:
        return templates.word("left.days", lang, n=hours // 24)
    return templates.word("left.hour" if hours == 1 else "left.hours", lang, n=hours)


def days_late(templates: Templates, days: int, lang: str) -> str:
    return templates.word("late.day" if days == 1 else "late.days", lang, n=days)
