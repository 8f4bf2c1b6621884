"""An engine in this process for a console: home, lock, market, venue, journal, control socket; opened in order and closed in order."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
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
from engine.opening import Told
from engine.outlets import log
from engine.outlets.log import Log
from engine.outlets.notify import Notifier
from engine.runtime import Engine
from engine.session import Session
from engine.settings import Settings
from engine.venues.live.keys import find
from engine.venues.protocol import Venue, VenueError

LOOK_BACK = 30 * 86_400 * SECOND
"""How far back a live account's executions are looked through for what is held."""


LAST_NOTICE = 1.0
"""Seconds that notifications get when the session closes: the alert about the end itself is among them."""


class LocalSession:
    """The session of the process that holds the account."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._closing: asyncio.Task[None] | None = None

    async def open(self, told: Told = lambda question, why: None) -> None:
        """Build the world and the engine, recover, and begin to answer. Whatever fails or is cancelled is closed again."""
        settings, home = self._settings, self._home
        async with AsyncExitStack() as opened:
            self._backing = backing(settings, home)
            await self._backing.open(told)
            opened.push_async_callback(self._backing.close, read_only=True)
            clock = self._backing.clock
            holder = f"process {os.getpid()} on {socket.gethostname()}"
            journal = Journal.open(settings.journal.url or home.journal, settings.account.name, holder, now=clock.now())
            if journal.lease is None:
                journal.claim(holder, clock.now())  # we hold the lock of the home: whoever stands in the journal has died
            self.engine = Engine(settings, self._backing.venue, journal, clock, seed=time.time_ns(), looking=self._backing.venue.live)
            opened.push_async_callback(self.engine.close)
            for symbol, pace in self._backing.paces.items():
                self.engine.board.set_pace(symbol, pace)
            self.engine.progress = self._backing.progress
            self._log = Log(home.log, [*secrets_of(settings), *self._backing.secrets])
            opened.callback(self._log.close)
            self._tell_others()
            await self.engine.start()
            await self._backing.begin(self.engine.tasks.spawn)
            self.control = ControlServer(self, home.control)
            await self.control.start()
            opened.pop_all()

    def _tell_others(self) -> None:
        """The log, and notifications where the settings ask for them. Raises NotifyError."""
        variable, engine, written = self._settings.outlets.notify, self.engine, self._log
        notifier = self._notifier = None if variable is None else Notifier(variable, self._settings.account.name, engine.complain)

        def decided(decision: Decision, _: int) -> None:
            written.decided(decision, engine.state)
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

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Raise or cure an alert of the console's own."""
        self.engine.trouble(code, subject, text)

    async def close(self) -> None:
        """Once, in order: stop answering, stop trading, remember the market, let go of the home."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._notifier is not None:
            await self._notifier.rest(LAST_NOTICE)
        await self.control.close()
        await self.engine.close()
        await self._backing.close(read_only=self.engine.read_only)
        self._log.close()
        self._home.let_go()


def secrets_of(settings: Settings) -> list[str]:
    """Whatever the settings lead to that must never be written."""
    found = [os.environ.get(settings.outlets.notify or "", "")]
    if settings.journal.url and "://" in settings.journal.url:
        found.append(urlsplit(settings.journal.url).password or "")
    return found


def redacted(settings: Settings, home: Home, text: str) -> str:
    """The text without the account's secrets: those of the settings, and its key."""
    secrets = secrets_of(settings)
    if settings.account.venue != "paper":
        with contextlib.suppress(VenueError, OSError):
            found = find(settings.account.name, home.folder)
            secrets += [found.key, found.secret]
    return log.redacted(text, secrets)


def note(settings: Settings, home: Home, event: str, text: str, level: str = "ERROR") -> None:
    """Write one line to the account's log beside the session's own: before it opens, or when the screen fails."""
    log.note(home.log, event, redacted(settings, home, text), level)


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


async def open_session(settings: Settings, folder: Path | None = None, told: Told | None = None) -> Session:
    """The engine of this process, or, where another one holds the account, a line to look on by.

    `told` hears which question the opening waits for; the log says so in any case.
    """
    home = Home.of(settings.account.name, folder)
    holder = home.hold(time.time_ns())
    if holder is not None:
        try:
            return await RemoteSession.open(home.control, holder.text, read_only=True)
        except ControlError as error:
            raise ControlError(
                f"account {settings.account.name}: {holder.text} holds it and does not answer; `flatout flatten --yes` works all the same"
            ) from error

    def waits(question: str, why: str) -> None:
        if why:
            note(settings, home, "opening-waits", f"{question}: {why}", "WARNING")
        if told is not None:
            told(question, why)

    session = LocalSession(settings, home)
    try:
        await session.open(waits)
    except BaseException:
        home.let_go()
        raise
    return session
