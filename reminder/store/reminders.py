"""Reminder rows: what fell due, who claimed it, how each attempt ended. State moves are compare-and-set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.domain.errors import Stale
from reminder.domain.planning import Told
from reminder.domain.reminders import HEARD, MOVES, State
from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each, written_once
from reminder.store.seal import Sealer
from reminder.store.types import members


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One message to one recipient. Exactly one of `person_id` and `resident_id` is set."""

    id: int
    key: str
    entry_id: int | None
    case_id: int | None
    revision: int
    step: str
    person_id: int | None
    resident_id: int | None
    phone_id: int | None
    channel: str
    kind: str
    due_at: datetime
    send_after: datetime
    useless_at: datetime | None
    state: State
    reason: str
    digest_id: int | None
    attempts: int
    token: str | None
    lease_until: datetime | None
    provider_id: str
    sent_at: datetime | None
    ended_at: datetime | None
    told: Mapping[str, Any]
    detail: Mapping[str, Any]
    repeated: bool

    @property
    def recipient(self) -> str:
        if self.person_id is not None:
            return f"person:{self.person_id}"
        return f"resident:{self.resident_id}" if self.resident_id is not None else f"phone:{self.phone_id}"

    @property
    def line(self) -> str:
        """Where it arrives: of two messages there the earlier one leaves first."""
        return f"phone:{self.phone_id}" if self.phone_id is not None else self.recipient


columns = members(t.reminders, state=State)


async def add(tx: Tx, **values: Any) -> int | None:
    """Insert, unless a reminder with this key exists: then None (it was done before)."""
    values.setdefault("told", {})
    values.setdefault("detail", {})
    found: int | None = await _ADD(tx.dialect.name).scalar(tx, **values)
    return found


_ADD = written_once(t.reminders, ["key"], t.reminders.c.id)


async def add_all(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """As `add`, in one trip; what a row does not say is as in a row that says nothing."""
    await _ADD_ALL(tx.dialect.name).run_many(tx, [{**_UNSAID, **row} for row in rows])


_UNSAID: Mapping[str, Any] = {
    **dict.fromkeys(("person_id", "resident_id", "phone_id", "useless_at", "digest_id", "ended_at")),
    "reason": "",
    "told": {},
    "detail": {},
}
_ADD_ALL = written_once(t.reminders, ["key"])


def _some(*where: Any) -> Prepared:
    return Prepared(sa.select(*columns).where(*where).order_by(t.reminders.c.id).limit(MOST))


MOST = 1000
"""Rows of one question."""


async def one(tx: Tx, reminder_id: int) -> Reminder | None:
    return next(iter(await _ONE.made(tx, Reminder, id=reminder_id)), None)


_ONE = _some(t.reminders.c.id == sa.bindparam("id"))


async def by_key(tx: Tx, key: str) -> Reminder | None:
    return next(iter(await _BY_KEY.made(tx, Reminder, key=key)), None)


_BY_KEY = _some(t.reminders.c.key == sa.bindparam("key"))


async def by_token(tx: Tx, token: str) -> Reminder | None:
    """The reminder an attempt belonged to, also when a later attempt has taken over."""
    return next(iter(await _BY_TOKEN.made(tx, Reminder, token=token)), None)


_BY_TOKEN = _some(
    t.reminders.c.id.in_(
        sa.select(t.attempts.c.reminder_id).where(t.attempts.c.token == sa.bindparam("token"))
    )
)


async def planned(tx: Tx, case_id: int) -> list[Reminder]:
    """A case's messages that wait to go, oldest first."""
    return await _PLANNED.made(tx, Reminder, case=case_id)


_PLANNED = _some(t.reminders.c.case_id == sa.bindparam("case"), t.reminders.c.state == State.PLANNED.value)


IS_KNOWN = t.reminders.c.provider_id != sa.literal_column("''")
"""In the words of the index of provider ids."""


async def by_provider(tx: Tx, channel: str, provider_id: str) -> Reminder | None:
    where = (t.reminders.c.provider_id == provider_id, t.reminders.c.channel == channel)
    return _first(await some(tx, *where, IS_KNOWN))


def _first(rows: list[Reminder]) -> Reminder | None:
    return rows[0] if rows else None


async def some(tx: Tx, *where: Any, limit: int = MOST) -> list[Reminder]:
    query = sa.select(*columns).where(*where).order_by(t.reminders.c.id).limit(limit)
    return [Reminder(**row) for row in (await tx.execute(query)).mappings()]


async def ready(tx: Tx, now: datetime, limit: int, channel: str, since: datetime) -> list[Reminder]:
    """Planned rows whose moment has come `since` then, earliest first; locked where the database can."""
    return await _READY.made(tx, Reminder, now=now, channel=channel, limit=limit, since=since)


_READY = Prepared(
    sa.select(*columns)
    .where(t.reminders.c.state == State.PLANNED.value, t.reminders.c.send_after <= sa.bindparam("now"))
    .where(t.reminders.c.channel == sa.bindparam("channel"))
    .where(t.reminders.c.send_after >= sa.bindparam("since"))
    .order_by(t.reminders.c.send_after, t.reminders.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)


async def next_send_at(tx: Tx) -> datetime | None:
    found: datetime | None = await _NEXT_SEND.scalar(tx)
    return found


_NEXT_SEND = Prepared(
    sa.select(sa.func.min(t.reminders.c.send_after)).where(t.reminders.c.state == State.PLANNED.value)
)


async def move(tx: Tx, reminder_id: int, old: State, new: State, **values: Any) -> None:
    """One allowed move. Raises Stale if the row is not in `old` any more: somebody else was faster."""
    if new not in MOVES.get(old, frozenset()):
        raise AssertionError(f"no move from {old} to {new}")
    if await _MOVE.row(tx, which=reminder_id, was=old.value, state=new.value, **values) is None:
        raise Stale("reminder.moved_on")


_MOVE = Prepared(
    sa.update(t.reminders)
    .where(t.reminders.c.id == sa.bindparam("which"), t.reminders.c.state == sa.bindparam("was"))
    .returning(t.reminders.c.id)
)


async def update(tx: Tx, reminder_id: int, **values: Any) -> None:
    """Fields beside the state."""
    await _UPDATE.run(tx, which=reminder_id, **values)


_UPDATE = Prepared(sa.update(t.reminders).where(t.reminders.c.id == sa.bindparam("which")))


async def cancel_unsent(
    tx: Tx, entry_ids: Sequence[int], state: State, reason: str, at: datetime
) -> list[int]:
    """End rows that have not left the house; rows under way keep going and are corrected afterwards."""
    ended = {"state": state.value, "reason": reason, "ended_at": at}
    return await _CANCEL.scalars(tx, entries=list(entry_ids), **ended)


_CANCEL = Prepared(
    sa.update(t.reminders)
    .where(t.reminders.c.entry_id.in_(each("entries")), t.reminders.c.state == State.PLANNED.value)
    .returning(t.reminders.c.id)
)


async def again(tx: Tx, entry_id: int, revision: int, *, since: datetime) -> None:
    """Plan anew what was cancelled unsent at or after `since`: the deed that cancelled it was undone."""
    where = (t.reminders.c.entry_id == entry_id, t.reminders.c.ended_at >= since)
    for row in await some(tx, *where, t.reminders.c.state == State.CANCELLED.value):
        values = {name: getattr(row, name) for name in Reminder.__dataclass_fields__ if name != "id"}
        values |= {"state": State.PLANNED.value, "reason": "", "ended_at": None, "token": None}
        entry, _, rest = row.key.split("/", 2)
        await add(tx, **(values | {"revision": revision, "key": f"{entry}/{revision}/{rest}"}))


async def told(tx: Tx, entry_ids: Sequence[int]) -> dict[int, list[Told]]:
    """What recipients of each entry have, or may have, heard, in the order it left.

    That is the order of the entry's revisions: a text of an older one never leaves after a newer one exists.
    """
    return told_in(await _TOLD.made(tx, Reminder, entries=list(entry_ids)))


def told_in(rows: Iterable[Reminder]) -> dict[int, list[Told]]:
    """As `told`, of these reminders."""
    found: dict[int, list[Told]] = {}
    for reminder in sorted(rows, key=lambda row: (row.revision, row.id)):
        slot = reminder.told.get("slot")
        if slot and reminder.entry_id is not None and reminder.state in HEARD:
            certain = reminder.state in {State.SENT, State.DELIVERED}
            item = Told(recipient=reminder.recipient, slot=slot, kind=reminder.kind, certain=certain)
            found.setdefault(reminder.entry_id, []).append(item)
    return found


_TOLD = Prepared(
    sa.select(*columns).where(
        t.reminders.c.entry_id.in_(each("entries")), t.reminders.c.state.in_([state.value for state in HEARD])
    )
)


async def keys(tx: Tx, entry_ids: Sequence[int]) -> set[str]:
    return set(await _KEYS.scalars(tx, entries=list(entry_ids)))


_KEYS = Prepared(sa.select(t.reminders.c.key).where(t.reminders.c.entry_id.in_(each("entries"))))


async def texts_since(tx: Tx, phone_ids: Sequence[int], since: datetime) -> dict[int, int]:
    """How many texts went, or may have gone, to each phone since a moment; answers do not count."""
    rows = await _TEXTS.rows(tx, phones=list(phone_ids), since=since)
    return {row["phone_id"]: row["n"] for row in rows}


_TEXTS = Prepared(
    sa.select(t.reminders.c.phone_id, sa.func.count().label("n"))
    .where(
        t.reminders.c.phone_id.in_(each("phones")),
        t.reminders.c.state.in_([state.value for state in HEARD]),
        t.reminders.c.lease_until >= sa.bindparam("since"),
        t.reminders.c.key.not_like("reply:%"),
    )
    .group_by(t.reminders.c.phone_id)
)


async def flying(tx: Tx, now: datetime, limit: int) -> list[Reminder]:
    """Attempts whose lease has run out, earliest first: nobody is waiting for their answer any more."""
    return await _FLYING.made(tx, Reminder, now=now, limit=limit)


_FLYING = Prepared(
    sa.select(*columns)
    .where(t.reminders.c.state.in_([State.SENDING.value, State.UNCERTAIN.value]))
    .where(t.reminders.c.lease_until <= sa.bindparam("now"))
    .order_by(t.reminders.c.lease_until, t.reminders.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


async def next_lease_at(tx: Tx) -> datetime | None:
    states = [State.SENDING.value, State.UNCERTAIN.value]
    query = sa.select(sa.func.min(t.reminders.c.lease_until)).where(t.reminders.c.state.in_(states))
    return (await tx.execute(query)).scalar()


async def attempts(tx: Tx, reminder_id: int) -> list[Mapping[str, Any]]:
    query = sa.select(t.attempts).where(t.attempts.c.reminder_id == reminder_id)
    return [dict(r) for r in (await tx.execute(query.order_by(t.attempts.c.n))).mappings()]


async def wake_phone(tx: Tx, phone_id: int, now: datetime) -> None:
    """Let rows go that waited for the phone's open question to end."""
    query = sa.update(t.reminders).where(
        t.reminders.c.phone_id == phone_id,
        t.reminders.c.state == State.PLANNED.value,
        t.reminders.c.reason == WAITING,
    )
    await tx.execute(query.values(send_after=now, reason=""))


WAITING = "waiting"
"""`reason` of a planned row whose phone is being asked something else."""


async def sent_to_phone(tx: Tx, phone_id: int | None, kind: str, since: datetime) -> bool:
    query = sa.select(t.reminders.c.id).where(
        t.reminders.c.phone_id == phone_id, t.reminders.c.kind == kind, t.reminders.c.due_at >= since
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def count_replies(tx: Tx, phone_id: int, since: datetime) -> int:
    query = sa.select(sa.func.count()).where(
        t.reminders.c.phone_id == phone_id,
        t.reminders.c.key.like("reply:%"),
        t.reminders.c.due_at >= since,
    )
    return int((await tx.execute(query)).scalar_one())


async def number_of(tx: Tx, sealer: Sealer, reminder: Reminder) -> str:
    """The phone number (E.164) a text went to."""
    query = sa.select(t.phones.c.uid, t.phones.c.sealed).where(t.phones.c.id == reminder.phone_id)
    uid, sealed = (await tx.execute(query)).one()
    return sealer.open(sealed, bound_to=f"phones|sealed|{uid}")


async def provider_ids(tx: Tx, ids: Sequence[str]) -> set[str]:
    """Those of the provider's ids that already belong to a reminder of ours."""
    query = sa.select(t.reminders.c.provider_id).where(t.reminders.c.provider_id.in_(ids), IS_KNOWN)
    return set((await tx.execute(query)).scalars())


async def sent(tx: Tx, keys: Sequence[str]) -> list[Reminder]:
    """Those of the messages with these keys that have been sent, oldest first."""
    return await _SENT.made(tx, Reminder, keys=list(keys))


_SENT = _some(t.reminders.c.key.in_(each("keys")), t.reminders.c.state == State.SENT.value)


async def last_before(tx: Tx, reminder: Reminder, kind: str) -> Reminder | None:
    """The same person's message of a kind that fell due last before this one, and was sent."""
    return next(
        iter(
            await _LAST_BEFORE.made(tx, Reminder, person=reminder.person_id, kind=kind, due=reminder.due_at)
        ),
        None,
    )


_LAST_BEFORE = Prepared(
    sa.select(*columns)
    .where(t.reminders.c.person_id == sa.bindparam("person"), t.reminders.c.kind == sa.bindparam("kind"))
    .where(t.reminders.c.due_at < sa.bindparam("due"), t.reminders.c.state == State.SENT.value)
    .order_by(t.reminders.c.due_at.desc())
    .limit(1)
)


async def of_person(tx: Tx, person_id: int, provider_id: str) -> Reminder | None:
    """A person's chat message by the provider's id, which is unique within the chat only."""
    rows = t.reminders.c
    return _first(await some(tx, rows.person_id == person_id, rows.provider_id == provider_id, IS_KNOWN))


async def merged_into(tx: Tx, key: str) -> set[int]:
    """Entries whose steps were told by the digest with this key."""
    return {entry_id for entry_id in await _MERGED.scalars(tx, key=key) if entry_id is not None}


_KEYED = sa.select(t.reminders.c.id).where(t.reminders.c.key == sa.bindparam("key")).scalar_subquery()
_MERGED = Prepared(sa.select(t.reminders.c.entry_id).where(t.reminders.c.digest_id == _KEYED))
