"""One connection, asked in SQL text: a file through `sqlite3` itself, a server through SQLAlchemy.
What reads has a `Reader`; what changes a row or two of the journal's own, as who takes the lease,
a `Changer`.

Importing SQLAlchemy and the tables' declarations takes half of the CPU time of a command that only
looks (0.58 s of 1.16: `python -m tests.bench.looks`), and a file needs neither to be read. Both
kinds of connection take the same text with `:name` where a value goes.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection

Row = tuple[Any, ...]
Values = Mapping[str, object]
NONE: Values = {}

CHUNK = 1_000
"""Rows held in memory at a time."""


class Reader(Protocol):
    """A connection in one transaction; of a file, nothing that it reads changes meanwhile."""

    @property
    def is_sqlite(self) -> bool:
        """Whether it reads a file."""
        ...

    def rows(self, sql: str, values: Values = NONE) -> Iterator[Row]:
        """The rows of a query."""
        ...

    def stream(self, sql: str, values: Values = NONE) -> Iterator[Row]:
        """The rows of a query that may have more than memory should hold."""
        ...

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        ...


class Changer(Reader, Protocol):
    """A connection in one transaction that no other writer is beside."""

    def change(self, sql: str, values: Values = NONE) -> None:
        """Change rows."""
        ...


class FileReader:
    """Of a SQLite file."""

    is_sqlite = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Values = NONE) -> Iterator[Row]:
        """The rows of a query, as they come."""
        return self._connection.execute(sql, values)

    stream = rows

    def change(self, sql: str, values: Values = NONE) -> None:
        """Change rows."""
        self._connection.execute(sql, values)

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        found = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {str(name) for (name,) in found if not str(name).startswith("sqlite_")}


class CoreReader:
    """Of whatever SQLAlchemy connects to; also of a transaction that writes, to read in it."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"

    def rows(self, sql: str, values: Values = NONE) -> Iterator[Row]:
        """The rows of a query, as they come."""
        from sqlalchemy import text

        return map(tuple, self._connection.execute(text(sql), values))

    def change(self, sql: str, values: Values = NONE) -> None:
        """Change rows."""
        from sqlalchemy import text

        self._connection.execute(text(sql), values)

    def stream(self, sql: str, values: Values = NONE) -> Iterator[Row]:
        """The rows of a query, `CHUNK` at a time."""
        from sqlalchemy import text

        statement = text(sql).execution_options(stream_results=True, yield_per=CHUNK)
        return map(tuple, self._connection.execute(statement, values))

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        from sqlalchemy import inspect

        return set(inspect(self._connection).get_table_names())


def first(reader: Reader, sql: str, values: Values = NONE) -> Row | None:
    """The first row of a query; None where there is none."""
    return next(iter(reader.rows(sql, values)), None)


def scalar(reader: Reader, sql: str, values: Values = NONE) -> Any:
    """The first value of the first row; None where there is none."""
    found = first(reader, sql, values)
    return None if found is None else found[0]


def among(column: str, wanted: Sequence[str]) -> tuple[str, dict[str, object]]:
    """The condition that a column is one of some words, and its values."""
    values: dict[str, object] = {f"{column}{index}": one for index, one in enumerate(wanted)}
    places = ", ".join(f":{name}" for name in values)
    # neither database takes an empty list; nothing equals NULL
    return f"{column} IN ({places or 'NULL'})", values
