"""What can be put into a case's calendar by chat: promises, meetings, joint reviews, orders, task forces?"""

from collections.abc import Mapping
from typing import Any

from reminder.actions import added, entries
from reminder.actions.replan import Plan
from reminder.actions.scene import CaseScene
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import case_of, leading_when, slot_of
from reminder.bot.choices import offer, want
from reminder.bot.deeds import deed
from reminder.bot.moves import ask, did
from reminder.bot.named import called, parts, people_in, person_first
from reminder.bot.turn import Turn
from reminder.domain.cases import ORDER_OUTCOMES, Event, allowed_from
from reminder.domain.dates import When, say_day
from reminder.domain.entries import Entry
from reminder.domain.errors import Refused


async def _added(turn: Turn, scene: CaseScene, key: str, value: dict[str, Any]) -> Answer:
    return await did(turn, scene, "add", lambda i: added.add(turn.tx, turn.desk, turn.by, i, key, value))


def _day(when: When | None) -> dict[str, Any]:
    return {"day": when.day.isoformat()} if when is not None else {}


async def add(turn: Turn, args: str) -> Answer:
    """`/add NO KEY [date] [| person | text]`: anything the case's protocol lets people add."""
    scene, rest = await case_of(turn, args)
    key, _, said = rest.partition(" ")
    no, known = scene.row.case.number, {m.key: m for m in added.addable(scene, turn.by)}
    if key not in known:
        options = [(m.words[turn.lang], f"add {no} {name}") for name, m in known.items()]
        return Answer(cards=(await offer(turn, turn.word("ask.add", no=no), options),))
    when, left = leading_when(turn, said)
    text, name, more = (part for part in parts(left)[:3])
    value = _day(when) | {"text": (more or text)[:200]}
    if name:
        value["person"] = person_first(turn, name)[0].id
    if when is None and (known[key].takes_place or known[key].on):
        return Answer(cards=(await want(turn, f"add {no} {key}", turn.word("ask.add_day", no=no)),))
    if not value["text"] and added.says_text(turn.desk, known[key]):
        line = f"add {no} {key} {when.day if when else ''} | {name} |"
        return Answer(cards=(await want(turn, line, turn.word("ask.add_text", no=no)),))
    return await _added(turn, scene, key, value)


async def commit(turn: Turn, args: str) -> Answer:
    """`/commit NO date person | text`: somebody promises something by a day."""
    scene, rest = await case_of(turn, args)
    when, said = leading_when(turn, rest)
    who, text, *_ = parts(said)
    if when is None or not who or not text:
        return await ask(turn, scene, "commit", "commit")
    person, _ = person_first(turn, who)
    return await _added(turn, scene, "commitment", _day(when) | {"person": person.id, "text": text[:200]})


async def kept(turn: Turn, args: str) -> Answer:
    """`/kept NO text [| progress | next step]`: a promise was kept, and what shows it; with the last two
    the resident reads of it, too."""
    scene, rest = await case_of(turn, args)
    text, progress, step, *_ = parts(rest)
    if not text:
        return await ask(turn, scene, "kept", "kept")
    told = {"told": "yes", "progress": progress, "next": step or progress} if progress else {}
    return await _finish(turn, scene, _latest(scene, "commitment"), text, told)


async def broken(turn: Turn, args: str) -> Answer:
    """`/broken NO reason`: a promise was not kept; a closed case is taken up again."""
    scene, reason = await case_of(turn, args)
    if not reason:
        return await ask(turn, scene, "broken", "broken")
    entry = _latest(scene, "commitment")
    again = scene.past.status in (allowed_from(Event.REOPEN) or ())
    return await did(
        turn,
        scene,
        "reopen" if again else "note",
        lambda i: added.broken(turn.tx, turn.desk, turn.by, i, entry.key, reason),
    )


async def meet(turn: Turn, args: str) -> Answer:
    """`/meet NO date time | place | leader`: invite the resident to a meeting."""
    return await _meeting(turn, args, "invited_meeting", "meet")


async def outreach(turn: Turn, args: str) -> Answer:
    """`/outreach NO date time | place | leader`: a leader goes there with the file."""
    return await _meeting(turn, args, "outreach", "outreach")


async def _meeting(turn: Turn, args: str, key: str, verb: str) -> Answer:
    scene, rest = await case_of(turn, args)
    when, said = leading_when(turn, rest)
    _, place, who = parts(said if said.startswith(("|", "｜")) else f"|{said}")[:3]
    if when is None or not place or not who:
        return await ask(turn, scene, verb, verb)
    person, _ = person_first(turn, who)
    value = slot_of(when).value() | {"place": place[:40], "person": person.id}
    return await _added(turn, scene, key, value)


async def joint(turn: Turn, args: str) -> Answer:
    """`/joint NO,NO date time | place | secretary`: one review of several cases."""
    first, _, rest = args.replace("，", ",").partition(" ")
    scenes = [(await case_of(turn, number))[0] for number in first.split(",") if number]
    when, said = leading_when(turn, rest)
    _, place, who = parts(said if said.startswith(("|", "｜")) else f"|{said}")[:3]
    if not scenes or when is None or not place or not who:
        return await ask(turn, scenes[0], "joint", "joint") if scenes else Answer()
    secretary, _ = person_first(turn, who)
    ids = [scene.row.case.id for scene in scenes]

    async def work() -> Plan:
        plans = await added.joint_review(
            turn.tx,
            turn.desk,
            turn.by,
            ids,
            slot_of(when),
            place=place[:40],
            secretary_id=secretary.id,
        )
        return plans[-1]

    numbers = turn.word("separator").join(scene.row.case.number for scene in scenes)
    day = say_day(when.day, turn.lang, turn.today)
    said_back = turn.word("bot.joint_set", numbers=numbers, day=day, place=place[:40])
    return Answer(cards=(await deed(turn, ids[-1], work, said_back),))


async def order(turn: Turn, args: str) -> Answer:
    """`/order NO reason`: a supervision order, from what the timestamps say."""
    scene, reason = await case_of(turn, args)
    if not reason:
        return await ask(turn, scene, "order", "order")
    return await _added(turn, scene, "order", {"text": reason[:200]})


async def order_answer(turn: Turn, args: str) -> Answer:
    """`/statement NO text`: how it stands, and whatever the officer wants to add."""
    return await _end(turn, args, "order", "statement")


async def order_outcome(turn: Turn, args: str) -> Answer:
    """`/outcome NO explained|corrected|criticised|referred text`: a person decides."""
    scene, rest = await case_of(turn, args)
    said, _, text = rest.partition(" ")
    outcome = called(turn, said, ORDER_OUTCOMES, "order_outcome")
    if outcome is not None:
        label = turn.word(f"order_outcome.{outcome}")
        return await _finish(turn, scene, _latest(scene, "order_outcome"), f"{label} {text}".strip())
    return await ask(turn, scene, "outcome", "verdict")


async def task_force(turn: Turn, args: str) -> Answer:
    """`/taskforce NO leader | member, member`: a team of its own until it is solved."""
    scene, rest = await case_of(turn, args)
    who, members, *_ = parts(rest)
    if not who or not members:
        return await ask(turn, scene, "taskforce", "taskforce")
    leader, _ = person_first(turn, who)
    team = sorted({leader.id, *(person.id for person in people_in(turn, members))})
    return await _added(turn, scene, "task_force", {"person": leader.id, "people": team})


async def agree(turn: Turn, args: str) -> Answer:
    """`/agree NO text`: the parties agreed today; each promise in it is a /commit of its own."""
    scene, text = await case_of(turn, args)
    if not text:
        return await ask(turn, scene, "agree", "agree")
    return await _added(turn, scene, "agreement", {"text": text[:200]})


async def hardship(turn: Turn, args: str) -> Answer:
    """`/hardship NO text`: help was asked for on the resident's behalf."""
    scene, text = await case_of(turn, args)
    if not text:
        return await ask(turn, scene, "hardship", "hardship")
    return await _added(turn, scene, "hardship", {"text": text[:200]})


async def reach(turn: Turn, args: str) -> Answer:
    """`/reach NO call|agent|paper|sms [what helps]`: how news reaches the people of a case."""
    scene, rest = await case_of(turn, args)
    said, _, needs = rest.partition(" ")
    channel = called(turn, said, added.REACH, "reach")
    if channel is not None:
        case_id = scene.row.case.id
        await added.reach_by(turn.tx, turn.desk, turn.by, case_id, channel, needs.strip())
        return says(turn.word("bot.reach_set", no=scene.row.case.number, how=turn.word(f"reach.{channel}")))
    return await ask(turn, scene, "reach", "reach")


async def _end(turn: Turn, args: str, key: str, verb: str) -> Answer:
    """Done, with the words that show it."""
    scene, text = await case_of(turn, args)
    if not text:
        return await ask(turn, scene, verb, verb)
    return await _finish(turn, scene, _latest(scene, key), text)


async def _finish(
    turn: Turn, scene: CaseScene, entry: Entry, text: str, more: Mapping[str, Any] | None = None
) -> Answer:
    said = turn.word("bot.done", no=scene.row.case.number, what=scene.what(entry, turn.lang))

    async def work() -> Plan:
        return await entries.done(
            turn.tx, turn.desk, turn.by, entry.id, text, revision=entry.revision, more=more
        )

    return Answer(cards=(await deed(turn, entry.case_id, work, said),))


def _latest(scene: CaseScene, milestone: str) -> Entry:
    entry = scene.open_of(milestone)
    if entry is None:
        raise Refused("entry.none", no=scene.row.case.number)
    return entry
