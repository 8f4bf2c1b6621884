"""What stands behind an engine of this process: a paper account on some market, or a live account
at its exchange.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec.structs import replace

from engine.account import added
from engine.account.home import Home
from engine.clock import Clock, PacedClock
from engine.exchange import Store
from engine.market import play
from engine.market.replay import Replay
from engine.model.instrument import Instrument
from engine.model.profile import Profile
from engine.model.quote import Bar, Quote, Trade
from engine.model.report import Filled, VenueReport
from engine.setup import factories
from engine.setup.listening import LiveSymbols, MadeSymbols, PaperSymbols, PublicSymbols, Symbols
from engine.setup.questions import Told, again, answered
from engine.setup.sections import Settings
from engine.venues.exchanges import PRICES
from engine.venues.paper import PaperVenue
from engine.venues.protocol import Venue

if TYPE_CHECKING:
    from engine.venues.live.venue import LiveVenue
    from engine.venues.prices import PublicPrices

MARKET_SAVED = 5.0
"""Seconds between two savings of where a market stands that can go on from there."""
Spawn = Callable[..., object]


class Environment(Protocol):
    """Venue, clock and market."""

    @property
    def venue(self) -> Venue:
        """The venue that orders go to."""
        ...

    clock: Clock
    paces: dict[str, int]
    """Usual nanoseconds between two prices, by symbol, where that is slow."""
    progress: Callable[[], float] | None
    """How far a recorded market has been played."""
    secrets: tuple[str, ...]
    """What may be written nowhere."""
    files: tuple[str, ...]
    """What each file of recorded prices was taken for, for people."""
    replay: Replay | None
    """What plays a recorded market."""

    @property
    def symbols(self) -> Symbols:
        """Whose prices are heard."""
        ...

    async def open(self, told: Told) -> None:
        """Make it. Whatever fails is closed again. `told` hears which question of the opening waits
        for an answer.
        """
        ...

    @property
    def prices_of(self) -> str:
        """Whose prices they are, to tell them from others; empty for those of a recording, whose
        time begins again with each session.
        """
        ...

    async def past(self, symbol: str) -> Mapping[int, Sequence[Bar]]:
        """What can be told of a symbol's prices before the session: bars by their length in
        nanoseconds. Raises VenueError.
        """
        ...

    async def begin(self, spawn: Spawn) -> None:
        """Let prices flow, once the engine listens; `spawn` owns the tasks."""
        ...

    async def close(self, *, read_only: bool) -> None:
        """After the engine has closed; where somebody else took the account over, nothing is
        written.
        """
        ...


class PaperEnvironment:
    """A paper account: on simulated or recorded prices, or on those of an exchange as they
    are now.
    """

    VENUE: ClassVar[type[PaperVenue]] = PaperVenue
    """Its venue; a drill has one of its own."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self.paces: dict[str, int] = {}
        self.progress: Callable[[], float] | None = None
        self.secrets: tuple[str, ...] = ()
        self.files: tuple[str, ...] = ()
        self.replay: Replay | None = None
        self._source: factories.Source | None = None
        self._prices: LiveVenue | PublicPrices | None = None

    async def open(self, told: Told) -> None:
        """The account's file, the market and the venue. Raises StoreError, MarketError, ValueError,
        and what a live exchange is missed for.
        """
        settings, market = self._settings, self._settings.market
        profile = factories.profile(settings.account.profile, settings.account.limits)
        self._store = Store(self._home.paper)
        self.clock = self._clock()
        try:
            instruments = await self._find_prices(profile, told)
            instruments = factories.charged(instruments, settings.symbols)
            cash, currency = settings.account.cash, settings.account.currency
            self.venue = factories.paper(
                profile,
                instruments,
                cash,
                currency,
                self.clock,
                market.seed,
                settings.paper,
                store=self._store,
                kind=self.VENUE,
                source=self._source,
            )
            self._store.restore(self.venue.exchange, self.clock.now())
        except BaseException:
            if self._prices is not None:
                await self._prices.close()
            self._store.close()
            raise
        self.symbols: Symbols = self._symbols()
        if self._source is not None:
            self.paces = self._source.paces
            recorded = self._source.recorded
            self.progress = None if recorded is None else lambda: recorded.progress
            if recorded is not None:
                self._make_replay(self._source)

    def _symbols(self) -> Symbols:
        """Whose prices the market tells."""
        settings, prices = self._settings, self._prices
        if self._source is not None:
            return PaperSymbols(
                MadeSymbols(settings, self._source, self.venue), self.venue, settings.symbols
            )
        assert prices is not None
        market = PublicSymbols(prices) if prices.name in PRICES else LiveSymbols(prices)  # type: ignore[arg-type]  # each name has its own kind
        return PaperSymbols(market, self.venue, settings.symbols)

    def _clock(self) -> Clock:
        """Real time."""
        return Clock(asyncio.get_running_loop())

    async def _find_prices(self, profile: Profile, told: Told) -> Sequence[Instrument]:
        """Where prices come from, and what is traded there."""
        settings, market = self._settings, self._settings.market
        if market.source == "recorded":
            files, now = [Path(name) for name in market.files], self.clock.now()
            self._source = factories.recorded(
                profile, files, market.reading, now, market.start, self._store.played()
            )
            if self._source.recorded is not None:
                self.files = (*_some(self._source.recorded.sentences), *self._source.remarks)
            self.clock = PacedClock(asyncio.get_running_loop(), self._source.start, market.speed)
            self._store.keep_past(self.clock.now())
            return self._source.instruments
        if market.source == "simulated":
            self._source = factories.simulated(
                profile, self._with_added(), market.seed, self.clock.now(), market.model
            )
            remembered = self._store.market()
            if remembered and self._source.simulated is not None:
                self._source.simulated.resume(remembered, at=self.clock.now())
            return self._source.instruments
        if market.source in PRICES:
            self._prices = factories.prices(settings, profile, self.clock)
            found = await _traded(self._prices, told)
            known, more = self._prices.listed_symbols(), added.read(self._home.folder)
            return (*found, *(self._prices.add(one) for one in more if one in known))
        self._prices = factories.live(
            replace(settings.account, venue=market.source),
            market.symbols,
            settings.gateway.timeout,
            self._home.folder,
            self.clock,
            key=False,
        )
        await _traded(self._prices, told)
        await answered("symbols that were added", partial(self._widen, self._prices), told)
        return await self._prices.instruments()

    async def _widen(self, prices: "LiveVenue") -> None:
        await prices.widen(added.read(self._home.folder))

    def _with_added(self) -> tuple[str, ...]:
        """The symbols of the settings, and those that were added by an earlier engine."""
        return tuple(
            dict.fromkeys((*self._settings.market.symbols, *added.read(self._home.folder)))
        )

    @property
    def prices_of(self) -> str:
        """The market's source; of a simulation also its seed."""
        market = self._settings.market
        if market.source == "recorded":
            return ""
        return f"simulated {market.seed}" if market.source == "simulated" else market.source

    async def past(self, symbol: str) -> Mapping[int, Sequence[Bar]]:
        """Made up before the first session of a simulation; read from a recording; asked of the
        exchange whose prices they are.
        """
        if self._prices is not None:
            return await self._prices.past(symbol)
        source = self._source
        return {} if source is None else await asyncio.to_thread(source.past, symbol)

    async def begin(self, spawn: Spawn) -> None:
        """Play."""
        if self._prices is not None:
            await self._prices.listen(self._fed, self._fed)
            return
        spawn("market", self._play())
        spawn("market memory", self._remember())

    def _fed(self, tick: Quote | Trade) -> None:
        self.venue.feed(tick)

    async def _play(self) -> None:
        assert self._source is not None
        if self.replay is not None:
            await self.replay.play()
        else:
            await play(self._source.ticks, self.clock, self.venue.feed)

    def _make_replay(self, source: factories.Source) -> None:
        """A recording is played as a person wants it."""
        assert isinstance(self.clock, PacedClock)
        recorded, exchange = source.recorded, self.venue.exchange
        end = None if recorded is None else recorded.end
        replay = Replay(source.ticks, self.clock, self.venue.feed, end)

        def said(report: VenueReport) -> None:
            if isinstance(report, Filled):
                fill = report.fill
                replay.filled(f"{fill.side} {fill.size} {fill.symbol} filled at {fill.price}")

        exchange.on_report.append(said)
        self.replay = replay

    async def _remember(self) -> None:
        while True:
            await asyncio.sleep(MARKET_SAVED)
            self._save_market()

    def _save_market(self) -> None:
        if self._source is not None and self._source.simulated is not None:
            self._store.save_market(self._source.simulated.state())
        if self.replay is not None:
            self._store.save_played(self.clock.now())

    async def close(self, *, read_only: bool) -> None:
        """Stored and closed."""
        if self._prices is not None:
            await self._prices.close()
        if not read_only:
            self._save_market()
        self.venue.shut_down()


class LiveEnvironment:
    """A live account, at its exchange's own prices."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self.paces: dict[str, int] = {}
        self.progress: Callable[[], float] | None = None
        self.secrets: tuple[str, ...] = ()
        self.files: tuple[str, ...] = ()
        self.replay: Replay | None = None
        self._source: factories.Source | None = None
        self._prices: LiveVenue | None = None

    async def open(self, told: Told) -> None:
        """Key and permissions, and what is traded. Raises KeysError or RefusedError; a lost reply
        is asked for again.
        """
        settings = self._settings
        self.clock = Clock(asyncio.get_running_loop())
        self.venue = factories.live(
            settings.account,
            settings.market.symbols,
            settings.gateway.timeout,
            self._home.folder,
            self.clock,
        )
        self.secrets = self.venue.secrets
        self.symbols: Symbols = LiveSymbols(self.venue)
        try:
            await _traded(self.venue, told)
            facts = await answered(
                f"{self.venue.name}: what the key may do", self.venue.key_facts, told
            )
            factories.admit(facts, settings.account)
        except BaseException:
            await self.venue.close()
            raise

    @property
    def prices_of(self) -> str:
        """The venue's."""
        return self._settings.account.venue

    async def past(self, symbol: str) -> Mapping[int, Sequence[Bar]]:
        """What the venue tells."""
        return await self.venue.past(symbol)

    async def begin(self, spawn: Spawn) -> None:
        """The venue's streams have begun with the engine."""

    async def close(self, *, read_only: bool) -> None:
        """The engine has hung up."""


SAID = 5
"""So many files are told of one by one."""


def _some(sentences: tuple[str, ...]) -> tuple[str, ...]:
    more = len(sentences) - SAID
    return (*sentences[:SAID], f"and {more} more files") if more > 0 else sentences


async def _traded(venue: "LiveVenue | PublicPrices", told: Told) -> tuple[Instrument, ...]:
    """List the instruments of an exchange. Raises RefusedError."""
    question = f"{venue.name}: what is traded"
    venue.on_wait = lambda why, pause: told(question, again(why, pause))
    return await answered(question, venue.instruments, told)


def environment_of(settings: Settings, home: Home) -> Environment:
    """Choose the paper or the live environment of an account."""
    return (
        PaperEnvironment(settings, home)
        if settings.account.venue == "paper"
        else LiveEnvironment(settings, home)
    )
