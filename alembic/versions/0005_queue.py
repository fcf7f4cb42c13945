"""Machines on PostgreSQL share a queue in a schema of its own; SQLite has one process and needs none."""

from collections.abc import Sequence

from alembic import op

from reminder.store.queue import SCHEMA, statements

revision: str = "0005"
oldest: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for statement in statements():
            op.execute(statement)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
