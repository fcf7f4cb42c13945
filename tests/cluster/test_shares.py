"""Several bots are several jobs on many machines, so that several workers send at once."""

from dataclasses import replace

from jobs.dispatch import SHARES, dispatch_by, shares, waits_for
from reminder.actions.direct import tell
from reminder.channels.bots import Bots
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.domain.people import Channel, of_bot
from reminder.runtime import Runtime
from reminder.store import people
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.valves import Turns
from tests.office import START, ManualClock, desk

FIRST, SECOND = "dispatch telegram", "dispatch telegram@1"


def office(db: Database, *bots: int | None) -> Runtime:
    chat = Bots({bot: MemoryChat(now=lambda: START) for bot in bots})
    return Runtime(db=db, desk=desk(ManualClock(START)), chat=chat, turns=Turns(me="one"))


async def told(rt: Runtime) -> None:
    """A colleague of each bot has a message to come."""
    await migrate(rt.db)
    async with rt.db.write() as tx:
        unit = await people.add_unit(tx, name="柳溪镇", kind="township", parent_id=None)
        for k, bot in enumerate(rt.bots):
            whom = {"name": f"P{k}", "unit_id": unit, "roles": (), "chat_id": 100 + k, "bot": bot}
            await people.add_person(tx, **whom)  # type: ignore[arg-type]
        staff = await people.staff(tx)
        for k, person in enumerate(staff.people.values()):
            about = {"n": 1, "lines": str(k)}
            await tell(tx, rt.desk, person, "gaps", key=f"gaps:{k}", at=START, detail=about)


async def test_every_sender_is_in_one_share_and_there_are_not_too_many(postgres_url: str) -> None:
    db = Database(postgres_url)
    rt = replace(office(db, None, *range(1, 20)), sms=MemorySms(now=lambda: START))
    found = shares(rt)
    assert sorted(one.key for part in found.values() for one in part) == sorted(
        [of_bot("telegram", bot) for bot in (None, *range(1, 20))] + ["sms"]
    )
    assert [one.channel for one in found["dispatch sms"]] == [Channel.SMS]
    assert len(found) == SHARES + 1
    await db.close()


async def test_a_share_sends_and_waits_for_its_own_bots_only(postgres_url: str) -> None:
    db = Database(postgres_url)
    rt = office(db, None, 1)
    await told(rt)
    assert list(shares(rt)) == [FIRST, SECOND]
    first, second = shares(rt).values()
    assert await waits_for(rt, first)
    assert await waits_for(rt, second)
    assert await dispatch_by(rt, second) == 1
    assert not await waits_for(rt, second)
    assert await waits_for(rt, first)
    assert await dispatch_by(rt, first) == 1
    assert not await waits_for(rt, first)
    await db.close()
