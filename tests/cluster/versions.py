"""The next versions of this program: copies of its tree, each with one more revision."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from reminder.store.migrations import revisions
from tests.cluster.commands import ROOT
from tests.proofs.morning import Morning, Process

NOW = revisions()[-1]
NEXT, LAST = (f"{int(NOW) + n:04}" for n in (1, 2))

PARTS = ("reminder", "jobs", "templates", "alembic", "tests")
NEW_COLUMN = 'sa.Column("version", sa.String, nullable=False, server_default="old", default="new"),'
EXPAND = """op.add_column(
        "attempts", sa.Column("version", sa.String(), server_default="old", nullable=False)
    )"""
CONTRACT = 'op.alter_column("attempts", "version", server_default=None)'


def expanded(folder: Path) -> Path:
    """One that has attempts name the version that made them; older programs need not know."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part)
    tables = folder / "reminder/store/tables.py"
    before = tables.read_text("utf-8")
    after = before.replace('    "attempts",\n', f'    "attempts",\n    {NEW_COLUMN}\n')
    assert after != before
    tables.write_text(after, "utf-8")
    _revision(folder, NEXT, NOW, EXPAND, oldest=NOW)
    return folder


def contracted(folder: Path, before: Path) -> Path:
    """The one after it, in which they have to: what does not name itself is refused."""
    shutil.copytree(before, folder)
    _revision(folder, LAST, NEXT, CONTRACT, oldest=NEXT)
    return folder


def _revision(tree: Path, number: str, before: str, change: str, *, oldest: str) -> None:
    text = f'''"""For a test."""

import sqlalchemy as sa
from alembic import op

revision = "{number}"
oldest = "{oldest}"
down_revision = "{before}"


def upgrade() -> None:
    {change}
'''
    (tree / f"alembic/versions/{number}_next.py").write_text(text, "utf-8")


class _Started(subprocess.Popen[bytes]):
    """With the names of `multiprocessing`."""

    @property
    def exitcode(self) -> int | None:
        return self.poll()

    def join(self) -> None:
        self.wait()


class Other(Process):
    """A worker of another tree."""

    def __init__(self, run: Morning, tree: Path, **changes: Any) -> None:
        order = replace(run.order, **changes)
        self.said = Path(order.folder) / f"said-{time.time()}.txt"
        start = [sys.executable, "-m", "tests.proofs.office_process", json.dumps(asdict(order))]
        with self.said.open("wb") as out:
            env = os.environ | {"PYTHONPATH": str(tree)}
            made = _Started(start, cwd=tree, env=env, stdout=out, stderr=subprocess.STDOUT)
        self._process: Any = made
