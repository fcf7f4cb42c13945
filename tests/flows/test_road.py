"""The road through farmland (26000124), day by day: every date as the domain page writes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from reminder.actions import added, cases, entries, imports, moves
from reminder.actions.cases import NewCase, NewParty
from reminder.actions.check import violations
from reminder.actions.entries import Slot
from reminder.actions.replan import Plan
from reminder.domain.entries import Entry, EntryStatus
from reminder.domain.protocols import Bound
from reminder.runtime import Runtime
from reminder.store import cases as stored
from reminder.store import entries as kept
from tests.actions.acting import act, moment, settle, texts, until
from tests.office import ZONE, actor, clock_of, office, pass_time, person, read, write

NUMBER = "26000124"
HEWAN = tuple(f"+1202555012{n}" for n in range(5))
SHANGPING = "+12025550130"
SERIES = ("rv1", "rv2", "rv3", "rv4", "rv5")


@dataclass(slots=True)
class Road:
    """The case on its way; everything is done through the office's own actions."""

    rt: Runtime
    case_id: int

    async def on(self, day: str, wall: str = "10:00") -> None:
        """A day of the story; what fell due since is caught up with, as after a machine that was off."""
        clock_of(self.rt).set(moment(f"2026-{day}", wall))
        await settle(self.rt)

    async def does(self, who: str, action: Callable[..., Awaitable[Plan]], *args: Any, **more: Any) -> Plan:
        """Something about the case; never two things in one second."""
        pass_time(self.rt, seconds=1)
        return await act(self.rt, who, action, self.case_id, *args, **more)

    async def ends(self, who: str, key: str, text: str = "done") -> Plan:
        pass_time(self.rt, seconds=1)
        return await act(self.rt, who, entries.done, (await self.entry(key)).id, text)

    async def visited(self, key: str, outcome: str = "holds", text: str = "", who: str = "chen") -> Plan:
        pass_time(self.rt, seconds=1)
        return await act(self.rt, who, entries.visited, (await self.entry(key)).id, outcome, text)

    async def entry(self, key: str) -> Entry:
        return (await read(self.rt, lambda tx: kept.of(tx, [self.case_id])))[self.case_id][key]

    async def nominal(self, *keys: str) -> list[date | None]:
        return [(await self.entry(key)).nominal_on for key in keys]

    async def commit(self, day: str, text: str, owner: str = "chen") -> None:
        who = (await person(self.rt, owner)).id
        await self.does("lin", added.add, "commitment", {"day": f"2026-{day}", "person": who, "text": text})

    async def joint(self, day: str) -> None:
        chen = await person(self.rt, "chen")
        slot = Slot(day=date.fromisoformat(f"2026-{day}"))
        pass_time(self.rt, seconds=1)
        await act(
            self.rt, "zhou", added.joint_review, [self.case_id], slot, place="县政府", secretary_id=chen.id
        )

    async def reviewed(self, key: str) -> None:
        """A joint review was held; its minutes are written and the people told."""
        await self.ends("chen", key, "minutes attached")
        await self.ends("chen", key.replace("joint_review", "minutes"), "decisions listed")
        await self.does("chen", cases.contact, "told what was decided")


def on(day: str) -> date:
    return date.fromisoformat(f"2026-{day}")


LEDGER = """序号,登记时间,信访人,住址,主要诉求,办理情况
7,19-4-11,罗永贵,柳溪镇河湾村,要求修通进村道路,等资金；2021年9月3日调解未成
"""
"""What the office's old book says of it: a year of two digits, and nothing that would ever fall due."""


async def test_the_road_case_has_every_date_of_its_story(tmp_path: Path) -> None:
    async with office(tmp_path, start=moment("2026-02-27", "09:00")) as rt:
        asleep = await _from_the_ledger(rt)
        road = await _spring(rt, asleep)
        await _summer(road)
        await _autumn(road)
        assert await read(rt, lambda tx: violations(tx, rt.desk)) == []


async def _from_the_ledger(rt: Runtime) -> int:
    """The first request and the failed talks lie in a ledger; the import finds that no date was left."""
    by = await actor(rt, "he")
    found = await imports.try_out(rt, by, "old.csv", LEDGER.encode())
    (record,) = found.reading.records
    assert record.received_on == date(2019, 4, 11)
    await imports.apply(rt, by, found)
    (case_id,) = await read(rt, stored.ids)
    asleep = (await read(rt, lambda tx: kept.of(tx, [case_id])))[case_id]
    gap = asleep["import_review"]
    assert gap.is_open, "open, and no next date: somebody has to look at it"
    assert gap.due_on == on("03-03"), "three working days, the make-up Saturday among them"
    return case_id


async def _comes_again(rt: Runtime, asleep: int) -> Road:
    """2 March: 37 people, five who speak for them; the other village is the other side."""
    await until(rt, moment("2026-03-02", "09:00"))
    by = await actor(rt, "yang")
    handler = await person(rt, "chen")
    for _ in range(10):  # with the ledger's the year's first eleven matters, long put away
        other = NewCase(protocol="simple", handler_id=handler.id, unit_id=handler.unit_id)
        plan = await act(rt, "yang", cases.register, other)
        pass_time(rt, seconds=1)
        await act(rt, "chen", cases.withdraw, plan.row.case.id, "solved")
        pass_time(rt, seconds=1)
        await act(rt, "he", moves.archive, plan.row.case.id)
    sides = [NewParty(name=f"河湾代表{n}", phones=(p,), role="representative") for n, p in enumerate(HEWAN)]
    sides.append(NewParty(name="上坪代表", phones=(SHANGPING,), role="counterpart"))
    new = NewCase(
        protocol="ordinary", parties=sides, category="land", place="河湾", request="要求修通硬底化道路",
        unit_id=handler.unit_id, handler_id=handler.id, group_size=37,
    )  # fmt: skip
    plan = await write(rt, lambda tx: cases.register(tx, rt.desk, by, new))
    assert plan.row.case.number == NUMBER
    road = Road(rt, plan.row.case.id)
    await road.does("lin", moves.flag, "repeated")
    merged = await act(rt, "he", moves.merge, asleep, road.case_id)
    assert merged.row.status == "merged"
    await road.does("lin", moves.flag, "collective")
    plan = await road.does("chen", cases.accept)
    assert plan.row.protocol == "major"
    assert plan.past.flags == {"repeated", "collective"}
    assert sum(key.startswith("sponsor") for key in plan.entries) == 1, "two signs are one change of protocol"
    handle = plan.entries["handle"]
    assert (handle.nominal_on, handle.due_on) == (on("05-01"), on("05-06"))
    assert handle.promise_on == on("04-30"), "promised on a day the office is there, and not after it"
    assert (plan.entries["sponsor"].due_on, plan.entries["joint1"].due_on) == (on("03-05"), on("03-17"))
    return road


async def _spring(rt: Runtime, asleep: int) -> Road:
    road = await _comes_again(rt, asleep)
    zhou, tang = await person(rt, "zhou"), await person(rt, "tang")
    await road.does("chen", cases.contact, "spoke with all five")
    await road.does("zhou", lambda tx, desk, by, i: added.reach_by(tx, desk, by, i, "sms", "方言"))
    await road.on("03-03")
    await road.ends("zhou", "report_up")
    await road.on("03-05")
    plan = await road.does("zhou", moves.sponsor, zhou.id)
    assert plan.entries["sponsor"].status is EntryStatus.MET
    assert plan.entries["plan"].due_on == on("03-19")
    assert (plan.entries["invite"].nominal_on, plan.entries["site"].due_on) == (on("03-15"), on("03-25"))
    await _invited(road, zhou.id)
    await road.on("03-10")
    await road.joint("03-17")
    await road.on("03-17", "17:00")
    await road.reviewed("joint_review")
    assert (await road.entry("joint1")).status is EntryStatus.MET
    assert await road.nominal("joint_next") == [on("04-16")]
    for day, text in (("04-03", "重新测量"), ("04-10", "重算补偿"), ("04-20", "林地手续"), ("04-30", "筹资")):
        await road.commit(day, text)
    await road.ends("chen", "plan", "steps, owners, days")
    await road.does("lin", added.add, "outreach", {"day": "2026-03-24", "place": "河湾", "person": zhou.id})
    await road.on("03-24", "17:30")
    await road.visited("outreach", text=f"walked the line; {tang.name} spoke the dialect")
    assert (await road.entry("site")).status is EntryStatus.MET
    assert (await road.entry("decision_note")).due_on == on("03-25")
    await road.ends("chen", "decision_note", "the plots are measured again")
    await _extended(road)
    await _agreed(road)
    return road


async def _invited(road: Road, leader: int) -> None:
    """One of the five would rather come another day: it is held on the 9th."""
    value = {"day": "2026-03-06", "start": "14:30", "place": "镇政府", "person": leader}
    await road.does("lin", added.add, "invited_meeting", value)
    await until(road.rt, moment("2026-03-05", "16:00"))
    assert [t for t in texts(road.rt, HEWAN[0]) if "当面谈" in t.message.text]
    meeting = await road.entry("invited_meeting")
    await act(road.rt, "chen", entries.ask_other_day, meeting.id)
    pass_time(road.rt, seconds=1)
    moved = await act(road.rt, "chen", entries.move, meeting.id, Slot(day=on("03-09")))
    assert moved.entries["invited_meeting"].asked_by == "resident"
    await road.on("03-09", "17:30")
    plan = await road.visited("invited_meeting", text="both villages came")
    assert plan.entries["invite"].status is EntryStatus.MET


async def _extended(road: Road) -> None:
    await road.on("04-01")
    await road.does("chen", cases.note, "half of the plots measured")
    await road.does("chen", cases.contact, "told them")
    await road.on("04-10")
    await road.joint("04-16")
    for key in ("commitment", "commitment.2"):
        await road.ends("chen", key, "papers attached")
    await road.on("04-16", "17:00")
    await road.reviewed("joint_review.2")
    assert (await road.entry("joint_next")).status is EntryStatus.MET
    assert await road.nominal("joint_next.2") == [on("05-16")]
    await road.on("04-20")
    asked = await road.does("chen", moves.extend, 30, "等林地手续")
    assert asked.entries["handle"].due_on == on("05-06"), "asking grants nothing"
    await road.on("04-21")
    granted = await road.does("lin", moves.extend, 30, "等林地手续")
    handle = granted.entries["handle"]
    assert (handle.nominal_on, handle.due_on) == (on("05-31"), on("06-01"))
    assert handle.promise_on == on("05-29")
    assert not granted.entries["extend.ask1"].is_open, "what was asked of the head is done"
    for key in ("commitment.3", "commitment.4"):
        await road.ends("chen", key, "papers attached")
    await until(road.rt, moment("2026-04-22", "10:00"))
    assert [t for t in texts(road.rt, HEWAN[0]) if "延到" in t.message.text]


async def _agreed(road: Road) -> None:
    await road.on("05-12")
    plan = await road.does("lin", added.add, "agreement", {"text": "同价、涵洞、田埂口"})
    window = plan.entries["agreement"]
    assert (window.nominal_on, window.due_on, window.bound) == (on("06-11"), on("06-11"), Bound.NONE)
    await road.commit("05-22", "按同一标准补偿")
    await road.commit("05-29", "修涵洞")
    await road.commit("06-30", "做田埂口")
    third = await road.entry("joint_next.2")
    assert (third.promise_on, third.due_on) == (on("05-15"), on("05-18")), "05-16 is a Saturday"
    await road.joint("05-15")
    await road.on("05-15", "17:00")
    await road.reviewed("joint_review.3")
    assert (await road.entry("joint_next.2")).status is EntryStatus.MET


async def _summer(road: Road) -> None:
    await road.on("05-20")
    await road.does("chen", cases.contact, "land papers done")
    for key in ("commitment.5", "commitment.6"):
        await road.ends("chen", key, "papers attached")
    await road.on("05-26")
    plan = await road.does("chen", cases.answer, "upheld", "修路，同价补偿")
    assert plan.entries["serve"].due_on == on("05-29")
    await road.on("05-28")
    plan = await road.does("chen", cases.served, "brought to both villages")
    window = plan.entries["review_window"]
    assert (window.nominal_on, window.due_on) == (on("06-27"), on("06-29"))
    await road.on("06-02", "16:00")
    plan = await road.does("chen", cases.close)
    first = [on("06-09"), on("07-02"), on("08-31"), on("11-29"), date(2027, 6, 2)]
    assert await road.nominal(*SERIES) == first
    assert await road.nominal(*(f"{key}_other" for key in SERIES)) == first, "both villages"
    await road.on("06-09", "17:30")
    await road.visited("rv1", "holds")
    await road.visited("rv1_other", "holds")
    await road.on("07-02", "17:30")
    await road.visited("rv2", "partly", "the field gate is not built")
    plan = await road.does("lin", added.broken, "commitment.7", "gate not built")
    assert plan.past.status.value == "in_progress"
    assert not any(plan.entries[key].is_open for key in ("rv3", "rv4", "rv5", "rv3_other"))
    assert [m.nominal_on for k, m in plan.entries.items() if k == "handle.2"] == [on("08-31")]
    await until(road.rt, moment("2026-07-03", "10:00"))
    assert [t for t in texts(road.rt, HEWAN[0]) if "重新办" in t.message.text]
    await road.does("chen", cases.contact, "when the gate is built")
    for day in ("07-16", "07-29", "08-11"):
        await road.on(day)
        await road.does("chen", cases.contact, "how the gate comes on")
    await road.does("chen", cases.note, "gate ordered")


async def _autumn(road: Road) -> None:
    await road.on("08-14")
    await road.ends("chen", "commitment.7", "photo of the gate")
    await road.does("chen", cases.answer, "upheld", "田埂口修好了")
    await road.on("08-17")
    await road.does("chen", cases.served, "brought to both villages")
    plan = await road.does("chen", cases.close)
    second = [f"{key}.2" for key in SERIES]
    days = [on("08-24"), on("09-16"), on("11-15"), date(2027, 2, 13), date(2027, 8, 17)]
    assert await road.nominal(*second) == days
    assert await road.nominal(*(f"{key}_other.2" for key in SERIES)) == days
    assert plan.entries["rv3.2"].due_on == on("11-16"), "the 15th is a Sunday"
    for day, key in (("08-24", "rv1"), ("09-16", "rv2")):
        await road.on(day, "17:30")
        await road.visited(f"{key}.2")
        await road.visited(f"{key}_other.2")
    await road.on("11-12", "15:00")
    await road.visited("rv3.2", "partly", "the road is in use; three households ask for a drain")
    await road.visited("rv3_other.2", "holds")
    seen = (await road.entry("rv3.2")).ended_at
    assert seen is not None
    assert seen.astimezone(ZONE).date() == on("11-12"), "done before it was due"
    asked = NewCase(protocol="ordinary", category="land", place="上坪", request=f"排水沟，由{NUMBER}引出")
    linked = await act(road.rt, "yang", cases.register, asked)
    assert linked.row.status == "registered"
    later = await road.entry("rv4.2")
    assert (later.nominal_on, later.provisional) == (date(2027, 2, 13), True)
    assert later.is_open
    row = (await read(road.rt, lambda tx: stored.many(tx, [road.case_id])))[road.case_id]
    assert row.status == "closed", "three more households are a case of their own"
