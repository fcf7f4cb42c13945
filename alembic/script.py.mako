"""Schema ${up_revision}: ${message}."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
oldest: str = ${repr(up_revision)}
"""The oldest program that works with this schema, by the last revision it knows. What only adds keeps that of the
revision before; what drops, renames or tightens says a later one, usually its own."""
down_revision: str | None = ${repr(down_revision)}
branch_labels: Sequence[str] | None = ${repr(branch_labels)}
depends_on: Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
