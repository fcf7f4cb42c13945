"""Named places where a test may kill this process; unset, each costs one look at a module variable."""

import os
import signal

_ARMED = os.environ.get("REMINDER_FAILPOINT", "")
"""`name` or `name#3` (the third time it is passed)."""

_passed = 0


def armed() -> bool:
    """Whether any place may kill; what looks into a library's inside is only hung up then."""
    return bool(_ARMED)


def failpoint(name: str) -> None:
    """Kill this process with SIGKILL if the environment asks for it here."""
    if not _ARMED:
        return
    wanted, _, nth = _ARMED.partition("#")
    if name == wanted:
        global _passed  # noqa: PLW0603
        _passed += 1
        if _passed == int(nth or 1):
            os.kill(os.getpid(), signal.SIGKILL)
