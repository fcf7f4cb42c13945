"""What is a person, or a program, told about the reading of a ledger?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reminder.domain.limits import Limit
from reminder.ledger.reading import Finding, Question, Reading, Record, Spot

Words = Mapping[str, str]
"""The words catalogue of one language: key -> sentence with {names}."""
Outcomes = Mapping[tuple[str, int], str]
"""(sheet, row) -> "new", "changed" or "same", as the database found."""
Counts = Mapping[str, int]
SHOWN = 20
"""Lines of each kind in a summary."""


def say(words: Words, key: str, values: Mapping[str, object]) -> str:
    """A sentence of the catalogue. Raises KeyError for a key or a name that is not there."""
    return words[key].format_map(values)


def json_object(reading: Reading, counts: Counts, words: Words) -> dict[str, Any]:
    """The reading as `--json` prints it; dates ISO, telephone numbers E.164. Programs rely on these keys and
    no others: what is merely worth knowing stands in the summary and in the file handed back."""
    return {
        "new": counts.get("new", 0),
        "changed": counts.get("changed", 0),
        "same": counts.get("same", 0),
        "rejected": [
            {**_place(one.spot), "reason": say(words, one.key, one.values)} for one in reading.rejected
        ],
        "unread": [_place(one.spot) for one in reading.unread],
        "questions": [
            {**_place(one.spot), "question": say(words, one.key, one.values), "choices": list(one.choices)}
            for one in reading.questions
        ],
        "left_out": list(reading.left_out),
        "records": [
            {"sheet": one.sheet, "row": one.row, "held": one.held, **one.plain()} for one in reading.records
        ],
    }


def _place(spot: Spot) -> dict[str, Any]:
    return {"sheet": spot.sheet, "row": spot.row, "column": spot.column}


def summary(reading: Reading, counts: Counts, words: Words) -> str:
    """A short plain text; the file handed back says the rest."""
    return "\n".join(_lines(reading, counts, words))


def _lines(reading: Reading, counts: Counts, words: Words) -> Iterator[str]:
    numbers = {key: counts.get(key, 0) for key in ("new", "changed", "same")}
    yield say(words, "import.summary.counts", {"records": len(reading.records), **numbers})
    yield from _section(words, "rejected", reading.rejected)
    yield from _section(words, "questions", reading.questions)
    yield from _section(words, "unread", reading.unread)
    for kind, columns in (("left_out", reading.left_out), ("unknown", reading.unknown)):
        if columns:
            separator = "、" if words["import.choice.yes"] == "是" else ", "
            yield say(words, f"import.summary.{kind}", {"columns": separator.join(columns)})
    yield from _section(words, "notes", reading.notes)
    yield words["import.summary.quiet"]


def _section(
    words: Words,
    kind: str,
    found: Sequence[Finding],
) -> Iterator[str]:
    if not found:
        return
    yield say(words, f"import.summary.{kind}", {"count": len(found)})
    for one in found[:SHOWN]:
        yield f"· {where(words, one.spot)}: {sentence(words, one)}"
    if len(found) > SHOWN:
        yield say(words, "import.summary.more", {"count": len(found) - SHOWN})


def where(words: Words, spot: Spot) -> str:
    """A cell, a row, a column or a sheet as a person would point at it."""
    key = "import.place" + (
        ("" if spot.column else "_row") if spot.row else "_column" if spot.column else "_sheet"
    )
    return say(words, key, {"sheet": spot.sheet, "row": spot.row, "column": spot.column})


def sentence(words: Words, one: Finding) -> str:
    """Its reason, its question with the choices, or its note."""
    said = say(words, one.key, one.values)
    if isinstance(one, Question):
        choices = " / ".join(choice(words, written) for written in one.choices)
        said = f"{said} {say(words, 'import.summary.choices', {'choices': choices})}"
    return said


def choice(words: Words, written: str) -> str:
    """A choice as a button would show it; what is given back stays `written`."""
    if (known := words.get(f"import.choice.{written}")) is not None:
        return known
    try:
        limit = Limit.parse(written)
    except ValueError:
        return written
    return say(words, f"import.limit.{limit.unit}", {"amount": limit.amount})


def results(reading: Reading, outcomes: Outcomes, words: Words) -> dict[tuple[str, int], str]:
    """(sheet, row) -> what its result column says."""
    told: dict[tuple[str, int], list[str]] = {}
    for record in reading.records:
        told[record.sheet, record.row] = [_fate(record, outcomes, words)]
    for rejected in reading.rejected:
        told[rejected.spot.sheet, rejected.spot.row] = [words["import.result.rejected"]]
    findings: tuple[Finding, ...] = (*reading.rejected, *reading.questions, *reading.unread, *reading.notes)
    for one in findings:
        at = one.spot.sheet, one.spot.row
        if at in told:
            column = f"{one.spot.column}: " if one.spot.column else ""
            told[at].append(f"{column}{sentence(words, one)}")
    return {at: " | ".join(texts) for at, texts in told.items()}


def _fate(record: Record, outcomes: Outcomes, words: Words) -> str:
    if record.same_as is not None:
        sheet, row = record.same_as
        return say(words, "import.result.repeat", {"sheet": sheet, "row": row})
    if record.held:
        return words["import.result.held"]
    return words[f"import.result.{outcomes.get((record.sheet, record.row), 'read')}"]
