"""What the provider said about messages afterwards, each word of it kept once."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared, each
from reminder.store.reminders import IS_KNOWN


async def add(tx: Tx, *, provider_id: str, status: str, token: str, code: str, received_at: datetime) -> bool:
    """Keep what the provider said; False if it said so before."""
    if await _KNOWN.row(tx, provider=provider_id, status=status) is not None:
        return False
    values = {"provider_id": provider_id, "status": status, "token": token, "code": code}
    await _ADD.run(tx, **values, received_at=received_at)
    return True


_KNOWN = Prepared(
    sa.select(t.receipts.c.status).where(
        t.receipts.c.provider_id == sa.bindparam("provider"), t.receipts.c.status == sa.bindparam("status")
    )
)
_ADD = Prepared(sa.insert(t.receipts))


async def of(tx: Tx, *, token: str, provider_id: str) -> list[tuple[str, str, str]]:
    """(provider id, status, code) known for an attempt."""
    query = _OF if token else _OF_PROVIDER
    rows = await query.rows(tx, provider=provider_id, **({"token": token} if token else {}))
    return [(row["provider_id"], row["status"], row["code"]) for row in rows]


_ABOUT = t.receipts.c.provider_id == sa.bindparam("provider")
_SAID = sa.select(t.receipts.c.provider_id, t.receipts.c.status, t.receipts.c.code)
_OF_PROVIDER = Prepared(_SAID.where(_ABOUT))
_OF = Prepared(_SAID.where(_ABOUT | (t.receipts.c.token == sa.bindparam("token"))))


async def early(tx: Tx, tokens: Sequence[str], provider_ids: Sequence[str]) -> set[str]:
    """Of these attempts and provider ids, those of which something has been said already."""
    rows = await _EARLY.rows(tx, tokens=list(tokens), providers=list(provider_ids))
    return {said for row in rows for said in (row["token"], row["provider_id"])}


_EARLY = Prepared(
    sa.union(
        sa.select(t.receipts.c.token, t.receipts.c.provider_id).where(t.receipts.c.token.in_(each("tokens"))),
        sa.select(t.receipts.c.token, t.receipts.c.provider_id).where(
            t.receipts.c.provider_id.in_(each("providers"))
        ),
    )
)


async def token_of(tx: Tx, provider_id: str) -> str:
    """The last attempt at the text that got this provider id; empty when none did."""
    return await _TOKEN_OF.scalar(tx, provider=provider_id) or ""


_TOKEN_OF = Prepared(
    sa.select(t.reminders.c.token).where(
        t.reminders.c.provider_id == sa.bindparam("provider"), IS_KNOWN, t.reminders.c.channel == "sms"
    )
)
