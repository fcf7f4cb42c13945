"""What admins do by chat: people and invites, protocols, the calendar, how the office stands."""

import io
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import segno

from reminder.actions import calendars as marking
from reminder.actions import people
from reminder.actions.gaps import rungs_in_words
from reminder.actions.guard import permit
from reminder.actions.overview import overview
from reminder.bot import protocols
from reminder.bot.answers import Answer, Paper, says
from reminder.bot.arguments import is_number, leading_when, no_date
from reminder.bot.choices import offer
from reminder.bot.holding import held
from reminder.bot.named import called
from reminder.bot.standstill import standstill
from reminder.bot.turn import Turn
from reminder.domain.dates import say_day
from reminder.domain.errors import Refused
from reminder.domain.people import Person
from reminder.domain.protocols import Protocol
from reminder.domain.reminders import State
from reminder.domain.workdays import DayMark, MarkKind
from reminder.longtext import clip
from reminder.store import calendars


async def invite(turn: Turn, args: str) -> Answer:
    """`/invite NUMBER`: a one-time code as link and QR; the number is the one /people shows."""
    await permit(turn.tx, turn.by, "invite")
    person = _person(turn, args)
    if person is None and args.strip():
        raise Refused("people.nobody", said=clip(args.strip(), 40))
    if person is None:
        missing = [p for _, p in sorted(turn.staff.people.items()) if p.active and p.chat_id is None]
        options = [(p.name, f"invite {p.id}") for p in missing]
        if not options:
            return says(f"{turn.word('bot.all_joined')}\n{turn.word('bot.people_how')}")
        return Answer(cards=(await offer(turn, turn.word("ask.invite"), options, 2),))
    made = await people.invite(turn.tx, turn.desk, turn.by, person.id, bot_name=_bot_for(turn))
    hours = int(made.valid.total_seconds() // 3600)
    text = turn.word("bot.invited", name=person.name, link=made.link, hours=hours)
    picture = io.BytesIO()
    segno.make(made.link, error="m").save(picture, kind="png", scale=8)
    paper = Paper(name=f"invite-{person.id}.png", content=picture.getvalue(), caption=person.name)
    return says(text).also(papers=(paper,))


def _bot_for(turn: Turn) -> str:
    """Of several bots the one with the fewest people; whoever opens its link joins by it."""
    names = turn.rt.bot_names
    if not names:
        raise Refused("invite.nameless")
    joined = Counter(p.bot for p in turn.staff.people.values() if p.active and p.chat_id is not None)
    return names[min(names, key=lambda bot: (joined[bot], bot or 0))]


def _person(turn: Turn, said: str) -> Person | None:
    word = said.strip().removeprefix("#")
    if is_number(word):
        return turn.staff.active(int(word))
    named = [p for p in turn.staff.people.values() if p.active and p.name.casefold() == word.casefold()]
    return named[0] if len(named) == 1 else None


async def protocol(turn: Turn, args: str) -> Answer:
    """`/protocol`: all of them; `show KEY`: one, limit by limit; `change NO KEY`, `migrate KEY`."""
    await permit(turn.tx, turn.by, "protocol")
    words = args.split()
    if words and words[0] in protocols.VERBS:
        return await protocols.VERBS[words[0]](turn, args.strip().removeprefix(words[0]).strip())
    if words and words[0] == "show":
        words = words[1:]
    if not words or words[0] == "list":
        options = [
            (p.names.get(turn.lang, key), f"protocol show {key}")
            for key, p in sorted(turn.desk.protocols.items())
        ]
        return Answer(cards=(await offer(turn, turn.word("ask.protocol"), options),))
    found = _protocol_called(turn, " ".join(words).casefold())
    head = turn.word(
        "bot.protocol_head",
        name=found.names.get(turn.lang, found.key),
        key=found.key,
        version=found.version or "-",
        calendar=found.calendar,
    )
    lines = [
        f"· {m.words[turn.lang]} — {_limit(turn, m.limit)}"
        + (f" ({_limit(turn, m.promise)})" if m.promise else "")
        for m in found.milestones
        if m.limit is not None
    ]
    return says("\n".join([head, *lines]))


def _protocol_called(turn: Turn, said: str) -> Protocol:
    """By its key or by its name in any language. Refused with the names there are."""
    known = turn.desk.protocols
    for key, one in known.items():
        if said in {key, *(name.casefold() for name in one.names.values())}:
            return one
    names = [one.names.get(turn.lang, key) for key, one in sorted(known.items())]
    raise Refused("protocol.unknown", protocol=clip(said, 40), known=turn.word("separator").join(names))


def _limit(turn: Turn, limit: Any) -> str:
    key = f"import.limit.{limit.unit}"
    known = turn.desk.templates.has_word(key)
    return turn.word(key, amount=limit.amount) if known else str(limit)


# --- the calendar ------------------------------------------------------------------------------


async def calendar(turn: Turn, args: str) -> Answer:
    """`/calendar [check|list|import]`, `/calendar add DATE rest|work [NAME]`."""
    await permit(turn.tx, turn.by, "calendar")
    verb, _, rest = args.strip().partition(" ")
    if verb == "add":
        return await _mark(turn, rest.strip())
    if verb == "list":
        return await _marks(turn)
    if verb == "import":
        return says(turn.word("calendar.send"))
    return _check(turn)


def _check(turn: Turn) -> Answer:
    office = turn.desk.office
    through = office.calendar.confirmed_through(turn.today.year)
    year = turn.today.year + 1
    known = turn.word("bot.calendar_known", code=office.calendar.code, year=through)
    if through >= year:
        return says(known)
    return says(f"{known}\n{turn.word('bot.calendar_gap', year=year)}")


async def _marks(turn: Turn) -> Answer:
    found = await calendars.marks(turn.tx)
    lines = [
        f"· {say_day(day, turn.lang, turn.today)} {turn.word(f'mark.{mark.kind}')} {mark.name}".rstrip()
        for day, mark in found.items()
    ]
    return says("\n".join([turn.word("bot.marks_head", n=len(lines)), *lines]))


async def _mark(turn: Turn, said: str) -> Answer:
    when, rest = leading_when(turn, said)
    word, _, name = rest.partition(" ")
    if when is None:
        raise no_date(said)
    kind = _kind(turn, word)
    moved = await marking.would_move(turn.tx, turn.desk, turn.by, when.day, DayMark(kind=kind, name=name))
    text = turn.word(
        "bot.mark_echo",
        day=say_day(when.day, turn.lang, turn.today),
        kind=turn.word(f"mark.{kind}"),
        n=moved,
    )
    detail = {"day": when.day.isoformat(), "kind": kind.value, "name": name.strip()}
    return Answer(cards=(await turn.sure("calendar", detail, text),))


def _kind(turn: Turn, said: str) -> MarkKind:
    kind = called(turn, said, MarkKind, "mark")
    if kind is None:
        raise Refused("calendar.how")
    return kind


async def sure_of_mark(turn: Turn, asked: Mapping[str, Any]) -> Answer:
    day = date.fromisoformat(str(asked["day"]))
    mark = DayMark(kind=MarkKind(str(asked["kind"])), name=str(asked["name"]))
    await marking.mark_day(turn.tx, turn.desk, turn.by, day, mark)
    turn.rt.wake("housekeeping")
    return says(
        turn.word("bot.marked", day=say_day(day, turn.lang, turn.today), kind=turn.word(f"mark.{mark.kind}"))
    )


# --- how the office stands ---------------------------------------------------------------------


async def status(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/status`: today's messages by state, what failed and why, what nobody has joined or dealt with."""
    await permit(turn.tx, turn.by, "status")
    found = await overview(turn.tx, turn.desk)
    lines = await standstill(turn)
    lines.append(turn.word("bot.status_head", day=say_day(turn.today, turn.lang, turn.today)))
    lines += [
        f"· {turn.word(f'delivery.{state}')}: {n}"
        for state in State
        if (n := found.states.get(state.value, 0))
    ] or [turn.word("bot.status_quiet")]
    if found.trouble:
        lines.append(turn.word("bot.status_trouble"))
        lines += [_trouble(turn, no, row) for no, row in found.trouble]
    lines.append(turn.word("bot.status_letters", dead=found.dead_letters, waiting=found.waiting_letters))
    lines.append(turn.word("bot.status_provisional", n=found.provisional))
    if found.not_enrolled:
        names = turn.word("separator").join(p.name for p in found.not_enrolled)
        lines.append(turn.word("bot.status_missing", names=clip(names, 300)))
    lines += await held(turn)
    lines += rungs_in_words(turn.desk, found.rungs, turn.lang)
    return says("\n".join(lines))


def _trouble(turn: Turn, no: str, row: Any) -> str:
    known = turn.desk.templates.has_word
    gist, reason = f"gist.{row.kind}", f"why.{row.reason}"
    what = turn.word(gist if known(gist) else "bot.staff_message")
    said = turn.word(reason) if known(reason) else clip(row.reason, 80)
    return " · ".join(p for p in (f"· {no}".rstrip(), what, turn.word(f"delivery.{row.state}"), said) if p)
