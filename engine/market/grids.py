"""The price and size steps that recorded files were written on."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from engine.market.files import DEFAULT_INTERVAL, RecordedFile
from engine.market.layout import Kind
from engine.market.rows import BadRow, RowReader
from engine.model.quote import Candle, Depth, Quote, Tick, Trade

FINEST_LOT = 8
"""Decimals of a size beyond which they are an artefact of a recorder that calculated in floats."""


class PriceGrid(Struct, frozen=True):
    """The steps of one symbol as far as its data shows them."""

    tick: Decimal
    """Price step: a power of ten, at most 1."""
    lot: Decimal
    """Size step: a power of ten, at most 1; from candles that of their volume."""
    kind: Kind
    """The most telling kind of rows in which the symbol occurs."""


class _Seen:
    """What has been seen of one symbol."""

    def __init__(self) -> None:
        self.rows = 0
        self.kinds: set[Kind] = set()
        self.prices: set[Decimal] = set()
        self.sizes: set[Decimal] = set()

    def add(self, tick: Tick) -> None:
        match tick:
            case Quote():
                self.prices.update((tick.bid, tick.ask))
                self.sizes.update((tick.bid_size, tick.ask_size))
            case Trade():
                self.prices.add(tick.price)
                self.sizes.add(tick.size)
            case Candle():
                self.prices.update((tick.open, tick.high, tick.low, tick.close))
                self.sizes.add(tick.volume)
            case Depth():
                self.prices.update(level.price for level in tick.levels)
                self.sizes.update(level.size for level in tick.levels)

    def grid(self) -> PriceGrid:
        lot = min(FINEST_LOT, _decimals(self.sizes))
        kind = next(kind for kind in Kind if kind in self.kinds)
        return PriceGrid(Decimal(1).scaleb(-_decimals(self.prices)), Decimal(1).scaleb(-lot), kind)


def _decimals(values: Iterable[Decimal]) -> int:
    """The most decimals that any of the values needs; none for whole ones, however round."""
    return max((0, *(-int(value.normalize().as_tuple().exponent) for value in values if value)))


def grid(paths: Iterable[str | Path], rows: int = 5_000) -> dict[str, PriceGrid]:
    """The grid of every symbol in the files, from the first `rows` good rows of each symbol in each file.

    Every row's symbol is looked at, however late it comes. Raises `MarketError` for a file that can't be read; rows
    that can't are passed over.
    """
    found: dict[str, _Seen] = {}
    for path in paths:
        file = RecordedFile(Path(path))
        for seen in found.values():
            seen.rows = 0
        _scan(file, found, rows)
    return {symbol: seen.grid() for symbol, seen in found.items()}


def _scan(file: RecordedFile, found: dict[str, _Seen], rows: int) -> None:
    reader = RowReader(file.layout, DEFAULT_INTERVAL)
    for _, text in file.rows():
        try:
            symbol = reader.fields(text)[1]
            seen = found.get(symbol)
            if seen is not None and seen.rows >= rows:
                continue
            tick = reader.read(text)
        except BadRow:
            continue
        seen = found.setdefault(symbol, _Seen())
        seen.rows += 1
        seen.kinds.add(file.layout.kind)
        seen.add(tick)
