"""The server the tests bring along leaves nothing behind, whatever becomes of the tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import postgres

pytestmark = [pytest.mark.kill, pytest.mark.sqlite]

RUN = """
import glob, time
from tests.postgres import server
with server() as running:
    print(running.port, flush=True)
    time.sleep(600)
"""
PATIENCE = 60.0
"""Real seconds."""


def answers(port: int) -> bool:
    """Whether a server of ours takes connections there."""
    ready = postgres._programs()
    assert ready is not None
    command = [str(ready / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


@pytest.mark.skipif(postgres._programs() is None and not os.environ.get("CI"), reason="no PostgreSQL")
def test_it_is_gone_with_its_data_when_the_tests_are_killed(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    tmp_path.chmod(0o711)
    for above in list(tmp_path.parents)[:2]:
        above.chmod(above.stat().st_mode | 0o011)
    tests = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, env=env, text=True)
    assert tests.stdout is not None
    port = int(tests.stdout.readline())
    assert answers(port)
    assert len(list(tmp_path.iterdir())) == 1
    tests.send_signal(signal.SIGKILL)
    tests.wait()
    tests.stdout.close()
    until = time.monotonic() + PATIENCE
    while (answers(port) or list(tmp_path.iterdir())) and time.monotonic() < until:
        time.sleep(0.1)
    assert not answers(port)
    assert list(tmp_path.iterdir()) == []
