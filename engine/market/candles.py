"""The last bars of a symbol, made from prices as they come: `CandleRing` of one length, and
`CandleSeries` of all that a chart asks for.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal

from engine.clock import SECOND
from engine.model.money import ZERO
from engine.model.quote import Bar, Candle

BASES = (SECOND, 5 * SECOND, 60 * SECOND, 3_600 * SECOND)
"""Lengths of the bars that a series keeps: each serves its multiples up to the next."""
QUIET = 60 * SECOND
"""Without a trade for so long, quotes make the bars again."""


class CandleRing:
    """At most `bars` bars of `base` ns each, rolled up to longer intervals on request.

    An interval without a price has no bar. The defaults remember about two hours in steps of five
    seconds.
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
        self._open = self._high = self._low = self._close = self._volume = ZERO

    def add(self, at: int, price: Decimal, size: Decimal = ZERO) -> Bar | None:
        """Take in a price of the time `at` (ns), with what was traded at it; one from before the
        newest bar counts in it: closed bars stay. Returns the bar that it closes.
        """
        if at < self._end:
            if price > self._high:
                self._high = price
            elif price < self._low:
                self._low = price
            self._close = price
            if size:
                self._volume += size
            return None
        closed = self.newest
        if closed is not None:
            self._closed.append(closed)
        self._stand((at - at % self.base, price, price, price, price, size))
        return closed

    def merge(self, bar: Bar) -> None:
        """Take in a shorter bar that is over."""
        if self._end < 0 and self._closed:
            self._stand(self._closed.pop())
        if bar[0] >= self._end:
            if self._end >= 0:
                self._closed.append(self._standing)
            self._stand((bar[0] - bar[0] % self.base, *bar[1:]))
        else:
            self._stand(_joined(self._standing, bar))

    @property
    def newest(self) -> Bar | None:
        """The bar that is not over; None before the first price."""
        return self._standing if self._end >= 0 else None

    @property
    def _standing(self) -> Bar:
        return (self._at, self._open, self._high, self._low, self._close, self._volume)

    def _stand(self, bar: Bar) -> None:
        self._at, self._open, self._high, self._low, self._close, self._volume = bar
        self._end = self._at + self.base

    def bars(self) -> list[Bar]:
        """All of them, oldest first."""
        return [*self._closed, *([self._standing] if self._end >= 0 else [])]

    def begin(self, bars: Sequence[Bar]) -> None:
        """Put bars of this length before the first one, oldest first. One of the same time is the
        same told by somebody who listened longer.
        """
        own = self.bars()
        first = own[0][0] if own else None
        older = [bar for bar in bars if first is None or bar[0] < first]
        longer = next((bar for bar in bars if bar[0] == first), None)
        if longer is not None:
            at, _, high, low, close, volume = own[0]
            high, low = max(high, longer[2]), min(low, longer[3])
            own[0] = (at, longer[1], high, low, close, max(volume, longer[5]))
        found = [*older, *own]
        if self._end >= 0:
            self._stand(found.pop())
        self._closed = deque(found, maxlen=self._closed.maxlen)

    def last(self, interval: int, count: int, top: Bar | None = None) -> tuple[Candle, ...]:
        """The newest `count` candles of `interval` ns, oldest first; `top` is a shorter bar that
        comes after all of this ring.

        The oldest may lack the beginning of its interval where that has left the ring. Raises
        `ValueError` unless `interval` is a multiple of the base.
        """
        if interval <= 0 or interval % self.base:
            raise ValueError(
                f"candle ring: interval is {interval} ns; it must be a multiple of {self.base}"
            )
        newest = [] if top is None else [top]
        if self._end >= 0:
            newest.append(self._standing)
        found: list[Bar] = []
        for bars in (newest, reversed(self._closed)):
            for bar in bars:
                start = bar[0] - bar[0] % interval
                if found and found[-1][0] == start:
                    found[-1] = _joined((start, *bar[1:]), found[-1])
                elif len(found) < count:
                    found.append((start, *bar[1:]))
                else:
                    break
        return tuple(
            Candle(self.symbol, *bar[:5], volume=bar[5], interval=interval)
            for bar in reversed(found)
        )


def _joined(earlier: Bar, later: Bar) -> Bar:
    """Two bars as one, of the time of the earlier one."""
    at, opened, high, low, _, volume = earlier
    return (
        at, opened, max(high, later[2]), min(low, later[3]), later[4], volume + later[5]
    )  # fmt: skip


def rolled(bars: Iterable[Bar], interval: int) -> list[Bar]:
    """Bars as longer ones, oldest first."""
    found: list[Bar] = []
    for bar in bars:
        start = bar[0] - bar[0] % interval
        if found and found[-1][0] == start:
            found[-1] = _joined(found[-1], bar)
        else:
            found.append((start, *bar[1:]))
    return found


class CandleSeries:
    """The bars of one symbol, from seconds to days: of its trades where there are any, else of its
    quotes.
    """

    def __init__(self, symbol: str) -> None:
        self._fine, *self._coarse = (CandleRing(symbol, base) for base in BASES)
        self._quiet_from = -1
        """From when on quotes count again, nanoseconds."""
        self.traded = False
        """Whether the newest bars are of trades."""

    def quote(self, at: int, price: Decimal) -> None:
        """A price at which one could sell."""
        if at < self._quiet_from:
            return
        self.traded = False
        closed = self._fine.add(at, price)
        if closed is not None:
            self._close(closed)

    def trade(self, at: int, price: Decimal, size: Decimal) -> None:
        """A price at which somebody traded."""
        self._quiet_from, self.traded = at + QUIET, True
        closed = self._fine.add(at, price, size)
        if closed is not None:
            self._close(closed)

    def bar(self, bar: Bar, interval: int) -> None:
        """A bar that somebody else made, newer than all that is known."""
        for ring in (self._fine, *self._coarse):
            if ring.base >= interval:
                ring.merge(bar)

    def _close(self, bar: Bar) -> None:
        for ring in self._coarse:
            ring.merge(bar)

    def last(self, interval: int, count: int) -> tuple[Candle, ...]:
        """The newest candles, oldest first. Raises ValueError for an interval that is no whole
        number of seconds.
        """
        for ring in reversed(self._coarse):
            if interval > 0 and interval % ring.base == 0:
                return ring.last(interval, count, self._fine.newest)
        return self._fine.last(interval, count)

    def begin(self, bars: Sequence[Bar], interval: int) -> None:
        """Put bars of a time before the first one that is known, oldest first; longer ones are made
        of them.
        """
        for ring in (self._fine, *self._coarse):
            if ring.base % interval == 0:
                ring.begin(rolled(bars, ring.base))

    def kept(self) -> dict[int, list[Bar]]:
        """All bars by their length, to begin with another time."""
        top = [] if self._fine.newest is None else [self._fine.newest]
        found = {ring.base: rolled([*ring.bars(), *top], ring.base) for ring in self._coarse}
        return {self._fine.base: rolled(self._fine.bars(), self._fine.base), **found}
