"""Which days a country's law makes rest days or make-up workdays, and how sure we are of each year."""

import difflib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from reminder.domain.errors import Refused

if TYPE_CHECKING:
    from holidays import HolidayBase

FIRST_YEAR, LAST_YEAR = 1950, 2100

CONFIRMED_THROUGH: Mapping[str, int] = MappingProxyType(
    {"BY": 2026, "CN": 2026, "HU": 2026, "LV": 2026, "RU": 2027, "UZ": 2026, "VN": 2026}
)
"""Last published year of the countries that fix rest days and make-up workdays by a yearly decree.

A test compares it with the installed `holidays` package, so a newer package asks for a look at this table.
Every other country computes its holidays by law: its years count as confirmed over the package's whole range,
save those with a holiday the package itself marks "estimated". `WorkCalendar.confirmed_years` overrides both.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A country and, where it matters, one of its parts."""

    country: str
    subdivision: str | None = None

    def __str__(self) -> str:
        return f"{self.country}-{self.subdivision}" if self.subdivision else self.country

    @classmethod
    def parse(cls, code: str) -> "Place":
        """Read "CN", "GB-ENG" or "us-ny". Raises Refused("calendar_unknown", code, suggestion)."""
        head, _, tail = code.strip().partition("-")
        country = _country_codes().get(head.upper())
        if country is None:
            raise Refused("calendar_unknown", code=code, suggestion=_nearest_country(code))
        if not tail:
            if code.strip().endswith("-"):
                raise Refused("calendar_unknown", code=code, suggestion=country)
            return cls(country=country)
        parts = _subdivisions(country)
        part = parts.get(tail.upper())
        if part is None:
            near = difflib.get_close_matches(tail.upper(), parts, n=1)
            suggestion = f"{country}-{parts[near[0]]}" if near else country
            raise Refused("calendar_unknown", code=code, suggestion=suggestion)
        return cls(country=country, subdivision=part)


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalYear:
    """One year of one place, before any office has its say."""

    working: tuple[bool, ...]
    """One claim per day from 1 January."""
    weekend: frozenset[date]
    """Weekend days, worked by decree (调休) or not."""
    confirmed: bool


@lru_cache(maxsize=1024)
def national_year(place: Place, year: int) -> NationalYear:
    """What is known of `year`; a year without data has plain weekends and is not confirmed."""
    known = _published(place, year, "en_US")
    days, rest = days_of(year), dict(known)
    weekend = frozenset(day for day in days if known.is_weekend(day))
    guessed = any("estimated" in name for name in rest.values())
    last = CONFIRMED_THROUGH.get(place.country, known.end_year)
    return NationalYear(
        working=tuple(day in known.weekend_workdays if day in weekend else day not in rest for day in days),
        weekend=weekend,
        confirmed=known.start_year <= year <= last and not guessed,
    )


@lru_cache(maxsize=256)
def holiday_names(place: Place, year: int, language: str) -> Mapping[date, str]:
    """Names of the public holidays of a year, in `language` ("en_US", "zh_CN") where the country has it."""
    return MappingProxyType(dict(_published(place, year, language)))


def _published(place: Place, year: int, language: str) -> "HolidayBase":
    """The package's public holidays of exactly one year.

    Never `half_day`, which would make a worked Monday a rest day; never `expand`, which guesses other years.
    The package warns where its moon calendar ends; it also marks what it has there as estimated.
    """
    import holidays

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return holidays.country_holidays(
            place.country,
            subdiv=place.subdivision,
            years=[year],
            expand=False,
            categories=("public",),
            language=_language(place.country, language),
        )


def days_of(year: int) -> list[date]:
    """Every day of a year, in order."""
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1)]


@cache
def _language(country: str, wanted: str) -> str | None:
    """`wanted`, or English, or the country's own; never the language of the machine's locale."""
    import holidays

    plain = holidays.country_holidays(country)
    for language in (wanted, "en_US"):
        if language in plain.supported_languages:
            return language
    return plain.default_language


@cache
def _country_codes() -> Mapping[str, str]:
    """Two- and three-letter codes to the two-letter one; "UK" is spoken too."""
    from holidays.registry import COUNTRIES

    codes = {code: names[1] for names in COUNTRIES.values() for code in names[1:3]}
    return MappingProxyType({**codes, "UK": "GB"})


@cache
def _subdivisions(country: str) -> Mapping[str, str]:
    """Codes and spoken names ("ENG", "ENGLAND") to the code."""
    import holidays

    known = holidays.country_holidays(country)
    names = {name.upper(): code for name, code in known.subdivisions_aliases.items()}
    return MappingProxyType({**names, **{code.upper(): code for code in known.subdivisions}})


def _nearest_country(code: str) -> str:
    from holidays.registry import COUNTRIES

    word = code.strip().lower().replace(" ", "_")
    named = {name: names[1] for name, names in COUNTRIES.items()}
    near = difflib.get_close_matches(word, named, n=1, cutoff=0.75)
    if near:
        return named[near[0]]
    closest = difflib.get_close_matches(word.partition("-")[0].upper(), _country_codes(), n=1)
    return _country_codes()[closest[0]] if closest else "CN"
