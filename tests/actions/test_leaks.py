"""Whom does the file on the disk betray? No number of a resident stands in it, nor in logs or buttons (I-15).

Words people write are in clear there, as names are: see docs/reliability.md, "What is not covered".
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from reminder import logs
from reminder.channels.memory import lose, refuse
from reminder.domain.messages import Refusal
from reminder.runtime import Runtime
from reminder.scheduler import Scheduler
from tests.actions.acting import (
    THURSDAY,
    act,
    after,
    chat,
    moment,
    receipt,
    send_in,
    sms,
    texts,
    until,
    visited_case,
    visits,
)
from tests.office import LI, a_case, office

pytestmark = pytest.mark.sqlite

OTHER = "+12025550143"
CANARIES = [number.lstrip("+") for number in (LI, OTHER)] + [LI[2:], OTHER[2:]]


async def busy_days(rt: Runtime) -> None:
    """Texts go out, are answered, refused, lost and found, and a number says stop."""
    case_id = await visited_case(rt)
    await a_case(rt, phones=(OTHER,))
    await after(rt, minutes=5)
    await act(rt, "chen", visits.propose, case_id, THURSDAY)
    sms(rt).script.append(lose(copies=1))
    await after(rt, minutes=30)
    await send_in(rt, LI, "1")
    await receipt(rt, texts(rt)[-1].provider_id, "delivered")
    await send_in(rt, LI, "我下午才在家")
    sms(rt).script.append(refuse(Refusal.OPTED_OUT, "21610"))
    await send_in(rt, OTHER, "STOP")
    await until(rt, moment("2026-11-27", "20:00"))


def files_of(rt: Runtime) -> Iterable[Path]:
    name = rt.db.writer.url.database
    assert name is not None
    return [path for path in Path(name).parent.iterdir() if path.is_file()]


@pytest.mark.failure(33)
async def test_no_number_and_no_word_of_a_resident_stands_in_the_file(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        await busy_days(rt)
        assert len(texts(rt)) >= 4
        kept = b"".join(path.read_bytes() for path in files_of(rt))
    assert "李女士".encode() in kept  # it is the file the office writes to
    for canary in CANARIES:
        assert canary.encode() not in kept


@pytest.mark.failure(33)
async def test_no_log_line_and_no_button_names_anybody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where a statement about a number, or a call with its words, fails in the middle of a job."""
    logs.configure(json=True, level="DEBUG")
    async with office(tmp_path) as rt:
        await busy_days(rt)
        buttons = [b.data for row in chat(rt).ledger for line in row.buttons for b in line if b.data]

        async def fails() -> None:
            async with rt.db.write() as tx:
                await tx.execute(
                    sa.text("INSERT INTO residents (name, none) VALUES (:name, 1)"), {"name": "李女士"}
                )

        async def speaks() -> None:
            raise ValueError(f"cannot ring {LI} nor {OTHER[2:]}")

        jobs = [("fails", fails, timedelta(hours=1)), ("speaks", speaks, timedelta(hours=1))]
        scheduler = Scheduler(jobs)
        for name, *_ in jobs:
            scheduler.wake(name)
        await scheduler.stop()
    said = capsys.readouterr().err
    assert said.count("job.failed") == 2
    assert len(buttons) >= 5
    for canary in (*CANARIES, "李女士", "我下午才在家", "河湾"):
        assert canary not in said
        assert not any(canary in data for data in buttons)
