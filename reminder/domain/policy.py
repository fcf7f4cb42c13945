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
_LEADERS = frozenset({Role.SPONSOR, Role.TOP})
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
    "refer": (_CASEWORK, Scope.CASE),
    "acknowledge": (_CASEWORK, Scope.CASE),
    "object": (_CASEWORK, Scope.CASE),
    "guide": (_CASEWORK, Scope.CASE),
    "extend": (_CASEWORK | _LEADERS, Scope.CASE),
    "suspend": (_HEADS | _LEADERS, Scope.CASE),
    "defer": (_CASEWORK | _LEADERS, Scope.CASE),
    "resume": (_CASEWORK, Scope.CASE),
    "review_request": (_CASEWORK, Scope.CASE),
    "second_review": (_CASEWORK, Scope.CASE),
    "review_result": (_HEADS | _LEADERS, Scope.CASE),
    "send_back": (_HEADS | _LEADERS, Scope.CASE),
    "conclude": (_HEADS | _LEADERS, Scope.CASE),
    "flag": (_HEADS | {Role.INTAKE}, Scope.CASE),
    "sponsor": (_HEADS, Scope.CASE),
    "add": (_CASEWORK | _LEADERS, Scope.CASE),
    "party": (_CASEWORK, Scope.CASE),
    "order": (frozenset({Role.SUPERVISION, Role.TOP, Role.ADMIN}), Scope.CASE),
    "pause": (_HEADS, Scope.CASE),
    "unpause": (_HEADS, Scope.CASE),
    "merge": (_HEADS | {Role.INTAKE}, Scope.CASE),
    "archive": (_ADMIN, Scope.CASE),
    "erase": (_ADMIN, Scope.CASE),
    "confide": (_HEADS | {Role.INTAKE}, Scope.CASE),
    "file": (_HEADS | _LEADERS | {Role.INTAKE, Role.HANDLER}, Scope.OFFICE),
    "leave": (_CADRES, Scope.OFFICE),
    "posting": (_HEADS, Scope.OFFICE),
    "counts": (_HEADS | _LEADERS, Scope.OFFICE),
    "undo": (_CADRES, Scope.CASE),
    "preview": (_HEADS, Scope.OFFICE),
    "why": (_CADRES, Scope.CASE),
    "people": (_HEADS | {Role.INTAKE}, Scope.OFFICE),
    "units": (_ADMIN, Scope.OFFICE),
    "invite": (_ADMIN, Scope.OFFICE),
    "import": (_ADMIN, Scope.OFFICE),
    "protocol": (_ADMIN, Scope.OFFICE),
    "calendar": (_ADMIN, Scope.OFFICE),
    "stop": (frozenset({Role.ADMIN, Role.SUPERVISION, Role.TOP}), Scope.OFFICE),
    "status": (frozenset({Role.ADMIN, Role.SUPERVISION}), Scope.OFFICE),
    "release": (frozenset({Role.ADMIN}), Scope.OFFICE),
}
"""Action -> who may, and how far. An action that is not here is allowed to nobody."""

_BY_UNIT = frozenset({Role.UNIT_HEAD, Role.INTAKE, Role.SPONSOR, Role.TOP, Role.SUPERVISION, Role.ADMIN})


def may(person: Person, action: str, staff: Staff) -> bool:
    """Whether the person may do this at all, to some case or to the office."""
    rule = POLICY.get(action)
    return rule is not None and person.active and bool(person.roles & rule[0]) and person.id in staff.people


def in_scope(
    person: Person,
    *,
    unit: int | None,
    owners: tuple[int | None, ...],
    confidential: bool,
    staff: Staff,
    referred: int | None = None,
    reported: int | None = None,
) -> bool:
    """Own cases; and, for those who answer for units, cases of their own unit and those below.

    Confidential cases stay invisible to village agents and to the unit reported on (Regulations on Petition
    Work arts. 30 and 46); a referral is seen by the unit it waits at, too.
    """
    if confidential and person.is_agent:
        return False
    if reported is not None and staff.within(person.unit_id, reported):
        return False
    if person.id in owners:
        return True
    near = any(staff.within(one, person.unit_id) for one in (unit, referred) if one is not None)
    return bool(person.roles & _BY_UNIT) and near
