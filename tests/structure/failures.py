"""Which test stands for which failure? python -m tests.structure.failures writes it into the page.

A test names the rows it stands for: `@pytest.mark.failure(12)`. The rows themselves are the page's own words.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
MARK = "pytest.mark.failure"


def marked() -> dict[int, list[str]]:
    """Row to tests, each as pytest names it."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for row, name in _of(path):
            found.setdefault(row, []).append(f"{path.relative_to(ROOT / 'tests')}::{name}")
    return found


def _of(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text("utf-8")
    if MARK not in text:
        return
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == MARK:
                    yield from ((ast.literal_eval(row), node.name) for row in mark.args)


def rows(text: str) -> list[list[str]]:
    """Number, what goes wrong, what the office does, the tests."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0].isdigit()]


def written(text: str) -> str:
    """The page with the tests of today in its last column."""
    tests = marked()
    return "".join(_line(line, tests) + "\n" for line in text.splitlines())


def _line(line: str, tests: dict[int, list[str]]) -> str:
    cells = line.split("|")
    if not line.startswith("| ") or not cells[1].strip().isdigit():
        return line
    names = "<br>".join(f"`{name}`" for name in tests.get(int(cells[1]), []))
    return "|".join([*cells[:4], f" {names} |"])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
