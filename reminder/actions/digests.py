"""What one person has to do today, as one message: sections of lines, with a row of buttons for each."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reminder.actions.desk import Desk
from reminder.actions.late_words import days_late
from reminder.actions.task_words import task_in_words
from reminder.actions.whom import reached
from reminder.domain.entries import Concern, Entry, EntryStatus
from reminder.domain.messages import Button, Keyboard, Style
from reminder.domain.people import Person, Role, Staff
from reminder.domain.protocols import Bound, EntryKind
from reminder.domain.said_dates import say_date, say_time, say_weekday_date
from reminder.domain.workdays import local_day
from reminder.store import cases, entries, people, reminders
from reminder.store.cases import CaseRow
from reminder.store.database import Tx

ROWS = 4
"""Items with buttons; the others are reached with /today and /case."""

DIGEST = "digest"

LINES = 8
"""Lines per section before "and n more"."""


class Section(StrEnum):
    """In the order of the message."""

    MEETING = "meeting"
    DUE_TODAY = "due_today"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    WAITING = "waiting"
    NOT_DELIVERED = "not_delivered"
    TASK = "task"
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing in somebody's calendar."""

    section: Section
    entry: Entry
    row: CaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    text: str
    buttons: Keyboard
    hash: str
    empty: bool = False
    """Nothing to do and nothing done: not worth a message."""


async def items_of(tx: Tx, desk: Desk, person: Person, *, day: date | None = None) -> list[Item]:
    """Open entries this person answers for, most pressing first within each section."""
    staff = await people.staff(tx)
    today = day or local_day(desk.clock.now(), desk.office.zone)
    away = [p for p in staff.people.values() if p.active and staff.reached(p, today) == person]
    everything = any(p.roles & {Role.SUPERVISION, Role.TOP, Role.ADMIN} for p in away)
    units = None if everything else [unit for p in away for unit in _units_below(p, staff)]
    near = await entries.open_for(tx, [p.id for p in away], units)
    known = {one.id for one in near}
    villages = [place for p in away if p.is_agent for place in staff.villages_of(p.id)]
    near += [one for one in await entries.open_at(tx, villages) if one.id not in known]
    rows = await cases.many(tx, sorted({one.case_id for one in near}))
    mine = [one.id for one in near if _is_for(person, one, rows[one.case_id], desk, staff, today)]
    items = [
        Item(section=_section(entry, today, desk), entry=entry, row=rows[entry.case_id])
        for entry in await entries.by_ids(tx, mine)
        if not _lapsed(entry, today)
    ]
    order = list(Section)
    return sorted(
        items, key=lambda i: (order.index(i.section), i.entry.starts_at or i.entry.due_at, i.entry.id)
    )


def _units_below(person: Person, staff: Staff) -> list[int]:
    """Units whose cases can hold something for the person; `_is_for` decides entry by entry."""
    headed = [unit.id for unit in staff.units.values() if unit.head_id == person.id]
    return [u.id for u in staff.units.values() if any(staff.within(u.id, root) for root in headed)]


def _is_for(person: Person, entry: Concern, row: CaseRow, desk: Desk, staff: Staff, day: date) -> bool:
    milestone = desk.protocol_of(row).milestone(entry.milestone)
    role = milestone.due_role if milestone is not None else Role.HANDLER
    if entry.kind is EntryKind.TASK and entry.detail.get("role"):
        role = Role(entry.detail["role"])
    theirs = reached(role, row, staff, entry, day=day)
    if not theirs and entry.kind is EntryKind.TASK:
        theirs = reached(Role.HANDLER, row, staff, entry, day=day)  # nothing is left to nobody
    return any(p.id == person.id for p in theirs)


def _lapsed(entry: Entry, today: date) -> bool:
    """A window that binds nobody is never late; it is simply over."""
    bound = entry.bound is Bound.OFFICE or entry.kind is EntryKind.TASK
    return not bound and entry.due_on is not None and entry.due_on < today


def _section(entry: Entry, today: date, desk: Desk) -> Section:
    if entry.kind is EntryKind.TASK:
        return Section.NOT_DELIVERED if entry.detail.get("what") == "tell_resident" else Section.TASK
    due = entry.promise_on or entry.due_on or today
    if entry.kind is EntryKind.VISIT and entry.note == "other_day":
        return Section.WAITING
    if due < today or entry.status is EntryStatus.MISSED:
        return Section.OVERDUE
    if due == today:
        return Section.MEETING if entry.kind is EntryKind.VISIT else Section.DUE_TODAY
    return Section.DUE_SOON if due <= desk.office.calendar.add_working(today, 3) else Section.LATER


async def digest_of(tx: Tx, desk: Desk, person: Person, *, day: date, undo: int | None = None) -> Digest:
    """The person's task message for a day, as things stand now; `undo` is a deed still to be taken back."""
    items = [i for i in await items_of(tx, desk, person, day=day) if i.section is not Section.LATER]
    items += await _told_besides(tx, desk, person, day, known={i.entry.id for i in items})
    done = await done_on(tx, desk, person, day)
    text = _text(desk, person, items, done, day)
    buttons = _keyboard(desk, person, items, undo)
    digest = hashlib.sha256(repr((text, buttons)).encode()).hexdigest()[:16]
    return Digest(text=text, buttons=buttons, hash=digest, empty=not items and not done)


async def _told_besides(tx: Tx, desk: Desk, person: Person, day: date, *, known: set[int]) -> list[Item]:
    """What is somebody else's to do, but fell due to be told to this person today."""
    ids = await reminders.merged_into(tx, digest_key(person.id, day))
    found = [e for e in await entries.by_ids(tx, sorted(ids - known)) if e.is_open and not _lapsed(e, day)]
    rows = await cases.many(tx, sorted({e.case_id for e in found}))
    told = [Item(section=_section(e, day, desk), entry=e, row=rows[e.case_id]) for e in found]
    return [item for item in told if item.section is not Section.LATER]


def digest_key(person_id: int, day: date) -> str:
    """Of the one digest a person gets on a local day."""
    return f"{DIGEST}:{person_id}:{day.isoformat()}"


async def done_on(tx: Tx, desk: Desk, person: Person, day: date) -> list[Item]:
    """What the person's cases got done that day: kept in sight until the evening."""
    zone = desk.office.zone
    start = datetime.combine(day, datetime.min.time(), zone)
    found = await entries.done_by(tx, person.id, since=start)
    rows = await cases.many(tx, sorted({e.case_id for e in found}))
    return [Item(section=Section.LATER, entry=e, row=rows[e.case_id]) for e in found]


def _text(desk: Desk, person: Person, items: Sequence[Item], done: Sequence[Item], day: date) -> str:
    lang, words = person.lang, desk.templates.word
    greeting = words("digest.greeting", lang, staff=person.name, date=say_weekday_date(day, lang, day))
    numbers = {item.entry.id: n for n, item in enumerate(_tapped(items), 1)}
    parts: list[str] = []
    for section in Section:
        mine = [i for i in items if i.section is section]
        if mine:
            title = words(f"digest.title.{section}", lang, n=len(mine))
            parts.append("\n".join([title, *_lines(desk, mine, numbers, lang, day)]))
    if done:
        title = words("digest.done", lang, n=len(done))
        parts.append("\n".join([title, *("✓ " + _what(desk, i, lang) for i in done[:LINES])]))
    if not parts:
        parts.append(words("digest.nothing", lang))
    values = {"greeting": greeting, "sections": "\n".join(parts), "footer": words("digest.footer", lang)}
    return desk.templates.text("digest", "telegram", lang, values)


def _lines(desk: Desk, items: Sequence[Item], numbers: dict[int, int], lang: str, day: date) -> Iterable[str]:
    for item in items[:LINES]:
        number = numbers.get(item.entry.id)
        yield (f"{number}. " if number else "· ") + line(desk, item, lang, day)
    if len(items) > LINES:
        yield desk.templates.word("digest.more", lang, n=len(items) - LINES)


def line(desk: Desk, item: Item, lang: str, today: date) -> str:
    """One item in one line: number and village, never a resident's name."""
    words, entry = desk.templates.word, item.entry
    zone = desk.office.zone
    due = entry.promise_on or entry.due_on or today
    start, end = entry.starts_at, entry.ends_at
    when = say_time(start.astimezone(zone).time(), end.astimezone(zone).time(), lang) if start and end else ""
    confidential = item.row.case.confidential
    section = Section.DUE_SOON if item.section is Section.LATER else item.section
    calendar = desk.office.calendar
    return words(
        f"digest.line.{section}",
        lang,
        no=item.row.case.number,
        what=_gist(desk, entry, item.row, lang) + _provisional(desk, entry, lang),
        kind=_gist(desk, entry, item.row, lang),
        place=words("confidential", lang) if confidential else item.row.case.place or "—",
        time=when,
        due=say_date(due, lang, today),
        late=days_late(desk.templates, max(1, calendar.working_between(entry.due_on or due, today)), lang),
        meaning=words("meaning.other_day", lang),
        gist=_gist(desk, entry, item.row, lang),
        why=_why(desk, str(entry.detail.get("why", "")), lang),
    )


def _what(desk: Desk, item: Item, lang: str) -> str:
    return f"{item.row.case.number} {_gist(desk, item.entry, item.row, lang)}"


def _provisional(desk: Desk, entry: Entry, lang: str) -> str:
    return desk.templates.word("provisional_mark", lang) if entry.provisional else ""


def _why(desk: Desk, reason: str, lang: str) -> str:
    known = f"why.{reason}"
    return desk.templates.word(known if desk.templates.has_word(known) else "why.failed", lang)


def _gist(desk: Desk, entry: Entry, row: CaseRow, lang: str) -> str:
    """An entry in words, without reading its case: from its protocol, or from the task's own words."""
    milestone = desk.protocol_of(row).milestone(entry.milestone)
    if milestone is not None:
        return milestone.words[lang]
    return task_in_words(entry, desk.templates, lang, quoted=not row.case.confidential)


def _tapped(items: Sequence[Item]) -> Sequence[Item]:
    """The items with buttons: what is for today or late, not what is still ahead."""
    return [item for item in items if item.section is not Section.DUE_SOON][:ROWS]


def _keyboard(desk: Desk, person: Person, items: Sequence[Item], undo: int | None) -> Keyboard:
    rows = [
        item_row(desk, item.entry, person.lang, f" {number}") for number, item in enumerate(_tapped(items), 1)
    ]
    if undo is not None:
        label = desk.templates.word("button.undo", person.lang)
        rows.insert(0, (Button(label=label, data=f"v1:undo:{undo}:0"),))
    return tuple(rows)


def item_row(desk: Desk, entry: Entry, lang: str, mark: str = "") -> tuple[Button, ...]:
    """Done · move · can't reach · more, for one entry at its present revision."""
    words = desk.templates.word
    tail = f"{entry.id}:{entry.revision}"
    visit = entry.kind is EntryKind.VISIT
    buttons = [Button(label=words("button.done", lang) + mark, data=f"v1:done:{tail}", style=Style.SUCCESS)]
    if visit:
        buttons.append(Button(label=words("button.move", lang), data=f"v1:move:{tail}"))
        label = words("button.cant_reach", lang)
        buttons.append(Button(label=label, data=f"v1:away:{tail}", style=Style.DANGER))
    buttons.append(Button(label=words("button.more", lang), data=f"v1:more:{tail}"))
    return tuple(buttons)
