"""What a task asks of a person, in their language."""

from reminder.domain.entries import Entry
from reminder.longtext import clip
from reminder.render import Templates

_SHOWN = 80
"""Signs of a resident's own words that a line has room for; the whole stands in /case."""


def task_in_words(entry: Entry, templates: Templates, lang: str, *, quoted: bool = True) -> str:
    """From the task's own words; what a resident wrote is quoted as data and never more, or not `quoted`."""
    kind = f"gist.{entry.detail.get('kind', '')}"
    gist = templates.word(kind, lang) if templates.has_word(kind) else ""
    by = entry.detail.get("by")
    what = f"task.tell_by_{by}" if by else f"task.{entry.detail.get('what', 'other')}"
    key = what if templates.has_word(what) else "task.other"
    said = clip(str(entry.detail.get("said", "")), _SHOWN) if quoted else ""
    return templates.word(key, lang, gist=gist, said=said or "…")
