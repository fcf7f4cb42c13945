"""Does every failure of the catalogue have a test that runs, and does the page say which?"""

import ast

import pytest

from tests.structure.failures import PAGE, ROOT, marked, rows, written

FAILURES = range(1, 41)
TEXT = PAGE.read_text("utf-8")


def test_the_page_has_the_forty_failures_in_order_and_says_what_the_office_does() -> None:
    found = rows(TEXT)
    assert [int(row[0]) for row in found] == list(FAILURES)
    assert all(len(row) == 4 and all(row) for row in found)


def test_no_mark_is_of_a_failure_that_is_not_there() -> None:
    assert set(marked()) == set(FAILURES)


def test_the_page_names_the_tests_that_are_marked() -> None:
    assert written(TEXT) == TEXT, "python -m tests.structure.failures"


@pytest.mark.parametrize("name", sorted({name for names in marked().values() for name in names}))
def test_a_marked_test_is_not_left_out_and_asserts_something(name: str) -> None:
    path, _, test = name.partition("::")
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    (found,) = [n for n in ast.walk(tree) if getattr(n, "name", "") == test]
    marks = [ast.unparse(mark) for mark in found.decorator_list]  # type: ignore[attr-defined]
    assert not [mark for mark in marks if "skip" in mark or "xfail" in mark]
    assert [n for n in ast.walk(found) if isinstance(n, ast.Assert | ast.Call)]


def test_nobody_promises_what_cannot_be_had() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    assert not [page.name for page in pages if "exactly once" in page.read_text("utf-8").lower()]
