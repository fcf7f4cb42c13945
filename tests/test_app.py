"""What is wrong at the start is told by place and remedy; what dies while serving ends the process."""

import asyncio
import resource
from pathlib import Path
from typing import Any

import pytest

from reminder.app import protocol_texts
from reminder.channels.memory import MemoryChat
from reminder.domain.errors import Faulty
from reminder.domain.messages import Trouble
from reminder.scheduler import Scheduler
from reminder.serving import FILES, open_many, serve
from reminder.settings_reading import load
from tests.office import START, office


@pytest.mark.parametrize("content", [b"\xff\xfe[\x00", "名称".encode("gb18030")], ids=["utf-16", "gb18030"])
def test_a_protocol_file_in_another_encoding_is_a_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "protocols").mkdir()
    path = tmp_path / "protocols" / "ours.toml"
    path.write_bytes(content)
    with pytest.raises(Faulty) as faulty:
        protocol_texts(tmp_path)
    (fault,) = faulty.value.faults
    assert fault.place == str(path)
    assert "UTF-8" in fault.remedy


class Deaf(MemoryChat):
    """A bug nobody thought of, in the middle of listening."""

    async def updates(self, *_: object) -> list[dict[str, Any]] | Trouble:
        raise RuntimeError("a bug nobody thought of")


@pytest.mark.failure(36)
async def test_a_background_task_that_dies_ends_the_process_loudly(tmp_path: Path) -> None:
    """Better down, which a watcher sees, than deaf, which nobody does (reliability, failure 36)."""
    settings = load({"REMINDER_DATA_DIR": str(tmp_path), "REMINDER_WEB__PORT": "0"})
    async with office(tmp_path, chat=Deaf(now=lambda: START)) as rt:
        with pytest.raises(RuntimeError, match="a bug nobody thought of"):
            await asyncio.wait_for(serve(rt, Scheduler([]), settings), 20)


def test_a_process_that_serves_may_open_as_many_files_as_the_system_lets_it() -> None:
    """Five hundred calls of each of several bots may be under way, and each is one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(FILES, before[1]) if before[1] != resource.RLIM_INFINITY else FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted - 1, 900), before[1]))
    try:
        open_many()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
