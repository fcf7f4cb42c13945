"""How is the day of a visit chosen: chip, calendar or words, echoed with what the resident will get, kept?"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from reminder.actions import entries
from reminder.actions.digests import items_of
from reminder.actions.entries import Slot
from reminder.actions.guard import permit
from reminder.actions.replan import Plan
from reminder.actions.scene import CaseScene, read_case
from reminder.bot.answers import Answer, Card
from reminder.bot.arguments import (
    leading_when,
    looks_like_a_date,
    no_date,
    read_slot,
    say_slot,
    slot_of,
    write_slot,
)
from reminder.bot.deeds import deed, foreseen
from reminder.bot.heard import Tap
from reminder.bot.standing import next_visit, standing_visit
from reminder.bot.turn import Turn, rows
from reminder.domain.dates import When, chips, say_day, say_time, say_weekday_date
from reminder.domain.entries import Entry
from reminder.domain.errors import NotFound, Stale
from reminder.domain.messages import Button, Style
from reminder.domain.protocols import EntryKind
from reminder.domain.workdays import at

MONTHS_AHEAD = 24

BLANK = "\u2800"
"""A button must say something; this says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a day is chosen for: an entry to move (`rev` its revision), or a new visit of a case (`rev` its
    number among the case's visits)."""

    id: int
    rev: int
    new: bool = False

    def act(self, name: str) -> str:
        return f"v{name}" if self.new else name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    scene: CaseScene
    entry: Entry | None

    @property
    def no(self) -> str:
        return self.scene.row.case.number

    def what(self, lang: str, plain: str) -> str:
        return self.scene.what(self.entry, lang) if self.entry is not None else plain


async def _subject(turn: Turn, target: Target) -> _Subject:
    if not target.new:
        scene, entry = await standing_visit(turn, target.id, target.rev)
        return _Subject(scene=scene, entry=entry)
    await permit(turn.tx, turn.by, "visit", target.id)
    scene = await read_case(turn.tx, turn.desk, target.id)
    if await next_visit(turn, target.id) != target.rev:
        raise Stale("bot.already_planned", no=scene.row.case.number)
    return _Subject(scene=scene, entry=None)


async def choose(turn: Turn, target: Target, place: str = "") -> Card:
    """Chips, the calendar, or words: what is written next is read as a date."""
    about = await _subject(turn, target)
    detail = {"id": target.id, "rev": target.rev, "new": target.new, "place": place}
    await turn.ask("date", detail)
    planned = about.entry.starts_at if about.entry is not None else None
    offers = [
        turn.button(
            _chip(turn, key, when),
            target.act("pick"),
            target.id,
            target.rev,
            "d",
            write_slot(slot_of(when)),
        )
        for key, when in chips(turn.now, turn.desk.office.calendar, after=planned)
    ]
    other = turn.button(turn.word("button.calendar"), target.act("cal"), target.id, target.rev, "d", "0")
    text = turn.word("ask.day", no=about.no, what=about.what(turn.lang, turn.word("bot.new_visit")))
    return Card(text=text, buttons=(*rows(offers, 1), (other,)))


def _chip(turn: Turn, key: str, when: When) -> str:
    """Short enough to be read whole on a phone; day and hours are said in full before anything is kept."""
    if key == "chip.later_today":
        return f"{turn.word(key)} · {say_time(*when.visit_slot, turn.lang)}"
    return f"{turn.word(key)} · {say_weekday_date(when.day, turn.lang, turn.today)}"


async def month(turn: Turn, target: Target, shown: str) -> Card:
    """A month to tap a day in, from this week on. "(28)" is a rest day, "12 ·3" one with three visits."""
    about = await _subject(turn, target)
    first = _month(turn, shown)
    head = f"{first:%Y-%m}"
    steps = [
        _turned(turn, target, "‹", first - timedelta(days=1), first > turn.today.replace(day=1)),
        turn.button(head, "nop"),
        _turned(turn, target, "›", first + timedelta(days=32), _ahead(turn, first) < MONTHS_AHEAD),
    ]
    names = [turn.button(turn.word(f"weekday.{n}"), "nop") for n in range(1, 8)]
    days = await _days(turn, target, about, first)
    text = turn.word("ask.day", no=about.no, what=about.what(turn.lang, turn.word("bot.new_visit")))
    return Card(
        text=f"{text}\n{turn.word('bot.calendar_legend')}",
        buttons=(tuple(steps), tuple(names), *rows(days, 7)),
    )


def _month(turn: Turn, shown: str) -> date:
    this = turn.today.replace(day=1)
    if len(shown) != 6 or not shown.isdecimal() or not 1 <= int(shown[4:]) <= 12 or int(shown[:4]) < 1950:
        return this
    wished = date(int(shown[:4]), int(shown[4:]), 1)
    return wished if wished >= this and _ahead(turn, wished) <= MONTHS_AHEAD else this


def _ahead(turn: Turn, first: date) -> int:
    return (first.year - turn.today.year) * 12 + first.month - turn.today.month


def _turned(turn: Turn, target: Target, label: str, day: date, allowed: bool) -> Button:
    if not allowed:
        return turn.button(BLANK, "nop")
    return turn.button(label, target.act("cal"), target.id, target.rev, "d", f"{day:%Y%m}")


async def _days(turn: Turn, target: Target, about: _Subject, first: date) -> list[Button]:
    load = await _load(turn)
    monday = turn.today - timedelta(days=turn.today.weekday())
    day = max(first, monday) if monday.month == first.month else first
    cells = [turn.button(BLANK, "nop") for _ in range(day.weekday())]
    while day.month == first.month:
        cells.append(_cell(turn, target, about, day, load.get(day, 0)))
        day += timedelta(days=1)
    while len(cells) % 7:
        cells.append(turn.button(BLANK, "nop"))
    return cells


def _cell(turn: Turn, target: Target, about: _Subject, day: date, busy: int) -> Button:
    if day < turn.today:
        return turn.button(BLANK, "nop")
    works = turn.desk.office.calendar.is_working(day)
    label = f"{day.day}" if works else f"({day.day})"
    slot = write_slot(_same_hours(turn, about.entry, day))
    label = f"{label} ·{busy}" if busy else label
    return turn.button(label, target.act("pick"), target.id, target.rev, "d", slot)


def _same_hours(turn: Turn, entry: Entry | None, day: date) -> Slot:
    """A day alone keeps the hours a visit had."""
    zone = turn.desk.office.zone
    if entry is None or entry.starts_at is None or entry.ends_at is None:
        return Slot(day=day)
    start, end = entry.starts_at.astimezone(zone).time(), entry.ends_at.astimezone(zone).time()
    return Slot(day=day, start=start, end=end)


async def _load(turn: Turn) -> dict[date, int]:
    """Visits per day of the person who plans."""
    zone = turn.desk.office.zone
    found: dict[date, int] = {}
    for item in await items_of(turn.tx, turn.desk, turn.person):
        if item.entry.kind is EntryKind.VISIT and item.entry.starts_at is not None:
            day = item.entry.starts_at.astimezone(zone).date()
            found[day] = found.get(day, 0) + 1
    return found


# --- echo and keep -----------------------------------------------------------------------------


async def echo(turn: Turn, target: Target, slot: Slot, place: str = "") -> Card:
    """The date as it was understood, with what the resident would get. Nothing is kept yet."""
    about = await _subject(turn, target)
    _fresh(turn, about, slot)
    detail = {"id": target.id, "rev": target.rev, "new": target.new, "place": place}
    lines = await foreseen(turn, about.scene.row.case.id, lambda: _apply(turn, target, about, slot, place))
    await turn.ask("date", detail)
    what = about.what(turn.lang, turn.word("bot.new_visit"))
    text = [turn.word("bot.echo", no=about.no, what=what, when=say_slot(turn, slot))]
    yes = turn.button(
        turn.word("button.right"),
        target.act("keep"),
        target.id,
        target.rev,
        "d",
        write_slot(slot),
        Style.SUCCESS,
    )
    change = turn.button(turn.word("button.change"), target.act("move"), target.id, target.rev, "d")
    buttons: list[tuple[Button, ...]] = [(yes, change)]
    calendar = turn.desk.office.calendar
    if not calendar.is_working(slot.day):
        text.append(turn.word("bot.rest_day", day=say_day(slot.day, turn.lang, turn.today)))
        other = replace(slot, day=calendar.forward(slot.day))
        label = say_weekday_date(other.day, turn.lang, turn.today)
        offer = turn.button(label, target.act("pick"), target.id, target.rev, "d", write_slot(other))
        buttons.insert(0, (offer,))
    return Card(text="\n".join([*text, *lines]), buttons=tuple(buttons))


def _fresh(turn: Turn, about: _Subject, slot: Slot) -> None:
    """Stale if the visit is at that very time already: moving it there again would change nothing."""
    office, entry = turn.desk.office, about.entry
    if entry is not None and entry.starts_at == at(slot.day, slot.start or office.slot[0], office.zone):
        raise Stale("bot.already_moved", no=about.no, day=say_slot(turn, slot))


async def _apply(turn: Turn, target: Target, about: _Subject, slot: Slot, place: str) -> Plan:
    if target.new:
        where = place or about.scene.row.case.place
        return await entries.propose(turn.tx, turn.desk, turn.by, target.id, slot, place=where)
    return await entries.move(turn.tx, turn.desk, turn.by, target.id, slot, revision=target.rev)


async def keep(turn: Turn, target: Target, slot: Slot) -> Card:
    """The person said the date is right."""
    about = await _subject(turn, target)
    _fresh(turn, about, slot)
    asked = await turn.asked("date")
    same = asked is not None and asked["id"] == target.id and asked["new"] == target.new
    place = str(asked["place"]) if asked is not None and same else ""
    what = about.what(turn.lang, turn.word("bot.new_visit"))
    said = turn.word("bot.set_for", no=about.no, what=what, when=say_slot(turn, slot))
    await turn.ask_no_more()
    case_id = about.scene.row.case.id
    return await deed(turn, case_id, lambda: _apply(turn, target, about, slot, place), said)


async def dated(turn: Turn, asked: "dict[str, object]", text: str) -> Answer:
    """Words that answer the question for a day."""
    when, place = leading_when(turn, text)
    if when is None or (place and not asked["new"]) or looks_like_a_date(place):
        raise no_date(text)
    target = Target(id=int(str(asked["id"])), rev=int(str(asked["rev"])), new=bool(asked["new"]))
    return Answer(cards=(await echo(turn, target, slot_of(when), place or str(asked.get("place", ""))),))


def target_of(tap: Tap) -> Target:
    """What a tap on one of the buttons above is about."""
    new = tap.act in {"vmove", "vcal", "vpick", "vkeep"}
    return Target(id=tap.id, rev=tap.rev, new=new)


def slot_in(tap: Tap) -> Slot:
    slot = read_slot(tap.rest)
    if slot is None:
        raise NotFound("not_found")
    return slot


async def date_asked(turn: Turn, text: str) -> Answer | None:
    """The answer to an open question for a day, if there is one."""
    asked = await turn.asked("date")
    return await dated(turn, dict(asked), text) if asked is not None else None


async def place_said(turn: Turn) -> str:
    """Where the visit in question is to be, if that was said along with it."""
    asked = await turn.asked("date")
    return str(asked["place"]) if asked is not None else ""
