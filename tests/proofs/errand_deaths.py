"""One errand with a death in it, and the same without: do they end alike?"""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

from tests.proofs import errands
from tests.proofs.deaths import Outcome
from tests.proofs.errands import Where
from tests.proofs.morning import FILES, FORKS
from tests.proofs.moulds import Mould


async def done(name: str, at: Where, failpoint: str = "") -> tuple[int, str]:
    """The errand in a process of its own; its exit code and what it said."""
    said = at.folder / "said.txt"
    process = FORKS.Process(target=errands.forked, args=(name, at, failpoint, str(said)), daemon=True)
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

    def __init__(self, name: str, folder: Path, mould: Mould = FILES) -> None:
        self.name, self.folder, self._mould = name, folder, mould
        self.wanted: dict[str, Any] = {}

    async def built(self) -> None:
        self._before = await errands.prepare(self.name, self.folder / "before", self._mould)
        undisturbed = await self._copy("undisturbed")
        code, said = await done(self.name, undisturbed)
        assert code == 0, said[-3000:]
        self.wanted = errands.state(undisturbed)

    async def _copy(self, name: str) -> Where:
        folder = self.folder / name
        shutil.copytree(self._before.folder, folder)
        return Where(folder, await self._mould.twin(self._before.url, folder))

    async def death(self, place: str, nth: int) -> Outcome:
        at = await self._copy(f"{place}-{nth}-{time.monotonic_ns()}")
        try:
            code, said = await done(self.name, at, f"{place}#{nth}")
            if code == 0:
                return Outcome(place=place, nth=nth, died=False)
            if code != -9:
                return Outcome(place=place, nth=nth, wrong=[f"ended with {code}: {said[-2000:]}"])
            wrong = errands.between(self.name, at)
            code, said = await done(self.name, at)
            if code:
                wrong.append(f"the second ended with {code}: {said[-2000:]}")
            found = errands.state(at)
            wrong += [f"{key}: {found.get(key)} instead of {self.wanted[key]}" for key in self.wanted
                      if found.get(key) != self.wanted[key]]  # fmt: skip
            return Outcome(place=place, nth=nth, wrong=wrong)
        finally:
            shutil.rmtree(at.folder, ignore_errors=True)
            await self._mould.drop(at.url)
