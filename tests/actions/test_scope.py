"""Who sees a case: its own people and those who answer for its units, and of a village its agent alone."""

from datetime import date

import pytest

from reminder.actions import standins
from reminder.actions.guard import permit
from reminder.domain.errors import NotFound
from reminder.runtime import Runtime
from tests.actions.acting import act
from tests.office import STAFF, a_case, actor, person, read


async def seen_by(rt: Runtime, case_id: int) -> set[str]:
    found = set()
    for key in STAFF:
        by = await actor(rt, key)
        try:
            await read(rt, lambda tx, by=by: permit(tx, by, "see", case_id))  # type: ignore[misc]
        except NotFound:
            continue
        found.add(key)
    return found


ABOVE = {"he", "zhou", "lin", "yang"}
"""Admin and head of the county, head and intake of the township."""


@pytest.mark.parametrize("handler", ["chen", "wang"])
async def test_a_case_is_seen_by_its_handler_and_those_above(rt: Runtime, handler: str) -> None:
    case_id = (await a_case(rt, handler=handler)).row.case.id
    assert await seen_by(rt, case_id) == ABOVE | {handler}


async def test_an_agent_sees_the_cases_of_the_own_village_and_no_other(rt: Runtime) -> None:
    tang = await person(rt, "tang")
    await act(rt, "lin", standins.post, "河湾", tang.id, date(2026, 11, 1))
    own = (await a_case(rt, place="河湾村")).row.case.id
    other = (await a_case(rt, place="新塘村", phones=("+12025550143",))).row.case.id
    hidden = (await a_case(rt, place="河湾村", phones=("+12025550144",), confidential=True)).row.case.id
    assert await seen_by(rt, own) == ABOVE | {"chen", "tang"}
    assert await seen_by(rt, other) == ABOVE | {"chen"}
    assert await seen_by(rt, hidden) == ABOVE | {"chen"}
