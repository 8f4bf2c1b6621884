"""The read models' rows of a server, in the types of their columns."""

from collections.abc import Iterator
from typing import get_args

from sqlalchemy import Column, Row, Select, Table, select

from engine.journal.batch import TableName
from engine.journal.errors import JournalError
from engine.journal.reader import CHUNK
from engine.journal.store import Store
from engine.journal.tables import table
from engine.journal.views import ORDERED, VIEWS


def rows(
    store: Store,
    name: TableName,
    *,
    since: int | None = None,
    until: int | None = None,
    symbol: str | None = None,
    position: str | None = None,
    newest: int | None = None,
) -> Iterator[dict[str, object]]:
    """Rows of a read model ordered by time; see `Journal.rows`."""
    if name not in get_args(TableName):
        raise JournalError(
            f"journal {store.where}: there is no table {name!r}; allowed:"
            f" {', '.join(get_args(TableName))}"
        )
    source = VIEWS.tables[name] if name in ORDERED else table(name)
    time = source.c[ORDERED.get(name, "at" if "at" in source.c else "created_at")]
    statement = select(*source.columns)
    if since is not None:
        statement = statement.where(time >= since)
    if until is not None:
        statement = statement.where(time < until)
    for column, wanted in (("symbol", symbol), ("position", position)):
        if wanted is not None:
            statement = statement.where(_column(store, source, column) == wanted)
    key = list(source.primary_key)
    if newest is not None:
        latest = (
            statement.order_by(time.desc(), *(column.desc() for column in key))
            .limit(newest)
            .subquery()
        )
        again = latest.c[time.name]
        statement = select(latest).order_by(again, *(latest.c[column.name] for column in key))
    else:
        statement = statement.order_by(time, *key)
    names = [column.name for column in source.columns]
    for row in _streamed(store, statement):
        yield dict(zip(names, row, strict=True))


def _column(store: Store, source: Table, column: str) -> Column[str]:
    if column == "position" and source.name == "positions":
        column = "id"
    if column not in source.c:
        raise JournalError(f"journal {store.where}: {source.name} has no {column}; leave it out")
    return source.c[column]


def order(store: Store, client_order_id: str) -> dict[str, object] | None:
    """The row of an order; None where there is none."""
    orders = table("orders")
    with store.connected() as connection:
        found = connection.execute(
            select(*orders.columns).where(orders.c.client_order_id == client_order_id)
        ).first()
    return None if found is None else dict(zip(orders.columns.keys(), found, strict=True))


def _streamed(
    store: Store, statement: Select[*tuple[object, ...]]
) -> Iterator[Row[*tuple[object, ...]]]:
    with store.connected() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=CHUNK)
        for chunk in streaming.execute(statement).partitions():
            yield from chunk
