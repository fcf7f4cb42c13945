"""A look for what may leave does not begin at the beginning of all time, but now and then it does."""

from datetime import timedelta

from jobs import turns
from jobs.dispatch import dispatch_by
from reminder.floors import MARGIN, WHOLE, Floor
from reminder.store.database import Database
from tests.cluster.test_shares import office, told
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
    rt = office(db, None)
    await told(rt)
    later = START + timedelta(hours=1)
    rt.floors["telegram"].found(later, since=None, steady=turns.steady())
    assert await dispatch_by(rt, rt.senders) == 0
    rt.floors["telegram"].found(later, since=None, steady=turns.steady() - WHOLE)
    assert await dispatch_by(rt, rt.senders) == 1
    await db.close()
