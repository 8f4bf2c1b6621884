"""What a scenario happens in: a paper account on a market that is played, or an account at an
exchange as it is now.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from engine.clock import SECOND, Clock
from engine.exchange import Store
from engine.journal import Journal
from engine.market import RecordedMarket, play
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.profile import Profile
from engine.model.quote import Quote, Tick
from engine.model.report import Picture
from engine.rehearsal.auditor import Auditor
from engine.rehearsal.scenario import report
from engine.rehearsal.scenario.actions import Action
from engine.rehearsal.scenario.script import Script
from engine.rehearsal.scenario.words import ScenarioError
from engine.setup import factories, symbol_tables
from engine.setup.listening import LiveSymbols, MadeSymbols, PaperSymbols, Symbols
from engine.setup.sections import Settings
from engine.venues.paper import PaperVenue
from engine.venues.protocol import Venue, VenueError

SIMULATION_START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z: a simulated scenario has no date of its own, and two runs must agree on
one.
"""
FIRST_PRICE = 15 * SECOND
"""How long a script waits for the first price of a live market."""
PATIENCE = 70 * SECOND
"""A view of the account may be a minute old, and questions are counted."""
ACCOUNT = "account.name"
"""The file in a home that keeps the name under which its orders are placed."""


class World(Protocol):
    """What a run needs of it."""

    @property
    def venue(self) -> Venue:
        """Where orders go."""
        ...

    clock: Clock
    start: int
    """When the script's time begins (nanoseconds)."""
    paces: dict[str, int]
    recorded: RecordedMarket | None
    symbols: Symbols
    patience: int
    """How much longer than usual its word may take (nanoseconds)."""

    async def open(self) -> None:
        """Make it. Raises ScenarioError, MarketError or StoreError."""
        ...

    async def begun(self) -> None:
        """Return once the script may begin."""
        ...

    async def play(self, deliver: Callable[[Tick], None]) -> None:
        """Let the market go by, to its end or the script's."""
        ...

    async def external(self, order: Order) -> None:
        """An order that somebody else places on the account. Raises ScenarioError where that can't
        be done.
        """
        ...

    def move(self, action: Action, fraction: object, over: int) -> None:
        """Move the market. Raises ScenarioError where that can't be done."""
        ...

    def audited(self, settings: Settings) -> Auditor:
        """An auditor that hears this world's prices, and the venue's own records where they are
        ours to read.
        """
        ...

    def truth(self, told: Picture | None) -> Picture | None:
        """The venue's own word on the account; None where it has none yet. `told` is what the
        engine was last told.
        """
        ...

    def shut_down(self) -> None:
        """The end of it."""
        ...


class PaperWorld:
    """Recorded or simulated prices, and a paper account."""

    symbols: Symbols

    def __init__(self, script: Script, settings: Settings, home: Path) -> None:
        self._script = script
        self._settings = settings
        self._home = home
        self.patience = 0
        self._from = 0
        """Ticks before this were played by an earlier session."""

    def _recorded(self, profile: Profile) -> factories.Source:
        market, now = self._script.market, Clock(asyncio.get_running_loop()).now()
        return factories.recorded(profile, market.files, market.reading, now, market.start)

    async def open(self) -> None:
        """Market, clock and account. Raises ScenarioError, MarketError or StoreError."""
        script, settings = self._script, self._settings
        profile = factories.profile(settings.account.profile, settings.account.limits)
        last = self._last_event()
        if script.market.source == "recorded":
            self.source = self._recorded(profile)
        else:
            start = max(SIMULATION_START, last + SECOND)
            until = None if script.until is None else start + script.until
            try:
                self.source = factories.simulated(
                    profile, script.market.symbols, script.seed, start, script.market.model, until
                )
            except (TypeError, ValueError) as error:
                raise ScenarioError(f"{script.path}: market: {error}") from error
        self.start = self.source.start
        self.instruments = factories.charged(self.source.instruments, settings.symbols)
        self.paces, self.recorded = self.source.paces, self.source.recorded
        check_symbols(script, self.instruments, settings)
        if last >= self.source.start:
            self._go_on_after(last)
        begin = max(self.source.start, self._from)
        self.clock = Clock(asyncio.get_running_loop(), begin, script.market.speed or 1.0)
        store = Store(self._home / "paper.sqlite")
        self.venue: PaperVenue = factories.paper(
            profile,
            self.instruments,
            settings.account.cash,
            settings.account.currency,
            self.clock,
            script.seed,
            settings.paper,
            faults=script.faults,
            store=store,
            source=self.source,
        )
        store.restore(self.venue.exchange, self.clock.now())
        made = MadeSymbols(settings, self.source, self.venue)
        self.symbols = PaperSymbols(made, self.venue, settings.symbols)

    def _last_event(self) -> int:
        """When the session that is gone on with ended; zero for a new one."""
        path = self._home / "journal.sqlite"
        if not path.exists():
            return 0
        journal = Journal.open(
            path, self._settings.account.name, "flatout run", now=0, read_only=True
        )
        try:
            return max((stored.at for stored in journal.tail(1)), default=0)
        finally:
            journal.close()

    def _go_on_after(self, last: int) -> None:
        """The market goes on where the earlier session ended. Where it had come to its end, time
        can't go back: that is said.
        """
        if not any(tick.at > last for tick in self.source.ticks):
            raise ScenarioError(
                f"{self._script.path}: market.files: the home's last event is at"
                f" {report.iso(last)}, and no price is later; name later files"
            )
        self._from = last + 1

    async def begun(self) -> None:
        """At once."""

    async def play(self, deliver: Callable[[Tick], None]) -> None:
        """Every tick at its time."""
        until = None if self._script.until is None else self.source.start + self._script.until
        last = 0

        def fed(tick: Tick) -> None:
            nonlocal last
            last = tick.at
            deliver(tick)
            self.venue.feed(tick)

        ticks = (
            (tick for tick in self.source.ticks if tick.at >= self._from)
            if self._from
            else self.source.ticks
        )
        await play(ticks, self.clock, fed, until)
        if until is not None and self._script.market.source == "simulated":
            await self.clock.sleep_until(until)
        elif last and self.venue.exchange.next_due() is not None:
            await self.clock.sleep(60 * SECOND)  # the last candle's own interval

    async def external(self, order: Order) -> None:
        """Placed at the exchange itself."""
        self.venue.external(order)

    def move(self, action: Action, fraction: object, over: int) -> None:
        """A scripted move."""
        self.source.ticks.move(action.symbol, fraction, over, self.clock.now())  # type: ignore[arg-type]

    def audited(self, settings: Settings) -> Auditor:
        """The auditor reads the exchange's own books."""
        auditor = Auditor(price_age=int(settings.risk.price_age * SECOND))
        auditor.watch(self.venue.exchange, self.clock.now())
        self.venue.exchange.on_quote.append(auditor.quoted)
        return auditor

    def truth(self, told: Picture | None) -> Picture | None:
        """The exchange's books, whatever was told."""
        return self.venue.exchange.picture(self.clock.now(), 0)

    def shut_down(self) -> None:
        """Stored and closed."""
        self.venue.shut_down()


class LiveWorld:
    """An account at an exchange, in real time, at its own prices."""

    symbols: Symbols

    def __init__(self, script: Script, settings: Settings, home: Path) -> None:
        self._script = script
        self._settings = settings
        self._home = home
        self._deliver: Callable[[Tick], None] | None = None
        self._auditor: Auditor | None = None
        self._first = asyncio.Event()
        self._begun = asyncio.Event()
        self._ended = 0
        self.patience = PATIENCE
        self.paces: dict[str, int] = {}
        self.recorded: RecordedMarket | None = None

    async def open(self) -> None:
        """Keys, and what is traded. Raises ScenarioError."""
        account = self._settings.account
        self.clock = Clock(asyncio.get_running_loop())
        try:
            self.venue = factories.live(
                account,
                self._script.market.symbols,
                self._settings.gateway.timeout,
                self._home,
                self.clock,
            )
            self.instruments = await self.venue.instruments()
        except VenueError as error:
            raise ScenarioError(f"{self._script.path}: account: {error}") from error
        self.symbols = LiveSymbols(self.venue)
        self.venue.on_price = self._quoted
        self.start = self.clock.now()
        check_symbols(self._script, self.instruments, self._settings)

    async def begun(self) -> None:
        """Once there is a price: the script's time begins then."""
        try:
            async with asyncio.timeout(FIRST_PRICE / SECOND):
                await self._first.wait()
        except TimeoutError:
            raise ScenarioError(
                f"{self._script.path}: market: {account_name(self._settings)} tells no price of"
                f" {', '.join(self._script.market.symbols)}"
            ) from None
        self.start = self.clock.now()
        self._begun.set()

    async def play(self, deliver: Callable[[Tick], None]) -> None:
        """Until the script's end, in real time."""
        self._deliver = deliver
        await self._begun.wait()
        await self.clock.sleep_until(self.start + (self._script.until or 0))
        self._ended = self.clock.now()

    def _quoted(self, quote: Quote) -> None:
        """A price of the exchange."""
        self._first.set()
        if self._auditor is not None:
            self._auditor.quoted(quote)
        if self._deliver is not None:
            self._deliver(quote)

    async def external(self, order: Order) -> None:
        """There is one key, and it is ours."""
        raise ScenarioError(
            "do.external: an order of somebody else can be placed on a paper account only, not at"
            f" {self.venue.name}"
        )

    def move(self, action: Action, fraction: object, over: int) -> None:
        """Nobody moves a market."""
        raise ScenarioError(
            f"do[{action.index}].market: prices can be moved in a recorded or simulated market"
            f" only, not at {self.venue.name}"
        )

    def audited(self, settings: Settings) -> Auditor:
        """The auditor hears what everybody hears."""
        self._auditor = Auditor(
            price_age=int(settings.risk.price_age * SECOND), rounding=self.venue.profile.rounding
        )
        return self._auditor

    def truth(self, told: Picture | None) -> Picture | None:
        """What was told after the script had ended: a key has one client, and its questions are
        counted.
        """
        return told if told is not None and told.as_of > self._ended else None

    def shut_down(self) -> None:
        """The engine has hung up."""


def account_name(settings: Settings) -> str:
    """For an error: whose account."""
    return f"account {settings.account.name} at {settings.account.venue}"


def check_symbols(script: Script, instruments: Iterable[Instrument], settings: Settings) -> None:
    """Whether the script asks only for what is traded, and sets nothing of other symbols. Raises
    ScenarioError.
    """
    known = {instrument.symbol for instrument in instruments}
    for key, why in symbol_tables.unread(
        settings.symbols, known, paper=settings.account.venue == "paper"
    ).items():
        raise ScenarioError(
            f"{script.path}: settings: {key} is {why}; the market has {', '.join(sorted(known))}"
        )
    for action in script.actions:
        symbol = action.symbol
        if symbol and symbol not in known:
            raise ScenarioError(
                f"{script.path}: do[{action.index}].symbol is {symbol!r}; the market has"
                f" {', '.join(sorted(known))}"
            )


def live_account(home: Path) -> str:
    """A name of its own for the account of each home: an exchange remembers the order ids of
    earlier runs.
    """
    path = home / ACCOUNT
    if not path.exists():
        path.write_text(f"scenario-{secrets.token_hex(4)}\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def world(script: Script, settings: Settings, home: Path) -> World:
    """The world of a script."""
    return (
        PaperWorld(script, settings, home)
        if script.account.venue == "paper"
        else LiveWorld(script, settings, home)
    )
