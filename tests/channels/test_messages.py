"""What the words at the port promise."""

import itertools
import subprocess
import sys
from dataclasses import fields
from datetime import timedelta
from typing import get_args

import pytest

from reminder.channels import telegram_errors, twilio_errors
from reminder.domain.messages import Button, Declined, News, Outgoing, Refusal, Status, advances
from reminder.domain.people import Channel


def test_a_button_carries_at_most_64_bytes() -> None:
    assert Button(label="完成", data="x" * 64).data
    assert Button(label="完成", data="完" * 21).data
    for data in ("", "x" * 65, "完" * 22):
        with pytest.raises(ValueError, match="1-64 bytes"):
            Button(label="完成", data=data)
    with pytest.raises(ValueError, match="label"):
        Button(label=" ", data="x")


@pytest.mark.parametrize("token", ["", "a b", "a/b", "a%2Fb", "a&m=b", "办", "a\n", "x" * 65])
def test_a_token_is_spelt_in_one_way_only(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        Outgoing(token=token, channel=Channel.SMS, to="+12025550142", text="x")


def test_a_logged_message_names_nobody_and_tells_nothing() -> None:
    message = Outgoing(
        token="attempt",
        channel=Channel.SMS,
        to="+12025550142",
        text="secret",
        buttons=((Button(label="secret", data="secret"),),),
        validity=timedelta(hours=1),
    )
    told = repr(message) + repr(Declined(reason=Refusal.MOVED, code="migrated", address="-100777"))
    assert "attempt" in told
    assert not [hidden for hidden in ("2025550142", "secret", "100777") if hidden in told]


@pytest.mark.parametrize("order", list(itertools.permutations(Status)))
@pytest.mark.failure(13)
def test_receipts_in_any_order_and_number_end_in_a_final_status_and_stay_there(
    order: tuple[Status, ...],
) -> None:
    known: Status | None = None
    final: Status | None = None
    for status in (*order, *order):
        if advances(known, status):
            assert final is None
            known = status
        if known is not None and known.rank == Status.DELIVERED.rank:
            final = final or known
    assert known == final == next(status for status in order if status.rank == 2)


def test_no_news_is_of_two_kinds() -> None:
    kinds = get_args(News)
    assert len(set(kinds)) == len(kinds)
    assert all(fields(kind) for kind in kinds)


def test_every_refusal_is_told_by_some_provider() -> None:
    rows = (*telegram_errors.TABLE, *telegram_errors.FIXED, *twilio_errors.TABLE.values())
    assert {row.outcome for row in rows} == {*Refusal, None}


def test_the_heavy_client_libraries_are_loaded_only_when_used() -> None:
    names = (
        "reminder.domain.messages reminder.channels.twilio reminder.channels.memory reminder.web.signature"
    )
    heavy = "{'twilio', 'aiohttp', 'telegram'}"
    code = f"import sys, {', '.join(names.split())}\nprint(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
