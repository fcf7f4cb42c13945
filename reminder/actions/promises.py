"""Which days have residents been told of? The texts that may have reached them are read for it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from reminder.actions.desk import Desk
from reminder.domain.said_dates import say_date, say_weekday_date
from reminder.domain.workdays import local_day
from reminder.store import overview
from reminder.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A text about a case that a resident may have received, and the local day it left."""

    resident_id: int
    text: str
    left_on: date


def says_day(text: str, day: date, left_on: date, languages: Iterable[str]) -> bool:
    """Whether a text names the day, as texts of that day write it."""
    ways = [say(day, lang, left_on) for lang in languages for say in (say_date, say_weekday_date)]
    return any(re.search(rf"(?<!\d){re.escape(way)}(?!\d)", text) for way in ways)


async def heard(tx: Tx, desk: Desk, case_ids: Sequence[int]) -> dict[int, list[Heard]]:
    """By case, in the order they left."""
    found: dict[int, list[Heard]] = {case_id: [] for case_id in case_ids}
    for row in await overview.texts_heard(tx, case_ids):
        text = desk.text_of(row)
        left: datetime = row["started_at"]
        one = Heard(resident_id=row["resident_id"], text=text, left_on=local_day(left, desk.office.zone))
        found[row["case_id"]].append(one)
    return found
