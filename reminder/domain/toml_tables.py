"""How is a TOML file that people edit read, so that every fault is told at once with its line and remedy?"""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import time

from reminder.domain.errors import Fault
from reminder.domain.limits import Limit
from reminder.domain.toml_lines import Lines, Path

_HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d"
_HOURS = re.compile(rf"({_HOUR})\s*-\s*({_HOUR})")


def read_toml(name: str, text: str, faults: list[Fault]) -> "Table | None":
    """The top of the file, or None with one fault added when it is not TOML at all."""
    text = text.removeprefix("\ufeff")  # editors on Windows put it there unasked
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = re.search(r"\s*\(at line (\d+), column \d+\)", str(error))
        line = found[1] if found else str(text.count("\n") + 1)
        told = str(error).replace(found[0], "") if found else str(error)
        remedy = "Look at this line and the one above for a missing quote, bracket or comma."
        faults.append(Fault(place=f"{name}:{line}", what=f"This is not valid TOML: {told}.", remedy=remedy))
        return None
    return Table(name=name, values=values, lines=Lines(text), faults=faults)


def nearest(word: str, known: Collection[str]) -> str:
    """A remedy: the likeliest name meant, else all that are known."""
    names = sorted(str(name) for name in known)
    if close := difflib.get_close_matches(word, names, n=1, cutoff=0.6):
        return f"Did you mean {close[0]!r}?"
    return f"Use one of: {', '.join(names)}." if names else "Nothing is known here; take it out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a file. A getter that meets a fault notes it and answers as if the key were absent."""

    name: str
    values: Mapping[str, object]
    lines: Mapping[Path, int]
    faults: list[Fault]
    path: Path = ()

    def fault(self, what: str, remedy: str, *at: str | int) -> None:
        """Note a fault at the line of `at`, a path below this table, or of what surrounds it."""
        path = (*self.path, *at)
        while path and path not in self.lines:
            path = path[:-1]
        place = f"{self.name}:{self.lines.get(path, 1)}"
        self.faults.append(Fault(place=place, what=what, remedy=remedy))

    def only(self, known: Collection[str]) -> None:
        for key in self.values:
            if key not in known:
                self.fault(f"Nothing is called {key!r} here.", nearest(key, known), key)

    def require(self, keys: Collection[str]) -> None:
        for key in keys:
            if key not in self.values:
                self.fault(f"{key!r} is missing.", f"Add {key} = ... here.")

    def text(self, key: str) -> str:
        value = self.values.get(key, "")
        if isinstance(value, str) and (value.strip() or key not in self.values):
            return value.strip()
        self.fault(f"{key!r} is not a text.", f'Write {key} = "..." with something between the quotes.', key)
        return ""

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.fault(f"{key!r} is neither true nor false.", f"Write {key} = true or leave it out.", key)
            return False
        return value

    def texts(self, key: str) -> list[str] | None:
        """A list of texts; None when absent. A faulty item is an empty text, so positions stay true."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fault(f"{key!r} is not a list.", f'Write {key} = ["...", "..."].', key)
            return None
        for index, item in enumerate(value):
            if not isinstance(item, str) or not item.strip():
                remedy = "Put it in quotes, or take it out if it is empty."
                self.fault(f"An item of {key!r} is not a text.", remedy, key, index)
        return [item.strip() if isinstance(item, str) else "" for item in value]

    def one_of(self, key: str, known: Collection[str]) -> str:
        """One of the known names; "" when absent or faulty."""
        value = self.text(key)
        if value and value not in known:
            self.fault(f"{value!r} is not a {key} we know.", nearest(value, known), key)
            return ""
        return value

    def many_of(self, key: str, known: Collection[str]) -> tuple[str, ...] | None:
        """Names out of those known; None when absent."""
        values = self.texts(key)
        for index, value in enumerate(values or ()):
            if value and value not in known:
                self.fault(f"{value!r} in {key!r} is not a name we know.", nearest(value, known), key, index)
        return None if values is None else tuple(value for value in values if value in known)

    def words(self, key: str, languages: Sequence[str]) -> dict[str, str]:
        """The same words in every language asked for."""
        found: dict[str, str] = {}
        if key not in self.values or (table := self.table(key)) is None:
            return found
        table.only(languages)
        for language in languages:
            if language not in table.values:
                remedy = f'Add {language} = "..." to {key}.'
                table.fault(f"The words of {key!r} are missing in {language}.", remedy)
            elif text := table.text(language):
                found[language] = text
        return found

    def limit(self, key: str) -> Limit | None:
        if not (text := self.text(key)):
            return None
        try:
            return Limit.parse(text)
        except ValueError:
            remedy = "Write a number and a unit: '60 cal', '5 wd', '24 h', '30 min' or '12 month'."
            self.fault(f"{key} = {text!r} is not a limit.", remedy, key)
            return None

    def hours(self, key: str) -> tuple[time, time] | None:
        """A span within one day such as "09:00-11:00"."""
        if not (text := self.text(key)):
            return None
        found = _HOURS.fullmatch(text)
        if found and found[1] < found[2]:
            return time.fromisoformat(found[1]), time.fromisoformat(found[2])
        remedy = "Write from and to within one day, such as '09:00-11:00'."
        self.fault(f"{key} = {text!r} is not a span of hours.", remedy, key)
        return None

    def table(self, key: str) -> "Table | None":
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.fault(f"{key!r} is not a table.", f"Write [{key}] and its keys below it.", key)
            return None
        return self._below(value, key)

    def tables(self, key: str) -> list["Table"]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(f"{key!r} is not a list of tables.", f"Write [[{key}]] above each one.", key)
            return []
        return [self._below(item, key, index) for index, item in enumerate(value)]

    def _below(self, values: Mapping[str, object], *path: str | int) -> "Table":
        return Table(
            name=self.name, values=values, lines=self.lines, faults=self.faults, path=(*self.path, *path)
        )
