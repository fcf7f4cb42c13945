"""When is what was given to a person done, and when is it nobody's any more?"""

from collections.abc import Iterable

from reminder.domain.cases import Event, Fact

TASK_FORCE = "task_force"
FORM_TASK_FORCE = "form_task_force"
"""The question whether a case needs a team of its own; forming one answers it."""

_WISHES = "approve_"
"""How the names of tasks begin that ask for a consent: after the answer nothing is left to be granted."""


def end_of(task: Fact, later: Iterable[Fact]) -> tuple[Fact, bool] | None:
    """The first of the later facts that ends a task, and whether by its being done."""
    what = str(task.value.get("what", ""))
    for fact in later:
        done = fact.event is Event.DONE and fact.subject == task.subject
        formed = fact.event is Event.ADD and fact.subject.startswith(TASK_FORCE)
        if done or (what == FORM_TASK_FORCE and formed):
            return fact, True
        if what.startswith(_WISHES) and fact.event is Event.ANSWER:
            return fact, False
    return None
