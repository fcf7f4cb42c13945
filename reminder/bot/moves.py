"""How is a case moved between units, leaders and levels by chat: one command, one action, one answer?"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from reminder.actions import cases, moves
from reminder.actions.replan import Plan
from reminder.actions.scene import CaseScene, read_case
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import case_of, is_number, leading_when, numbered
from reminder.bot.choices import offer, want
from reminder.bot.deeds import deed
from reminder.bot.named import called, parts, person_first, unit_first
from reminder.bot.turn import Turn
from reminder.domain.cases import FLAGS, Event, Status

Work = Callable[[int], Awaitable[Plan]]


async def did(turn: Turn, scene: CaseScene, move: str, work: Work) -> Answer:
    """Do it and say so, with the texts it calls for and Undo."""
    case_id = scene.row.case.id
    said = turn.word("bot.noted", no=scene.row.case.number, move=turn.word(f"move.{move}"))
    return Answer(cards=(await deed(turn, case_id, lambda: work(case_id), said),))


async def ask(turn: Turn, scene: CaseScene, line: str, verb: str) -> Answer:
    """Ask for what the command lacks; what is written next is put behind it."""
    no = scene.row.case.number
    return Answer(cards=(await want(turn, f"{line} {no}", turn.word(f"ask.{verb}", no=no)),))


async def refer(turn: Turn, args: str) -> Answer:
    """`/refer NO UNIT [reason]`: pass the case to the unit it belongs to."""
    scene, rest = await case_of(turn, args)
    if not rest:
        await cases.allowed(turn.tx, turn.desk, turn.by, scene.row.case.id, Event.REFER)
        no = scene.row.case.number
        units = [u for u in turn.staff.units.values() if u.id != scene.row.unit_id and turn.staff.head(u.id)]
        options = [(unit.name, f"refer {no} #{unit.id}") for unit in units[:12]]
        return Answer(cards=(await offer(turn, turn.word("ask.refer", no=no), options, 2),))
    unit, reason = unit_first(turn, rest)
    return await did(
        turn, scene, "refer", lambda i: moves.refer(turn.tx, turn.desk, turn.by, i, unit.id, reason)
    )


async def acknowledge(turn: Turn, args: str) -> Answer:
    """`/ack NO`: sign for a case that was referred."""
    scene, _ = await case_of(turn, args)
    return await did(turn, scene, "acknowledge", lambda i: moves.acknowledge(turn.tx, turn.desk, turn.by, i))


async def object_to(turn: Turn, args: str) -> Answer:
    """`/object NO reason`: it belongs to another unit."""
    scene, reason = await case_of(turn, args)
    if not reason:
        return await ask(turn, scene, "object", "object")
    return await did(turn, scene, "object", lambda i: moves.object_to(turn.tx, turn.desk, turn.by, i, reason))


async def guide(turn: Turn, args: str) -> Answer:
    """`/guide NO path`: another legal route leads to it."""
    scene, path = await case_of(turn, args)
    if not path:
        return await ask(turn, scene, "guide", "guide")
    return await did(turn, scene, "guide", lambda i: moves.guide(turn.tx, turn.desk, turn.by, i, path))


async def extend(turn: Turn, args: str) -> Answer:
    """`/extend NO days reason`: more time, once, granted by somebody other than the handler."""
    scene, rest = await case_of(turn, args)
    days, _, reason = rest.partition(" ")
    if not is_number(days) or not reason.strip():
        return await ask(turn, scene, "extend", "extend")
    return await did(
        turn,
        scene,
        "extend",
        lambda i: moves.extend(turn.tx, turn.desk, turn.by, i, int(days), reason.strip()),
    )


async def suspend(turn: Turn, args: str) -> Answer:
    """`/suspend NO days`: the days a hearing took do not count."""
    scene, rest = await case_of(turn, args)
    if not is_number(rest):
        return await ask(turn, scene, "suspend", "suspend")
    return await did(
        turn, scene, "suspend", lambda i: moves.suspend(turn.tx, turn.desk, turn.by, i, int(rest))
    )


async def defer(turn: Turn, args: str) -> Answer:
    """`/defer NO date reason | condition`: fair, but not yet possible."""
    scene, rest = await case_of(turn, args)
    when, said = leading_when(turn, rest)
    reason, condition, *_ = parts(said)
    if when is None or not reason or not condition:
        return await ask(turn, scene, "defer", "defer")
    return await did(
        turn,
        scene,
        "defer",
        lambda i: moves.defer(turn.tx, turn.desk, turn.by, i, when.day, reason, condition),
    )


async def resume(turn: Turn, args: str) -> Answer:
    """`/resume NO`: texts that were held go again; a deferred case is gone on with."""
    scene, text = await case_of(turn, args)
    if scene.past.paused:
        return await did(turn, scene, "unpause", lambda i: moves.unpause(turn.tx, turn.desk, turn.by, i))
    return await did(turn, scene, "resume", lambda i: moves.resume(turn.tx, turn.desk, turn.by, i, text))


async def pause(turn: Turn, args: str) -> Answer:
    """`/pause NO reason`: texts to the resident wait; every date runs on."""
    scene, reason = await case_of(turn, args)
    if not reason:
        return await ask(turn, scene, "pause", "pause")
    return await did(turn, scene, "pause", lambda i: moves.pause(turn.tx, turn.desk, turn.by, i, reason))


async def review(turn: Turn, args: str) -> Answer:
    """`/review NO [why though late]`: the resident asks the level above to look again."""
    scene, why = await case_of(turn, args)
    second = scene.past.last(Event.REVIEW_RESULT) is not None
    move = "second_review" if second else "review_request"
    return await did(turn, scene, move, lambda i: moves.ask_review(turn.tx, turn.desk, turn.by, i, why))


async def review_result(turn: Turn, args: str) -> Answer:
    """`/reviewed NO stands|again text`: what the review found."""
    scene, rest = await case_of(turn, args)
    said, _, text = rest.partition(" ")
    upholds = _found(turn, said)
    if upholds is None or not text.strip():
        return await ask(turn, scene, "reviewed", "reviewed")
    last = scene.past.status is Status.UNDER_SECOND_REVIEW
    move = "send_back" if not upholds else "conclude" if last else "review_result"
    return await did(
        turn,
        scene,
        move,
        lambda i: moves.review_result(turn.tx, turn.desk, turn.by, i, upholds, text.strip()),
    )


def _found(turn: Turn, said: str) -> bool | None:
    found = called(turn, said, ("stands", "again"), "review")
    return None if found is None else found == "stands"


async def flag(turn: Turn, args: str) -> Answer:
    """`/flag NO major|collective|repeated|skipped_level`: ordinary handling failed."""
    scene, said = await case_of(turn, args)
    no = scene.row.case.number
    sign = called(turn, said, FLAGS, "flag")
    if sign is None:
        await cases.allowed(turn.tx, turn.desk, turn.by, scene.row.case.id, Event.FLAG)
        options = [(turn.word(f"flag.{one}"), f"flag {no} {one}") for one in FLAGS]
        return Answer(cards=(await offer(turn, turn.word("ask.flag", no=no), options, 2),))
    return await did(turn, scene, "flag", lambda i: moves.flag(turn.tx, turn.desk, turn.by, i, sign))


async def sponsor(turn: Turn, args: str) -> Answer:
    """`/sponsor NO name [reason]`: the leader who carries the case to its end."""
    scene, rest = await case_of(turn, args)
    if not rest:
        return await ask(turn, scene, "sponsor", "sponsor")
    person, reason = person_first(turn, rest)
    return await did(
        turn, scene, "sponsor", lambda i: moves.sponsor(turn.tx, turn.desk, turn.by, i, person.id, reason)
    )


# --- asked before it is done: there is no way back --------------------------------------------


async def merge(turn: Turn, args: str) -> Answer:
    """`/merge NO INTO`: the same matter twice; the first goes on in the second."""
    scene, rest = await case_of(turn, args)
    into, _ = numbered(rest)
    if not into:
        return await ask(turn, scene, "merge", "merge")
    target, _ = await case_of(turn, into)
    numbers = {"no": scene.row.case.number, "into": target.row.case.number}
    return Answer(cards=(await turn.sure("merge", numbers, turn.word("ask.sure_merge", **numbers)),))


async def sure_of_merge(turn: Turn, asked: Mapping[str, Any]) -> Answer:
    scene, _ = await case_of(turn, str(asked["no"]))
    target, _ = await case_of(turn, str(asked["into"]))
    into = target.row.case.id
    plan = await moves.merge(turn.tx, turn.desk, turn.by, scene.row.case.id, into)
    after = await read_case(turn.tx, turn.desk, into)
    said = turn.word("bot.merged", no=plan.row.case.number, into=after.row.case.number)
    return says(said)


async def archive(turn: Turn, args: str) -> Answer:
    """`/archive NO`: put an ended case away."""
    scene, _ = await case_of(turn, args)
    return await did(turn, scene, "archive", lambda i: moves.archive(turn.tx, turn.desk, turn.by, i))
