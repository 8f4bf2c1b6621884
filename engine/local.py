"""An engine in this process for a console: home, lock, market, venue, journal, control socket; opened in order and closed in order."""

import asyncio
import os
import socket
import time
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from engine import assembly
from engine.clock import Clock
from engine.control import ControlError, ControlServer, RemoteSession
from engine.desk.desk import Decision
from engine.exchange import Store
from engine.home import Home
from engine.journal import Journal
from engine.market import play
from engine.model.intent import AnyIntent
from engine.model.quote import Candle, Tick
from engine.model.refusal import Refusal
from engine.model.view import Answer, Preview, View
from engine.outlets.log import Log
from engine.outlets.notify import Notifier
from engine.runtime import Engine
from engine.session import Session
from engine.settings import Settings
from engine.venues.paper import PaperVenue

MARKET_SAVED = 5.0
"""Seconds between two savings of where a simulated market stands."""


class LocalSession:
    """The session of the process that holds the account."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Build the world and the engine, recover, and begin to answer. Whatever fails is closed again."""
        settings, home = self._settings, self._home
        store = Store(home.paper)
        try:
            self._open_world(store)
            holder = f"process {os.getpid()} on {socket.gethostname()}"
            now = self.clock.now()
            journal = Journal.open(settings.journal.url or home.journal, settings.account.name, holder, now=now)
        except BaseException:
            store.close()
            raise
        if journal.lease is None:
            journal.claim(holder, now)  # we hold the lock of the home: whoever stands in the journal has died
        self.engine = Engine(settings, self.venue, journal, self.clock, seed=time.time_ns())
        for symbol, pace in self.source.paces.items():
            self.engine.board.set_pace(symbol, pace)
        if self.source.recorded is not None:
            market = self.source.recorded
            self.engine.progress = lambda: market.progress
        self._log = Log(home.log, secrets_of(settings))
        self._tell_others()
        await self.engine.start()
        self.engine.tasks.spawn("market", self._play())
        if self.source.simulated is not None:
            self.engine.tasks.spawn("market memory", self._remember())
        self.control = ControlServer(self, home.control)
        await self.control.start()

    def _open_world(self, store: Store) -> None:
        settings, loop = self._settings, asyncio.get_running_loop()
        profile, market = assembly.profile(settings.account.profile), settings.market
        if market.source == "recorded":
            self.source = assembly.recorded(profile, [Path(name) for name in market.files])
            self.clock = Clock(loop, self.source.start, market.speed)
        else:
            self.clock = Clock(loop)
            self.source = assembly.simulated(profile, market.symbols, market.seed, self.clock.now(), market.model)
            remembered = store.market()
            if remembered and self.source.simulated is not None:
                self.source.simulated.resume(remembered, at=self.clock.now())
        cash, currency = settings.account.cash, settings.account.currency
        instruments = self.source.instruments
        self.venue = assembly.paper(profile, instruments, cash, currency, self.clock, market.seed, settings.paper, store=store)
        self._store = store
        store.restore(self.venue.exchange, self.clock.now())

    def _tell_others(self) -> None:
        """The log, and notifications where the settings ask for them. Raises NotifyError."""
        variable, engine, log = self._settings.outlets.notify, self.engine, self._log
        notifier = None if variable is None else Notifier(variable, self._settings.account.name, engine.complain)

        def decided(decision: Decision, _: int) -> None:
            log.decided(decision, engine.state)
            if notifier is not None:
                notifier.decided(decision.events, engine.state.ended_alerts)

        engine.hooks.decided = decided
        if notifier is not None:
            engine.tasks.spawn("notifications", notifier.run())

    async def _play(self) -> None:
        def deliver(tick: Tick) -> None:
            self.venue.feed(tick)

        await play(self.source.ticks, self.clock, deliver)

    async def _remember(self) -> None:
        while True:
            await asyncio.sleep(MARKET_SAVED)
            if self.source.simulated is not None:
                self._store.save_market(self.source.simulated.state())

    # The session

    @property
    def read_only(self) -> bool:
        """Whether somebody took the account over."""
        return self.engine.read_only

    def view(self) -> View:
        """Everything, now."""
        return self.engine.view()

    def preview(self, intent: AnyIntent) -> Preview:
        """What the intent would do."""
        return self.engine.preview(intent)

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask for it."""
        if self.engine.read_only:
            return Answer(intent.id, (Refusal("READ_ONLY", "another process"),))
        return await self.engine.ask(intent)

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """The last candles of a symbol."""
        return self.engine.candles(symbol, interval, count)

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The last samples of the equity."""
        return self.engine.equity(count)

    async def close(self) -> None:
        """Once, in order: stop answering, stop trading, remember the market, let go of the home."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self.control.close()
        await self.engine.close()
        if self.source.simulated is not None and not self.engine.read_only:
            self._store.save_market(self.source.simulated.state())
        self.venue.shut_down()
        self._log.close()
        self._home.let_go()


def secrets_of(settings: Settings) -> list[str]:
    """Whatever the settings lead to that must never be written."""
    found = [os.environ.get(settings.outlets.notify or "", "")]
    if settings.journal.url and "://" in settings.journal.url:
        found.append(urlsplit(settings.journal.url).password or "")
    return found


def venue_alone(settings: Settings, clock: Clock, store: Store) -> PaperVenue:
    """The venue without a desk and without a market that moves: for the last way to flat. Its last prices are what it remembers."""
    profile, market = assembly.profile(settings.account.profile), settings.market
    if market.source == "recorded":
        source = assembly.recorded(profile, [Path(name) for name in market.files])
    else:
        source = assembly.simulated(profile, market.symbols, market.seed, clock.now(), market.model)
    cash, currency = settings.account.cash, settings.account.currency
    venue = assembly.paper(profile, source.instruments, cash, currency, clock, market.seed, settings.paper, store=store)
    store.restore(venue.exchange, clock.now())
    return venue


async def open_session(settings: Settings, folder: Path | None = None) -> Session:
    """The engine of this process, or, where another one holds the account, a line to look on by."""
    home = Home.of(settings.account.name, folder)
    holder = home.hold(time.time_ns())
    if holder is not None:
        try:
            return await RemoteSession.open(home.control, holder.text, read_only=True)
        except ControlError as error:
            raise ControlError(
                f"account {settings.account.name}: {holder.text} holds it and does not answer; `flatout flatten --yes` works all the same"
            ) from error
    session = LocalSession(settings, home)
    try:
        await session.open()
    except BaseException:
        home.let_go()
        raise
    return session
