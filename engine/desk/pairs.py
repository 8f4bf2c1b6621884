"""From one currency to another, by the prices of what is listed."""

from collections.abc import Callable
from decimal import Decimal

from engine.model.instrument import Instrument, Kind
from engine.model.quote import Quote


class Pairs:
    """Which symbol converts which currencies."""

    def __init__(self, quote: Callable[[str], Quote | None]) -> None:
        """`quote` tells the latest price of a symbol."""
        self._quote = quote
        self._symbols: dict[tuple[str, str], str] = {}

    def list(self, instrument: Instrument) -> bool:
        """Whether the prices of an instrument convert its currencies from now on: a spot market is
        believed before a derivative.
        """
        pair = (instrument.base, instrument.quote)
        if instrument.kind is not Kind.SPOT and pair in self._symbols:
            return False
        self._symbols[pair] = instrument.symbol
        return True

    def rate(self, base: str, quote: str, without: str = "") -> Decimal | None:
        """Units of `quote` for one of `base`, from mid prices: direct, inverse, or through one
        other currency. `without` is a symbol that is not to be used.
        """
        direct = self._pair(base, quote, without)
        if direct is not None:
            return direct
        for middle in ("USD", "USDT", "EUR", "BTC"):
            if middle not in (base, quote):
                first = self._pair(base, middle, without)
                second = self._pair(middle, quote, without)
                if first is not None and second is not None:
                    return first * second
        return None

    def _pair(self, base: str, quote: str, without: str) -> Decimal | None:
        if base == quote:
            return Decimal(1)
        symbol = self._symbols.get((base, quote))
        found = None if symbol in (None, without) else self._quote(symbol)
        if found is not None:
            return found.mid
        symbol = self._symbols.get((quote, base))
        found = None if symbol in (None, without) else self._quote(symbol)
        return None if found is None else 1 / found.mid
