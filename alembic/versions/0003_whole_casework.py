"""The whole casework: sponsors, referrals, absences, postings, households, versions of protocols."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
oldest: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "households",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("place", sa.String(), server_default="", nullable=False),
        sa.Column("label", sa.String(), server_default="", nullable=False),
        sa.Column("members", sa.Integer(), server_default="1", nullable=False),
        sa.Column("agreed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
    )
    with op.batch_alter_table("households", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_households_place"), ["place"], unique=False)

    op.create_table(
        "protocol_versions",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_protocol_versions")),
    )
    op.create_table(
        "absences",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["deputy_id"], ["people.id"], name=op.f("fk_absences_deputy_id_people")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_absences_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_table(
        "postings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(), server_default="", nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_postings_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postings")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sponsor_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("referred_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reported_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("moved_protocol", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("moved_version", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_foreign_key(
            batch_op.f("fk_cases_sponsor_id_people"), "people", ["sponsor_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_cases_reported_id_units"), "units", ["reported_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_cases_referred_id_units"), "units", ["referred_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_cases_merged_into_id_cases"), "cases", ["merged_into_id"], ["id"]
        )

    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("person_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reasoned_on", sa.Date(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_entries_person_id_people"), "people", ["person_id"], ["id"]
        )
        batch_op.create_index("ix_entries_person_id", ["person_id"], unique=False)

    with op.batch_alter_table("residents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reach_by", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("needs", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("residents", schema=None) as batch_op:
        batch_op.drop_column("needs")
        batch_op.drop_column("reach_by")

    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_index("ix_entries_person_id")
        batch_op.drop_constraint(batch_op.f("fk_entries_person_id_people"), type_="foreignkey")
        batch_op.drop_column("reasoned_on")
        batch_op.drop_column("person_id")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_cases_merged_into_id_cases"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_cases_referred_id_units"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_cases_reported_id_units"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_cases_sponsor_id_people"), type_="foreignkey")
        batch_op.drop_column("paused")
        batch_op.drop_column("moved_version")
        batch_op.drop_column("moved_protocol")
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("reported_id")
        batch_op.drop_column("referred_id")
        batch_op.drop_column("sponsor_id")

    op.drop_table("postings")
    op.drop_table("absences")
    op.drop_table("protocol_versions")
    with op.batch_alter_table("households", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_households_place"))

    op.drop_table("households")
