"""What a kind of message is: for whom, by which channels, what it asks, and when it comes too late."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reminder.domain.errors import Fault
from reminder.domain.people import Channel
from reminder.domain.replies import DIGITS, QuestionKind

_USELESS_AFTER = re.compile(r"never|day_end|start|before_start_day|[1-9]\d{0,3}[hd]")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VARIABLE = re.compile(r"([a-z][a-z0-9_]{0,39})(\??)")
_FIELDS = {
    "key": str,
    "audience": str,
    "channels": list,
    "variables": list,
    "useless_after": str,
    "urgent": bool,
    "question": str,
    "digits": str,
    "repeat": bool,
    "push": bool,
    "one_way": str,
}
_NEEDED = ("key", "audience", "channels", "variables", "useless_after")


class Audience(StrEnum):
    """Who reads it."""

    RESIDENT = "resident"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of message. `name` is its template's file stem.

    `useless_after` is a rule of `reminder.domain.reminders.useless_at`. `urgent` ignores quiet hours.
    `question` is what the reply digits in `digits` answer; only one question per phone is open at a time.
    `repeat`: when nobody knows whether it went, it may be sent once more with the mark for repeats.
    `push`: may sound on a staff member's phone. `one_way` names the variant for providers without replies.
    Variables in `optional` may be left out by a language and may be empty.
    """

    name: str
    key: str
    audience: Audience
    channels: tuple[Channel, ...]
    variables: frozenset[str]
    optional: frozenset[str] = frozenset()
    useless_after: str
    urgent: bool = False
    question: QuestionKind | None = None
    digits: str = ""
    repeat: bool = False
    push: bool = False
    one_way: str | None = None


def read_kinds(tables: Mapping[str, Any], places: Mapping[str, str]) -> tuple[dict[str, Kind], list[Fault]]:
    """The kinds of a parsed kinds.toml, and everything wrong with it; `places` has file and line of each."""
    kinds: dict[str, Kind] = {}
    faults: list[Fault] = []
    for name, row in tables.items():
        found = list(_row_faults(name, row))
        faults += [Fault(place=places[name], what=what, remedy=remedy) for what, remedy in found]
        if not found:
            kinds[name] = _kind(name, row)
    for kind in kinds.values():
        faults += [
            Fault(place=places[kind.name], what=what, remedy=remedy)
            for what, remedy in _one_way_faults(kind, kinds, tables)
        ]
    return kinds, faults


def _row_faults(name: str, row: object) -> Iterable[tuple[str, str]]:
    if not isinstance(row, dict) or not _NAME.fullmatch(name):
        yield f"{name!r} is not a kind.", "Write a table with a name of small letters, digits and _."
        return
    for field in _NEEDED:
        if field not in row:
            yield f"{field} is missing.", "Add it; a neighbouring kind shows how."
    for field, value in row.items():
        if field not in _FIELDS:
            yield f"{field} is not known.", f"Use one of {', '.join(_FIELDS)}."
        elif not isinstance(value, _FIELDS[field]):
            yield f"{field} is of the wrong type.", f"Write a {_FIELDS[field].__name__}."
        elif fault := _VALUE_FAULTS.get(field, _no_fault)(value):
            yield fault, "Correct it."
    digits, question = str(row.get("digits", "")), str(row.get("question", ""))
    usual = DIGITS[QuestionKind(question)] if question in {*QuestionKind} else ""
    if bool(digits) != bool(usual) or not usual.startswith(digits):
        yield (
            "question and digits do not go together.",
            "Give both, such as visit with 12 or 123, or neither.",
        )


def _no_fault(_value: Any) -> str:
    return ""


def _channels_fault(value: Any) -> str:
    known = {*Channel}
    wrong = [c for c in value if not isinstance(c, str) or c not in known]
    if wrong or not value or len(set(value)) != len(value):
        return f"channels takes some of {', '.join(Channel)}, each once, at least one."
    return ""


def _variables_fault(value: Any) -> str:
    names = [str(v).rstrip("?") for v in value]
    wrong = [v for v in value if not isinstance(v, str) or not _VARIABLE.fullmatch(v)]
    if wrong or len(set(names)) != len(names):
        return "variables takes names of small letters, each once, a ? behind those that may be missing."
    return ""


def _member_fault(members: type[StrEnum]) -> Any:
    return lambda value: "" if value in {*members} else f"{value!r} is none of {', '.join(members)}."


_VALUE_FAULTS = {
    "audience": _member_fault(Audience),
    "channels": _channels_fault,
    "variables": _variables_fault,
    "useless_after": lambda v: (
        ""
        if _USELESS_AFTER.fullmatch(v)
        else f"{v!r} is none of never, day_end, start, before_start_day, nor a duration such as 48h or 7d."
    ),
    "question": _member_fault(QuestionKind),
    "key": lambda v: "" if v.strip() else "key is empty.",
}


def _one_way_faults(
    kind: Kind, kinds: Mapping[str, Kind], tables: Mapping[str, Any]
) -> Iterable[tuple[str, str]]:
    if kind.one_way is None:
        return
    other = kinds.get(kind.one_way)
    if other is None:
        if kind.one_way not in tables:
            yield (
                f"one_way names {kind.one_way!r}, which is not declared.",
                "Declare it, or leave one_way out.",
            )
    elif other.question is not None or other.audience is not kind.audience:
        yield (
            f"one_way names {other.name}, which asks or is for others.",
            "Name a variant without a question.",
        )
    elif not other.variables <= kind.variables or set(kind.channels) - set(other.channels):
        yield f"{other.name} cannot stand in for it.", "Give it the same channels and no other variables."


def _kind(name: str, row: Mapping[str, Any]) -> Kind:
    variables = [str(v) for v in row["variables"]]
    return Kind(
        name=name,
        key=row["key"],
        audience=Audience(row["audience"]),
        channels=tuple(Channel(c) for c in row["channels"]),
        variables=frozenset(v.rstrip("?") for v in variables),
        optional=frozenset(v.rstrip("?") for v in variables if v.endswith("?")),
        useless_after=row["useless_after"],
        urgent=row.get("urgent", False),
        question=QuestionKind(row["question"]) if "question" in row else None,
        digits=row.get("digits", ""),
        repeat=row.get("repeat", False),
        push=row.get("push", False),
        one_way=row.get("one_way"),
    )
