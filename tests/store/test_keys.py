"""Does the database itself refuse what must be there once, whatever the program believes?"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from reminder.store import reminders
from reminder.store import tables as t
from reminder.store.database import Database
from reminder.store.migrations import migrate

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
REMINDER = {"key": "1/1/T-1/person:1/telegram", "due_at": AT, "send_after": AT, "told": {}, "detail": {}}
LETTER = {"source": "sms", "external_id": "SM1", "uid": "u", "sealed": b"", "received_at": AT}
DEED = {"action": "note", "at": AT, "source": "telegram:7"}
RECEIPT = {"provider_id": "SM1", "status": "delivered", "received_at": AT}


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    lite = request.param == "sqlite"
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.db'}" if lite else request.getfixturevalue("postgres_url")
    opened = Database(url)
    await migrate(opened)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("table", "row"),
    [(t.reminders, REMINDER), (t.inbox, LETTER), (t.deeds, DEED), (t.receipts, RECEIPT)],
    ids=["reminder", "letter", "deed", "receipt"],
)
@pytest.mark.failure(24)
async def test_a_second_one_of_the_same_key_is_refused(
    db: Database, table: "sa.Table[Any]", row: Mapping[str, Any]
) -> None:
    async with db.write() as tx:
        await tx.execute(sa.insert(table).values(**row))
    with pytest.raises(IntegrityError):
        async with db.write() as tx:
            await tx.execute(sa.insert(table).values(**row))


async def test_a_reminder_of_a_known_key_is_not_written_again(db: Database) -> None:
    async with db.write() as tx:
        assert await reminders.add(tx, **REMINDER) is not None
    async with db.write() as tx:
        assert await reminders.add(tx, **REMINDER) is None
        assert len(await reminders.some(tx)) == 1
