"""No span of time holds more messages than its rate says; a flood is one chat's until three speak."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.breakers import (
    OPENS_AFTER,
    PAUSES,
    Blame,
    Breaker,
    Floods,
    Position,
    blame,
)
from reminder.domain.messages import Accepted, Answer, Declined, NotSent, Refusal, Unknown
from reminder.domain.rates import TELEGRAM, Bucket, Rate, of_texts
from reminder.domain.storms import Reading, agrees, jumped, most_at_once, was_away

NOW = datetime(2026, 11, 25, 8, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@given(st.lists(st.floats(0, 2), max_size=200), st.integers(1, 30), st.floats(0.1, 5))
def test_no_span_holds_more_than_the_rate_says(gaps: list[float], most: int, per: float) -> None:
    bucket, now, left = Bucket(rate=Rate(most=most, per=per)), 0.0, []
    for gap in gaps:
        now += gap
        if bucket.room(now) > 0:
            bucket = bucket.take(now)
            left.append(now)
    for first in left:
        assert sum(first <= at < first + per * 0.999999 for at in left) <= most


def test_the_bucket_says_when_there_is_room_again() -> None:
    bucket = Bucket(rate=Rate(most=2, per=1.0)).take(10.0).take(10.25)
    assert (bucket.room(10.5), bucket.free_at(10.5)) == (0, 11.0)
    assert (bucket.room(11.0), bucket.room(11.25)) == (1, 2)
    assert bucket.free_at(11.0) == 11.0
    assert Bucket(rate=Rate(most=1, per=1.0)).take(1.0, 3).free_at(1.5) == 2.0


def test_the_rates_are_the_providers_own() -> None:
    assert TELEGRAM.channel.most / TELEGRAM.channel.per <= 30
    private, group = TELEGRAM.of("700001"), TELEGRAM.of("-1001")
    assert private is not None
    assert group is not None
    assert (private.most, private.per, group.most, group.per) == (1, 1.0, 20, 60.0)
    assert of_texts(1).of("+12025550142") is None
    with pytest.raises(ValueError, match="at least one"):
        Rate(most=0, per=1.0)


DOWN = [Unknown(reason="deadline"), Unknown(reason="http_503"), NotSent(reason="ConnectError")]
SPOKE: list[Answer] = [
    Accepted(provider_id="1"),
    NotSent(reason="flood"),
    NotSent(reason="http_429"),
    NotSent(reason="code_30001"),
    Declined(reason=Refusal.BLOCKED, code="blocked"),
    Declined(reason=Refusal.OPTED_OUT, code="21610"),
]
ACCOUNT = Declined(reason=Refusal.CONFIG, code="20003")


@pytest.mark.parametrize("answer", DOWN)
def test_failures_one_after_another_open_it_and_one_success_between_does_not(answer: Answer) -> None:
    assert blame(answer) is Blame.FAULT
    breaker = Breaker()
    for _ in range(OPENS_AFTER - 1):
        breaker = breaker.after(answer, NOW)
    assert breaker.position(NOW) is Position.CLOSED
    assert breaker.after(answer, NOW).position(NOW) is Position.OPEN
    again = breaker.after(Accepted(provider_id="1"), NOW).after(answer, NOW)
    assert again.position(NOW) is Position.CLOSED


@pytest.mark.parametrize("answer", SPOKE)
def test_a_provider_that_speaks_is_not_down(answer: Answer) -> None:
    opened = _opened()
    assert opened.after(answer, NOW + PAUSES[0]) == Breaker()


def test_each_failed_trial_makes_the_pause_longer_and_a_good_one_ends_it() -> None:
    breaker, now, pauses = _opened(), NOW, []
    for _ in range(len(PAUSES) + 1):
        assert breaker.until is not None
        pauses.append(breaker.until - now)
        assert breaker.position(breaker.until - SECOND) is Position.OPEN
        now = breaker.until
        assert breaker.position(now) is Position.TRYING
        breaker = breaker.after(Unknown(reason="deadline"), now)
    assert pauses == [*PAUSES, PAUSES[-1]]
    assert breaker.after(Accepted(provider_id="1"), now + PAUSES[-1]) == Breaker()


def test_answers_of_calls_from_before_do_not_make_the_pause_longer() -> None:
    opened = _opened()
    assert opened.after(Unknown(reason="deadline"), NOW) == opened
    assert opened.after(ACCOUNT, NOW) == opened


def test_an_account_that_is_refused_stops_everything_at_once_but_one_number_does_not() -> None:
    opened = Breaker().after(ACCOUNT, NOW)
    assert (opened.position(NOW), opened.why, opened.account) == (Position.OPEN, "20003", True)
    region = Declined(reason=Refusal.CONFIG, code="21408")
    assert Breaker().after(region, NOW) == Breaker()


def _opened() -> Breaker:
    breaker = Breaker()
    for _ in range(OPENS_AFTER):
        breaker = breaker.after(Unknown(reason="deadline"), NOW)
    return breaker


def test_one_chats_flood_is_its_own_and_three_within_ten_seconds_are_everybodys() -> None:
    wait = timedelta(seconds=7)
    floods = Floods()
    for _ in range(5):
        floods = floods.after("1", wait, NOW)
    assert floods.until is None
    floods = floods.after("2", wait, NOW + SECOND)
    assert floods.until is None
    assert floods.after("3", wait, NOW + 2 * SECOND).until == NOW + 9 * SECOND
    assert floods.after("3", wait, NOW + 12 * SECOND).until is None
    assert Floods(chats=1).after("1", wait, NOW).until == NOW + wait


@pytest.mark.failure(5)
def test_only_a_clock_that_runs_ahead_of_time_has_jumped() -> None:
    before = Reading(wall=NOW, monotonic=100.0)
    hour = timedelta(hours=1)
    assert jumped(before, Reading(wall=NOW + hour, monotonic=100.0)) == hour
    assert not jumped(before, Reading(wall=NOW + hour, monotonic=3700.0))
    assert not jumped(before, Reading(wall=NOW + timedelta(minutes=5), monotonic=100.0))
    assert not jumped(before, Reading(wall=NOW - hour, monotonic=100.0))
    assert agrees(NOW, NOW + timedelta(minutes=5))
    assert not agrees(NOW, NOW - timedelta(minutes=6))


def test_what_is_usual_at_this_hour_is_believed() -> None:
    assert (most_at_once(0), most_at_once(10), most_at_once(40)) == (50, 50, 200)
    assert not was_away(None, NOW)
    assert not was_away(NOW - timedelta(minutes=30), NOW)
    assert was_away(NOW - timedelta(minutes=31), NOW)
