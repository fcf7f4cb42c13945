"""The office of the simulation on PostgreSQL, and how its database fails it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from reminder.store.database import DURABLE, Database, _from_json
from tests.flows.random_office import _ENDS, _FIXED
from tests.office import furnish
from tests.postgres import Server
from tests.proofs.simulation import StormyOffice

AT_ONCE = "-c lock_timeout=20ms"
"""Whoever finds a table locked is told at once: nobody else's patience is to be slept through."""

_CHANGED = " OR ".join(f"OLD.{column}::text IS DISTINCT FROM NEW.{column}::text" for column in _FIXED)
WITNESS = f"""
CREATE TABLE witness (id BIGSERIAL PRIMARY KEY, reminder BIGINT, old TEXT, new TEXT);
CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN INSERT INTO witness (reminder, old, new) VALUES (NEW.id, '', NEW.state);
  ELSIF TG_OP = 'DELETE' THEN INSERT INTO witness (reminder, old, new) VALUES (OLD.id, OLD.state, 'lost');
  ELSE
    IF OLD.state IS DISTINCT FROM NEW.state THEN
      INSERT INTO witness (reminder, old, new) VALUES (NEW.id, OLD.state, NEW.state);
    END IF;
    IF OLD.state IN ({_ENDS}) AND ({_CHANGED}) THEN
      INSERT INTO witness (reminder, old, new) VALUES (NEW.id, OLD.state, 'changed');
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER seen AFTER INSERT OR UPDATE OR DELETE ON reminders FOR EACH ROW EXECUTE FUNCTION seen();
"""  # noqa: S608 - names of our own
"""As the witness of a file: every state a reminder was ever in."""

Boundary = Callable[[str], None]


class _Cursor(psycopg.AsyncCursor[Any]):
    async def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        writes = str(query).startswith(("INSERT", "UPDATE", "DELETE"))
        with _as_the_server_says():
            self.connection.boundary("write" if writes else "statement")  # type: ignore[attr-defined]
        return await super().execute(query, *args, **kwargs)


class _Connection(psycopg.AsyncConnection[Any]):
    """Tells of every statement before it, of every commit before and after it."""

    boundary: Boundary

    async def commit(self) -> None:
        await self._or_is_lost("committing")
        await super().commit()
        await self._or_is_lost("commit")

    async def _or_is_lost(self, what: str) -> None:
        try:
            with _as_the_server_says():
                self.boundary(what)
        except psycopg.Error:
            await self.close()
            raise


@contextmanager
def _as_the_server_says() -> Iterator[None]:
    """The weather speaks as SQLite does."""
    try:
        yield
    except sqlite3.Error as error:
        raise psycopg.OperationalError(str(error)) from None


class _Served(Database):
    def __init__(self, url: str, boundary: Boundary) -> None:
        self._boundary = boundary
        super().__init__(url)

    def _engine(self, *, read_only: bool) -> AsyncEngine:  # noqa: ARG002 - one door
        made: dict[str, Any] = {"options": f"{DURABLE} {AT_ONCE}", "cursor_factory": _Cursor}
        made["async_creator_fn"] = self._connect
        return create_async_engine(
            self.url, pool_pre_ping=True, connect_args=made, json_deserializer=_from_json
        )

    async def _connect(self, *args: Any, **options: Any) -> _Connection:
        made = await _Connection.connect(*args, **options)
        made.boundary = self._boundary
        return made


class ServedOffice(StormyOffice):
    """Its `path` is the name of its database."""

    server: ClassVar[Server]
    lacks = frozenset({"disk full"})

    @classmethod
    def fresh(cls, _folder: Path) -> Path:
        name = cls.server.create()
        asyncio.run(furnish(cls.server.url(name), True))
        cls.server.sql(WITNESS, name)
        return Path(name)

    def _move_in(self, template: Path) -> None:
        self.path = Path(self.server.copy(template.name))
        self._url = self.server.url(self.path.name)
        self._beside = psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True)

    def _database(self) -> Database:
        return _Served(self._url, self.weather.boundary)

    @asynccontextmanager
    async def befallen(self, name: str) -> AsyncIterator[None]:
        if name != "database locked":
            yield
            return
        tables = self._asked("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'")
        with self._beside.transaction():
            self._beside.execute(f"LOCK TABLE {', '.join(table for (table,) in tables)} IN EXCLUSIVE MODE")
            yield

    def _asked(self, query: str) -> list[Any]:
        return self._beside.execute(query).fetchall()

    def close(self) -> None:
        self.loop.run_until_complete(self.rt.db.close())
        self.loop.close()
        self._beside.close()
        self.server.drop(self.path.name)
