"""What is asked all day is found by an index, however long the history has grown."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
oldest: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = {
    "ix_deeds_case_id": ("deeds", ["case_id"]),
    "ix_deeds_by": ("deeds", ["by"]),
    "ix_deeds_at": ("deeds", ["at"]),
    "ix_entries_ended_at": ("entries", ["ended_at"]),
    "ix_attempts_provider_id": ("attempts", ["provider_id"]),
    "ix_receipts_token": ("receipts", ["token"]),
    "ix_inbox_source": ("inbox", ["source", "id"]),
    "ix_questions_entry_id": ("questions", ["entry_id"]),
    "ix_questions_reminder_id": ("questions", ["reminder_id"]),
}
_PARTIAL = {
    "ix_facts_voided": ("facts", "voided_at", "voided_at IS NOT NULL"),
    "ix_entries_open": (
        "entries",
        "case_id",
        "status IN ('confirmed', 'missed_by_office', 'open', 'proposed')",
    ),
    "ix_entries_confirmed": ("entries", "ends_at", "status = 'confirmed'"),
    "ix_reminders_silent": ("reminders", "sent_at", "state = 'sent' AND channel = 'sms'"),
}


def upgrade() -> None:
    for name, (table, columns) in _WHOLE.items():
        op.create_index(name, table, columns)
    for name, (table, column, condition) in _PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, (table, _) in _WHOLE.items():
        op.drop_index(name, table_name=table)
    for name, (table, *_) in _PARTIAL.items():
        op.drop_index(name, table_name=table)
