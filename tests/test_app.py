"""What an office's own files get wrong is told at the start by place and remedy, never by a traceback."""

from pathlib import Path

import pytest

from reminder.app import protocol_texts
from reminder.domain.errors import Faulty


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
