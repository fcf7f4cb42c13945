"""Which unit, person, village or category of the office does a word of the ledger mean?"""

import unicodedata
from collections.abc import Mapping
from functools import cached_property

from rapidfuzz import fuzz, process

from reminder.ledger.lexicon import plain
from reminder.ledger.reading import Known
from reminder.ledger.verdicts import Ask

AS_WRITTEN = "as_written"
"""The choice that leaves a name as the ledger has it."""
_ALIKE = 60
_SHOWN = 3


class Vocabulary:
    """Looks names up; remembers what it compared, for a ledger repeats its words thousands of times."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._compared: dict[tuple[str, str], str | Ask | None] = {}

    @cached_property
    def _units(self) -> Mapping[str, str]:
        spelled = {plain(word): name for word, name in self._known.units.items()}
        return spelled | {plain(name): name for name in self._known.units.values()}

    @cached_property
    def _staff(self) -> Mapping[str, str]:
        return {plain(name): name for name in self._known.staff}

    @cached_property
    def _categories(self) -> Mapping[str, str]:
        return {plain(word): code for word, code in self._known.categories.items()}

    def unit(self, text: str) -> str | Ask | None:
        """Its name, a question among names like it, or None if nothing is like it."""
        return self._match("unit", text, self._units)

    def person(self, text: str) -> str | Ask | None:
        """As `unit`, for a member of staff."""
        return self._match("handler", text, self._staff)

    def category(self, text: str) -> str | None:
        """Its code, None if the table does not have it; without a table the word itself."""
        return self._categories.get(plain(text)) if self._categories else text

    def village(self, place: str) -> str:
        """The one village a place names (the longest name; its township where two share it), else ""."""
        text = unicodedata.normalize("NFKC", place)
        # Without the townships: 石门乡半岭村 does not name the village 石门.
        villages = text
        for town in {town for town, _ in self._known.villages if town}:
            villages = villages.replace(town, " ")
        named = [(town, name) for town, name in self._known.villages if name and name in villages]
        longest = max((len(name) for _, name in named), default=0)
        named = [(town, name) for town, name in named if len(name) == longest]
        if len(named) > 1:
            named = [(town, name) for town, name in named if town and town in text]
        return named[0][1] if len(named) == 1 else ""

    def _match(self, kind: str, text: str, names: Mapping[str, str]) -> str | Ask | None:
        if not names or not text:
            return text or None
        if (kind, text) not in self._compared:
            self._compared[kind, text] = _likeness(kind, text, names)
        return self._compared[kind, text]


def _likeness(kind: str, text: str, names: Mapping[str, str]) -> str | Ask | None:
    if (name := names.get(plain(text))) is not None:
        return name
    alike = process.extract(plain(text), list(names), scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_SHOWN)
    if not alike:
        return None
    choices = dict.fromkeys(names[spelling] for spelling, _, _ in alike)
    return Ask(key=f"import.ask.{kind}", choices=(*choices, AS_WRITTEN), values={"text": text[:60]})
