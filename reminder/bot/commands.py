"""Every command: what it runs, the row of the policy table it needs, and whether it stands in the menu."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from rapidfuzz import fuzz, process

from reminder.actions.digests import items_of
from reminder.bot import (
    added,
    assigning,
    casework,
    confidence,
    files,
    imports,
    intake,
    lists,
    moves,
    office,
    staffing,
    standins,
    visits,
)
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import numbered
from reminder.bot.choices import offer
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.domain.people import Person, Role, Staff
from reminder.domain.policy import POLICY, may
from reminder.longtext import clip

MENU = 8
"""Commands in a chat's menu; all of them stand in /help."""

NEAREST = 2
"""Commands offered for words that mean none: never a wall of help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`action` is a row of the policy table; without one no command can exist. `case`: begins with a case
    number, and offers the person's own cases when there is none. Its words in /help are help.<name>."""

    run: Callable[[Turn, str], Awaitable[Answer]]
    action: str
    case: bool = False
    menu: bool = False
    admin: bool = False

    def __post_init__(self) -> None:
        if self.action not in POLICY:
            raise ValueError(f"no row {self.action!r} in the policy table")


async def help_(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/help`: one line for each command the person may use."""
    lines = [turn.word("bot.help_head", name=turn.person.name)]
    lines += [f"/{name} {turn.word(f'help.{name}')}" for name in allowed(turn.person, turn.staff)]
    return says("\n".join(lines))


COMMANDS: Mapping[str, Command] = {
    "today": Command(run=lists.today, action="see", menu=True),
    "week": Command(run=lists.week, action="see", menu=True),
    "overdue": Command(run=lists.overdue, action="see", menu=True),
    "case": Command(run=lists.case, action="see", case=True, menu=True),
    "new": Command(run=intake.new, action="register", menu=True),
    "visit": Command(run=visits.visit, action="visit", case=True, menu=True),
    "done": Command(run=casework.done, action="done", case=True, menu=True),
    "move": Command(run=visits.move, action="visit", case=True),
    "visited": Command(run=visits.visited, action="visit", case=True),
    "confirm": Command(run=visits.confirm, action="visit", case=True),
    "note": Command(run=casework.note, action="note", case=True),
    "reason": Command(run=casework.reason, action="note", case=True),
    "contact": Command(run=casework.contact, action="contact", case=True),
    "told": Command(run=casework.told, action="done", case=True),
    "accept": Command(run=casework.accept, action="accept", case=True),
    "answer": Command(run=casework.answer, action="answer", case=True),
    "served": Command(run=casework.served, action="served", case=True),
    "close": Command(run=casework.close, action="close", case=True),
    "reopen": Command(run=casework.reopen, action="reopen", case=True),
    "withdraw": Command(run=casework.withdraw, action="withdraw", case=True),
    "fact": Command(run=casework.fact, action="fact", case=True),
    "refer": Command(run=moves.refer, action="refer", case=True),
    "ack": Command(run=moves.acknowledge, action="acknowledge", case=True),
    "object": Command(run=moves.object_to, action="object", case=True),
    "guide": Command(run=moves.guide, action="guide", case=True),
    "extend": Command(run=moves.extend, action="extend", case=True),
    "suspend": Command(run=moves.suspend, action="suspend", case=True),
    "defer": Command(run=moves.defer, action="defer", case=True),
    "resume": Command(run=moves.resume, action="resume", case=True),
    "pause": Command(run=moves.pause, action="pause", case=True),
    "review": Command(run=moves.review, action="review_request", case=True),
    "reviewed": Command(run=moves.review_result, action="review_result", case=True),
    "flag": Command(run=moves.flag, action="flag", case=True),
    "sponsor": Command(run=moves.sponsor, action="sponsor", case=True),
    "merge": Command(run=moves.merge, action="merge", case=True),
    "archive": Command(run=moves.archive, action="archive", case=True, admin=True),
    "erase": Command(run=confidence.erase, action="erase", case=True, admin=True),
    "confidential": Command(run=confidence.confide, action="confide", case=True),
    "add": Command(run=added.add, action="add", case=True),
    "commit": Command(run=added.commit, action="add", case=True),
    "kept": Command(run=added.kept, action="done", case=True),
    "broken": Command(run=added.broken, action="reopen", case=True),
    "meet": Command(run=added.meet, action="add", case=True),
    "outreach": Command(run=added.outreach, action="add", case=True),
    "joint": Command(run=added.joint, action="add"),
    "taskforce": Command(run=added.task_force, action="add", case=True),
    "agree": Command(run=added.agree, action="add", case=True),
    "hardship": Command(run=added.hardship, action="add", case=True),
    "reach": Command(run=added.reach, action="contact", case=True),
    "order": Command(run=added.order, action="order", case=True),
    "statement": Command(run=added.order_answer, action="done", case=True),
    "outcome": Command(run=added.order_outcome, action="order", case=True),
    "reception": Command(run=files.reception, action="file"),
    "swap": Command(run=files.swap, action="visit", case=True),
    "book": Command(run=files.book, action="add", case=True),
    "household": Command(run=files.household, action="file"),
    "round": Command(run=files.make_round, action="file"),
    "pledges": Command(run=files.pledges, action="file"),
    "finish": Command(run=files.finish, action="file", case=True),
    "signals": Command(run=standins.signals, action="order"),
    "counts": Command(run=standins.counts, action="counts"),
    "leave": Command(run=standins.leave, action="leave"),
    "back": Command(run=standins.back, action="leave"),
    "post": Command(run=standins.post, action="posting", admin=True),
    "handover": Command(run=standins.hand_over, action="posting", admin=True),
    "undo": Command(run=casework.take_back, action="undo"),
    "why": Command(run=lists.why, action="why", case=True),
    "assign": Command(run=assigning.assign, action="assign", case=True),
    "people": Command(run=staffing.staff, action="people", menu=True, admin=True),
    "invite": Command(run=office.invite, action="invite", menu=True, admin=True),
    "protocol": Command(run=office.protocol, action="protocol", admin=True),
    "calendar": Command(run=office.calendar, action="calendar", admin=True),
    "import": Command(run=imports.ask_for_file, action="import", menu=True, admin=True),
    "preview": Command(run=lists.preview, action="preview", admin=True),
    "status": Command(run=office.status, action="status", menu=True, admin=True),
    "go": Command(run=office.go, action="release", admin=True),
    "lang": Command(run=lists.lang, action="see"),
    "help": Command(run=help_, action="see", menu=True),
}
"""In the order of /help. `/start` is not here: it is for people nobody knows yet."""


def allowed(person: Person, staff: Staff) -> list[str]:
    """Names of the commands the policy table leaves this person."""
    return [name for name, command in COMMANDS.items() if may(person, command.action, staff)]


def menu_of(person: Person, staff: Staff) -> list[str]:
    """At most eight: for admins the office's first, for everybody the day's, help at the end."""
    names = [name for name in allowed(person, staff) if COMMANDS[name].menu and name != "help"]
    if Role.ADMIN in person.roles:
        names.sort(key=lambda name: not COMMANDS[name].admin)
    return [*islice(names, MENU - 1), "help"] if may(person, "see", staff) else []


async def run(turn: Turn, line: str) -> Answer:
    """One command line, without its slash. Before anything else the policy table must allow it: Refused."""
    name, _, args = line.strip().partition(" ")
    name = name.partition("@")[0].casefold()
    command = COMMANDS.get(name)
    if command is None:
        return await nearest(turn, line)
    if not may(turn.person, command.action, turn.staff):
        if command.case:
            raise Refused("person.not_allowed")
        raise Refused("command.not_yours", name=name, who=_whose(turn, command.action))
    if command.case and not numbered(args)[0]:
        return await _own_cases(turn, name, args)
    return await command.run(turn, args.strip())


def _whose(turn: Turn, action: str) -> str:
    """Who may, in words: the administrator where they may, for that is whom to ask."""
    roles = POLICY[action][0]
    return turn.word(f"role.{Role.ADMIN if Role.ADMIN in roles else min(roles)}")


async def _own_cases(turn: Turn, name: str, args: str) -> Answer:
    """No number was given: the person's most pressing cases as buttons."""
    found = await items_of(turn.tx, turn.desk, turn.person)
    numbers = list(dict.fromkeys(item.row.case.number for item in found))[:6]
    if not numbers:
        raise Refused("command.needs_number")
    rows = {item.row.case.number: item.row for item in found}
    options = []
    for no in numbers:
        case = rows[no].case
        place = turn.word("confidential") if case.confidential else case.place
        options.append((f"{no} {place}".strip(), f"{name} {no} {args}".strip()))
    text = turn.word("ask.which_case")
    if args.strip():
        text = f"{turn.word('bot.no_number_in', said=clip(args.strip(), 40))}\n{text}"
    return Answer(cards=(await offer(turn, text, options, 2),))


async def nearest(turn: Turn, text: str) -> Answer:
    """Words that are no command: the two commands they are nearest to."""
    number, rest = numbered(text)
    if number and not rest:
        return await run(turn, f"case {number}")
    names = _near(turn, text, allowed(turn.person, turn.staff))
    options = [(f"/{name} {turn.word(f'help.{name}')}", f"{name} {number}".strip()) for name in names]
    return Answer(cards=(await offer(turn, turn.word("bot.not_understood"), options),))


def _near(turn: Turn, text: str, names: Iterable[str]) -> list[str]:
    said = text.removeprefix("/").casefold()[:60]
    by_name = {name: name for name in names}
    by_help = {name: turn.word(f"help.{name}").casefold() for name in by_name}
    scores = dict.fromkeys(by_name, 0.0)
    for known, scorer in ((by_name, fuzz.ratio), (by_help, fuzz.partial_ratio)):
        first = said.split()[0] if said.split() and known is by_name else said
        for _, score, name in process.extract(first, known, scorer=scorer, limit=None):
            scores[name] = max(scores[name], float(score))
    return sorted(scores, key=lambda name: -scores[name])[:NEAREST]
