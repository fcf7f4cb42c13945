"""What may leave the house at all: is this the office's own copy, is it live, is something stopped?"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

ALL = "all"
"""Stops everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """As they stand in the database. `stopped` names a channel, `unit:5` or `all`, each with why.

    In test mode (not `live`) texts go only to `members`, blind indexes of numbers of the team. `instance` is
    the machine that may send; a copy of the database elsewhere is not armed.
    """

    live: bool = True
    members: tuple[str, ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    instance: str = ""

    def armed(self, instance: str) -> bool:
        """Whether that machine may send. Without a name of its own nobody asks: a play, or a test."""
        return not instance or instance == self.instance

    def holds(self, channel: str) -> bool:
        return bool({ALL, channel} & set(self.stopped))

    def holds_unit(self, unit_ids: Iterable[int]) -> bool:
        """Whether one of the units, from the nearest up, is stopped."""
        return any(unit_name(unit_id) in self.stopped for unit_id in unit_ids)

    def stop(self, name: str, why: str) -> "Switches":
        return replace(self, stopped={**self.stopped, name: why})

    def go(self, name: str) -> "Switches":
        return replace(self, stopped={key: why for key, why in self.stopped.items() if key != name})


def unit_name(unit_id: int) -> str:
    return f"unit:{unit_id}"


def written(switches: Switches) -> str:
    return json.dumps(asdict(switches), ensure_ascii=False, sort_keys=True)


def read(text: str | None) -> Switches:
    """A database that says nothing is one that nobody has restrained."""
    if not text:
        return Switches()
    said = json.loads(text)
    return Switches(**{**said, "members": tuple(said["members"])})
