"""What a market says: quotes, trades, candles, depth; times in nanoseconds since 1970, UTC."""

from decimal import Decimal

from msgspec import Struct

from engine.model.side import Side


class Quote(Struct, frozen=True, gc=False, tag="quote"):
    """Best bid and ask with their sizes."""

    symbol: str
    at: int
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal

    @property
    def mid(self) -> Decimal:
        """Half way between bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def is_sane(self) -> bool:
        """Whether both are prices, and not crossed."""
        return self.bid.is_finite() and self.ask.is_finite() and 0 < self.bid <= self.ask


class Trade(Struct, frozen=True, gc=False, tag="trade"):
    """One execution between other people."""

    symbol: str
    at: int
    price: Decimal
    size: Decimal
    taker: Side | None
    """Who took from the book; None where the source does not say."""


class Candle(Struct, frozen=True, gc=False, tag="candle"):
    """Open, high, low, close and volume of one interval."""

    symbol: str
    at: int
    """When the interval opened."""
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    interval: int
    """Nanoseconds."""


Bar = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]
"""A candle as it is kept: open time in ns, open, high, low, close, volume."""


class Level(Struct, frozen=True, gc=False):
    """One price of a book; size zero removes it."""

    side: Side
    """BUY for a bid, SELL for an ask."""
    price: Decimal
    size: Decimal


class Depth(Struct, frozen=True, gc=False, tag="depth"):
    """A change of a book, or the whole of it."""

    symbol: str
    at: int
    levels: tuple[Level, ...]
    snapshot: bool
    """Whether these levels replace all that was known."""


class BookShown(Struct, frozen=True, gc=False):
    """The levels of a book that somebody has told, the best first: price and size. A size of zero
    stands for one that is not known.
    """

    at: int
    """When the newest of it was told."""
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    deep: bool
    """Whether a feed tells the levels below the best; where not, only the best are here."""

    def displayed(self, side: Side, price: Decimal) -> Decimal | None:
        """What stands at a price of a side; zero where it is better than the best, or between two
        levels, and None where nobody can see.
        """
        levels = self.bids if side is Side.BUY else self.asks
        for at, size in levels:
            if at == price:
                return size or None
        if not levels or (levels[-1][0] - price) * side.sign > 0:
            return None
        return Decimal(0)


Tick = Quote | Trade | Candle | Depth
"""Anything that a market source can say."""
