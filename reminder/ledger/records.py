"""What does a whole ledger say? Its records, faults and questions, without a single guess."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from reminder.domain.errors import Refused
from reminder.ledger.cells import cleaned, read_limits, words
from reminder.ledger.dates import Days, read_text, simplified
from reminder.ledger.files import Cell, Sheet
from reminder.ledger.headers import Layout, layout
from reminder.ledger.lexicon import Lexicon, plain
from reminder.ledger.phones import valid_in
from reminder.ledger.reading import Headed, Known, Note, Question, Reading, Record, Rejected, Spot
from reminder.ledger.repeats import SAME, SEPARATE, likely_repeats
from reminder.ledger.row import Answers, Around, Count, Row, Told
from reminder.ledger.rows import record_of
from reminder.ledger.vocabulary import Vocabulary

STEP = 500
"""Rows between two calls of `progress`."""
Progress = Callable[[int, int], None]
"""(rows read, rows in all)"""
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)|(?<!\d)(\d{2})(?=年)")
_FULL_DATE = re.compile(r"\d{4}\s*[-./年]\s*\d{1,2}\s*[-./月]\s*\d{1,2}\s*日?")
_DAY = re.compile(r"\d\s*[日号]|\d[-./]\d")
_MONTH_TITLE = re.compile(
    r"\d{4}\s*年|\d{1,2}\s*月|[一二三四五六七八九十]月|季度|上半年|下半年|^[一二三四五六七八九十]+、|^[(（][一二三四五六七八九十]+[)）]"
    r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|quarter)\b",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """How a ledger is read: today, the regions of its telephone numbers, the office's words, the calendar."""

    name: str
    """The name it keeps from import to import; see `files.ledger_name`."""
    today: date
    lexicon: Lexicon
    regions: tuple[str, ...] = ("CN", "US")
    known: Known = field(default_factory=Known)
    count: Count | None = None


def read(
    sheets: Sequence[Sheet],
    ledger: Ledger,
    *,
    answers: Answers | None = None,
    progress: Progress | None = None,
) -> Reading:
    """Reads every visible sheet that has a header. Pure: the same arguments give the same reading.

    Raises Refused `import.not_a_ledger` if no sheet has a row with four known headers. Whatever the cells
    hold, it raises nothing else. Nothing of the ledger stays in memory afterwards.
    """
    try:
        return _read(sheets, ledger, answers or {}, progress)
    finally:
        for remembered in (plain, cleaned, read_text, read_limits, valid_in):
            remembered.cache_clear()


def _read(sheets: Sequence[Sheet], ledger: Ledger, answers: Answers, progress: Progress | None) -> Reading:
    laid_out = [(sheet, layout(sheet, ledger.lexicon)) for sheet in sheets]
    usable = [(sheet, found) for sheet, found in laid_out if found is not None and sheet.visible]
    if not usable:
        raise Refused("import.not_a_ledger", file=ledger.name)
    told = Told()
    for sheet, found in laid_out:
        if (sheet, found) not in usable and any(sheet.rows):
            key = "import.note.no_header" if sheet.visible else "import.note.hidden_sheet"
            told.notes.append(Note(spot=Spot(sheet=sheet.name, row=0, column=""), key=key, values={}))
    vocabulary = Vocabulary(ledger.known)
    total = sum(len(sheet.rows) - found.first_row for sheet, found in usable)
    tick = _ticker(progress, total)
    records: list[Record] = []
    for sheet, found in usable:
        around = Around(
            lexicon=ledger.lexicon, layout=found, vocabulary=vocabulary, days=_days(ledger, sheet, found),
            regions=ledger.regions, answers=answers, count=ledger.count, told=told,
        )  # fmt: skip
        _say_about_columns(told, sheet, found)
        before = len(told.rejected)
        rows = list(_records(sheet, around, tick))
        if not rows and len(told.rejected) == before:
            told.notes.append(
                Note(spot=Spot(sheet=sheet.name, row=0, column=""), key="import.note.no_rows", values={})
            )
        records += rows
    if progress:
        progress(total, total)
    settled = _with_repeats(_with_keys(records, ledger.name), usable, told, answers)
    return _reading(ledger, settled, usable, told)


def _reading(
    ledger: Ledger, records: Sequence[Record], usable: Sequence[tuple[Sheet, Layout]], told: Told
) -> Reading:
    order = {sheet.name: place for place, (sheet, _) in enumerate(usable)}
    return Reading(
        ledger=ledger.name,
        records=tuple(records),
        rejected=tuple(told.rejected),
        unread=tuple(told.unread),
        questions=tuple(
            sorted(
                told.questions, key=lambda one: (order.get(one.spot.sheet, 0), one.spot.row, one.spot.index)
            )
        ),
        left_out=tuple(dict.fromkeys(label for _, found in usable for label in found.left_out)),
        unknown=tuple(dict.fromkeys(label for _, found in usable for label in found.unknown)),
        notes=tuple(told.notes),
        sheets=tuple(
            Headed(sheet=sheet.name, header_row=sheet.top + found.first_row - 1) for sheet, found in usable
        ),
    )


def _ticker(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress and done % STEP == 0:
            progress(done, total)

    return tick


def _days(ledger: Ledger, sheet: Sheet, found: Layout) -> Days:
    """The years named nearest to the rows: in the title, else the sheet's name, else the file's."""
    named = (years_in(text) for text in (found.title, sheet.name, ledger.name))
    return Days(
        today=ledger.today,
        years=next((years for years in named if years), ()),
        english=found.english,
        epoch1904=sheet.epoch1904,
    )


def years_in(title: str) -> tuple[int, ...]:
    """The years a title names; the date it was drawn up is not one of them."""
    text = _FULL_DATE.sub(" ", simplified(title))
    years = (int(match[1]) if match[1] else 2000 + int(match[2]) for match in _YEAR.finditer(text))
    return tuple(dict.fromkeys(year for year in years if 1985 <= year <= 2100))


def _say_about_columns(told: Told, sheet: Sheet, found: Layout) -> None:
    for label, instead in found.doubled:
        spot = Spot(sheet=sheet.name, row=0, column=label)
        told.notes.append(Note(spot=spot, key="import.note.doubled", values={"instead": instead}))
    for label in found.hidden:
        spot = Spot(sheet=sheet.name, row=0, column=label)
        told.notes.append(Note(spot=spot, key="import.note.hidden", values={}))


def _records(sheet: Sheet, around: Around, tick: Callable[[], None]) -> Iterator[Record]:
    """The records of a sheet; titles, totals, signatures, empty rows and repeated headers are none."""
    above: tuple[Cell, ...] = ()
    for offset, written in enumerate(sheet.rows[around.layout.first_row :]):
        tick()
        number = sheet.top + around.layout.first_row + offset
        filled = [text for cell in written if (text := words(cell) or ("#" if cell else ""))]
        if _is_blank(written, filled, around.layout):
            continue
        if _is_title(written, filled, around) or _is_footer(written, filled, around):
            if years := years_in(filled[0]):
                around = replace(around, days=replace(around.days, years=years))
            spot = Spot(sheet=sheet.name, row=number, column="")
            around.told.notes.append(
                Note(spot=spot, key="import.note.skipped", values={"text": filled[0][:40]})
            )
            continue
        if _is_header(filled, around.layout):
            continue
        above = _dittoed(written, above, around.lexicon)
        found = record_of(Row(sheet=sheet.name, number=number, cells=above, around=around))
        if isinstance(found, Rejected):
            around.told.rejected.append(found)
        else:
            yield found


def _is_blank(cells: Sequence[Cell], filled: Sequence[str], found: Layout) -> bool:
    """Nothing, or nothing but a number filled in beforehand."""
    numbers = [words(cells[column.index]) for column in found.of("external_no") if column.index < len(cells)]
    return not filled or (list(filled) == numbers and filled[0].isdigit())


def _is_title(cells: Sequence[Cell], filled: Sequence[str], around: Around) -> bool:
    """One text across the row: a month, a chapter, or words in a first column that is no required field."""
    if len(set(filled)) != 1 or _has(cells, around, "party") or _DAY.search(filled[0]):
        return False
    in_front = bool(cells and words(cells[0])) and not _has(cells, around, "received_on")
    return bool(_MONTH_TITLE.search(filled[0])) or (in_front and not filled[0].isdigit())


def _is_footer(cells: Sequence[Cell], filled: Sequence[str], around: Around) -> bool:
    """Totals, remarks and signatures; never a row that has a day of receipt and a person."""
    lexicon = around.lexicon
    first = re.sub(r"\s+", "", filled[0].casefold())
    if lexicon.signature.match(first):
        return True
    dated = _has(cells, around, "received_on")
    if lexicon.total.match(first) and not dated:
        return True
    party = [words(cells[column.index]) for column in around.layout.of("party") if column.index < len(cells)]
    if dated and any(text and not lexicon.signature.match(text.casefold()) for text in party):
        return False
    return any(lexicon.signature.match(text.casefold()) for text in filled)


def _is_header(filled: Sequence[str], found: Layout) -> bool:
    return all(plain(text) in found.header_words for text in filled)


def _has(cells: Sequence[Cell], around: Around, field: str) -> bool:
    return any(
        column.index < len(cells) and bool(words(cells[column.index])) for column in around.layout.of(field)
    )


def _dittoed(cells: tuple[Cell, ...], above: Sequence[Cell], lexicon: Lexicon) -> tuple[Cell, ...]:
    """ "同上" and its like stand for the cell above."""
    return tuple(
        above[index]
        if isinstance(cell, str) and index < len(above) and cell.strip().casefold() in lexicon.ditto
        else cell
        for index, cell in enumerate(cells)
    )


def _with_keys(records: Sequence[Record], name: str) -> list[Record]:
    """Rows keep their key from import to import; only the first row of a number is known by it alone."""
    used: Counter[tuple[str, ...]] = Counter()
    keyed = []
    for record in records:
        parts: tuple[str, ...] = (name, record.sheet, record.external_no)
        if not record.external_no or used[parts]:
            day = record.received_on.isoformat() if record.received_on else ""
            used[parts] += 1
            parts += (day, plain(record.party), plain(record.place), plain(record.request))
        used[parts] += 1
        written = "\x1f".join((*parts, str(used[parts])))
        keyed.append(replace(record, key=hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()))
    return keyed


def _with_repeats(
    records: Sequence[Record],
    usable: Sequence[tuple[Sheet, Layout]],
    told: Told,
    answers: Mapping[tuple[str, int, str], str],
) -> list[Record]:
    """Each likely repeat is held until a person has said whether it is the same matter."""
    layouts = {sheet.name: found for sheet, found in usable}
    changed: dict[tuple[str, int], Record] = {}
    for later, earlier in likely_repeats(records):
        column = layouts[later.sheet].of("party")[0]
        spot = Spot(sheet=later.sheet, row=later.row, column=column.label, index=column.index)
        answer = answers.get(spot.at)
        if answer == SAME:
            changed[later.sheet, later.row] = replace(later, same_as=(earlier.sheet, earlier.row))
        elif answer != SEPARATE:
            values = {"row": earlier.row, "sheet": earlier.sheet}
            told.questions.append(
                Question(spot=spot, key="import.ask.repeat", values=values, choices=(SAME, SEPARATE))
            )
            changed[later.sheet, later.row] = replace(later, held=True)
    return [changed.get((record.sheet, record.row), record) for record in records]
