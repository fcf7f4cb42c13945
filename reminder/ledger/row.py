"""One row of a ledger being read: its cells, and what is put down about them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from reminder.domain.limits import Limit
from reminder.ledger import cells
from reminder.ledger.apart import FAULTY_CELL
from reminder.ledger.dates import Days
from reminder.ledger.files import Cell
from reminder.ledger.headers import Column, Layout
from reminder.ledger.lexicon import REQUIRED, Lexicon
from reminder.ledger.reading import Note, Question, Rejected, Spot, Unread
from reminder.ledger.verdicts import Ask, Unreadable
from reminder.ledger.vocabulary import Vocabulary

T = TypeVar("T")
Count = Callable[[date, Limit], date]
"""The working-day calendar: the day a limit ends that runs from a day."""
Answers = Mapping[tuple[str, int, str], str]
"""(sheet, row, column) -> the choice a person made."""


QUOTED = 40
"""Characters of a cell repeated to the person who is to mend it."""
_DIGIT = re.compile(r"\d")


def masked(text: str) -> str:
    """The last four digits stay, or two of a short number: enough to find it by, too few to ring."""
    count = len(_DIGIT.findall(text))
    hidden = iter(range(count - (4 if count > 7 else 2)))
    return _DIGIT.sub(lambda digit: "*" if next(hidden, None) is not None else digit[0], text)


@dataclass(slots=True, kw_only=True)
class Told:
    """Everything found while reading that is no record; grows row by row."""

    rejected: list[Rejected] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    first_asked: dict[tuple[str, str], Spot] = field(default_factory=dict)
    """Names are asked about once, where they stand first; the answer holds for the whole ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What every row of a sheet is read with."""

    lexicon: Lexicon
    layout: Layout
    vocabulary: Vocabulary
    days: Days
    regions: tuple[str, ...]
    answers: Answers
    count: Count | None
    told: Told


@dataclass(slots=True, kw_only=True)
class Row:
    """A row being read; `fate` is set when it is rejected, `held` when a question keeps it waiting."""

    sheet: str
    number: int
    cells: tuple[Cell, ...]
    around: Around
    held: bool = False
    fate: Rejected | None = None

    def spot(self, column: Column | None, field_name: str = "") -> Spot:
        label = column.label if column else self.around.layout.label(field_name)
        return Spot(sheet=self.sheet, row=self.number, column=label, index=column.index if column else -1)

    def columns(self, field_name: str) -> tuple[Column, ...]:
        return self.around.layout.of(field_name)

    def clear(self) -> None:
        """Empties cells that say nothing, and those of failed formulas once they are put down as unread."""
        found = list(self.cells) + [None] * (self.around.layout.width - len(self.cells))
        for column in self.around.layout.columns:
            cell = found[column.index]
            if cell is None:
                continue
            if cells.is_nothing(cell, self.around.lexicon):
                found[column.index] = None
            elif cell == FAULTY_CELL and column.field not in REQUIRED:
                self.settle(self.spot(column), cells.FAILED, str)
                found[column.index] = None
        self.cells = tuple(found)

    def cell(self, column: Column) -> Cell:
        """A cell, None where it is empty; see `clear`."""
        return self.cells[column.index]

    def first(self, field_name: str) -> tuple[Column | None, Cell]:
        columns = self.columns(field_name)
        return (columns[0], self.cell(columns[0])) if columns else (None, None)

    def settle(
        self,
        spot: Spot,
        verdict: T | Ask | Unreadable | None,
        answered: Callable[[str], T],
        *,
        required: bool = False,
    ) -> T | None:
        """The value, or None once the question, the unread cell or the rejection is put down."""
        told = self.around.told
        if isinstance(verdict, Ask):
            answer = self.around.answers.get(spot.at)
            if answer in verdict.choices:
                return answered(answer)
            told.questions.append(
                Question(spot=spot, key=verdict.key, values=verdict.values, choices=verdict.choices)
            )
            self.held = self.held or required
            return None
        if isinstance(verdict, Unreadable):
            values = {"text": self._quoted(spot), **verdict.values}
            if required:
                self.fate = Rejected(spot=spot, key=verdict.key, values=values)
            else:
                told.unread.append(Unread(spot=spot, key=verdict.key, values=values))
            return None
        return verdict

    def _quoted(self, spot: Spot) -> str:
        """What the cell says, short; of a telephone number, the end only."""
        text = cells.words(self.cells[spot.index])[:QUOTED] if 0 <= spot.index < len(self.cells) else ""
        field_name = next((c.field for c in self.around.layout.columns if c.index == spot.index), "")
        return masked(text) if field_name in {"phones", "party"} else text

    def note(self, spot: Spot, key: str, **values: object) -> None:
        self.around.told.notes.append(Note(spot=spot, key=key, values=values))
