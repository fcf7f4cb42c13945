"""What the world told us, kept before it is acknowledged, and the questions we have open with residents."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each, written_once
from reminder.store.seal import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One thing that came in. `source` is sms, sms_status, or a bot: `telegram`, `telegram@123456`."""

    id: int
    source: str
    external_id: str
    received_at: datetime
    tries: int
    content: Mapping[str, Any]


async def keep(
    tx: Tx, sealer: Sealer, *, source: str, external_id: str, content: Mapping[str, Any], at: datetime
) -> bool:
    """Store what came in, sealed; False if this very thing is here already."""
    uid = uuid.uuid4().hex
    sealed = sealer.seal(_writable(content), bound_to=f"inbox|sealed|{uid}")
    values = {"source": source, "external_id": external_id, "uid": uid, "sealed": sealed}
    return await _KEEP(tx.dialect.name).row(tx, **values, received_at=at) is not None


def _writable(content: Mapping[str, Any]) -> str:
    """As JSON of what a database can hold: half a character becomes "?", a NUL goes.

    Refused here, the same thing would be brought again and again, and nothing behind it would get in.
    """
    written = json.dumps(content, ensure_ascii=False)
    return _NUL.sub(r"\1", written).encode("utf-8", "replace").decode()


_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""As JSON writes it: not where the backslash is itself written out."""


_KEEP = written_once(t.inbox, ["source", "external_id"], t.inbox.c.id)


async def waiting(tx: Tx, sealer: Sealer, limit: int) -> list[Letter]:
    """What has not been dealt with, oldest first."""
    return [_letter(row, sealer) for row in await _WAITING.rows(tx, limit=limit)]


_WAITING = Prepared(
    sa.select(t.inbox)
    .where(t.inbox.c.state == "received")
    .order_by(t.inbox.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


def _letter(row: Mapping[Any, Any], sealer: Sealer) -> Letter:
    content = json.loads(sealer.open(row["sealed"], bound_to=f"inbox|sealed|{row['uid']}"))
    names = ("id", "source", "external_id", "received_at", "tries")
    return Letter(**{name: row[name] for name in names}, content=content)


async def finish(tx: Tx, letter_id: int, state: str, at: datetime, error: str = "") -> bool:
    """Mark as processed, ignored or dead; False if that was done already."""
    done = await _FINISH.row(tx, which=letter_id, state=state, processed_at=at, error=error)
    return done is not None


_FINISH = Prepared(
    sa.update(t.inbox)
    .where(t.inbox.c.id == sa.bindparam("which"), t.inbox.c.state == "received")
    .returning(t.inbox.c.id)
)


async def failed(tx: Tx, letter_id: int, error: str) -> None:
    """Count one more failure, to be tried again."""
    query = sa.update(t.inbox).where(t.inbox.c.id == letter_id)
    await tx.execute(query.values(tries=t.inbox.c.tries + 1, error=error))


async def last_update_id(tx: Tx, source: str) -> int | None:
    """The newest stored update of a bot: the next poll starts after it."""
    newest = await _LAST_UPDATE.scalar(tx, bot=source)
    return int(newest) if newest is not None else None


_LAST_UPDATE = Prepared(
    sa.select(t.inbox.c.external_id)
    .where(t.inbox.c.source == sa.bindparam("bot"))
    .order_by(t.inbox.c.id.desc())
    .limit(1)
)


# --- open questions --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question a phone is being asked; `digits` are the answers it takes."""

    id: int
    phone_id: int
    resident_id: int
    case_id: int
    entry_id: int | None
    reminder_id: int | None
    kind: str
    digits: str
    asked_at: datetime
    expires_at: datetime


_QUESTION = tuple(t.questions.c[name] for name in Question.__dataclass_fields__)


async def open_question(tx: Tx, phone_id: int, now: datetime) -> Question | None:
    return (await open_questions(tx, [phone_id], now)).get(phone_id)


async def open_questions(tx: Tx, phone_ids: Sequence[int], now: datetime) -> dict[int, Question]:
    """By phone, of which each is asked one thing at a time; none of them ends before this transaction does.

    Else a text that is made to wait for the end of one would not be woken by it.
    """
    rows = await _OPEN.rows(tx, phones=list(phone_ids), now=now)
    return {row["phone_id"]: Question(**row) for row in rows}


_OPEN = Prepared(
    sa.select(*_QUESTION)
    .where(
        t.questions.c.phone_id.in_(each("phones")),
        t.questions.c.ended_at.is_(None),
        t.questions.c.expires_at > sa.bindparam("now"),
    )
    .with_for_update(read=True)
)


async def ask(tx: Tx, *, now: datetime, **values: Any) -> int:
    """Open a question. One per phone: an expired one makes room, an open one is an IntegrityError."""
    old = sa.update(t.questions).where(
        t.questions.c.phone_id == values["phone_id"],
        t.questions.c.ended_at.is_(None),
        t.questions.c.expires_at <= now,
    )
    await tx.execute(old.values(ended_at=now))
    query = sa.insert(t.questions).values(asked_at=now, **values).returning(t.questions.c.id)
    return int((await tx.execute(query)).scalar_one())


async def close_question(tx: Tx, question_id: int, now: datetime, answer: str = "") -> int | None:
    """End it; the phone it was on, or None if it had ended before."""
    query = (
        sa.update(t.questions)
        .where(t.questions.c.id == question_id, t.questions.c.ended_at.is_(None))
        .values(ended_at=now, answer=answer)
        .returning(t.questions.c.phone_id)
    )
    found: int | None = (await tx.execute(query)).scalar()
    return found


async def questions_about(tx: Tx, entry_ids: Sequence[int]) -> list[int]:
    """Open questions about some entries."""
    return sorted(await _ABOUT.scalars(tx, ids=list(entry_ids)))


_ABOUT = Prepared(
    sa.select(t.questions.c.id).where(
        t.questions.c.entry_id.in_(each("ids")), t.questions.c.ended_at.is_(None)
    )
)


async def questions_of_reminder(tx: Tx, reminder_id: int) -> list[int]:
    query = sa.select(t.questions.c.id).where(
        t.questions.c.reminder_id == reminder_id, t.questions.c.ended_at.is_(None)
    )
    return list((await tx.execute(query)).scalars())


# --- bot dialogs -----------------------------------------------------------------------------


async def set_dialog(tx: Tx, chat_id: int, asks: str, detail: Mapping[str, Any], at: datetime) -> None:
    await end_dialog(tx, chat_id)
    query = sa.insert(t.dialogs).values(chat_id=chat_id, asks=asks, detail=dict(detail), at=at)
    await tx.execute(query)


async def dialog(tx: Tx, chat_id: int) -> Mapping[str, Any] | None:
    row = (await tx.execute(sa.select(t.dialogs).where(t.dialogs.c.chat_id == chat_id))).mappings().first()
    return dict(row) if row is not None else None


async def end_dialog(tx: Tx, chat_id: int) -> None:
    await _END_DIALOG.run(tx, chat=chat_id)


_END_DIALOG = Prepared(sa.delete(t.dialogs).where(t.dialogs.c.chat_id == sa.bindparam("chat")))
