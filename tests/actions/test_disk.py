"""The disk is full: what cannot be written down is not done, and later all goes on by itself."""

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from jobs.dispatch import dispatch
from jobs.remind import remind
from reminder.domain.reminders import State
from reminder.runtime import Runtime
from reminder.store import tables as t
from tests.actions.acting import rows, settle, sms, sound, texts
from tests.office import a_case, pass_time, read, write

pytestmark = pytest.mark.sqlite

FULL = "CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN SELECT RAISE(ABORT, 'no room for it'); END"


async def sql(rt: Runtime, words: str) -> int:
    async with rt.db.write() as tx:
        found = await tx.exec_driver_sql(words)
        return int(found.scalar_one()) if found.returns_rows else 0


async def intents(rt: Runtime) -> set[str]:
    query = sa.select(t.attempts.c.token)
    return set((await read(rt, lambda tx: tx.execute(query))).scalars())


def causes(error: BaseException) -> set[str]:
    """What a group of errors is made of."""
    if isinstance(error, BaseExceptionGroup):
        return set().union(*(causes(one) for one in error.exceptions))
    return {type(error).__name__}


async def refused(work: Callable[[Runtime], Awaitable[object]], rt: Runtime) -> set[str]:
    with pytest.raises((DBAPIError, BaseExceptionGroup)) as caught:
        await work(rt)
    return causes(caught.value)


@pytest.mark.failure(3)
async def test_nothing_is_sent_while_no_intent_can_be_written_and_all_of_it_afterwards(rt: Runtime) -> None:
    await a_case(rt)
    await remind(rt)
    pass_time(rt, minutes=5)
    await remind(rt)
    waiting = sum(r.state is State.PLANNED for r in await rows(rt))
    assert waiting >= 2
    await sql(rt, FULL)
    assert await refused(dispatch, rt) == {"IntegrityError"}
    assert texts(rt) == []
    assert sum(r.state is State.PLANNED for r in await rows(rt)) == waiting
    await sql(rt, "DROP TRIGGER full")
    await settle(rt)
    assert max(Counter(row.message.to for row in texts(rt)).values()) == 2
    await sound(rt)


@pytest.mark.failure(3)
async def test_a_disk_that_fills_up_leaves_whole_cases_and_no_message_without_its_intent(rt: Runtime) -> None:
    room = await sql(rt, "PRAGMA page_count") + 12
    await sql(rt, f"PRAGMA max_page_count = {room}")
    taken = 0
    while True:
        try:
            await a_case(rt, phones=(f"+12025550{taken:03d}",))
        except OperationalError as error:
            assert "full" in str(error.orig)  # noqa: PT017 - how many fit is the disk's to say
            break
        taken += 1
        pass_time(rt, minutes=5)
        for job in (remind, dispatch):
            try:
                await job(rt)
            except (OperationalError, BaseExceptionGroup) as error:
                assert causes(error) == {"OperationalError"}  # noqa: PT017 - the same
    assert taken >= 2
    kept = await write(rt, lambda tx: tx.scalar(sa.select(sa.func.count(t.cases.c.id))))
    assert kept in {taken, taken + 1}  # registered and accepted are two deeds
    assert {row.message.token for row in texts(rt)} <= await intents(rt)
    await sql(rt, "PRAGMA max_page_count = 1000000")
    await settle(rt)
    pass_time(rt, minutes=30)
    await settle(rt)
    sent = Counter(row.message.token for row in sms(rt).ledger)
    assert set(sent.values()) == {1}
    assert len({row.message.to for row in texts(rt)}) == kept
    await sound(rt)
