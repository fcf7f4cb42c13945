"""What Prometheus reads: meters of this process and counts of the database, nobody's name or number."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reminder.actions import health, holding
from reminder.domain.breakers import Position
from reminder.runtime import Runtime
from reminder.store import overview

SPAN = timedelta(days=1)
_POSITIONS = {Position.CLOSED: 0, Position.TRYING: 1, Position.OPEN: 2}


def metrics(rt: Runtime) -> Starlette:
    """Served on this machine's own address only, apart from the public port."""

    async def read(_request: Request) -> Response:
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

        registry = CollectorRegistry()
        registry.register(_Snapshot([*_of_process(rt), *await _of_database(rt)]))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(routes=[Route("/metrics", read)])


class _Snapshot:
    """A registry's collector over families that are complete."""

    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> Iterator[Any]:
        yield from self._families


def _of_process(rt: Runtime) -> Iterator[Any]:
    meters = rt.meters
    yield _counter("calls", "Calls to providers", meters.calls, "channel", "outcome")
    yield _counter("call_seconds", "Seconds spent in them", meters.call_seconds, "channel")
    yield _counter("ticks", "Runs of jobs", meters.ticks, "job", "outcome")
    breakers = {name: _POSITIONS[v.breaker.position(rt.clock.now())] for name, v in rt.valves.items()}
    yield _gauge("breaker", "0 closed, 1 tried with one message, 2 open", breakers, "channel")
    yield _counter("tick_seconds", "Seconds spent in them", meters.tick_seconds, "job")


async def _of_database(rt: Runtime) -> list[Any]:
    now = rt.clock.now()
    found = await health.look(rt.db, now, rt.desk.instance, rt.stopped())
    async with rt.db.read() as tx:
        held = await holding.held(tx) is not None
        states = await overview.counts(tx, now - SPAN)
        waiting, dead = await overview.letters(tx, "received"), await overview.letters(tx, "dead")
        under_way = len(await overview.cases_under_way(tx))
    return [
        _gauge("reminders_day", "Reminders that fell due within a day", states, "channel", "state"),
        _gauge("lag_seconds", "How long the oldest work has been waiting", {(): found.lag.total_seconds()}),
        _gauge("ready", "1 while the office keeps up", {(): float(found.ready)}),
        _gauge("held", "1 while everything is held until a person answers", {(): float(held)}),
        _gauge("letters", "What came in, by state", {("waiting",): waiting, ("dead",): dead}, "state"),
        _gauge("cases_under_way", "Cases that have not ended", {(): under_way}),
    ]


def _counter(name: str, words: str, values: Any, *labels: str) -> Any:
    from prometheus_client.core import CounterMetricFamily

    return _filled(CounterMetricFamily(f"reminder_{name}", words, labels=labels), values)


def _gauge(name: str, words: str, values: Any, *labels: str) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    return _filled(GaugeMetricFamily(f"reminder_{name}", words, labels=labels), values)


def _filled(family: Any, values: Any) -> Any:
    for key, value in sorted(values.items()):
        family.add_metric([key] if isinstance(key, str) else list(key), float(value))
    return family
