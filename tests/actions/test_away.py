"""After a time down each colleague hears one summary instead of a burst, and recovery needs no hand."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from jobs.heartbeat import heartbeat
from jobs.remind import remind
from reminder.actions import away
from reminder.actions import entries as visits_of
from reminder.channels.memory import Received
from reminder.domain.reminders import TERMINAL, State
from reminder.runtime import Runtime
from tests.actions.acting import THURSDAY, act, after, chat, moment, rows, settle, sound, texts, until
from tests.office import STAFF, a_case, clock_of, pass_time, read

CASES = 6
NAMES = {str(who.chat): name for name, who in STAFF.items()}


async def morning(rt: Runtime, protocol: str = "ordinary") -> list[int]:
    """At six on Tuesday new cases have just come in, visits are confirmed for Thursday; the heart beats."""
    found = []
    for n in range(CASES):
        plan = await a_case(rt, phones=(f"+12025550{150 + n}",))
        found.append(plan.row.case.id)
        offer = await act(rt, "chen", visits_of.propose, found[-1], THURSDAY)
        await act(rt, "chen", visits_of.confirm, offer.entries["visit"].id)
    await until(rt, moment("2026-11-25", "06:00"))
    for n in range(CASES):
        await a_case(rt, phones=(f"+12025550{160 + n}",), protocol=protocol, accepted=False)
    await remind(rt)
    await heartbeat(rt)
    return found


async def back(rt: Runtime, when: datetime) -> list[Received]:
    """Nothing ran until then; what phones receive when everything runs again."""
    before = len(chat(rt).ledger)
    clock_of(rt).set(when)
    await settle(rt)
    for _ in range(5):
        pass_time(rt, seconds=2)
        await settle(rt)
    await heartbeat(rt)
    return chat(rt).ledger[before:]


def by_reader(got: list[Received]) -> dict[str, Counter[str]]:
    """What each colleague received: their summaries, their day's list, other messages."""
    found: dict[str, Counter[str]] = {}
    for row in got:
        what = "away" if "停机" in row.text or "I was down" in row.text else "other"
        if "早上好" in row.text or "Good morning" in row.text:
            what = "digest"
        found.setdefault(NAMES[row.message.to], Counter())[what] += 1
    return found


@pytest.mark.failure(8)
async def test_six_hours_down_over_a_morning_are_one_summary_besides_the_days_list(rt: Runtime) -> None:
    await morning(rt)
    assert sum(r.kind == "new_case" and r.state is State.PLANNED for r in await rows(rt)) == CASES
    got = await back(rt, moment("2026-11-25", "12:00"))
    heard = by_reader(got)
    assert heard["chen"] == {"away": 1, "digest": 1}
    assert heard["he"]["away"] == 1
    assert all(count["other"] <= 1 and count["away"] <= 1 for count in heard.values())
    (summary,) = [r.text for r in got if r.message.to == str(STAFF["chen"].chat) and "停机" in r.text]
    assert summary.count("\n· ") >= CASES
    merged = [r for r in await rows(rt, "new_case") if r.state is State.MERGED]
    assert len(merged) == CASES
    assert all(r.digest_id is not None for r in merged)
    await sound(rt)


@pytest.mark.failure(8)
async def test_a_month_down_needs_no_hand_and_is_no_storm(rt: Runtime) -> None:
    await morning(rt)
    before = len(texts(rt))
    got = await back(rt, moment("2026-12-25", "12:00"))
    for who, count in by_reader(got).items():
        assert count["away"] <= 1, who
        assert count["digest"] <= 1, who
        assert count["other"] <= 1, who
    per_number = Counter(row.message.to for row in texts(rt)[before:])
    assert max(per_number.values(), default=0) <= 2
    await after(rt, hours=20)
    waiting = [r for r in await rows(rt) if r.state not in TERMINAL and r.due_at < moment("2026-12-25")]
    assert {r.state for r in waiting} <= {State.SENT}
    await sound(rt)


@pytest.mark.failure(8)
async def test_what_came_too_late_is_told_to_the_admin_with_its_numbers(rt: Runtime) -> None:
    await morning(rt)
    got = await back(rt, moment("2026-11-28", "12:00"))
    (said,) = [r.text for r in got if r.message.to == str(STAFF["he"].chat) and "停机" in r.text]
    missed = [r for r in await rows(rt) if r.state is State.MISSED]
    assert f"{len(missed)}条" in said
    assert missed
    assert "件号：26000010" in said
    others = [r.text for r in got if r.message.to == str(STAFF["chen"].chat)]
    assert not any("件号：" in text for text in others)


@pytest.mark.parametrize(("back_on", "lost"), [("2026-11-25", False), ("2026-11-26", True)])
@pytest.mark.failure(38)
async def test_after_more_than_a_day_everybody_reads_that_their_taps_may_be_lost(
    rt: Runtime, back_on: str, lost: bool
) -> None:
    """Telegram keeps them for 24 hours; whoever tapped Done on the first day believes it is done."""
    await morning(rt)
    got = await back(rt, moment(back_on, "12:00"))
    warned = {
        NAMES[r.message.to] for r in got if "我可能没有收到" in r.text or "may not have reached me" in r.text
    }
    assert warned == (set(STAFF) if lost else set())
    summaries = Counter(r.message.to for r in got if "停机" in r.text or "I was down" in r.text)
    assert max(summaries.values()) == 1


async def test_what_is_urgent_goes_by_itself(rt: Runtime) -> None:
    await morning(rt, protocol="urgent")
    heard = by_reader(await back(rt, moment("2026-11-25", "12:00")))
    assert heard["chen"]["other"] >= CASES


async def test_half_an_hour_is_no_absence(rt: Runtime) -> None:
    await morning(rt)
    heard = by_reader(await back(rt, moment("2026-11-25", "06:29")))
    assert heard["chen"] == {"other": CASES}
    assert await read(rt, away.last) is None


async def test_down_again_before_anybody_was_told_is_one_long_absence(rt: Runtime) -> None:
    await morning(rt)
    clock_of(rt).set(moment("2026-11-25", "09:00"))
    await heartbeat(rt)  # noticed, and killed before anything else ran
    got = await back(rt, moment("2026-11-25", "12:00"))
    assert by_reader(got)["chen"]["away"] == 1
    (said,) = [r.text for r in got if r.message.to == str(STAFF["he"].chat) and "停机" in r.text]
    assert "上午6点" in said
    again = await back(rt, moment("2026-11-25", "12:10"))
    assert not any(count["away"] for count in by_reader(again).values())


async def test_killed_between_summing_up_and_sending_it_nobody_hears_it_twice(rt: Runtime) -> None:
    await morning(rt)
    clock_of(rt).set(moment("2026-11-25", "12:00"))
    await remind(rt)

    class Killed(Exception):
        pass

    async def sum_up(tx: Any) -> None:
        assert await away.notice(tx, rt.clock.now())
        found = await away.gathering(tx)
        assert found is not None
        assert await away.sum_up(tx, rt.desk, found) >= 2

    async def killed() -> None:
        async with rt.db.write() as tx:
            await sum_up(tx)
            raise Killed

    with pytest.raises(Killed):
        await killed()
    async with rt.db.write() as tx:
        await sum_up(tx)
    heard = by_reader(await back(rt, rt.clock.now() + timedelta(minutes=5)))
    assert heard["chen"]["away"] == 1
