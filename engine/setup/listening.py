"""Which symbols a market tells prices of while it is open: one more, or one less."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.market.simulation import BASES, SYNONYMS
from engine.model.instrument import Instrument
from engine.model.rules import SymbolRules
from engine.setup import factories
from engine.venues.profiles import instrument_for

if TYPE_CHECKING:
    from engine.setup.factories import Source
    from engine.setup.sections import Settings
    from engine.venues.live.venue import LiveVenue
    from engine.venues.paper import PaperVenue
    from engine.venues.prices import PublicPrices


class Symbols(Protocol):
    """The symbols of one market."""

    def listed(self) -> tuple[str, ...]:
        """All that prices can be told of."""
        ...

    def heard(self) -> tuple[str, ...]:
        """Those whose prices are told."""
        ...

    async def add(self, symbol: str) -> tuple[Instrument, ...]:
        """Tell the prices of one that is listed, and of what its money is converted by; what is
        told from now on. Raises VenueError, MarketError or ValueError; then nothing has changed.
        """
        ...

    def drop(self, symbol: str) -> None:
        """Tell the prices of one no more."""
        ...


class LiveSymbols:
    """Those of an exchange that a dialect speaks."""

    def __init__(self, venue: "LiveVenue") -> None:
        self._venue = venue

    def listed(self) -> tuple[str, ...]:
        """All that it trades."""
        return self._venue.listed_symbols()

    def heard(self) -> tuple[str, ...]:
        """Those whose streams are open."""
        return self._venue.heard

    async def add(self, symbol: str) -> tuple[Instrument, ...]:
        """Open its streams. Raises VenueError."""
        from engine.venues.live import hearing

        return await hearing.add(self._venue, symbol)

    def drop(self, symbol: str) -> None:
        """End its streams."""
        from engine.venues.live import hearing

        hearing.drop(self._venue, symbol)


class PublicSymbols:
    """Those of an exchange that no dialect speaks."""

    def __init__(self, prices: "PublicPrices") -> None:
        self._prices = prices

    def listed(self) -> tuple[str, ...]:
        """All that it trades."""
        return self._prices.listed_symbols()

    def heard(self) -> tuple[str, ...]:
        """Those that are asked for."""
        return self._prices.heard

    async def add(self, symbol: str) -> tuple[Instrument, ...]:
        """Ask for it, too."""
        return (self._prices.add(symbol),)

    def drop(self, symbol: str) -> None:
        """Ask for it no more."""
        self._prices.drop(symbol)


class MadeSymbols:
    """Those of a market of our own making, or of recorded files."""

    def __init__(self, settings: "Settings", source: "Source", venue: "PaperVenue") -> None:
        self._settings, self._source, self._venue = settings, source, venue

    def listed(self) -> tuple[str, ...]:
        """What the files have; of a simulation what has a price of its own."""
        if self._source.simulated is None:
            return tuple(self._venue.exchange.instruments)
        settings, profile = self._settings, self._venue.profile
        traded = self._venue.exchange.instruments
        quotes = dict.fromkeys((settings.account.currency, *(i.quote for i in traded.values())))
        pairs = [f"{base}/{quote}" for base in BASES for quote in quotes if base != quote]
        if profile.derivatives:
            pairs = [name for one in traded.values() for name in _alike(one)]
        named, known = settings.market.model.get("prices") or {}, (*traded, *profile.instruments)
        more = named if isinstance(named, Mapping) else ()
        return tuple(dict.fromkeys((*known, *more, *pairs)))

    def heard(self) -> tuple[str, ...]:
        """Those that are told."""
        return tuple(s for s in self._venue.exchange.instruments if s not in self._venue.unheard)

    async def add(self, symbol: str) -> tuple[Instrument, ...]:
        """Make its prices, or tell those of the files. Raises MarketError or ValueError."""
        source, exchange = self._source, self._venue.exchange
        if source.simulated is None:
            return (exchange.instruments[symbol],)
        profile, simulated = self._venue.profile, source.simulated
        simulated.add(symbol, self._venue.clock.now())
        made = instrument_for(profile, symbol, simulated.ticks[symbol])
        source.ticks.step(symbol, made.tick)
        exchange.list(*factories.charged([made], self._settings.symbols))
        exchange.books[symbol].below = simulated.below(symbol).levels
        return (exchange.instruments[symbol],)

    def drop(self, symbol: str) -> None:
        """Make no more of its prices."""
        if self._source.simulated is not None:
            self._source.simulated.drop(symbol)


def _alike(instrument: Instrument) -> list[str]:
    """The names of other assets' contracts, written as this one's: PF_ETHUSD for PF_XBTUSD."""
    theirs = {ours: name for name, ours in SYNONYMS.items()}
    symbol, base = instrument.symbol, instrument.base
    written = next((name for name in (theirs.get(base, base), base) if name in symbol), "")
    foreign = written != base
    others = (theirs.get(one, one) if foreign else one for one in BASES)
    return [symbol.replace(written, one, 1) for one in others] if written else []


class PaperSymbols:
    """Those of a paper account: the market tells them, and its exchange trades them."""

    def __init__(
        self, market: Symbols, venue: "PaperVenue", symbols: Mapping[str, SymbolRules]
    ) -> None:
        self._market, self._venue, self._rules = market, venue, symbols

    def listed(self) -> tuple[str, ...]:
        """As the market says."""
        return self._market.listed()

    def heard(self) -> tuple[str, ...]:
        """Those that the market tells and the account is told."""
        told, unheard = self._market.heard(), self._venue.unheard
        return tuple(symbol for symbol in told if symbol not in unheard)

    async def add(self, symbol: str) -> tuple[Instrument, ...]:
        """Have it told, and traded. Raises as the market does."""
        found: Sequence[Instrument] = await self._market.add(symbol)
        for instrument in factories.charged(found, self._rules):
            self._venue.exchange.list(instrument)
            self._venue.hear(instrument.symbol)
        return tuple(self._venue.exchange.instruments[one.symbol] for one in found)

    def drop(self, symbol: str) -> None:
        """Have it told no more; what is traded stays listed."""
        self._venue.unheard.add(symbol)
        self._market.drop(symbol)
