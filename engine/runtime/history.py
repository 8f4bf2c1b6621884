"""What a chart is drawn from: candles of the prices that were heard, and samples of the equity."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import cast

from engine.desk import events as e
from engine.journal import Journal
from engine.market import CandleSeries
from engine.model.quote import Bar, Candle, Quote, Trade

EQUITY = 2_000
"""Samples of the equity at hand."""


class History:
    """The last candles of each symbol, and the last samples of the equity."""

    def __init__(self) -> None:
        self._equity: deque[tuple[int, Decimal]] = deque(maxlen=EQUITY)
        self._candles: dict[str, CandleSeries] = {}

    def load(self, journal: Journal) -> None:
        """Begin with the samples that were written before."""
        for point in journal.rows("equity", newest=EQUITY):
            self._equity.append((cast(int, point["at"]), cast(Decimal, point["amount"])))

    def decided(self, events: Iterable[e.AnyEvent]) -> None:
        """Go on with the samples of a decision."""
        for event in events:
            if type(event) is e.Sampled:
                self._equity.append((event.at, event.equity))

    # Candles

    def _series(self, symbol: str) -> CandleSeries:
        series = self._candles.get(symbol)
        if series is None:
            series = self._candles[symbol] = CandleSeries(symbol)
        return series

    def quote(self, quote: Quote) -> None:
        """Take in a price that makes sense."""
        self._series(quote.symbol).quote(quote.at, quote.bid)

    def trade(self, trade: Trade) -> None:
        """Take in what somebody traded, at a price that makes sense."""
        if not trade.price.is_finite() or trade.price <= 0:
            return
        self._series(trade.symbol).trade(trade.at, trade.price, trade.size)

    def begin(self, symbol: str, bars: Mapping[int, Sequence[Bar]]) -> None:
        """Begin with what was known before this process listened: bars by their length."""
        for interval, found in sorted(bars.items()):
            self._series(symbol).begin(found, interval)

    def symbols(self) -> tuple[str, ...]:
        """Those that anything is known of."""
        return tuple(self._candles)

    def kept(self, symbol: str) -> dict[int, list[Bar]]:
        """The bars of a symbol by their length, for the next start."""
        return self._series(symbol).kept()

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """The last candles of a symbol, oldest first; the interval in nanoseconds."""
        series = self._candles.get(symbol)
        return () if series is None else series.last(interval, count)

    def traded(self, symbol: str) -> bool:
        """Whether the newest candles of a symbol are of trades, not of quotes."""
        series = self._candles.get(symbol)
        return series is not None and series.traded

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The last samples of the equity, oldest first: nanoseconds and amount."""
        return tuple(self._equity)[-count:]
