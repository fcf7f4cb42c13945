"""Who hears what, and how: in confidence, another way than by text, through a village's agent, or no more."""

from datetime import date

import pytest
import sqlalchemy as sa

from reminder.actions import added, cases, confidence, erasure, moves, standins
from reminder.actions import entries as visits
from reminder.actions.desk import Actor, Desk
from reminder.actions.digests import items_of
from reminder.actions.guard import permit
from reminder.domain.errors import NotFound, Refused
from reminder.domain.people import Role
from reminder.runtime import Runtime
from reminder.store import people, residents
from reminder.store import tables as t
from reminder.store.database import Tx
from tests.actions.acting import (
    FRIDAY,
    after,
    chat,
    moment,
    rows,
    scene,
    send_in,
    sound,
    tasks,
    texts,
    until,
)
from tests.actions.acting import in_turn as act
from tests.office import LI, a_case, person, read, write


async def _unit(rt: Runtime, name: str) -> int:
    staff = await read(rt, people.staff)
    return next(unit.id for unit in staff.units.values() if unit.name == name)


async def _agent(rt: Runtime, case_id: int) -> list[str]:
    """What the agent's list holds about the case."""
    tang = await person(rt, "tang")
    items = await read(rt, lambda tx: items_of(tx, rt.desk, tang))
    return [str(item.entry.detail.get("by", "")) for item in items if item.entry.case_id == case_id]


# --- another way than by text -----------------------------------------------------------------


@pytest.mark.parametrize("way", ["call", "paper"])
async def test_who_asked_for_another_way_gets_no_text_and_the_handler_a_task(rt: Runtime, way: str) -> None:
    case_id = (await a_case(rt, accepted=False)).row.case.id
    await act(rt, "chen", added.reach_by, case_id, way, "")
    await act(rt, "chen", cases.accept, case_id)
    await after(rt, minutes=5)
    assert texts(rt) == []
    assert {task["by"] for task in await tasks(rt, case_id)} == {way}
    await sound(rt)


async def test_through_the_agent_the_task_is_the_agents_and_the_agent_ends_it(rt: Runtime) -> None:
    tang = await person(rt, "tang")
    await act(rt, "lin", standins.post, "河湾", tang.id, date(2026, 11, 1))
    case_id = (await a_case(rt, accepted=False)).row.case.id
    await act(rt, "chen", added.reach_by, case_id, "agent", "")
    await act(rt, "chen", cases.accept, case_id)
    await after(rt, minutes=5)
    assert texts(rt) == []
    assert set(await _agent(rt, case_id)) == {"agent"}
    for entry in [e for e in (await scene(rt, case_id)).entries.values() if e.detail.get("by")]:
        await act(rt, "tang", visits.done, entry.id, "told at the door", revision=entry.revision)
    assert await _agent(rt, case_id) == []


async def test_what_nobody_is_there_to_carry_falls_to_the_handler(rt: Runtime) -> None:
    case_id = (await a_case(rt, accepted=False)).row.case.id
    await act(rt, "chen", added.reach_by, case_id, "agent", "")
    await act(rt, "chen", cases.accept, case_id)
    await after(rt, minutes=5)
    chen = await person(rt, "chen")
    items = await read(rt, lambda tx: items_of(tx, rt.desk, chen))
    assert "agent" in [item.entry.detail.get("by") for item in items]


async def test_a_village_keeps_its_cadre_when_it_gets_an_agent(rt: Runtime) -> None:
    chen, tang = await person(rt, "chen"), await person(rt, "tang")
    await act(rt, "lin", standins.post, "河湾", chen.id, date(2026, 11, 1))
    await act(rt, "lin", standins.post, "河湾", tang.id, date(2026, 11, 2))
    staff = await read(rt, people.staff)
    assert staff.posted("河湾", date(2026, 11, 23)) == chen
    assert staff.agent_of("河湾村") == tang
    assert (await a_case(rt, handler=None, accepted=False)).row.handler_id == chen.id


# --- in confidence ----------------------------------------------------------------------------


async def test_words_said_in_confidence_stand_in_the_case_alone(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await after(rt, minutes=5)
    await act(rt, "lin", confidence.confide, case_id, None)
    await send_in(rt, LI, "他们在账上做了手脚")
    await until(rt, moment("2026-11-24", "09:00"))
    assert not [row for row in chat(rt).ledger if "手脚" in row.message.text]
    case = await scene(rt, case_id)
    (task,) = [e for e in case.entries.values() if e.detail.get("what") == "read_reply"]
    assert "手脚" not in case.what(task, "zh")
    assert "手脚" in case.what(task, "zh", within=True)


async def test_the_unit_it_is_about_neither_sees_it_nor_gets_it(rt: Runtime) -> None:
    case_id = (await a_case(rt, by="stone", handler=None, accepted=False)).row.case.id
    county, other = await _unit(rt, "青麓县"), await _unit(rt, "石门乡")
    chen = await person(rt, "chen")
    with pytest.raises(Refused, match=r"confide.same_unit"):
        await act(rt, "zhou", confidence.confide, case_id, other)
    await act(rt, "zhou", cases.assign, case_id, handler_id=chen.id)
    await act(rt, "zhou", confidence.confide, case_id, other)
    stone = await person(rt, "stone")
    with pytest.raises(NotFound):  # though it was he who took it in
        await act(rt, "stone", permit_see, case_id)
    with pytest.raises(Refused, match=r"confide.reported"):
        await act(rt, "zhou", cases.assign, case_id, handler_id=stone.id)
    await write(rt, lambda tx: people.set_head(tx, other, stone.id))
    with pytest.raises(Refused, match=r"confide.reported"):
        await act(rt, "zhou", moves.refer, case_id, other)
    with pytest.raises(NotFound):
        await act(rt, "tang", permit_see, case_id)
    await act(rt, "zhou", confidence.disclose, case_id)
    await act(rt, "zhou", moves.refer, case_id, other)
    assert county != other
    await sound(rt)


async def permit_see(tx: Tx, _desk: Desk, by: Actor, case_id: int) -> object:
    return await permit(tx, by, "see", case_id)


async def test_nobody_of_that_unit_is_told_whatever_their_role(rt: Runtime) -> None:
    plan = await a_case(rt)
    case_id, other = plan.row.case.id, await _unit(rt, "石门乡")
    ghost = await write(
        rt,
        lambda tx: people.add_person(
            tx, name="督查员", unit_id=other, roles=(Role.SUPERVISION,), lang="zh", chat_id=700099
        ),
    )
    await act(rt, "zhou", confidence.confide, case_id, other)
    await until(rt, moment("2026-12-05", "12:00"))
    told = await rows(rt, "escalation") + await rows(rt, "overdue")
    assert told
    assert ghost not in {row.person_id for row in told if row.case_id == case_id}


# --- no more ------------------------------------------------------------------------------------


async def test_an_erased_case_keeps_its_dates_and_nobodys_name_number_or_words(rt: Runtime) -> None:
    case_id = (await a_case(rt)).row.case.id
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await after(rt, minutes=5)
    await send_in(rt, LI, "我家门前的田埂塌了")
    await act(rt, "chen", cases.contact, case_id, "田埂的事谈过")
    await act(rt, "chen", cases.withdraw, case_id, "田埂自己修好了")
    with pytest.raises(Refused, match=r"case.wrong_state"):
        await act(rt, "he", erasure.erase, case_id)
    await act(rt, "he", moves.archive, case_id)
    with pytest.raises(Refused, match=r"person.not_allowed"):
        await act(rt, "chen", erasure.erase, case_id)
    before = {key: (e.due_on, e.status) for key, e in (await scene(rt, case_id)).entries.items()}
    plan = await act(rt, "he", erasure.erase, case_id)
    assert plan.past.status.value == "erased"
    after_it = {key: (e.due_on, e.status) for key, e in (await scene(rt, case_id)).entries.items()}
    assert after_it == before
    for canary in ("田埂", "李女士", LI[-4:], "修路占地", "河湾"):
        assert canary not in await _everything(rt, case_id)
    assert await read(rt, lambda tx: residents.phone_id_of(tx, rt.desk.sealer, LI)) is None
    await sound(rt)


async def _everything(rt: Runtime, case_id: int) -> str:
    """All that the database says about a case, its people and their letters, opened."""
    async with rt.db.read() as tx:
        found = [await tx.execute(sa.select(table)) for table in (t.cases, t.facts, t.entries, t.reminders)]
        found += [
            await tx.execute(sa.select(table)) for table in (t.residents, t.timeline, t.audit, t.questions)
        ]
        letters = (await tx.execute(sa.select(t.inbox).where(t.inbox.c.source == "sms"))).mappings().all()
        opened = [rt.desk.sealer.open(r["sealed"], bound_to=f"inbox|sealed|{r['uid']}") for r in letters]
        last4 = (await tx.execute(sa.select(t.phones.c.last4))).all()
        return repr([rows_.all() for rows_ in found]) + repr(opened) + repr(last4)


async def test_who_is_in_another_case_keeps_their_name_there(rt: Runtime) -> None:
    first = (await a_case(rt)).row.case.id
    (li,) = (await scene(rt, first)).sides
    party = cases.NewParty(name="李女士", id=li)
    new = cases.NewCase(protocol="ordinary", parties=(party,), place="河湾村")
    await act(rt, "yang", cases.register, new)
    await act(rt, "chen", cases.withdraw, first, "不办了")
    await act(rt, "he", moves.archive, first)
    await act(rt, "he", erasure.erase, first)
    assert (await read(rt, lambda tx: residents.many(tx, [li])))[li].name == "李女士"
    assert (await scene(rt, first)).row.request == ""
