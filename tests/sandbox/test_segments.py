"""Does the sandbox count text messages as the phone networks do?"""

import random

import pytest
import smsutil

from reminder.sandbox.segments import measure


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments", "forced_by"),
    [
        ("a" * 160, "GSM-7", 160, 1, None),
        ("a" * 161, "GSM-7", 161, 2, None),
        ("a" * 159 + "€", "GSM-7", 161, 2, None),
        ("a" * 152 + "[" + "a" * 152, "GSM-7", 306, 3, None),
        ("字" * 70, "UCS-2", 70, 1, "字"),
        ("字" * 71, "UCS-2", 71, 2, "字"),
        ("字" * 66 + "😀" + "字" * 66, "UCS-2", 134, 3, "字"),
        ("plain，text", "UCS-2", 10, 1, "，"),
    ],
)
def test_known_texts_have_known_sizes(
    text: str, encoding: str, units: int, segments: int, forced_by: str | None
) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.segments, size.forced_by) == (
        encoding,
        units,
        segments,
        forced_by,
    )


def test_an_independent_counter_agrees_on_random_texts() -> None:
    dice = random.Random(7)
    alphabet = "abc €^{}[]~|\\@£é\n'’`ç字，😀"
    for _ in range(2000):
        few = dice.sample(alphabet, dice.randint(1, 6))
        text = "".join(dice.choices(few, k=dice.randint(1, 480)))
        assert measure(text).segments == len(smsutil.split(text).parts), text
