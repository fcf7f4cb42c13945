"""Who may do what to which case: one table, deny by default."""

from collections.abc import Mapping
from enum import StrEnum

from reminder.domain.people import OFFICES, Person, Role, Staff


class Scope(StrEnum):
    """`case`: the person's own, or of the units below theirs. `office`: the whole office."""

    CASE = "case"
    OFFICE = "office"


_CADRES = OFFICES
_CASEWORK = frozenset({Role.HANDLER, Role.UNIT_HEAD, Role.INTAKE, Role.ADMIN, Role.SUPERVISION})
_HEADS = frozenset({Role.UNIT_HEAD, Role.SUPERVISION, Role.ADMIN, Role.TOP})
_ADMIN = frozenset({Role.ADMIN})

POLICY: Mapping[str, tuple[frozenset[Role], Scope]] = {
    "see": (_CADRES, Scope.CASE),
    "register": (
        frozenset({Role.INTAKE, Role.HANDLER, Role.UNIT_HEAD, Role.AGENT, Role.ADMIN}),
        Scope.OFFICE,
    ),
    "assign": (_HEADS | {Role.INTAKE}, Scope.CASE),
    "accept": (_CASEWORK, Scope.CASE),
    "contact": (_CASEWORK | {Role.AGENT}, Scope.CASE),
    "note": (_CASEWORK | {Role.SPONSOR, Role.TOP}, Scope.CASE),
    "answer": (_CASEWORK, Scope.CASE),
    "served": (_CASEWORK | {Role.AGENT}, Scope.CASE),
    "close": (_CASEWORK, Scope.CASE),
    "reopen": (_CASEWORK | {Role.TOP, Role.SPONSOR}, Scope.CASE),
    "withdraw": (_CASEWORK, Scope.CASE),
    "done": (_CASEWORK | {Role.AGENT}, Scope.CASE),
    "visit": (_CASEWORK | {Role.AGENT, Role.SPONSOR}, Scope.CASE),
    "fact": (_CASEWORK, Scope.CASE),
    "undo": (_CADRES, Scope.CASE),
    "preview": (_HEADS, Scope.OFFICE),
    "why": (_CADRES, Scope.CASE),
    "people": (_HEADS | {Role.INTAKE}, Scope.OFFICE),
    "invite": (_ADMIN, Scope.OFFICE),
    "import": (_ADMIN, Scope.OFFICE),
    "protocol": (_ADMIN, Scope.OFFICE),
    "calendar": (_ADMIN, Scope.OFFICE),
    "status": (frozenset({Role.ADMIN, Role.SUPERVISION}), Scope.OFFICE),
}
"""Action -> who may, and how far. An action that is not here is allowed to nobody."""

_BY_UNIT = frozenset({Role.UNIT_HEAD, Role.INTAKE, Role.SPONSOR, Role.TOP, Role.SUPERVISION, Role.ADMIN})


def may(person: Person, action: str, staff: Staff) -> bool:
    """Whether the person may do this at all, to some case or to the office."""
    rule = POLICY.get(action)
    return rule is not None and person.active and bool(person.roles & rule[0]) and person.id in staff.people


def in_scope(
    person: Person, *, unit: int | None, owners: tuple[int | None, ...], confidential: bool, staff: Staff
) -> bool:
    """Own cases; and, for those who answer for units, cases of their own unit and those below.

    Confidential cases stay invisible to village agents (Regulations on Petition Work art. 30).
    """
    if confidential and person.roles == {Role.AGENT}:
        return False
    if person.id in owners:
        return True
    return bool(person.roles & _BY_UNIT) and staff.within(unit, person.unit_id)
