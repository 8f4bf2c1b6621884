"""The read models' rows of a file, through `sqlite3` alone. Those of a server are in `models`; a
test compares the two.
"""

from collections.abc import Iterator
from typing import get_args

from engine.journal.batch import TableName
from engine.journal.errors import JournalError
from engine.journal.reader import Row
from engine.journal.shapes import SHAPES, Shape
from engine.journal.store import Store


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
    shape = SHAPES[name]
    asked: dict[str, tuple[str, object]] = {
        "since": (f"{shape.time} >= :since", since),
        "until": (f"{shape.time} < :until", until),
        "symbol": ("symbol = :symbol", symbol),
        "position": (f"{'id' if name == 'positions' else 'position'} = :position", position),
    }
    for column in ("symbol", "position"):
        named = "id" if (name, column) == ("positions", "position") else column
        if asked[column][1] is not None and named not in shape.columns:
            raise JournalError(f"journal {store.where}: {name} has no {column}; leave it out")
    chosen = {word: one for word, one in asked.items() if one[1] is not None}
    where = " AND ".join(condition for condition, _ in chosen.values()) or "1"
    statement = f"{_select(name)} WHERE {where}"
    if newest is not None:
        latest = f"{statement} ORDER BY {_order(shape, ' DESC')} LIMIT :newest"
        statement = f"SELECT * FROM ({latest})"  # noqa: S608 - names are ours, values are bound
    values = {word: value for word, (_, value) in chosen.items()}
    with store.reading() as reader:
        found = reader.rows(f"{statement} ORDER BY {_order(shape)}", {**values, "newest": newest})
        for row in found:
            yield _read(shape, row)


def order(store: Store, client_order_id: str) -> dict[str, object] | None:
    """The row of an order; None where there is none."""
    shape = SHAPES["orders"]
    statement = f"{_select('orders')} WHERE client_order_id = :name"
    with store.reading() as reader:
        found = next(iter(reader.rows(statement, {"name": client_order_id})), None)
    return None if found is None else _read(shape, found)


def _select(name: TableName) -> str:
    columns = ", ".join(f'"{one}"' for one in SHAPES[name].columns)
    return f"SELECT {columns} FROM {name}"  # noqa: S608 - names are ours, values are bound


def _order(shape: Shape, way: str = "") -> str:
    return ", ".join(f"{column}{way}" for column in dict.fromkeys((shape.time, *shape.key)))


def _read(shape: Shape, row: Row) -> dict[str, object]:
    return {
        name: read(value) for (name, read), value in zip(shape.columns.items(), row, strict=True)
    }
