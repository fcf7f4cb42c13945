"""Indexes of messages hold only the rows that anybody asks them for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
oldest: str = "0005"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_OF_SOME = {
    "ix_reminders_person_day": (["person_id", "due_at"], "person_id IS NOT NULL"),
    "ix_reminders_phone_day": (["phone_id", "due_at"], "phone_id IS NOT NULL"),
    "ix_reminders_digest": (["digest_id"], "digest_id IS NOT NULL"),
    "ix_reminders_provider_id": (["provider_id"], "provider_id != ''"),
}


def upgrade() -> None:
    for name, (columns, condition) in _OF_SOME.items():
        op.drop_index(name, table_name="reminders")
        where = sa.text(condition)
        op.create_index(name, "reminders", columns, sqlite_where=where, postgresql_where=where)
    op.drop_index("ix_attempts_provider_id", table_name="attempts")


def downgrade() -> None:
    op.create_index("ix_attempts_provider_id", "attempts", ["provider_id"])
    for name, (columns, _) in _OF_SOME.items():
        op.drop_index(name, table_name="reminders")
        op.create_index(name, "reminders", columns)
