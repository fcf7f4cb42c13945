"""What the provider said about messages afterwards, each word of it kept once."""

from datetime import datetime

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import Prepared


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
    about = t.receipts.c.provider_id == provider_id
    if token:
        about = about | (t.receipts.c.token == token)
    query = sa.select(t.receipts.c.provider_id, t.receipts.c.status, t.receipts.c.code).where(about)
    return [(p, s, c) for p, s, c in await tx.execute(query)]


async def token_of(tx: Tx, provider_id: str) -> str:
    """The attempt that got this provider id; empty when none did."""
    query = sa.select(t.attempts.c.token).where(t.attempts.c.provider_id == provider_id)
    return (await tx.execute(query)).scalar() or ""
