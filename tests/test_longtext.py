"""Does a long text or a long list fit one message, and does it say what it leaves out?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.longtext import TELEGRAM_UNITS, clip, fit_lists, split, telegram_units


def test_long_lists_are_one_message_with_true_headings() -> None:
    lists = [
        ("overdue: 900", [f"2600{i:04} 书面答复 😀😀" for i in range(900)]),
        ("soon: 3", ["a", "b", "c"]),
    ]
    text = fit_lists([*lists, ("empty: 0", [])], lambda n: f"… and {n} more: /today")
    assert TELEGRAM_UNITS - 60 < telegram_units(text) <= TELEGRAM_UNITS
    lines = text.splitlines()
    shown = next(i for i, line in enumerate(lines) if "/today" in line) - 1
    assert lines[0] == "overdue: 900"
    assert lines[shown + 1 :] == [f"… and {900 - shown} more: /today", "soon: 3", "a", "b", "c", "empty: 0"]


def test_one_wordy_item_cannot_crowd_out_the_others() -> None:
    text = fit_lists([("two: 2", ["长" * 5000, "short"])], lambda n: f"+{n}")
    assert text.splitlines()[2] == "short"
    assert text.splitlines()[1].endswith("长…")


texts = st.text(st.sampled_from("ab 您好\n😀\u0301\u200d👩"), max_size=400)


@given(texts, st.integers(min_value=2, max_value=90))
@pytest.mark.failure(26)
def test_a_split_text_fits_and_loses_nothing_but_white_space(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < telegram_units(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_text_is_cut_at_paragraphs_before_lines_before_words() -> None:
    assert split("aa bb\ncc\n\ndd ee", 12) == ["aa bb\ncc", "dd ee"]
    assert split("aa bb\ncc dd", 9) == ["aa bb", "cc dd"]
    assert split("aa bb cc", 5) == ["aa bb", "cc"]
    assert split("e\u0301" * 2, 3) == ["e\u0301", "e\u0301"]


@given(texts, st.integers(min_value=3, max_value=60))
def test_a_clipped_text_fits_and_says_that_it_was_clipped(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert telegram_units(clipped) <= limit
    assert clipped == text or clipped.endswith("…")


@given(
    st.lists(st.integers(min_value=0, max_value=40), max_size=5), st.integers(min_value=120, max_value=600)
)
def test_lists_that_are_cut_say_how_many_are_left(lengths: list[int], limit: int) -> None:
    lists = [(f"#{i}", [f"line {i}.{k}" for k in range(n)]) for i, n in enumerate(lengths)]
    text = fit_lists(lists, lambda n: f"+{n}", limit)
    assert telegram_units(text) <= limit
    said = sum(int(line[1:]) if line[0] == "+" else 1 for line in text.splitlines() if line[0] != "#")
    assert said == sum(lengths)
