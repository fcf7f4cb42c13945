"""Which request, message or callback goes wrong next, and how?"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    REFUSE = "refuse"
    """A definite error before any effect: `status`, `code`, `description`."""
    BLOCKED = "blocked"
    """Telegram only: 403, as if the person had blocked the bot."""
    FLOOD = "flood"
    """429 before any effect, with `retry_after` seconds."""
    FAIL = "fail"
    """No effect, and no clear answer: see `how`."""
    LOSE = "lose"
    """The message arrives, its answer does not: see `how`."""
    TWICE = "twice"
    """The message arrives twice; one clean answer."""
    DELAY = "delay"
    """`ms` of real time before anything happens."""
    UNDELIVER = "undeliver"
    """SMS only: accepted, then the final `status` (undelivered, failed) with error `code`."""
    LOSE_CALLBACK = "lose_callback"
    REPEAT_CALLBACK = "repeat_callback"


REQUEST = frozenset({Kind.REFUSE, Kind.BLOCKED, Kind.FLOOD, Kind.FAIL, Kind.LOSE, Kind.TWICE})
HOW = ("drop", "500", "502", "hang", "garbage")
EFFECTS = {
    "telegram": frozenset({"sendmessage", "editmessagetext", "senddocument", "sendphoto"}),
    "sms": frozenset({"create"}),
}
_DEFAULTS: dict[str, Any] = {
    "times": None,
    "probability": None,
    "on": None,
    "to": None,
    "status": None,
    "code": None,
    "description": None,
    "how": "drop",
    "ms": 500,
    "retry_after": 5,
}


class ChaosError(ValueError):
    """A fault that cannot be planned, in one sentence."""


@dataclass(slots=True, kw_only=True)
class Fault:
    channel: str
    kind: Kind
    times: int | None
    probability: float | None
    on: frozenset[str]
    """Methods it strikes, lower case: Bot API names; `create`, `list`, `fetch` for SMS."""
    to: str | None
    status: Any
    code: int | None
    description: str | None
    how: str
    ms: int
    retry_after: int


class Chaos:
    """Faults asked for and not yet spent; dice are seeded."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - faults must repeat for the same seed
        self.faults: list[Fault] = []
        self.fired: Counter[str] = Counter()

    def plan(self, wish: Mapping[str, Any]) -> Fault:
        """Add one fault; without `times` and `probability` it strikes once. Raises ChaosError."""
        unknown = set(wish) - set(_DEFAULTS) - {"channel", "kind"}
        if unknown:
            raise ChaosError(f"unknown fields: {', '.join(sorted(unknown))}")
        channel, kind = wish.get("channel"), wish.get("kind")
        if channel not in EFFECTS:
            raise ChaosError("channel must be telegram or sms")
        if kind not in set(Kind):
            raise ChaosError(f"kind must be one of {', '.join(Kind)}")
        fields = {**_DEFAULTS, **wish, "kind": Kind(kind)}
        if fields["how"] not in HOW:
            raise ChaosError(f"how must be one of {', '.join(HOW)}")
        if fields["times"] is None and fields["probability"] is None:
            fields["times"] = 1
        _check_numbers(fields)
        on = fields["on"]
        fields["on"] = EFFECTS[channel] if on is None else frozenset(name.lower() for name in on)
        fault = Fault(**fields)
        self.faults.append(fault)
        return fault

    def strike(self, channel: str, kinds: frozenset[Kind], *, method: str, to: str | None) -> Fault | None:
        """The first planned fault that meets this moment, spending one of its times."""
        for fault in self.faults:
            if fault.channel == channel and fault.kind in kinds and self._meets(fault, method, to):
                self._spend(fault)
                return fault
        return None

    def _meets(self, fault: Fault, method: str, to: str | None) -> bool:
        if method.lower() not in fault.on or (fault.to is not None and str(fault.to) != to):
            return False
        return fault.probability is None or self._dice.random() < fault.probability

    def _spend(self, fault: Fault) -> None:
        self.fired[f"{fault.channel}.{fault.kind}"] += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)


def _check_numbers(fields: Mapping[str, Any]) -> None:
    for name in ("times", "ms", "retry_after", "code"):
        value = fields[name]
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise ChaosError(f"{name} must be a whole number, 0 or more")
    chance = fields["probability"]
    if chance is not None and not (isinstance(chance, int | float) and 0 <= chance <= 1):
        raise ChaosError("probability must be between 0 and 1")
    if fields["on"] is not None and not isinstance(fields["on"], list):
        raise ChaosError("on must be a list of method names")
