"""Measure, print, keep and show in docs/performance.md: python -m bench [--full] [name …]."""

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bench import (
    archiving,
    crashing,
    firing,
    forgotten,
    layout,
    ledger,
    planning,
    sending,
    steady,
    waiting,
    workers,
)
from bench.kit import ROOT, Row, keep, line, machine, publish, versions

BENCHES: dict[str, Callable[..., list[Row]]] = {
    "fire": firing.rows,
    "wait": waiting.rows,
    "crash": crashing.rows,
    "steady": steady.rows,
    "plan": planning.rows,
    "ledger": ledger.rows,
    "forgotten": forgotten.rows,
    "archive": archiving.rows,
    "workers": workers.rows,
    "sending": sending.rows,
    "layout": layout.rows,
}
ASIDE = {"layout"}
"""Only when it is named, or all is measured in full: it takes ten minutes."""

PRINTED = {
    "workdays": ("bench.workdays",),
    "calendar": ("bench.calendar_import", "600"),
    "replanning": ("bench.replanning", "600"),
}
"""Those that only print what they find."""

NAMED = {
    "reading": ("bench.ledger", "20000"),
    "start": ("bench.start",),
    "restart": ("bench.restart",),
}
"""As above, and only when they are named."""


def main() -> None:
    gc.set_threshold(50_000, 20, 100)  # as the program's own command line does
    wanted = [name for name in sys.argv[1:] if not name.startswith("--")]
    full = "--full" in sys.argv
    found, libraries = machine(), versions()
    print(f"{found}; " + ", ".join(f"{name} {number}" for name, number in libraries.items()))
    about = {"machine": found, "versions": libraries, "full": full}
    for name, bench in BENCHES.items():
        if name in wanted or (not wanted and (full or name not in ASIDE)):
            begun = time.monotonic()
            rows = bench(full=full)
            keep(
                f"{name}-full" if full else name, rows, about | {"when": datetime.now(UTC).date().isoformat()}
            )
            print(f"\n== {name}, {time.monotonic() - begun:.0f} s", *map(line, rows), sep="\n", flush=True)
    publish()
    for name, command in (PRINTED | NAMED).items():
        if name in wanted or (not wanted and name in PRINTED):
            print(f"\n== {name}", flush=True)
            subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
