"""How migrations meet a database: over a connection the program holds, or one of the URL given to alembic."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy.sql.elements import False_, True_

from reminder.failpoints import failpoint
from reminder.store.migrations import OLDEST
from reminder.store.tables import meta, metadata
from reminder.store.types import UtcDateTime


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """What is written of our columns: SQLAlchemy's own types, as ours may change, and for every database."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "server_default" and isinstance(item.arg, True_ | False_):
        return "sa.true()" if isinstance(item.arg, True_) else "sa.false()"
    return False


def stepped(*, ctx: MigrationContext, step: MigrationInfo, **_about: Any) -> None:
    """One revision is in the transaction, the next is not. Older programs can read whether they may go on."""
    if step.is_upgrade:
        assert isinstance(step.up_revision, Script)
        ctx.execute(sa.delete(meta).where(meta.c.key == OLDEST))
        ctx.execute(sa.insert(meta).values(key=OLDEST, value=step.up_revision.module.oldest))
    failpoint("migrate.after_step")


def configure(**options: Any) -> None:
    context.configure(target_metadata=metadata, render_item=render_item, on_version_apply=stepped, **options)
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection: sa.Connection) -> None:
    # SQLite cannot alter most of a table; a batch copies it.
    configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")


def run_from(url: str) -> None:
    """For the command `alembic -x url=… …`, with a driver that is not asynchronous."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        run_on(connection)
    engine.dispose()


held = context.config.attributes.get("connection")
asked = context.get_x_argument(as_dictionary=True).get("url", "sqlite://")
if context.is_offline_mode():
    configure(url=asked, literal_binds=True, dialect_opts={"paramstyle": "named"})
elif held is not None:
    run_on(held)
else:
    run_from(str(asked))
