"""Which telephone numbers does a cell hold, and which of them can receive a text?"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

from reminder.ledger.apart import FAULTY_CELL
from reminder.ledger.dates import LOOKED_AT
from reminder.ledger.files import Cell

_APART = re.compile(r"[、/;,，；\n\r|或]|\band\b|\bor\b", re.I)
_NUMBER = re.compile(r"\+?[\d(][\d\s\-().]{3,}\d")
_EXTENSION = re.compile(r"\s*(?:转|分机|ext\.?|x)\s*\d{1,6}\b", re.I)
_LOST = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.I)
_CAN_TEXT = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phones:
    """Numbers in E.164, in the order of the cell; `landlines` are those that take no text."""

    numbers: tuple[str, ...] = ()
    landlines: tuple[str, ...] = ()
    unread: bool = False
    """Whether the cell holds something more that could not be read as a number."""
    lost: bool = False
    """Whether that is because a spreadsheet has rounded the number: its digits are gone."""


def read_phones(cell: Cell, regions: tuple[str, ...]) -> Phones:
    """Regions are tried in their order ("CN", "US"); a number is taken only if it is valid in one.

    A number Excel has rounded (1.3E+10) is not read: its digits are lost.
    """
    if cell is None or cell == "":
        return Phones()
    if isinstance(cell, bool) or not isinstance(cell, str | int | float) or cell == FAULTY_CELL:
        return Phones(unread=True)
    if not isinstance(cell, str):
        return _of_number(cell, regions)
    return _of_text(unicodedata.normalize("NFKC", cell[:LOOKED_AT]), regions)


def _of_number(number: float, regions: tuple[str, ...]) -> Phones:
    """A number cell: whole, short enough to be exact, and not rounded to a row of zeros."""
    if not float(number).is_integer() or not 10_000 <= number < 1e15 or int(number) % 1_000_000 == 0:
        return Phones(unread=True, lost=float(number).is_integer() and number >= 1_000_000)
    return _gathered([valid_in(str(int(number)), regions, True)])


def _of_text(text: str, regions: tuple[str, ...]) -> Phones:
    if _LOST.search(text.replace(" ", "")):
        return Phones(unread=True, lost=True)
    found: list[tuple[str, bool] | None] = []
    for piece in _APART.split(text):
        bare = _EXTENSION.sub("", re.sub(r"(?<=\d{6})\.0+$", "", piece.strip()))
        if not re.search(r"\d", bare):
            continue
        numbers = [part for match in _NUMBER.findall(bare) for part in _halves(match, regions)]
        found += [valid_in(number, regions, False) for number in numbers] or [None]
    if not found:
        return Phones(unread=True)
    return _gathered(found)


def _halves(written: str, regions: tuple[str, ...]) -> list[str]:
    """Two numbers with only a blank between them ("13800138000 13900139000")."""
    blocks = written.split()
    whole_blocks = [len(re.sub(r"\D", "", block)) >= 7 for block in blocks]
    if len(blocks) > 1 and all(whole_blocks) and all(valid_in(block, regions, False) for block in blocks):
        return blocks
    return [written]


def _gathered(found: list[tuple[str, bool] | None]) -> Phones:
    numbers = dict.fromkeys(one[0] for one in found if one)
    landlines = dict.fromkeys(one[0] for one in found if one and not one[1])
    return Phones(numbers=tuple(numbers), landlines=tuple(landlines), unread=None in found)


@lru_cache(maxsize=50_000)
def valid_in(written: str, regions: tuple[str, ...], zero_lost: bool) -> tuple[str, bool] | None:
    """(E.164, whether it can be texted) in the first region where the number is valid.

    A landline needs the zero before its area code, as people dial it; only a number cell may have lost it,
    and then every region that needs no zero is asked first.
    """
    for lenient in (False, True) if zero_lost else (False,):
        for region in regions:
            if (found := _valid(written, region, lenient)) is not None:
                return found
    return None


def _valid(written: str, region: str, lenient: bool) -> tuple[str, bool] | None:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:  # not valid anywhere in its country
        return None
    if kind == PhoneNumberType.FIXED_LINE and not lenient and not _dialled(written, number, region):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), kind in _CAN_TEXT


def _dialled(written: str, number: phonenumbers.PhoneNumber, region: str) -> bool:
    """Whether it begins with "+", the country code or the prefix that region dials before an area code."""
    digits = re.sub(r"\D", "", written)
    national = str(number.national_number)
    metadata = PhoneMetadata.metadata_for_region(region)
    prefix = metadata.national_prefix if metadata else None
    return prefix is None or "+" in written or len(digits) > len(national)
