"""Which bugs does this folder hold, and which tests must catch each of them?

A patch begins with what is broken and `# caught-by: file …`; a unified diff against the tree follows.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
_CAUGHT_BY = "# caught-by: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One patch. `tests` are files, or tests of a file, from the root of the tree."""

    patch: Path
    what: str
    tests: tuple[str, ...]

    @property
    def files(self) -> list[Path]:
        return [ROOT / test.partition("::")[0] for test in self.tests]


def bugs() -> list[Bug]:
    """In the order of their numbers. Raises ValueError for one that does not say what it is."""
    return [_read(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def _read(patch: Path) -> Bug:
    what, caught = patch.read_text("utf-8").split("\n", 2)[:2]
    if not re.fullmatch(r"# .+\.", what) or not caught.startswith(_CAUGHT_BY):
        raise ValueError(f"{patch.name} begins with what is broken and who must catch it")
    return Bug(patch=patch, what=what[2:], tests=tuple(caught.removeprefix(_CAUGHT_BY).split()))
