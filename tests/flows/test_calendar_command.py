"""`reminder calendar` on a real data folder: look, apply, look again, faults."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite
FILES = Path(__file__).parents[1] / "calendar_files"


def reminder(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("REMINDER_", "LC_"))}
    env |= {"REMINDER_DATA_DIR": str(folder), "LANG": "en_US.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "reminder", "calendar", *words],
        env=env, cwd=FILES.parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_year_is_looked_at_applied_and_then_known(tmp_path: Path) -> None:
    looked = reminder(tmp_path, "import", str(FILES / "2027.json"))
    assert looked.returncode == 0, looked.stderr
    assert "only a look" in looked.stdout
    assert (
        json.loads(reminder(tmp_path, "import", str(FILES / "2027.json"), "--json").stdout)["known"] is False
    )
    done = reminder(tmp_path, "import", str(FILES / "2027.csv"), "--apply")
    assert "Done: the days are kept" in done.stdout
    again = json.loads(reminder(tmp_path, "import", str(FILES / "2027.csv"), "--apply", "--json").stdout)
    assert (again["known"], again["cases_changed"], again["confirmed_years"]) == (True, 0, [2027])
    checked = json.loads(reminder(tmp_path, "check", "--json").stdout)
    assert checked["known_through"] >= 2027
    assert checked["behind"] is False


def test_a_faulty_file_is_refused_with_its_lines(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("date,kind,name\n2027-02-30,rest,x\n2027,confirmed,\n", "utf-8")
    refused = reminder(tmp_path / "data", "import", str(bad), "--apply")
    assert refused.returncode == 2
    assert "bad.csv, line 2" in refused.stderr
    assert "Traceback" not in refused.stderr
    gone = reminder(tmp_path / "data", "import", str(tmp_path / "none.csv"))
    assert gone.returncode == 2
    assert "Nothing was changed" in gone.stderr
