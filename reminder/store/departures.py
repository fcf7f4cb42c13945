"""Reminders on their way out: put off, about to leave, taken on by the provider, never heard of again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.domain.errors import Stale
from reminder.domain.people import Channel
from reminder.domain.reminders import State
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A reminder that is about to be handed over, by its `n`-th attempt; `sealed` are its words."""

    reminder_id: int
    token: str
    n: int
    told: dict[str, Any]
    sealed: bytes


async def postpone(tx: Tx, until: Sequence[tuple[int, datetime, str]]) -> None:
    """(reminder, not before, reason) of planned rows that have to wait."""
    await _OF_PLANNED.run_many(tx, [{"which": n, "send_after": at, "reason": why} for n, at, why in until])


_PLANNED = (t.reminders.c.id == sa.bindparam("which")) & (t.reminders.c.state == State.PLANNED.value)
_OF_PLANNED = Prepared(sa.update(t.reminders).where(_PLANNED))


async def leave(tx: Tx, leaving: Sequence[Departure], *, now: datetime, lease_until: datetime) -> None:
    """Write down that we are about to send, and what. Raises Stale if one of them is planned no more."""
    rows = [
        {"which": one.reminder_id, "token": one.token, "attempts": one.n, "told": one.told} for one in leaving
    ]
    same = {"state": State.SENDING.value, "lease_until": lease_until, "reason": ""}
    if await _OF_PLANNED.run_many(tx, rows, **same) != len(rows):
        raise Stale("reminder.moved_on")
    attempts = [
        {"token": one.token, "reminder_id": one.reminder_id, "n": one.n, "sealed": one.sealed}
        for one in leaving
    ]
    await _ADD_ATTEMPT.run_many(tx, attempts, started_at=now)


_ADD_ATTEMPT = Prepared(sa.insert(t.attempts))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Of a reminder that waits for the answer to its current attempt, what is told when it simply went."""

    id: int
    token: str
    case_id: int | None
    channel: str
    kind: str


async def under_way(tx: Tx, tokens: Sequence[str]) -> list[UnderWay]:
    """Those whose current attempt is one of these and still waits for its answer."""
    return await _UNDER_WAY.made(tx, UnderWay, tokens=list(tokens))


_UNDER_WAY = Prepared(
    sa.select(*(t.reminders.c[name] for name in UnderWay.__dataclass_fields__)).where(
        t.reminders.c.token.in_(each("tokens")), t.reminders.c.state == State.SENDING.value
    )
)


async def taken_on(tx: Tx, taken: Mapping[UnderWay, str], *, now: datetime) -> None:
    """The provider has each, by an id of its own. Raises Stale if one waits for its answer no more."""
    rows = [
        {
            "which": one.id,
            "provider_id": provider_id,
            # Telegram knows no receipts: sent is as far as it goes.
            "ended_at": now if one.channel == Channel.TELEGRAM else None,
        }
        for one, provider_id in taken.items()
    ]
    sent = {"state": State.SENT.value, "sent_at": now, "reason": ""}
    if await _TAKEN_ON.run_many(tx, rows, **sent) != len(rows):
        raise Stale("reminder.moved_on")
    ended = [{"this": one.token, "provider_id": provider_id} for one, provider_id in taken.items()]
    await _END_ATTEMPTS.run_many(tx, ended, ended_at=now)


_TAKEN_ON = Prepared(
    sa.update(t.reminders).where(
        t.reminders.c.id == sa.bindparam("which"), t.reminders.c.state == State.SENDING.value
    )
)
_END_ATTEMPTS = Prepared(
    sa.update(t.attempts)
    .where(t.attempts.c.token == sa.bindparam("this"))
    .values(outcome="accepted", code="")
)


async def end_attempt(tx: Tx, token: str, *, outcome: str, code: str, provider_id: str, at: datetime) -> None:
    ended = {"outcome": outcome, "code": code, "provider_id": provider_id, "ended_at": at}
    await _END_ATTEMPT.run(tx, which=token, **ended)


_END_ATTEMPT = Prepared(sa.update(t.attempts).where(t.attempts.c.token == sa.bindparam("which")))


async def end_silent(tx: Tx, state: State, *, sent_before: datetime, now: datetime) -> int:
    """Texts the provider never gave a receipt for."""
    ended = {"state": state.value, "reason": "no_receipt", "ended_at": now}
    return len(await _SILENT.scalars(tx, before=sent_before, **ended))


_SILENT = Prepared(
    sa.update(t.reminders)
    .where(t.reminders.c.state == State.SENT.value, t.reminders.c.channel == "sms")
    .where(t.reminders.c.sent_at <= sa.bindparam("before"))
    .returning(t.reminders.c.id)
)
