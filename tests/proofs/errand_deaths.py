"""One errand with a death in it, and the same without: do they end alike?"""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

from tests.proofs import errands
from tests.proofs.deaths import Outcome
from tests.proofs.morning import FORKS


async def done(name: str, folder: Path, failpoint: str = "") -> tuple[int, str]:
    """The errand in a process of its own; its exit code and what it said."""
    said = folder / "said.txt"
    process = FORKS.Process(
        target=errands.forked, args=(name, str(folder), failpoint, str(said)), daemon=True
    )
    process.start()
    until = time.time() + 120
    while process.exitcode is None and time.time() < until:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    if process.exitcode is None:
        process.kill()
    process.join()
    assert process.exitcode is not None
    return process.exitcode, said.read_text() if said.exists() else ""


class Errand:
    """What it begins with is built once; each death gets a copy."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.wanted: dict[str, Any] = {}

    async def built(self) -> None:
        await errands.prepare(self.name, self.folder / "before")
        code, said = await done(self.name, self._copy("undisturbed"))
        assert code == 0, said[-3000:]
        self.wanted = errands.state(self.folder / "undisturbed")

    def _copy(self, name: str) -> Path:
        shutil.copytree(self.folder / "before", self.folder / name)
        return self.folder / name

    async def death(self, place: str, nth: int) -> Outcome:
        folder = self._copy(f"{place}-{nth}-{time.monotonic_ns()}")
        try:
            code, said = await done(self.name, folder, f"{place}#{nth}")
            if code == 0:
                return Outcome(place=place, nth=nth, died=False)
            if code != -9:
                return Outcome(place=place, nth=nth, wrong=[f"ended with {code}: {said[-2000:]}"])
            wrong = errands.between(self.name, folder)
            code, said = await done(self.name, folder)
            if code:
                wrong.append(f"the second ended with {code}: {said[-2000:]}")
            found = errands.state(folder)
            wrong += [f"{key}: {found.get(key)} instead of {self.wanted[key]}" for key in self.wanted
                      if found.get(key) != self.wanted[key]]  # fmt: skip
            return Outcome(place=place, nth=nth, wrong=wrong)
        finally:
            errands.clear(folder)
