"""What does one row of a ledger say? A record, or the reason it is rejected."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from reminder.domain.limits import Limit
from reminder.ledger import cells
from reminder.ledger.cells import Due, Party, Revisit, words
from reminder.ledger.dates import Days, read_date
from reminder.ledger.files import Cell
from reminder.ledger.headers import Column
from reminder.ledger.phones import read_phones
from reminder.ledger.reading import Record, Rejected
from reminder.ledger.row import Row
from reminder.ledger.verdicts import Ask, Unreadable
from reminder.ledger.vocabulary import AS_WRITTEN

T = TypeVar("T")
LEAVE_OUT = "leave_out"
"""The choice that drops what a cell says."""


def record_of(row: Row) -> Record | Rejected:
    """The record of a row, its key still empty. Never raises for what a cell holds."""
    told = row.around.told
    asked, unread, noted = len(told.questions), len(told.unread), len(told.notes)
    row.clear()
    received_on = _required(row, "received_on", _received_on)
    party = _required(row, "party", _party) if row.fate is None else None
    if row.fate is not None:
        # Nobody need answer for, or look into, a row that is not taken.
        del told.questions[asked:], told.unread[unread:], told.notes[noted:]
        return row.fate
    days = row.around.days.between(received_on, row.around.days.today)
    content = {
        "external_no": _text(row, "external_no"), "received_on": received_on, **_who(row), **_what(row),
        **_whose(row), **_party_of(row, party), **_when(row, received_on, days), **_ended(row, days),
    }  # fmt: skip
    return Record(sheet=row.sheet, row=row.number, key="", held=row.held, **content)


def _required(row: Row, field_name: str, read: Callable[[Row], T | None]) -> T | None:
    """A required value; an empty or failed cell rejects the row."""
    column, cell = row.first(field_name)
    if column is None or cell is None:
        row.fate = Rejected(spot=row.spot(column, field_name), key=f"import.why.no_{field_name}", values={})
        return None
    return read(row)


def _received_on(row: Row) -> date | None:
    column, cell = row.first("received_on")
    days = row.around.days.between(None, row.around.days.today)
    found = row.settle(row.spot(column), read_date(cell, days), date.fromisoformat, required=True)
    if found is not None and found > row.around.days.today:
        later = Unreadable(key="import.why.future", values={"day": found.isoformat()})
        return row.settle(row.spot(column), later, date.fromisoformat, required=True)
    return found


def _party(row: Row) -> Party | None:
    column, cell = row.first("party")
    verdict = cells.read_party(cell, row.around.lexicon)
    return row.settle(row.spot(column), verdict, lambda _: Party(name=""), required=True)


def _party_of(row: Row, party: Party | None) -> dict[str, Any]:
    """The name, how many came, and the flags "again" and "a group"."""
    if party is None:
        return {}
    column, cell = row.first("group_size")
    counted = row.settle(row.spot(column), cells.read_count(cell), int) if column else None
    if counted and party.group_size and counted != party.group_size:
        row.note(row.spot(column), "import.note.group_size", one=party.group_size, other=counted)
    size = party.group_size or (counted if counted and counted > 1 else None)
    written = words(row.first("channel")[1])
    came = row.around.lexicon.value("group_channel", written) if written else None
    group = _flag(row, "group")
    return {
        "party": party.name,
        "anonymous": party.anonymous,
        "group_size": size,
        # Five people or more are a group where the ledger does not say.
        "group": came == "group" or (group if group is not None else (size or 0) >= 5),
        "repeat": bool(_flag(row, "repeat")) or came == "repeat",
    }


def _flag(row: Row, field_name: str) -> bool | None:
    column, cell = row.first(field_name)
    if column is None:
        return None
    return row.settle(row.spot(column), cells.read_flag(cell, row.around.lexicon), bool)


def _text(row: Row, field_name: str) -> str:
    """A free text of at most 2,000 characters."""
    column, cell = row.first(field_name)
    if column is None:
        return ""
    return _shortened(row, column, words(cell))


def _shortened(row: Row, column: Column, text: str) -> str:
    if len(text) > cells.LONGEST:
        row.note(row.spot(column), "import.note.shortened", most=cells.LONGEST)
    if "***" in text:
        row.note(row.spot(column), "import.note.identity_number")
    return text[: cells.LONGEST]


def _who(row: Row) -> dict[str, Any]:
    """Telephone numbers and the place."""
    column, cell = row.first("phones")
    phones = read_phones(cell, row.around.regions)
    if column and phones.unread:
        key = "import.why.lost_phone" if phones.lost else "import.why.no_phone"
        row.settle(row.spot(column), Unreadable(key=key), str)
    if cell is None:
        phones = replace(read_phones(row.first("party")[1], row.around.regions), unread=False)
    place = ""
    for part in sorted(row.columns("place"), key=lambda one: not one.is_place_part):
        text = words(row.cell(part))
        place = text if place and place in text else place if text in place else place + text
    return {
        "phones": phones.numbers,
        "landlines": phones.landlines,
        "place": place[: cells.LONGEST],
        "village": row.around.vocabulary.village(place),
    }


def _what(row: Row) -> dict[str, Any]:
    """How it came, what kind of matter it is, what is asked for."""
    lexicon = row.around.lexicon
    column, cell = row.first("channel")
    written = words(cell)
    flags = lexicon.value("group_channel", written) if written else None
    channel = "visit" if flags else lexicon.value("channel", written) if written else ""
    if column and written and channel is None:
        row.note(row.spot(column), "import.note.channel", text=written[:60])
    kind_column, kind_cell = row.first("category")
    kind = words(kind_cell)
    category = row.around.vocabulary.category(kind) if kind else ""
    if kind_column and kind and category is None:
        row.note(row.spot(kind_column), "import.note.category", text=kind[:60])
    return {
        "channel": "other" if channel is None else channel,
        "category": "other" if category is None else category,
        "category_text": kind[:200],
        "request": _text(row, "request"),
    }


def _whose(row: Row) -> dict[str, Any]:
    """The unit, the leader and the officer."""
    return {
        "unit": _name(row, "unit", words, row.around.vocabulary.unit),
        "handler": _name(row, "handler", _person, row.around.vocabulary.person),
        "sponsor": _person(row.first("sponsor")[1]),
    }


def _person(cell: Cell) -> str:
    return cells.name_part(words(cell))


def _name(
    row: Row, field_name: str, read: Callable[[Cell], str], match: Callable[[str], str | Ask | None]
) -> str:
    column, cell = row.first(field_name)
    text = read(cell)[:200]
    if column is None or not text:
        return ""
    verdict = match(text)
    if verdict is None:
        row.note(row.spot(column), f"import.note.{field_name}", text=text[:60])
    if not isinstance(verdict, Ask):
        return verdict or text
    told, spot = row.around.told, row.spot(column)
    first = told.first_asked.setdefault((field_name, text), spot)
    if first is not spot:
        answer = row.around.answers.get(first.at, AS_WRITTEN)
        return answer if answer in verdict.choices and answer != AS_WRITTEN else text
    return row.settle(spot, verdict, lambda answer: text if answer == AS_WRITTEN else answer) or text


def _when(row: Row, received_on: date | None, days: Days) -> dict[str, Any]:
    """The day it was passed on and the day it is due, counted from the former, else from receipt."""
    referred_on = _day(row, "referred_on", days)
    due = Due()
    for column in row.columns("due_on"):
        verdict = cells.read_due(row.cell(column), column.label, days.between(received_on, None))
        found = row.settle(row.spot(column), verdict, _answered_due)
        if found is not None:
            if found.on and due.on and found.on != due.on:
                one, other = due.on.isoformat(), found.on.isoformat()
                row.note(row.spot(column), "import.note.due_twice", one=one, other=other)
            due = Due(on=due.on or found.on, limit=due.limit or found.limit)
    due = replace(due, on=_not_before_receipt(row, due.on, received_on))
    counted = _counted(row, due.limit, referred_on, received_on)
    if counted and due.on and counted != due.on:
        spot = row.spot(row.first("due_on")[0])
        row.note(spot, "import.note.due_conflict", stated=due.on.isoformat(), counted=counted.isoformat())
    return {
        "referred_on": referred_on,
        "due_on": due.on or counted,
        "due_limit": due.limit,
        "due_counted": counted,
    }


def _not_before_receipt(row: Row, due_on: date | None, received_on: date | None) -> date | None:
    """Nothing can be due before it came in: which day is meant is asked, unless somebody has just said."""
    if due_on is None or received_on is None or due_on >= received_on:
        return due_on
    spot = row.spot(row.first("due_on")[0])
    later = [day for years in (1, 2) if (day := _years_on(due_on, years)) >= received_on][:1]
    choices = (*(day.isoformat() for day in later), AS_WRITTEN, LEAVE_OUT)
    answer = row.around.answers.get(spot.at, "")
    if answer == due_on.isoformat() or answer == AS_WRITTEN:
        return due_on
    if answer == LEAVE_OUT:
        return None
    values: dict[str, object] = {"due": due_on.isoformat(), "received": received_on.isoformat()}
    return row.settle(
        spot, Ask(key="import.ask.due_before", choices=choices, values=values), date.fromisoformat
    )


def _years_on(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _answered_due(choice: str) -> Due:
    try:
        return Due(on=date.fromisoformat(choice))
    except ValueError:
        return Due(limit=Limit.parse(choice))


def _counted(
    row: Row, limit: Limit | None, referred_on: date | None, received_on: date | None
) -> date | None:
    """The day a limit ends that runs from the day it was passed on, else from receipt."""
    if limit is None or row.around.count is None:
        return None
    column, cell = row.first("referred_on")
    written = cell is not None and not _not_yet(row, cell)
    anchor = referred_on if written else received_on
    if anchor is None:
        # A day is written but not known yet: counting from another day would be a guess.
        row.note(row.spot(column, "due_on"), "import.note.no_anchor", limit=str(limit))
        return None
    try:
        return row.around.count(anchor, limit)
    except (OverflowError, ValueError):
        return None


def _not_yet(row: Row, cell: Cell) -> bool:
    return isinstance(cell, str) and words(cell).casefold() in row.around.lexicon.not_yet


def _day(row: Row, field_name: str, days: Days) -> date | None:
    column, cell = row.first(field_name)
    if column is None or _not_yet(row, cell):
        return None
    found = row.settle(row.spot(column), read_date(cell, days), date.fromisoformat)
    if found and days.not_before and found < days.not_before:
        row.note(row.spot(column), "import.note.before_receipt", day=found.isoformat())
    return found


def _ended(row: Row, days: Days) -> dict[str, Any]:
    """What was done, the answer, whether it is closed, what people thought, the visit afterwards."""
    lexicon = row.around.lexicon
    column, cell = row.first("closed")
    closed = row.settle(row.spot(column), cells.read_closed(cell, lexicon), "yes".__eq__) if column else None
    answered_on = _day(row, "answered_on", days)
    if answered_on is None and isinstance(cell, date) and not row.columns("answered_on"):
        answered_on = _day(row, "closed", days)
    progress = _joined(row, "progress")
    if column is None and progress and lexicon.value("closed", progress) in {"yes", "no"}:
        closed, progress = lexicon.value("closed", progress) == "yes", ""
    rated, rating = row.first("score")
    return {
        "closed": closed,
        "answered_on": answered_on,
        "progress": progress,
        "score": row.settle(row.spot(rated), cells.read_score(rating, lexicon), int) if rated else None,
        "revisit": _revisit(row, days),
    }


def _joined(row: Row, field_name: str) -> str:
    """Every column of a joined field; with its header where there are several."""
    filled = [(column, words(row.cell(column))) for column in row.columns(field_name)]
    filled = [(column, text) for column, text in filled if text]
    if not filled:
        return ""
    several = len(row.columns(field_name)) > 1
    text = "\n".join(f"{column.label}：{text}" if several else text for column, text in filled)
    return _shortened(row, filled[0][0], text)


def _revisit(row: Row, days: Days) -> Revisit | None:
    """A past visit: the day written in any of its columns, and what is said there."""
    on: date | None = None
    texts: list[str] = []
    for column in row.columns("revisit"):
        cell = row.cell(column)
        if cell is None or _not_yet(row, cell):
            continue
        verdict = read_date(cell, days)
        if isinstance(verdict, Unreadable) and words(cell):
            texts.append(words(cell))  # words without a day are a visit without a day
            continue
        found = row.settle(row.spot(column), verdict, date.fromisoformat)
        on = on or found
        texts.append(words(cell))
    text = " ".join(dict.fromkeys(text for text in texts if text))
    return Revisit(on=on, text=text[: cells.LONGEST]) if on or text else None
