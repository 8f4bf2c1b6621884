"""Candles of every interval, as OHLC and the ohlc channel tell them, and what a market is given as
its past when it begins.
"""

from collections import deque
from decimal import Decimal
from random import Random

from engine.clock import SECOND
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.wire.spot.past import _moved

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""Minutes that a candle may last."""
KEPT = 720
"""Candles of each interval that are told (OHLC, read 2026-11)."""


class Candle:
    """Prices, volume and prints from a time on."""

    __slots__ = ("close", "count", "high", "low", "open", "start", "value", "volume")

    def __init__(self, start: int, price: Decimal) -> None:
        self.start = start
        """Seconds since 1970."""
        self.open = self.high = self.low = self.close = price
        self.volume = ZERO
        self.value = ZERO
        self.count = 0

    def add(self, price: Decimal, size: Decimal) -> None:
        """One print, or a price without one for a size of zero."""
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        self.volume += size
        self.value += size * price
        self.count += 1 if size else 0

    @property
    def vwap(self) -> Decimal:
        """The average price by volume; zero where nothing was traded."""
        return self.value / self.volume if self.volume else ZERO


class Candles:
    """One symbol's, of all intervals."""

    def __init__(self) -> None:
        self._rows: dict[int, deque[Candle]] = {
            interval: deque(maxlen=KEPT) for interval in INTERVALS
        }

    def add(self, at: int, price: Decimal, size: Decimal) -> None:
        """One print at a time (nanoseconds), or a price without one."""
        for interval, rows in self._rows.items():
            start = at // SECOND // (interval * 60) * (interval * 60)
            if not rows or rows[-1].start < start:
                rows.append(Candle(start, price))
            rows[-1].add(price, size)

    def told(self, interval: int) -> list[Candle]:
        """Those of an interval in minutes, oldest first."""
        return list(self._rows[interval])

    def lead(self, instrument: Instrument, random: Random, price: Decimal, at: int) -> None:
        """Give each interval the candles that it lacks before its first, ending at a price and a
        time.
        """
        for interval, rows in self._rows.items():
            first = (
                rows[0]
                if rows
                else Candle(at // SECOND // (interval * 60) * (interval * 60), price)
            )
            level, start = first.open, first.start
            while len(rows) < KEPT:
                start -= interval * 60
                close, level = level, _moved(instrument, random, level, interval)
                candle = Candle(start, level)
                size = instrument.round_size(Decimal(f"{random.uniform(0.5, 5) * interval:.4f}"))
                for step in (
                    _moved(instrument, random, level, interval / 4),
                    _moved(instrument, random, close, interval / 4),
                    close,
                ):
                    candle.add(step, size)
                rows.appendleft(candle)
