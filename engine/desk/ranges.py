"""How far the price went since a moment, for any number of moments: a quote costs the same however
many there are.

A moment begins a stretch. Of the stretches before it a quote changes nothing but what it exceeds,
so that the lows since each of them rise from the oldest to the newest: kept as that rising row, a
new low removes its end, and the low since a moment is found by halving.
"""

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal

from engine.model.quote import Quote

NOTHING = 1 << 62
"""A stretch that never comes."""
SPARE = 32
"""Lows or highs beyond one for each moment before those that nobody asks for are removed."""


class _Extreme:
    """The lowest (with a sign of -1 the highest) price since each of the moments that somebody
    counts from.
    """

    __slots__ = ("_begun", "_prices", "_sign", "last")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._begun: list[int] = []  # rising, as the prices are
        self._prices: list[Decimal] = []
        self.last: Decimal | None = None
        """Since the newest moment."""

    def see(self, price: Decimal, stretch: int) -> int:
        """Count a price that exceeds the last one, or is the first of a stretch; the first stretch
        for which it is the extreme now.
        """
        prices, begun = self._prices, self._begun
        first = None
        while prices and (prices[-1] >= price if self._sign > 0 else prices[-1] <= price):
            same = prices.pop() == price
            last = begun.pop()
            first = last + 1 if same else first
        if first is None:
            first = begun[-1] + 1 if begun else 0
        prices.append(price)
        begun.append(stretch)
        self.last = price
        return first

    def since(self, stretch: int) -> Decimal | None:
        """The extreme from the beginning of a stretch on."""
        index = bisect_left(self._begun, stretch)
        return self._prices[index] if index < len(self._prices) else None

    def begin(self) -> None:
        """A stretch begins without a price."""
        self.last = None

    def clear(self) -> None:
        """Nobody counts."""
        self._begun, self._prices, self.last = [], [], None

    def forget(self, asked: list[int]) -> None:
        """Keep only what some of these stretches, ascending, ask for."""
        wanted = sorted(
            {
                index
                for stretch in asked
                if (index := bisect_left(self._begun, stretch)) < len(self._begun)
            }
        )
        self._begun, self._prices = (
            [self._begun[index] for index in wanted],
            [self._prices[index] for index in wanted],
        )

    def __len__(self) -> int:
        return len(self._prices)


class Ranges:
    """Lows and highs of one symbol's bid and ask since the moments that positions count from, by
    key.
    """

    __slots__ = (
        "_extremes",
        "_since",
        "_stretch",
        "_wider",
        "ask_high",
        "ask_low",
        "bid_high",
        "bid_low",
    )

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._stretch = 0
        self._wider = NOTHING
        self.bid_low, self.ask_low = _Extreme(1), _Extreme(1)
        self.bid_high, self.ask_high = _Extreme(-1), _Extreme(-1)
        self._extremes = (self.bid_low, self.bid_high, self.ask_low, self.ask_high)

    def __bool__(self) -> bool:
        return bool(self._since)

    def __contains__(self, key: str) -> bool:
        return key in self._since

    def widened(self) -> Iterator[str]:
        """The keys whose ranges have become wider since this was asked for last, the newest
        first.
        """
        first, self._wider = self._wider, NOTHING
        if first == NOTHING:
            return
        for key, stretch in reversed(self._since.items()):
            if stretch < first:
                break
            yield key

    def see(self, bid: Decimal, ask: Decimal) -> bool:
        """Count one more quote; whether that makes any range wider."""
        low, high = self.bid_low.last, self.bid_high.last
        lowest, highest = self.ask_low.last, self.ask_high.last
        if low is None or high is None or lowest is None or highest is None:
            self._first(bid, ask)
            return True
        wider = False
        if bid < low or bid > high:
            self._widen(self.bid_low if bid < low else self.bid_high, bid)
            wider = True
        if ask < lowest or ask > highest:
            self._widen(self.ask_low if ask < lowest else self.ask_high, ask)
            wider = True
        return wider

    def _first(self, bid: Decimal, ask: Decimal) -> None:
        for extreme, price in zip(self._extremes, (bid, bid, ask, ask), strict=True):
            self._widen(extreme, price)

    def _widen(self, extreme: _Extreme, price: Decimal) -> None:
        self._wider = min(self._wider, extreme.see(price, self._stretch))

    def begin(self, key: str, quote: Quote | None) -> None:
        """Count for a key from now on, the latest quote included."""
        self._stretch += 1
        self._since.pop(key, None)
        self._since[key] = self._stretch
        if quote is not None:
            self._first(quote.bid, quote.ask)
        else:
            for extreme in self._extremes:
                extreme.begin()
        most = len(self._since) + SPARE
        if any(len(extreme) > most for extreme in self._extremes):
            asked = sorted(self._since.values())
            for extreme in self._extremes:
                extreme.forget(asked)

    def end(self, key: str) -> None:
        """Count for a key no longer; nothing where nobody did."""
        self._since.pop(key, None)
        if not self._since:
            for extreme in self._extremes:
                extreme.clear()

    def bids(self, key: str) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest bid since a key began; None before the first."""
        return self._pair(key, self.bid_low, self.bid_high)

    def asks(self, key: str) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest ask since a key began."""
        return self._pair(key, self.ask_low, self.ask_high)

    def _pair(self, key: str, low: _Extreme, high: _Extreme) -> tuple[Decimal, Decimal] | None:
        stretch = self._since.get(key)
        if stretch is None:
            return None
        lowest, highest = low.since(stretch), high.since(stretch)
        return None if lowest is None or highest is None else (lowest, highest)
