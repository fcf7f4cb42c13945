"""How a protocol's moments and bases read to a person, in one language."""

import re

from reminder.domain.deadline_words import Lang, amount_of
from reminder.domain.limits import Limit, Unit
from reminder.domain.planning import DAILY
from reminder.render import Templates

_OFFSET = re.compile(r"T(?:0|([+-]\d+)(wd|h|min)?)")
_UNITS = {"": Unit.CAL, "wd": Unit.WD, "h": Unit.HOUR, "min": Unit.MINUTE}

BETWEEN = " · "
"""Between the Chinese and the English half of a protocol's `basis`."""


def step_in_words(templates: Templates, key: str, lang: str) -> str:
    """ "T-3" is "3 calendar days before", "now" is "at once"."""
    if key.startswith(DAILY):
        return templates.word("rung.daily", lang)
    if key.startswith("weekly"):
        return templates.word("rung.weekly", lang)
    found = _OFFSET.match(key)
    if found is None:
        return templates.word("rung.at_once", lang)
    if found[1] is None:
        return templates.word("rung.on_the_day", lang)
    number = int(found[1])
    spoken = Lang(lang) if lang in set(Lang) else Lang.EN
    amount = amount_of(Limit(abs(number), _UNITS[found[2] or ""]), spoken)
    return templates.word("rung.before" if number < 0 else "rung.after", lang, amount=amount)


def basis_in(basis: str, lang: str) -> str:
    """The reader's half of a basis written in both languages; the whole where it is written once."""
    zh, between, en = basis.partition(BETWEEN)
    return (zh if lang == "zh" else en) if between else basis
