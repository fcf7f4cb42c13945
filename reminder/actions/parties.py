"""Who else is a case about: people who speak for many, the other side, somebody who acts for another?"""

from reminder.actions import record
from reminder.actions.cases import NewParty, join
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import read_case
from reminder.domain.cases import ENDED
from reminder.domain.errors import Refused
from reminder.store import cases
from reminder.store.database import Tx

ROLES = ("applicant", "representative", "counterpart", "proxy")
"""Representatives are told as applicants are; return visits of a dispute go to the counterpart as well."""

REPRESENTATIVES = 5
"""At most so many speak for a group (Regulations on Petition Work 2022, art. 20)."""


async def add(tx: Tx, desk: Desk, by: Actor, case_id: int, party: NewParty) -> Plan:
    """One more person on a case; what is to come is told to them as well."""
    if party.role not in ROLES:
        raise Refused("party.role", known=", ".join(ROLES))
    await cases.lock(tx, case_id)
    await permit(tx, by, "party", case_id)
    scene = await read_case(tx, desk, case_id)
    if scene.past.status in ENDED:
        raise Refused("protocol.case_ended", no=scene.row.case.number)
    speak = sum(role == "representative" for role in scene.sides.values())
    if party.role == "representative" and speak >= REPRESENTATIVES:
        raise Refused("party.five", most=REPRESENTATIVES)
    await record.begin(tx, desk, by, None, f"party:{case_id}:{party.role}")
    await join(tx, desk, case_id, party, contacted=not scene.row.case.imported)
    return await replan(tx, desk, case_id)
