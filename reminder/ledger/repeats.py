"""Which rows of a ledger probably tell the same matter twice? A person decides; we only ask."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rapidfuzz import fuzz

from reminder.ledger.lexicon import plain
from reminder.ledger.reading import Record

WITHIN = timedelta(days=90)
ALIKE = 75
"""Likeness of two requests, of 100."""
_LOOK_BACK = 50
SAME, SEPARATE = "same", "separate"


def likely_repeats(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    """(later, earlier) in the order of the file.

    The same number in the same sheet; or the same person with the same telephone or place and a request like
    it, received within 90 days of each other.
    """
    numbered: dict[tuple[str, str], Record] = {}
    by_party: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        number = (record.sheet, plain(record.external_no) or record.external_no)
        party = plain(record.party)
        earlier = numbered.get(number) if record.external_no else None
        if earlier is None:
            recent = by_party[party][-_LOOK_BACK:]
            earlier = next((other for other in reversed(recent) if _alike(record, other)), None)
        if earlier is not None:
            yield record, earlier
        numbered.setdefault(number, record)
        by_party[party].append(record)


def _alike(one: Record, other: Record) -> bool:
    if one.received_on is None or other.received_on is None:
        return False
    if abs(one.received_on - other.received_on) > WITHIN:
        return False
    same_phone = bool(set(one.phones) & set(other.phones))
    same_place = bool(one.place) and plain(one.place) == plain(other.place)
    if not (same_phone or same_place) or not (one.request and other.request):
        return False
    # Nameless letters from one village are often about different things.
    enough = 95 if one.anonymous else ALIKE
    return fuzz.ratio(plain(one.request), plain(other.request), score_cutoff=enough) >= enough
