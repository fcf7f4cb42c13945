"""The office's own files by chat: reception days, rounds from door to door, public pledges?"""

from reminder.actions import files
from reminder.actions.replan import Plan
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import case_of, is_number, leading_when, numbered
from reminder.bot.choices import want
from reminder.bot.deeds import deed
from reminder.bot.moves import ask, did
from reminder.bot.named import called, parts, people_in
from reminder.bot.turn import Turn
from reminder.domain.dates import say_day
from reminder.domain.entries import Entry
from reminder.domain.errors import Refused

_YES = frozenset({"yes", "是", "同意", "欢迎"})


async def reception(turn: Turn, args: str) -> Answer:
    """`/reception DAY | leader, leader | place`: a year of reception days and who is on."""
    day, leaders, place, *_ = parts(args)
    if not is_number(day) or not leaders or not place:
        return Answer(cards=(await want(turn, "reception", turn.word("ask.reception")),))
    rota = [person.id for person in people_in(turn, leaders)]
    plan = await files.reception(turn.tx, turn.desk, turn.by, int(day), rota, place)
    lines = [turn.word("bot.reception_set", no=plan.row.case.number, place=place[:60])]
    days = sorted(
        (e for e in plan.entries.values() if e.milestone == "reception"), key=lambda e: e.due_on or turn.today
    )
    for entry in days:
        person = turn.staff.people.get(entry.person_id or 0)
        mark = turn.word("provisional_mark") if entry.provisional else ""
        when = say_day(entry.due_on or turn.today, turn.lang, turn.today)
        lines.append(f"· {when}{mark} {person.name if person else ''}")
    return says("\n".join(lines))


async def swap(turn: Turn, args: str) -> Answer:
    """`/swap NO month month`: two leaders exchange their reception days."""
    scene, rest = await case_of(turn, args)
    months = [int(word) for word in rest.split() if is_number(word)]
    if len(months) != 2:
        return await ask(turn, scene, "swap", "swap")
    days: list[Entry] = []
    for month in months:
        found = [e for e in scene.entries.values() if e.milestone == "reception" and e.is_open]
        chosen = [e for e in found if e.nominal_on is not None and e.nominal_on.month == month]
        if not chosen:
            raise Refused("reception.none", no=scene.row.case.number)
        days.append(chosen[0])
    return await did(turn, scene, "move", lambda _: files.swap(turn.tx, turn.desk, turn.by, days[0], days[1]))


async def book(turn: Turn, args: str) -> Answer:
    """`/book NO FILE`: the resident comes on the next reception day."""
    scene, rest = await case_of(turn, args)
    file, _ = numbered(rest)
    if not file:
        return await ask(turn, scene, "book", "book")
    reception_days, _ = await case_of(turn, file)
    file_id = reception_days.row.case.id
    return await did(turn, scene, "add", lambda i: files.book(turn.tx, turn.desk, turn.by, i, file_id))


async def household(turn: Turn, args: str) -> Answer:
    """`/household VILLAGE | label | members [| yes]`: a household; yes: care visits are welcome."""
    place, label, members, welcome, *_ = [*parts(args), ""]
    if not place or not label:
        return Answer(cards=(await want(turn, "household", turn.word("ask.household")),))
    count = int(members) if is_number(members) else 1
    agreed = welcome.casefold() in _YES
    await files.add_household(turn.tx, turn.desk, turn.by, place, label, count, agreed=agreed)
    return says(turn.word("bot.household_added", place=place[:60], label=label[:60]))


async def make_round(turn: Turn, args: str) -> Answer:
    """`/round survey|information|care | village | from | to | a day`: spread over working days."""
    kind, place, first, last, most, *_ = [*parts(args), "", "", ""]
    begins, _ = leading_when(turn, first)
    ends, _ = leading_when(turn, last)
    if not place or begins is None or ends is None or not is_number(most) or not int(most):
        return Answer(cards=(await want(turn, "round", turn.word("ask.round")),))
    plan = await files.make_round(
        turn.tx,
        turn.desk,
        turn.by,
        called(turn, kind, files.ROUNDS, "round") or kind,
        place,
        first=begins.day,
        last=ends.day,
        most=int(most),
    )
    n = sum(e.milestone == "household" for e in plan.entries.values())
    return says(turn.word("bot.round_set", no=plan.row.case.number, n=n, place=place[:60]))


async def pledges(turn: Turn, args: str) -> Answer:
    """`/pledges title`: a file of public pledges; each pledge is a /commit of its own."""
    if not args:
        return Answer(cards=(await want(turn, "pledges", turn.word("ask.pledges")),))

    async def work() -> Plan:
        return await files.open_file(turn.tx, turn.desk, turn.by, "pledges", args, args)

    return Answer(cards=(await deed(turn, None, work, turn.word("bot.file_opened", no="{no}")),))


async def finish(turn: Turn, args: str) -> Answer:
    """`/finish NO summary`: close a file of the office."""
    scene, summary = await case_of(turn, args)
    if not summary:
        return await ask(turn, scene, "finish", "finish")
    return await did(turn, scene, "close", lambda i: files.finish(turn.tx, turn.desk, turn.by, i, summary))
