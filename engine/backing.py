"""What stands behind an engine of this process: a paper account on some market, or a live account at its exchange."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from engine import assembly
from engine.clock import Clock
from engine.exchange import Store
from engine.home import Home
from engine.market import play
from engine.model.instrument import Instrument
from engine.model.quote import Quote, Tick, Trade
from engine.opening import Told, again, answered
from engine.settings import Settings
from engine.venues.protocol import Venue

if TYPE_CHECKING:
    from engine.venues.live.venue import LiveVenue

MARKET_SAVED = 5.0
"""Seconds between two savings of where a simulated market stands."""
Spawn = Callable[..., object]


class Backing(Protocol):
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

    async def open(self, told: Told) -> None:
        """Make it. Whatever fails is closed again. `told` hears which question of the opening waits for an answer."""
        ...

    async def begin(self, spawn: Spawn) -> None:
        """Let prices flow, once the engine listens; `spawn` owns the tasks."""
        ...

    async def close(self, *, read_only: bool) -> None:
        """After the engine has closed; where somebody else took the account over, nothing is written."""
        ...


class PaperBacking:
    """A paper account: on simulated or recorded prices, or on those of an exchange as they are now."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self.paces: dict[str, int] = {}
        self.progress: Callable[[], float] | None = None
        self.secrets: tuple[str, ...] = ()

    async def open(self, told: Told) -> None:
        """The account's file, the market and the venue. Raises StoreError, MarketError, ValueError, and what a live exchange is missed for."""
        settings, loop = self._settings, asyncio.get_running_loop()
        profile, market = assembly.profile(settings.account.profile, settings.account.limits), settings.market
        self._store = Store(self._home.paper)
        self._source: assembly.Source | None = None
        self._prices = None
        self.clock = Clock(loop)
        try:
            if market.source == "recorded":
                self._source = assembly.recorded(profile, [Path(name) for name in market.files])
                self.clock = Clock(loop, self._source.start, market.speed)
            elif market.source == "simulated":
                self._source = assembly.simulated(profile, market.symbols, market.seed, self.clock.now(), market.model)
                remembered = self._store.market()
                if remembered and self._source.simulated is not None:
                    self._source.simulated.resume(remembered, at=self.clock.now())
            else:
                account = replace(settings.account, venue=market.source)
                self._prices = assembly.live(account, market.symbols, settings.gateway.timeout, self._home.folder, self.clock, key=False)
            if self._prices is not None:
                instruments = await _traded(self._prices, told)
            else:
                assert self._source is not None
                instruments = self._source.instruments
            instruments = assembly.charged(instruments, settings.symbols)
            cash, currency = settings.account.cash, settings.account.currency
            self.venue = assembly.paper(profile, instruments, cash, currency, self.clock, market.seed, settings.paper, store=self._store)
            self._store.restore(self.venue.exchange, self.clock.now())
        except BaseException:
            if self._prices is not None:
                await self._prices.close()
            self._store.close()
            raise
        if self._source is not None:
            self.paces = self._source.paces
            recorded = self._source.recorded
            self.progress = None if recorded is None else lambda: recorded.progress

    async def begin(self, spawn: Spawn) -> None:
        """Play."""
        if self._prices is not None:
            await self._prices.listen(self._fed, self._fed)
            return
        spawn("market", self._play())
        if self._source is not None and self._source.simulated is not None:
            spawn("market memory", self._remember())

    def _fed(self, tick: Quote | Trade) -> None:
        self.venue.feed(tick)

    async def _play(self) -> None:
        def deliver(tick: Tick) -> None:
            self.venue.feed(tick)

        assert self._source is not None
        await play(self._source.ticks, self.clock, deliver)

    async def _remember(self) -> None:
        while True:
            await asyncio.sleep(MARKET_SAVED)
            self._save_market()

    def _save_market(self) -> None:
        if self._source is not None and self._source.simulated is not None:
            self._store.save_market(self._source.simulated.state())

    async def close(self, *, read_only: bool) -> None:
        """Stored and closed."""
        if self._prices is not None:
            await self._prices.close()
        if not read_only:
            self._save_market()
        self.venue.shut_down()


class LiveBacking:
    """A live account, at its exchange's own prices."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self.paces: dict[str, int] = {}
        self.progress: Callable[[], float] | None = None
        self.secrets: tuple[str, ...] = ()

    async def open(self, told: Told) -> None:
        """Key and permissions, and what is traded. Raises KeysError or RefusedError; a lost reply is asked for again."""
        settings = self._settings
        self.clock = Clock(asyncio.get_running_loop())
        self.venue = assembly.live(settings.account, settings.market.symbols, settings.gateway.timeout, self._home.folder, self.clock)
        self.secrets = self.venue.secrets
        try:
            await _traded(self.venue, told)
            facts = await answered(f"{self.venue.name}: what the key may do", self.venue.key_facts, told)
            assembly.admit(facts, settings.account)
        except BaseException:
            await self.venue.close()
            raise

    async def begin(self, spawn: Spawn) -> None:
        """The venue's streams have begun with the engine."""

    async def close(self, *, read_only: bool) -> None:
        """The engine has hung up."""


async def _traded(venue: "LiveVenue", told: Told) -> tuple[Instrument, ...]:
    """List the instruments of an exchange. Raises RefusedError."""
    question = f"{venue.name}: what is traded"
    venue.on_wait = lambda why, pause: told(question, again(why, pause))
    return await answered(question, venue.instruments, told)


def backing(settings: Settings, home: Home) -> Backing:
    """Choose the paper or the live backing of an account."""
    return PaperBacking(settings, home) if settings.account.venue == "paper" else LiveBacking(settings, home)
