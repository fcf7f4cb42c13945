"""What does supervision hear when the nightly look finds a promise nobody keeps, or a rung nobody reaches?"""

from collections.abc import Sequence

from reminder.actions.calendar_change import next_morning
from reminder.actions.check import Violation
from reminder.actions.desk import Desk
from reminder.actions.direct import tell
from reminder.actions.oversight import Rungs
from reminder.domain.people import Role
from reminder.domain.workdays import local_day
from reminder.store import people
from reminder.store.database import Tx

KIND = "gaps"
LINES = 12


async def report(tx: Tx, desk: Desk, found: Sequence[Violation], rungs: Rungs) -> int:
    """Nothing when all is well; else one message a day for each of supervision, else for the admins."""
    if not found and not rungs:
        return 0
    staff, written = await people.staff(tx), 0
    for person in staff.holding(Role.SUPERVISION) or staff.holding(Role.ADMIN):
        starts = next_morning(desk, person)
        day = local_day(starts, desk.office.zone)
        lines = [*_of_cases(desk, found, person.lang), *rungs_in_words(desk, rungs, person.lang)]
        detail = {"n": len(lines), "lines": "".join(f"\n· {line}" for line in lines[:LINES])}
        key = f"{KIND}:{person.id}:{day.isoformat()}"
        written += await tell(tx, desk, person, KIND, key=key, at=starts, detail=detail)
    return written


def _of_cases(desk: Desk, found: Sequence[Violation], lang: str) -> list[str]:
    known, word = desk.templates.has_word, desk.templates.word
    rules = {v.rule: f"gap.{v.rule}" if known(f"gap.{v.rule}") else "gap.other" for v in found}
    return [f"{violation.case} {word(rules[violation.rule], lang)}" for violation in found]


def rungs_in_words(desk: Desk, rungs: Rungs, lang: str) -> list[str]:
    """One line for each role that nobody fills today."""
    word = desk.templates.word
    return [
        word("gap.rung", lang, role=word(f"role.{role}", lang), n=len(numbers), no=numbers[0])
        for role, numbers in rungs.items()
    ]
