"""How is a matter kept in confidence: its number only, hidden from agents and from the unit it is about?

Regulations on Petition Work (2022) arts. 30 and 46(5); the unit it is about never handles it (art. 28).
"""

from reminder.actions import record
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import CaseScene, read_case
from reminder.domain.errors import Refused
from reminder.store import cases
from reminder.store.database import Tx


async def confide(tx: Tx, desk: Desk, by: Actor, case_id: int, reported_id: int | None) -> Plan:
    """Lists show its number alone and no text about it goes; `reported_id` is the unit it is about.

    Refused while that unit has the case: then somebody else must have it first.
    """
    await cases.lock(tx, case_id)
    await permit(tx, by, "confide", case_id)
    scene = await read_case(tx, desk, case_id)
    row = scene.row
    if reported_id is not None:
        unit = scene.staff.units.get(reported_id)
        if unit is None:
            raise Refused("confide.unit")
        handler = scene.staff.active(row.handler_id)
        holders = [row.unit_id, row.referred_id, handler.unit_id if handler is not None else None]
        if any(scene.staff.within(one, reported_id) for one in holders if one is not None):
            raise Refused("confide.same_unit", no=row.case.number, unit=unit.name)
    await record.begin(tx, desk, by, None, f"confide:{case_id}:{reported_id or 0}")
    await cases.update(tx, case_id, confidential=True, reported_id=reported_id)
    return await replan(tx, desk, case_id)


async def disclose(tx: Tx, desk: Desk, by: Actor, case_id: int) -> Plan:
    """It is a matter like any other again."""
    await cases.lock(tx, case_id)
    await permit(tx, by, "confide", case_id)
    await record.begin(tx, desk, by, None, f"disclose:{case_id}")
    await cases.update(tx, case_id, confidential=False, reported_id=None)
    return await replan(tx, desk, case_id)


def unbiased(scene: CaseScene, unit_id: int | None) -> None:
    """Refused where the unit is the one a confidential matter is about."""
    reported = scene.row.reported_id
    if reported is not None and scene.staff.within(unit_id, reported):
        unit = scene.staff.units[reported]
        raise Refused("confide.reported", no=scene.row.case.number, unit=unit.name)
