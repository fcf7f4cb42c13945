"""The one place where an action asks whether it is allowed, inside the transaction that would do it."""

from reminder.actions.desk import Actor
from reminder.domain.errors import NotFound, Refused
from reminder.domain.people import Staff
from reminder.domain.policy import POLICY, Scope, in_scope, may
from reminder.store import cases, entries, people
from reminder.store.cases import CaseRow
from reminder.store.database import Tx


async def permit(tx: Tx, by: Actor, action: str, case_id: int | None = None) -> Staff:
    """Refused or NotFound (the same sentence) unless the actor, as of now, may do this to this case."""
    staff = await people.staff(tx)
    if by.person is None:
        return staff
    person = staff.active(by.person.id)
    if person is None or not may(person, action, staff):
        raise Refused("person.not_allowed")
    if case_id is not None and POLICY[action][1] is Scope.CASE:
        row = (await cases.many(tx, [case_id])).get(case_id)
        if row is None:
            raise NotFound("not_found")
        if not sees(by, row, staff) and not await _reads(tx, action, row, person.id):
            raise NotFound("not_found")
    return staff


def sees(by: Actor, row: CaseRow, staff: Staff) -> bool:
    """Whether the case lies within the actor's scope."""
    if by.person is None:
        return True
    owners = (row.handler_id, row.responsible_id, row.case.first_contact_id, row.sponsor_id)
    return in_scope(
        by.person,
        unit=row.unit_id,
        owners=(*owners, _agent(row, staff)),
        referred=row.referred_id,
        reported=row.reported_id,
        confidential=row.case.confidential,
        staff=staff,
    )


def _agent(row: CaseRow, staff: Staff) -> int | None:
    """The agent of the case's village, who files and fetches for people there."""
    agent = staff.agent_of(row.case.place)
    return agent.id if agent is not None else None


async def _reads(tx: Tx, action: str, row: CaseRow, person_id: int) -> bool:
    """Whoever promised something in a case, or leads a meeting about it, may read it."""
    if action != "see" or row.case.confidential:
        return False
    return await entries.named(tx, row.case.id, person_id)
