"""What the preview says will go is what then goes, word for word."""

from datetime import timedelta

from reminder.actions import entries as visits
from reminder.actions.overview import coming
from reminder.actions.said_lines import Lines
from reminder.domain.people import Channel
from reminder.runtime import Runtime
from reminder.segments import segments
from tests.actions.acting import FRIDAY, act, after, dump, moment, texts, until, visited_case
from tests.office import a_case, clock_of, person, read


async def test_the_texts_of_the_next_fortnight_are_those_that_are_received(rt: Runtime) -> None:
    case_id = await visited_case(rt)
    await act(rt, "chen", visits.propose, case_id, FRIDAY)
    await a_case(rt, handler="wang", phones=("+12025550143",))
    end = clock_of(rt).now() + timedelta(days=14)
    untouched, seen = await dump(rt), len(texts(rt))
    found = await read(rt, lambda tx: coming(tx, rt.desk, end, most_cases=None))
    assert await dump(rt) == untouched
    await until(rt, end)
    foretold = [one for _, one in found if one.channel is Channel.SMS]
    assert foretold
    assert sorted(one.text for one in foretold) == sorted(t.message.text for t in texts(rt)[seen:])
    assert all(one.segments == segments(one.text).count for one in foretold)


async def test_a_unit_sees_its_own_cases_and_those_below_it(rt: Runtime) -> None:
    mine = (await a_case(rt)).row.case.number
    other = (await a_case(rt, by="stone", handler="stone", phones=("+12025550143",))).row.case.number
    end = moment("2026-12-07")

    async def numbers(who: str) -> set[str]:
        unit = (await person(rt, who)).unit_id
        return {no for no, _ in await read(rt, lambda tx: coming(tx, rt.desk, end, unit=unit))}

    assert await numbers("chen") == {mine}
    assert await numbers("stone") == {other}
    assert await numbers("zhou") == {mine, other}


async def test_it_is_laid_out_with_recipients_and_parts(rt: Runtime) -> None:
    await a_case(rt)
    await after(rt, seconds=1)
    end = clock_of(rt).now() + timedelta(days=14)
    found = await read(rt, lambda tx: coming(tx, rt.desk, end, most_cases=None))
    said = "\n".join(Lines(rt.desk, "en").rehearsal(found, 14))
    parts = sum(one.segments for _, one in found)
    assert said.startswith(f"The next 14 days: {len(found)} messages, {parts} SMS parts.")
    for _, one in found:
        assert one.recipient_name in said
        assert one.text.splitlines()[0] in said
