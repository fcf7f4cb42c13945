"""Two layouts that do the same with the same messages, what a message says, and what it cost."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bench import split
from bench.planning import START
from bench.stage import provider_id
from bench.waiting import TEXTS
from reminder.actions.deliveries import LEASE
from reminder.domain.reminders import State
from reminder.store import departures, holds, reminders
from reminder.store.database import Tx
from reminder.store.departures import Departure

CASES, ENTRIES = 20_000, 5
NOW = START + timedelta(days=40)


@dataclass(frozen=True, kw_only=True)
class Order:
    """How the `n`-th row's moment and entry follow from `n`; `gone`: what was written before has left."""

    called: str
    gone: bool
    due: Callable[[int], datetime]
    entry: Callable[[int], int]


ORDERS = (
    Order(
        called="as they fall due",
        gone=True,
        due=lambda n: START + n * timedelta(seconds=1),
        entry=lambda n: n * 7919 % (CASES * ENTRIES),
    ),
    Order(
        called="in any order",
        gone=False,
        due=lambda n: START + n * 7919 % 2_000_003 * timedelta(seconds=1),
        entry=lambda n: n // 3 % (CASES * ENTRIES),  # a case's lie together
    ),
)


def row_of(order: Order, n: int) -> dict[str, Any]:
    entry, due = order.entry(n), order.due(n)
    case = 1 + entry // ENTRIES
    key = f"{entry + 1}/1/step-{n}/resident:{case}/sms"
    about = {"key": key, "entry_id": entry + 1, "case_id": case, "revision": 1, "step": f"step-{n}"}
    whom = {"resident_id": case, "phone_id": case, "channel": "sms", "kind": "received"}
    when = {"due_at": due, "send_after": due, "useless_at": due + timedelta(days=3)}
    return about | whom | when | {"state": State.PLANNED.value, "repeated": False}


# Two layouts


class Layout(Protocol):
    called: str

    async def add_all(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None: ...

    async def ready(self, tx: Tx, limit: int, since: datetime) -> tuple[datetime, list[Any]]:
        """When the first of them might go, and all of them."""

    async def leave(self, tx: Tx, leaving: Sequence[Departure]) -> None: ...

    async def taken_on(self, tx: Tx, gone: Sequence[Departure], spent: "Spent") -> None: ...


class Ours:
    called = "ours"

    async def add_all(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
        await reminders.add_all(tx, rows)

    async def ready(self, tx: Tx, limit: int, since: datetime) -> tuple[datetime, list[Any]]:
        found = await holds.ready(tx, NOW, limit, TEXTS, since=since)
        return found[0].send_after, found

    async def leave(self, tx: Tx, leaving: Sequence[Departure]) -> None:
        await departures.leave(tx, leaving, now=NOW, lease_until=NOW + LEASE)

    async def taken_on(self, tx: Tx, gone: Sequence[Departure], spent: "Spent") -> None:
        with spent.on(LOOK):
            waiting = await departures.under_way(tx, [one.token for one in gone])
        assert len(waiting) == len(gone)
        await departures.taken_on(tx, {one: provider_id(one.token) for one in waiting}, now=NOW)


LOOK = "the look at what is under way"


class Split:
    called = "split"

    def __init__(self) -> None:
        self._claims = split.Claims()

    async def add_all(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
        await split.add_all(tx, rows)

    async def ready(self, tx: Tx, limit: int, since: datetime) -> tuple[datetime, list[Any]]:
        when = {"now": NOW, "since": since, "lease_until": NOW + LEASE}
        return await self._claims.ready(tx, limit, TEXTS.channel.value, **when)

    async def leave(self, tx: Tx, leaving: Sequence[Departure]) -> None:
        await self._claims.leave(tx, leaving, now=NOW)

    async def taken_on(self, tx: Tx, gone: Sequence[Departure], spent: "Spent") -> None:  # noqa: ARG002
        await self._claims.taken_on(tx, gone, now=NOW)


@dataclass(kw_only=True)
class Spent:
    """Microseconds, waited and of our CPU, and bytes written, of each phase of a round; for one message."""

    n: int
    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    wrote: dict[str, float] = field(default_factory=dict)
    server: float = 0.0

    @contextmanager
    def on(self, phase: str) -> Iterator[None]:
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.wall[phase] = self.wall.get(phase, 0) + wall / self.n * 1e6
        self.cpu[phase] = self.cpu.get(phase, 0) + cpu / self.n * 1e6
