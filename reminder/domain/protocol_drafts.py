"""What does one protocol file say, before it is joined with the files it includes?"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time

from reminder.domain.limits import CountFrom, Roll
from reminder.domain.people import Role
from reminder.domain.protocol_steps import Lines, longer, resident_lines, staff_lines
from reminder.domain.protocols import (
    EVENT_ANCHORS,
    EVENTS,
    LANGUAGES,
    MODES,
    PARTIES,
    Bound,
    EntryKind,
    Milestone,
    Step,
)
from reminder.domain.toml_tables import Table, nearest

FILE_KEYS = frozenset(
    {"name", "part", "include", "without", "calendar", "facts", "ladder", "count_from", "roll"}
    | {"contact_hours", "urgent", "office", "direct_answer", "milestone"}
)
MILESTONE_KEYS = frozenset(
    {"key", "kind", "what", "anchor", "limit", "promise", "count_from", "roll", "bound", "met_by", "until"}
    | {"only_if", "repeat", "remind", "ladder", "resident", "mode", "slot", "basis", "due_role"}
    | {"on", "season", "extension", "party", "needs"}
)
ALWAYS_OFFICE = frozenset({EntryKind.VISIT, EntryKind.MEETING, EntryKind.COMMITMENT})
NEVER_OFFICE = frozenset({EntryKind.TASK, EntryKind.NOTICE})
WITH_A_SLOT = frozenset({EntryKind.VISIT, EntryKind.MEETING})
NEEDS = ("text",)
MET_BY: Mapping[EntryKind, tuple[str, ...]] = {EntryKind.VISIT: ("visited",), EntryKind.NOTICE: ()}
"""What meets a milestone that does not say: a visit is held, a notice is only told, the rest is `done`."""

_KEY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known outside the file; None leaves it unchecked."""

    kinds: Collection[str] | None
    calendars: Callable[[str], bool] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A milestone as its file says it, without the steps of its ladder."""

    milestone: Milestone
    table: Table
    ladder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file as it stands. `alone` is false for a file that is only there to be included."""

    key: str
    table: Table
    alone: bool
    names: Mapping[str, str]
    calendar: str
    contact_hours: tuple[time, time] | None
    urgent: bool
    office: bool
    direct_answer: bool
    include: Sequence[str]
    without: Sequence[str]
    facts: Sequence[str]
    ladders: Mapping[str, tuple[str, ...]]
    drafts: Sequence[Draft]


def read_part(key: str, table: Table, known: Known) -> Part:
    """The file as far as it can be read; what cannot is noted among the table's faults."""
    table.only(FILE_KEYS)
    alone = not table.flag("part")
    if alone:
        table.require(("name", "calendar"))
    return Part(
        key=key,
        table=table,
        alone=alone,
        names=table.words("name", LANGUAGES),
        calendar=_calendar(table, known),
        contact_hours=table.hours("contact_hours"),
        urgent=table.flag("urgent"),
        office=table.flag("office"),
        direct_answer=table.flag("direct_answer"),
        include=table.texts("include") or [],
        without=table.texts("without") or [],
        facts=_facts(table),
        ladders=_ladders(table, known),
        drafts=[_draft(below, table, known) for below in table.tables("milestone")],
    )


def _calendar(table: Table, known: Known) -> str:
    code = table.text("calendar")
    if code and known.calendars is not None and not known.calendars(code):
        remedy = "Use a code such as CN or GB-ENG, or import the calendar first."
        table.fault(f"There is no calendar {code!r}.", remedy, "calendar")
    return code


def _facts(table: Table) -> list[str]:
    facts = table.texts("facts") or []
    for index, name in enumerate(facts):
        if name in EVENT_ANCHORS:
            what = f"{name!r} is a moment every case has."
            table.fault(what, "Use it as an anchor without declaring it.", "facts", index)
        elif name and not _KEY.fullmatch(name):
            _bad_name(table, name, "facts", index)
    return facts


def _ladders(table: Table, known: Known) -> dict[str, tuple[str, ...]]:
    ladders: dict[str, tuple[str, ...]] = {}
    if (below := table.table("ladder")) is None:
        return ladders
    for name in below.values:
        lines = below.texts(name) or []
        _report(below, name, staff_lines(lines, Role.HANDLER), known)
        ladders[name] = tuple(lines)
    return ladders


def _draft(table: Table, file: Table, known: Known) -> Draft:
    table.only(MILESTONE_KEYS)
    table.require(("key", "kind", "what", "anchor"))
    kind = EntryKind(table.one_of("kind", set(EntryKind)) or EntryKind.DEADLINE)
    due_role = _due_role(table)
    until = table.many_of("until", EVENTS)
    met_by = table.texts("met_by")
    milestone = Milestone(
        key=_own_key(table),
        kind=kind,
        words=table.words("what", LANGUAGES),
        anchor=table.text("anchor"),
        limit=table.limit("limit"),
        promise=table.limit("promise"),
        count_from=CountFrom(_or_file("count_from", set(CountFrom), table, file) or CountFrom.NEXT_DAY),
        roll=Roll(_or_file("roll", set(Roll), table, file) or Roll.FORWARD),
        bound=_bound(table, kind),
        met_by=MET_BY.get(kind, ("done",)) if met_by is None else tuple(met_by),
        until=("close", "withdraw") if until is None else until,
        only_if=_only_if(table),
        repeat=table.flag("repeat"),
        steps=_steps(table, due_role, known),
        mode=table.one_of("mode", MODES),
        slot=table.hours("slot"),
        basis=table.text("basis"),
        due_role=due_role,
        on=table.text("on"),
        season=_season(table),
        extension=table.limit("extension"),
        party=table.one_of("party", PARTIES),
        needs=table.many_of("needs", NEEDS) or (),
    )
    _check_limits(milestone, table)
    _check_kind(milestone, table)
    if milestone.limit is not None and milestone.limit.unit.elapsed:
        milestone = replace(milestone, roll=Roll.NONE)
    return Draft(milestone=milestone, table=table, ladder=table.text("ladder"))


def _season(table: Table) -> tuple[str, ...]:
    days = table.texts("season") or []
    for index, day in enumerate(days):
        if day and not _DAY.fullmatch(day):
            remedy = 'Write month and day as "11-01"; 29 February is not in every year.'
            table.fault(f"{day!r} is no day of every year.", remedy, "season", index)
    if days and ("limit" in table.values or "on" in table.values):
        table.fault("A season takes the place of a limit.", "Keep one of the two.", "season")
    return tuple(sorted(days))


_DAY = re.compile(r"(?!02-29|02-3\d|(?:04|06|09|11)-31)(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


def _own_key(table: Table) -> str:
    key = table.text("key")
    if key in EVENT_ANCHORS:
        table.fault(f"{key!r} already names a moment of the case.", "Choose another key.", "key")
    elif key and not _KEY.fullmatch(key):
        _bad_name(table, key, "key")
    return key


def _bad_name(table: Table, name: str, *at: str | int) -> None:
    remedy = "Use small letters a-z, digits and _, beginning with a letter."
    table.fault(f"{name!r} cannot be typed as a name.", remedy, *at)


def _or_file(key: str, allowed: Collection[str], table: Table, file: Table) -> str:
    """The milestone's own value, else the one the file sets for all of its milestones."""
    return table.one_of(key, allowed) or file.one_of(key, allowed)


def _due_role(table: Table) -> Role:
    if table.values.get("due_role") == "resident":
        what = "Nothing is ever due from a resident: the clock binds the office alone."
        table.fault(what, "Name the role in the office that must see to it.", "due_role")
        return Role.HANDLER
    return Role(table.one_of("due_role", set(Role)) or Role.HANDLER)


def _bound(table: Table, kind: EntryKind) -> Bound:
    usual = Bound.NONE if kind in NEVER_OFFICE else Bound.OFFICE
    value = table.text("bound") or usual
    if value not in set(Bound):
        what = f"bound = {value!r}: the clock binds the office or nobody, never the resident."
        table.fault(what, 'Write bound = "office" or bound = "none".', "bound")
    elif value == Bound.NONE and kind in ALWAYS_OFFICE:
        table.fault(f"A {kind} always binds the office.", "Take bound out.", "bound")
    elif value == Bound.OFFICE and kind in NEVER_OFFICE:
        remedy = "Take bound out, or make it a deadline."
        table.fault(f"A {kind} never binds the office.", remedy, "bound")
    else:
        return Bound(value)
    return usual


def _only_if(table: Table) -> dict[str, tuple[str, ...]]:
    below = table.table("only_if")
    found: dict[str, tuple[str, ...]] = {}
    for name, value in below.values.items() if below else ():
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(v, str | int) and not isinstance(v, bool) for v in values):
            what = f"only_if has no values for {name!r}."
            table.fault(what, f'Write only_if = {{ {name} = ["...", "..."] }}.', "only_if", name)
            continue
        found[name] = tuple(str(v) for v in values)
    return found


def _steps(table: Table, due_role: Role, known: Known) -> tuple[Step, ...]:
    told = staff_lines(table.texts("remind") or [], due_role)
    heard = resident_lines(table.texts("resident") or [])
    _report(table, "remind", told, known)
    _report(table, "resident", heard, known)
    return tuple(step for _, step in (*told.steps, *heard.steps))


def _report(table: Table, key: str, lines: Lines, known: Known) -> None:
    for index, what, remedy in lines.wrong:
        table.fault(what, remedy, key, index)
    for index, step in lines.steps:
        if step.kind is not None and known.kinds is not None and step.kind not in known.kinds:
            what = f"There is no message template {step.kind!r}."
            table.fault(what, nearest(step.kind, known.kinds), key, index)


def _check_limits(milestone: Milestone, table: Table) -> None:
    limit, promise = milestone.limit, milestone.promise
    dated = bool({"limit", "on", "season"} & set(table.values))
    if milestone.kind is EntryKind.DEADLINE and "kind" in table.values and not dated:
        remedy = 'Add limit = "5 wd", or another number of days.'
        table.fault("A deadline needs a limit, or the field its day stands in.", remedy)
    if milestone.extension is not None and (limit is None or limit.unit.elapsed):
        table.fault("Only a limit in days can be extended.", "Take extension out.", "extension")
    if promise is not None and "limit" not in table.values:
        table.fault("A promise needs the limit it shortens.", "Add limit, or call it limit.", "promise")
    if promise is not None and limit is not None and promise.unit.elapsed != limit.unit.elapsed:
        what = f"The promise of {promise} and the limit of {limit} are not of one sort."
        table.fault(what, "Count both in days or both in hours.", "promise")
    elif promise is not None and limit is not None and longer(promise, limit):
        what = f"The promise of {promise} is longer than the limit of {limit}."
        table.fault(what, "A promise may only be shorter.", "promise")
    if limit is not None and limit.unit.elapsed and "roll" in table.values:
        what = f"A limit of {limit} runs day and night and never rolls."
        table.fault(what, "Take roll out.", "roll")
    if milestone.repeat and "limit" not in table.values:
        table.fault("What repeats needs the limit after which it does.", "Add limit.", "repeat")
    elif milestone.repeat and limit is not None and limit.amount == 0:
        table.fault("What repeats at once never ends.", "Make the limit at least 1.", "limit")


def _check_kind(milestone: Milestone, table: Table) -> None:
    kind = milestone.kind
    if kind is EntryKind.VISIT and "mode" not in table.values:
        table.fault("A visit needs a mode.", f"Add mode = one of {', '.join(MODES)}.")
    for key, allowed in (("mode", {EntryKind.VISIT}), ("slot", WITH_A_SLOT)):
        if key in table.values and kind not in allowed:
            table.fault(f"A {kind} has no {key}.", f"Take {key} out.", key)
    if milestone.bound is Bound.NONE and "ladder" in table.values:
        what = "Nothing escalates about what does not bind the office."
        table.fault(what, "Take ladder out.", "ladder")
