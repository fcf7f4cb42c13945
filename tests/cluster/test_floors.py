"""A look for what may leave does not begin at the beginning of all time, but now and then it does."""

from datetime import timedelta

from jobs import turns
from jobs.dispatch import dispatch_share
from reminder.actions.direct import tell
from reminder.domain.people import Role
from reminder.floors import MARGIN, WHOLE, Floor
from reminder.store import people
from reminder.store.database import Database
from reminder.store.migrations import migrate
from tests.cluster.test_shares import FIRST, office
from tests.office import START


def test_it_is_where_the_first_one_waited_until_it_is_time_to_look_from_the_beginning() -> None:
    floor = Floor()
    assert floor.since(100.0) is None
    floor.found(START, since=None, steady=100.0)
    assert floor.since(100.0 + WHOLE - 0.1) == START - MARGIN
    floor.found(START + MARGIN, since=START - MARGIN, steady=104.0)
    assert floor.since(104.5) == START
    assert floor.since(100.0 + WHOLE) is None


async def test_what_waits_from_before_it_goes_once_it_is_looked_for_from_the_beginning(
    postgres_url: str,
) -> None:
    db = Database(postgres_url)
    await migrate(db)
    rt = office(db, None)
    async with db.write() as tx:
        unit = await people.add_unit(tx, name="柳溪镇", kind="township", parent_id=None)
        await people.add_person(tx, name="P", unit_id=unit, roles=(Role.ADMIN,), chat_id=100)
        (person,) = (await people.staff(tx)).people.values()
        about = {"n": 1, "lines": "0"}
        await tell(tx, rt.desk, person, "gaps", key="gaps", at=START, detail=about)
    later = START + timedelta(hours=1)
    rt.floors["telegram"].found(later, since=None, steady=turns.steady())
    assert await dispatch_share(rt, FIRST) == 0
    rt.floors["telegram"].found(later, since=None, steady=turns.steady() - WHOLE)
    assert await dispatch_share(rt, FIRST) == 1
    await db.close()
