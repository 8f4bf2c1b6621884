"""An engine in this process for a console: home, lock, market, venue, journal, control socket; opened in order and closed in order."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from engine import assembly
from engine.backing import backing
from engine.clock import SECOND, Clock
from engine.control import ControlError, ControlServer, RemoteSession
from engine.desk.desk import Decision
from engine.exchange import Store
from engine.home import Home
from engine.journal import Journal
from engine.model.intent import AnyIntent
from engine.model.quote import Candle
from engine.model.refusal import Refusal
from engine.model.view import Answer, Preview, View
from engine.outlets.log import Log
from engine.outlets.notify import Notifier
from engine.runtime import Engine
from engine.session import Session
from engine.session.keeper import Keeper
from engine.settings import Settings
from engine.venues.protocol import Venue

LOOK_BACK = 30 * 86_400 * SECOND
"""How far back a live account's executions are looked through for what is held."""


class LocalSession:
    """The session of the process that holds the account."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Build the world and the engine, recover, and begin to answer. Whatever fails is closed again."""
        settings, home = self._settings, self._home
        self._backing = backing(settings, home)
        await self._backing.open()
        clock = self._backing.clock
        try:
            holder = f"process {os.getpid()} on {socket.gethostname()}"
            journal = Journal.open(settings.journal.url or home.journal, settings.account.name, holder, now=clock.now())
        except BaseException:
            await self._backing.close(read_only=True)
            raise
        if journal.lease is None:
            journal.claim(holder, clock.now())  # we hold the lock of the home: whoever stands in the journal has died
        loop = asyncio.get_running_loop()

        def complain(text: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                loop.call_soon_threadsafe(self.engine.complain, text)

        self._keeper = Keeper(home.folder, complain)
        looking = self._backing.venue.live
        self.engine = Engine(settings, self._backing.venue, journal, clock, time.time_ns(), looking=looking, summary=self._keeper.offer)
        for symbol, pace in self._backing.paces.items():
            self.engine.board.set_pace(symbol, pace)
        self.engine.progress = self._backing.progress
        self._log = Log(home.log, [*secrets_of(settings), *self._backing.secrets])
        self._tell_others()
        await self.engine.start()
        await self._backing.begin(self.engine.tasks.spawn)
        self.control = ControlServer(self, home.control)
        await self.control.start()

    def _tell_others(self) -> None:
        """The log, and notifications where the settings ask for them. Raises NotifyError."""
        variable, engine, log = self._settings.outlets.notify, self.engine, self._log
        for notice in engine.notices:  # said while it opened, before anybody listened
            log.noticed(notice)
        notifier = None if variable is None else Notifier(variable, self._settings.account.name, engine.complain)

        def decided(decision: Decision, _: int) -> None:
            log.decided(decision, engine.state)
            if notifier is not None:
                notifier.decided(decision.events, engine.state.ended_alerts)

        engine.hooks.decided = decided
        if notifier is not None:
            engine.tasks.spawn("notifications", notifier.run())

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
        await self._backing.close(read_only=self.engine.read_only)
        self._keeper.close()
        self._log.close()
        self._home.let_go()


def secrets_of(settings: Settings) -> list[str]:
    """Whatever the settings lead to that must never be written."""
    found = [os.environ.get(settings.outlets.notify or "", "")]
    if settings.journal.url and "://" in settings.journal.url:
        found.append(urlsplit(settings.journal.url).password or "")
    return found


@asynccontextmanager
async def venue_alone(settings: Settings, clock: Clock, home: Home) -> AsyncIterator[tuple[Venue, int]]:
    """The venue without a desk and without a market that moves: for the last way to flat; and from when on its executions are asked for.

    A paper account's last prices are what it remembers. Raises StoreError, MarketError or VenueError.
    """
    market = settings.market
    if settings.account.venue != "paper":
        live = assembly.live(settings.account, market.symbols, settings.gateway.timeout, home.folder, clock)
        try:
            yield live, clock.now() - LOOK_BACK
        finally:
            await live.close()
        return
    profile, store = assembly.profile(settings.account.profile, settings.account.limits), Store(home.paper)
    if market.source == "recorded":
        instruments = assembly.recorded(profile, [Path(name) for name in market.files]).instruments
    else:  # what an exchange trades is not asked in an emergency: its symbols are told by the settings
        ticks = market.symbols
        instruments = assembly.simulated(profile, ticks, market.seed, clock.now(), market.model if market.source == "simulated" else {}).instruments
    cash, currency = settings.account.cash, settings.account.currency
    paper = assembly.paper(profile, instruments, cash, currency, clock, market.seed, settings.paper, store=store)
    try:
        store.restore(paper.exchange, clock.now())
        yield paper, 0
    finally:
        await paper.close()
        paper.shut_down()


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
