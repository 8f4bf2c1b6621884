"""The last bars of one symbol, made from prices as they come."""

from collections import deque
from decimal import Decimal

from engine.clock import SECOND
from engine.model.money import ZERO
from engine.model.quote import Candle

Bar = tuple[int, Decimal, Decimal, Decimal, Decimal]
"""Open time in ns, open, high, low, close."""


class CandleRing:
    """At most `bars` bars of `base` ns each, rolled up to longer intervals on request.

    An interval without a price has no bar. The defaults remember about two hours in steps of five
    seconds; a chart of hours wants a second ring with a longer base.
    """

    def __init__(self, symbol: str, base: int = 5 * SECOND, bars: int = 1_500) -> None:
        if base <= 0 or bars <= 0:
            raise ValueError(
                f"candle ring: base is {base} ns and bars is {bars}; both must be above zero"
            )
        self.symbol = symbol
        self.base = base
        """Nanoseconds of the shortest bar."""
        self._closed: deque[Bar] = deque(maxlen=bars - 1)
        self._at = -1
        self._end = -1
        self._open = self._high = self._low = self._close = ZERO

    def add(self, at: int, price: Decimal) -> None:
        """Take in a price of the time `at` (ns); one from before the newest bar counts in it:
        closed bars stay.
        """
        if at < self._end:
            if price > self._high:
                self._high = price
            elif price < self._low:
                self._low = price
            self._close = price
            return
        if self._end >= 0:
            self._closed.append((self._at, self._open, self._high, self._low, self._close))
        self._at = at - at % self.base
        self._end = self._at + self.base
        self._open = self._high = self._low = self._close = price

    def last(self, interval: int, count: int) -> tuple[Candle, ...]:
        """The newest `count` candles of `interval` ns, oldest first; their volume is not known and
        zero.

        The oldest may lack the beginning of its interval where that has left the ring. Raises
        `ValueError` unless `interval` is a multiple of the base.
        """
        if interval <= 0 or interval % self.base:
            raise ValueError(
                f"candle ring: interval is {interval} ns; it must be a multiple of {self.base}"
            )
        found: list[Bar] = []
        for bar in self._newest_first():
            start = bar[0] - bar[0] % interval
            if found and found[-1][0] == start:
                _, _, high, low, close = found[-1]
                found[-1] = (start, bar[1], max(high, bar[2]), min(low, bar[3]), close)
            elif len(found) < count:
                found.append((start, *bar[1:]))
            else:
                break
        return tuple(
            Candle(self.symbol, *bar, volume=ZERO, interval=interval) for bar in reversed(found)
        )

    def _newest_first(self) -> list[Bar]:
        if self._end < 0:
            return []
        return [(self._at, self._open, self._high, self._low, self._close), *reversed(self._closed)]
