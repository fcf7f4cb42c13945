"""An office may have several bots: a person is spoken to by the one they joined by."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
oldest: str = "0005"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("people", sa.Column("bot", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("people", "bot")
