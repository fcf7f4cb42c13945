"""A file of rest days: tried out, its exact difference shown over all open cases, then applied."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from reminder.actions import record
from reminder.actions.calendar_change import BATCH, Move, moves_of
from reminder.actions.calendar_gap import remind_admins
from reminder.actions.calendars import adopt, with_days
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.imports import ImportReply, Room
from reminder.actions.replan import Standing
from reminder.actions.replan_all import replan_all
from reminder.domain.calendar_files import read_calendar, year_of
from reminder.domain.calendars import Overrides
from reminder.domain.errors import Faulty, Refused
from reminder.domain.said_dates import say_date
from reminder.domain.workdays import DayMark, MarkKind, local_day
from reminder.failpoints import failpoint
from reminder.longtext import clip
from reminder.store import calendars, overview, people
from reminder.store.calendars import Kept
from reminder.store.database import Tx

Progress = Callable[[int, int], None]
SHOWN = 12
"""So many moves are written out in a chat; all of them are in the list that comes with it."""

FAULTS_SHOWN = 20
KEPT_TRIES = 5
_TRIED = "calendar_files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a file would change, exactly. Nothing is written yet."""

    name: str
    content: bytes = field(repr=False)
    found: Overrides
    days: Kept
    """What the database would say of days."""
    is_known: bool
    """Whether it says so already."""
    by_hand: int
    """Days of the file that were marked otherwise by hand, and stay so."""
    cases: int
    moves: tuple[Move, ...]
    told: Mapping[int, str]
    """Colleagues who will hear of earlier days: name by person."""
    stood: Mapping[int, Standing] = field(default_factory=dict, repr=False)
    """The cases that change, as they were read: what is applied at once is not reckoned twice."""

    @property
    def moved(self) -> list[Move]:
        return [move for move in self.moves if move.is_moved]

    @property
    def kept(self) -> list[Move]:
        return [move for move in self.moves if move.kept]

    @property
    def firm(self) -> int:
        return sum(move.firm for move in self.moves)

    @property
    def residents(self) -> int:
        """How many people were told of a day that moves, or would have moved."""
        return len({person for move in self.moves for person in move.residents})

    @property
    def sign(self) -> str:
        """Same difference, same sign: what was shown is what is done."""
        rows = [
            (m.case_id, m.key, m.old, m.new, m.is_moved, m.firm, m.kept, sorted(m.residents))
            for m in self.moves
        ]
        return hashlib.sha256(repr((self.days.sign, rows)).encode()).hexdigest()[:16]


def merged(kept: Kept, found: Overrides) -> Kept:
    """A complete year replaces that year's list; every other day is a mark like those made by hand."""
    marks, years = dict(kept.marks), dict(kept.years)
    lists: dict[int, dict[date, DayMark]] = {year: {} for year in found.confirmed_years}
    for day, mark in found.marks.items():
        year = year_of(day, found.confirmed_years)
        (marks if year is None else lists[year])[day] = mark
    return Kept(marks=marks, years={**years, **lists})


async def try_out(
    room: Room, by: Actor, name: str, content: bytes, *, lang: str, progress: Progress | None = None
) -> Shown:
    """Read the file and say what it would change. Faulty with every fault; Refused if not allowed."""
    async with room.db.read() as tx:
        await permit(tx, by, "calendar")
    found = read_calendar(name, content, lang)
    async with room.db.read() as tx:
        kept, ids = await calendars.kept(tx), await overview.cases_under_way(tx)
        staff = await people.staff(tx)
    days = merged(kept, found)
    tried = with_days(room.desk, days)
    moves: list[Move] = []
    stood: dict[int, Standing] = {}
    for start in range(0, len(ids), BATCH):
        async with room.db.read() as tx:
            moves += await moves_of(tx, tried, ids[start : start + BATCH], stood)
        if progress is not None:
            progress(min(start + BATCH, len(ids)), len(ids))
    told = {person for move in moves if move.is_moved and move.is_earlier for person in move.people}
    return Shown(
        name=name,
        content=content,
        found=found,
        days=days,
        is_known=days.sign == kept.sign,
        by_hand=sum(d in kept.marks and kept.marks[d].kind is not m.kind for d, m in found.marks.items()),
        cases=len(ids),
        moves=tuple(moves),
        told={person: staff.people[person].name for person in sorted(told)},
        stood=stood,
    )


async def apply(room: Room, by: Actor, shown: Shown, progress: Progress | None = None) -> int:
    """Keep the days, then let the open cases follow, a few in each transaction; how many changed.

    Broken off, it is finished by doing it again, or by the next start of the office.
    """
    desk = room.desk
    async with room.db.write() as tx:
        await permit(tx, by, "calendar")
        kept = await calendars.kept(tx)
        days = merged(kept, shown.found)
        if days.sign != kept.sign:
            await _keep(tx, kept, days)
            await record.begin(tx, desk, Actor(person=by.person), None, f"calendar:import:{days.sign}")
        failpoint("calendar.before_commit")
    failpoint("calendar.after_commit")
    async with room.db.read() as tx:
        await adopt(tx, desk)
        ids = await overview.cases_under_way(tx)

    def said(done: int) -> None:
        if progress is not None:
            progress(done, len(ids))

    changed = await replan_all(room.db, desk, ids, said, shown=shown.stood)
    async with room.db.write() as tx:
        await calendars.set_followed(tx, desk.calendar_sign)
        await remind_admins(tx, desk)
        failpoint("calendar.before_followed")
    return changed


async def _keep(tx: Tx, kept: Kept, days: Kept) -> None:
    for day, mark in days.marks.items():
        if kept.marks.get(day) != mark:
            await calendars.put(tx, day, mark)
    for year, marks in days.years.items():
        if kept.years.get(year) != marks:
            await calendars.put_year(tx, year, marks)


# --- in words -------------------------------------------------------------------------------------


def summary(desk: Desk, shown: Shown, lang: str, lines: int = SHOWN) -> str:
    """The difference as a person reads it; `lines` moves are written out."""

    def word(key: str, **values: object) -> str:
        return desk.templates.word(key, lang, **values)

    separator = desk.templates.word("separator", lang)
    kinds = [mark.kind for mark in shown.found.marks.values()]
    years = separator.join(str(year) for year in sorted(shown.found.confirmed_years))
    rest, work = kinds.count(MarkKind.REST), kinds.count(MarkKind.WORK)
    said = [word("calendar.file", file=clip(shown.name, 60), rest=rest, work=work)]
    said.append(word("calendar.years", years=years) if years else word("calendar.no_year"))
    if shown.by_hand:
        said.append(word("calendar.by_hand", n=shown.by_hand))
    if not shown.moves:
        return "\n".join(
            [*said, word("calendar.known" if shown.is_known else "calendar.no_move", n=shown.cases)]
        )
    earlier = sum(move.is_earlier for move in shown.moved)
    counts = {"earlier": earlier, "later": len(shown.moved) - earlier, "firm": shown.firm}
    said.append(word("calendar.counts", cases=shown.cases, moved=len(shown.moved), **counts))
    if shown.residents:
        said.append(word("calendar.promised", n=shown.residents, kept=len(shown.kept)))
    if shown.told:
        said.append(
            word("calendar.told", n=len(shown.told), names=clip(separator.join(shown.told.values()), 300))
        )
    today = local_day(desk.clock.now(), desk.office.zone)
    listed = [move for move in shown.moves if move.is_moved or move.kept]
    said += [f"· {_line(desk, move, lang, today)}" for move in listed[:lines]]
    if len(listed) > lines:
        said.append(word("calendar.more", n=len(listed) - lines))
    return "\n".join(said)


def _line(desk: Desk, move: Move, lang: str, today: date) -> str:
    way = "moves" if move.new == move.old else "earlier" if move.is_earlier else "later"
    old, new = (say_date(day, lang, today) for day in (move.old, move.new))
    said = desk.templates.word(
        f"calendar.{way}", lang, no=move.number, what=move.what(lang), old=old, new=new
    )
    return said + (desk.templates.word("calendar.kept", lang) if move.kept else "")


def listing(shown: Shown, lang: str) -> bytes:
    """Every difference as a table that a spreadsheet opens."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["case", "key", "what", "old", "new", "moved", "firm", "residents", "kept"])
    for move in shown.moves:
        flags = (int(move.is_moved), int(move.firm), len(move.residents), int(move.kept))
        table.writerow([move.number, move.key, move.what(lang), move.old, move.new, *flags])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def json_object(shown: Shown) -> dict[str, Any]:
    """The whole difference for programs."""
    return {
        "file": shown.name,
        "days": {
            day.isoformat(): {"kind": mark.kind.value, "name": mark.name}
            for day, mark in sorted(shown.found.marks.items())
        },
        "confirmed_years": sorted(shown.found.confirmed_years),
        "known": shown.is_known,
        "cases": shown.cases,
        "moved": len(shown.moved),
        "firm": shown.firm,
        "residents_promised": shown.residents,
        "promises_kept": len(shown.kept),
        "told": list(shown.told.values()),
        "entries": [
            {
                "case": move.number,
                "key": move.key,
                "what": dict(move.names),
                "old": move.old.isoformat(),
                "new": move.new.isoformat(),
                "moved": move.is_moved,
                "earlier": move.is_earlier,
                "firm": move.firm,
                "residents": len(move.residents),
                "kept": move.kept,
            }
            for move in shown.moves
        ],
    }


# --- by chat --------------------------------------------------------------------------------------


async def try_file(room: Room, by: Actor, name: str, content: bytes) -> ImportReply:
    """A file sent by chat: its difference, and the name under which it can be applied."""
    lang = by.person.lang if by.person is not None else room.desk.office.lang
    try:
        shown = await try_out(room, by, name, content, lang=lang)
    except Faulty as faulty:
        told = [clip(str(fault), 150) for fault in faulty.faults]
        head = room.desk.templates.word("calendar.faults", lang, n=len(told), file=clip(name, 60))
        return _reply("\n".join([head, *(f"· {one}" for one in told[:FAULTS_SHOWN])]))
    text = summary(room.desk, shown, lang)
    if shown.is_known and not shown.moves:
        return _reply(text)
    token = room.desk.new_id()
    tried = _tried(room)
    tried[token] = replace(shown, stood={})  # it may lie there for long, and is looked at again anyway
    while len(tried) > KEPT_TRIES:
        tried.pop(next(iter(tried)))
    return _reply(text, token=token, paper=listing(shown, lang) if shown.moves else b"")


async def apply_file(room: Room, by: Actor, token: str) -> ImportReply | None:
    """Apply what was shown; None if the token is no calendar's. Refused if it would be another difference."""
    shown = _tried(room).pop(token, None)
    if shown is None:
        return None
    lang = by.person.lang if by.person is not None else room.desk.office.lang
    now = await try_out(room, by, shown.name, shown.content, lang=lang)
    if now.sign != shown.sign:
        raise Refused("calendar.changed_since", file=clip(shown.name, 60))
    changed = await apply(room, by, now)
    return _reply(room.desk.templates.word("calendar.applied", lang, cases=changed, moved=len(shown.moved)))


def _tried(room: Room) -> dict[str, Shown]:
    tried = room.memo.setdefault(_TRIED, {})
    assert isinstance(tried, dict)
    return tried


def _reply(text: str, token: str = "", paper: bytes = b"") -> ImportReply:
    return ImportReply(text=text, document_name="calendar.csv", document_bytes=paper, apply_token=token)
