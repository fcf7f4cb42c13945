"""How cases, lists and the day's digest look in the chat: text and buttons."""

from collections.abc import Sequence
from datetime import date

from reminder.actions.digests import DIGEST, Item, Section, digest_of, item_row, items_of, line
from reminder.actions.scene import CaseScene, read_case
from reminder.bot.answers import Card
from reminder.bot.heard import read_tap
from reminder.bot.turn import Turn, rows
from reminder.domain.cases import Event, Status
from reminder.domain.dates import say_date, say_day
from reminder.domain.entries import Entry
from reminder.domain.messages import Button, Keyboard
from reminder.domain.people import Person
from reminder.domain.policy import may
from reminder.domain.protocols import EntryKind
from reminder.domain.workdays import local_day
from reminder.longtext import clip
from reminder.store import cases, reminders, residents

PAGE = 6
"""Items on a page."""

LATEST = 5
"""Last facts on a case card."""


async def digest(turn: Turn, undo: int | None = None) -> Card:
    """The person's day as it stands now. If the message tapped is the digest itself, its hash is kept, so
    that nobody redraws it for nothing."""
    found = await digest_of(turn.tx, turn.desk, turn.person, day=turn.today, undo=undo)
    row = await reminders.by_key(turn.tx, f"{DIGEST}:{turn.person.id}:{turn.today.isoformat()}")
    if row is not None and turn.heard.message and row.provider_id == turn.heard.message:
        await reminders.update(turn.tx, row.id, detail={**row.detail, "hash": found.hash})
    return Card(text=found.text, buttons=found.buttons)


# --- lists with pages --------------------------------------------------------------------------

WEEK, OVERDUE = "w", "o"


async def listing(turn: Turn, which: str, start: str = "", step: str = "r") -> Card:
    """A page of a list. `start` is "yyyymmdd.id" of an item; `step` n: after it, p: before it, r: from it on.

    Pages hang on an item and not on a number, so nothing is skipped or shown twice when the list changes.
    """
    found = sorted(await _items(turn, which), key=lambda item: _place(turn, item))
    if not found:
        return Card(text=turn.word(f"bot.list_empty.{which}"))
    first = _first(turn, found, start, step)
    page = found[first : first + PAGE]
    at = _place(turn, page[0])
    origin = f"{which}{at}"
    lines = [
        f"{n}. {line(turn.desk, item, turn.lang, turn.today)} — {_day_of(turn, item.entry)}"
        for n, item in enumerate(page, 1)
    ]
    buttons = [_named(turn, item.entry, origin, f" {n}") for n, item in enumerate(page, 1)]
    title = turn.word(f"bot.list.{which}", n=len(found))
    return Card(text="\n".join([title, *lines]), buttons=(*buttons, *_turning(turn, which, found, first)))


async def _items(turn: Turn, which: str) -> list[Item]:
    found = await items_of(turn.tx, turn.desk, turn.person)
    if which == OVERDUE:
        return [i for i in found if i.section is Section.OVERDUE]
    last = date.fromordinal(turn.today.toordinal() + 7)
    return [i for i in found if (i.entry.promise_on or i.entry.due_on or turn.today) <= last]


def _place(turn: Turn, item: Item) -> str:
    day = item.entry.promise_on or item.entry.due_on or turn.today
    return f"{day:%Y%m%d}.{item.entry.id:010d}"


def _first(turn: Turn, found: Sequence[Item], start: str, step: str) -> int:
    """Index of the first item to show; whole pages, the last one reached where there is nothing further."""
    places = [_place(turn, item) for item in found]
    if step == "n":
        index = sum(1 for place in places if place <= start)
    elif step == "p":
        index = max(0, sum(1 for place in places if place < start) - PAGE)
    else:
        index = sum(1 for place in places if place < start) if start else 0
    return index if index < len(found) else max(0, (len(found) - 1) // PAGE * PAGE)


def _turning(turn: Turn, which: str, found: Sequence[Item], first: int) -> Keyboard:
    if len(found) <= PAGE:
        return ()
    last = found[min(first + PAGE, len(found)) - 1]
    here = -(-first // PAGE) + 1
    pages = max(here, -(-len(found) // PAGE))
    back = turn.button("‹", "page", origin=f"{which}{_place(turn, found[first])}", rest="p")
    on = turn.button("›", "page", origin=f"{which}{_place(turn, last)}", rest="n")
    middle = turn.button(f"{here}/{pages}", "page", origin=f"{which}{_place(turn, found[first])}", rest="r")
    row = [*([back] if first else []), middle, *([on] if first + PAGE < len(found) else [])]
    return (tuple(row),)


def _day_of(turn: Turn, entry: Entry) -> str:
    day = entry.promise_on or entry.due_on or turn.today
    return say_day(day, turn.lang, turn.today)


def _named(turn: Turn, entry: Entry, origin: str, mark: str = "") -> tuple[Button, ...]:
    """The usual row of buttons for an entry, remembering where it stands."""
    row = []
    for button in item_row(turn.desk, entry, turn.lang, mark):
        tap = read_tap(button.data)
        assert tap is not None
        row.append(turn.button(button.label, tap.act, tap.id, tap.rev, origin, style=button.style))
    return tuple(row)


# --- one case ----------------------------------------------------------------------------------


async def case_card(turn: Turn, case_id: int) -> Card:
    """Everything about one case. Shown only to people in whose scope it lies; names stand here alone."""
    scene = await read_case(turn.tx, turn.desk, case_id)
    found = sorted(_shown(scene), key=lambda e: (e.due_at or scene.now, e.id))
    lines = [*_head(turn, scene), await _who(turn, case_id), *_request(scene)]
    if found:
        lines.append("—")
    numbers = {entry.id: n for n, entry in enumerate(found[:PAGE], 1)}
    lines += [_entry_line(turn, scene, entry, numbers.get(entry.id)) for entry in found[:12]]
    lines += _latest(turn, scene)
    buttons = [_named(turn, entry, "c", f" {n}")[:-1] for n, entry in enumerate(found[:PAGE], 1)]
    return Card(
        text="\n".join(part for part in lines if part),
        buttons=(*buttons, *rows(_verbs(turn, scene), 3)),
    )


def _shown(scene: CaseScene) -> list[Entry]:
    return [e for e in scene.entries.values() if e.is_open and e.kind is not EntryKind.NOTICE]


def _head(turn: Turn, scene: CaseScene) -> list[str]:
    case = scene.row.case
    category = f"category.{case.category}"
    known = turn.desk.templates.has_word(category)
    unit = scene.staff.units.get(scene.row.unit_id or 0)
    handler = scene.responsible
    place = turn.word("confidential") if case.confidential else case.place
    return [
        turn.word(
            "bot.case_head",
            no=case.number,
            category=turn.word(category if known else "category.other"),
            place=place or (unit.name if unit else turn.word("none")),
        ),
        turn.word(
            "bot.case_state",
            status=turn.word(f"status.{scene.past.status}")
            if turn.desk.templates.has_word(f"status.{scene.past.status}")
            else str(scene.past.status),
            protocol=scene.protocol.names.get(turn.lang, scene.row.protocol),
            unit=unit.name if unit else turn.word("none"),
            handler=handler.name if handler else turn.word("none"),
        ),
    ]


async def _who(turn: Turn, case_id: int) -> str:
    ids = (await cases.parties(turn.tx, [case_id]))[case_id]
    folk = await residents.many(turn.tx, ids)
    held = await residents.phones(turn.tx, turn.desk.sealer, ids)
    named = [
        " ".join([folk[i].name, *(f"****{phone.last4}" for phone in held[i][:2])]) for i in ids if i in folk
    ]
    return turn.word("bot.case_people", who=turn.word("separator").join(named)) if named else ""


def _request(scene: CaseScene) -> list[str]:
    return [clip(scene.row.request, 300)] if scene.row.request.strip() else []


def _entry_line(turn: Turn, scene: CaseScene, entry: Entry, number: int | None) -> str:
    mark = f"{number}. " if number else "· "
    state = ""
    if entry.kind is EntryKind.VISIT:
        state = " · " + turn.word(f"state.{entry.status}")
    provisional = turn.word("provisional_mark") if entry.provisional else ""
    return f"{mark}{scene.what(entry, turn.lang, within=True)} — {_day_of(turn, entry)}{provisional}{state}"


def _latest(turn: Turn, scene: CaseScene) -> list[str]:
    zone = turn.desk.office.zone
    shown = [f for f in scene.past.facts if f.event is not Event.TASK][-LATEST:]
    lines = []
    for fact in shown:
        person = scene.staff.people.get(fact.by or 0)
        day = say_date(local_day(fact.at, zone), turn.lang, turn.today)
        said = str(fact.value.get("text") or fact.value.get("reason") or "")
        parts = [day, turn.word(f"move.{fact.event}"), person.name if person else "", clip(said, 80)]
        lines.append(" ".join(part for part in parts if part))
    return ["—", *lines] if lines else []


_VERBS: tuple[tuple[str, frozenset[Status] | None], ...] = (
    ("accept", frozenset({Status.REGISTERED})),
    ("contact", None),
    ("note", frozenset({Status.ACCEPTED, Status.IN_PROGRESS})),
    ("visit", None),
    ("answer", frozenset({Status.ACCEPTED, Status.IN_PROGRESS})),
    ("served", frozenset({Status.REPLIED})),
    ("close", frozenset({Status.REPLIED})),
    ("reopen", frozenset({Status.REPLIED, Status.CLOSED, Status.COMPLETED})),
    ("why", None),
)
"""Commands offered on a case card, and in which states; None: always."""


def _verbs(turn: Turn, scene: CaseScene) -> list[Button]:
    status = scene.past.status
    direct = scene.row.case.direct_answer and status is Status.REGISTERED
    found = []
    for verb, states in _VERBS:
        fits = states is None or status in states or (verb == "answer" and direct)
        if fits and may(turn.person, verb, turn.staff):
            label = turn.word(f"button.go_{verb}")
            found.append(turn.button(label, "go", scene.row.case.id, origin="c", rest=verb))
    return found


def person_line(turn: Turn, person: Person) -> str:
    """Number, name, unit and roles of a colleague, and whether they have joined."""
    unit = turn.staff.units.get(person.unit_id)
    roles = turn.word("separator").join(turn.word(f"role.{role}") for role in sorted(person.roles))
    joined = turn.word("bot.joined" if person.chat_id is not None else "bot.not_joined")
    return f"{person.id}. {person.name} · {unit.name if unit else '-'} · {roles or '-'} · {joined}"
