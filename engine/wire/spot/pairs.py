"""Kraken's names for currencies and pairs: legacy letters, altnames, and the names of
WebSocket v2.
"""

from collections.abc import Iterable

from msgspec import Struct

from engine.model.instrument import Instrument

CRYPTO = frozenset({"XBT", "ETH", "XRP", "LTC", "XLM", "ETC", "REP", "ZEC", "XMR", "MLN"})
"""Currencies whose asset code begins with an X, from the time of ISO 4217 look-alikes."""
FIAT = frozenset({"USD", "EUR", "GBP", "CAD", "JPY", "AUD"})
ALTERNATIVE = {"BTC": "XBT", "DOGE": "XDG"}


def altname(currency: str) -> str:
    """BTC is XBT here."""
    return ALTERNATIVE.get(currency, currency)


def asset(currency: str) -> str:
    """The code under which balances are told: XXBT, ZUSD, SOL."""
    name = altname(currency)
    if name in FIAT:
        return f"Z{name}"
    return f"X{name}" if name in CRYPTO or name == "XDG" else name


class Pair(Struct, frozen=True):
    """One instrument and its names."""

    instrument: Instrument
    key: str
    altname: str
    wsname: str

    @property
    def symbol(self) -> str:
        """The name in WebSocket v2."""
        return self.instrument.symbol

    @property
    def price_decimals(self) -> int:
        """Digits after the point of a price."""
        return decimals(self.instrument.tick)

    @property
    def lot_decimals(self) -> int:
        """Digits after the point of a volume."""
        return decimals(self.instrument.lot)


def decimals(step: object) -> int:
    """Digits after the point of a step."""
    text = f"{step:f}"
    return len(text.partition(".")[2].rstrip("0"))


def pair(instrument: Instrument) -> Pair:
    """The names of an instrument."""
    base, quote = altname(instrument.base), altname(instrument.quote)
    legacy = base in CRYPTO and (quote in FIAT or quote in CRYPTO)
    key = f"{asset(instrument.base)}{asset(instrument.quote)}" if legacy else f"{base}{quote}"
    return Pair(instrument, key, f"{base}{quote}", f"{base}/{quote}")


class Pairs:
    """All of them, by every name."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.all = tuple(pair(instrument) for instrument in instruments)
        self._named = {name: p for p in self.all for name in (p.key, p.altname, p.wsname, p.symbol)}
        self.by_symbol = {p.symbol: p for p in self.all}

    def find(self, name: str) -> Pair | None:
        """By any of its names."""
        return self._named.get(name)
