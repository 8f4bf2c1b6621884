"""The columns of the read models, and what a file's values of them mean: what `tables` and `views`
declare to SQLAlchemy, for who only looks and need not load it. A test compares the two.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import Struct

from engine.journal.batch import TableName

Read = Callable[[Any], object]
"""From a value as SQLite has it to what it means."""


def money(value: object) -> Decimal | None:
    """The Decimal that a text means."""
    return None if value is None else Decimal(str(value))


def tags(value: object) -> tuple[str, ...]:
    """The words that a text means."""
    return tuple(json.loads(str(value))) if value else ()


def flag(value: object) -> bool | None:
    """What a number says of yes and no."""
    return None if value is None else bool(value)


def plain(value: object) -> object:
    """A value that is what it is."""
    return value


def moment(value: object) -> object:
    """Nanoseconds since 1970 UTC."""
    return value


class Shape(Struct, frozen=True):
    """One table or view."""

    time: str
    """The column by which rows are ordered, and chosen by time."""
    key: tuple[str, ...]
    columns: dict[str, Read]


def _shape(time: str, key: str, columns: str, **kinds: str) -> Shape:
    """`kinds`: under the name of a function above, the columns that it reads."""
    readers = {"money": money, "tags": tags, "flag": flag, "moment": moment}
    known = {name: readers[kind] for kind, names in kinds.items() for name in names.split()}
    return Shape(
        time, tuple(key.split()), {name: known.get(name, plain) for name in columns.split()}
    )


SHAPES: dict[TableName, Shape] = {
    "orders": _shape(
        "created_at",
        "client_order_id",
        "client_order_id venue_order_id position symbol side type role size filled average_price"
        " price trigger reduce_only status created_at closed_at reason label",
        money="size filled average_price price trigger",
        flag="reduce_only",
        moment="created_at closed_at",
    ),
    "fills": _shape(
        "at",
        "execution_id",
        "execution_id client_order_id position symbol side price size fee fee_currency fee_value"
        " liquidity at",
        money="price size fee fee_value",
        moment="at",
    ),
    "positions": _shape(
        "created_at",
        "id",
        "id label symbol side size entry_size entry_price exit_price realised_pnl fees currency"
        " created_at opened_at closed_at close_reason stop target protection naked_ns r_multiple"
        " note tags mae mfe",
        money="size entry_size entry_price exit_price realised_pnl fees stop target r_multiple mae"
        " mfe",
        tags="tags",
        moment="created_at opened_at closed_at",
    ),
    "alerts": _shape(
        "at",
        "at key",
        "at key severity code subject text count last_at acknowledged_at cured_at target",
        moment="at last_at acknowledged_at cured_at",
    ),
    "equity": _shape("at", "at", "at amount", money="amount", moment="at"),
    "position_snapshots": _shape(
        "at",
        "at position",
        "at position symbol side size entry mark unrealised stop at_stop protection currency",
        money="size entry mark unrealised stop at_stop",
        moment="at",
    ),
    "trades": _shape(
        "closed_at",
        "id",
        "id label symbol side size entry_price exit_price opened_at closed_at realised_pnl fees"
        " currency r_multiple mae mfe naked_ns close_reason tags note",
        money="size entry_price exit_price realised_pnl fees r_multiple mae mfe",
        tags="tags",
        moment="opened_at closed_at",
    ),
    "daily_pnl": _shape(
        "day",
        "day currency",
        "day currency trades wins losses realised_pnl fees best worst",
        money="realised_pnl fees best worst",
    ),
    "fees_by_symbol": _shape(
        "symbol",
        "symbol fee_currency",
        "symbol fee_currency fills maker taker fee fee_value",
        money="fee fee_value",
    ),
    "refusals": _shape(
        "at",
        "seq code",
        "seq at intent asked symbol position code value bound",
        moment="at",
    ),
}


def columns(name: TableName) -> dict[str, bool]:
    """The columns of a read model, and which of them are times."""
    return {column: read is moment for column, read in SHAPES[name].columns.items()}
