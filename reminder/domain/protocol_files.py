"""How do the texts of the protocol files become protocols, or else one list of all their faults?"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from reminder.domain.errors import Fault, Faulty
from reminder.domain.protocol_drafts import Draft, Known, Part, read_part
from reminder.domain.protocol_steps import canonical, from_step, staff_lines, worth_telling
from reminder.domain.protocols import EVENT_ANCHORS, EVENTS, Milestone, Protocol, Step
from reminder.domain.toml_tables import Table, nearest, read_toml

_LADDER = re.compile(r"(\S+)(?:\s+from\s+(\S+))?")


def read_protocols(
    texts: Mapping[str, str], *, kinds: Collection[str] | None, calendars: Callable[[str], bool] | None
) -> Mapping[str, Protocol]:
    """Every protocol by key, the stem of its file name; files marked `part` are only included.

    `texts` goes from the file's name, as faults shall show it, to its content. `kinds` are the message
    templates there are and `calendars` tells whether a calendar code is known; None leaves either unchecked.
    Raises Faulty with all faults of all files, by file and line; then nothing is loaded.
    """
    faults: list[Fault] = []
    tops = {_stem(name): read_toml(name, text, faults) for name, text in texts.items()}
    known = Known(kinds=kinds, calendars=calendars)
    parts = {key: read_part(key, top, known) for key, top in tops.items() if top is not None}
    shelf = _Shelf(parts=parts, broken=frozenset(tops) - frozenset(parts))
    wholes = {key: shelf.whole(part) for key, part in parts.items()}
    protocols = {key: _protocol(part, wholes[key]) for key, part in parts.items() if part.alone}
    if faults:
        raise Faulty(sorted(dict.fromkeys(faults), key=_by_line))
    return protocols


def sources(texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By key, the files one protocol is read from: its own and all it includes. For texts without faults."""
    names = {_stem(name): name for name in texts}
    tops = {key: read_toml(name, texts[name], []) for key, name in names.items()}
    includes = {key: (top.texts("include") or []) if top is not None else [] for key, top in tops.items()}
    found: dict[str, dict[str, str]] = {}
    for key in names:
        wanted = [key]
        for one in wanted:
            wanted += [name for name in includes.get(one, ()) if name in names and name not in wanted]
        found[key] = {names[one]: texts[names[one]] for one in wanted}
    return found


def version_of(protocol: Protocol) -> str:
    """Twelve hex digits of what the protocol means; the order of milestones and of lines does not count."""
    meaning = _plain(replace(protocol, version=""))
    for milestone in meaning["milestones"]:
        for unordered in ("steps", "met_by", "until"):
            milestone[unordered] = sorted(_spelled(one) for one in milestone[unordered])
    meaning["milestones"] = sorted(_spelled(milestone) for milestone in meaning["milestones"])
    meaning["facts"] = sorted(meaning["facts"])
    return hashlib.sha256(_spelled(meaning).encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    """What JSON can spell. `dataclasses.asdict` would copy every word as well, for half of the reading."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.init}
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A file joined with those it includes; `missing` are those that could not be."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    ladders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[str, None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def add(self, other: "_Whole | Part") -> None:
        drafts = other.drafts.values() if isinstance(other, _Whole) else other.drafts
        for draft in drafts:
            held = self.drafts.setdefault(draft.milestone.key, draft)
            if held is not draft and draft.milestone.key:
                what = f"There is a milestone {draft.milestone.key!r} already, at {_place(held.table)}."
                remedy = "Choose another key, or name it under without = [...] to replace an included one."
                draft.table.fault(what, remedy, "key")
        for name, lines in other.ladders.items():
            if self.ladders.setdefault(name, lines) is not lines and isinstance(other, Part):
                what = f"An included file has a ladder {name!r} already."
                other.table.fault(what, "Choose another name.", "ladder", name)
        self.facts.update(dict.fromkeys(other.facts))
        if isinstance(other, _Whole):
            self.missing.extend(other.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    parts: Mapping[str, Part]
    broken: Collection[str]

    def whole(self, part: Part, above: tuple[str, ...] = ()) -> _Whole:
        """Included files first, less the milestones named in `without`, then the file's own."""
        whole = _Whole()
        for index, name in enumerate(part.include):
            if name == part.key or name in above:
                whole.missing.append(name)
                what = f"{name!r} includes this file in turn."
                part.table.fault(what, "Take one of the two includes out.", "include", index)
            elif name in self.parts:
                whole.add(self.whole(self.parts[name], (*above, part.key)))
            elif name:
                whole.missing.append(name)
                self._cannot_include(part, index, name)
        for index, key in enumerate(part.without):
            if key and whole.drafts.pop(key, None) is None and not whole.missing:
                what = f"No included file has a milestone {key!r}."
                part.table.fault(what, nearest(key, whole.drafts), "without", index)
        whole.add(part)
        return whole

    def _cannot_include(self, part: Part, index: int, name: str) -> None:
        if name not in self.broken:
            what = f"There is no file {name}.toml to include."
            part.table.fault(what, nearest(name, self.parts.keys() - {part.key}), "include", index)


def _protocol(part: Part, whole: _Whole) -> Protocol:
    _check_anchors(part, whole)
    protocol = Protocol(
        key=part.key,
        names=part.names,
        calendar=part.calendar,
        milestones=tuple(_milestone(draft, whole) for draft in whole.drafts.values()),
        facts=tuple(whole.facts),
        contact_hours=part.contact_hours,
        urgent=part.urgent,
        office=part.office,
        direct_answer=part.direct_answer,
    )
    return replace(protocol, version=version_of(protocol))


def _milestone(draft: Draft, whole: _Whole) -> Milestone:
    """The milestone with the steps of its ladder, less those that come too early to be worth telling."""
    milestone = draft.milestone
    steps = (*milestone.steps, *_ladder(draft, whole))
    _check_twice(draft, steps)
    limit = milestone.promise or milestone.limit
    return replace(milestone, steps=tuple(step for step in steps if worth_telling(step, limit)))


def _ladder(draft: Draft, whole: _Whole) -> tuple[Step, ...]:
    if not draft.ladder:
        return ()
    found = _LADDER.fullmatch(draft.ladder)
    lines = whole.ladders.get(found[1]) if found else None
    if found is None or (lines is None and not whole.missing):
        remedy = nearest(draft.ladder.split()[0], whole.ladders)
        draft.table.fault(f"There is no ladder {draft.ladder!r}.", remedy, "ladder")
    if found is None or lines is None:
        return ()
    steps = tuple(step for _, step in staff_lines(lines, draft.milestone.due_role).steps)
    if found[2] is None:
        return steps
    if not (rest := from_step(steps, canonical(found[2]) or "")):
        keys = dict.fromkeys(step.key for step in steps)
        draft.table.fault(f"Ladder {found[1]!r} has no step {found[2]!r}.", nearest(found[2], keys), "ladder")
    return rest


def _check_twice(draft: Draft, steps: Sequence[Step]) -> None:
    seen: set[tuple[str, str]] = set()
    for step in steps:
        for whom in step.roles or (("resident",) if step.resident else ()):
            if (whom, step.key) in seen:
                where = "resident" if step.resident else "ladder" if draft.ladder else "remind"
                what = f"{whom} is told twice at {step.key}."
                draft.table.fault(what, "Keep one of the two.", where)
            seen.add((whom, step.key))


def _check_anchors(part: Part, whole: _Whole) -> None:
    known = {*EVENT_ANCHORS, *whole.facts, *filter(None, whole.drafts)}
    for key, draft in whole.drafts.items():
        anchor = draft.milestone.anchor
        if anchor and anchor not in known and not whole.missing:
            where = "" if draft.table.name == part.table.name else f" where {part.key!r} includes it"
            draft.table.fault(f"Nothing is called {anchor!r}{where}.", nearest(anchor, known), "anchor")
        for index, name in enumerate(draft.table.texts("met_by") or ()):
            if name and name not in {*EVENTS, *whole.drafts} and not whole.missing:
                what = f"{name!r} in 'met_by' is neither an event nor a milestone."
                remedy = nearest(name, {*EVENTS, *filter(None, whole.drafts)})
                draft.table.fault(what, remedy, "met_by", index)
        if key in whole.facts:
            what = f"{key!r} is both a fact and a milestone."
            draft.table.fault(what, "Choose another key.", "key")
    _check_circles(whole)


def _check_circles(whole: _Whole) -> None:
    """Each milestone has one anchor, so following them either leaves the protocol or comes round."""
    told: set[str] = set()
    for start in whole.drafts:
        walked: list[str] = []
        key = start
        while key in whole.drafts and key not in walked and key not in told:
            walked.append(key)
            key = whole.drafts[key].milestone.anchor
        if key in walked:
            circle = " -> ".join([*walked[walked.index(key) :], key])
            what = f"These wait for each other for ever: {circle}."
            whole.drafts[key].table.fault(what, "Anchor one of them on a moment of the case.", "anchor")
        told.update(walked)


def _stem(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".toml")


def _place(table: Table) -> str:
    return f"{table.name}:{table.lines.get(table.path, 1)}"


def _by_line(fault: Fault) -> tuple[str, int]:
    name, _, line = fault.place.rpartition(":")
    return name, int(line)


def _spelled(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
