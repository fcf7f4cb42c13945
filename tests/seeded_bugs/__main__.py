"""Does the suite catch every bug of this folder? Each is put into a copy of the tree, and its tests are run.

    python -m tests.seeded_bugs [NN …]

Ends with 1 if one was not caught or does not apply. What fails without the bug as well has caught nothing.
"""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.seeded_bugs import ROOT, Bug, bugs

PATIENCE = 600
"""Seconds. Tests that hang have caught nothing: nobody reads why."""


def main(wanted: list[str]) -> int:
    found = [bug for bug in bugs() if not wanted or any(bug.patch.name.startswith(n) for n in wanted)]
    with tempfile.TemporaryDirectory(prefix="seeded-") as folder:
        tree = Path(folder) / "tree"
        copy(tree)
        noticed = {bug.patch.stem: notice(tree, bug) for bug in found}
        failing = fails_anyway(tree, sorted({by for by in noticed.values() if by}))
    caught = 0
    for stem, by in noticed.items():
        good = bool(by) and by not in failing
        caught += good
        print(f"{'caught' if good else 'does not apply' if by is None else 'NOT caught':14} {stem:32} {by}")
    print(f"{caught} of {len(found)} caught")
    return 0 if found and caught == len(found) else 1


def copy(tree: Path) -> None:
    """What belongs to the repository, as it lies here."""
    listed = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def notice(tree: Path, bug: Bug) -> str | None:
    """The first test that fails with the bug; empty if none does, None where the patch does not apply."""
    begun, by = time.monotonic(), None
    if apply(tree, bug.patch):
        code, said = run(tree, bug.tests, "-x")
        by = failed_in(said) if code == 1 else ""
        if not apply(tree, bug.patch, "--reverse"):
            raise RuntimeError(f"{bug.patch.name} does not come out again")
    print(f"{time.monotonic() - begun:4.0f} s  {bug.patch.stem:32} {by}", flush=True)
    return by


def fails_anyway(tree: Path, tests: list[str]) -> set[str]:
    """Those of the tests that fail without any bug: they have caught nothing."""
    code, said = run(tree, tests) if tests else (0, "")
    if code not in {0, 1}:
        return set(tests)
    return {failed_in(line) for line in said.splitlines()} - {""}


def failed_in(said: str) -> str:
    """The first test that failed, as pytest names it; empty where none could even be collected."""
    lines = [line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR ")) and "::" in line]
    return lines[0].split(" - ")[0].partition(" ")[2] if lines else ""


def apply(tree: Path, patch: Path, *options: str) -> bool:
    # Never a repository around the copy: `git apply` would then look for its files there.
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent.resolve())}
    done = subprocess.run(["git", "apply", *options, str(patch)], cwd=tree, env=env, check=False)
    for line in patch.read_text("utf-8").splitlines():
        if line.startswith("+++ b/"):
            # Python knows what it has compiled by the second of the last change: no two may share one.
            os.utime(tree / line.removeprefix("+++ b/"), (next(_SECONDS),) * 2)
    return done.returncode == 0


_SECONDS = itertools.count(1_000_000_000)


def run(tree: Path, tests: list[str] | tuple[str, ...], *more: str) -> tuple[int, str]:
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}
    options = ["-p", "no:cacheprovider", "-q", "-rfE", "--tb=line", *more]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    try:
        done = subprocess.run(
            command, cwd=tree, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, ""
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
