"""`reminder` as a process of its own: what it says, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def command(folder: Path, url: str, *words: str, tree: Path = ROOT) -> "subprocess.Popen[str]":
    """The program of this tree, on this database."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("REMINDER_")}
    given = {
        "PYTHONPATH": str(tree),
        "REMINDER_DATA_DIR": str(folder),
        "REMINDER_DATABASE__URL": url,
        "REMINDER_WEB__PORT": "0",
    }
    start = [sys.executable, "-m", "reminder", *words]
    both: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(start, cwd=tree, env=kept | given, text=True, bufsize=1, **both)


def ended(process: "subprocess.Popen[str]") -> str:
    """What it said; it ends by itself, refused."""
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert "Traceback" not in said
    return said


def until(process: "subprocess.Popen[str]", word: str) -> str:
    """The line in which it says so."""
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(f"it ended without {word!r}")


def well(process: "subprocess.Popen[str]") -> bool:
    process.communicate(timeout=60)
    return process.returncode == 0


def stopped(process: "subprocess.Popen[str]") -> str:
    process.terminate()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said
