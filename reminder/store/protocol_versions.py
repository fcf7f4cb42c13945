"""Protocols as they were: the files each version was read from, so that cases can stay on it."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from reminder.store import tables as t
from reminder.store.database import Tx
from reminder.store.prepared import written_once

Held = tuple[str, str]
"""Key and version."""


async def known(tx: Tx) -> set[Held]:
    """Every version that is kept."""
    found = await tx.execute(sa.select(t.protocol_versions.c.key, t.protocol_versions.c.version))
    return {(key, version) for key, version in found}


async def put(tx: Tx, held: Held, texts: Mapping[str, str], at: datetime) -> None:
    """Keep a version, unless it is kept already: another process may be starting too."""
    values = {"key": held[0], "version": held[1], "texts": dict(texts), "since": at}
    await _PUT(tx.dialect.name).run(tx, **values)


_PUT = written_once(t.protocol_versions, ["key", "version"])


async def texts(tx: Tx, held: Held) -> Mapping[str, str] | None:
    """The files of a version, by name; None if it was never kept."""
    key, version = held
    query = sa.select(t.protocol_versions.c.texts).where(
        t.protocol_versions.c.key == key, t.protocol_versions.c.version == version
    )
    found: Mapping[str, str] | None = (await tx.execute(query)).scalar()
    return found


async def held(tx: Tx) -> set[Held]:
    """Every protocol version some case is under, ended or not: an ended case may be opened again."""
    c = t.cases.c
    query = sa.select(c.protocol, c.protocol_version, c.moved_protocol, c.moved_version).distinct()
    return {(moved, later) if moved else (key, first) for key, first, moved, later in await tx.execute(query)}
