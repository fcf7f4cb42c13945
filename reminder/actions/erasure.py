"""How is an old case erased: names, numbers and words go for good, counts and dates stay?"""

from reminder.actions.cases import allowed, take
from reminder.actions.desk import Actor, Desk
from reminder.actions.replan import Plan, replan
from reminder.actions.scene import CaseScene
from reminder.domain.cases import KEPT, Event
from reminder.failpoints import failpoint
from reminder.store import erasing, residents
from reminder.store.database import Tx


async def ready(tx: Tx, desk: Desk, by: Actor, case_id: int) -> CaseScene:
    """The case, locked, if it may be erased now. Raises NotFound or Refused with the sentence."""
    return await allowed(tx, desk, by, case_id, Event.ERASE)


async def erase(tx: Tx, desk: Desk, by: Actor, case_id: int) -> Plan:
    """No way back. People who are in other cases keep their names there; who took no texts, still takes none.

    What the office owes itself about an ended case stays as it was: its dates do not hang on words.
    """
    await ready(tx, desk, by, case_id)
    people = await erasing.people_of(tx, case_id)
    held = await residents.phones(tx, desk.sealer, people)
    numbers = {phone.number for phones in held.values() for phone in phones}
    await take(tx, desk, by, case_id, Event.ERASE, value={})
    failpoint("erase.after_fact")
    await erasing.strip_people(tx, people, desk.new_id)
    failpoint("erase.after_people")
    await erasing.strip_case(tx, case_id, KEPT)
    failpoint("erase.after_case")
    await erasing.strip_letters(tx, desk.sealer, numbers)
    failpoint("erase.after_letters")
    return await replan(tx, desk, case_id)
