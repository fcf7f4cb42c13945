"""Old messages of cases that have ended move out of the tables that are asked all day."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
oldest: str = "0005"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _key(name: str, kind: type[sa.types.TypeEngine[object]]) -> sa.Column[object]:
    return sa.Column(name, kind(), autoincrement=False, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), server_default="", nullable=False) for name in names]


def _numbers(*names: str, nullable: bool = True) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=nullable) for name in names]


def _moments(*names: str, nullable: bool = True) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _columns() -> dict[str, list[sa.Column[Any]]]:
    """Of each table what it is archived with, its key first."""
    return {
        "reminders": [
            _key("id", sa.Integer),
            sa.Column("key", sa.String(), nullable=False),
            *_numbers("entry_id", "case_id"),
            sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
            *_texts("step"),
            *_numbers("person_id", "resident_id", "phone_id"),
            *_texts("channel", "kind"),
            *_moments("due_at", "send_after", nullable=False),
            *_moments("useless_at"),
            sa.Column("state", sa.String(), server_default="planned", nullable=False),
            *_texts("reason"),
            *_numbers("digest_id"),
            sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
            sa.Column("token", sa.String(), nullable=True),
            *_moments("lease_until"),
            *_texts("provider_id"),
            *_moments("sent_at", "ended_at"),
            sa.Column("told", sa.JSON(), nullable=False),
            sa.Column("detail", sa.JSON(), nullable=False),
            sa.Column("repeated", sa.Boolean(), server_default=sa.false(), nullable=False),
        ],
        "attempts": [
            _key("token", sa.String),
            *_numbers("reminder_id", nullable=False),
            sa.Column("n", sa.Integer(), server_default="1", nullable=False),
            *_moments("started_at", nullable=False),
            *_moments("ended_at"),
            *_texts("outcome", "code", "provider_id"),
            sa.Column("sealed", sa.LargeBinary(), nullable=True),
        ],
        "receipts": [
            _key("provider_id", sa.String),
            _key("status", sa.String),
            *_texts("token", "code"),
            *_moments("received_at", nullable=False),
        ],
        "questions": [
            _key("id", sa.Integer),
            *_numbers("phone_id", "resident_id", "case_id", nullable=False),
            *_numbers("entry_id", "reminder_id"),
            *_texts("kind", "digits"),
            *_moments("asked_at", "expires_at", nullable=False),
            *_moments("ended_at"),
            *_texts("answer"),
        ],
    }


_INDEXES = {
    "reminders": ("case_id", "provider_id"),
    "attempts": ("reminder_id",),
    "questions": ("reminder_id",),
}


def upgrade() -> None:
    for name, columns in _columns().items():
        keys = [column.name for column in columns if column.autoincrement is False]
        table = f"archived_{name}"
        op.create_table(table, *columns, sa.PrimaryKeyConstraint(*keys, name=f"pk_{table}"))
        for column in _INDEXES.get(name, ()):
            op.create_index(f"ix_{table}_{column}", table, [column])
    flag = sa.Column("has_archive", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("cases", flag)


def downgrade() -> None:
    """What is archived goes back to where it was."""
    op.drop_column("cases", "has_archive")
    # A phone is asked one thing at a time, and has been asked anew since.
    op.execute("UPDATE archived_questions SET ended_at = expires_at WHERE ended_at IS NULL")
    for name, columns in _columns().items():
        names = ", ".join(f'"{column.name}"' for column in columns)
        back = f"INSERT INTO {name} ({names}) SELECT {names} FROM archived_{name}"  # noqa: S608 - our own
        op.execute(f"{back} WHERE true ON CONFLICT DO NOTHING")
        op.drop_table(f"archived_{name}")
