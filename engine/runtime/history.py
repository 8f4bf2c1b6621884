"""What a chart is drawn from: candles of the prices that were heard, and samples of the equity."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import cast

from engine.clock import SECOND
from engine.desk import events as e
from engine.journal import Journal
from engine.market import CandleRing
from engine.model.quote import Candle, Quote

EQUITY = 2_000
"""Samples of the equity at hand."""
MINUTE = 60 * SECOND


class History:
    """The last candles of each symbol, and the last samples of the equity."""

    def __init__(self) -> None:
        self._equity: deque[tuple[int, Decimal]] = deque(maxlen=EQUITY)
        self._candles: dict[str, tuple[CandleRing, CandleRing]] = {}

    def load(self, journal: Journal) -> None:
        """Begin with the samples that were written before."""
        for point in journal.rows("equity", newest=EQUITY):
            self._equity.append((cast(int, point["at"]), cast(Decimal, point["amount"])))

    def decided(self, events: Iterable[e.AnyEvent]) -> None:
        """Go on with the samples of a decision."""
        for event in events:
            if type(event) is e.Sampled:
                self._equity.append((event.at, event.equity))

    def quote(self, quote: Quote) -> None:
        """Take in a price that makes sense."""
        rings = self._candles.get(quote.symbol)
        if rings is None:
            rings = self._candles[quote.symbol] = (
                CandleRing(quote.symbol),
                CandleRing(quote.symbol, base=MINUTE),
            )
        for ring in rings:
            ring.add(quote.at, quote.bid)

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """The last candles of a symbol, oldest first; the interval in nanoseconds."""
        rings = self._candles.get(symbol)
        if rings is None:
            return ()
        fine, coarse = rings
        return (coarse if interval >= MINUTE and interval % MINUTE == 0 else fine).last(
            interval, count
        )

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The last samples of the equity, oldest first: nanoseconds and amount."""
        return tuple(self._equity)[-count:]
