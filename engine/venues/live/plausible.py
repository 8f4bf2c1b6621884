"""A price that is far from the last one is believed once a second message agrees: a single wrong
one would fire targets, guards and trails.
"""

from decimal import Decimal

from engine.clock import SECOND
from engine.model.quote import Quote

FAR = Decimal(2)
"""A price more than so many times the last one, or less than that part of it, is far."""
AGREES = Decimal("1.1")
"""Two that are within this factor agree."""
YOUNG = 60 * SECOND
"""The last price says nothing any more after so many nanoseconds."""


def _within(one: Quote, other: Quote, factor: Decimal) -> bool:
    return other.mid <= one.mid * factor and one.mid <= other.mid * factor


class Plausible:
    """Knows the last price of each symbol."""

    def __init__(self) -> None:
        self._last: dict[str, Quote] = {}
        self._doubted: dict[str, Quote] = {}

    def forget(self, symbol: str) -> None:
        """Know nothing of a symbol any more."""
        self._last.pop(symbol, None)
        self._doubted.pop(symbol, None)

    def takes(self, quote: Quote) -> bool:
        """Whether a price is to be told on. What makes no sense at all is told on, for the engine
        counts it.
        """
        if not quote.is_sane:
            return True
        last, before = self._last.get(quote.symbol), self._doubted.pop(quote.symbol, None)
        far = last is not None and quote.at - last.at < YOUNG and not _within(quote, last, FAR)
        if far and (before is None or not _within(quote, before, AGREES)):
            self._doubted[quote.symbol] = quote
            return False
        self._last[quote.symbol] = quote
        return True
