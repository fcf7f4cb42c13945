"""What can come of a cell besides its value: a question, or that it cannot be read."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question only a person can answer; `key` and `values` make its sentence, one choice is its answer."""

    key: str
    choices: tuple[str, ...]
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why a cell cannot be read, as a key of the words catalogue."""

    key: str
    values: dict[str, object] = field(default_factory=dict)
