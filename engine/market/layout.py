"""What the columns of a recorded file mean: the kind of its rows, told from the header."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple


class MarketError(Exception):
    """A market source can't be used; the message is one sentence for a person and names the
    file.
    """


class BadRow(Exception):  # noqa: N818  # it is a finding about data, caught by the reader of the file
    """A row that can't be used; the message says why."""


class Kind(StrEnum):
    """What the rows of a recorded file are, the most telling about a price first."""

    QUOTES = "quotes"
    L2 = "l2"
    TRADES = "trades"
    CANDLES = "candles"


NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.QUOTES: ("ts_ns", "symbol", "bid", "bid_size", "ask", "ask_size"),
    Kind.TRADES: ("ts_ns", "symbol", "price", "size", "side"),
    Kind.CANDLES: ("ts_ns", "symbol", "open", "high", "low", "close", "volume"),
    Kind.L2: ("ts_ns", "symbol", "kind", "side", "price", "size"),
}
"""The columns of each kind, in the order in which `Layout.pick` returns them."""

INTERVAL = "interval_s"
"""The one optional column, of candles."""

ALLOWED = "; ".join(
    ",".join(columns) + (f"[,{INTERVAL}]" if kind is Kind.CANDLES else "")
    for kind, columns in COLUMNS.items()
)


def split_plain(text: str) -> list[str]:
    """The fields of a row of our own files."""
    return text.split(",")


class Layout(NamedTuple):
    """How to read the rows of one file."""

    kind: Kind
    width: int
    """How many fields a row has."""
    timed: bool
    """Whether each candle says its own interval, as one more field at the end of what is picked."""
    pick: Callable[[list[Any]], tuple[Any, ...]]
    """The fields of a row, or the columns of many, put into the order of `COLUMNS`; a text where
    the file has no such column.
    """
    split: Callable[[str], list[str]] = split_plain
    """A row into its fields."""
    delimiter: str = ","
    """What stands between the fields of a row in which nothing is quoted."""
    unit: str | None = "ns"
    """Of its times; None where it is told from each one's magnitude."""
    sides: Mapping[str, str] | None = None
    """What the file's words for a side mean; the row's own words where None."""
    foreign: bool = False
    """Whether symbols are in an exchange's spelling, and become ours."""
    closes: bool = False
    """Whether a candle's time is when it closed."""
    volume: bool = True
    """Whether candles say what was traded."""
    divide: int = 1
    """What prices are divided by."""


def layout_of(path: object, header: str) -> Layout:
    """The layout that a header line of our own asks for, in any order of its columns; `MarketError`
    where it is no known one.
    """
    found = own(header)
    if found is None:
        shown = header if len(header) <= 120 else header[:120] + "..."
        raise MarketError(
            f"{path}: the header {shown!r} is not known; allowed, in any order, are: {ALLOWED}"
        )
    return found


def own(header: str) -> Layout | None:
    """The layout of one of our own files; None where the header is another one's."""
    names = [name.strip().lower() for name in header.split(",")]
    for kind, columns in COLUMNS.items():
        timed = kind is Kind.CANDLES and INTERVAL in names
        wanted = (*columns, INTERVAL) if timed else columns
        if sorted(names) == sorted(wanted):
            return Layout(
                kind, len(wanted), timed, itemgetter(*(names.index(name) for name in wanted))
            )
    return None
