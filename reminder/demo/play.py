"""The demo as a command: in the browser with the clock running, or headless with players and a transcript."""

import asyncio
import json
import os
import time as machine
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from reminder.actions.check import violations
from reminder.clock import SystemClock
from reminder.demo.people import county
from reminder.demo.players import Players
from reminder.demo.stage import Stage, staged
from reminder.demo.transcript import lines_of
from reminder.domain.calendars import NO_OVERRIDES
from reminder.domain.errors import ReminderError
from reminder.domain.workdays import at
from reminder.settings_reading import data_dir_of

CHECKED = 7
"""Days between two checks of a headless play."""

TICK = 0.1
"""Real seconds between looks at the clock while it runs."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asked for. `as_of` None: today, or the next working day."""

    lang: str
    as_of: date | None = None
    port: int = 8080
    seed: int = 1
    keep: bool = False
    open_page: bool = False
    days: int = 30
    transcript: Path | None = None


async def play(wish: Wish, *, headless: bool, say: Say) -> int:
    """Returns the exit code: 1 when a check of the headless play found something broken."""
    if wish.lang not in {"zh", "en"}:
        raise ReminderError(f"The demo speaks zh and en, not {wish.lang!r}. Nothing was started.")
    as_of = wish.as_of or SystemClock().now().astimezone().date()
    as_of = NO_OVERRIDES.over(county()["office"]["country"]).forward(as_of)
    if headless:
        return 1 if await _headless(wish, as_of, say) else 0
    await _in_browser(wish, as_of, say)
    return 0


def _folder(name: str) -> Path:
    """The demo's own sub-folder of the data folder: it never touches an office's database."""
    return data_dir_of(os.environ) / name


async def _in_browser(wish: Wish, as_of: date, say: Say) -> None:
    """Serve the two phones until interrupted; the office's clock runs with the machine's."""
    begun = machine.monotonic()
    async with staged(
        _folder("demo"), lang=wish.lang, as_of=as_of, seed=wish.seed, port=wish.port, keep=wish.keep
    ) as stage:
        url = f"{stage.url}/?lang={wish.lang}"
        say(_HELLO[wish.lang].format(url=url, seconds=machine.monotonic() - begun))
        if wish.open_page:
            webbrowser.open(url)
        await run_clock(stage)


_HELLO = {
    "zh": "两部手机在这里：{url}\n（{seconds:.1f} 秒备好；按 Ctrl+C 结束。没有连到外面，号码都是虚构的。）",
    "en": "Two phones are waiting here: {url}\n(ready in {seconds:.1f} s; Ctrl+C ends it. Nothing leaves this machine; all numbers are fictional.)",  # noqa: E501
}


async def run_clock(stage: Stage) -> None:
    """Let the office's clock run with the machine's, at the page's speed, until cancelled."""
    last = machine.monotonic()
    coming: datetime | None = stage.clock.now()
    while True:
        await asyncio.sleep(TICK)
        now = machine.monotonic()
        elapsed, last = now - last, now
        if stage.drive.busy.locked():
            coming = stage.clock.now()  # somebody else moves the clock: look again afterwards
            continue
        target = stage.clock.now() + timedelta(seconds=elapsed * stage.speed)
        if stage.world.state()["idle"] and (coming is None or coming > target):
            stage.clock.set(target)
            continue
        await stage.drive.to(target)
        coming = await stage.drive.next_at()


async def _headless(wish: Wish, as_of: date, say: Say) -> int:
    """Play so many days with seeded players and write down what phones received.

    Every seventh day and on the last the whole database is checked; returns how many violations that found.
    """
    begun = machine.monotonic()
    async with staged(
        _folder("demo-headless"),
        lang=wish.lang,
        as_of=as_of,
        seed=wish.seed,
        port=wish.port,
        direct=True,
    ) as stage:
        players = Players(stage, wish.seed)
        zone, checks, broken = stage.rt.desk.office.zone, 0, 0
        for number in range(1, wish.days + 1):
            day = as_of + timedelta(days=number - 1)
            await players.plan_day(day)
            await stage.drive.to(at(day + timedelta(days=1), datetime.min.time(), zone))
            if number % CHECKED == 0 or number == wish.days:
                checks += 1
                broken += await _check(stage, number, say)
        found = await lines_of(stage)
    if wish.transcript is not None:
        _write(wish.transcript, found)
    took = machine.monotonic() - begun
    say(f"{wish.days} days, {len(found)} messages, {checks} checks, {broken} violations, {took:.1f} s")
    return broken


async def _check(stage: Stage, number: int, say: Say) -> int:
    """Everything `reminder check` looks at; a line for each violation, and one that it was looked at."""
    async with stage.rt.db.read() as tx:
        found = await violations(tx, stage.rt.desk)
    for violation in found:
        say(f"day {number}: {violation}")
    say(f"day {number}: checked, {len(found)} violations")
    return len(found)


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
