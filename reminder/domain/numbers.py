"""What a case is called: eight digits — year, serial, and a check digit that catches slips of eye and thumb.

`26000124` is case 12 of 2026: `26` + `00012` + `4`. The check digit is Damm's (2004): one wrong digit, or two
neighbours swapped, always gives a number that does not exist.
"""

import re

from reminder.domain.errors import Refused

LAST_SERIAL = 99_999

# Damm's totally anti-symmetric quasigroup of order 10; zeros on the diagonal, so a valid number folds to 0.
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def case_number(year: int, serial: int) -> str:
    """The number of the `serial`-th case (from 1) of a calendar year.

    Raises Refused `case.number_overflow` above 99,999 in one year, ValueError below 1 (a bug, not an answer).
    """
    if serial < 1:
        raise ValueError(f"serials start at 1, not {serial}")
    if serial > LAST_SERIAL:
        raise Refused("case.number_overflow", year=year, last=LAST_SERIAL)
    digits = f"{year % 100:02d}{serial:05d}"
    return f"{digits}{_folded(digits)}"


def is_case_number(text: str) -> bool:
    """Whether these are exactly eight ASCII digits with the right check digit; says nothing of existence."""
    return re.fullmatch(r"[0-9]{8}", text) is not None and _folded(text) == 0


def say_case_number(number: str) -> str:
    """The number as one reads it aloud, in two fours: "2600 0124"."""
    return f"{number[:4]} {number[4:]}"


def _folded(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return interim
