"""An office's own ledger becomes cases: tried out first, row by row, never texting anybody."""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.ledger_rows import apply_rows
from reminder.actions.people import ensure_admin
from reminder.bundled import folder
from reminder.domain.deadlines import deadline
from reminder.domain.errors import Refused, ReminderError
from reminder.domain.limits import Limit
from reminder.domain.people import Staff
from reminder.domain.workdays import local_day
from reminder.failpoints import failpoint
from reminder.ledger import annotate, files, records, report
from reminder.ledger.lexicon import Lexicon
from reminder.ledger.reading import Known, Reading, Record
from reminder.logs import log
from reminder.store import imports as kept
from reminder.store import people
from reminder.store.database import Database, Tx

_CATEGORIES = folder("templates") / "ledger_categories.toml"

MOST_ASKED = 30
"""Questions asked by chat, one after the other; more are answered in a file, on the command line."""

KEPT_TRIES = 5
"""How many tried-out files wait in memory for their "apply"."""

TOGETHER = 50
"""Rows that share a transaction: a commit waits for the disk, and others who write wait for both."""


class Room(Protocol):
    """What importing touches of a runtime."""

    @property
    def db(self) -> Database: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def memo(self) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A file read against the database as it is now; nothing is written yet."""

    name: str
    content: bytes = field(repr=False)
    sheets: Sequence[files.Sheet] = field(repr=False)
    reading: Reading
    outcomes: Mapping[tuple[str, int], str]
    """(sheet, row) -> new, changed or same; rows that wait for an answer are in none."""

    @property
    def counts(self) -> dict[str, int]:
        found = list(self.outcomes.values())
        return {key: found.count(key) for key in ("new", "changed", "same")}


async def try_out(
    room: Room,
    by: Actor,
    name: str,
    content: bytes,
    *,
    ledger: str = "",
    answers: Mapping[tuple[str, int, str], str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Import:
    """Read the file and say what applying it would do. Refused with a sentence if it is no ledger."""
    async with room.db.read() as tx:
        await permit(tx, by, "import")
        staff = await people.staff(tx)
        seen = await kept.rows(tx)
    desk = room.desk
    sheets = files.sheets(name, content)
    book = records.Ledger(
        name=ledger or files.ledger_name(name),
        today=local_day(desk.clock.now(), desk.office.zone),
        lexicon=Lexicon.load(folder("templates") / "ledger_headers.toml"),
        regions=desk.office.regions,
        known=_known(desk, staff),
        count=lambda anchor, limit: _counted(desk, anchor, limit),
    )
    reading = records.read(sheets, book, answers=answers, progress=progress)
    outcomes = {
        (r.sheet, r.row): _outcome(r, seen) for r in reading.records if not r.held and r.same_as is None
    }
    return Import(name=name, content=content, sheets=sheets, reading=reading, outcomes=outcomes)


def _counted(desk: Desk, anchor: date, limit: Limit) -> date:
    """The statutory end of a stated limit; elapsed hours end on a day too, in a ledger."""
    if limit.unit.elapsed:
        return date.fromordinal(anchor.toordinal() + -(-limit.amount // 24))
    return deadline(anchor, limit, desk.office.calendar).effective


def _outcome(record: Record, seen: Mapping[str, tuple[int, str]]) -> str:
    if record.key not in seen:
        return "new"
    return "same" if seen[record.key][1] == record.row_hash else "changed"


def _known(desk: Desk, staff: Staff) -> Known:
    names = {unit.name: unit.name for unit in staff.units.values()}
    words = desk.templates
    categories = {
        text.text.source: key.removeprefix("category.")
        for lang in words.languages
        for key, text in words.words(lang).items()
        if key.startswith("category.")
    }
    for code, spellings in tomllib.loads(_CATEGORIES.read_text(encoding="utf-8")).items():
        categories |= dict.fromkeys(spellings, code)
    return Known(
        units=names,
        staff=tuple(sorted(p.name for p in staff.people.values() if p.active)),
        categories=categories,
    )


async def apply(
    room: Room, by: Actor, found: Import, progress: Callable[[int, int], None] | None = None
) -> Import:
    """Write what was tried out, a few rows a transaction, and one by one where those cannot be written.

    So a bad row loses only itself, and doing it twice does nothing. Returns the import with what became of
    each row.
    """
    todo = [r for r in found.reading.records if found.outcomes.get((r.sheet, r.row)) in {"new", "changed"}]
    unread = {(u.spot.sheet, u.spot.row) for u in found.reading.unread}
    outcomes = dict(found.outcomes)
    async with room.db.write() as tx:
        await ensure_admin(tx, room.desk)
    for start in range(0, len(todo), TOGETHER):
        group = todo[start : start + TOGETHER]
        if await _wrote(room, by, group, unread) is not None:
            for record in group:
                if (error := await _wrote(room, by, [record], unread)) is not None:
                    outcomes[record.sheet, record.row] = "failed"
                    log.warning("import.row_failed", row=record.row, error=type(error).__name__)
        if progress is not None:
            progress(start + len(group), len(todo))
    return replace(found, outcomes=outcomes)


async def _wrote(
    room: Room, by: Actor, rows: Sequence[Record], unread: Collection[tuple[str, int]]
) -> ReminderError | None:
    """All of the rows in one transaction, or none and why."""
    failpoint("import.before_row")
    try:
        async with room.db.write() as tx:
            await permit(tx, by, "import")
            await apply_rows(tx, room.desk, by, rows, unread=unread)
            failpoint("import.before_commit")
    except ReminderError as error:
        return error
    failpoint("import.after_commit")
    return None


def words_of(desk: Desk, lang: str) -> dict[str, str]:
    return {key: placed.text.source for key, placed in desk.templates.words(lang).items()}


def annotated(desk: Desk, found: Import, lang: str) -> tuple[str, bytes]:
    """Name and bytes of the same workbook with a result beside every row."""
    return annotate.handed_back(
        found.name,
        found.content,
        found.sheets,
        reading=found.reading,
        outcomes=found.outcomes,
        words=words_of(desk, lang),
    )


def written(desk: Desk, found: Import, lang: str) -> str:
    """What applying it has written, and what still waits for an answer."""
    values = {**found.counts, "waiting": sum(record.held for record in found.reading.records)}
    return desk.templates.word("import.written", lang, **values)


# --- by chat ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReply:
    """What the bot shows: a summary, the workbook handed back, and the name under which it can be applied."""

    text: str
    document_name: str
    document_bytes: bytes = field(repr=False)
    apply_token: str = ""
    questions: tuple["Asked", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as a person reads it; each choice with the words a button shows for it."""

    at: tuple[str, int, str]
    text: str
    choices: tuple[tuple[str, str], ...]


async def import_file(room: Room, by: Actor, name: str, content: bytes) -> ImportReply:
    """Try out a file sent by chat. It waits in memory until it is applied or others push it out."""
    found = await try_out(room, by, name, content)
    useful = found.counts["new"] + found.counts["changed"]
    token = room.desk.new_id() if useful or found.reading.questions else ""
    if token:
        waiting = _waiting(room)
        waiting[token] = found
        while len(waiting) > KEPT_TRIES:
            waiting.pop(next(iter(waiting)))
    return _reply(room.desk, by, found, token)


async def apply_file(
    room: Room, by: Actor, apply_token: str, answers: Mapping[tuple[str, int, str], str] | None = None
) -> ImportReply:
    """Apply a file tried out before, read again with the answers given since.

    Refused if it is no longer here (the program was restarted).
    """
    found = _waiting(room).pop(apply_token, None)
    if found is None:
        raise Refused("import.gone")
    if answers:
        found = await try_out(room, by, found.name, found.content, answers=answers)
    done = await apply(room, by, found)
    reply = _reply(room.desk, by, done, "")
    return replace(reply, text=f"{written(room.desk, done, _lang_of(room.desk, by))}\n{reply.text}")


def _waiting(room: Room) -> dict[str, Import]:
    waiting = room.memo.setdefault("imports", {})
    assert isinstance(waiting, dict)
    return waiting


def _reply(desk: Desk, by: Actor, found: Import, token: str) -> ImportReply:
    lang = _lang_of(desk, by)
    text = report.summary(found.reading, found.counts, words_of(desk, lang))
    name, document = annotated(desk, found, lang)
    return ImportReply(
        text=text,
        document_name=name,
        document_bytes=document,
        apply_token=token,
        questions=_questions(found, words_of(desk, lang)),
    )


def _questions(found: Import, words: Mapping[str, str]) -> tuple[Asked, ...]:
    return tuple(
        Asked(
            at=one.spot.at,
            text=f"{report.where(words, one.spot)}: {report.say(words, one.key, one.values)}",
            choices=tuple((written, report.choice(words, written)) for written in one.choices),
        )
        for one in found.reading.questions[:MOST_ASKED]
    )


def _lang_of(desk: Desk, by: Actor) -> str:
    return by.person.lang if by.person is not None else desk.office.lang


async def rows(tx: Tx) -> int:
    """How many ledger rows are known."""
    return len(await kept.rows(tx))
