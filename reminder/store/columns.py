"""How the columns of a table are said, the same for every table."""

from typing import Any

import sqlalchemy as sa

from reminder.store.types import UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> "sa.Table[Any]":
    return sa.Table(name, metadata, *columns, **options)


def serial() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def ref(name: str, target: str, *, nullable: bool = True, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{target}.id"), nullable=nullable, **options)


def at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime, nullable=nullable)


def text(name: str, default: str = "", **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default=default, **options)


def flag(name: str, *, default: bool = False) -> sa.Column[bool]:
    value = sa.true() if default else sa.false()
    return sa.Column(name, sa.Boolean(create_constraint=False), nullable=False, server_default=value)


def number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=str(default))


def where(name: str, column: str, condition: str, *further: str, unique: bool = False) -> sa.Index:
    """An index of those rows only that are asked for; finished ones would bury them in time."""
    return sa.Index(name, column, *further, unique=unique, sqlite_where=sa.text(condition))


def json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON, nullable=False)


def archived(live: "sa.Table[Any]", *asked: str) -> "sa.Table[Any]":
    """Where a table's old rows go: the same columns, indexed by what is `asked` of old rows only.

    They refer to nothing, so that the database has nothing to look up.
    """
    name = f"archived_{live.name}"
    columns = [
        sa.Column(
            column.name,
            column.type,
            primary_key=column.primary_key,
            nullable=column.nullable,
            autoincrement=False,
            server_default=getattr(column.server_default, "arg", None),
        )
        for column in live.columns
    ]
    return table(name, *columns, *(sa.Index(f"ix_{name}_{column}", column) for column in asked))
