"""What the columns of a recorded file mean: the kind of its rows, told from the header."""

from collections.abc import Callable
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple


class MarketError(Exception):
    """A market source can't be used; the message is one sentence for a person and names the file."""


class Kind(StrEnum):
    """What the rows of a recorded file are, the most telling about a price first."""

    QUOTES = "quotes"
    L2 = "l2"
    TRADES = "trades"
    CANDLES = "candles"


COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.QUOTES: ("ts_ns", "symbol", "bid", "bid_size", "ask", "ask_size"),
    Kind.TRADES: ("ts_ns", "symbol", "price", "size", "side"),
    Kind.CANDLES: ("ts_ns", "symbol", "open", "high", "low", "close", "volume"),
    Kind.L2: ("ts_ns", "symbol", "kind", "side", "price", "size"),
}
"""The columns of each kind, in the order in which `Layout.pick` returns them."""

INTERVAL = "interval_s"
"""The one optional column, of candles."""

ALLOWED = "; ".join(",".join(columns) + (f"[,{INTERVAL}]" if kind is Kind.CANDLES else "") for kind, columns in COLUMNS.items())


class Layout(NamedTuple):
    """How to read the rows of one file."""

    kind: Kind
    width: int
    """How many fields a row has."""
    timed: bool
    """Whether each candle says its own interval, as one more field at the end of what is picked."""
    pick: Callable[[list[str]], tuple[str, ...]]
    """The fields of a row, put into the order of `COLUMNS`."""


def layout_of(path: Path, header: str) -> Layout:
    """The layout that a header line asks for, in any order of its columns; `MarketError` where it is no known one."""
    names = [name.strip().lower() for name in header.split(",")]
    for kind, columns in COLUMNS.items():
        timed = kind is Kind.CANDLES and INTERVAL in names
        wanted = (*columns, INTERVAL) if timed else columns
        if sorted(names) == sorted(wanted):
            return Layout(kind, len(wanted), timed, itemgetter(*(names.index(name) for name in wanted)))
    shown = header if len(header) <= 120 else header[:120] + "..."
    raise MarketError(f"{path}: the header {shown!r} is not known; allowed, in any order, are: {ALLOWED}")
