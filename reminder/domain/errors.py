"""What can be refused, and how it is said: one tree of expected errors.

ReminderError
├── Refused        a rule says no; carries a key of the words catalogue and its values
│   ├── NotFound   also the answer to "not allowed to see it", so nothing leaks
│   └── Stale      somebody else was faster; look again
└── Faulty         a file or setting is malformed; carries every fault at once
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ReminderError(Exception):
    """Base of every error this program expects."""


class Refused(ReminderError):
    """A sentence fit for a chat: `key` names it in the words catalogue, `values` fill it."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class NotFound(Refused):
    """No such thing, or none that this person may see."""


class Stale(Refused):
    """The row was not in the state we read; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in something a person wrote."""

    place: str
    """File and line, environment variable, or sheet and cell."""
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what} {self.remedy}"


class Faulty(ReminderError):
    """Every fault of one reading, so that one round of mending is enough."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)
