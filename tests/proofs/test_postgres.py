"""The same deaths with the office on PostgreSQL: each place of a delivery, once, several in one morning."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.postgres import Server
from tests.proofs.deaths import Outcome, death
from tests.proofs.morning import Setting, prepared
from tests.proofs.moulds import Mould
from tests.proofs.places import HEARING, MORNING, SENDING, of
from tests.proofs.served import ServedOffice
from tests.proofs.simulation import simulate

pytestmark = pytest.mark.kill

MORNINGS = (
    "call.sms.before webhook.before_verify inbox.before inbox.before_commit inbox.after",
    "result.after_begin result.before_commit result.after_commit",
    "call.sms.connected webhook.after_verify",
    "call.sms.writing webhook.before_commit optout.before_row optout.after_row optout.after_reply",
    "call.sms.half_read call.telegram.before call.telegram.connected call.telegram.half_written",
    "call.sms.read call.telegram.written call.telegram.half_read",
    "call.sms.after_answer call.telegram.read call.telegram.after_answer",
    "claim.before_begin claim.before_select claim.after_intent claim.before_commit claim.after_commit"
    " webhook.after_commit",
    "settle.before_list settle.after_list settle.before_adopt settle.before_commit",
    "settle.before_resend",
    "settle.before_giving_up",
)
"""Who goes on after the first death dies at the second place, and so on: most of a morning is waiting.

The later place is still ahead then: what is killed before a text has left sends it again.
"""

AT_ONCE = 10


async def test_killed_wherever_it_sends_or_hears_it_loses_nothing_and_doubles_nothing(
    postgres_server: Server, tmp_path: Path
) -> None:
    setting, at_once = Setting(mould=Mould(prepared, postgres_server)), asyncio.Semaphore(AT_ONCE)

    async def deaths(places: list[str]) -> list[Outcome]:
        """What a morning has over before it comes to it gets another one."""
        first, *then = places
        one = await death(tmp_path / first, first, at_once=at_once, setting=setting, then=then)
        if one.died or one.place == first:
            return [one]
        return [replace(one, died=True), *await deaths(places[places.index(one.place) :])]

    mornings = await asyncio.gather(*(deaths(places.split()) for places in MORNINGS))
    found = [one for several in mornings for one in several]
    assert [one.place for one in found if not one.died] == [], "never passed"
    assert [fault for one in found for fault in one.faults] == []


def test_every_place_of_sending_and_hearing_is_among_them() -> None:
    wanted = [place for place in of(MORNING) if place.split(".")[0] in {*SENDING, *HEARING}]
    assert sorted(" ".join(MORNINGS).split()) == sorted(wanted)


def test_in_any_weather_what_must_hold_holds_on_a_server_too(
    postgres_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServedOffice, "server", postgres_server, raising=False)
    found = simulate(ServedOffice.fresh(tmp_path), tmp_path, "1", 4, kind=ServedOffice)
    assert found.breaks == []
    assert found.vacuous() == []
    assert found.fired["statement fails"] + found.fired["commit fails"] + found.fired["death at a boundary"]
