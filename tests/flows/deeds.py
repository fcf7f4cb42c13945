"""What people can do to a case through the program's own actions, each in a few ways."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from reminder.actions import added, cases, entries, files, migrating, moves, standins
from reminder.actions.calendars import mark_day
from reminder.actions.desk import Actor, Desk
from reminder.actions.entries import Slot
from reminder.actions.scene import CaseScene, read_case
from reminder.domain.cases import FLAGS, OUTCOMES, VISIT_OUTCOMES
from reminder.domain.entries import Entry
from reminder.domain.people import Person
from reminder.domain.protocols import EntryKind
from reminder.domain.workdays import DayMark, MarkKind, local_day
from reminder.store import cases as case_store
from reminder.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Somebody about to do something to a case; `way` chooses among the ways of doing it."""

    tx: Tx
    desk: Desk
    by: Actor
    scene: CaseScene
    others: list[int]
    """The other cases there are."""
    staff: Mapping[str, Person]
    way: int

    @property
    def case(self) -> int:
        return self.scene.row.case.id

    def day(self, days: int) -> Any:
        return local_day(self.desk.clock.now(), self.desk.office.zone) + timedelta(days=days)

    def slot(self) -> Slot:
        return Slot(day=self.day(1 + self.way % 9))

    def entry(self, *kinds: EntryKind) -> Entry | None:
        """One of the open entries; undefined ways do nothing."""
        found = [e for e in self.scene.entries.values() if e.is_open and e.kind in kinds]
        return found[self.way % len(found)] if found else None

    def one_of(self, things: Any) -> Any:
        things = list(things)
        return things[self.way % len(things)]


Deed = Callable[[Turn], Awaitable[Any] | None]

_VISITS = (EntryKind.VISIT,)
_DUTIES = (EntryKind.DEADLINE, EntryKind.COMMITMENT, EntryKind.TASK, EntryKind.MEETING)


def _to_case(action: Any, *args: Any) -> Deed:
    return lambda t: action(t.tx, t.desk, t.by, t.case, *args)


def _to_entry(action: Any, kinds: tuple[EntryKind, ...], *args: Callable[[Turn], Any]) -> Deed:
    def do(t: Turn) -> Awaitable[Any] | None:
        entry = t.entry(*kinds)
        return action(t.tx, t.desk, t.by, entry.id, *(arg(t) for arg in args)) if entry else None

    return do


def _assign(t: Turn) -> Awaitable[Any]:
    person = t.staff[t.one_of(["chen", "wang", "lin"])]
    return cases.assign(t.tx, t.desk, t.by, t.case, handler_id=person.id)


_TOLD = {"progress": "测量做完了", "next_step": "张榜公布"}


def _note(t: Turn) -> Awaitable[Any]:
    more: dict[str, Any] = t.one_of(
        [{}, {"why": "等许可"}, {"progress": "测量做完了", "next_step": "张榜公布"}]
    )
    return cases.note(t.tx, t.desk, t.by, t.case, "n", **more)


def _answer(t: Turn) -> Awaitable[Any]:
    return cases.answer(t.tx, t.desk, t.by, t.case, t.one_of(OUTCOMES), "路已修好", rule="第三十二条")


def _served(t: Turn) -> Awaitable[Any]:
    now = t.desk.clock.now()
    at = t.one_of([None, None, now - timedelta(hours=3)])
    return cases.served(t.tx, t.desk, t.by, t.case, "当面", at=at)


def _fact(t: Turn) -> Awaitable[Any] | None:
    names = t.scene.protocol.facts
    return cases.set_fact(t.tx, t.desk, t.by, t.case, t.one_of(names), t.desk.clock.now()) if names else None


def _refer(t: Turn) -> Awaitable[Any]:
    unit = t.one_of([t.staff["stone"].unit_id, t.staff["chen"].unit_id])
    return moves.refer(t.tx, t.desk, t.by, t.case, unit)


def _extend(t: Turn) -> Awaitable[Any]:
    return moves.extend(t.tx, t.desk, t.by, t.case, 1 + t.way % 30, "等许可")


def _defer(t: Turn) -> Awaitable[Any]:
    return moves.defer(t.tx, t.desk, t.by, t.case, t.day(1 + t.way % 90), "缺资金", "明年预算")


def _reviewed(t: Turn) -> Awaitable[Any]:
    return moves.review_result(t.tx, t.desk, t.by, t.case, t.way % 3 != 0, "维持")


def _sponsor(t: Turn) -> Awaitable[Any]:
    return moves.sponsor(t.tx, t.desk, t.by, t.case, t.staff[t.one_of(["zhou", "lin"])].id)


def _merge(t: Turn) -> Awaitable[Any] | None:
    return moves.merge(t.tx, t.desk, t.by, t.case, t.one_of(t.others)) if t.others else None


async def _protocol(t: Turn) -> None:
    key = t.one_of(sorted(t.desk.protocols))
    found = await migrating.would_change(t.tx, t.desk, t.by, t.case, key)
    await migrating.change(t.tx, t.desk, t.by, t.case, key, promised=found.promised, shown=found.sign)


def _add(t: Turn) -> Awaitable[Any] | None:
    known = added.addable(t.scene, t.by)
    if not known:
        return None
    milestone = t.one_of(known)
    day = t.day(1 + t.way % 20).isoformat()
    value = {"person": t.staff["chen"].id, "text": "涵洞", "place": "镇政府", "told": "yes", "reason": "涵洞"}
    value |= {milestone.on: day} if milestone.on else {"day": day} if milestone.takes_place else {}
    return added.add(t.tx, t.desk, t.by, t.case, milestone.key, value)


def _commit(t: Turn) -> Awaitable[Any]:
    value = {
        "day": t.day(t.way % 20).isoformat(),
        "person": t.staff["chen"].id,
        "text": "涵洞",
        "told": "yes",
    }
    return added.add(t.tx, t.desk, t.by, t.case, "commitment", value)


def _broken(t: Turn) -> Awaitable[Any] | None:
    kept = [key for key, e in t.scene.entries.items() if e.milestone == "commitment"]
    return added.broken(t.tx, t.desk, t.by, t.case, t.one_of(kept), "没做") if kept else None


def _joint(t: Turn) -> Awaitable[Any]:
    several = [t.case, *t.others[:1]]
    secretary = t.staff["yang"].id
    return added.joint_review(t.tx, t.desk, t.by, several, t.slot(), place="镇政府", secretary_id=secretary)


async def _undo(t: Turn) -> None:
    deed = await case_store.last_deed_of_case(t.tx, t.case)
    if deed is not None:
        known = await case_store.deed(t.tx, deed)
        assert known is not None
        person = next((p for p in t.staff.values() if p.id == known["by"]), None)
        await entries.undo(t.tx, t.desk, Actor(person=person), deed)


def _leave(t: Turn) -> Awaitable[Any]:
    one, other = t.one_of([("chen", "wang"), ("wang", "chen"), ("zhou", "he"), ("lin", "zhou")])
    days = (t.day(0), t.day(t.way % 12))
    return standins.leave(t.tx, t.desk, t.by, t.staff[one].id, t.staff[other].id, *days)


def _hand_over(t: Turn) -> Awaitable[Any]:
    one, other = t.one_of([("chen", "wang"), ("wang", "chen")])
    return standins.hand_over(t.tx, t.desk, t.by, t.staff[one].id, t.staff[other].id)


def _mark(t: Turn) -> Awaitable[Any]:
    mark = DayMark(kind=t.one_of([MarkKind.REST, MarkKind.WORK]), name="三月三")
    return mark_day(t.tx, t.desk, t.by, t.day(1 + t.way % 40), mark)


def _post(t: Turn) -> Awaitable[Any]:
    person = t.staff[t.one_of(["chen", "wang"])]
    return standins.post(t.tx, t.desk, t.by, "河湾村", person.id, t.day(0))


DEEDS: Mapping[str, Deed] = {
    "assign": _assign,
    "accept": _to_case(cases.accept),
    "contact": _to_case(cases.contact, "rang"),
    "note": _note,
    "answer": _answer,
    "served": _served,
    "close": _to_case(cases.close, "不用回访"),
    "reopen": _to_case(cases.reopen, "又坏了"),
    "withdraw": _to_case(cases.withdraw, "算了"),
    "fact": _fact,
    "refer": _refer,
    "acknowledge": _to_case(moves.acknowledge),
    "object": _to_case(moves.object_to, "不归我们"),
    "guide": _to_case(moves.guide, "法院"),
    "extend": _extend,
    "suspend": _to_case(moves.suspend, 5),
    "defer": _defer,
    "resume": _to_case(moves.resume),
    "ask_review": _to_case(moves.ask_review, "不服"),
    "review_result": _reviewed,
    "flag": lambda t: moves.flag(t.tx, t.desk, t.by, t.case, t.one_of(FLAGS)),
    "sponsor": _sponsor,
    "pause": _to_case(moves.pause, "家中有丧事"),
    "unpause": _to_case(moves.unpause),
    "merge": _merge,
    "archive": _to_case(moves.archive),
    "protocol": _protocol,
    "add": _add,
    "commit": _commit,
    "broken": _broken,
    "joint_review": _joint,
    "propose": lambda t: entries.propose(t.tx, t.desk, t.by, t.case, t.slot()),
    "move": _to_entry(entries.move, (EntryKind.VISIT, EntryKind.MEETING), Turn.slot),
    "confirm": _to_entry(entries.confirm, _VISITS),
    "decline": _to_entry(entries.decline, _VISITS),
    "ask_other_day": _to_entry(entries.ask_other_day, _VISITS),
    "visited": _to_entry(entries.visited, _VISITS, lambda t: t.one_of(VISIT_OUTCOMES)),
    "not_met": _to_entry(entries.not_met, _VISITS, lambda t: t.one_of(["nobody_home", "wrong_number"])),
    "done": _to_entry(entries.done, _DUTIES, lambda _: "办好了"),
    "undo": _undo,
    "finish": _to_case(files.finish, "都办完了"),
    "reach_by": _to_case(added.reach_by, "agent", "耳背"),
    "leave": _leave,
    "hand_over": _hand_over,
    "post": _post,
    "mark_day": _mark,
}
"""By name. A deed the case or the person does not allow is refused, and leaves no trace."""


async def turn_of(
    tx: Tx, desk: Desk, by: Actor, case_id: int, others: list[int], staff: Mapping[str, Person], way: int
) -> Turn:
    scene = await read_case(tx, desk, case_id)
    return Turn(tx=tx, desk=desk, by=by, scene=scene, others=others, staff=staff, way=way)
