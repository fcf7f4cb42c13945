"""Which values stand in for real ones when a template is previewed or measured?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reminder.domain.errors import Fault, Faulty
from reminder.domain.toml_tables import read_toml

_TABLES = {"signature", "sample", "longest", "of"}


@dataclass(frozen=True, slots=True)
class Samples:
    """By language: a signature, ordinary values, the longest ones, and what differs for a kind."""

    _languages: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, folder: Path, *overlays: Path) -> "Samples":
        """Read messages/samples.toml of a folder, then those an office put over it. Raises Faulty."""
        faults: list[Fault] = []
        languages: dict[str, dict[str, Any]] = {}
        for layer in (folder, *overlays):
            path = layer / "messages" / "samples.toml"
            if layer is folder or path.exists():
                for lang, tables in _read(
                    path, f"{layer.resolve().name}/messages/samples.toml", faults
                ).items():
                    languages[lang] = _over(languages.get(lang, {}), tables)
        if faults:
            raise Faulty(faults)
        return cls(languages)

    def signature(self, lang: str) -> str:
        return str(self._languages.get(lang, {}).get("signature", ""))

    def ordinary(self, kind: str, lang: str) -> Mapping[str, str]:
        """Values as they usually are."""
        tables = self._languages.get(lang, {})
        return {**tables.get("sample", {}), **tables.get("of", {}).get(kind, {})}

    def longest(self, kind: str, lang: str) -> Mapping[str, str]:
        """Values as long as they realistically get."""
        return {**self.ordinary(kind, lang), **self._languages.get(lang, {}).get("longest", {})}


def _read(path: Path, place: str, faults: list[Fault]) -> Mapping[str, Any]:
    try:
        source = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        remedy = "Put the file back and save it as UTF-8."
        faults.append(Fault(place=place, what="There are no readable samples.", remedy=remedy))
        return {}
    if (table := read_toml(place, source, faults)) is None:
        return {}
    for lang, tables in table.values.items():
        if not _is_sound(tables):
            remedy = "Give it signature, sample, longest and of, each value a text in quotes."
            table.fault(f"{lang} is not a set of samples.", remedy, lang)
    return table.values if not faults else {}


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _is_sound(tables: object) -> bool:
    if not isinstance(tables, dict) or not set(tables) <= _TABLES:
        return False
    of = tables.get("of", {})
    if not isinstance(of, dict) or not isinstance(tables.get("signature", ""), str):
        return False
    flat = [tables.get("sample", {}), tables.get("longest", {}), *of.values()]
    return all(isinstance(t, dict) and all(isinstance(v, str) for v in t.values()) for t in flat)
