"""Do limits end where the law and the published examples say, and tell how they got there?"""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.deadlines import StepKind, after_working, before, deadline, extend
from reminder.domain.errors import Refused
from reminder.domain.limits import CountFrom, Limit, Roll, Unit
from reminder.domain.workdays import RestKind, WorkCalendar

CN = WorkCalendar()
DAY = timedelta(days=1)
D = date.fromisoformat
GOLDEN = list(csv.DictReader((Path(__file__).parent / "golden_deadlines.csv").read_text().splitlines()))
UNITS = {"calendar_day": Unit.CAL, "working_day": Unit.WD}

TABLE = [
    ("cal", "2025-12-16", 60, "2026-02-14", "2026-02-14"),
    ("cal", "2025-12-19", 60, "2026-02-17", "2026-02-24"),
    ("cal", "2026-07-22", 60, "2026-09-20", "2026-09-20"),
    ("cal", "2026-08-03", 60, "2026-10-02", "2026-10-08"),
    ("cal", "2026-04-20", 15, "2026-05-05", "2026-05-06"),
    ("cal", "2026-09-10", 15, "2026-09-25", "2026-09-28"),
    ("wd", "2026-02-12", 5, "2026-02-26", "2026-02-26"),
    ("wd", "2026-09-28", 5, "2026-10-10", "2026-10-10"),
    ("wd", "2026-04-30", 5, "2026-05-11", "2026-05-11"),
    ("wd", "2026-01-30", 10, "2026-02-13", "2026-02-13"),
]


def cal(amount: int) -> Limit:
    return Limit(amount, Unit.CAL)


@pytest.mark.parametrize(
    "row", GOLDEN, ids=lambda row: f"{row['anchor_date']}+{row['amount']}{row['unit'][0]}"
)
def test_the_golden_deadlines_hold(row):
    due = deadline(D(row["anchor_date"]), Limit(int(row["amount"]), UNITS[row["unit"]]), CN)
    assert due.effective == D(row["effective_due_rolled_forward"])
    assert due.nominal == D(row["nominal_due"] or row["effective_due_rolled_forward"])
    assert due.promise == CN.back(due.nominal) <= due.nominal
    assert not due.provisional


@pytest.mark.parametrize(("unit", "anchor", "n", "nominal", "effective"), TABLE)
def test_the_worked_examples_hold(unit, anchor, n, nominal, effective):
    due = deadline(D(anchor), Limit(n, Unit(unit)), CN)
    assert (due.nominal, due.effective) == (D(nominal), D(effective))


def test_an_extension_counts_from_the_nominal_end():
    due = deadline(D("2025-12-19"), cal(60), CN)
    assert (due.nominal, due.effective) == (D("2026-02-17"), D("2026-02-24"))
    longer = extend(due, 30, CN)
    assert (longer.nominal, longer.effective) == (D("2026-03-19"), D("2026-03-19"))


def test_rolling_goes_forward_back_or_nowhere():
    ends = [deadline(D("2026-08-03"), cal(60), CN, roll=roll).effective for roll in Roll]
    assert ends == [D("2026-10-08"), D("2026-10-02"), D("2026-09-30")]


def test_the_promise_is_the_last_working_day_not_after_the_nominal_end():
    assert deadline(D("2026-08-03"), cal(60), CN).promise == D("2026-09-30")
    assert deadline(D("2026-08-03"), cal(60), CN, roll=Roll.NONE).promise == D("2026-09-30")


def test_an_earlier_promise_of_the_office_wins_and_a_later_one_does_not():
    assert deadline(D("2026-08-03"), cal(15), CN, promise=Limit(5, Unit.WD)).promise == D("2026-08-10")
    assert deadline(D("2026-08-03"), cal(15), CN, promise=Limit(50, Unit.WD)).promise == D("2026-08-18")


def test_counting_from_the_same_day_makes_the_anchor_the_first_day():
    def ends(text: str, day: str = "2026-09-28") -> date:
        return deadline(D(day), Limit.parse(text), CN, count_from=CountFrom.SAME_DAY).nominal

    assert ends("7 cal", "2026-03-02") == D("2026-03-08")
    assert ends("1 wd") == D("2026-09-28")
    assert ends("3 wd") == D("2026-09-30")
    assert ends("1 wd", "2026-10-01") == D("2026-10-08")
    assert ends("0 cal") == ends("1 cal") == D("2026-09-28")
    assert ends("1 month", "2026-03-01") == D("2026-03-31")
    assert ends("1 month", "2026-01-31") == D("2026-02-28")


@pytest.mark.parametrize(
    ("anchor", "months", "nominal"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-15", 12, "2027-12-15"),
        ("2026-05-20", 0, "2026-05-20"),
    ],
)
@pytest.mark.failure(7)
def test_months_end_on_the_corresponding_day_or_the_month_end(anchor, months, nominal):
    assert deadline(D(anchor), Limit(months, Unit.MONTH), CN).nominal == D(nominal)


@given(anchor=st.dates(D("2000-01-01"), D("2050-12-31")), months=st.integers(1, 60))
@pytest.mark.failure(7)
def test_months_never_drift_from_the_anchor_day(anchor, months):
    end = deadline(anchor, Limit(months, Unit.MONTH), CN, roll=Roll.NONE).nominal
    assert (end.year * 12 + end.month) - (anchor.year * 12 + anchor.month) == months
    assert end.day == anchor.day or ((end + DAY).day == 1 and end.day < anchor.day)


def test_hours_run_through_a_holiday_and_never_roll():
    start = datetime(2026, 10, 1, 2, tzinfo=UTC)
    due = deadline(start, Limit(24, Unit.HOUR), CN, promise=Limit(120, Unit.MINUTE))
    assert due.nominal == due.effective == start + timedelta(hours=24)
    assert due.promise == start + timedelta(hours=2)
    assert not due.provisional
    assert due.steps == ()


def test_hours_are_real_hours_across_a_change_of_clocks():
    london = ZoneInfo("Europe/London")
    due = deadline(datetime(2026, 3, 28, 12, tzinfo=london), Limit(24, Unit.HOUR), CN)
    assert due.nominal.isoformat() == "2026-03-29T13:00:00+01:00"
    naive = deadline(datetime(2026, 3, 28, 12), Limit(90, Unit.MINUTE), CN)  # noqa: DTZ001
    assert naive.nominal.isoformat() == "2026-03-28T13:30:00"


@pytest.mark.parametrize(
    ("anchor", "limit", "promise", "key"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), cal(1), None, "limit_needs_day"),
        (D("2026-01-01"), Limit(1, Unit.HOUR), None, "limit_needs_time"),
        (D("2026-01-01"), cal(-1), None, "limit_out_of_range"),
        (D("2026-01-01"), cal(10**9), None, "limit_out_of_range"),
        (datetime(2026, 1, 1, tzinfo=UTC), Limit(10**9, Unit.HOUR), None, "limit_out_of_range"),
        (D("2026-01-01"), cal(1), Limit(1, Unit.HOUR), "promise_other_sort"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(anchor, limit, promise, key):
    with pytest.raises(Refused) as refusal:
        deadline(anchor, limit, CN, promise=promise)
    assert refusal.value.key == key


def test_hours_cannot_be_extended_by_days():
    due = deadline(datetime(2026, 1, 1, tzinfo=UTC), Limit(1, Unit.HOUR), CN)
    with pytest.raises(Refused, match="extension_needs_day"):
        extend(due, 3, CN)


@pytest.mark.parametrize(
    ("anchor", "limit", "years"),
    [
        ("2026-11-01", "60 cal", ()),
        ("2026-11-02", "60 cal", (2027,)),
        ("2026-12-25", "3 wd", ()),
        ("2026-12-25", "10 wd", (2027,)),
        ("2026-12-20", "30 month", (2029,)),
    ],
)
@pytest.mark.failure(22)
def test_a_deadline_is_provisional_only_if_an_unpublished_year_can_move_it(anchor, limit, years):
    due = deadline(D(anchor), Limit.parse(limit), CN)
    assert due.provisional_years == years
    assert due.provisional == bool(years)


def test_a_promise_in_working_days_is_provisional_if_it_counts_through_an_unpublished_year():
    calendar = WorkCalendar(confirmed_years=frozenset({2028}))
    assert deadline(D("2027-12-29"), cal(15), calendar).provisional_years == ()
    promised = deadline(D("2027-12-29"), cal(15), calendar, promise=Limit(5, Unit.WD))
    assert promised.provisional_years == (2027,)


def test_the_steps_tell_what_was_skipped_made_up_and_rolled():
    steps = deadline(D("2026-02-12"), Limit(5, Unit.WD), CN).steps
    made_up = [step.first_on for step in steps if step.kind is StepKind.MADE_UP]
    skipped = [step for step in steps if step.kind is StepKind.SKIPPED]
    assert made_up == [D("2026-02-14")]
    assert sum((step.last_on - step.first_on).days + 1 for step in skipped) == 9
    assert {step.why for step in skipped} == {RestKind.WEEKEND, RestKind.HOLIDAY}
    assert "Chinese New Year (Spring Festival)" in {step.name for step in skipped}
    rolled = [s for s in deadline(D("2026-08-03"), cal(60), CN).steps if s.kind is StepKind.ROLLED]
    assert [(s.first_on, s.last_on) for s in rolled] == [(D("2026-10-02"), D("2026-10-08"))]


def test_the_steps_tell_of_month_ends_unpublished_years_and_pulled_promises():
    kinds = {step.kind for step in deadline(D("2027-01-31"), Limit(1, Unit.MONTH), CN).steps}
    assert kinds == set(StepKind) - {StepKind.MADE_UP}


def test_reminder_days_pull_back_to_work_and_overdue_days_count_work():
    due_on = D("2026-10-08")
    assert [before(due_on, k, CN) for k in (7, 3, 1, 0)] == [D("2026-09-30")] * 3 + [due_on]
    assert [after_working(due_on, n, CN) for n in (1, 3, 5)] == [
        D("2026-10-09"), D("2026-10-12"), D("2026-10-14"),
    ]  # fmt: skip
