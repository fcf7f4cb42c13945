"""How a task for a person reads, with what the resident wrote where that is what it is about."""

from reminder.domain.entries import Entry
from reminder.longtext import clip
from reminder.placeholders import clean
from reminder.render import Templates

SAID_UNITS = 60
"""Of a resident's words in one line of a list; the whole message is in the push."""


def task_in_words(templates: Templates, entry: Entry, lang: str, *, hushed: bool = False) -> str:
    """One line. `hushed` leaves out what the resident wrote: confidential cases show their number alone."""
    kind, key = f"gist.{entry.detail.get('kind', '')}", f"task.{entry.detail.get('what', 'other')}"
    gist = templates.word(kind, lang) if templates.has_word(kind) else ""
    what = templates.word(key if templates.has_word(key) else "task.other", lang, gist=gist)
    said = "" if hushed else quoted(templates, str(entry.detail.get("said", "")), lang, SAID_UNITS)
    return templates.word("task_said", lang, what=what, said=said) if said else what


def quoted(templates: Templates, said: str, lang: str, units: int) -> str:
    """Somebody's own words in quotation marks, shortened; empty if there is nothing to read."""
    shown = clean(said, flat=True)
    return templates.word("quoted", lang, said=clip(shown, units)) if shown.strip() else ""
