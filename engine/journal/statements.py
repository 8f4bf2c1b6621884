"""The SQL of the hot append, compiled once from Core statements.

Executing through Core costs 5 to 10 us of Python per row, in a thread that shares the interpreter
with the engine; the same text handed to the driver costs a tenth. And a driver gives the
interpreter away at every statement and may wait a switch interval to get it back, so rows go in
many to a statement: few statements matter more than few bytes.
"""

from collections.abc import Iterator
from functools import cache
from itertools import chain

from sqlalchemy import Delete, Dialect, Select, Table, Update, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from engine.journal.columns import Moment
from engine.journal.rows import Rows, Value
from engine.journal.tables import table

SIZES = (128, 64, 32, 16, 8, 7, 6, 5, 4, 3, 2, 1)
"""Rows to a statement. Few distinct texts, so that the drivers keep them all prepared; 128 rows
stay below every parameter limit.
"""

WRITTEN = (
    "event", "snapshot", "orders", "fills", "positions", "alerts", "equity", "level",
    "position_snapshots",
)  # fmt: skip
"""Tables that a commit writes."""
MOMENT = "TIMESTAMPTZ 'epoch' + (%s::BIGINT / 1000) * INTERVAL '1 microsecond'"

FORGOTTEN = 1_000
"""Snapshots of positions that one commit takes away at most: it must not wait for years of them.
"""
FORGET = (
    "DELETE FROM position_snapshots WHERE (at, position) IN (SELECT at, position"
    " FROM position_snapshots WHERE at < {} ORDER BY at LIMIT {})"
)


class Upsert:
    """`INSERT ... ON CONFLICT DO UPDATE` into one table, for any number of rows."""

    def __init__(self, into: Table, dialect: Dialect) -> None:
        keys = [column.name for column in into.primary_key]
        text, order = _compiled(into, keys, dialect)
        assert order == [column.name for column in into.columns]
        self._head, self._row, self._tail = _parts(text)
        self._is_sqlite = dialect.name == "sqlite"
        if not self._is_sqlite:
            self._row = _with_moments(self._row, into)
        self._texts: dict[int, str] = {}

    def statements(self, rows: Rows) -> Iterator[tuple[str, list[Value]]]:
        """SQL and its parameters, as few as there can be."""
        done, left = 0, len(rows)
        for size in SIZES:
            while left >= size:
                yield self._text(size), list(chain.from_iterable(rows[done : done + size]))
                done, left = done + size, left - size

    def _text(self, size: int) -> str:
        found = self._texts.get(size)
        if found is None:
            text = f"{self._head} VALUES {', '.join([self._row] * size)}{self._tail}"
            found = self._texts[size] = text if self._is_sqlite else numbered(text)
        return found


def _compiled(into: Table, keys: list[str], dialect: Dialect) -> tuple[str, list[str]]:
    columns = [column.name for column in into.columns]
    plain = sqlite_insert(into) if dialect.name == "sqlite" else postgres_insert(into)
    changed = {name: plain.excluded[name] for name in columns if name not in keys}
    once = into.name == "event"  # written once, never again: a second one is an error
    statement = plain if once else plain.on_conflict_do_update(index_elements=keys, set_=changed)
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    return str(compiled), list(compiled.positiontup or ())


def _parts(text: str) -> tuple[str, str, str]:
    """An insert of one row, cut around its values."""
    head, _, rest = text.partition(" VALUES ")
    row, conflict, tail = rest.partition(" ON CONFLICT")
    return head, row, conflict + tail


def _with_moments(row: str, into: Table) -> str:
    """The values of a row, with times told in nanoseconds as timestamptz: they reach the driver as
    whole numbers.
    """
    places = row.strip("()").split(", ")
    assert len(places) == len(into.columns)
    return "({})".format(
        ", ".join(
            MOMENT if isinstance(column.type, Moment) else place
            for place, column in zip(places, into.columns, strict=True)
        )
    )


def numbered(text: str) -> str:
    """`%s` as `$1, $2, ...`: psycopg takes such text as it is, and parses any other long one every
    time.
    """
    first, *others = text.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))


class Statements:
    """All that a commit executes, in the words of one database."""

    def __init__(self, dialect_name: str) -> None:
        dialect: Dialect
        if dialect_name == "sqlite":
            dialect, self.begin = SQLiteDialect_pysqlite(paramstyle="qmark"), "BEGIN IMMEDIATE"
        else:
            dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call] # SQLAlchemy left it so
            self.begin = ""  # the driver begins by itself
        self.upserts = {name: Upsert(table(name), dialect) for name in WRITTEN}
        self.head = _literal(_head(), dialect)
        """Epoch, holder, last seq, batch and hash; locks the lease, so that a claim waits for the
        commit.
        """
        moved = _moved().compile(dialect=dialect)
        assert moved.positiontup == ["seq", "number", "last"]
        self.moved = str(moved) if dialect.name == "sqlite" else numbered(str(moved))
        """Sets the last seq, batch and hash."""
        replaced = _replaced().compile(dialect=dialect)
        self.replaced = str(replaced) if dialect.name == "sqlite" else numbered(str(replaced))
        """Takes the row of a stand-in away, by its execution id."""
        self.forget = (
            FORGET.format("?", "?")
            if dialect.name == "sqlite"
            else numbered(FORGET.format(MOMENT, "%s"))
        )
        """Takes the oldest snapshots of positions away: from before a time, so many at most."""


@cache
def statements(dialect_name: str) -> Statements:
    """Compiled once per process: an engine that starts again does not wait for it."""
    return Statements(dialect_name)


def use_numbered(connection: object) -> None:
    """Let a psycopg connection take `$1` placeholders."""
    from psycopg import Connection, RawCursor  # here, because the driver is optional

    if isinstance(connection, Connection):
        connection.cursor_factory = RawCursor


def _head() -> Select[tuple[int, str, int, int, bytes]]:
    lease, meta = table("lease"), table("meta")
    return (
        select(lease.c.epoch, lease.c.holder, meta.c.last_seq, meta.c.last_batch, meta.c.last_hash)
        .where(lease.c.id == 1, meta.c.id == 1)
        .with_for_update(of=lease)
    )


def _moved() -> Update:
    return update(table("meta")).values(
        last_seq=bindparam("seq"), last_batch=bindparam("number"), last_hash=bindparam("last")
    )


def _replaced() -> Delete:
    fills = table("fills")
    return delete(fills).where(fills.c.execution_id == bindparam("name"))


def _literal(statement: Select[tuple[int, str, int, int, bytes]], dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
