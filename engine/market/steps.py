"""The price and size steps of one symbol, told from its prices."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from engine.market.layout import Kind
from engine.model.quote import Candle, Depth, Quote, Tick, Trade

FINEST_LOT = 8
"""Decimals of a size beyond which they are an artefact of a recorder that calculated in floats."""
JUDGED_BY = 5_000
"""Rows of a symbol in a file from which its steps are told."""


class PriceGrid(Struct, frozen=True):
    """The steps of one symbol as far as its data shows them."""

    tick: Decimal
    """Price step: a power of ten, at most 1."""
    lot: Decimal
    """Size step: a power of ten, at most 1; from candles that of their volume."""
    kind: Kind
    """The most telling kind of rows in which the symbol occurs."""

    def joined(self, other: "PriceGrid") -> "PriceGrid":
        """The steps of both."""
        kind = next(kind for kind in Kind if kind in (self.kind, other.kind))
        return PriceGrid(min(self.tick, other.tick), min(self.lot, other.lot), kind)


class Seen:
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
