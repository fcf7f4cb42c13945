"""Does `reminder deadline` print the right dates, and for a bad file every fault and nothing else?"""

import csv
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from reminder.cli_deadline import deadline
from reminder.domain.deadline_words import AMOUNTS, WEEKDAYS, WORDS
from reminder.domain.faults import ARGUMENT, COLUMN, LINE, SAID, STDIN
from reminder.domain.workdays import WorkCalendar
from reminder.domain.zones import ZONES, zone_of

app = typer.Typer()
app.command("deadline")(deadline)
GOLDEN = list(csv.DictReader((Path(__file__).parent / "golden_deadlines.csv").read_text().splitlines()))
HEADER = "anchor_date,unit,amount,count_from,roll,calendar\n"


def run(*args: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(app, list(args), input=stdin)


def ends_of(table: str, *args: str) -> list[dict[str, object]]:
    result = run("--csv", "-", "--json", *args, stdin=table)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def faults_of(table: str | bytes, *args: str) -> list[str]:
    result = run("--csv", "-", "--json", *args, stdin=table)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()


def test_the_golden_file_comes_out_line_by_line():
    units = {"calendar_day": "cal", "working_day": "wd"}
    table = HEADER + "".join(
        f"{row['anchor_date']},{units[row['unit']]},{row['amount']},next_day,forward,CN\n" for row in GOLDEN
    )
    ends = ends_of(table)
    assert len(ends) == len(GOLDEN) == 69
    for row, end in zip(GOLDEN, ends, strict=True):
        assert set(end) == {"nominal", "effective", "promise", "provisional"}
        assert end["effective"] == row["effective_due_rolled_forward"]
        assert end["nominal"] == (row["nominal_due"] or row["effective_due_rolled_forward"])
        assert end["provisional"] is False


def test_each_row_chooses_its_own_counting_and_calendar():
    ends = ends_of(
        "\ufeff" + HEADER + "2026-08-03,cal,60,next_day,none,CN\n2026-08-03,cal,60,next_day,back,CN\n"
        "2026-09-28,wd,3,same_day,forward,CN\n2026-12-22,wd,5,next_day,forward,GB-ENG\n"
        "2026-01-31,month,1,next_day,forward,US-NY\n2026-11-23,cal,60,next_day,forward,CN\n"
    )
    assert [end["effective"] for end in ends] == [
        "2026-10-02", "2026-09-30", "2026-09-30", "2026-12-31", "2026-03-02", "2027-01-22",
    ]  # fmt: skip
    assert [end["provisional"] for end in ends] == [False] * 5 + [True]


def test_hours_and_minutes_take_and_give_date_times():
    ends = ends_of(
        HEADER + "2026-10-01T10:00:00+08:00,h,24,,,\n2026-10-01T10:00,min,30,next_day,forward,CN\n"
        "2026-10-01T10:00Z,h,2,,,\n"
    )
    expected = ["2026-10-02T10:00:00+08:00", "2026-10-01T10:30:00", "2026-10-01T12:00:00+00:00"]
    assert [end["nominal"] for end in ends] == expected
    assert [end["promise"] for end in ends] == expected
    assert [end["effective"] for end in ends] == expected


def test_empty_cells_and_missing_columns_take_the_options():
    table = "amount,unit,anchor_date\n3,wd,2026-09-28\n"
    assert ends_of(table, "--count-from", "same_day")[0]["effective"] == "2026-09-30"
    ends = ends_of(HEADER + "2026-08-03,cal,60,,,\n", "--roll", "none", "--calendar", "CN")
    assert ends[0]["effective"] == "2026-10-02"


def test_a_faulty_table_names_every_fault_and_prints_no_half_output():
    found = faults_of(
        HEADER + "2026-08-03,cal,60,next_day,forward,CN\n2026-08-0,x,-4,soon,up,ZZ\n1,2\n"
        "2026-08-03,h,1,,,\n2026-08-03T10:00,cal,1,,,\n2026-08-03,cal,999999,,,\n2026-08-03,cal,1,,,GB-LON\n"
    )
    assert [fault.split(":")[0] for fault in found] == [
        "standard input, line 3, column unit",
        "standard input, line 3, column amount",
        "standard input, line 3, column anchor_date",
        "standard input, line 3, column count_from",
        "standard input, line 3, column roll",
        "standard input, line 3, column calendar",
        "standard input, line 4",
        "standard input, line 5, column anchor_date",
        "standard input, line 6, column anchor_date",
        "standard input, line 7, column amount",
        "standard input, line 8, column calendar",
    ]
    assert "Use one of: cal, wd, h, min, month." in found[0]
    assert "Did you mean CN?" in found[5]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "nothing in it"),
        ("anchor_date,unit,amount\n", "Nothing follows the header"),
        ("anchor_date,unti,amount\n", "Did you mean 'unit'?"),
        (b"anchor_date,unit,amount\n\xd6\xdc,cal,1\n", "line 2: This is not UTF-8 text. Save"),
        ('anchor_date,unit,amount\n"2026-08-03"x,cal,1\n', "line 2: This is not readable as CSV"),
        ("anchor_date,unit,amount\n2026-08-03,cal,٦٠\n", "whole number"),
        ("anchor_date,unit,amount\n2026-W32-1,cal,6\n", "is not a day"),
        ("anchor_date,unit,amount\n2026-08-03T25:00,h,6\n", "is not a date and time"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(table, said):
    assert said in "\n".join(faults_of(table))


def test_a_missing_file_is_a_fault_and_no_traceback(tmp_path):
    result = run("--csv", str(tmp_path / "none.csv"))
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["2026-08-03"],
        ["2026-08-03", "60"],
        ["2026-08-03", "60", "cal", "--csv", "x"],
        ["--csv", "x", "--extend", "3"],
    ],
)
def test_half_a_question_is_answered_with_an_example(args):
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "deadline: " in result.stderr


def test_one_deadline_is_explained_in_plain_words():
    result = run("2026-08-03", "60", "cal", "--calendar", "CN")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:4] == [
        "60 calendar days from Mon 2026-08-03, calendar CN; the day after it is day 1.",
        "Nominal end: Fri 2026-10-02",
        "Deadline:    Thu 2026-10-08",
        "Promise:     Wed 2026-09-30 (the latest a resident should be told)",
    ]
    assert "  - Not worked: Thu 2026-10-01 to Sat 2026-10-03 (National Day)." in result.stdout
    assert "Fri 2026-10-02 is a rest day, so the deadline moves to Thu 2026-10-08." in result.stdout


def test_made_up_days_and_unpublished_years_are_named():
    assert "Worked although it is a weekend: Sat 2026-10-10." in run("2026-09-28", "5", "wd").stdout
    assert "Provisional: the rest days of 2027" in run("2026-11-23", "60", "cal").stdout
    assert "the promise" not in run("2026-10-01", "3", "cal").stdout.lower().split("promise:")[0]
    assert "The promise lies before the start" in run("2026-10-01", "3", "cal").stdout


def test_the_explanation_speaks_chinese():
    said = run("2025-12-19", "60", "cal", "--extend", "30", "--lang", "zh").stdout
    assert "从 2025-12-19 周五 起 60 个自然日，日历 CN；次日算第 1 天。" in said
    assert "截止日：    2026-02-24 周二" in said
    assert "不上班：2026-02-17 周二 至 2026-02-19 周四（春节）。" in said
    assert "周末补班，照常计算：2026-02-14 周六。" in said
    assert "延长 30 个自然日，从名义届满日 2026-02-17 周二 起算：" in said
    assert "名义届满日：2026-03-19 周四" in said


def test_one_deadline_as_json_carries_its_steps_and_extension():
    end = json.loads(run("2025-12-19", "60", "cal", "--extend", "30", "--json").stdout)
    assert (end["nominal"], end["effective"]) == ("2026-02-17", "2026-02-24")
    assert end["extended"]["nominal"] == end["extended"]["effective"] == "2026-03-19"
    assert {
        "kind": "rolled",
        "first_on": "2026-02-17",
        "last_on": "2026-02-24",
        "why": None,
        "name": "",
    } in end["steps"]


def test_an_office_calendar_moves_the_dates_and_can_confirm_a_year(tmp_path):
    file = tmp_path / "office.csv"
    file.write_text("date,kind,name\n2027-01-22,rest,县庆日\n2027,confirmed,\n", encoding="utf-8-sig")
    end = json.loads(run("2026-11-23", "60", "cal", "--overrides", str(file), "--json").stdout)
    assert (end["nominal"], end["effective"], end["provisional"]) == ("2027-01-22", "2027-01-25", False)
    assert "(县庆日)" in run("2026-11-23", "60", "cal", "--overrides", str(file)).stdout
    file.write_text("date,kind,name\n2027-01-22,off,\n", encoding="utf-8")
    result = run("2026-11-23", "60", "cal", "--overrides", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "line 2, column kind" in result.stderr


def test_a_bad_argument_is_named_with_its_remedy():
    result = run("2026-13-01", "x", "cla", "--calendar", "GB-LON")
    assert result.exit_code == 2
    for word in ("argument anchor_date", "argument amount", "argument unit", "argument calendar"):
        assert word in result.stderr
    late = run("2026-01-01T10:00", "2", "h", "--extend", "3")
    assert (late.exit_code, "Extend a limit in days" in late.stderr) == (2, True)


def test_a_table_in_words_has_one_block_for_each_row():
    said = run("--csv", "-", stdin=HEADER + "2026-08-03,cal,60,,,\n2026-09-28,wd,5,,,\n").stdout
    assert [block.splitlines()[0][:10] for block in said.split("\n\n")] == ["60 calenda", "5 working "]


def test_both_languages_can_say_everything():
    for table in (SAID, WORDS, AMOUNTS):
        assert set(table["en"]) == set(table["zh"])
    for table in (LINE, COLUMN, STDIN, ARGUMENT, WEEKDAYS):
        assert set(table) == {"en", "zh"}


@pytest.mark.parametrize(
    ("start", "calendar", "end"),
    [
        ("2026-03-29T00:30", "GB-ENG", "2026-03-29T02:30:00"),  # 01:30 is not shown that night
        ("2026-03-29T01:30", "GB-ENG", "2026-03-29T03:30:00"),  # nor does it begin one
        ("2026-10-25T01:30", "GB-ENG", "2026-10-25T01:30:00"),  # shown twice: the first, and an hour later
        ("2026-03-08T01:30", "US-CA", "2026-03-08T03:30:00"),
        ("2026-03-29T00:30", "CN", "2026-03-29T01:30:00"),
        ("2026-03-29T00:30Z", "GB-ENG", "2026-03-29T01:30:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_read_off_the_wall_where_the_calendar_holds(start, calendar, end):
    [found] = ends_of(HEADER + f"{start},h,1,next_day,forward,{calendar}\n")
    assert (found["nominal"], found["effective"]) == (end, end)


def test_the_words_follow_the_locale_and_the_option_overrides_it(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "截止日" in run("2026-08-03", "60", "cal").stdout
    assert "Deadline:" in run("2026-08-03", "60", "cal", "--lang", "en").stdout
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "Deadline:" in run("2026-08-03", "60", "cal").stdout


def test_every_zone_of_the_table_exists_and_belongs_to_a_calendar():
    for code in ZONES:
        assert zone_of(code) is not None
        assert WorkCalendar(code=code)
