"""A statement that is asked often: built once, compiled once, and on SQLite handed straight to the driver.

SQLAlchemy's way from a statement to its rows costs several times what SQLite needs to answer it.
"""

import functools
import importlib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import ExpandedState, SQLCompiler

from reminder.store.database import Tx, driver_of

Row = dict[str, Any]
T = TypeVar("T")
_Process = Callable[[Any], Any] | None


def each(name: str) -> sa.BindParameter[Any]:
    """A list in a statement: `column.in_(each("ids"))`."""
    return sa.bindparam(name, expanding=True)


def _things(kind: Any, names: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> list[Any]:
    """Filled field by field: by name, through `__init__`, each would take several times as long."""
    fields, made = _fields(kind, names), []
    for row in rows:
        thing = object.__new__(kind)
        for put, value in zip(fields, row, strict=True):
            put(thing, value)
        made.append(thing)
    return made


@functools.cache
def _fields(kind: Any, names: tuple[str, ...]) -> tuple[Callable[[Any, Any], None], ...]:
    """What puts each column into a thing of a class that has just these fields, and does no more."""
    if set(names) != set(kind.__dataclass_fields__) or hasattr(kind, "__post_init__"):
        raise TypeError(f"{kind.__name__} is not what these columns hold")
    return tuple(getattr(kind, name).__set__ for name in names)


class Prepared:
    """Asked with its parameters by name; those that are columns of an INSERT or UPDATE are what it sets."""

    def __init__(self, statement: sa.Executable) -> None:
        self._statement: Any = statement
        self._plans: dict[tuple[Any, ...], _Plan] = {}
        self._sets: dict[tuple[tuple[str, ...], ...], Any] = {}

    @functools.cached_property
    def _elsewhere(self) -> Any:
        return _with_arrays(self._statement)

    async def rows(self, tx: Tx, **values: Any) -> list[Row]:
        names, found = await self._asked(tx, values)
        return [dict(zip(names, row, strict=True)) for row in found]

    async def made(self, tx: Tx, kind: type[T], /, **values: Any) -> list[T]:
        """The rows as things of a dataclass whose fields, which are slots, are the columns."""
        return _things(kind, *await self._asked(tx, values))

    async def _asked(
        self, tx: Tx, values: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], Iterable[Sequence[Any]]]:
        """The names of the columns, and the rows."""
        connection = driver_of(tx)
        if connection is None:
            found = await tx.execute(self._elsewhere, values)
            return (tuple(map(_plain, found.keys())), found.all()) if found.returns_rows else ((), ())
        values = {name: _padded(v) if isinstance(v, list) else v for name, v in values.items()}
        plan = self._plan(tx.dialect, values)
        return plan.names, plan.read(await connection.ask(plan.sql, plan.bound(values)))

    def _plan(self, dialect: Dialect, values: Mapping[str, Any]) -> "_Plan":
        shape = (*values, *(len(v) for v in values.values() if isinstance(v, list)))
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._plans[shape] = _planned(_spelt_out(self._statement, values), dialect, values)
        return plan

    async def row(self, tx: Tx, **values: Any) -> Row | None:
        """The first row, if there is one."""
        found = await self.rows(tx, **values)
        return found[0] if found else None

    async def scalars(self, tx: Tx, **values: Any) -> list[Any]:
        """The first column."""
        return [next(iter(row.values())) for row in await self.rows(tx, **values)]

    async def scalar(self, tx: Tx, **values: Any) -> Any:
        """The first column of the first row, or None."""
        found = await self.scalars(tx, **values)
        return found[0] if found else None

    async def run(self, tx: Tx, **values: Any) -> None:
        await self.rows(tx, **values)

    async def run_many(self, tx: Tx, rows: Sequence[Mapping[str, Any]], **same: Any) -> int:
        """Once for each of the rows, which all name the same values, in one trip; how many an UPDATE touched.

        `same`: values that hold for every row.
        """
        if not rows:
            return 0
        connection = driver_of(tx)
        if connection is None:
            if len(rows) == 1:
                return (await tx.execute(self._elsewhere, {**same, **rows[0]})).rowcount
            given = {name: [row[name] for row in rows] for name in rows[0]}
            return (await tx.execute(self._at_once(tuple(given), tuple(same)), {**same, **given})).rowcount
        plan = self._plan(tx.dialect, {**same, **rows[0]})
        return await connection.ask_many(plan.sql, plan.bound_each(rows, same))

    def _at_once(self, given: tuple[str, ...], same: tuple[str, ...]) -> Any:
        made = self._sets.get((given, same))
        if made is None:
            made = self._sets[given, same] = _of_arrays(self._elsewhere, given, same)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """What stands at one "?", or at those of a list: a value by its name, else what the statement says."""

    name: str = ""
    is_list: bool = False
    said: Any = None
    write: _Process = None

    def of(self, values: Mapping[str, Any]) -> Iterable[Any]:
        value = values[self.name] if self.name else self.said
        held = value if self.is_list else (value,)
        return map(self.write, held) if self.write else held

    def of_each(self, rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any]) -> Iterable[Any]:
        """A column of values."""
        if not self.name or self.name in same:
            (held,) = self.of(same)
            return itertools.repeat(held, len(rows))
        column = [row[self.name] for row in rows]
        return map(self.write, column) if self.write else column


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A statement for lists of given lengths, as SQLite takes it."""

    sql: str
    slots: tuple[_Slot, ...]
    names: tuple[str, ...]
    processed: tuple[tuple[int, Callable[[Any], Any]], ...]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        return [held for slot in self.slots for held in slot.of(values)]

    def bound_each(self, rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any]) -> list[Any]:
        return list(zip(*(slot.of_each(rows, same) for slot in self.slots), strict=True))

    def read(self, found: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        if not found or not self.names:
            return ()
        columns: list[Iterable[Any]] = list(zip(*found, strict=True))
        for index, process in self.processed:
            columns[index] = map(process, columns[index])
        return zip(*columns, strict=True)


def written_once(table: sa.Table, key: Sequence[str], *returning: Any) -> Callable[[str], Prepared]:
    """An INSERT that leaves alone what is there under its key, by the name of the dialect."""

    @functools.cache
    def of(dialect: str) -> Prepared:
        # As above.
        made: Any = importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
        query = made.on_conflict_do_nothing(index_elements=list(key))
        return Prepared(query.returning(*returning) if returning else query)

    return of


def _with_arrays(statement: Any) -> Any:
    """For PostgreSQL, which takes a list as one value: the text is the same however long the list is."""

    from sqlalchemy.dialects.postgresql import ARRAY  # not before somebody needs it: it takes long

    def swapped(element: Any, **_: Any) -> Any:
        if not isinstance(element, sa.BinaryExpression) or element.operator is not operators.in_op:
            return None
        asked = element.right
        if not isinstance(asked, sa.BindParameter) or not asked.expanding or not asked.required:
            return None
        kind = ARRAY(element.left.type)
        return element.left == sa.any_(sa.bindparam(asked.key, type_=kind))

    return visitors.replacement_traverse(statement, {}, swapped)


def _of_arrays(statement: Any, given: tuple[str, ...], same: tuple[str, ...]) -> Any:
    """An INSERT or UPDATE of many rows as one statement, for PostgreSQL: else it carries out one for each.

    `given`: names of lists with a value for each row; `same`: names of what holds for all of them.
    """
    from sqlalchemy.dialects.postgresql import ARRAY  # as above

    columns = statement.table.c
    types = {name: columns[name].type for name in given if name in columns}
    for bind in visitors.iterate(statement.whereclause) if statement.is_update else ():
        if isinstance(bind, sa.BindParameter) and bind.key in given:
            types[bind.key] = bind.type
    lists = [sa.bindparam(name, type_=ARRAY(types[name], dimensions=1)) for name in given]
    rows = sa.func.unnest(*lists).table_valued(
        *(sa.column(name, types[name]) for name in given), name="given"
    )
    rows = rows.render_derived()
    values = {name: rows.c[name] for name in given} | {name: _same(columns, name) for name in same}
    if statement.is_insert:
        return statement.from_select(list(values), sa.select(*values.values()))

    def swapped(element: Any, **_: Any) -> Any:
        return rows.c[element.key] if isinstance(element, sa.BindParameter) and element.key in given else None

    # What is compared is the row's own; the lists themselves, of the same names, stay what they are.
    which = visitors.replacement_traverse(statement.whereclause, {}, swapped)
    made = sa.update(statement.table).where(which).values(dict(statement._values or {}))
    return made.values({name: value for name, value in values.items() if name in columns})


def _same(columns: Any, name: str) -> Any:
    return sa.bindparam(name, type_=columns[name].type) if name in columns else None


def _padded(values: list[Any]) -> list[Any]:
    """To a power of two, so that a handful of plans serves lists of every length."""
    short = (1 << (len(values) - 1).bit_length()) - len(values) if values else 0
    return [*values, *values[-1:] * short]


def _spelt_out(statement: Any, values: Mapping[str, Any]) -> Any:
    """With what the statement itself says in its text, not beside it.

    SQLite takes an index of some rows only when the text says that it asks for no others; told so by a value
    it makes its plan anew each time.
    """

    def spell(value: sa.BindParameter[Any]) -> None:
        value.literal_execute = value.key not in values and isinstance(value.value, str | int | list)

    return visitors.cloned_traverse(statement, {}, {"bindparam": spell})


def _planned(statement: Any, dialect: Dialect, values: Mapping[str, Any]) -> _Plan:
    lists = {name for name, value in values.items() if isinstance(value, list)}
    compiled: SQLCompiler = statement.compile(
        dialect=dialect, column_keys=[name for name in values if name not in lists]
    )
    expanded = compiled.construct_expanded_state(dict(values))
    columns = statement.exported_columns.items()
    reading = [_reading(column.type, dialect) for _, column in columns]
    return _Plan(
        sql=expanded.statement,
        slots=tuple(_slots(compiled, expanded, values)),
        names=tuple(_plain(name) for name, _ in columns),
        processed=tuple((n, process) for n, process in enumerate(reading) if process is not None),
    )


def _plain(name: str) -> str:
    """A column's name as a parameter's: the interned one is found by identity, several times as fast."""
    return sys.intern(str(name))


def _reading(kind: Any, dialect: Dialect) -> _Process:
    """What makes a value of what the database holds."""
    process: _Process = kind.dialect_impl(dialect).result_processor(dialect, None)
    if not isinstance(kind, sa.JSON) or process is None:
        return process
    read = process
    return lambda held: {} if held == "{}" else read(held)  # most say nothing


def _slots(compiled: SQLCompiler, expanded: ExpandedState, values: Mapping[str, Any]) -> Iterator[_Slot]:
    list_of = {key: name for name, keys in expanded.parameter_expansion.items() for key in keys}
    for name, keys in itertools.groupby(expanded.positiontup or (), lambda key: list_of.get(key, key)):
        write = _writing(compiled.binds[name].type, compiled.dialect)
        marks = list(keys)
        if name not in values:
            yield from (_Slot(said=expanded.parameters[key], write=write) for key in marks)
            continue
        of_list = expanded.parameter_expansion.get(name)  # which may stand there several times in a row
        slot = _Slot(name=name, is_list=of_list is not None, write=write)
        yield from itertools.repeat(slot, len(marks) // len(of_list or marks[:1]))


def _writing(kind: Any, dialect: Dialect) -> _Process:
    """What makes of a value what the database holds."""
    write: _Process = kind.dialect_impl(dialect).bind_processor(dialect)
    if not isinstance(kind, sa.JSON) or write is None:
        return write
    made = write
    return lambda value: "{}" if value == {} else made(value)  # most say nothing
