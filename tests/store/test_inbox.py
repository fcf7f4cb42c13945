"""Whatever the world says can be written down: what could not would be brought again for ever."""

from pathlib import Path
from typing import Any

import pytest

from reminder.store import inbox
from tests.office import office, read, write


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("half \ud800 a character", "half ? a character"),
        ("\udfff\ud800", "??"),
        ("a\x00b\x00\x00", "ab"),
        ("written out: \\u0000 and \\\\u0000", "written out: \\u0000 and \\\\u0000"),
        ("\\\x00", "\\"),
        ("👩‍👩‍👧 مرحبا 河湾", "👩‍👩‍👧 مرحبا 河湾"),
    ],
)
@pytest.mark.failure(27)
async def test_what_no_database_holds_is_left_out(tmp_path: Path, said: str, kept: str) -> None:
    async with office(tmp_path, inline=True) as rt:
        content: dict[str, Any] = {"message": {"text": said}}

        async def keep(tx: Any) -> bool:
            given = {"source": "telegram", "external_id": "7", "content": content, "at": rt.clock.now()}
            return await inbox.keep(tx, rt.desk.sealer, **given)

        assert await write(rt, keep)
        (letter,) = await read(rt, lambda tx: inbox.waiting(tx, rt.desk.sealer, 9))
        assert letter.content == {"message": {"text": kept}}
