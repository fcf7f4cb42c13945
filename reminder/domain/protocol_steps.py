"""How does a line such as "handler,unit_head T-3 T0 !due_today" become steps?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import time

from reminder.domain.limits import Limit, Unit
from reminder.domain.people import Role
from reminder.domain.protocols import Offset, OffsetUnit, Step
from reminder.domain.toml_tables import nearest

DUE = "due"
"""Written among roles it means whoever must do the milestone (its `due_role`)."""

_OFFSET = re.compile(r"T(?:0|([+-])([1-9]\d{0,3})(cal|wd|h|min)?)(@([01]\d|2[0-3]):([0-5]\d))?(!)?")
_MINUTES = {Unit.MINUTE: 1, Unit.HOUR: 60, Unit.CAL: 1440, Unit.WD: 1440, Unit.MONTH: 43200}
_TOKENS = "'now', 'weekly', 'T0', 'T-3', 'T-5wd', 'T-12h', 'T+15min', 'T0@15:00' or 'T-1@16:00!'"


@dataclass(slots=True)
class Lines:
    """What a list of lines says and what is wrong with it, each with the index of its line."""

    steps: list[tuple[int, Step]] = field(default_factory=list)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)


def staff_lines(lines: Sequence[str], due_role: Role) -> Lines:
    """Read "roles offset... [!kind]" lines; without a kind the step is told in the digest."""
    found = Lines()
    last: Offset | None = None
    for index, line in enumerate(lines):
        who, *tokens = re.sub(r"\s*,\s*", ",", line).split() or [""]
        if not who:
            continue
        roles = _roles(who, due_role, index, found)
        kind = tokens.pop()[1:] if tokens and tokens[-1].startswith("!") else None
        if kind == "":
            found.wrong.append((index, f"{line!r} ends in a '!' with no kind.", "Write !kind in one word."))
            kind = None
        if not tokens:
            found.wrong.append((index, f"{line!r} does not say when.", f"Add one or more of {_TOKENS}."))
        for token in tokens:
            step = _step(token, index, found)
            if step is None or _cannot_wait(step, kind, index, found):
                continue
            if step.weekly and last is None:
                remedy = "Write a dated step such as T+1wd before it."
                found.wrong.append((index, "'weekly' has no step before it to follow.", remedy))
            last = step.offset or last
            after = last if step.weekly else None
            found.steps.append((index, replace(step, roles=roles, kind=kind, after=after)))
    return found


def resident_lines(lines: Sequence[str]) -> Lines:
    """Read "offset kind" lines: what the person whose matter it is hears, and when."""
    found = Lines()
    for index, line in enumerate(lines):
        if not (parts := line.split()):
            continue
        if len(parts) != 2 or parts[0] == "weekly" or parts[1].startswith("!"):
            remedy = 'Write "<when> <kind>", such as "T-3 return_visit".'
            found.wrong.append((index, f"{line!r} is not a line for a resident.", remedy))
        elif (step := _step(parts[0], index, found)) is not None:
            found.steps.append((index, replace(step, kind=parts[1], resident=True)))
    return found


def from_step(steps: Sequence[Step], key: str) -> tuple[Step, ...]:
    """The steps of a ladder from the first one called `key` on; none when it has no such step."""
    keys = [step.key for step in steps]
    return tuple(steps[keys.index(key) :]) if key in keys else ()


def worth_telling(step: Step, limit: Limit | None) -> bool:
    """Whether a reminder some days before comes in the second half of the limit; hours are kept as written.

    15 cal keeps T-7, T-3, T-1; 5 wd keeps T-2, T-1; 3 wd keeps T-1. A plain day is measured in the days of
    the limit; working days against calendar days count as 7 for 5.
    """
    offset = step.offset
    if limit is None or offset is None or step.resident or offset.amount >= 0:
        return True
    if offset.unit in {OffsetUnit.HOUR, OffsetUnit.MINUTE}:
        return True
    wider = offset.unit is OffsetUnit.WD and limit.unit in {Unit.CAL, Unit.MONTH}
    before = -offset.amount * (2016 if wider else 1440)
    return 2 * before < limit.amount * _MINUTES[limit.unit]


def longer(promise: Limit, limit: Limit) -> bool:
    """Whether the promise is surely the longer one (working days against calendar days: at their fewest)."""
    if limit.unit is Unit.WD and promise.unit is not Unit.WD:
        return False
    return promise.amount * _MINUTES[promise.unit] > limit.amount * _MINUTES[limit.unit]


def canonical(token: str) -> str | None:
    """The one spelling of an offset ("T-3cal" is "T-3"), or None."""
    step = _step(token, 0, Lines())
    return step.key if step else None


def _roles(who: str, due_role: Role, index: int, found: Lines) -> tuple[Role, ...]:
    roles: list[Role] = []
    for word in who.split(","):
        if word == "resident":
            what = "A resident is never reminded or escalated to: the clock binds the office alone."
            found.wrong.append((index, what, 'Put what the person hears under resident = ["<when> <kind>"].'))
        elif word != DUE and word not in set(Role):
            found.wrong.append((index, f"{word!r} is not a role.", nearest(word, {*Role, DUE})))
        else:
            roles.append(due_role if word == DUE else Role(word))
    return tuple(dict.fromkeys(roles))


def _step(token: str, index: int, found: Lines) -> Step | None:
    if token in {"now", "weekly"}:
        weekly = token == "weekly"  # noqa: S105 - a word of the language, no secret
        return Step(key=token, offset=None, weekly=weekly)
    if token.startswith("!"):
        found.wrong.append((index, f"{token!r} stands in the wrong place.", "One !kind, last in the line."))
        return None
    if (parts := _OFFSET.fullmatch(token)) is None:
        found.wrong.append((index, f"{token!r} is not a moment we know.", f"Write {_TOKENS}."))
        return None
    sign, amount, unit, wall, hour, minute, exact = parts.groups()
    if needless := _needless(unit, wall, exact):
        found.wrong.append((index, f"{token!r} {needless[0]}", needless[1]))
        return None
    offset = Offset(
        amount=int(f"{sign or ''}{amount or 0}"),
        unit=OffsetUnit(unit or OffsetUnit.CAL),
        at=time(int(hour), int(minute)) if wall else None,
        exact=bool(exact),
    )
    key = "T0" if not sign else f"T{sign}{amount}{'' if unit in {None, 'cal'} else unit}"
    return Step(key=key + (wall or ""), offset=offset)


def _needless(unit: str | None, wall: str | None, exact: str | None) -> tuple[str, str] | None:
    if unit in {"h", "min"} and (wall or exact):
        return "counts hours, which need no hour of the day.", "Take '@' and '!' away."
    if unit == "wd" and exact:
        return "counts working days, which never fall on a rest day.", "Take the '!' away."
    return None


def _cannot_wait(step: Step, kind: str | None, index: int, found: Lines) -> bool:
    """A step with an hour of its own comes too late in the next digest, so it needs a kind."""
    offset = step.offset
    timed = offset is not None and (
        offset.at is not None or offset.unit in {OffsetUnit.HOUR, OffsetUnit.MINUTE}
    )
    if timed and kind is None:
        remedy = "Add !kind, the message to send then, or leave the hour away."
        found.wrong.append(
            (index, f"{step.key!r} has an hour of its own and cannot wait for a digest.", remedy)
        )
    return timed and kind is None
