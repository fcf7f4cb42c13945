"""Case numbers: made of year and serial, and no common slip of the finger leads to another case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.errors import Refused
from reminder.domain.numbers import case_number, is_case_number, say_case_number

years = st.integers(2000, 2099)
serials = st.integers(1, 99_999)


def test_the_twelfth_case_of_2026_has_this_number() -> None:
    assert case_number(2026, 12) == "26000124"


def test_the_published_example_of_the_check_digit_holds() -> None:
    """Damm's own example: 572 takes the digit 4. Leading zeros change nothing."""
    assert case_number(2000, 572) == "00005724"


@given(year=years, serial=serials)
def test_a_number_is_eight_digits_of_year_serial_and_check(year: int, serial: int) -> None:
    number = case_number(year, serial)
    assert len(number) == 8
    assert number[:7] == f"{year % 100:02d}{serial:05d}"
    assert is_case_number(number)


@given(year=years, serial=serials)
def test_every_single_wrong_digit_is_caught(year: int, serial: int) -> None:
    number = case_number(year, serial)
    wrong = [
        number[:at] + digit + number[at + 1 :]
        for at in range(8)
        for digit in "0123456789"
        if digit != number[at]
    ]
    assert len(wrong) == 72
    assert not any(map(is_case_number, wrong))


@given(year=years, serial=serials)
def test_every_swap_of_two_neighbours_is_caught(year: int, serial: int) -> None:
    number = case_number(year, serial)
    for at in range(7):
        swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        assert swapped == number or not is_case_number(swapped)


@pytest.mark.parametrize(
    "text", ["", "2600012", "260001240", "2600012x", " 26000124", "26000124\n", "２６０００１２４"]
)
def test_anything_but_eight_plain_digits_is_no_number(text: str) -> None:
    assert not is_case_number(text)


def test_the_last_serial_of_a_year_still_fits() -> None:
    assert is_case_number(case_number(2026, 99_999))


def test_the_serial_after_the_last_is_refused_with_a_sentence() -> None:
    with pytest.raises(Refused) as refused:
        case_number(2026, 100_000)
    assert refused.value.key == "case.number_overflow"
    assert refused.value.values == {"year": 2026, "last": 99_999}


@pytest.mark.parametrize("serial", [0, -1])
def test_a_serial_below_one_is_a_bug(serial: int) -> None:
    with pytest.raises(ValueError, match="start at 1"):
        case_number(2026, serial)


def test_a_number_is_said_in_two_fours() -> None:
    assert say_case_number("26000124") == "2600 0124"
