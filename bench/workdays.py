"""How much faster is planning by table than by asking a holiday library day by day?

Run: python -m bench.workdays
One plan is 12 working-day limits with four working-day offsets each: the arithmetic of one case, no clock.
Each pair times our calendar and one loop right after each other; printed is the median of the pairs' ratios.
Every answer is compared first: a loop that counts differently would make the ratio worthless.
"""

import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from time import perf_counter

import chinese_calendar
import holidays

from reminder.domain.deadlines import deadline
from reminder.domain.limits import Limit, Unit
from reminder.domain.workdays import WorkCalendar

LIMITS = (1, 3, 5, 5, 10, 10, 15, 15, 20, 30, 40, 60)
OFFSETS = (-5, -2, 1, 3)
ANCHORS = tuple(date(2024, 1, 2) + timedelta(days=13 * n) for n in range(50))
PAIRS = 7
ONE_DAY = timedelta(days=1)

Plan = Callable[[date], list[date]]


def by_table(calendar: WorkCalendar) -> Plan:
    """Through the public methods, as a replan calls them."""
    add = calendar.add_working

    def plan(anchor: date) -> list[date]:
        ends = [add(anchor, limit) for limit in LIMITS]
        return [add(end, offset) for end in ends for offset in OFFSETS]

    return plan


def by_deadline(calendar: WorkCalendar) -> Plan:
    """The same with a whole `Due` for every limit: nominal, effective, promise, provisional."""
    add = calendar.add_working
    limits = [Limit(amount, Unit.WD) for amount in LIMITS]

    def plan(anchor: date) -> list[date]:
        ends = [deadline(anchor, limit, calendar).effective for limit in limits]
        return [add(end, offset) for end in ends for offset in OFFSETS]

    return plan


def by_loop(is_working: Callable[[date], bool]) -> Plan:
    """One day at a time, asking the library about each."""

    def nth(day: date, n: int) -> date:
        step = ONE_DAY if n > 0 else -ONE_DAY
        left = abs(n)
        while left:
            day += step
            left -= is_working(day)
        return day

    def plan(anchor: date) -> list[date]:
        ends = [nth(anchor, limit) for limit in LIMITS]
        return [nth(end, offset) for end in ends for offset in OFFSETS]

    return plan


def seconds_each(plan: Plan, anchors: tuple[date, ...], rounds: int) -> float:
    start = perf_counter()
    for _ in range(rounds):
        for anchor in anchors:
            plan(anchor)
    return (perf_counter() - start) / (rounds * len(anchors))


def pairs(ours: Plan, theirs: Plan, anchors: tuple[date, ...]) -> Iterator[tuple[float, float]]:
    for anchor in anchors:
        if ours(anchor) != theirs(anchor):
            sys.exit(f"the two disagree for {anchor}: nothing to compare")
    for _ in range(PAIRS):
        yield seconds_each(ours, anchors, 20), seconds_each(theirs, anchors, 1)


def compare(name: str, ours: Plan, theirs: Plan, goal: int) -> None:
    times = list(pairs(ours, theirs, ANCHORS))
    ratio = statistics.median(slow / fast for fast, slow in times)
    fast, slow = (1e6 * statistics.median(column) for column in zip(*times, strict=True))
    met = "" if not goal else f"goal {goal}x: {'met' if ratio >= goal else 'MISSED'}"
    print(f"{name:44} {fast:9.1f} {slow:11.1f} {ratio:9.0f}x  {met}")


def main() -> None:
    known = {
        code: holidays.country_holidays(code, subdiv=part, years=range(2023, 2028), expand=False)
        for code, part in (("CN", None), ("GB", "ENG"))
    }
    cn, england = WorkCalendar(), WorkCalendar(code="GB-ENG")
    print(f"{'one plan: 12 limits x 4 offsets':44} {'ours us':>9} {'theirs us':>11} {'ratio':>10}")
    table = by_table(cn)
    compare("CN, holidays loop", table, by_loop(known["CN"].is_working_day), 50)
    compare("GB-ENG, holidays loop", by_table(england), by_loop(known["GB"].is_working_day), 50)
    compare("CN, chinesecalendar loop", table, by_loop(chinese_calendar.is_workday), 500)
    whole = by_deadline(cn)
    compare("CN with whole Due values, holidays loop", whole, by_loop(known["CN"].is_working_day), 0)
    compare("CN with whole Due values, chinesecalendar", whole, by_loop(chinese_calendar.is_workday), 0)


if __name__ == "__main__":
    main()
