"""What is a measured row, where is it kept, and how is it shown?"""

import json
import math
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "pictures" / "performance.svg"
PEERS = Path(os.environ.get("REMINDER_BENCH_PEERS", ROOT / ".venv" / "bench"))
"""Where `make bench` puts the libraries that only the measurements need."""

LIBRARIES = (
    "sqlalchemy", "aiosqlite", "psycopg", "apscheduler", "python-telegram-bot", "procrastinate", "pgqueuer",
    "asyncpg", "celery", "chinesecalendar", "aiohttp", "httpx", "twilio", "openpyxl",
)  # fmt: skip
SEED = 1


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure, and beside it what it is measured against.

    `ratio` is how many times the yardstick ours is, `goal` what it should be: at least that, or at most if
    `less`. Without a yardstick `ratio` is None and the figure itself is held against the goal.
    """

    work: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    limit: float | None = None
    """What the raw driver does with the same rows."""
    goal: float | None = None
    less: bool = False
    note: str = ""
    seed: int = SEED

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def reached(self) -> bool | None:
        """None: there is no goal, or no yardstick was to be had."""
        found = self.ratio if self.peer else self.ours
        if self.goal is None or found is None:
            return None
        return found <= self.goal if self.less else found >= self.goal

    @property
    def verdict(self) -> str:
        return {True: "reached", False: "missed", None: "—"}[self.reached]

    def whole(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "reached": self.reached}


def versions() -> dict[str, str]:
    from tests import postgres  # the programs we start need it not, and are to start soon

    found = {"python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    if server := postgres.number():
        found["PostgreSQL"] = server
    path = [*sys.path, str(PEERS)]
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name) if name not in _AWAY else _away(name, path)
    return found


_AWAY = {"procrastinate", "pgqueuer", "asyncpg", "celery"}


def _away(name: str, path: list[str]) -> str:
    from importlib.metadata import distributions

    for one in distributions(name=name, path=path):
        return one.version
    raise PackageNotFoundError(name)


def machine() -> str:
    """The machine in a line; how busy it is belongs to it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = "/".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, load {load}"


def said(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def keep(name: str, rows: Sequence[Row], about: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(about | {"rows": [row.whole() for row in rows]}, ensure_ascii=False, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def kept() -> dict[str, dict[str, Any]]:
    """What every bench found when it last ran, by its name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))}


def row_of(held: dict[str, Any]) -> Row:
    return Row(**{name: held[name] for name in Row.__dataclass_fields__})


def line(row: Row) -> str:
    goal = "—" if row.goal is None else f"{'≤' if row.less else '≥'} {row.goal:g}{'×' if row.peer else ''}"
    against = f"{row.peer}: {said(row.theirs)}" if row.peer else "—"
    ratio = "—" if row.ratio is None else f"{row.ratio:.3g}×"
    cells = (row.work, f"{said(row.ours)} {row.unit}", against, ratio, said(row.limit), goal, row.verdict)
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| what | ours | beside it, same run | ratio | raw driver | to reach | |\n|---|---|---|---|---|---|---|"
)


def told(done: Iterable[tuple[str, Sequence[Row]]]) -> str:
    """Every bench's rows as a table of Markdown."""
    parts = []
    for name, rows in done:
        notes = [f"\n{row.work}: {row.note}" for row in rows if row.note]
        parts += [f"\n### {name}\n", HEAD, *map(line, rows), *notes]
    return "\n".join(parts)


def publish() -> None:
    """Write what was kept into the page, and draw the chart."""
    found = kept()
    rows = {name: [row_of(held) for held in one["rows"]] for name, one in found.items()}
    tops = {f"{one['when']}: {one['machine']}" for one in found.values()}
    libraries = {name: number for one in found.values() for name, number in one["versions"].items()}
    about = [f"Measured {', and '.join(sorted(tops))}.", _listed(libraries)]
    text = "\n".join([START, *about, "", f"![Ratios](pictures/{CHART.name})", told(rows.items()), "", END])
    page = PAGE.read_text("utf-8")
    pattern = re.compile(f"{re.escape(START)}.*{re.escape(END)}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _found: text, page), encoding="utf-8")
    CHART.write_text(chart(rows), encoding="utf-8")


LETTERS = 78
"""Of a name in the chart."""

START, END = "<!-- measured: start -->", "<!-- measured: end -->"


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items()) + "."


def chart(benches: Mapping[str, Sequence[Row]]) -> str:
    """How far each figure is from its goal, as bars around a line: right of it is reached."""
    every = [(bench, row) for bench, rows in benches.items() for row in rows]
    shown = [(bench, row) for bench, row in every if row.goal and row.reached is not None]
    height, middle, width = 18, 560, 900
    bars = []
    for n, (bench, row) in enumerate(shown):
        found = row.ratio if row.peer else row.ours
        goal = row.goal or 1
        times = goal / max(found or 0, 1e-3) if row.less else (found or 0) / goal
        far = math.log10(max(times, 1e-3))
        long = min(abs(far), 3) * 100
        x, colour = (middle, "#2a7d4f") if row.reached else (middle - long, "#b5482f")
        y = 24 + n * height
        name = f"{bench}: {row.work}" + (f" ÷ {row.peer}" if row.peer else "")
        name = name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
        bars += [
            f'<rect x="{x:.0f}" y="{y}" width="{max(long, 1):.0f}" height="12" fill="{colour}"/>',
            f'<text x="4" y="{y + 10}">{escape(name)}</text>',
        ]
    bottom = 24 + len(shown) * height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 20}" font-size="11" '
            'font-family="sans-serif">',
            f'<rect width="{width}" height="{bottom + 20}" fill="#fff"/>',
            *bars,
            f'<line x1="{middle}" y1="18" x2="{middle}" y2="{bottom}" stroke="#333"/>',
            f'<text x="{middle}" y="12" text-anchor="middle">goal; each 100 px is a factor of ten</text>',
            "</svg>\n",
        ]
    )


def surroundings() -> dict[str, str]:
    """Of a program we start: it finds us and our peers, and keeps what Python compiled, as `make` lets it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": f"{PEERS}{os.pathsep}{ROOT}"}


def python(*arguments: str, seconds: float = 600, **env: str) -> dict[str, Any] | None:
    """Run one of our modules in a process of its own; the JSON of its last line, None if it failed."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=surroundings() | env,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        print(f"  {' '.join(arguments[:2])} did not run: {done.stderr.strip().splitlines()[-1:]}")
        return None
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def memory(of: int | str = "self") -> float:
    """MB of a process's own memory now, by its number."""
    for line in Path(f"/proc/{of}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def say(path: Path, found: dict[str, float]) -> None:
    with path.open("a") as out:
        out.write(json.dumps(found) + "\n")
