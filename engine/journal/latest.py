"""Rows of what is open as the events say it: those of the read models may be half a second older,
and stay so where an engine was killed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.journal.batch import TableName
from engine.journal.rows import Value, order_row, position_row
from engine.journal.shapes import SHAPES
from engine.model.figures import PositionMoney
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.position import Position

Row = dict[str, object]
KEYS = {"orders": "client_order_id", "positions": "id"}
"""The column that names a row, of each table that lags."""


def latest(
    name: TableName,
    orders: Iterable[Order],
    positions: Iterable[tuple[Position, Instrument, PositionMoney]],
) -> dict[str, Row]:
    """The rows of what is open, by id; none of a table that does not lag."""
    if name == "orders":
        found = [_row(name, order_row(order)) for order in orders]
    elif name == "positions":
        found = [_row(name, position_row(*kept)) for kept in positions]
    else:
        return {}
    return {str(row[KEYS[name]]): row for row in found}


def caught_up(
    name: TableName,
    rows: Iterable[Row],
    newest: Mapping[str, Row],
    wanted: Callable[[Row], bool] = lambda _: True,
) -> Iterator[Row]:
    """Rows as they were written, each with the newest value of what is open; what was never written
    comes last, as far as it is wanted.
    """
    left, key = dict(newest), KEYS.get(name, "")
    for row in rows:
        yield left.pop(str(row[key]), row) if key else row
    yield from (row for row in left.values() if wanted(row))


def _row(name: TableName, values: tuple[Value, ...]) -> Row:
    """A row by column name, with its values as they are read."""
    columns = SHAPES[name].columns.items()
    return {column: read(value) for (column, read), value in zip(columns, values, strict=True)}
