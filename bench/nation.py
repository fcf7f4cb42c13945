"""One working day of a province on paper: how late do messages leave, and how much of what is needed?

    python -m bench.nation [--cases 10000000] [--tokens 400] [--workers 4] [--cpu 2.0]

A fluid queue in steps of one second: what falls due, by a profile of the day, against what tokens, senders
and workers let through. Rates per open case and day are those of the demo county's 400 days (`make year`);
CPU per message is measured by bench/firing.py and bench/sending.py. Nothing here sends anything.
"""

import argparse
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

SECONDS = 24 * 3600
HANDLED = 10
"""Open cases for each day's list of a cadre: 3,333 lists on 275 working days of 117 cases."""

PUSHES = 0.106
"""Staff messages besides the day's list, for each open case and day: 4,939 in 400 days of 117 cases."""

TEXTS = 0.034
"""Texts to residents for each open case and day: 1,593 in the same 400 days."""

TOKEN_RATE = 27.0
"""Messages a second that one bot may send (core.telegram.org/bots/faq)."""

SENDER_RATE = 1.0
"""Texts a second of one long number (Twilio); a short code or a pool carries more."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Messages of one kind over a day: how many, when they fall due, and how many a second may leave."""

    name: str
    total: float
    peaks: tuple[tuple[int, int, float], ...]
    """From, to (seconds of the day) and share of the total; within a span they come evenly."""
    rate: float

    def arrivals(self) -> Iterator[float]:
        for second in range(SECONDS):
            yield sum(
                self.total * share / (end - start)
                for start, end, share in self.peaks
                if start <= second < end
            )


def clock(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def streams(cases: float, tokens: float, senders: float, spread: int) -> list[Stream]:
    """Digests fall due at 08:10, spread over so many minutes; the others over working and texting hours."""
    morning, work = clock("08:10"), (clock("08:30"), clock("17:30"))
    lists = (morning, morning + max(spread, 1) * 60, 1.0)
    texts = ((clock("08:00"), clock("08:30"), 0.35), (clock("08:30"), clock("20:00"), 0.65))
    return [
        Stream(name="day's lists", total=cases / HANDLED, peaks=(lists,), rate=tokens * TOKEN_RATE),
        Stream(name="pushes", total=cases * PUSHES, peaks=((*work, 1.0),), rate=tokens * TOKEN_RATE),
        Stream(name="texts", total=cases * TEXTS, peaks=texts, rate=senders * SENDER_RATE),
    ]


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """Seconds."""

    middle: float
    most: float


def lateness(arrivals: list[float], rate: float) -> Lateness:
    """How long each message waits: the first come leaves first, so many a second."""
    backlog, waits = 0.0, []
    for arriving in arrivals:
        backlog = max(backlog + arriving - rate, 0.0)
        if arriving:
            waits.append((backlog / rate, arriving))
    waits.sort()
    seen, half = itertools.accumulate(n for _, n in waits), sum(n for _, n in waits) / 2
    middle = next((late for (late, _), so_far in zip(waits, seen, strict=True) if so_far >= half), 0.0)
    return Lateness(middle=middle, most=waits[-1][0] if waits else 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.nation", description=__doc__)
    add = functools.partial(parser.add_argument, type=int)
    add("--cases", default=10_000_000, help="open cases")
    add("--tokens", default=400, help="bots: one for each county and large town")
    add("--senders", default=400, help="sending numbers, shared out like the bots")
    add("--largest", default=8, help="how many times the average the largest office is")
    add("--spread", default=20, help="minutes over which the day's lists fall due")
    add("--workers", default=4, help="processes with a core each")
    parser.add_argument("--cpu", type=float, default=2.0, help="milliseconds of CPU for one message")
    asked = parser.parse_args()
    print(f"{asked.cases:,} open cases, {asked.tokens} bots, {asked.senders} numbers")
    for name, size in (("average", 1), ("largest", asked.largest)):
        for stream in streams(
            size * asked.cases / asked.tokens, 1, asked.senders / asked.tokens, asked.spread
        ):
            tell(f"{name} office, {stream.name}", list(stream.arrivals()), stream.rate)
    whole = streams(asked.cases, asked.tokens, asked.senders, asked.spread)
    peaks = [sum(second) for second in zip(*(stream.arrivals() for stream in whole), strict=True)]
    tell(f"{asked.workers} workers, {asked.cpu} ms each", peaks, asked.workers * 1000 / asked.cpu)
    cores, few = max(peaks) * asked.cpu / 1000, enough(peaks, asked.cpu)
    print(f"nothing waits with {cores:,.1f} cores, nothing longer than ten minutes with {few:,}")


def tell(name: str, arriving: list[float], rate: float) -> None:
    by = lateness(arriving, rate)
    print(f"{name:28} {sum(arriving):10,.0f} a day, peak {max(arriving):7,.1f}/s of {rate:7,.1f}/s:"
          f" late {by.middle:5,.0f} s in the middle, {by.most:6,.0f} s at most")  # fmt: skip


def enough(arrivals: list[float], cpu: float, most: float = 600.0) -> int:
    """The fewest workers with which nothing waits longer than so many seconds."""
    low, high = 1, 1 + int(max(arrivals) * cpu / 1000)
    while low < high:
        some = (low + high) // 2
        if lateness(arrivals, some * 1000 / cpu).most <= most:
            high = some
        else:
            low = some + 1
    return low


if __name__ == "__main__":
    main()
