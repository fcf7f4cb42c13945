"""Does a start read only what it needs before the first message leaves, and a command only its own?"""

import subprocess
import sys

import pytest

LATER = frozenset(
    {"telegram", "twilio", "aiohttp", "requests", "alembic", "apscheduler"}
    | {"openpyxl", "phonenumbers", "rapidfuzz", "segno", "holidays"}
)
"""Of channels that may not be set up, of the bot, of ledgers; each takes a part of the second a start may."""


def read_by(module: str) -> set[str]:
    """The libraries in a process that has only imported this."""
    names = "{name.partition('.')[0] for name in sys.modules}"
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*{names})"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "later"),
    [("reminder.app", LATER), ("reminder.cli", LATER | {"sqlalchemy", "pydantic", "structlog", "asyncio"})],
)
def test_what_is_needed_later_is_not_read_at_once(module: str, later: frozenset[str]) -> None:
    assert not read_by(module) & later
