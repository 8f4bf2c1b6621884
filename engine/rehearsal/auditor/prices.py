"""Prices as the venue told them, and the sizes that a venue takes at them."""

from decimal import Decimal

from engine.model.instrument import Instrument
from engine.model.money import ONE, ZERO
from engine.model.quote import Quote

DUST = Decimal("1.1")
"""A size worth up to a tenth more than the venue's least may have been dust when the desk last
looked: prices move.
"""


class Prices:
    """The latest quote of each symbol."""

    def __init__(self, oldest: int) -> None:
        self.oldest = oldest
        """A price older than this many nanoseconds guards nothing."""
        self._quotes: dict[str, Quote] = {}
        self._paces: dict[str, int] = {}

    def quoted(self, quote: Quote) -> None:
        """Keep a quote."""
        self._quotes[quote.symbol] = quote

    def set_pace(self, symbol: str, pace: int) -> None:
        """A source whose prices are `pace` nanoseconds apart is stale after three of them, where
        that is longer.
        """
        self._paces[symbol] = pace

    def is_fresh(self, symbol: str, now: int) -> bool:
        """Whether a guard could act on the latest price."""
        quote = self._quotes.get(symbol)
        return quote is not None and now - quote.at <= max(
            self.oldest, 3 * self._paces.get(symbol, 0)
        )

    def takes(self, instrument: Instrument, size: Decimal, slack: Decimal = ONE) -> bool:
        """Whether the venue takes an order of this size; what it does not take is dust.

        With `slack` above one, only a size that it would also take at a price lower by that factor
        counts.
        """
        lots = size - size % instrument.lot
        if lots <= ZERO or lots < instrument.min_size:
            return False
        quote = self._quotes.get(instrument.symbol)
        return quote is None or instrument.notional(lots, quote.bid) >= instrument.min_cost * slack
