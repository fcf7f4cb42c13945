"""Column types that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return value.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")


def _from_text(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value + "+00:00") if value is not None else None


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, aware and UTC on both sides; a naive one is refused (SQLite drops offsets silently)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """On SQLite straight to its text, as SQLAlchemy writes it: instants are most of what a row holds."""
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC) if value is not None else None


class Member(TypeDecorator[StrEnum]):
    """Text that is one of an enumeration's when it is read."""

    impl = sa.String
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002
        return {one.value: one for one in self.kind}.__getitem__


def members(table: sa.FromClause, **kinds: type[StrEnum]) -> list[sa.ColumnElement[Any]]:
    """The columns of a table, of which some are members of an enumeration when read."""
    return [
        sa.type_coerce(column, Member(kinds[name])).label(name) if name in kinds else column
        for name, column in table.c.items()
    ]


@compiles(sa.schema.CreateIndex, "postgresql")
def _of_some_rows(create: sa.schema.CreateIndex, compiler: Any, **options: Any) -> str:
    """An index of some rows has the same rows there. Told so when it is defined, it imports the dialect."""
    there, here = (create.element.dialect_options[name] for name in ("postgresql", "sqlite"))
    if here["where"] is not None:
        there["where"] = here["where"]
    made: str = compiler.visit_create_index(create, **options)
    return made
